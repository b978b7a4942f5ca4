"""`mentor-sync demo`: the local stack with an invented community, synced and matched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mentor_sync.cli.demo_report import Demo, Matched, next_commands, print_demo
from mentor_sync.cli.match import run_match
from mentor_sync.cli.output import Invocation, JsonOption, QuietOption, invocation_of
from mentor_sync.cli.project import Project
from mentor_sync.cli.sync import run_sync
from mentor_sync.cli.sync_report import all_counts
from mentor_sync.errors import ConfigurationError
from mentor_sync.settings import Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.demo.loading import Loaded
    from mentor_sync.runner import FinishedRun

MEMBERS = 400
SAMPLE = 5


def demo(
    context: typer.Context,
    members: Annotated[
        int, typer.Option("--members", min=1, max=10_000_000, help="How many people to invent.")
    ] = MEMBERS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fill the local stack with an invented community, sync it, and match its students.

    Starts the stack and migrates it first. Touches no other project, and may be run again.
    """
    invocation, settings = invocation_of(context), load_settings()
    _need_extra()
    from mentor_sync.demo.place import bring_up

    with _step(invocation, "Local stack") as words:
        environment = bring_up(settings)
        words.append(f"{environment['SUPABASE_URL']} in {settings.local_dir}")
    loaded = _fill(invocation, environment["SUPABASE_DB_URL"], members)
    project = Project(environment["SUPABASE_URL"], environment["SUPABASE_SECRET_KEY"])
    found = _work(invocation, settings, project, loaded, environment)
    invocation.answer(_document(found, settings, project))
    print_demo(invocation, found)


def _need_extra() -> None:
    try:
        import psycopg  # noqa: F401

        import mentor_sync.local.stack  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "The demo needs the local stack.", hint="pip install 'mentor-sync[local]'"
        ) from None


def _fill(invocation: Invocation, dsn: str, members: int) -> Loaded:
    """The schema and the people."""
    from mentor_sync import migrations
    from mentor_sync.demo.loading import load

    with _step(invocation, "Schema") as words:
        applied = len(migrations.migrate(dsn).applied)
        words.append(f"{applied} migrations applied" if applied else "up to date")
    with _step(invocation, "Community") as words:
        loaded = load(dsn, members)
        size = f"{loaded.members:,} members, {loaded.accounts:,} accounts"
        new = loaded.members_added or loaded.accounts_added
        words.append(f"{size}, all invented" if new else f"there already: {size}; nothing loaded")
    return loaded


def _work(
    invocation: Invocation,
    settings: Settings,
    project: Project,
    loaded: Loaded,
    environment: dict[str, str],
) -> Demo:
    """The dry run, the sync, the matching, and what came of them."""
    from mentor_sync.demo.answers import first_mentors, health

    with _step(invocation, "Dry run", bar=True) as words:
        dry_run, _ = run_sync(invocation, settings, project, {"dry_run": True})
        words.append(_changes(dry_run, ", and rolled back"))
    with _step(invocation, "Sync", bar=True) as words:
        sync, book = run_sync(invocation, settings, project, {"dry_run": False})
        words.append(_changes(sync))
    matched = _match(invocation, settings, project, environment["SUPABASE_DB_URL"], loaded.members)
    with project.open(settings) as database:
        state = health(database)
    page = first_mentors(environment, SAMPLE)
    return Demo(loaded, dry_run, sync, matched, book.records, page, state)


def _match(
    invocation: Invocation, settings: Settings, project: Project, dsn: str, members: int
) -> Matched:
    """The students, and whom they are offered to."""
    from mentor_sync.demo.admission import admit
    from mentor_sync.demo.answers import offers

    with _step(invocation, "Students") as words:
        new = admit(dsn, members)
        words.append(f"{new} members ask for a mentor" if new else "there already")
    with _step(invocation, "Matching") as words, project.open(settings) as database:
        run, _ = run_match(database, settings, {"dry_run": False})
        words.append(f"{run.counts.get('batches', 0)} requests offered to mentors")
        return Matched(new, run, offers(database))


def _changes(run: FinishedRun, after: str = "") -> str:
    done = {kind: run.counts.get(kind, 0) for kind in ("created", "updated", "deactivated")}
    words = [f"{n:,} mentor{'s' * (n != 1)} {kind}" for kind, n in done.items() if n]
    return ", ".join(words) + after if words else "nothing to create or change"


@contextmanager
def _step(invocation: Invocation, name: str, *, bar: bool = False) -> Iterator[list[str]]:
    """A line about a step on stderr, once it is done: the words put into the list, and the time.

    Until then a terminal shows that something is going on; `bar`: with a bar of its own.
    """
    began, words = time.monotonic(), list[str]()
    still = bar or invocation.quiet or not invocation.stderr.is_terminal
    with nullcontext() if still else invocation.stderr.status(name):
        yield words
    invocation.note(f"{name:<12} {''.join(words)} ({time.monotonic() - began:.1f} s)")


def _document(found: Demo, settings: Settings, project: Project) -> dict[str, Any]:
    return {
        **asdict(found.loaded),
        "dry_run": _run(found.dry_run),
        "sync": _run(found.sync),
        "students_added": found.matched.students_added,
        "match": _matched(found.matched),
        "mentors_listed": found.listed,
        "mentors": found.page.get("results"),
        "health": found.health,
        "environment": {"SUPABASE_URL": project.url, "MENTOR_SYNC_LOCAL_DIR": settings.local_dir},
        "next": [command for _, command in next_commands(found)],
    }


def _matched(matched: Matched) -> dict[str, Any]:
    run, offers = matched.run, matched.offers
    return {
        "run_id": str(run.id),
        "status": run.status,
        "batches": run.counts.get("batches", 0),
        "offers": run.counts.get("offers", 0),
        "waiting": run.counts.get("waiting", 0),
        "good_score": offers.good_score,
        "good_share": offers.good_share,
        "student": offers.student,
        "mentors": offers.mentors,
    }


def _run(run: FinishedRun) -> dict[str, Any]:
    return {"run_id": str(run.id), "status": run.status, **all_counts(run.counts)}
