"""The cases of one round: each runs the floor, then the job, on equal copies of a database."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench import floors, naive
from bench.client import Run, run_job
from bench.population import Population, register, triggers_disabled
from bench.project import Database, Project, statement
from bench.scores import Case, Sample

LARGE = 100_000

FIRST = Case("first sync", 2, from_size=LARGE)
AGAIN = Case("full no-op", 2, from_size=LARGE)
BARE = Case("full no-op / barest anti-join")
WRITTEN = Case("rows written by the no-op", 0, "ours", unit="rows")
MEMORY = Case("growth of the client's memory", 5, "ours", unit="MB")
LOAD = Case("load with our triggers", 3, from_size=LARGE)
NAIVE = Case("one request a row", 300, "floor/ours", from_size=LARGE)
ANY_CASE = Case("one request a row, any case", compares="floor/ours")

NAIVE_MEMBERS = 300
ANY_CASE_MEMBERS = 60


def sync_round(project: Project, population: Population) -> Iterator[Sample]:
    """The first sync, then everything that needs its outcome."""
    size = population.members
    with project.copy(population.registered) as plain:
        floor = floors.seconds(plain, floors.FIRST)
        wanted = plain.row(statement("digest"))
    with project.copy(population.registered) as database:
        first = _run(project, database)
        yield Sample(FIRST, size, first.seconds, floor)
        _require_equal(database.row(statement("digest")), wanted)
        yield from _again(project, database, size)
    with project.copy(population.registered) as database, project.served(database) as api:
        loop = naive.seconds_for_all(database, api, NAIVE_MEMBERS)
        slower = naive.seconds_for_all(database, api, ANY_CASE_MEMBERS, any_case=True)
    yield Sample(NAIVE, size, first.seconds, loop)
    yield Sample(ANY_CASE, size, first.seconds, slower)
    yield Sample(MEMORY, size, first.grown_mb)


def load_round(project: Project, population: Population) -> Iterator[Sample]:
    """Members who come while the triggers watch, against a load and one sync after it."""
    size = population.members
    with project.copy(population.waiting) as database:
        with triggers_disabled(database):
            floor = _seconds_to_register(database, size)
        floor += _run(project, database).seconds
        wanted = database.row(statement("digest"))
    with project.copy(population.waiting) as database:
        ours = _seconds_to_register(database, size)
        _require_equal(database.row(statement("digest")), wanted)
    yield Sample(LOAD, size, ours, floor)


def _again(project: Project, database: Database, size: int) -> Iterator[Sample]:
    database.settle()
    bare = floors.seconds(database, floors.BARE)
    floor = floors.seconds(database, floors.AGAIN)
    before = _written(database)
    run = _run(project, database)
    yield Sample(AGAIN, size, run.seconds, floor)
    yield Sample(BARE, size, run.seconds, bare)
    yield Sample(WRITTEN, size, _written(database) - before)


def _run(project: Project, database: Database) -> Run:
    with project.served(database) as api:
        return run_job(api, project.folder)


def _written(database: Database) -> int:
    (rows,) = database.row(statement("written"))
    return int(rows)


def _seconds_to_register(database: Database, members: int) -> float:
    begun = time.perf_counter()
    register(database, members)
    return time.perf_counter() - begun


def _require_equal(got: tuple[object, ...], wanted: tuple[object, ...]) -> None:
    if got != wanted:
        raise RuntimeError(f"The floor and the job did not do the same: {wanted} and {got}.")
