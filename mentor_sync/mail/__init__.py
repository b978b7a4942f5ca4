"""Mails: which kinds there are, and how they are written."""
