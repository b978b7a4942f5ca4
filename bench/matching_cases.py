"""The cases of one round of matching: each against floors of the same round, on equal copies."""

from __future__ import annotations

from collections.abc import Iterator

from bench import match_writes
from bench.community import Community
from bench.engines import PAIRS, Costs, Engines, timed
from bench.match_client import SCORE, WRITE, Matched, match
from bench.match_writes import Alone
from bench.project import Database, Project, statement
from bench.scores import Case, Sample

SIZE = 10_000
SQL_STUDENTS = 10_000
"""Students whom SQL alone serves at the most; what more would take is reckoned."""

DEFINITION = Case("all pairs: calculate_match_score", 1000, "floor/ours", from_size=SIZE)
POSTINGS = Case("all pairs: SQL postings, three best", None, "floor/ours")
DIFFERING = Case(f"of {PAIRS:,} scores those that differ", 0, "ours", unit="pairs")
JOB = Case("the whole job", 12, from_size=SIZE)
KERNEL = Case("of its floor: the bare kernel", None, "ours", unit="s")
WRITES = Case("of its floor: the bare writes", None, "ours", unit="s")
SQL_ONLY = Case("the whole job: SQL alone", 5, "floor/ours", from_size=SIZE)
SQL_PART = Case(f"the whole job: SQL alone, {SQL_STUDENTS:,} timed", 5, "floor/ours")
UNWRITTEN = Case("all but the writes: SQL alone", None, "floor/ours")
SHARE = Case("scoring, of the whole job", 10, "ours", from_size=SIZE, unit="%")
GROWTH = Case("growth of the client's memory", None, "ours", unit="MB")
PEAK = Case("peak of the client's memory", None, "ours", unit="MB")


def engines_round(community: Community, engines: Engines) -> tuple[Costs, list[Sample]]:
    """What all pairs would take in each engine."""
    size, pairs = community.students, community.students * community.mentors
    costs = engines.costs()
    ours = costs.scipy * pairs
    return costs, [
        Sample(DEFINITION, size, ours, costs.definition * pairs),
        Sample(POSTINGS, size, ours, costs.postings * pairs),
        Sample(DIFFERING, size, costs.differing),
    ]


def job_round(
    project: Project, community: Community, engines: Engines
) -> tuple[Matched, list[Sample]]:
    """The job, then its floor on what it wrote, then SQL alone."""
    with project.copy(community.database.name) as database:
        with project.served(database) as api:
            ours = match(api, project.folder)
        _require_equal(_row(database, "match_counts"), _offered(community.students))
        kernel, _ = timed(engines.bare_top)
        writes = _bare_writes(project, community, database)
        alone = _sql_alone(project, community, database)
    return ours, list(_samples(community, ours, kernel, writes, alone))


def _samples(
    community: Community, ours: Matched, kernel: float, writes: float, alone: Alone
) -> Iterator[Sample]:
    size = community.students
    yield Sample(JOB, size, ours.seconds, kernel + writes)
    yield Sample(KERNEL, size, kernel)
    yield Sample(WRITES, size, writes)
    yield Sample(SQL_PART if size > SQL_STUDENTS else SQL_ONLY, size, ours.seconds, alone.seconds)
    yield Sample(UNWRITTEN, size, ours.seconds - ours.steps[WRITE], alone.seconds - alone.writes)
    yield Sample(SHARE, size, ours.steps[SCORE] / ours.seconds * 100)
    yield Sample(GROWTH, size, ours.grown_mb)
    yield Sample(PEAK, size, ours.peak_mb)


def _bare_writes(project: Project, community: Community, written: Database) -> float:
    with project.copy(community.database.name) as plain:
        seconds = match_writes.bare_writes(plain, written)
        _require_equal(_row(plain, "match_digest"), _row(written, "match_digest"))
    return seconds


def _sql_alone(project: Project, community: Community, written: Database) -> Alone:
    """Seconds for all; where there are very many, some are timed."""
    students = min(community.students, SQL_STUDENTS)
    with project.copy(community.database.name) as database:
        took = match_writes.by_sql_alone(database, students)
        _require_equal(_row(database, "match_counts"), _offered(students))
        match_writes.require_same_scores(database, written)
    times = community.students / students
    return Alone(took.seconds * times, took.writes * times)


def _offered(students: int) -> tuple[int, ...]:
    """Batches, offers, messages, requests that are offered: everybody gets three."""
    return (students, 3 * students, 3 * students, students)


def _row(database: Database, name: str) -> tuple[object, ...]:
    return database.row(statement(name))


def _require_equal(got: tuple[object, ...], wanted: tuple[object, ...]) -> None:
    if got != wanted:
        raise RuntimeError(f"Not the same was done: {wanted} and {got}.")
