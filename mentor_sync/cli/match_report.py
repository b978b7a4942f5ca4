"""What a run of matching shows: a line per request while that can be read, and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from mentor_sync.cli.output import Invocation
from mentor_sync.cli.person import name_of, on_one_line

if TYPE_CHECKING:
    from mentor_sync.runner import FinishedRun

Record = dict[str, Any]
Person = dict[str, Any]

READABLE = 40
# In the order in which they are told; those that are 0 only where they are told always.
_COUNTS = {
    "batches": "Requests offered",
    "offers": "Offers made",
    "refused": "Offers dropped, a rule forbids them by now",
    "passed_over": "Requests passed over, answered meanwhile",
    "waiting": "Requests that wait on, nobody found",
    "announced": "Mails to mentors queued",
}
_ALWAYS = {"batches", "offers", "waiting"}
_SWITCHED_OFF = "Nothing is offered: auto_match in program_settings is off."


def match_document(run: FinishedRun, records: list[Record], *, dry_run: bool) -> dict[str, Any]:
    counts = {kind: run.counts.get(kind, 0) for kind in _COUNTS}
    return {
        "run_id": str(run.id),
        "dry_run": dry_run,
        "switched_off": bool(run.counts.get("switched_off")),
        **counts,
        "records": records,
        "records_complete": len(records) == counts["batches"] + counts["waiting"],
    }


def print_match(
    invocation: Invocation,
    run: FinishedRun,
    records: list[Record],
    student: Person | None,
    *,
    dry_run: bool,
    project: str,
) -> None:
    """Requests, with their reasons where it is one student's, then the summary."""
    invocation.say(f"Matching on {project}" + (" (dry run)" if dry_run else ""))
    invocation.say()
    if run.counts.get("switched_off"):
        invocation.say(_SWITCHED_OFF)
    elif student:
        _print_student(invocation, student, records)
    else:
        _print_records(invocation, run.counts, records)
    _print_summary(invocation, run.counts)
    if dry_run:
        invocation.say("Dry run: everything was done and rolled back. Now without --dry-run.")
    invocation.say(f"Run {run.id}: {run.status}. More: mentor-sync run show {str(run.id)[:8]}")


def _print_student(invocation: Invocation, student: Person, records: list[Record]) -> None:
    offered = [record for record in records if record["outcome"] == "offered"]
    for record in offered:
        print_mentors(invocation, name_of(student), record["mentors"])
    if not offered:
        why = _why(records[0]) if records else _state(student)
        invocation.say(f"{name_of(student)}: {why}")
    invocation.say()


def print_mentors(invocation: Invocation, student: str, mentors: list[dict[str, Any]]) -> None:
    """The mentors of one student with their reasons."""
    invocation.say(f"Mentors for {student}:")
    for rank, mentor in enumerate(mentors, 1):
        invocation.say(f"  {rank}. {on_one_line(mentor['name'])}, {float(mentor['score']):.2f}")
        for reason in mentor["reasons"]:
            invocation.say(f"     {reason}")


def _state(student: Person) -> str:
    """Why there was nothing to offer."""
    if not student["request"]:
        return "no request was ever made."
    if student["request"] == "open":
        return "the request is not to be offered: the student or the profile is not active."
    return f"no request waits for offers; the latest is {student['request']}."


def _why(record: Record) -> str:
    return f"waits on: {record['reason'].replace('_', ' ')}"


def _print_records(invocation: Invocation, counts: dict[str, int], records: list[Record]) -> None:
    shown = records[:READABLE]
    for record in shown:
        invocation.say(f"{on_one_line(record['student_name'])}: {_outcome(record)}")
    left = counts.get("batches", 0) + counts.get("waiting", 0) - len(shown)
    if shown and left > 0:
        invocation.say(f"... and {left:,} more")
    if shown:
        invocation.say()


def _outcome(record: Record) -> str:
    if record["outcome"] != "offered":
        return _why(record)
    mentors = record["mentors"]
    return ", ".join(f"{on_one_line(one['name'])} {float(one['score']):.1f}" for one in mentors)


def _print_summary(invocation: Invocation, counts: dict[str, int]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for kind, words in _COUNTS.items():
        if kind in _ALWAYS or counts.get(kind):
            table.add_row(words, f"{counts.get(kind, 0):,}")
    invocation.show(table)
    invocation.say()
