"""Looks at the rows of tables that a project already has: values that we refuse or leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from mentor_sync import mending
from mentor_sync.connection import Connection
from mentor_sync.findings import Finding

# As private.trim_space, which is not there before the first migrate.
SPACE = (
    " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)


@dataclass(frozen=True)
class Rule:
    """A check constraint of ours that rows of an adopted table may break."""

    constraint: str
    table: str
    column: str
    bad: LiteralString
    good: str  # what a bad value becomes


RULES = (
    Rule(
        "users_role_known",
        "users",
        "role",
        "role::text not in ('student', 'mentor', 'admin', 'system')",
        "case when lower(btrim(role)) in ('student', 'mentor', 'admin', 'system')"
        " then lower(btrim(role)) else 'student' end",
    ),
    Rule(
        "users_status_known",
        "users",
        "status",
        "status::text not in ('Active', 'Inactive', 'Passed out / Completed')",
        "case lower(btrim(status)) when 'active' then 'Active'"
        " when 'passed out / completed' then 'Passed out / Completed' else 'Inactive' end",
    ),
    Rule(
        "mentors_teaching_style_known",
        "mentors",
        "teaching_style",
        "teaching_style::text not in ('visual', 'auditory', 'kinesthetic', 'mixed')",
        "case when lower(btrim(teaching_style)) in ('visual', 'auditory', 'kinesthetic', 'mixed')"
        " then lower(btrim(teaching_style)) end",
    ),
    Rule("mentors_capacity_not_negative", "mentors", "capacity", "capacity < 0", "null"),
    Rule(
        "mentors_experience_not_negative",
        "mentors",
        "experience_years",
        "experience_years < 0",
        "null",
    ),
)

_COUNT_BAD = "select count(*), min({column}::text) from public.{table} where {bad}"
_COUNT_TWICE = """
select count(*) from (
  select from public.{table} where {column} is not null
  group by {column}::text having count(*) > 1
) as twice
"""
_COUNT_SHARED = """
select count(*) from (
  select from public.{table} where btrim(email::text, %(space)s) <> ''
  group by lower(btrim(email::text, %(space)s)) having count(*) > 1
) as shared
"""


def unknown_values(
    connection: Connection, table: str, columns: Collection[str]
) -> Iterator[Finding]:
    """What breaks our checks on `columns`, those of a type that the checks can read."""
    for rule in RULES:
        if rule.table == table and rule.column in columns:
            yield from _broken(connection, rule)


def _broken(connection: Connection, rule: Rule) -> Iterator[Finding]:
    table, column = sql.Identifier(rule.table), sql.Identifier(rule.column)
    query = sql.SQL(_COUNT_BAD).format(table=table, column=column, bad=sql.SQL(rule.bad))
    count, example = connection.execute(query).fetchone() or (0, None)
    if count:
        yield Finding(
            "conflict",
            rule.table,
            rule.column,
            f"{count} rows hold values that mentor-sync does not know, such as {example!r}.",
            mending.replace_values(rule.table, rule.column, bad=rule.bad, good=rule.good),
        )


def shared_keys(
    connection: Connection, table: str, column: str, *, not_null: bool
) -> Iterator[Finding]:
    """Values of a column that has to become unique and has some of them twice."""
    query = sql.SQL(_COUNT_TWICE).format(table=sql.Identifier(table), column=sql.Identifier(column))
    count = _number(connection, query)
    if not count:
        return
    if column == "id":
        mend = mending.find_twice(table, column)
    else:
        mend = mending.keep_first(table, column, not_null=not_null)
    yield Finding("conflict", table, column, f"{count} values occur more than once.", mend)


def shared_addresses(connection: Connection, table: str) -> Iterator[Finding]:
    query = sql.SQL(_COUNT_SHARED).format(table=sql.Identifier(table))
    count = _number(connection, query, {"space": SPACE})
    if count:
        yield Finding(
            "warning",
            table,
            "email",
            f"{count} addresses belong to more than one row; those rows are not synced.",
        )


def _number(
    connection: Connection,
    query: sql.Composed,
    values: Mapping[str, object] | None = None,
) -> int:
    row = connection.execute(query, values).fetchone()
    return int(str(row[0])) if row else 0
