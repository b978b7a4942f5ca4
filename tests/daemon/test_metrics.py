"""The metrics, as a scrape sees them."""

from __future__ import annotations

import math
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mentor_sync import __version__
from mentor_sync.daemon.metrics import Metrics

Labels = tuple[str, ...]
JOB, OTHER_JOB = "sync_mentor_profiles", "recompute_matches"
FAMILIES = [
    "runs_total",
    "run_seconds",
    "slot_lateness_seconds",
    "runs_queued",
    "oldest_queued_seconds",
    "retries_total",
    "rows_changed_total",
    "api_requests_total",
    "api_errors_total",
    "last_tick_timestamp_seconds",
    "build_info",
]


def scraped(metrics: Metrics) -> dict[tuple[str, Labels], float]:
    """Every series by its name without the prefix and its label values, in order of labels."""
    return {
        (
            sample.name.removeprefix("mentor_sync_"),
            tuple(v for _, v in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_a_finished_run_is_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.run_finished(JOB, "succeeded", 0.3)
    metrics.run_finished(JOB, "succeeded", 4000)
    metrics.run_finished(JOB, "dead", 0.05)
    seen = scraped(metrics)
    assert seen["runs_total", (JOB, "succeeded")] == 2
    assert seen["runs_total", (JOB, "dead")] == 1
    assert seen["run_seconds_sum", (JOB,)] == pytest.approx(4000.35)
    at_most = {le: seen["run_seconds_bucket", (JOB, le)] for le in ("0.1", "0.5", "3600.0", "+Inf")}
    assert at_most == {"0.1": 1, "0.5": 2, "3600.0": 2, "+Inf": 3}


def test_lateness_has_its_own_buckets() -> None:
    metrics = Metrics()
    metrics.slot_started(JOB, 0.07)
    metrics.slot_started(JOB, 301)
    seen = scraped(metrics)
    buckets = {
        float(labels[1]): value
        for (name, labels), value in seen.items()
        if name == "slot_lateness_seconds_bucket"
    }
    assert list(buckets) == [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, math.inf]
    assert list(buckets.values()) == [0, *[1] * 10, 2]


def test_clocks_that_disagree_make_nothing_negative() -> None:
    metrics = Metrics()
    metrics.slot_started(JOB, -2.0)
    metrics.run_finished(JOB, "succeeded", -0.5)
    seen = scraped(metrics)
    assert seen["slot_lateness_seconds_sum", (JOB,)] == 0
    assert seen["slot_lateness_seconds_count", (JOB,)] == 1
    assert seen["run_seconds_sum", (JOB,)] == 0
    assert seen["run_seconds_count", (JOB,)] == 1


def test_the_queue_replaces_the_one_before() -> None:
    metrics = Metrics()
    metrics.queue(
        [
            {"job": JOB, "queued": 3, "oldest_seconds": 12.5},
            {"job": OTHER_JOB, "queued": 1, "oldest_seconds": None},
        ]
    )
    before = scraped(metrics)
    assert before["oldest_queued_seconds", (JOB,)] == 12.5
    assert before["oldest_queued_seconds", (OTHER_JOB,)] == 0
    metrics.queue([{"job": JOB, "queued": 2, "oldest_seconds": 1}])
    after = {key: value for key, value in scraped(metrics).items() if "queued" in key[0]}
    assert after == {("runs_queued", (JOB,)): 2, ("oldest_queued_seconds", (JOB,)): 1}


def test_a_queue_that_makes_no_sense_replaces_nothing() -> None:
    metrics = Metrics()
    metrics.queue([{"job": JOB, "queued": 3, "oldest_seconds": 1}])
    before = scraped(metrics)
    with pytest.raises(KeyError):
        metrics.queue([{"job": OTHER_JOB, "queued": 1, "oldest_seconds": 1}, {"job": JOB}])
    with pytest.raises(ValueError, match="many"):
        metrics.queue([{"job": OTHER_JOB, "queued": "many", "oldest_seconds": 1}])
    assert scraped(metrics) == before


def test_retries_and_rows_are_counted_by_job() -> None:
    metrics = Metrics()
    metrics.retried(JOB)
    metrics.rows_changed(JOB, {"inserted": 5, "updated": 0})
    metrics.rows_changed(JOB, {"inserted": 2})
    metrics.rows_changed(OTHER_JOB, {"inserted": 1})
    seen = scraped(metrics)
    assert seen["retries_total", (JOB,)] == 1
    assert seen["rows_changed_total", (JOB, "inserted")] == 7
    assert seen["rows_changed_total", (JOB, "updated")] == 0
    assert seen["rows_changed_total", (OTHER_JOB, "inserted")] == 1


@pytest.mark.parametrize("code", ["503", "57014", "MS001", "PGRST202", "PGRSTX00", "unreachable"])
def test_answers_are_counted_by_code_and_failures_once_more(code: str) -> None:
    metrics = Metrics()
    metrics.api_answered("200", ok=True)
    metrics.api_answered(code, ok=False)
    metrics.api_answered(code, ok=False)
    seen = {key: value for key, value in scraped(metrics).items() if key[0].startswith("api_")}
    assert seen == {
        ("api_requests_total", ("200",)): 1,
        ("api_requests_total", (code,)): 2,
        ("api_errors_total", (code,)): 2,
    }


@pytest.mark.parametrize(
    "code", ["", "20", "2000", "sb_secret_0123456789", "503\n", "2٠٠", "ms001"]
)
def test_a_code_of_no_known_form_makes_no_series_of_its_own(code: str) -> None:
    metrics = Metrics()
    metrics.api_answered(code, ok=False)
    seen = {key: value for key, value in scraped(metrics).items() if key[0].startswith("api_")}
    assert seen == {("api_requests_total", ("other",)): 1, ("api_errors_total", ("other",)): 1}


def test_the_last_tick_and_the_version() -> None:
    metrics = Metrics()
    assert scraped(metrics)["last_tick_timestamp_seconds", ()] == 0
    metrics.ticked(1_790_000_000.5)
    seen = scraped(metrics)
    assert seen["last_tick_timestamp_seconds", ()] == 1_790_000_000.5
    assert seen["build_info", (__version__,)] == 1


def test_every_family_is_one_of_ours_and_each_instance_counts_alone() -> None:
    metrics, untouched = Metrics(), Metrics()
    for act in (metrics.retried, lambda job: metrics.run_finished(job, "succeeded", 1)):
        act(JOB)
    families = {line.split()[2] for line in metrics.text().decode().splitlines() if line[0] == "#"}
    assert families == {f"mentor_sync_{name}" for name in FAMILIES}
    assert [key for key in scraped(untouched) if JOB in key[1]] == []


def test_no_scrape_sees_half_a_queue() -> None:
    metrics, done = Metrics(), threading.Event()
    rows = [{"job": f"job_{n}", "queued": 1, "oldest_seconds": 1} for n in range(50)]
    metrics.queue(rows)

    def replace() -> None:
        while not done.is_set():
            metrics.queue(rows)

    thread = threading.Thread(target=replace)
    thread.start()
    sizes = {sum(key[0] == "runs_queued" for key in scraped(metrics)) for _ in range(50)}
    done.set()
    thread.join()
    assert sizes == {50}
