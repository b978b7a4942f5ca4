"""Members and accounts, made in the database: the same ones in every run."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from bench.project import MIGRATED, Database, Project, statement

BATCH = 5000
"""Members that the other application registers in one statement."""


@dataclass(frozen=True)
class Population:
    """Template databases with so many members.

    `registered` has them all, and nobody synced yet; in `waiting` the accounts are there, and
    the members wait in bench.members.
    """

    members: int
    registered: str
    waiting: str


def populate(project: Project, members: int) -> Population:
    made = Population(members, f"registered_{members}", f"waiting_{members}")
    waiting = project.create(made.waiting, MIGRATED)
    _fill_waiting(waiting, members)
    registered = project.create(made.registered, made.waiting)
    with triggers_disabled(registered):
        register(registered, members)
    registered.run(b"drop schema bench cascade")
    registered.settle()
    return made


def forget(project: Project, population: Population) -> None:
    project.drop(population.registered)
    project.drop(population.waiting)


def register(database: Database, members: int) -> None:
    """Move the waiting members into public.members, each batch in its own transaction."""
    query = statement("register")
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for after in range(0, members, BATCH):
            connection.execute(query, {"after": after, "until": after + BATCH})


class triggers_disabled:  # noqa: N801  # reads as a verb, as contextlib's own do
    """No trigger of members and users_user fires meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._switch(b"disable")

    def __exit__(self, *_: object) -> None:
        self._switch(b"enable")

    def _switch(self, verb: bytes) -> None:
        for table in (b"members", b"users_user"):
            self._database.run(b"alter table public.%b %b trigger user" % (table, verb))


def _fill_waiting(database: Database, members: int) -> None:
    database.run(statement("staging"))
    database.run(statement("population"), {"members": members})
    with triggers_disabled(database):
        database.run(statement("accounts"))
    database.settle()
