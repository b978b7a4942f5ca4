"""Looks at the tables that a project already has under names that mentor-sync uses.

members and users_user belong to other applications and are left as found. users and mentors
become ours: columns, checks and row level security are added, grants are replaced. What is
missing, `db migrate` adds; what conflicts, it refuses, and the SQL of the finding mends.

A fault makes a migrated database another one than the migrations promise: a policy of the
project's own opens our tables, an object or a grant was taken away. `db check` fails until it
is mended, before the first migrate as well as after. `db migrate` tells it each time and goes
on: until then, the project may live on such a policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg.rows import class_row

from mentor_sync import drift, mending, openness, rows
from mentor_sync.connection import Connection
from mentor_sync.findings import Finding, Level
from mentor_sync.mending import Kind
from mentor_sync.sources import sql_folder

# Our columns in the tables that a project may already have, by kind of type.
TABLES: dict[str, dict[Kind, str]] = {
    "members": {
        "uuid": "id",
        "text": "email name membershiptype areaOfExpertise skills experience occupation jobtitle"
        " industry country city linkedin school",
        "boolean": "is_active",
    },
    "users_user": {"integer": "id", "text": "email first_name last_name"},
    "users": {
        "uuid": "id auth_user_id member_id mentor_id",
        "integer": "legacy_user_id",
        "text": "email full_name role status timezone country city contact_preference locale",
        "timestamptz": "created_at updated_at",
    },
    "mentors": {
        "uuid": "id person_id",
        "integer": "user_id rating_count total_sessions version capacity",
        "text": "slug bio timezone domain teaching_style",
        "jsonb": "expertise availability synced",
        "boolean": "is_approved is_active",
        "numeric": "rating experience_years",
        "timestamptz": "created_at updated_at",
    },
}
# What only its owner can supply: a table without these is another kind of table.
REQUIRED = {
    "members": {"id", "email", "name", "membershiptype"},
    "users_user": {"id", "email"},
    "users": {"id", "email"},
    "mentors": {"id", "user_id"},
}
UNIQUE = {
    "members": {"id"},
    "users_user": {"id"},
    "users": {"id", "auth_user_id", "legacy_user_id", "member_id"},
    "mentors": {"id", "user_id", "person_id", "slug"},
}
# Tables that become ours, each with the policies that our migrations create on it.
BECOME_OURS = {
    "users": [
        "People read themselves and their matches, admins everybody",
        "People change their own row",
    ],
    "mentors": ["Mentors read their own row, admins every row", "Mentors change their own row"],
}
# Views in the shape of a document: of this release (in its way is a conflict), or of a later one.
VIEWS: dict[str, Level] = {"career_mentors": "note", "meeting_logs": "conflict"}
# Tables that are ours alone; what may be there already is made otherwise.
_MAKES = re.compile(r"^create table public\.(\w+) \(", re.MULTILINE)
# Made without quotes, PostgreSQL folds it: the same column.
FOLDED = {"areaOfExpertise": "areaofexpertise"}
TYPES: dict[Kind, frozenset[str]] = {
    "text": frozenset({"text", "varchar", "citext"}),
    "uuid": frozenset({"uuid"}),
    "integer": frozenset({"int2", "int4", "int8"}),
    "numeric": frozenset({"numeric"}),
    "boolean": frozenset({"bool"}),
    "jsonb": frozenset({"jsonb"}),
    "timestamptz": frozenset({"timestamptz"}),
}

_KINDS = {"v": "view", "m": "materialized view", "f": "foreign table"}
_HAS_HISTORY = "select to_regclass('supabase_migrations.schema_migrations') is not null"
_HISTORY = "select version from supabase_migrations.schema_migrations"
_FOUND_TABLES = """
select c.relname as name, c.relkind::text as kind, c.relrowsecurity as has_rls,
  pg_has_role(c.relowner, 'usage') as is_owned, quote_ident(current_user) as me
from pg_class as c
where c.relnamespace = to_regnamespace('public') and c.relname = any (%s)
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""
_FOUND_COLUMNS = """
select a.attname as name, quote_ident(a.attname) as quoted, b.typname as type,
  format_type(a.atttypid, a.atttypmod) as shown, b.typcategory = 'A' as is_array,
  a.attnotnull as not_null, a.attidentity <> '' as is_identity,
  a.attgenerated <> '' as is_generated, pg_get_expr(d.adbin, d.adrelid) as default_value,
  case when b.typname = 'varchar' then greatest(a.atttypmod - 4, 0) else 0 end as length,
  exists (
    select from pg_index as i
    where i.indrelid = a.attrelid and i.indisunique and i.indisvalid and i.indimmediate
      and i.indpred is null and i.indexprs is null and i.indnkeyatts = 1
      and i.indkey[0] = a.attnum
  ) as is_unique
from pg_attribute as a
join pg_type as t on t.oid = a.atttypid
join pg_type as b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = to_regclass('public.' || %s) and a.attnum > 0 and not a.attisdropped
"""
_LOGIN_KEYS = """
select quote_ident(k.conname)
from pg_constraint as k
join pg_attribute as a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
where k.contype = 'f' and k.conrelid = to_regclass('public.users')
  and k.confrelid = to_regclass('auth.users') and a.attname = 'id'
"""


