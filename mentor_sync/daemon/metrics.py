"""Metrics: what the daemon counts, in the text format that Prometheus scrapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

from mentor_sync import __version__

PREFIX = "mentor_sync"
RUN_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600)
LATENESS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
OTHER = "other"
"""The label of a code that is of no known form: what servers say must not make series at will."""

_CODE = re.compile(r"[1-9]\d\d|[0-9A-Z]{5}|PGRST[0-9X]\d\d|unreachable", re.ASCII)


class Metrics:
    """The daemon's metrics, in a registry of their own. Every method may be called by any thread.

    A `job` is the name of a job, never anything of a single run: each value of a label is a
    series that Prometheus keeps. Times are in seconds.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4
    """Of what text() gives."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._queue = _Queue()
        self._registry.register(self._queue)
        self._runs = self._counter("runs", "Runs that ended, by outcome.", "job", "outcome")
        self._retries = self._counter("retries", "Runs put back to be tried again.", "job")
        self._rows = self._counter("rows_changed", "Rows that runs changed.", "job", "kind")
        self._requests = self._counter("api_requests", "Requests to the Data API.", "code")
        self._errors = self._counter("api_errors", "Requests that did not succeed.", "code")
        self._seconds = self._histogram("run_seconds", "Seconds a run took.", RUN_SECONDS)
        self._lateness = self._histogram(
            "slot_lateness_seconds",
            "Seconds from a slot to the start of its run.",
            LATENESS_SECONDS,
        )
        self._last_tick = Gauge(
            f"{PREFIX}_last_tick_timestamp_seconds",
            "Unix time of the last tick; 0 before the first.",
            registry=self._registry,
        )
        build = Info(f"{PREFIX}_build", "The version that runs.", registry=self._registry)
        build.info({"version": __version__})

    def run_finished(self, job: str, outcome: str, seconds: float) -> None:
        """Count a run that ended, and how long it took."""
        self._runs.labels(job, outcome).inc()
        self._seconds.labels(job).observe(max(0.0, seconds))

    def slot_started(self, job: str, lateness_seconds: float) -> None:
        """Note how long after its slot a run began."""
        # Two clocks may disagree: a run that is early by one of them is not late.
        self._lateness.labels(job).observe(max(0.0, lateness_seconds))

    def queue(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace what is known of the queue by rows of `job`, `queued` and `oldest_seconds`.

        Jobs without a row disappear; an `oldest_seconds` of None is 0.

        Raises:
            KeyError: a row lacks a value; nothing was replaced.
            TypeError, ValueError: likewise, where a value is no number.
        """
        self._queue.replace(rows)

    def retried(self, job: str) -> None:
        """Count a run that is put back to be tried again."""
        self._retries.labels(job).inc()

    def rows_changed(self, job: str, counts: Mapping[str, int]) -> None:
        """Add the rows that a run changed, by kind.

        Raises:
            ValueError: a count is below zero.
        """
        for kind, count in counts.items():
            self._rows.labels(job, kind).inc(count)

    def api_answered(self, code: str, ok: bool) -> None:
        """Count a request by its HTTP status, SQLSTATE, PGRST code, or "unreachable"."""
        code = code if _CODE.fullmatch(code) else OTHER
        self._requests.labels(code).inc()
        if not ok:
            self._errors.labels(code).inc()

    def ticked(self, unix_seconds: float) -> None:
        """Note when the daemon last looked for work."""
        self._last_tick.set(unix_seconds)

    def text(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        return generate_latest(_WithoutCreated(self._registry))

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", help_, labels, registry=self._registry)

    def _histogram(self, name: str, help_: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"{PREFIX}_{name}", help_, ["job"], buckets=buckets, registry=self._registry
        )


class _Queue:
    """The gauges of the queue, replaced as one: no scrape sees half of them."""

    def __init__(self) -> None:
        self._by_job: dict[str, tuple[float, float]] = {}

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._by_job = {
            str(row["job"]): (float(row["queued"]), float(row["oldest_seconds"] or 0))
            for row in rows
        }

    def collect(self) -> Iterator[Metric]:
        queued = GaugeMetricFamily(f"{PREFIX}_runs_queued", "Runs that wait.", labels=["job"])
        oldest = GaugeMetricFamily(
            f"{PREFIX}_oldest_queued_seconds",
            "Seconds that the run waits which waits the longest.",
            labels=["job"],
        )
        for job, (count, seconds) in self._by_job.items():
            queued.add_metric([job], count)
            oldest.add_metric([job], seconds)
        yield from (queued, oldest)


class _WithoutCreated:
    """A registry without the `_created` series, which would double the counters for nothing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            created = f"{metric.name}_created"
            metric.samples = [sample for sample in metric.samples if sample.name != created]
            yield metric
