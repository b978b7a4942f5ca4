"""One cluster a session, one template a flavour of privileges, one clone a test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from mentor_sync import migrations
from mentor_sync.local.bootstrap import Flavour, bootstrap
from mentor_sync.local.postgres import SUPERUSER, Cluster
from tests.project import Api, Project, serving

_numbers = count(1)
_UNSAFE_BUT_QUICK = {
    "fsync": False,
    "synchronous_commit": False,
    "full_page_writes": False,
    "autovacuum": False,  # a worker in a clone holds up its being dropped
    "max_wal_size": "128MB",
}
_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3  # bytes
_DRILLS = Path(__file__).parent / "drills"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The drills mostly wait: begun last, they would keep one worker while the others are done."""
    items.sort(key=lambda item: not item.path.is_relative_to(_DRILLS))


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where there is room: a clone is some 400 files, and disks are slow at that."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield tmp_path_factory.mktemp("cluster")
        return
    with tempfile.TemporaryDirectory(prefix="mentor_sync-test-", dir=_MEMORY) as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's server runs as another account
        yield folder


@pytest.fixture(scope="session")
def cluster(quick_folder: Path) -> Iterator[Cluster]:
    """PostgreSQL, the embedded one or that of MENTOR_SYNC_TEST_POSTGRES, a folder of binaries."""
    given = os.environ.get("MENTOR_SYNC_TEST_POSTGRES")
    bin_dir = Path(given) if given else None
    made = Cluster(quick_folder, bin_dir, _UNSAFE_BUT_QUICK)
    try:
        made.init()
        made.start()
        yield made
    finally:
        made.destroy()


class Templates:
    """Databases that are made once and cloned for each test."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.empty = cache(self._empty)
        self.migrated = cache(self._migrated)

    def clone(self, template: str) -> str:
        name = f"clone_{next(_numbers)}"
        self._execute("create database {} template {} owner postgres", name, template)
        return name

    def drop(self, name: str) -> None:
        self._execute("drop database {} with (force)", name)

    def _empty(self, flavour: Flavour) -> str:
        name = f"empty_{flavour}"
        self._execute("create database {} template {}", name, "template0")
        bootstrap(self.cluster.dsn(SUPERUSER, name), flavour, passwords=self.cluster.passwords)
        return name

    def _migrated(self, flavour: Flavour) -> str:
        name = f"migrated_{flavour}"
        self._execute("create database {} template {} owner postgres", name, self.empty(flavour))
        migrations.migrate(self.cluster.dsn("postgres", name))
        return name

    def _execute(self, statement: str, *names: str) -> None:
        composed = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.cluster.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(composed)


@pytest.fixture(scope="session")
def templates(cluster: Cluster) -> Templates:
    return Templates(cluster)


def _project(templates: Templates, template: str, folder: Path) -> Iterator[Project]:
    name = templates.clone(template)
    cluster = templates.cluster
    project = Project(
        cluster.dsn("postgres", name),
        cluster.dsn(SUPERUSER, name),
        cluster.dsn("authenticator", name),
        folder / "servers",
    )
    yield project
    project.close()
    templates.drop(name)


@pytest.fixture
def empty_database(templates: Templates, tmp_path: Path) -> Iterator[Project]:
    """A new Supabase project, as it comes."""
    yield from _project(templates, templates.empty("none"), tmp_path)


@pytest.fixture
def project(templates: Templates, tmp_path: Path) -> Iterator[Project]:
    """A migrated project without rows."""
    yield from _project(templates, templates.migrated("none"), tmp_path)


@pytest.fixture(params=["none", "legacy"])
def any_project(
    templates: Templates, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Project]:
    """Likewise, once with today's default privileges and once with those of older projects."""
    yield from _project(templates, templates.migrated(request.param), tmp_path)


@pytest.fixture
def api(project: Project) -> Iterator[Api]:
    """The project's API."""
    with serving(project) as served:
        yield served


@pytest.fixture(autouse=True, scope="session")
def _certificates_are_read_once() -> Iterator[None]:
    """Each client of httpx reads them anew, which takes as long as a clone."""
    with pytest.MonkeyPatch.context() as patched:
        context = cache(httpx.create_ssl_context)
        patched.setattr("httpx._transports.default.create_ssl_context", context)
        yield


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the project, or the local stack, of whoever runs it."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("SUPABASE_", "PG"))]:
        if name != "SUPABASE_CLI":
            monkeypatch.delenv(name)


@pytest.fixture
def as_environment(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The project is the one that commands find in their environment."""
    monkeypatch.setenv("SUPABASE_URL", api.url)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", api.keys.secret_key)
    return api
