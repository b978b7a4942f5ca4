"""mentor-sync db: the schema behind the API, over a direct connection to PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, QuietOption, YesOption, invocation_of
from mentor_sync.errors import ChangesPending, ConfigurationError
from mentor_sync.settings import Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.adoption import Adoption
    from mentor_sync.findings import Finding
    from mentor_sync.migrations import Migration, MigrationReport, Standing

app = typer.Typer(
    name="db", help="The schema behind the API: check, migrate, print.", no_args_is_help=True
)


@app.callback()
def _need_driver() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "The db commands need psycopg.", hint="pip install 'mentor-sync[db]'"
        ) from None


@app.command()
def check(context: typer.Context, as_json: JsonOption = False, quiet: QuietOption = False) -> int:
    """Compare the tables that the project already has with ours.

    Prints the SQL that mends what is in the way, and changes nothing. Exit 4
    on a conflict, which stops `migrate`, and on a fault, which does not: a policy
    that opens our tables, or something of ours that was dropped or revoked.
    """
    from mentor_sync import adoption, connection, migrations

    invocation = invocation_of(context)
    dsn = _dsn(invocation)
    files = migrations.load()
    with connection.connect(dsn) as database:
        applied = _applied(files, migrations.status(database, files))
        found = adoption.check(database, applied, is_complete=len(applied) == len(files))
    conflicts, faults = found.of("conflict"), found.of("fault")
    invocation.answer(
        {
            "target": str(connection.target(dsn)),
            "findings": [asdict(finding) for finding in found.findings],
            "conflicts": len(conflicts),
            "faults": len(faults),
            "warnings": len(found.of("warning")),
        },
        ok=not (conflicts or faults),
    )
    _print_findings(invocation, found)
    return ConfigurationError.exit_code if conflicts or faults else 0


@app.command()
def migrate(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Apply everything, and roll it back.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Apply the migrations that are pending.

    Asks first, unless the database is on this machine. Shares its history
    with `supabase db push`: neither applies what the other has applied.
    """
    from mentor_sync import connection, migrations

    invocation = invocation_of(context)
    dsn = _dsn(invocation)
    place = connection.target(dsn)
    pending, warnings = _prepare(invocation, dsn)
    if pending and not dry_run and not place.is_loopback:
        invocation.confirm(f"Apply {len(pending)} of our migrations to {place}?", yes=yes)
    report = migrations.migrate(dsn, dry_run=dry_run)
    warnings += report.warnings
    invocation.answer({"target": str(place), **asdict(report), "warnings": warnings})
    _print_report(invocation, report)


