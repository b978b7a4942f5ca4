from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from mentor_sync import migrations
from mentor_sync.local.bootstrap import bootstrap
from mentor_sync.local.postgres import SUPERUSER, Cluster
from tests.migrations.support import Database, Folder

_numbers = count(1)
_UNSAFE_BUT_QUICK = {"fsync": False, "synchronous_commit": False, "full_page_writes": False}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    given = os.environ.get("MENTOR_SYNC_TEST_POSTGRES")
    bin_dir = Path(given) if given else None
    made = Cluster(tmp_path_factory.mktemp("cluster"), bin_dir, _UNSAFE_BUT_QUICK)
    try:
        made.init()
        made.start()
        yield made
    finally:
        made.destroy()


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    _create(cluster, "bootstrapped")
    bootstrap(cluster.dsn(SUPERUSER, "bootstrapped"), "none", passwords=cluster.passwords)
    return "bootstrapped"


@pytest.fixture
def empty_database(cluster: Cluster, template: str) -> Iterator[Database]:
    name = f"empty_{next(_numbers)}"
    _create(cluster, name, template)
    yield Database(cluster.dsn("postgres", name), cluster.dsn(SUPERUSER, name))
    _execute(cluster, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "migrations"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def as_ours(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The folder, in the place of sql/migrations."""
    monkeypatch.setattr(migrations, "sql_folder", lambda _name: folder.path)
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("SUPABASE_", "PG"))]:
        if name != "SUPABASE_CLI":
            monkeypatch.delenv(name)


def _create(cluster: Cluster, name: str, template: str = "template0") -> None:
    statement = sql.SQL("create database {} template {} owner postgres")
    if template == "template0":
        statement = sql.SQL("create database {} template {}")
    _execute(cluster, statement.format(sql.Identifier(name), sql.Identifier(template)))


def _execute(cluster: Cluster, statement: sql.Composed) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(statement)
