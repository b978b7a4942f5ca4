"""The demo: an invented community on the local stack."""