@app.command()
def status(
    context: typer.Context,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 5 where something is pending.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Show where each migration stands: applied, pending, edited, unknown or newer.

    edited: the file differs from what was applied. unknown: not one of ours.
    """
    from mentor_sync import connection, migrations

    invocation = invocation_of(context)
    dsn = _dsn(invocation)
    files = migrations.load()
    with connection.connect(dsn) as database:
        standings = migrations.status(database, files)
    pending = [standing for standing in standings if standing.state == "pending"]
    invocation.answer(
        {
            "target": str(connection.target(dsn)),
            "pending": len(pending),
            "migrations": [asdict(standing) for standing in standings],
        }
    )
    _print_standings(invocation, standings)
    return ChangesPending.exit_code if pending and detailed_exitcode else 0


@app.command("print")
def print_sql(
    context: typer.Context,
    pending: Annotated[
        bool, typer.Option("--pending", help="Only what the database does not have yet.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the migrations as one script, which records them as well.

    For review, or to run with psql or in the SQL editor. Needs no database without --pending.
    """
    from mentor_sync import connection, migrations

    invocation = invocation_of(context)
    files = migrations.load()
    if pending:
        with connection.connect(_dsn(invocation)) as database:
            standings = migrations.status(database, files)
        wanted = {standing.version for standing in standings if standing.state == "pending"}
        files = [file for file in files if file.version in wanted]
    script = migrations.script(files) if files else ""
    invocation.answer({"files": [file.file for file in files], "sql": script})
    if not invocation.json:
        sys.stdout.write(script)


def _dsn(invocation: Invocation) -> str:
    """The database of SUPABASE_DB_URL, or that of the local stack where nothing is set."""
    settings = load_settings()
    if settings.supabase_db_url is not None:
        return settings.supabase_db_url.get_secret_value()
    if settings.supabase_url is None:
        local = _local_dsn(settings)
        if local is not None:
            invocation.note(
                f"SUPABASE_DB_URL is not set: using the local stack in {settings.local_dir}."
            )
            return local
    raise ConfigurationError(
        "SUPABASE_DB_URL is not set.",
        hint="The dashboard shows it under Connect: the session pooler or the direct address,"
        " port 5432. For a local stack: mentor-sync local up",
    )


def _local_dsn(settings: Settings) -> str | None:
    from mentor_sync.local.stack import running_environment

    environment = running_environment(settings)
    return environment["SUPABASE_DB_URL"] if environment else None


def _prepare(invocation: Invocation, dsn: str) -> tuple[list[Standing], list[str]]:
    """What is pending, and what there is to say beforehand.

    Raises:
        ConfigurationError: something is pending, and a table of the project is in its way.
    """
    from mentor_sync import adoption, connection, migrations

    place = connection.target(dsn)
    invocation.note(f"Database: {place}")
    files = migrations.load()
    with connection.connect(dsn) as database:
        standings = migrations.status(database, files)
        pending = [standing for standing in standings if standing.state == "pending"]
        look = adoption.check if pending else adoption.faults
        found = look(database, _applied(files, standings))
    _refuse(found.of("conflict"))
    told = found.of("warning", "note", "fault")
    for finding in told:
        invocation.note(f"Warning: {_line(finding)}")
        if finding.level == "fault" and "\n" not in finding.sql:
            invocation.note(f"  {finding.sql}")
    return pending, [_line(finding) for finding in told]


def _applied(files: Sequence[Migration], standings: Sequence[Standing]) -> list[str]:
    """The texts that the database has. What a newer mentor-sync made of them, nobody knows here."""
    states = {standing.version: standing.state for standing in standings}
    if "newer" in states.values():
        return []
    return [file.text for file in files if states[file.version] == "applied"]


def _refuse(conflicts: Sequence[Finding]) -> None:
    if conflicts:
        lines = [f"-- {_line(conflict)}\n{conflict.sql}" for conflict in conflicts]
        raise ConfigurationError(
            "Tables of this project are in the way; nothing was changed. This SQL mends it:",
            hint="\n".join([*lines, "Then: mentor-sync db migrate"]),
            code="adoption_conflict",
        )


def _line(finding: Finding) -> str:
    place = ".".join(part for part in (finding.table, finding.column) if part)
    return f"{place}: {finding.message}" if place else finding.message


def _print_findings(invocation: Invocation, found: Adoption) -> None:
    for table in dict.fromkeys(finding.table for finding in found.findings):
        about = [finding for finding in found.findings if finding.table == table]
        invocation.say(table or "database")
        for level in ("present", "missing"):
            names = ", ".join(finding.column for finding in about if finding.level == level)
            if names:
                invocation.say(f"  {level:<9} {names}")
        for finding in about:
            if not finding.column or finding.level not in {"present", "missing"}:
                _print_finding(invocation, finding)


def _print_finding(invocation: Invocation, finding: Finding) -> None:
    column = f"{finding.column}: " if finding.column else ""
    invocation.say(f"  {finding.level:<9} {column}{finding.message}")
    for line in finding.sql.splitlines():
        invocation.say(f"            {line}")


def _print_standings(invocation: Invocation, standings: Sequence[Standing]) -> None:
    table = Table("migration", "state", "applied at")
    for standing in standings:
        table.add_row(standing.file, standing.state, standing.applied_at or "")
    invocation.show(table)
    invocation.say("mentor-sync db check looks at what is there.")


def _print_report(invocation: Invocation, report: MigrationReport) -> None:
    done = "would be applied" if report.dry_run else "applied"
    for file in report.applied:
        invocation.say(f"{done}: {file}")
    if not report.applied:
        invocation.say(f"Nothing to do: {report.already} applied.")
    for warning in report.warnings:
        invocation.note(f"Warning: {warning}")
