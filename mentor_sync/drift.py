"""Looks for what our migrations made and somebody dropped, switched off or revoked.

Their texts say what has to be there, and are the SQL that brings it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from mentor_sync import mending
from mentor_sync.connection import Connection
from mentor_sync.findings import Finding
from mentor_sync.statements import split

# What there is, in the words of _Thing.
_THINGS = """
with relation as (
  select c.oid, c.relkind, c.relrowsecurity, c.relacl, n.nspname || '.' || c.relname as name
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname in ('public', 'private', 'auth')
),
routine as (
  select p.proacl, n.nspname || '.' || p.proname as name
  from pg_proc as p
  join pg_namespace as n on n.oid = p.pronamespace
  where n.nspname in ('public', 'private')
),
granted as (
  select t.name, e.grantee, e.privilege_type, '' as columns
  from relation as t cross join aclexplode(t.relacl) as e
  union all
  select f.name, e.grantee, e.privilege_type, ''
  from routine as f cross join aclexplode(f.proacl) as e
  union all
  select t.name, e.grantee, e.privilege_type, ' (' || a.attname || ')'
  from relation as t
  join pg_attribute as a on a.attrelid = t.oid
  cross join aclexplode(a.attacl) as e
)
select case relkind when 'v' then 'view' when 'c' then 'type' else 'table' end as what, name
from relation
where relkind in ('r', 'p', 'v', 'c')
union all
select 'function', name from routine
union all
select 'row level security', name from relation where relrowsecurity
union all
select 'trigger ' || g.tgname, t.name
from pg_trigger as g
join relation as t on t.oid = g.tgrelid
where g.tgenabled <> 'D'
union all
select 'policy ' || quote_ident(p.polname), t.name
from pg_policy as p
join relation as t on t.oid = p.polrelid
union all
select
  format('right of %s to %s', coalesce(r.rolname, 'public'), lower(g.privilege_type) || g.columns),
  g.name
from granted as g
left join pg_roles as r on r.oid = g.grantee
"""
# Statements of ours, with their white space made single spaces. A revoke comes before the grants
# of its file; one that takes back an earlier grant would have to be heeded here.
_OBJECT = re.compile(
    r"(?P<verb>create|comment on|drop)(?: or replace)?"
    r" (?P<kind>table|view|function|type|trigger|policy)(?: if(?: not)? exists)?"
    r' (?P<name>"[^"]+"|[\w.]+)(?:.*? on (?P<of>[\w.]+))?'
)
_SECURED = re.compile(r"alter table (?P<of>[\w.]+) enable row level security")
_GRANT = re.compile(
    r"grant (?P<rights>.+?) on (?:table|function) (?P<names>.+) to (?P<roles>[\w, ]+)"
)


class _Thing(NamedTuple):
    """An object of ours, or what belongs to one: ("view", its name), ("trigger x", its table)."""

    what: str
    of: str


def lost(connection: Connection, applied: Iterable[str]) -> Iterator[Finding]:
    """What the migrations in `applied` made and is gone; of a table that is gone, only itself."""
    made = _made(applied)
    present = {_Thing(str(what), str(of)) for what, of in connection.execute(_THINGS)}
    gone = {thing: mend for thing, mend in made.items() if thing not in present} if made else {}
    for thing, mend in gone.items():
        if thing.what == "table" or ("table", thing.of) not in gone:
            yield _gone(thing.what, thing.of.removeprefix("public."), mend)


def gone_if_missing(finding: Finding) -> Finding:
    """The finding of a database that had all migrations: what is missing there was lost."""
    if finding.level != "missing":
        return finding
    if finding.column:
        return _gone("column", finding.table, "", finding.column)
    return _gone("table", finding.table, mending.RESTORE)


def _gone(what: str, table: str, mend: str, column: str = "") -> Finding:
    said = f"The {what} is gone. mentor-sync db print shows what made it."
    return Finding("fault", table, column, said, mend)


def _made(applied: Iterable[str]) -> dict[_Thing, str]:
    """What the migrations made and did not drop again, in order, with SQL that makes it anew."""
    made: dict[_Thing, str] = {}
    for statement in (statement for text in applied for statement in split(text)):
        body = statement.text[statement.start :]
        words = " ".join(body.split())
        if found := _OBJECT.match(words):
            _note_object(made, found, body)
        elif found := _SECURED.fullmatch(words):
            made[_Thing("row level security", found["of"])] = body + ";"
        elif found := _GRANT.fullmatch(words):
            made |= dict.fromkeys(_rights(found), body + ";")
    return made


def _note_object(made: dict[_Thing, str], found: re.Match[str], body: str) -> None:
    kind, name = found["kind"], found["name"]
    is_part = kind in {"trigger", "policy"}
    thing = _Thing(f"{kind} {name}", found["of"]) if is_part else _Thing(kind, name)
    if found["verb"] == "create":
        made[thing] = mending.make_again(kind, name, body)
    elif found["verb"] == "comment on":
        made.setdefault(thing, "")  # something made it on the fly
    else:
        for dropped in [other for other in made if other == thing or other.of == name]:
            del made[dropped]


def _rights(found: re.Match[str]) -> Iterator[_Thing]:
    """The rights of a grant, one by one: each role, each object, each privilege and column."""
    names = re.sub(r"\([^()]*\)", "", found["names"]).split(", ")
    for right, columns in re.findall(r"(\w+)(?: \(([^()]*)\))?", found["rights"]):
        on = [f"{right} ({column.strip()})" for column in columns.split(",") if columns]
        for role, name, what in product(found["roles"].split(", "), names, on or [right]):
            yield _Thing(f"right of {role} to {what}", name)
