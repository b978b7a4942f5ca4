"""sql/migrations itself."""

from __future__ import annotations

from mentor_sync.adoption import BECOME_OURS, TABLES, TYPES, check, wanted
from mentor_sync.connection import connect
from mentor_sync.migrations import load, migrate
from mentor_sync.rows import RULES
from tests.project import Project

_COLUMNS = """
select c.relname::text, a.attname::text, t.typname::text
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
join pg_type as t on t.oid = a.atttypid
where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
"""
_CHECKS = """
select k.conname::text from pg_constraint as k
where k.contype = 'c' and k.conrelid in ('public.users'::regclass, 'public.mentors'::regclass)
"""


def test_it_applies_to_an_empty_project_and_then_has_nothing_to_do(
    empty_database: Project,
) -> None:
    files = load()
    dry = migrate(empty_database.dsn, dry_run=True)
    real = migrate(empty_database.dsn)
    assert dry.applied == real.applied == [file.file for file in files]
    assert migrate(empty_database.dsn).already == len(files)


def test_adoption_expects_what_the_schema_has(empty_database: Project) -> None:
    migrate(empty_database.dsn)
    found: dict[str, dict[str, str]] = {table: {} for table in TABLES}
    for table, column, type_name in empty_database.rows(_COLUMNS):
        if table in found:
            found[str(table)][str(column)] = str(type_name)
    for table in TABLES:
        kinds = wanted(table)
        assert found[table].keys() == kinds.keys()
        assert all(found[table][column] in TYPES[kinds[column]] for column in kinds)


def test_adoption_knows_every_check_of_the_schema(empty_database: Project) -> None:
    migrate(empty_database.dsn)
    found = {name for (name,) in empty_database.rows(_CHECKS)}
    # Left off where a table that was there before us breaks it.
    assert found - {"mentors_expertise_is_list"} == {rule.constraint for rule in RULES}


def test_adoption_knows_every_policy_of_the_schema(empty_database: Project) -> None:
    migrate(empty_database.dsn)
    query = "select polname::text from pg_policy where polrelid = to_regclass(%s) order by 1"
    for table, policies in BECOME_OURS.items():
        assert empty_database.rows(query, table) == [(policy,) for policy in sorted(policies)]


def test_adoption_has_nothing_to_say_of_the_schema(empty_database: Project) -> None:
    migrate(empty_database.dsn)
    with connect(empty_database.dsn) as connection:
        found = check(connection)
    assert {finding.level for finding in found.findings} == {"present"}
