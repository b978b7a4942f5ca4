"""How a run that ended is told, and which exit code it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mentor_sync.cli.output import Invocation

if TYPE_CHECKING:
    from mentor_sync.runner import FinishedRun

PARTIAL = 3
"""Done, but rows were set aside."""


def exit_code(run: FinishedRun) -> int:
    return PARTIAL if run.status == "partial" else 0


def in_words(counts: Mapping[str, int]) -> str:
    """As in 1,200 created, 3 exists."""
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items())


def tell(invocation: Invocation, run: FinishedRun) -> int:
    """Print how it ended; its exit code."""
    invocation.answer({"run_id": str(run.id), "status": run.status, "counts": run.counts})
    invocation.say(f"Run {run.id}: {run.status}. {in_words(run.counts)}")
    return exit_code(run)
