"""Students who look for a mentor, and mentors, in a database: the same ones in every run.

Each student names some of the terms of one mentor, and others at random; common terms come often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import psycopg

from bench.crowd import TERMS
from bench.project import MIGRATED, Database, Project, statement
from mentor_sync.matching.arrays import Ints

SHARED = 0.5
"""How many of a student's terms are those of their mentor."""
_SWITCH = b"alter table public.%b %b trigger user"
_TABLES = (b"users", b"mentors", b"mentorship_profiles")
_COPY = b"copy private.profile_terms (user_id, factor, term_id) from stdin"


@dataclass(frozen=True)
class Community:
    """A template database in which so many students wait."""

    students: int
    mentors: int
    database: Database


def found(project: Project, students: int, mentors: int) -> Community:
    """Terms are written directly: what is measured begins with them."""
    database = project.create(f"community_{students}_{mentors}", MIGRATED)
    _switch(database, b"disable")
    for kind, people in (("student", students), ("mentor", mentors)):
        database.run(statement("community"), {"kind": kind, "people": people})
    _switch(database, b"enable")
    _tell(database, students, mentors)
    database.settle()
    return Community(students, mentors, database)


def _switch(database: Database, verb: bytes) -> None:
    for table in _TABLES:
        database.run(_SWITCH % (table, verb))


def _tell(database: Database, students: int, mentors: int) -> None:
    counts = [terms for terms, _ in TERMS]
    with psycopg.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(statement("community_terms"), {"counts": counts})
        (ids,) = cursor.fetchone() or ([],)
        with cursor.copy(_COPY) as copy:
            for row in _postings(students, mentors, np.array(ids, np.int64)):
                copy.write_row(row)


def _postings(students: int, mentors: int, ids: Ints) -> Iterator[tuple[UUID, int, int]]:
    random = np.random.default_rng(students)
    people = [_id("student", number) for number in range(students)]
    people += [_id("mentor", number) for number in range(mentors)]
    begin = 0
    for factor, (terms, drawn) in enumerate(TERMS, 1):
        told = _drawn(random, terms, (mentors, drawn))
        asked = _drawn(random, terms, (students, drawn))
        theirs = told[np.arange(students) % mentors]
        asked = np.where(random.random(asked.shape) < SHARED, theirs, asked)
        for person, named in zip(people, np.concatenate((asked, told)), strict=True):
            yield from ((person, factor, term) for term in np.unique(ids[begin + named]).tolist())
        begin += terms


def _drawn(random: np.random.Generator, terms: int, shape: tuple[int, int]) -> Ints:
    # Cubed, so that the first terms are far more common than the last.
    return (terms * random.random(shape) ** 3).astype(np.int64)


def _id(kind: str, number: int) -> UUID:
    """As sql/community.sql has it."""
    return UUID(hashlib.md5(f"{kind} {number}".encode()).hexdigest())
