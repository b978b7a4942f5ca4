"""`mentor-sync match explain`: why these two, or why not."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of, plain
from mentor_sync.cli.person import find_person, name_of, on_one_line
from mentor_sync.cli.project import open_project

_FACTORS = ("goals", "industry", "research", "technical", "location", "communication")
_UNITS_A_POINT = 10_000


def explain(
    context: typer.Context,
    student: Annotated[str, typer.Argument(help="Id or e-mail address of the student.")],
    mentor: Annotated[str, typer.Argument(help="Id or e-mail address of the mentor.")],
    _json: JsonOption = False,
) -> None:
    """Tell how well a student and a mentor suit, what keeps them apart, and who is ahead."""
    invocation = invocation_of(context)
    with open_project(invocation) as database:
        sides = find_person(database, student), find_person(database, mentor)
        asked = {"p_student_id": sides[0]["id"], "p_mentor_id": sides[1]["id"]}
        found = database.rpc("explain_match", asked, expect=dict)
    names = [name_of(side) for side in sides]
    invocation.answer({"student_name": names[0], "mentor_name": names[1], **found})
    _print(invocation, names, found)


def _print(invocation: Invocation, names: list[str], found: dict[str, Any]) -> None:
    score = f"{float(found['total']):.2f} of 100 by weights {found['weights_version']}"
    invocation.say(f"{names[0]} with {names[1]}: {score}; {found['confidence']} % was known.")
    invocation.say()
    invocation.show(_factors(found["breakdown"]))
    for reason in found["reasons"]:
        invocation.say(f"  {reason}")
    invocation.say()
    apart = found["rule_in_words"]
    invocation.say(f"Kept apart: {apart}" if apart else "No rule keeps the two apart.")
    invocation.say(f"Rank {found['rank']} of {found['of']} for {names[0]}.")
    _print_ahead(invocation, found)


def _factors(breakdown: dict[str, Any]) -> Table:
    """Points by factor, of how many, and the terms that both named."""
    table = Table(box=None, pad_edge=False)
    table.add_column("factor")
    table.add_column("points", justify="right")
    table.add_column("of", justify="right")
    table.add_column("in common")
    for factor in _FACTORS:
        if part := breakdown.get(factor):
            most = part["share"] / _UNITS_A_POINT
            common = ", ".join(part["matched"]) or f"none of {part['named']}"
            cells = (factor, f"{float(part['score']):.2f}", f"{most:.2f}", common)
            table.add_row(*map(plain, cells))
    return table


def _print_ahead(invocation: Invocation, found: dict[str, Any]) -> None:
    for other in found["ahead"]:
        name = on_one_line(other["mentor_name"])
        invocation.say(f"  ahead: {name}, {float(other['total']):.2f}")
    if float(found["gives_up"]):
        invocation.say(
            f"Against the best, {float(found['best_total']):.2f}, the student would give up"
            f" {float(found['gives_up']):.2f}."
        )
