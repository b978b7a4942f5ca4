"""Jobs are found by entry points; their parameters are what they say and nothing else."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from jobs.sync_mentor_profiles import SyncParams, sync_mentor_profiles
from jobs.undo_run import UndoParams
from mentor_sync import job as job_module
from mentor_sync.errors import UsageError
from mentor_sync.job import (
    GROUP,
    Defaults,
    Job,
    JobContext,
    JobResult,
    Params,
    find_job,
    job,
    load_jobs,
)
from mentor_sync.schedule import Cron


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job[Any]]:
    """A registry for one test."""
    empty: dict[str, Job[Any]] = {}
    monkeypatch.setattr(job_module, "_registry", empty)
    return empty


def _nothing(_context: JobContext, _params: Params) -> JobResult:
    """Nothing."""
    return JobResult()


def test_the_sync_is_found_through_its_entry_point() -> None:
    assert load_jobs()["sync_mentor_profiles"] is sync_mentor_profiles
    assert find_job("sync_mentor_profiles") is sync_mentor_profiles


def test_modules_of_the_group_are_loaded(
    registry: dict[str, Job[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def points(*, group: str) -> list[EntryPoint]:
        asked.append(group)
        return [EntryPoint("x", "no.such.module", group)]

    monkeypatch.setattr(job_module, "entry_points", points)
    with pytest.raises(ModuleNotFoundError, match="no"):
        load_jobs()
    assert asked == [GROUP] == ["mentor_sync.jobs"]


def test_an_unknown_job_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"^There is no job sink_mentors\.$") as caught:
        find_job("sink_mentors")
    assert "sync_mentor_profiles" in caught.value.hint


def test_a_job_is_named_and_described_by_its_function(registry: dict[str, Job[Any]]) -> None:
    @job(params=Params, cron="0 3 * * *", lease_seconds=30, max_attempts=5)
    def tidy_up(context: JobContext, params: Params) -> JobResult:
        """Tidy up.

        Not shown.
        """
        return JobResult()

    assert registry == {"tidy_up": tidy_up}
    assert tidy_up.schedule() == {
        "job": "tidy_up",
        "description": "Tidy up.",
        "cron": "0 3 * * *",
        "catch_up": "one",
        "max_age_seconds": 86_400,
        "coalesce_slots": True,
        "max_concurrent": 1,
        "jitter_seconds": 0,
        "timeout_seconds": 3_600,
        "lease_seconds": 30,
        "max_attempts": 5,
        "keep_days": 90,
    }


def test_a_job_without_defaults_runs_by_hand_only(registry: dict[str, Job[Any]]) -> None:
    @job(params=Params)
    def tidy_up(context: JobContext, params: Params) -> JobResult:
        """Tidy up."""
        return JobResult()

    assert tidy_up.schedule()["cron"] is None
    assert tidy_up.schedule().keys() == sync_mentor_profiles.schedule().keys()


def test_every_default_of_a_job_is_in_its_row(registry: dict[str, Job[Any]]) -> None:
    plain = Job("work", "Work.", Params, _nothing).schedule()
    assert plain.keys() == Defaults.__annotations__.keys() | {"job", "description"}
    for name in Defaults.__annotations__:
        changed = Job("work", "Work.", Params, _nothing, Defaults(**{name: 7}))  # type: ignore[misc]
        assert changed.schedule() == plain | {name: 7}


@pytest.mark.parametrize(
    "params",
    [
        {"dryrun": True},
        {"dry_run": "yes"},
        {"dry_run": 1},
        {"dry_run": None},
        {"auto_approve": "no"},
        {"email": ""},
        {"email": 5},
    ],
    ids=str,
)
def test_other_parameters_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SyncParams.model_validate(params)


def test_parameters_have_defaults_and_do_not_change() -> None:
    params = SyncParams.model_validate({"email": "ann@example.org"})
    assert (params.dry_run, params.auto_approve, params.every_record) == (False, None, False)
    with pytest.raises(ValidationError, match="frozen"):
        params.dry_run = True


@pytest.mark.parametrize("params", [{}, {"run_id": None}, {"run_id": "x"}, {"run_id": 7}], ids=str)
def test_an_undoing_names_its_run(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="run_id"):
        UndoParams.model_validate(params)


def test_an_undoing_takes_its_run_as_json_has_it() -> None:
    run_id = UUID("abcd1234-0000-4000-8000-000000000001")
    assert UndoParams.model_validate({"run_id": str(run_id)}) == UndoParams(run_id=run_id)
    assert UndoParams(run_id=run_id).dry_run is False


def test_every_job_can_be_registered() -> None:
    assert load_jobs().keys() >= {"sync_mentor_profiles", "undo_run"}
    for name, found in load_jobs().items():
        cron = found.schedule()["cron"]
        assert cron is None or Cron(cron, "UTC").explain()
        assert name == found.name == found.schedule()["job"]
        assert found.description.endswith(".")
        assert issubclass(found.params, Params)
        assert found.params.model_config["extra"] == "forbid"