@dataclass(frozen=True)
class Adoption:
    """All findings, in an order in which their SQL can be run."""

    findings: tuple[Finding, ...]

    def of(self, *levels: Level) -> list[Finding]:
        return [finding for finding in self.findings if finding.level in levels]


@dataclass(frozen=True)
class _Table:
    name: str
    kind: str
    has_rls: bool
    is_owned: bool
    me: str


@dataclass(frozen=True)
class _Column:
    name: str
    quoted: str
    type: str
    shown: str
    is_array: bool
    not_null: bool
    is_identity: bool
    is_generated: bool
    default_value: str | None
    length: int
    is_unique: bool


_Columns = Mapping[str, _Column]


def check(
    connection: Connection, applied: Iterable[str] = (), *, is_complete: bool = False
) -> Adoption:
    """Compare the project's tables with ours. Changes nothing; reads each table in full.

    Args:
        applied: the texts of our migrations that were applied; what they made has to be there.
        is_complete: that is all of them, so `db migrate` adds nothing that is missing.
    """
    with connection.cursor(row_factory=class_row(_Table)) as cursor:
        tables = cursor.execute(_FOUND_TABLES, [[*TABLES, *VIEWS]])
        found = {row.name: row for row in tables}
    findings = list(_locale(connection))
    for table in TABLES:
        findings += _table(connection, table, found.get(table))
    for view in VIEWS:
        findings += _view(view, found.get(view))
    findings += _in_the_way(connection)
    if is_complete:  # what `db migrate` will do is no news, and what it will add is lost
        told = (found for found in findings if found.level != "note" or found.table in VIEWS)
        findings = [drift.gone_if_missing(finding) for finding in told]
    return Adoption(tuple(dict.fromkeys([*findings, *drift.lost(connection, applied)])))


def faults(connection: Connection, applied: Iterable[str]) -> Adoption:
    """Only the faults, for which the catalogue is enough."""
    findings: list[Finding] = []
    for table, policies in BECOME_OURS.items():
        findings += openness.foreign_policies(connection, table, policies)
    found = Adoption((*findings, *drift.lost(connection, applied)))
    return Adoption(tuple(found.of("fault")))


def wanted(table: str) -> dict[str, Kind]:
    """Our columns of `table`, each with its kind of type."""
    return {column: kind for kind, names in TABLES[table].items() for column in names.split()}


def _locale(connection: Connection) -> Iterator[Finding]:
    if connection.execute("select lower('Ä') = 'ä'").fetchone() != (True,):
        yield Finding(
            "warning",
            "",
            "",
            "This database does not know Ä and ä for one letter (its LC_CTYPE is C): addresses"
            " that differ in the case of such letters count as different.",
        )


def _view(name: str, found: _Table | None) -> Iterator[Finding]:
    if found is not None and found.kind in "rp":
        message = {
            "note": "A view of mentor-sync will have this name; it is not in the way yet.",
            "conflict": "A view of mentor-sync has this name.",
        }[VIEWS[name]]
        yield Finding(VIEWS[name], name, "", message, mending.rename(name))


def _in_the_way(connection: Connection) -> Iterator[Finding]:
    """Tables and views that have the name of one that our migrations are still to make."""
    done = _versions(connection)
    files = sorted(sql_folder("migrations").glob("*.sql"))
    pending = (file.read_text() for file in files if file.name.partition("_")[0] not in done)
    names = [name for text in pending for name in _MAKES.findall(text)]
    with connection.cursor(row_factory=class_row(_Table)) as cursor:
        for found in cursor.execute(_FOUND_TABLES, [names]).fetchall():
            kind = _KINDS.get(found.kind, "table")
            said = f"A {kind} has this name, and mentor-sync makes a table of it."
            yield Finding("conflict", found.name, "", said, mending.rename(found.name, kind))


def _versions(connection: Connection) -> set[str]:
    """The migrations that the database has seen, by whichever tool."""
    if connection.execute(_HAS_HISTORY).fetchone() != (True,):
        return set()
    return {str(version) for (version,) in connection.execute(_HISTORY)}


def _table(connection: Connection, table: str, found: _Table | None) -> Iterator[Finding]:
    if found is None:
        yield Finding("missing", table, "", "db migrate makes the table.")
        return
    obstacle = _obstacle(found)
    if obstacle:
        yield obstacle
        return
    with connection.cursor(row_factory=class_row(_Column)) as cursor:
        columns = {row.name: row for row in cursor.execute(_FOUND_COLUMNS, [table])}
    yield from _columns(table, columns)
    yield from _keys(connection, table, columns)
    yield from rows.unknown_values(connection, table, _comparable(table, columns))
    if "email" in columns:
        yield from rows.shared_addresses(connection, table)
    if table in BECOME_OURS:
        yield from _becoming_ours(connection, found, columns)
    else:
        yield from openness.source_access(connection, table)


