"""Run a mentoring programme on Supabase: sync members into mentors, and keep it true."""

__version__ = "0.1.0"
SCHEMA_VERSION = "20261121001440"
"""The latest of sql/migrations: what the database must have at least."""
