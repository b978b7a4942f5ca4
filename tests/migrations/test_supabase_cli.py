"""The real Supabase CLI and `db migrate` on one history, both ways."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mentor_sync.connection import connect
from mentor_sync.errors import MigrationError
from mentor_sync.migrations import load, migrate, status
from mentor_sync.statements import split
from tests.migrations.support import Folder
from tests.project import Project

ROOT = Path(__file__).parents[2]
_FILE = """-- People; a note.

create table public.people (id int primary key, name text default 'a;b'); -- trailing; note
create function public.f() returns int language sql as $body$ select 1; select 2; $body$;
create function public.g() returns int language sql
begin atomic
  select case when true then 1 end;
  select 2;
end;
/* a; /* nested; */ note; */
insert into public.people values (1, E'it\\'s; so');
;
-- the end
"""

Cli = Callable[..., str]


@pytest.fixture(scope="session")
def binary() -> str:
    installed = ROOT / ".tools" / "node_modules" / ".bin" / "supabase"
    found = str(installed) if installed.exists() else os.environ.get("SUPABASE_CLI", "")
    if not shutil.which(found):
        pytest.skip("no Supabase CLI; `make tools` installs it, or name one in SUPABASE_CLI")
    return found


@pytest.fixture
def cli(binary: str, folder: Folder, empty_database: Project) -> Cli:
    """Run the CLI on the folder and the empty database; what it printed."""
    (folder.path.parent / "supabase").mkdir()
    (folder.path.parent / "supabase" / "migrations").symlink_to(folder.path)
    shutil.copy(ROOT / "supabase" / "config.toml", folder.path.parent / "supabase")

    def run(*words: str) -> str:
        home = folder.path.parent
        done = subprocess.run(
            [binary, *words, f"--remote={empty_database.dsn}", "--yes", f"--workdir={home}"],
            env={"PATH": os.environ["PATH"], "HOME": str(home), "SUPABASE_TELEMETRY_DISABLED": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_what_the_cli_pushed_is_not_applied_again(
    cli: Cli, folder: Folder, empty_database: Project
) -> None:
    folder.write(m1_people=_FILE, m2_b="create table public.b ();\r\n")
    cli("db", "push")
    report = migrate(empty_database.dsn, folder.path)
    assert (report.applied, report.already) == ([], 2)
    recorded = "select checksum from supabase_migrations.schema_migrations order by version"
    assert empty_database.rows(recorded) == [(file.checksum,) for file in load(folder.path)]


def test_what_we_applied_the_cli_does_not_push(
    cli: Cli, folder: Folder, empty_database: Project
) -> None:
    folder.write(m1_people=_FILE, m2_b="create table public.b ()")
    migrate(empty_database.dsn, folder.path)
    assert "up to date" in cli("db", "push", "--dry-run")
    listed = cli("migration", "list")
    assert all(listed.count(file.version) == 2 for file in load(folder.path))


def test_the_two_take_turns(cli: Cli, folder: Folder, empty_database: Project) -> None:
    folder.write(m1_a="create table public.a ()")
    cli("db", "push")
    folder.write(m2_b="create table public.b ()")
    assert migrate(empty_database.dsn, folder.path).applied == ["20260101000002_b.sql"]
    folder.write(m3_c="create table public.c ()")
    cli("db", "push")
    assert migrate(empty_database.dsn, folder.path).applied == []
    assert empty_database.has("public.c")


def test_an_edit_of_what_the_cli_pushed_is_seen(
    cli: Cli, folder: Folder, empty_database: Project
) -> None:
    folder.write(m1_people=_FILE)
    cli("db", "push")
    folder.write(m1_people=_FILE.replace("'a;b'", "'a;c'"))
    with pytest.raises(MigrationError, match="Changed after it was applied"):
        migrate(empty_database.dsn, folder.path)


def test_we_cut_a_file_as_the_cli_does(cli: Cli, folder: Folder, empty_database: Project) -> None:
    folder.write(m1_people=_FILE)
    cli("db", "push")
    recorded = empty_database.rows("select statements from supabase_migrations.schema_migrations")
    assert recorded == [([statement.text for statement in split(_FILE)],)]


def test_the_cli_writes_our_files_from_the_history(
    cli: Cli, folder: Folder, empty_database: Project
) -> None:
    folder.write(m1_people=_FILE)
    migrate(empty_database.dsn, folder.path)
    before = load(folder.path)[0].statements
    (folder.path / "20260101000001_people.sql").unlink()
    cli("migration", "fetch")
    after = load(folder.path)[0].statements
    assert [statement.text for statement in after] == [
        statement.text if statement.verb else f"{statement.text};" for statement in before
    ]


def test_the_cli_pushes_the_schema_itself(
    cli: Cli, folder: Folder, empty_database: Project
) -> None:
    (folder.path.parent / "supabase" / "migrations").unlink()
    (folder.path.parent / "supabase" / "migrations").symlink_to(ROOT / "sql" / "migrations")
    cli("db", "push")
    files = load()
    with connect(empty_database.dsn) as connection:
        assert {standing.state for standing in status(connection, files)} == {"applied"}
    assert migrate(empty_database.dsn).already == len(files)
