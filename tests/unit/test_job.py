"""Jobs are found by entry points; their parameters are what they say and nothing else."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.sync_mentor_profiles import SyncParams, sync_mentor_profiles
from mentor_sync import job as job_module
from mentor_sync.errors import UsageError
from mentor_sync.job import GROUP, Job, JobContext, JobResult, Params, find_job, job, load_jobs


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job[Any]]:
    """A registry for one test."""
    empty: dict[str, Job[Any]] = {}
    monkeypatch.setattr(job_module, "_registry", empty)
    return empty


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
        "timezone": "UTC",
        "lease_seconds": 30,
        "max_attempts": 5,
    }


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


def test_every_job_can_be_registered() -> None:
    for name, found in load_jobs().items():
        assert name == found.name == found.schedule()["job"]
        assert found.description.endswith(".")
        assert issubclass(found.params, Params)
        assert found.params.model_config["extra"] == "forbid"
