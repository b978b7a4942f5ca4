"""Run a mentoring programme on Supabase: sync members into mentors, and keep it true."""

__version__ = "0.1.0"
