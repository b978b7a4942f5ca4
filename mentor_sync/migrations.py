"""Applies sql/migrations over a direct connection to PostgreSQL.

The history is the table of the Supabase CLI, supabase_migrations.schema_migrations, with a
checksum of ours in a further column, so `supabase db push` and `mentor-sync db migrate` may
take turns. A row that the CLI wrote has no checksum: the statements that it recorded are
compared with the file instead, and the next migrate adds the checksum.

The project's own migrations may be in that table too. They have no checksum and no file
here, so they count as somebody else's. A row with a checksum and a version above all of
ours was written by a newer mentor-sync: then nothing is applied.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import errors
from psycopg.rows import class_row

from mentor_sync.connection import Connection, connect
from mentor_sync.errors import ConfigurationError, MigrationError
from mentor_sync.sources import sql_folder
from mentor_sync.statements import Statement, split

State = Literal["applied", "pending", "edited", "unknown", "newer"]

_ADVISORY_LOCK = int.from_bytes(b"mentors", "big")
_FILE_NAME = re.compile(r"(?P<version>\d+)_(?P<name>\w+)\.sql")
_TRANSACTION_VERBS = {"begin", "start", "commit", "end", "rollback", "abort"}

_LEDGER = """\
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);
alter table supabase_migrations.schema_migrations
  add column if not exists statements text[],
  add column if not exists name text,
  add column if not exists checksum text,
  add column if not exists applied_at timestamptz;
"""
_LEDGER_EXISTS = "select to_regclass('supabase_migrations.schema_migrations') is not null"
_LEDGER_COMPLETE = """
select count(*) = 4 from pg_attribute
where attrelid = to_regclass('supabase_migrations.schema_migrations') and not attisdropped
  and attname in ('statements', 'name', 'checksum', 'applied_at')
"""
# Through jsonb, because a table that only the CLI has seen lacks two of the columns.
_RECORDED = """
select
  version,
  coalesce(j ->> 'name', '') as name,
  j ->> 'checksum' as checksum,
  (j ->> 'applied_at')::timestamptz::text as applied_at,
  array(
    select jsonb_array_elements_text(nullif(j -> 'statements', 'null'))
    where j ->> 'checksum' is null
  ) as statements
from supabase_migrations.schema_migrations as h
cross join to_jsonb(h) as j
order by version collate "C"
"""
_CLAIM = """
insert into supabase_migrations.schema_migrations (version, name, statements, checksum, applied_at)
values (%s, %s, %s, %s, clock_timestamp())
on conflict (version) do nothing
"""
_SIGN = """
update supabase_migrations.schema_migrations set checksum = %s where version = %s
"""
# What the CLI does too. A statement timeout of the role would cut an index build short; a
# migration that queues for a lock stops everybody who comes behind it.
_SESSION = "reset all; set statement_timeout = 0; set lock_timeout = '10s'"
# Deferred constraints would speak at commit, which a dry run never reaches.
_FINISH = "set constraints all immediate; notify pgrst, 'reload schema'"
_LOCK_HOLDER = """
select pid from pg_locks
where locktype = 'advisory' and granted and objsubid = 1
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32) + objid::bigint = %s
"""
_SCRIPT_ENTRY = """
-- {file}
begin;
insert into supabase_migrations.schema_migrations (version, name, checksum, applied_at)
values ('{version}', '{name}', '{checksum}', now());

