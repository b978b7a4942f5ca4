"""Jobs for the drills, and the daemon that knows them: `python -m tests.drills.jobs daemon`."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Literal

from mentor_sync import job as registry
from mentor_sync.cli import run
from mentor_sync.job import Job, JobContext, JobResult, Params, Progress

SQL = """
create table public.drill_steps (
  run_id uuid not null, step integer not null, fence bigint not null, worker text not null,
  primary key (run_id, step)
);
create function public.drill_step(
  p_run_id uuid, p_fence bigint, p_step integer, p_seconds double precision
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
begin
  insert into public.drill_steps (run_id, step, fence, worker)
  values (run.id, p_step, run.fence, run.worker) on conflict do nothing;
  perform pg_sleep(p_seconds);
  update public.job_runs as r set progress = jsonb_build_object('step', p_step) where r.id = run.id;
  return '{}';
end
$$;
grant execute on function public.drill_step(uuid, bigint, integer, double precision)
to service_role;
"""
"""What the drill's job writes: a row a step, by a verb that asks whose the run is."""


class Steps(Params):
    """steps: how many. pause: seconds between two of them. seconds: what each takes in SQL."""

    steps: int = 1
    pause: float = 0.0
    seconds: float = 0.0
    how: Literal["well", "nothing", "nonsense", "exit"] = "well"


def _drill(context: JobContext, params: Steps) -> JobResult:
    if params.how == "exit":
        sys.exit(3)
    if params.how != "well":
        return None if params.how == "nothing" else JobResult({"steps": -1})  # type: ignore[return-value]
    done: int = context.progress.get("step", 0)
    while done < params.steps:
        done += 1
        call = {**context.ownership, "p_step": done, "p_seconds": params.seconds}
        context.database.rpc("drill_step", call, expect=dict)
        context.report(Progress(done, params.steps, {}, []))
        time.sleep(params.pause)
    return JobResult({"steps": done})


def _fatal(context: JobContext, params: Params) -> JobResult:
    os.kill(os.getpid(), signal.SIGKILL)
    return JobResult()


# Not by the decorator: only daemons of drills know them, whoever imports this.
DRILL = Job(
    "drill",
    "Write a row a step.",
    Steps,
    _drill,
    {"lease_seconds": 5, "max_concurrent": None, "max_attempts": 50},
)
FATAL = Job(
    "drill_fatal",
    "Kill the process that runs it.",
    Params,
    _fatal,
    {"lease_seconds": 5, "max_attempts": 2},
)

if __name__ == "__main__":
    sys.argv[0] = "mentor-sync"
    registry._registry.update({"drill": DRILL, "drill_fatal": FATAL})
    run()
