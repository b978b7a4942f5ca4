from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from mentor_sync.connection import connect
from mentor_sync.errors import ConfigurationError, DatabaseUnreachable, MigrationError
from mentor_sync.migrations import State, load, migrate, script, status
from tests.migrations.support import Folder
from tests.project import Project

HISTORY = (
    "select version, name, checksum is not null, applied_at is not null"
    " from supabase_migrations.schema_migrations order by version"
)
_DEFERRED = (
    "create table x (a int unique deferrable initially deferred); insert into x values (1), (1)"
)
_MIGRATE = """
import pathlib, sys
from mentor_sync.migrations import migrate
migrate(sys.argv[1], pathlib.Path(sys.argv[2]))
"""
_SLEEPING = "select pid from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()"


def _states(database: Project, folder: Folder) -> list[State]:
    with connect(database.dsn) as connection:
        return [standing.state for standing in status(connection, load(folder.path))]


def _wait_until_asleep(database: Project) -> None:
    deadline = time.monotonic() + 10
    while not database.rows(f"{_SLEEPING} and wait_event = 'PgSleep'"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_files_are_applied_in_order_and_recorded(empty_database: Project, folder: Folder) -> None:
    folder.write(m2_b="alter table public.a add b int", m1_a="create table public.a ()")
    report = migrate(empty_database.dsn, folder.path)
    assert report.applied == ["20260101000001_a.sql", "20260101000002_b.sql"]
    assert empty_database.rows(HISTORY) == [
        ("20260101000001", "a", True, True),
        ("20260101000002", "b", True, True),
    ]
    assert _states(empty_database, folder) == ["applied", "applied"]


def test_a_second_time_there_is_nothing_to_do(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ();", m2_b="insert into public.a default values")
    migrate(empty_database.dsn, folder.path)
    report = migrate(empty_database.dsn, folder.path)
    assert (report.applied, report.already) == ([], 2)
    assert empty_database.rows("select count(*) from public.a") == [(1,)]


def test_a_file_that_comes_later_is_applied(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ()", m3_c="create table public.c ()")
    migrate(empty_database.dsn, folder.path)
    folder.write(m2_b="create table public.b ()")
    assert _states(empty_database, folder) == ["applied", "pending", "applied"]
    assert migrate(empty_database.dsn, folder.path).applied == ["20260101000002_b.sql"]


def test_ten_at_once_apply_each_file_once(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a (); select pg_sleep(0.2)", m2_b="create table b ()")
    with ThreadPoolExecutor(10) as pool:
        reports = list(pool.map(lambda _: migrate(empty_database.dsn, folder.path), range(10)))
    assert sorted(len(report.applied) for report in reports) == [0] * 9 + [2]
    assert len(empty_database.rows(HISTORY)) == 2


def test_the_wait_for_another_migrate_is_bounded(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="select pg_sleep(3)")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(migrate, empty_database.dsn, folder.path)
        _wait_until_asleep(empty_database)
        with pytest.raises(MigrationError, match=r"after 0\.2 s") as caught:
            migrate(empty_database.dsn, folder.path, lock_wait=0.2)
        ((pid,),) = empty_database.rows(_SLEEPING)
        assert f"pg_terminate_backend({pid})" in caught.value.hint
        assert len(first.result().applied) == 1


def test_an_edited_file_is_refused(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ()")
    migrate(empty_database.dsn, folder.path)
    folder.write(m1_a="create table public.a (id int)", m2_b="create table public.b ()")
    assert _states(empty_database, folder) == ["edited", "pending"]
    with pytest.raises(MigrationError, match=r"20260101000001_a\.sql") as caught:
        migrate(empty_database.dsn, folder.path)
    assert "mentor-sync local reset" in caught.value.hint
    assert not empty_database.has("public.b")


def test_line_ends_and_a_mark_at_the_start_are_no_edit(
    empty_database: Project, folder: Folder
) -> None:
    folder.write(m1_a="create table\npublic.a ();\n")
    migrate(empty_database.dsn, folder.path)
    folder.write(m1_a="\ufeffcreate table\r\npublic.a ();\r\n")
    assert _states(empty_database, folder) == ["applied"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("create table x ();\n\ninsert into\n nowhere values (1)", "line 4: .*42P01"),
        ("create table x ();\n-- again\ncreate table x ();", "line 3: .*42P07"),
        ("create table x ();\nselect 1 / 0;\nselect 1;", "line 2: division by zero.*22012"),
        ("create table x ();\nselct 1;", "line 2: syntax error.*42601"),
        (_DEFERRED, r"sql: duplicate key.*23505"),
    ],
)
def test_a_file_that_fails_leaves_nothing(
    empty_database: Project, folder: Folder, text: str, said: str
) -> None:
    folder.write(m1_a="create table public.a ()", m2_b=text, m3_c="create table public.c ()")
    with pytest.raises(MigrationError, match=f"20260101000002_b.*{said}") as caught:
        migrate(empty_database.dsn, folder.path)
    assert "mentor-sync db migrate" in caught.value.hint
    assert [empty_database.has(name) for name in ("public.a", "x", "public.c")] == [
        True,
        False,
        False,
    ]
    assert _states(empty_database, folder) == ["applied", "pending", "pending"]


def test_after_mending_the_rest_is_applied(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ()", m2_b="create table public.a ()")
    with pytest.raises(MigrationError):
        migrate(empty_database.dsn, folder.path)
    folder.write(m2_b="create table public.b ()")
    assert migrate(empty_database.dsn, folder.path).applied == ["20260101000002_b.sql"]


def test_what_was_killed_mid_file_runs_again(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a (); select pg_sleep(1); create table public.b ()")
    command = [sys.executable, "-c", _MIGRATE, empty_database.dsn, str(folder.path)]
    with subprocess.Popen(command) as process:
        _wait_until_asleep(empty_database)
        process.kill()
    assert not empty_database.has("public.a")
    assert migrate(empty_database.dsn, folder.path).applied == ["20260101000001_a.sql"]
    assert empty_database.has("public.b")


def test_a_server_that_goes_down_mid_file_leaves_nothing(
    empty_database: Project, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write(m1_a="create table public.a (); select pg_sleep(30)")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(migrate, empty_database.dsn, folder.path)
        _wait_until_asleep(empty_database)
        empty_database.rows(f"select pg_terminate_backend(pid) from ({_SLEEPING}) as s")
        with pytest.raises((MigrationError, DatabaseUnreachable)):
            running.result()
    assert not empty_database.has("public.a")
    assert capsys.readouterr().err == ""


def test_a_dry_run_applies_everything_and_keeps_nothing(
    empty_database: Project, folder: Folder
) -> None:
    folder.write(m1_a="create table public.a ()", m2_b="alter table public.a add b int")
    report = migrate(empty_database.dsn, folder.path, dry_run=True)
    assert report.applied == ["20260101000001_a.sql", "20260101000002_b.sql"]
    assert not empty_database.has("public.a")
    assert empty_database.rows("select to_regnamespace('supabase_migrations')") == [(None,)]


def test_a_dry_run_fails_where_the_real_run_would(empty_database: Project, folder: Folder) -> None:
    folder.write(
        m1_a="create table public.a (b int unique deferrable initially deferred)",
        m2_b="insert into public.a values (1), (1)",
    )
    with pytest.raises(MigrationError, match="23505"):
        migrate(empty_database.dsn, folder.path, dry_run=True)


def test_a_newer_database_is_refused(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ()", m9_z="create table public.z ()")
    migrate(empty_database.dsn, folder.path)
    (folder.path / "20260101000009_z.sql").unlink()
    folder.write(m2_b="create table public.b ()")
    assert _states(empty_database, folder) == ["applied", "pending", "newer"]
    with pytest.raises(ConfigurationError, match="newer than this mentor-sync"):
        migrate(empty_database.dsn, folder.path)
    assert not empty_database.has("public.b")


def test_migrations_of_the_project_itself_are_left_alone(
    empty_database: Project, folder: Folder
) -> None:
    folder.write(m1_a="create table public.a ()")
    empty_database.run(
        "create schema supabase_migrations",
        "create table supabase_migrations.schema_migrations"
        " (version text primary key, statements text[], name text)",
        "insert into supabase_migrations.schema_migrations values ('20990101000000', '{}', 'own')",
    )
    assert _states(empty_database, folder) == ["pending", "unknown"]
    assert migrate(empty_database.dsn, folder.path).applied == ["20260101000001_a.sql"]
    assert empty_database.rows(HISTORY)[1] == ("20990101000000", "own", False, False)


def test_the_row_comes_first_so_two_tools_do_not_do_it_twice(
    empty_database: Project, folder: Folder
) -> None:
    folder.write(m1_a="create table public.a ()")
    migrate(empty_database.dsn, folder.path, dry_run=False)
    empty_database.run("delete from supabase_migrations.schema_migrations", "drop table public.a")
    with psycopg.connect(empty_database.dsn) as other, ThreadPoolExecutor(1) as pool:
        other.execute(
            "insert into supabase_migrations.schema_migrations (version, name)"
            " values ('20260101000001', 'a')"
        )
        ours = pool.submit(migrate, empty_database.dsn, folder.path)
        time.sleep(0.3)
        assert not ours.done()
        other.commit()
        assert ours.result().applied == []
    assert not empty_database.has("public.a")


def test_a_lock_is_not_waited_for_forever(
    empty_database: Project, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mentor_sync.migrations._SESSION", "set lock_timeout = '100ms'")
    folder.write(m1_a="create table public.a ()", m2_b="alter table public.a add b int")
    with psycopg.connect(empty_database.dsn) as other:
        migrate(empty_database.dsn, _only_first(folder))
        other.execute("select * from public.a")
        with pytest.raises(MigrationError, match="55P03") as caught:
            migrate(empty_database.dsn, folder.path)
    assert "supabase inspect db blocking" in caught.value.hint


def _only_first(folder: Folder) -> Path:
    only = folder.path.parent / "only"
    only.mkdir()
    first = folder.path / "20260101000001_a.sql"
    (only / first.name).write_text(first.read_text())
    return only


def test_a_setting_of_one_file_does_not_reach_the_next(
    empty_database: Project, folder: Folder
) -> None:
    folder.write(m1_a="set search_path = ''", m2_b="create table in_public ()")
    migrate(empty_database.dsn, folder.path)
    assert empty_database.has("public.in_public")


def test_the_api_is_told_to_read_the_schema_again(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="select 1")
    with psycopg.connect(empty_database.dsn, autocommit=True) as listener:
        migrate(empty_database.dsn, folder.path)
        folder.write(m2_b="select 2")
        listener.execute("listen pgrst")
        migrate(empty_database.dsn, folder.path, dry_run=True)
        assert list(listener.notifies(timeout=0.1)) == []
        migrate(empty_database.dsn, folder.path)
        payloads = [notice.payload for notice in listener.notifies(timeout=5, stop_after=1)]
    assert payloads == ["reload schema"]


def test_warnings_are_reported(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="do $$ begin raise warning 'mind the gap'; raise notice 'hm'; end $$")
    assert migrate(empty_database.dsn, folder.path).warnings == ["mind the gap"]


def test_percent_signs_are_no_placeholders(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create view public.a as select '%s' as x, 5 % 2 as y")
    migrate(empty_database.dsn, folder.path)
    assert empty_database.rows("select * from public.a") == [("%s", 1)]


@pytest.mark.parametrize("verb", ["begin", "commit", "ROLLBACK", "start transaction"])
def test_a_file_does_not_end_its_own_transaction(folder: Folder, verb: str) -> None:
    folder.write(m1_a=f"create table a ();\n{verb};\nselect 1;")
    with pytest.raises(MigrationError, match="line 2"):
        load(folder.path)


@pytest.mark.parametrize("name", ["people.sql", "2026_a-b.sql", "1_.sql"])
def test_a_file_name_that_would_be_skipped_is_an_error(folder: Folder, name: str) -> None:
    (folder.path / name).write_text("select 1")
    with pytest.raises(MigrationError, match="is not named"):
        load(folder.path)


def test_two_files_of_one_version_are_an_error(folder: Folder) -> None:
    folder.write(m1_a="select 1", m1_b="select 1")
    with pytest.raises(MigrationError, match="same version"):
        load(folder.path)


def test_no_file_at_all_is_an_error(folder: Folder) -> None:
    with pytest.raises(MigrationError, match="no migrations"):
        load(folder.path)


def test_the_script_applies_and_records(empty_database: Project, folder: Folder) -> None:
    folder.write(m1_a="create table public.a ();\n-- end", m2_b="create table public.b ();")
    empty_database.run(script(load(folder.path)))
    assert _states(empty_database, folder) == ["applied", "applied"]
    assert migrate(empty_database.dsn, folder.path).applied == []
