"""Stacks and clusters of real processes, each in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mentor_sync.local.postgres import Cluster
from mentor_sync.local.processes import wait_until
from mentor_sync.local.stack import Stack
from mentor_sync.settings import Settings


def settings_for(folder: Path, **values: object) -> Settings:
    """Settings that know nothing of this machine's environment but where npm's cache is."""
    known = {"supabase_url": None, "local_port": None, "local_dir": folder, **values}
    plain = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    return plain.model_copy(update=known)


def rpc(environment: dict[str, str], name: str) -> object:
    """Call a function as service_role, once PostgREST has learned of it."""
    url = f"{environment['SUPABASE_URL']}/rest/v1/rpc/{name}"
    headers = {"apikey": environment["SUPABASE_SECRET_KEY"]}
    wait_until(lambda: httpx.get(url, headers=headers).status_code == httpx.codes.OK, 10)
    return httpx.get(url, headers=headers).json()


@contextmanager
def temporary_stack(folder: Path, **values: object) -> Iterator[Stack]:
    """A stack that is stopped and deleted in the end, also below /var/tmp."""
    stack = Stack(settings_for(folder, **values))
    try:
        yield stack
    finally:
        stack.down()
        Cluster(stack.folder).destroy()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that is not up yet."""
    with temporary_stack(tmp_path / "stack") as made:
        yield made


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up, for many tests; a test may break it, it mends itself."""
    with temporary_stack(tmp_path_factory.mktemp("running") / "stack") as made:
        made.up()
        yield made


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A started cluster, without anything of Supabase in it."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), options={"fsync": "off"})
    made.init()
    made.start()
    yield made
    made.destroy()


Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Starts `mentor-sync` as a process of its own, for the stack in tmp_path/stack."""

    def start(*words: str, folder: Path | None = None) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "MENTOR_SYNC_LOCAL_DIR": str(folder or tmp_path / "stack"),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "mentor_sync", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
