"""`mentor-sync match replay`: what old batches would be by other weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of, plain
from mentor_sync.cli.person import on_one_line
from mentor_sync.cli.project import open_project
from mentor_sync.errors import UsageError

if TYPE_CHECKING:
    from mentor_sync.database import Database
    from mentor_sync.matching.replay import Replayed, Summary
    from mentor_sync.matching.weights import Weights

_AT_ONCE = 500
_READABLE = 20
_OUTCOMES = {
    "same": "The same three",
    "other_order": "The same in another order",
    "other_mentors": "Other mentors",
}


def replay(
    context: typer.Context,
    weights: Annotated[
        int | None,
        typer.Option(
            "--weights", metavar="VERSION", help="Version in match_weights; else the current one."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, help="How many batches, the latest.")
    ] = 100,
    _json: JsonOption = False,
) -> None:
    """Make old batches again by these weights, and tell what would have changed.

    Profiles are those of now. Changes nothing.
    """
    invocation = invocation_of(context)
    with open_project(invocation) as database:
        settings = database.rpc("matching_settings", {}, expect=dict)
        chosen = _weights(database, settings, weights)
        found = list(_replayed(database, settings, chosen, limit))
    _answer(invocation, chosen, found)


def _weights(database: Database, settings: dict[str, Any], version: int | None) -> Weights:
    from mentor_sync.matching.weights import FACTORS, Weights

    if version is None:
        return Weights.of(settings["version"], settings["weights"])
    rows = database.select("match_weights", order="version", version=version)
    if not rows:
        raise UsageError(
            f"There are no weights of version {version}.", hint="See the table match_weights."
        )
    return Weights.of(version, {factor: rows[0][factor] for factor in FACTORS})


def _replayed(
    database: Database, settings: dict[str, Any], weights: Weights, limit: int
) -> Iterator[Replayed]:
    """Run by run, since the batches of a run share the mentors."""
    from mentor_sync.matching.replay import replay as replay_batches

    rows = database.select("match_batches", "id,run_id", order="created_at", limit=limit)
    runs: dict[str | None, list[str]] = {}
    for row in rows:
        runs.setdefault(row["run_id"], []).append(row["id"])
    for batches in runs.values():
        for first in range(0, len(batches), _AT_ONCE):
            asked = {"p_batch_ids": batches[first : first + _AT_ONCE]}
            answer = database.rpc("replay_inputs", asked, expect=dict)
            yield from replay_batches(
                answer,
                weights,
                units_a_day=settings["units_a_day"],
                units_at_most=settings["units_at_most"],
            )


def _answer(invocation: Invocation, weights: Weights, found: list[Replayed]) -> None:
    from mentor_sync.matching.replay import Summary

    summary = Summary.of(found)
    batches = [{**asdict(one), "outcome": one.outcome, "change": one.change} for one in found]
    invocation.answer({"weights_version": weights.version, **asdict(summary), "records": batches})
    invocation.say(f"The latest {len(found):,} batches, made again by weights {weights.version}:")
    _print_changed(invocation, found)
    _print_summary(invocation, summary)


def _print_changed(invocation: Invocation, found: list[Replayed]) -> None:
    changed = [batch for batch in found if batch.outcome != "same"]
    for batch in changed[:_READABLE]:
        since = "" if batch.fits else " (the profiles have changed since)"
        invocation.say(f"\n{on_one_line(batch.student_name)}, {batch.made_at[:10]}{since}")
        invocation.say(f"  offered  {_mentors(batch.offered)}")
        invocation.say(f"  replayed {_mentors(batch.replayed)}")
    if len(changed) > _READABLE:
        invocation.say(f"\n... and {len(changed) - _READABLE:,} more; --json has all")


def _mentors(mentors: list[dict[str, Any]]) -> str:
    listed = (f"{on_one_line(one['name'])} {float(one['score']):.1f}" for one in mentors)
    return ", ".join(listed) or "nobody"


def _print_summary(invocation: Invocation, summary: Summary) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for outcome, words in _OUTCOMES.items():
        table.add_row(words, f"{getattr(summary, outcome):,}")
    if summary.changed_since:
        table.add_row("Profiles have changed since", f"{summary.changed_since:,}")
    if summary.mean_change is not None:
        table.add_row(plain("Mean change of the score"), f"{summary.mean_change:+.2f}")
    invocation.say()
    invocation.show(table)