def _obstacle(found: _Table) -> Finding | None:
    """What makes further looking pointless."""
    if found.kind not in "rp":
        what = _KINDS[found.kind]
        return Finding(
            "conflict", found.name, "", f"It is a {what}.", mending.rename(found.name, what)
        )
    if not found.is_owned:
        return Finding(
            "conflict",
            found.name,
            "",
            f"{found.me} does not own the table. The owner has to run this.",
            mending.change_owner(found.name, found.me),
        )
    return None


def _columns(table: str, columns: _Columns) -> Iterator[Finding]:
    for name, kind in wanted(table).items():
        column = columns.get(name) or columns.get(FOLDED.get(name, ""))
        if column is None:
            yield _missing(table, name, kind)
        elif column.type not in TYPES[kind]:
            yield _wrong_type(table, column, kind)
        elif column.is_generated and table in BECOME_OURS:
            yield Finding(
                "conflict",
                table,
                name,
                "It is generated, so nobody can write it.",
                mending.drop_expression(table, column.quoted),
            )
        else:
            yield Finding("present", table, name, column.shown)


def _missing(table: str, name: str, kind: Kind) -> Finding:
    if name not in REQUIRED[table]:
        return Finding("missing", table, name, "db migrate adds it.")
    return Finding(
        "conflict",
        table,
        name,
        "It is missing. Add it and fill it, or rename the column that holds it.",
        mending.add_column(table, name, kind, unique=name in UNIQUE[table]),
    )


def _wrong_type(table: str, column: _Column, kind: Kind) -> Finding:
    using = _conversion(column, kind, column.quoted)
    if using is None:
        return Finding(
            "conflict",
            table,
            column.name,
            f"It is {column.shown}, which cannot become {kind}. See who uses it before you put"
            " it aside.",
            mending.put_aside(table, column.quoted, kind, unique=column.name in UNIQUE[table]),
        )
    default = column.default_value and _conversion(column, kind, f"({column.default_value})")
    return Finding(
        "conflict",
        table,
        column.name,
        f"It is {column.shown} and has to be {kind}.",
        mending.retype(table, column.quoted, kind, using=using, default=default),
    )


def _conversion(column: _Column, kind: Kind, value: str) -> str | None:
    return mending.convert(kind, column.type, is_array=column.is_array, value=value)


def _keys(connection: Connection, table: str, columns: _Columns) -> Iterator[Finding]:
    for name, kind in wanted(table).items():
        column = columns.get(name)
        if name not in UNIQUE[table] or column is None or column.is_unique:
            continue
        if column.type not in TYPES[kind] and _conversion(column, kind, name) is None:
            continue  # it is put aside, and its successor has what it needs
        yield from rows.shared_keys(connection, table, name, not_null=column.not_null)
        yield Finding(
            "conflict", table, name, "It has no unique key.", mending.add_key(table, name)
        )


def _comparable(table: str, columns: _Columns) -> set[str]:
    """Our columns whose values a rule can read: text can be made of any type."""
    kinds = {name: kind for name, kind in wanted(table).items() if name in columns}
    return {
        name for name, kind in kinds.items() if kind == "text" or columns[name].type in TYPES[kind]
    }


def _becoming_ours(connection: Connection, found: _Table, columns: _Columns) -> Iterator[Finding]:
    table = found.name
    if not found.has_rls or not columns.keys() >= wanted(table).keys():
        yield Finding(
            "note",
            table,
            "",
            "db migrate enables row level security on it, adds policies and replaces the grants"
            " to anon, authenticated and service_role.",
        )
        if "role" in columns:
            yield from openness.future_admins(connection)
    yield from openness.foreign_policies(connection, table, BECOME_OURS[table])
    for column in columns.values():
        yield from _unwritable(table, column)
    if table == "users":
        yield from _logins_only(connection)


def _unwritable(table: str, column: _Column) -> Iterator[Finding]:
    """What makes rows that mentor-sync writes fail."""
    is_ours = column.name in wanted(table)
    is_filled = column.default_value is not None or column.is_identity or column.is_generated
    if column.not_null and not is_ours and not is_filled:
        yield Finding(
            "warning",
            table,
            column.name,
            "It may not be empty and has no default: rows that mentor-sync makes are refused.",
            mending.drop_not_null(table, column.quoted),
        )
    if is_ours and column.length:
        yield Finding(
            "warning",
            table,
            column.name,
            f"It holds {column.length} characters: longer values are refused.",
            mending.any_length(table, column.quoted),
        )


def _logins_only(connection: Connection) -> Iterator[Finding]:
    for (constraint,) in connection.execute(_LOGIN_KEYS):
        yield Finding(
            "warning",
            "users",
            "id",
            "It references auth.users: people without a login of their own are refused.",
            mending.drop_constraint("users", str(constraint)),
        )
