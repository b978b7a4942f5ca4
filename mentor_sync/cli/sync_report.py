"""What a sync shows: a line per record while that can be read, and the summary."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from mentor_sync.cli.output import Invocation, plain
from mentor_sync.errors import UsageError

if TYPE_CHECKING:
    from mentor_sync.job import Progress as JobProgress
    from mentor_sync.runner import FinishedRun

Record = dict[str, Any]

# In the order in which they are told; the words of the summary.
OUTCOMES = {
    "created": "Mentor profiles created",
    "updated": "Updated from the member",
    "exists": "Skipped, already a mentor",
    "no_user": "Skipped, no account",
    "ambiguous": "Skipped, ambiguous",
    "inactive": "Skipped, member inactive",
    "deactivated": "Deactivated",
    "rejected": "Errors, set aside",
}
# Active members of type mentor; the others were mentors once.
FOUND = ("created", "updated", "exists", "no_user", "ambiguous", "rejected")
COLUMNS = ("outcome", "name", "email", "reason", "member_id", "mentor_id")
_SET_ASIDE = "Rows set aside are in sync_rejects with their reasons; the rest landed."
_WOULD_BE_SET_ASIDE = "Rows would be set aside, for the reasons above; the rest would land."
READABLE = 40
SAMPLE = 5
KEPT = 1000


class RecordBook:
    """The records worth showing: all while they are few, then some of each kind."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._kept: Counter[str] = Counter()

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            kind = record["outcome"]
            if len(self.records) < KEPT or self._kept[kind] < SAMPLE:
                self.records.append(record)
                self._kept[kind] += 1

    def as_json(self, counts: dict[str, int]) -> dict[str, Any]:
        """The counts of every kind, and the records that were kept."""
        return {
            **all_counts(counts),
            "records": self.records,
            "records_complete": len(self.records) == sum(counts.values()),
        }


class RecordFile:
    """A CSV file with a line per record, which a spreadsheet opens without running anything."""

    def __init__(self, path: Path) -> None:
        try:
            # For its owner only: it holds e-mail addresses. A file that is there keeps its mode.
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(number, "w", newline="", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, records: Iterable[Record]) -> None:
        self._writer.writerows(
            [_harmless(str(record.get(column) or "")) for column in COLUMNS] for record in records
        )


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


class SyncProgress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, invocation: Invocation) -> None:
        self._bar = Progress(
            TextColumn("Syncing members"),
            BarColumn(),
            MofNCompleteColumn(),
            console=invocation.stderr,
            transient=True,
            disable=invocation.quiet or not invocation.stderr.is_terminal,
        )
        self._task = self._bar.add_task("sync", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, progress: JobProgress) -> None:
        self._bar.update(self._task, completed=progress.read, total=progress.about)


def print_report(
    invocation: Invocation, run: FinishedRun, book: RecordBook, *, dry_run: bool, project: str
) -> None:
    """Records, then the summary."""
    invocation.say(f"Sync of members into mentors on {project}" + (" (dry run)" if dry_run else ""))
    invocation.say()
    _print_records(invocation, run.counts, book)
    _print_summary(invocation, run.counts)
    if dry_run:
        invocation.say("Dry run: everything was done and rolled back. Now without --dry-run.")
    if run.counts.get("rejected"):
        invocation.say(_WOULD_BE_SET_ASIDE if dry_run else _SET_ASIDE)
    invocation.say(f"Run {run.id}: {run.status}. More: mentor-sync run show {str(run.id)[:8]}")


def _print_records(invocation: Invocation, counts: dict[str, int], book: RecordBook) -> None:
    few = sum(counts.values()) <= READABLE
    table = Table(box=None, pad_edge=False, show_header=False)
    for outcome in OUTCOMES:
        of_kind = [record for record in book.records if record["outcome"] == outcome]
        shown = of_kind if few else of_kind[:SAMPLE]
        for record in shown:
            table.add_row(*(plain(cell) for cell in _cells(outcome, record)))
        if counts.get(outcome, 0) > len(shown):
            table.add_row("", f"... and {counts[outcome] - len(shown):,} more", "", "")
    if table.row_count:
        invocation.show(table)
        invocation.say()


def _cells(outcome: str, record: Record) -> tuple[str, str, str, str]:
    why = record.get("reason") or ""
    if outcome == "created":
        why = f"mentor {record['mentor_id']}"
    return outcome.replace("_", " "), record.get("name", ""), record.get("email", ""), why


def _print_summary(invocation: Invocation, counts: dict[str, int]) -> None:
    invocation.show(summary_table({"": counts}))
    invocation.say()


def all_counts(counts: dict[str, int]) -> dict[str, int]:
    """The counts of every kind, and of all that were found."""
    found = sum(counts.get(kind, 0) for kind in FOUND)
    return {"found": found, **{kind: counts.get(kind, 0) for kind in OUTCOMES}}


def summary_table(runs: dict[str, dict[str, int]]) -> Table:
    """The summary of one run, or of several beside each other, by title."""
    table = Table(box=None, pad_edge=False, show_header=len(runs) > 1)
    table.add_column()
    for title in runs:
        table.add_column(title, justify="right")
    columns = [all_counts(counts) for counts in runs.values()]
    _add_row(table, "Active members of type mentor", columns, "found")
    for outcome, words in OUTCOMES.items():
        always = outcome in {"created", "exists", "no_user", "rejected"}
        if always or any(counts[outcome] for counts in columns):
            _add_row(table, f"  {words}", columns, outcome)
    return table


def _add_row(table: Table, words: str, columns: list[dict[str, int]], kind: str) -> None:
    table.add_row(words, *(f"{counts[kind]:,}" for counts in columns))
