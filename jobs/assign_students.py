"""Students without a mentor are assigned to free seats: the best for all together, proven.

Reads students, seats and their terms; writes matches, match_events, mentorship_requests, users
and message_outbox. Nothing unless auto_assignment in program_settings is on, or it is forced.
Running it again is safe: who has a mentor is not assigned, and every rule is looked at once more
when the match begins.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from pydantic import Field

from mentor_sync.batches import prove
from mentor_sync.database import Json
from mentor_sync.job import JobContext, JobResult, Params, Progress, job
from mentor_sync.matching.outcome import GOALS, Goal, Outcome, reach
from mentor_sync.matching.placing import Placings, Seating, told
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.unplaced import Unplaced
from mentor_sync.paging import all_pages, in_halves
from mentor_sync.terms import refresh_terms

STUDENTS = 500
"""Students a call that writes: what stays near a second."""
RECORDS = 200
"""Students of a run who are reported one by one, and as many who are left without a mentor."""


class AssignParams(Params):
    """dry_run: roll every chunk back.

    goal: what is best; compare: report the outcomes of all goals as well.
    unasked: also students who have a profile and no mentor, but did not ask.
    force: although auto_assignment is off.
    student_id: only this student. max_changes: place so many at the most, who wait longest.
    """

    dry_run: bool = False
    goal: Goal = "score"
    compare: bool = False
    unasked: bool = True
    force: bool = False
    # A string in job_runs.params, as JSON has it.
    student_id: UUID | None = Field(None, strict=False)
    max_changes: int | None = Field(None, ge=0)


@job(params=AssignParams, cron="30 3 * * *")
def assign_students(context: JobContext, params: AssignParams) -> JobResult:
    """Assign students without a mentor to free seats, where that is switched on."""
    settings = context.database.rpc("assignment_settings", {}, expect=dict)
    if not (settings["auto_assignment"] or params.force):
        reason = "auto_assignment in program_settings is off"
        context.log.warning("nobody is assigned", reason=reason)
        return JobResult({"switched_off": 1})
    refresh_terms(context, Progress(0, 0, {}, []))
    seating = Seating.of(_pool(context, params), settings)
    outcome = _reached(context, params, seating, settings)
    counts: Counter[str] = Counter(context.progress.get("counts", {}))
    _save(context, params, seating.placings(outcome, params.max_changes), counts)
    counts["without"] = len(outcome.mentor) - outcome.placed
    left = Unplaced(seating, outcome, settings["rules"]).records(RECORDS)
    read = sum(counts.values())
    context.report(Progress(read, read, dict(counts), left))
    return JobResult(dict(counts), partial=counts["failed"] > 0)


def _pool(context: JobContext, params: AssignParams) -> Pool:
    student = str(params.student_id) if params.student_id else None
    limit = context.settings.chunk_size
    asked: Json = {"p_student_id": student, "p_unasked": params.unasked}
    students = all_pages(context.database, "students_to_assign", asked, limit)
    mentors = all_pages(context.database, "mentors_to_assign", {}, limit)
    return Pool(Requests.of(students), Mentors.of(mentors))


def _reached(
    context: JobContext, params: AssignParams, seating: Seating, settings: Json
) -> Outcome:
    """The outcome of the goal; the others are told beside it."""
    goals = GOALS if params.compare else (params.goal,)
    found = {goal: reach(goal, seating.market, good=settings["good_units"]) for goal in goals}
    about, offered = seating.market.students, {"offered": settings["offered"]}
    records = [told(outcome) | offered for outcome in found.values()]
    context.report(Progress(0, about, {}, records))
    return found[params.goal]


def _save(
    context: JobContext, params: AssignParams, placings: Placings, counts: Counter[str]
) -> None:
    labels = prove(context, placings.proposals)
    read, records = 0, RECORDS

    def write(chunk: list[Json]) -> Json:
        call = {"p_pairs": chunk, "p_dry_run": params.dry_run, "p_records": records}
        return context.database.rpc("save_assignments", {**context.ownership, **call}, expect=dict)

    for chunk in placings.chunks(min(STUDENTS, context.settings.chunk_size), labels):
        for answer in in_halves(write, chunk):
            counts.update(answer["counts"])
            read += sum(answer["counts"].values())
            records = max(records - len(answer["records"]), 0)
            context.report(Progress(read, len(placings), dict(counts), answer["records"]))
