"""The embedded stack: PostgreSQL, PostgREST and a gateway, as a hosted project has them."""
