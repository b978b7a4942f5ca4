"""What somebody took away from a migrated database, and the SQL that brings it back."""

from __future__ import annotations

import pytest

from mentor_sync import drift
from mentor_sync.adoption import faults
from mentor_sync.connection import connect
from mentor_sync.findings import Finding
from mentor_sync.migrations import load
from tests.project import Project

LOSSES = {
    "a function": "drop function public.list_mentors",
    "a function of ours, with its triggers": "drop function private.members_changed cascade",
    "a view": "drop view public.v_sync_health",
    "a table": "drop table public.job_changes",
    "a type, with all that uses it": "drop type public.mentor_listing cascade",
    "a view that was made on the fly": "drop view private.source_members cascade",
    "a trigger": "drop trigger mentor_sync_updated on public.members",
    "a trigger, switched off": "alter table mentors disable trigger mentor_sync_touch",
    "a policy": 'drop policy "Mentors change their own row" on public.mentors',
    "row level security": "alter table public.users disable row level security",
    "a right to execute": "revoke execute on function claim_runs from service_role",
    "a right on a table": "revoke select on public.job_runs from service_role",
    "a right on a column": "revoke update (bio) on public.mentors from authenticated",
}
# Nothing but a backup brings back rows, and what was made on the fly has no SQL of its own.
FOR_GOOD = {
    "a table": [("job_changes", "The table is gone.")],
    "a view that was made on the fly": [("private.source_members", "The view is gone.")],
}
_DEFINITIONS = """
select pg_get_functiondef(p.oid), p.proacl::text
from pg_proc as p where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
union all
select pg_get_viewdef(c.oid), c.relacl::text
from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
union all
select pg_get_triggerdef(t.oid), t.tgenabled::text from pg_trigger as t where not t.tgisinternal
union all
select p.polname, pg_get_expr(p.polqual, p.polrelid) from pg_policy as p
"""
_UNKNOWN = """
select 'function', p.pronamespace::regnamespace || '.' || p.proname from pg_proc as p
where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
union all
select case c.relkind when 'v' then 'view' when 'c' then 'type' else 'table' end,
  c.relnamespace::regnamespace || '.' || c.relname
from pg_class as c
where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
  and c.relkind in ('r', 'v', 'c') and c.relname not in ('members', 'users_user')
union all
select 'trigger ' || t.tgname, c.relnamespace::regnamespace || '.' || c.relname
from pg_trigger as t join pg_class as c on c.oid = t.tgrelid where not t.tgisinternal
"""


def _faults(database: Project) -> list[Finding]:
    with connect(database.dsn) as connection:
        return faults(connection, [file.text for file in load()]).of("fault")


def test_a_migrated_database_lacks_nothing(any_project: Project) -> None:
    assert _faults(any_project) == []


def test_everything_that_the_migrations_make_would_be_missed(project: Project) -> None:
    made = drift._made(file.text for file in load())
    assert {thing for thing in project.rows(_UNKNOWN) if thing not in made} == set()


@pytest.mark.parametrize("name", LOSSES)
def test_what_was_lost_is_a_fault_and_its_sql_brings_it_back(project: Project, name: str) -> None:
    before = sorted(map(str, project.rows(_DEFINITIONS)))
    project.run(LOSSES[name])
    found = _faults(project)
    assert found
    project.run(*(fault.sql for fault in found if fault.sql))
    left = [(fault.table, fault.message) for fault in _faults(project)]
    assert [(table, said.partition(" mentor-sync")[0]) for table, said in left] == FOR_GOOD.get(
        name, []
    )
    assert left or sorted(map(str, project.rows(_DEFINITIONS))) == before


def test_a_function_that_comes_back_is_closed(project: Project) -> None:
    project.run("drop function public.claim_runs")
    project.run(_faults(project)[0].sql)
    query = "select has_function_privilege(%s, 'public.claim_runs'::regproc, 'execute')"
    assert [project.one(query, role) for role in ("anon", "service_role")] == [False, False]


def test_what_a_later_migration_drops_is_not_missed() -> None:
    earlier = """
    create table public.a (id int); create view public.v as select 1;
    create policy "on x" on public.a for select using (true);
    grant select, update (id, name) on table public.a, public.v to anon;
    """
    later = 'drop view if exists public.v; drop policy "on x" on public.a;'
    assert [*drift._made([earlier, later])] == [
        ("table", "public.a"),
        ("right of anon to select", "public.a"),
        ("right of anon to update (id)", "public.a"),
        ("right of anon to update (name)", "public.a"),
    ]


def test_nothing_is_missed_where_nothing_was_applied(empty_database: Project) -> None:
    with connect(empty_database.dsn) as connection:
        assert faults(connection, []).findings == ()
