"""What the tests of this folder share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Database:
    """A database of its own for one test; `dsn` is that of the non-superuser postgres."""

    dsn: str
    superuser_dsn: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.superuser_dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def run(self, *statements: str, as_superuser: bool = False) -> None:
        dsn = self.superuser_dsn if as_superuser else self.dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def has(self, name: str) -> bool:
        return self.rows(f"select to_regclass('{name}') is not null") == [(True,)]


@dataclass(frozen=True)
class Folder:
    """A folder of migrations."""

    path: Path

    def write(self, **files: str) -> None:
        """`m1_people="create ..."` becomes 20260101000001_people.sql."""
        for name, text in files.items():
            number, noun = name.removeprefix("m").split("_", 1)
            path = self.path / f"202601010000{int(number):02}_{noun}.sql"
            path.write_text(text, encoding="utf-8", newline="")
