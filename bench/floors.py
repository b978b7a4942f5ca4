"""The floors: what the same work takes as plain statements over a direct connection."""

from __future__ import annotations

import time

import psycopg

from bench.project import Database, statement

FIRST = (
    "first_users",
    "first_mentors",
    "first_profiles",
    "name_terms",
    "keep_terms",
    "first_terms",
)
AGAIN = ("again_users", "again_mentors")
BARE = ("again_bare",)


def seconds(database: Database, names: tuple[str, ...]) -> float:
    """How long these statements take in one transaction; connecting does not count."""
    queries = [statement(name) for name in names]
    with psycopg.connect(database.dsn) as connection:
        connection.execute("select 1")
        # The trigger on profiles would make the terms, which the floor does by itself.
        connection.execute("select set_config('mentor_sync.deriving', 'on', true)")
        begun = time.perf_counter()
        for query in queries:
            connection.execute(query)
        connection.commit()
        return time.perf_counter() - begun
