"""The floor of the job's writes, and the whole job by SQL alone, on copies of its database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import psycopg

from bench import floors
from bench.project import Database, statement

WRITES = ("write_batches", "write_offers", "write_requests", "write_messages")
REQUESTS = 1_000
"""Requests a transaction, as many as the job's own."""

_TABLES = (b"match_batches", b"match_offers", b"message_outbox")
_OUT = b"copy public.%b to stdout (format binary)"
_IN = b"copy bench.%b from stdin (format binary)"


def bare_writes(plain: Database, written: Database) -> float:
    """Seconds to write the very rows of another database, which lie ready in staging tables."""
    plain.run(statement("match_staging"))
    with ExitStack() as stack:
        source = stack.enter_context(psycopg.connect(written.dsn))
        target = stack.enter_context(psycopg.connect(plain.dsn))
        for table in _TABLES:
            with (
                source.cursor().copy(_OUT % table) as rows,
                target.cursor().copy(_IN % table) as copy,
            ):
                for block in rows:
                    copy.write(block)
    plain.settle()
    return floors.seconds(plain, WRITES)


class Alone(NamedTuple):
    """Seconds that SQL alone takes, and those of them in which it writes."""

    seconds: float
    writes: float


def by_sql_alone(database: Database, students: int) -> Alone:
    """Offer the requests of so many students; connecting does not count."""
    writes = 0.0
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("select 1")
        begun = time.perf_counter()
        connection.execute(statement("postings"))
        for size in _sizes(students):
            rows = connection.execute(statement("sql_only"), {"requests": size}).fetchall()
            writes += rows[0][1]
        return Alone(time.perf_counter() - begun, writes)


def require_same_scores(database: Database, other: Database) -> None:
    """Pairs that are offered in both have the same score, breakdown and reasons."""
    one, two = _offers(database), _offers(other)
    both = one.keys() & two.keys()
    if not both or any(one[pair] != two[pair] for pair in both):
        raise RuntimeError("The job and SQL alone do not score alike.")


def _sizes(students: int) -> Iterator[int]:
    for begin in range(0, students, REQUESTS):
        yield min(REQUESTS, students - begin)


def _offers(database: Database) -> dict[tuple[str, str], list[int]]:
    with psycopg.connect(database.dsn) as connection:
        rows = connection.execute(statement("match_offers")).fetchall()
    return {(request, mentor): told for request, mentor, *told in rows}
