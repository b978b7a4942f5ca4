"""What the demo shows."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mentor_sync.cli.match_report import print_mentors
from mentor_sync.cli.output import Invocation, plain
from mentor_sync.cli.person import on_one_line
from mentor_sync.cli.sync_report import Record, summary_table

if TYPE_CHECKING:
    from mentor_sync.demo.answers import Offers
    from mentor_sync.demo.loading import Loaded
    from mentor_sync.runner import FinishedRun

# Why somebody is no mentor, in the order in which it is told.
_EXPLAINED = ("no_user", "ambiguous", "inactive", "rejected")
_NEW_ACCOUNT = """\
psql "$SUPABASE_DB_URL" -c "insert into users_user (email) select email
    from v_members_without_mentor where state = 'no_user' limit 1\""""
_DIRECTORY = """\
curl -H "apikey: $SUPABASE_PUBLISHABLE_KEY" \\
    "$SUPABASE_URL/rest/v1/rpc/list_mentors?page_size=3\""""


@dataclass(frozen=True)
class Matched:
    """The students who were added, the run that matched them, and all offers there are."""

    students_added: int
    run: FinishedRun
    offers: Offers


@dataclass(frozen=True)
class Demo:
    """What came out: both runs, the matching, some records of the sync, the directory, the health.

    The last two are empty where the API gave up on them: a community may be that large.
    """

    loaded: Loaded
    dry_run: FinishedRun
    sync: FinishedRun
    matched: Matched
    records: list[Record]
    page: dict[str, Any]
    health: dict[str, Any]

    @property
    def listed(self) -> int | None:
        """How many mentors the directory has."""
        known = self.page.get("count", self.health.get("listed_mentors"))
        return None if known is None else int(known)


def print_demo(invocation: Invocation, found: Demo) -> None:
    """Counts, examples, mentors, health, and what to try next."""
    invocation.say()
    counts = {"dry run": found.dry_run.counts, "sync": found.sync.counts}
    invocation.show(summary_table(counts))
    _print_section(invocation, "No mentors yet, and why: one of each kind", _others(found.records))
    count = found.page.get("count", 0)
    title = f"The first of {count:,} mentors, as visitors get them (list_mentors):"
    _print_section(invocation, title, _mentors(found.page.get("results", [])))
    _print_offers(invocation, found.matched.offers)
    _print_section(invocation, "Health (the view v_sync_health):", _health(found.health))
    if not (found.page and found.health):
        invocation.note("What is not shown took the API longer than a request may take.")
    invocation.say("\nTry next:")
    for words, command in next_commands(found):
        invocation.say(f"  # {words}\n  {command}")


def next_commands(found: Demo) -> list[tuple[str, str]]:
    """What to try, each with what it shows."""
    us, sync = _program(), found.sync
    aside = " Exit code 3 says that rows were set aside." if sync.status == "partial" else ""
    pair = [f"{row['student_id']} {row['mentor_id']}" for row in found.matched.offers.mentors[:1]]
    return [
        (f"Once more: nothing changes.{aside}", f"{us} sync"),
        ("What ran, and how it went.", f"{us} run list"),
        ("The sync above, whole.", f"{us} run show {str(sync.id)[:8]}"),
        *(("Why these two.", f"{us} match explain {ids}") for ids in pair),
        ("Let this shell know the stack, for the next two.", f'eval "$({us} local env)"'),
        ("An account turns up, and its member is a mentor at once.", _NEW_ACCOUNT),
        ("The directory, as your site asks for it.", _DIRECTORY),
        ("Stop everything; the data stay for the next time.", f"{us} local down"),
    ]


def _print_offers(invocation: Invocation, offers: Offers) -> None:
    """One student's mentors, and how good all are."""
    if not offers.mentors:
        return
    invocation.say()
    print_mentors(invocation, on_one_line(offers.student), offers.mentors)
    share = f"{(offers.good_share or 0) * 100:.0f} %"
    invocation.say(
        f"Of {offers.count:,} offers {share} reach the good score of {offers.good_score:g}."
    )


def _print_section(invocation: Invocation, title: str, table: Table) -> None:
    if table.row_count:
        invocation.say(f"\n{title}")
        invocation.show(table)


def _others(records: list[Record]) -> Table:
    table = _table(10, 20, 46)
    for outcome in _EXPLAINED:
        example = next((record for record in records if record["outcome"] == outcome), None)
        if example:
            name = example.get("name") or example.get("email", "")
            _add(table, outcome.replace("_", " "), name, example.get("reason", ""))
    return table


def _mentors(results: list[dict[str, Any]]) -> Table:
    table = _table(20, 38, 18)
    for mentor in results:
        member = mentor["member"] or {}
        place = [(member.get(part) or "").strip() for part in ("city", "country")]
        name = mentor["user"]["full_name"] or ""
        _add(table, name, ", ".join(mentor["expertise"]), ", ".join(filter(None, place)))
    return table


def _health(health: dict[str, Any]) -> Table:
    """Its numbers, two a line."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    cells = [cell for name, n in health.items() if type(n) is int for cell in (name, f"{n:,}")]
    for start in range(0, len(cells), 4):
        table.add_row(*(plain(cell) for cell in cells[start : start + 4]))
    return table


def _table(*widths: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for width in widths:
        table.add_column(max_width=width, no_wrap=True)
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(plain(" ".join(cell.split())) for cell in cells))


def _program() -> str:
    """How to call the command from here: it may be in an environment that is not active."""
    if shutil.which("mentor-sync"):
        return "mentor-sync"
    script = Path(sys.executable).with_name("mentor-sync")
    inside = script.is_relative_to(Path.cwd())
    return shlex.quote(str(script.relative_to(Path.cwd()) if inside else script))
