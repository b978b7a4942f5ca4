"""`mentor-sync schedule`: when jobs run, and for how long they pause."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.output import JsonOption, invocation_of, plain
from mentor_sync.cli.project import open_project
from mentor_sync.errors import UsageError

if TYPE_CHECKING:
    from mentor_sync.database import Database
    from mentor_sync.schedule import Schedule

app = typer.Typer(help="See and change when jobs run.", no_args_is_help=True)
JobArgument = Annotated[str, typer.Argument(help="Name of the job.")]


@app.command("list")
def list_schedules(context: typer.Context, _json: JsonOption = False) -> None:
    """List the jobs: when they run, what happens after an outage, what is wrong."""
    invocation = invocation_of(context)
    with open_project(invocation) as database:
        state = _state(database)
    rows = [_described(row, state) for row in state["schedules"]]
    invocation.answer({"schedules": rows})
    table = Table(box=None, pad_edge=False)
    for title in ("job", "next (UTC)", "cron", "time zone", "missed slots"):
        table.add_column(title, no_wrap=True)
    for row in rows:
        cells = ("job", "next", "runs", "timezone", "missed")
        table.add_row(*(plain(row[cell] or "") for cell in cells))
    invocation.show(table)
    for row in rows:
        if row["error"]:
            invocation.note(f"{row['job']}: {row['error']} What was there before is in effect.")


@app.command("next")
def next_slots(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(help="Only this job.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many.")] = 5,
    _json: JsonOption = False,
) -> None:
    """List the slots to come, and those that an outage left to be caught up."""
    from mentor_sync.schedule import Schedule

    invocation = invocation_of(context)
    with open_project(invocation) as database:
        state = _state(database)
    now = datetime.fromisoformat(state["now"])
    schedules = [Schedule.of(row, state["timezone"]) for row in state["schedules"]]
    wanted = [schedule for schedule in schedules if job in (None, schedule.job)]
    if job and not wanted:
        raise _no_job(job)
    slots = sorted(slot for schedule in wanted for slot in _upcoming(schedule, now, count))
    invocation.answer(
        {
            "slots": [
                {"slot": at.isoformat(), "job": name, "missed": late} for at, name, late in slots
            ]
        }
    )
    for at, name, late in slots[:count] if job is None else slots:
        invocation.say(f"{at:%Y-%m-%d %H:%M} UTC  {name}" + ("  (missed, due now)" if late else ""))


@app.command("run")
def run_job(context: typer.Context, job: JobArgument, _json: JsonOption = False) -> None:
    """Ask the daemons to run a job now, with the parameters of its schedule."""
    from mentor_sync.runner import enqueue

    invocation = invocation_of(context)
    with open_project(invocation) as database:
        row = _row(_state(database), job)
        run_id = enqueue(database, job, row["params"])
    invocation.answer({"run_id": str(run_id)})
    invocation.say(f"Run {run_id} waits for a daemon. Follow it: mentor-sync run show {run_id}")


@app.command("pause")
def pause(context: typer.Context, job: JobArgument, _json: JsonOption = False) -> None:
    """Schedule no further runs of a job."""
    _switch(context, job, on=False)


@app.command("resume")
def resume(context: typer.Context, job: JobArgument, _json: JsonOption = False) -> None:
    """Schedule runs of a job again, from now on."""
    _switch(context, job, on=True)


def _switch(context: typer.Context, job: str, *, on: bool) -> None:
    invocation = invocation_of(context)
    with open_project(invocation) as database:
        changed = database.update("job_schedules", {"enabled": on}, job=job)
    if not changed:
        raise _no_job(job)
    invocation.answer({"job": job, "enabled": on})
    invocation.say(f"{job} is {'scheduled again' if on else 'paused'}.")


def _upcoming(schedule: Schedule, now: datetime, count: int) -> list[tuple[datetime, str, bool]]:
    missed = [(slot, schedule.job, True) for slot in schedule.due(now)]
    coming = islice(schedule.next_slots(now), count)
    return missed + [(slot, schedule.job, False) for slot in coming]


def _described(row: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    from mentor_sync.schedule import Schedule

    schedule = Schedule.of(row, state["timezone"])
    following = next(schedule.next_slots(datetime.fromisoformat(state["now"])), None)
    cron = schedule.cron
    runs = cron.expression if cron else "by hand"
    return {
        "job": schedule.job,
        "runs": runs if schedule.enabled else f"paused; {runs}",
        "in_words": cron.explain() if cron else "",
        "enabled": schedule.enabled,
        "timezone": cron.timezone if cron else "",
        "next": following.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if following else None,
        "missed": f"{schedule.catch_up}, {schedule.max_age.total_seconds() / 3600:g} h"
        if cron
        else "",
        "error": schedule.error,
    }


def _state(database: Database) -> dict[str, Any]:
    """What the database says, with every job of the code in it."""
    from mentor_sync.job import load_jobs

    jobs = [job.schedule() for job in load_jobs().values()]
    database.rpc("register_jobs", {"p_jobs": jobs}, expect=int)
    return database.rpc("scheduler_state", {}, expect=dict)


def _row(state: dict[str, Any], job: str) -> dict[str, Any]:
    for row in state["schedules"]:
        if row["job"] == job:
            return dict(row)
    raise _no_job(job)


def _no_job(job: str) -> UsageError:
    return UsageError(f"There is no job {job}.", hint="See: mentor-sync schedule list")