{text}
notify pgrst, 'reload schema';
commit;
"""


@dataclass(frozen=True)
class Migration:
    """A file of sql/migrations."""

    version: str
    name: str
    text: str

    @property
    def file(self) -> str:
        return f"{self.version}_{self.name}.sql"

    @cached_property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(split(self.text))


@dataclass(frozen=True)
class Recorded:
    """A row of the history; `statements` only where there is no checksum."""

    version: str
    name: str
    checksum: str | None
    applied_at: str | None
    statements: list[str]


@dataclass(frozen=True)
class Standing:
    """Where one version stands.

    `edited`: applied, and the file differs by now. `unknown`: applied, and not a file of
    ours, so the project's own. `newer`: applied by a newer mentor-sync. `signed`: whether
    our checksum is recorded.
    """

    version: str
    name: str
    state: State
    applied_at: str | None = None
    signed: bool = False

    @property
    def file(self) -> str:
        return f"{self.version}_{self.name}.sql"


@dataclass
class MigrationReport:
    """What `migrate` did: file names in order, and the warnings that PostgreSQL raised."""

    dry_run: bool = False
    applied: list[str] = field(default_factory=list)
    already: int = 0
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0


def load(folder: Path | None = None) -> list[Migration]:
    """The migrations in `folder` (default: sql/migrations), in the order of their versions.

    Raises:
        MigrationError: a name is not YYYYMMDDHHMMSS_noun.sql, two files have one version, a
            file ends its own transaction, or there is no file at all.
    """
    folder = folder or sql_folder("migrations")
    files = sorted((_read(path) for path in folder.glob("*.sql")), key=lambda file: file.version)
    if not files:
        raise MigrationError(f"There are no migrations in {folder}.", hint="Reinstall mentor-sync.")
    for first, second in pairwise(files):
        if first.version == second.version:
            raise MigrationError(f"{first.file} and {second.file} have the same version.")
    return files


def status(connection: Connection, files: Sequence[Migration]) -> list[Standing]:
    """Every version that has a file or is recorded, in order. Changes nothing."""
    recorded = {row.version: row for row in _recorded(connection)}
    newest = max(file.version for file in files)
    ours = [_standing(file, recorded.pop(file.version, None)) for file in files]
    others = [_standing_of_others(row, newest) for row in recorded.values()]
    return sorted(ours + others, key=lambda standing: standing.version)


def migrate(
    dsn: str, folder: Path | None = None, *, dry_run: bool = False, lock_wait: float = 60.0
) -> MigrationReport:
    """Apply what is pending, a transaction a file, and record it.

    `dry_run` applies everything in one transaction and rolls it back. Another migrate in the
    same database is waited for, at most `lock_wait` seconds.

    Raises:
        MigrationError: a file failed (nothing of it is kept, earlier ones are), was edited
            after it was applied, or another migrate took too long.
        ConfigurationError: the database is newer than this mentor-sync; or as `connect`.
    """
    files = load(folder)
    begun = time.monotonic()
    report = MigrationReport(dry_run=dry_run)
    with connect(dsn) as connection, _locked(connection, lock_wait):
        connection.add_notice_handler(lambda notice: _note_warning(report, notice))
        with connection.transaction(force_rollback=True) if dry_run else nullcontext():
            _apply_pending(connection, files, report)
    report.seconds = round(time.monotonic() - begun, 3)
    return report


def script(files: Sequence[Migration]) -> str:
    """The migrations as one script for psql or the SQL editor; it records them too."""
    entries = (
        _SCRIPT_ENTRY.format(
            file=file.file,
            version=file.version,
            name=file.name,
            checksum=file.checksum,
            text=file.text.strip(),
        )
        for file in files
    )
    return _LEDGER + "".join(entries)


def _read(path: Path) -> Migration:
    name = _FILE_NAME.fullmatch(path.name)
    if name is None:
        raise MigrationError(f"{path.name} is not named YYYYMMDDHHMMSS_noun.sql.")
    # Text mode turns CRLF into LF, so a checkout on Windows has the same checksum.
    file = Migration(name["version"], name["name"], path.read_text(encoding="utf-8-sig"))
    for statement in file.statements:
        if statement.verb in _TRANSACTION_VERBS:
            raise MigrationError(
                f"{file.file} line {statement.line_at()}: `{statement.verb}` is not allowed.",
                hint="A file is one transaction, which mentor-sync begins and ends.",
            )
    return file


def _recorded(connection: Connection) -> list[Recorded]:
    if connection.execute(_LEDGER_EXISTS).fetchone() != (True,):
        return []
    with connection.cursor(row_factory=class_row(Recorded)) as cursor:
        return cursor.execute(_RECORDED).fetchall()


def _standing(file: Migration, row: Recorded | None) -> Standing:
    if row is None:
        return Standing(file.version, file.name, "pending")
    state: State = "applied" if _is_unchanged(file, row) else "edited"
    return Standing(file.version, file.name, state, row.applied_at, signed=bool(row.checksum))


def _standing_of_others(row: Recorded, newest: str) -> Standing:
    state: State = "newer" if row.checksum and row.version > newest else "unknown"
    return Standing(row.version, row.name, state, row.applied_at, signed=bool(row.checksum))


def _is_unchanged(file: Migration, row: Recorded) -> bool:
    """Whether the file is what was applied; a row that recorded nothing of it is believed."""
    if row.checksum:
        return row.checksum == file.checksum
    return not row.statements or _bare("".join(row.statements)) == _bare(file.text)


def _bare(text: str) -> str:
    """What remains the same however a file is cut into statements."""
    return re.sub(r"[\s;]+", "", text)


@contextmanager
def _locked(connection: Connection, wait: float) -> Iterator[None]:
    """Hold the advisory lock of mentor-sync in this database."""
    milliseconds = str(max(1, int(wait * 1000)))
    connection.execute("select set_config('lock_timeout', %s, false)", [milliseconds])
    try:
        connection.execute("select pg_advisory_lock(%s)", [_ADVISORY_LOCK])
    except errors.LockNotAvailable:
        holder = connection.execute(_LOCK_HOLDER, [_ADVISORY_LOCK]).fetchone()
        raise MigrationError(
            f"Another migrate is still at work in this database after {wait:g} s.",
            hint=f"Wait for it, or end it: select pg_terminate_backend({holder[0]});"
            if holder
            else "It has just ended: run it again.",
            code="locked",
        ) from None
    try:
        yield
    finally:
        # A pooler may keep the session, and so the lock, when we leave.
        with suppress(psycopg.Error):
            connection.execute("select pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


def _apply_pending(
    connection: Connection, files: Sequence[Migration], report: MigrationReport
) -> None:
    with connection.transaction():
        if connection.execute(_LEDGER_COMPLETE).fetchone() != (True,):
            connection.execute(_LEDGER)
    standings = status(connection, files)
    _refuse(standings)
    found = {standing.version: standing for standing in standings}
    for file in files:
        if found[file.version].state == "pending" and _apply(connection, file):
            report.applied.append(file.file)
            continue
        report.already += 1
        if not found[file.version].signed:
            connection.execute(_SIGN, [file.checksum, file.version])


def _refuse(standings: Sequence[Standing]) -> None:
    newer = [standing.file for standing in standings if standing.state == "newer"]
    if newer:
        raise ConfigurationError(
            f"The database is newer than this mentor-sync: it has {newer[-1]}.",
            hint="Upgrade: pip install --upgrade mentor-sync",
            code="database_newer",
        )
    edited = [standing.file for standing in standings if standing.state == "edited"]
    if edited:
        raise MigrationError(
            f"Changed after it was applied: {', '.join(edited)}.",
            hint="Put it back as it was, and make the change in a new file. A local stack may"
            " start afresh instead: mentor-sync local reset",
            code="edited",
        )


def _apply(connection: Connection, file: Migration) -> bool:
    """Run one file; False where somebody else has applied it in the meantime."""
    texts = [statement.text for statement in file.statements]
    with connection.transaction():
        connection.execute(_SESSION)
        # The row first: whoever comes second waits here and has done nothing yet.
        row = [file.version, file.name, texts, file.checksum]
        if connection.execute(_CLAIM, row).rowcount == 0:
            return False
        _execute(connection, file)
    return True


def _execute(connection: Connection, file: Migration) -> None:
    """All statements in one round trip; the cursors tell how far they came."""
    cursors = [connection.cursor() for _ in file.statements]
    try:
        with connection.pipeline():
            for cursor, statement in zip(cursors, file.statements, strict=True):
                cursor.execute(statement.text.encode())
        connection.execute(_FINISH)
    except psycopg.Error as error:
        done = sum(cursor.statusmessage is not None for cursor in cursors)
        raise _failure(error, file, done) from error


def _failure(error: psycopg.Error, file: Migration, done: int) -> MigrationError:
    where = file.file
    if done < len(file.statements):
        position = error.diag.statement_position
        where += f" line {file.statements[done].line_at(int(position) if position else None)}"
    said = [error.diag.message_detail, error.diag.message_hint]
    if isinstance(error, errors.LockNotAvailable):
        said.append("Somebody holds a lock there; `supabase inspect db blocking` says who.")
    said.append("Nothing of this file was kept. Mend the cause, then: mentor-sync db migrate")
    return MigrationError(
        f"{where}: {error.diag.message_primary or str(error).strip()}"
        f" ({error.sqlstate or 'connection lost'})",
        hint="\n".join(line for line in said if line),
        code="migration_failed",
    )


def _note_warning(report: MigrationReport, notice: errors.Diagnostic) -> None:
    if notice.severity_nonlocalized == "WARNING" and notice.message_primary:
        report.warnings.append(notice.message_primary)
