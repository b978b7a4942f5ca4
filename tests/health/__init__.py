"""Meetings, feedback, surveys and the health of matches."""
