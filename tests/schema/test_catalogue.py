"""What the advisors of the dashboard do not ask. Each rule is a query whose rows are findings."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from mentor_sync import SCHEMA_VERSION
from mentor_sync.sources import sql_folder
from tests.project import Project

_OURS = "in ('public'::regnamespace, 'private'::regnamespace)"

# A policy, once a role and action that it holds for; a policy for all is one for each action.
_POLICIES = """
select format('%s, %s, %s', p.polrelid::regclass, r.id::regrole, c.command)
from pg_policy as p
cross join unnest(p.polroles) as r (id)
cross join unnest(case p.polcmd when '*' then '{r,a,w,d}' else array[p.polcmd] end) as c (command)
where p.polpermissive
group by 1 having count(*) > 1"""

# The text of policies, without the calls that the planner makes once a statement.
_CALLS = r"""
select format('%s: %s', p.tablename, p.policyname) from pg_policies as p
where regexp_replace(
  concat(p.qual, p.with_check), 'SELECT (auth|private)\.\w+\(', '', 'g'
) ~ '(auth|private)\.\w+\('"""

_UNINDEXED = f"""
select k.conname from pg_constraint as k
where k.contype = 'f' and k.connamespace {_OURS} and not exists (
  select from pg_index as i
  where i.indrelid = k.conrelid and i.indisvalid
    -- A key that is null refers to nothing, and need not be found.
    and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = format(
      '(%s IS NOT NULL)', pg_get_indexdef(i.indexrelid, 1, false)
    ))
    and (i.indkey::int2[])[0 : cardinality(k.conkey) - 1] @> k.conkey
)"""

_NAMES = f"""
select n.name from (
  select relname from pg_class where relnamespace {_OURS}
  union all
  select a.attname from pg_attribute as a
  join pg_class as c on c.oid = a.attrelid where c.relnamespace {_OURS}
  union all
  select proname from pg_proc where pronamespace {_OURS}
  union all
  select conname from pg_constraint where connamespace {_OURS}
  union all
  select tgname from pg_trigger where not tgisinternal
  union all
  select polname from pg_policy
) as n (name) where octet_length(n.name) >= 63"""

# What the triggers of the change log name, once a name; encode() ends each with \000.
_LOGGED = """
select t.tgrelid, t.tgtype & 28 as event, a.name
from pg_trigger as t
cross join unnest(string_to_array(encode(t.tgargs, 'escape'), '\\000')) as a (name)
where t.tgname like 'mentor_sync_log_%' and a.name <> ''"""

# Columns that are not logged, and why: they say when a row was written, and undoing writes it.
UNLOGGED = ("users.updated_at", "mentors.updated_at")
_FORGOTTEN = f"""
select format('%s.%s', c.relname, a.attname) from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
where a.attnum > 0 and not a.attisdropped
  and a.attrelid in (select tgrelid from pg_trigger where tgname like 'mentor_sync_log_%')
  and (a.attrelid, a.attname) not in (select tgrelid, name from ({_LOGGED}) as l)
  and format('%s.%s', c.relname, a.attname) not in {UNLOGGED}"""

RULES = {
    "the change log names columns that there are": f"""
        select format('%s.%s', l.tgrelid::regclass, l.name) from ({_LOGGED}) as l
        where not exists (
          select from pg_attribute as a
          where a.attrelid = l.tgrelid and a.attname = l.name and not a.attisdropped
        )""",
    "the change log forgets no column": _FORGOTTEN,
    "the change log of a table is one for all events": f"""
        select l.tgrelid::regclass::text || '.' || l.name from ({_LOGGED}) as l
        group by 1 having count(*) <> 3 or count(distinct l.event) <> 3""",
    "rows whose changes are logged have ids": """
        select t.tgrelid::regclass from pg_trigger as t
        where t.tgname like 'mentor_sync_log_%' and not exists (
          select from pg_attribute as a
          join pg_constraint as k on k.conrelid = a.attrelid and k.contype = 'p'
          where a.attrelid = t.tgrelid and a.attname = 'id' and a.atttypid = 'uuid'::regtype
            and k.conkey = array[a.attnum]
        )""",
    "no definer is exposed": """
        select p.proname from pg_proc as p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef""",
    "functions search nowhere": f"""
        select p.proname from pg_proc as p
        where p.pronamespace {_OURS} and 'search_path=""' <> all (coalesce(p.proconfig, '{{}}'))""",
    "tables have row level security": """
        select c.relname from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and not c.relrowsecurity""",
    "views have the rights of whoever asks": f"""
        select c.relname from pg_class as c
        where c.relnamespace {_OURS} and c.relkind in ('v', 'm')
          and 'security_invoker=on' <> all (coalesce(c.reloptions, '{{}}'))""",
    "policies call functions once": _CALLS,
    "policies do not overlap": _POLICIES,
    "policies are for people who signed in": """
        select p.polname from pg_policy as p
        where p.polroles <> array['authenticated'::regrole::oid]""",
    "foreign keys are indexed": _UNINDEXED,
    "tables, views and types have comments": f"""
        select c.relname from pg_class as c
        where c.relnamespace {_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'c')
          and coalesce(
            obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type')
          ) is null""",
    "columns have comments": """
        select format('%s.%s', c.relname, a.attname) from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
          and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null""",
    "functions have comments": f"""
        select p.proname from pg_proc as p
        where p.pronamespace {_OURS} and obj_description(p.oid, 'pg_proc') is null""",
    "sources have no row triggers of ours": """
        select t.tgname from pg_trigger as t
        where t.tgrelid in ('members'::regclass, 'users_user'::regclass)
          and not t.tgisinternal and t.tgtype & 1 = 1""",
    "names are whole": _NAMES,
}

_LONG = "x" * 70
_LOG = """create trigger {} after {} on {} referencing {} for each statement
execute function private.log_changes({})"""
_NEW, _BOTH = "new table as new_rows", "old table as old_rows new table as new_rows"


def _log(table: str, event: str, columns: str) -> str:
    """A trigger of the change log, instead of the one that there is."""
    name = "mentor_sync_log_inserted" if event == "insert" else "mentor_sync_log_updated"
    made = _LOG.format(name, event, table, _NEW if event == "insert" else _BOTH, columns)
    return f"drop trigger if exists {name} on {table}; {made}"


DEFECTS = [
    (
        "the change log names columns that there are",
        "alter table users rename column city to town",
        "users.city",
    ),
    (
        "the change log names columns that there are",
        _log("mentors", "insert", "'id', 'shoe_size'"),
        "mentors.shoe_size",
    ),
    ("the change log forgets no column", "alter table users add size int", "users.size"),
    (
        "the change log forgets no column",
        _log("program_settings", "insert", "'key'"),
        "program_settings.value",
    ),
    (
        "the change log of a table is one for all events",
        "drop trigger mentor_sync_log_updated on users",
        "users.email",
    ),
    (
        "the change log of a table is one for all events",
        _log("mentors", "update", "'id'"),
        "mentors.bio",
    ),
    (
        "rows whose changes are logged have ids",
        _log("program_settings", "update", "'key'"),
        "program_settings",
    ),
    ("no definer is exposed", "alter function find_runs security definer", "find_runs"),
    ("functions search nowhere", "alter function find_runs reset all", "find_runs"),
    ("functions search nowhere", "alter function private.slug set search_path = public", "slug"),
    ("tables have row level security", "alter table users disable row level security", "users"),
    (
        "views have the rights of whoever asks",
        "alter view v_sync_health reset (security_invoker)",
        "v_sync_health",
    ),
    (
        "policies call functions once",
        "create policy p on users for delete to authenticated using (id = auth.uid())",
        "users: p",
    ),
    (
        "policies call functions once",
        "create policy p on users for insert to authenticated with check (private.is_admin())",
        "users: p",
    ),
    (
        "policies do not overlap",
        "create policy p on job_runs for all to authenticated using (true)",
        "job_runs, authenticated, r",
    ),
    ("policies are for people who signed in", "create policy p on users using (true)", "p"),
    (
        "foreign keys are indexed",
        "alter table mentors add other uuid, add constraint k foreign key (other) references users",
        "k",
    ),
    ("foreign keys are indexed", "drop index idx_users_mentor_id", "users_mentor_id_fkey"),
    ("tables, views and types have comments", "create table t ()", "t"),
    ("tables, views and types have comments", "create type private.t as (a int)", "t"),
    (
        "tables, views and types have comments",
        "comment on view v_sync_health is null",
        "v_sync_health",
    ),
    ("columns have comments", "alter table users add shoe_size int", "users.shoe_size"),
    ("functions have comments", "comment on function private.slug is null", "slug"),
    (
        "sources have no row triggers of ours",
        """create trigger t before update on members
        for each row execute function private.touch_updated_at()""",
        "t",
    ),
    ("names are whole", f"create index {_LONG} on users (city)", _LONG[:63]),
    ("names are whole", f"create function {_LONG}() returns int language sql as ''", _LONG[:63]),
]


def _findings(project: Project, rule: str, *changes: str) -> set[str]:
    """What the rule finds after some changes, which do not last."""
    with psycopg.connect(project.dsn) as connection:
        for change in changes:
            connection.execute(f"set check_function_bodies = off; {change}".encode())
        found = connection.execute(RULES[rule].encode()).fetchall()
        connection.rollback()
    return {str(name) for (name,) in found}


@pytest.mark.parametrize("rule", RULES)
def test_the_schema_keeps_the_rule(project: Project, rule: str) -> None:
    assert _findings(project, rule) == set()


@pytest.mark.parametrize(("rule", "change", "finding"), DEFECTS)
def test_a_defect_is_found(project: Project, rule: str, change: str, finding: str) -> None:
    assert finding in _findings(project, rule, change)


def test_every_rule_can_fail() -> None:
    assert {rule for rule, _, _ in DEFECTS} == RULES.keys()


def test_the_tables_that_jobs_write_are_logged(project: Project) -> None:
    query = "select distinct tgrelid::regclass::text from pg_trigger where tgname like %s"
    found = {table for (table,) in project.rows(query, "mentor_sync_log_%")}
    assert found == {"users", "mentors"}


# The files -------------------------------------------------------------------------------------

FILES = sorted(sql_folder("migrations").glob("*.sql"))
_NOT_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"")
_NAME = re.compile(r"\d{14}_[a-z]+(_[a-z]+)*\.sql")
_LOUD = re.compile(r"\b[A-Z]{2,}\b")


def _faults(path: Path, text: str) -> list[str]:
    """Lines that are not as the others are."""
    code = _NOT_CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    faults = [] if _NAME.fullmatch(path.name) else ["name"]
    for number, line in enumerate(code.splitlines(), 1):
        faults += [f"{number}: {word}" for word in _LOUD.findall(line)]
    for number, line in enumerate(text.splitlines(), 1):
        faults += [f"{number}: tab"] if "\t" in line else []
        faults += [f"{number}: space at the end"] if line != line.rstrip() else []
    return faults


def test_code_and_schema_say_the_version_of_the_last_file(project: Project) -> None:
    last = FILES[-1].name.split("_")[0]
    assert project.one("select private.schema_version()") == SCHEMA_VERSION == last


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_reads_like_the_others(path: Path) -> None:
    text = path.read_text("utf-8")
    assert _faults(path, text) == []
    assert text.startswith("-- ")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "20260101000000_people.sql",
            "-- SELECT\nselect 'SELECT', \"FROM\", 'it''s A', e'\\n'",
            [],
        ),
        ("20260101000000_people.sql", "select 'two\nlines';\nSELECT 1", ["3: SELECT"]),
        (
            "20260101000000_people.sql",
            "select\t1 \n",
            ["1: tab", "1: space at the end"],
        ),
        ("2026_people.sql", "", ["name"]),
        ("20260101000000_add-people.sql", "", ["name"]),
    ],
)
def test_a_file_that_reads_otherwise_is_found(name: str, text: str, fault: list[str]) -> None:
    assert _faults(Path(name), text) == fault
