"""`mentor-sync simulate`: what would be, without doing it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of, plain
from mentor_sync.cli.project import open_project
from mentor_sync.settings import load_settings

app = typer.Typer(help="See what would be, without doing it.", no_args_is_help=True)
SHOWN = 10


@app.callback()
def _group() -> None:
    """So that `leave` stays a word of its own while it is the only one."""


@app.command("leave")
def leave(
    context: typer.Context,
    mentor: Annotated[str, typer.Argument(metavar="MENTOR", help="Id or e-mail address.")],
    as_json: JsonOption = False,
) -> None:
    """Show what would happen if a mentor left: who takes the students, and whom to recruit.

    Everybody else stays where they are. Nothing is written.
    """
    from mentor_sync.simulation import simulate_leave

    invocation, settings = invocation_of(context), load_settings()
    with open_project(invocation) as database:
        found = simulate_leave(database, mentor, chunk_size=settings.chunk_size)
    invocation.answer(found)
    _print_students(invocation, found)
    _print_recruits(invocation, found["recruit"])


def _print_students(invocation: Invocation, found: dict[str, Any]) -> None:
    name = found["mentor"]["name"]
    invocation.say(f"If {name} left, {found['orphaned']:,} students would need another mentor.")
    if not found["students"]:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("student", "score", "would go to", "score then"):
        table.add_column(title, justify="right" if title.startswith("score") else "left")
    for student in found["students"]:
        then = student["new_score"]
        cells = (
            student["student_name"],
            f"{student['score']:.2f}",
            student["mentor_name"] or "nobody",
            "" if then is None else f"{then:.2f}",
        )
        table.add_row(*map(plain, cells))
    invocation.say()
    invocation.show(table)
    invocation.say()
    invocation.say(
        f"{found['placed']:,} would find a place, {found['without']:,} would not."
        f" The scores add up to {found['before']:,} now and to {found['after']:,} then:"
        f" it costs {found['cost']:,} points."
    )


def _print_recruits(invocation: Invocation, recruits: list[dict[str, Any]]) -> None:
    if not recruits:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("expertise", "asked for in vain", "students more", "points more"):
        table.add_column(title, justify="left" if title == "expertise" else "right")
    for one in recruits[:SHOWN]:
        table.add_row(
            plain(one["expertise"]),
            f"{one['asked_by_students_without']:,}",
            f"{one['students']:,}",
            f"{one['points']:,}",
        )
    invocation.say()
    invocation.say("Worth finding, by what one more seat with such a mentor would add:")
    invocation.say()
    invocation.show(table)
