"""Matching: scores, offers and assignments, as arithmetic on arrays of whole numbers."""
