"""`mentor-sync assign`: students get mentors, as well as can be for all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.finished import exit_code, in_words
from mentor_sync.cli.output import Invocation, JsonOption, YesOption, invocation_of, plain
from mentor_sync.cli.project import find_project
from mentor_sync.errors import UsageError
from mentor_sync.settings import load_settings

if TYPE_CHECKING:
    from mentor_sync.job import Progress
    from mentor_sync.runner import FinishedRun

JOB = "assign_students"
SHOWN = 40
LEFT_OUT = 20
_GOALS = ("score", "coverage", "stable", "fair")
_FIGURES = (
    ("placed", "students placed"),
    ("total", "scores in total"),
    ("bound", "  at the most"),
    ("mean", "mean score"),
    ("lowest", "lowest score"),
    ("good", "good scores"),
    ("blocking_pairs", "blocking pairs"),
    ("load_deviation", "spread of load"),
    ("proven", "proven"),
)


def assign(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show everything, and roll it back.")
    ] = False,
    goal: Annotated[
        str, typer.Option("--goal", metavar="GOAL", help="score, coverage, stable or fair.")
    ] = "score",
    as_json: JsonOption = False,
    yes: YesOption = False,
) -> int:
    """Assign students without a mentor to free seats, nobody asked.

    Shows what each goal would come to, then does the chosen one: score, the
    highest total; coverage, the most good scores; stable, no two would
    rather have each other; fair, the highest lowest score.

    It works although auto_assignment is off, which is for the job at night.
    Exit 3 when pairs were set aside.
    """
    if goal not in _GOALS:
        raise UsageError(f"There is no goal {goal}.", hint=f"There are: {', '.join(_GOALS)}.")
    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    if not dry_run:
        question = f"Assign the students of {project.name} who have no mentor?"
        project.confirm(invocation, question, yes=yes)
    goals: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    without: list[dict[str, Any]] = []

    def report(latest: Progress) -> None:
        found = [record for record in latest.records if record["outcome"] == "goal"]
        _show_goals(invocation, found, goal)
        goals.extend(found)
        without.extend(record for record in latest.records if record["outcome"] == "without")
        others = ("goal", "without")
        pairs.extend(record for record in latest.records if record["outcome"] not in others)

    from mentor_sync.runner import run_now

    params = {"dry_run": dry_run, "goal": goal, "compare": True, "force": True}
    with project.open(settings) as database:
        run = run_now(database, settings, JOB, params, report=report)
    invocation.answer(
        {
            "run_id": str(run.id),
            "dry_run": dry_run,
            "goal": goal,
            "counts": run.counts,
            "goals": goals,
            "records": pairs,
            "without": without,
        }
    )
    _tell(invocation, run, pairs, without, dry_run=dry_run)
    return exit_code(run)


def _show_goals(invocation: Invocation, goals: list[dict[str, Any]], chosen: str) -> None:
    if not goals:
        return
    students, offered = goals[0]["students"], goals[0]["offered"]
    if offered:
        invocation.say(
            f"{students:,} students to place; {offered:,} are being looked at by mentors."
        )
    if not students:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("goal")
    for found in goals:
        name = found["goal"]
        table.add_column(f"{name} *" if name == chosen else name, justify="right")
    for key, words in _FIGURES:
        table.add_row(words, *(_cell(found[key]) for found in goals))
    invocation.say(f"{students:,} students without a mentor. By goal, * is done:")
    invocation.say()
    invocation.show(table)
    invocation.say()


def _cell(value: float | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:,}"


def _tell(
    invocation: Invocation,
    run: FinishedRun,
    pairs: list[dict[str, Any]],
    without: list[dict[str, Any]],
    *,
    dry_run: bool,
) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for pair in pairs[:SHOWN]:
        cells = (pair["outcome"], pair["student_name"], pair["mentor_name"], f"{pair['score']:.2f}")
        table.add_row(*map(plain, (*cells, pair["reason"] or "")))
    invocation.show(table)
    if len(pairs) < sum(run.counts.values()) - run.counts.get("without", 0) or len(pairs) > SHOWN:
        invocation.say("... and more: mentor-sync run show " + str(run.id)[:8] + " --changes")
    _tell_without(invocation, without, run.counts.get("without", 0))
    if dry_run:
        invocation.say("Dry run: everything was done and rolled back. Now without --dry-run.")
    invocation.say(f"Run {run.id}: {run.status}. {in_words(run.counts)}")


def _tell_without(invocation: Invocation, without: list[dict[str, Any]], count: int) -> None:
    """Whom the assignment leaves out, and why."""
    if not count:
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for student in without[:LEFT_OUT]:
        table.add_row(*map(plain, (student["student_name"], student["reason"])))
    invocation.say(f"{count:,} students without a place:")
    invocation.show(table)
    if count > LEFT_OUT:
        invocation.say(f"... and {count - LEFT_OUT:,} more.")
