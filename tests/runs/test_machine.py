"""Any order of asking, claiming, falling silent, ending and meddling, against a tiny model."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.people import as_service
from tests.project import Project
from tests.runs.support import FOR_GOOD, RETRYABLE, Refused, Verbs, schedule

LIMITS = {"work": None, "few": 2}
UNFINISHED = {"queued", "running", "awaiting_approval"}
FOR_SOMEBODY = {"failed", "dead", "awaiting_approval"}
workers = st.sampled_from(["a", "b"])


@dataclass
class Model:
    """What a run should be."""

    id: str
    job: str
    most: int
    status: str = "queued"
    attempt: int = 0
    fence: int = 0
    worker: str | None = None
    expired: bool = False
    paused: bool = False
    approved: bool = False

    @property
    def wanted(self) -> bool:
        return self.status == "queued" and not self.paused

    def take(self, worker: str) -> None:
        self.status, self.worker, self.expired = "running", worker, False
        self.attempt += 1
        self.fence += 1

    def rescue(self) -> None:
        """What becomes of it when anybody claims anything."""
        if self.status == "running" and self.expired:
            self.status = "dead" if self.attempt >= self.most else "queued"

    def end(self, status: str, *, retryable: bool) -> None:
        if status == "released":
            self.status, self.attempt = "queued", self.attempt - 1
        elif status == "failed" and retryable and self.attempt < self.most:
            self.status, self.paused = "queued", True
        elif status == "failed" and retryable and self.most > 1:
            self.status = "dead"
        else:
            self.status = status

    def again(self) -> None:
        self.status, self.attempt, self.paused = "queued", 0, False

    def owned_with(self, fence: int) -> bool:
        return self.status == "running" and fence == self.fence

    def knows(self, fence: int, status: str) -> bool:
        """Whether it ended so already."""
        came_of = {"failed": {"failed", "queued", "dead"}, "released": {"queued"}}
        return fence == self.fence and self.status in came_of.get(status, {status})


class Runs(RuleBasedStateMachine):
    project: Project
    runs = Bundle("runs")

    @initialize()
    def connect(self) -> None:
        self.models: dict[str, Model] = {}
        self.stack = ExitStack()
        session = self.stack.enter_context(as_service(self.project))
        self.verbs = Verbs(session.connection)
        self.verbs.register(*(schedule(job, max_concurrent=n) for job, n in LIMITS.items()))

    def teardown(self) -> None:
        self.stack.close()

    @rule(
        target=runs,
        job=st.sampled_from(sorted(LIMITS)),
        most=st.integers(1, 3),
        run_id=st.uuids(version=4),
    )
    def enqueue(self, job: str, most: int, run_id: UUID) -> Model:
        self.verbs.enqueue(job, p_id=run_id, p_max_attempts=most)
        return self.models.setdefault(str(run_id), Model(str(run_id), job, most))

    @rule(run=runs)
    def enqueue_again(self, run: Model) -> None:
        assert self.verbs.enqueue(p_id=UUID(run.id))["fence"] == run.fence

    @rule(worker=workers, limit=st.integers(1, 4))
    def claim(self, worker: str, limit: int) -> None:
        claimed = self.verbs.claim_all(worker, limit, p_holding=self.verbs.held(worker))
        self.rescue()
        self.expect(claimed, worker, self.next_runs(limit))

    @rule(worker=workers, run=runs)
    def claim_one(self, worker: str, run: Model) -> None:
        claimed = self.verbs.claim(worker, {"id": run.id})
        self.rescue()
        self.expect([claimed] if claimed else [], worker, [run] if run.wanted else [])

    @rule(worker=workers, limit=st.integers(1, 4))
    def claim_after_a_lost_answer(self, worker: str, limit: int) -> None:
        claimed = self.verbs.claim_all(worker, limit)
        self.rescue()
        lost = {m.id for m in self.models.values() if (m.status, m.worker) == ("running", worker)}
        if lost:
            assert {run["id"] for run in claimed} == lost
        else:
            self.expect(claimed, worker, self.next_runs(limit))

    @rule(run=runs)
    def fall_silent(self, run: Model) -> None:
        if run.status == "running":
            self.verbs.expire({"id": run.id})
            run.expired = True

    @rule(run=runs)
    def wait(self, run: Model) -> None:
        if run.paused and run.status == "queued":
            self.verbs.wait_over({"id": run.id})
            run.paused = False

    @rule(run=runs, behind=st.integers(0, 1))
    def heartbeat(self, run: Model, behind: int) -> None:
        named = {"id": run.id, "fence": run.fence - behind}
        owned = run.owned_with(run.fence - behind)
        assert self.refusal(self.verbs.heartbeat, named) == (None if owned else "MS001")
        run.expired = run.expired and not owned

    @rule(
        run=runs,
        behind=st.integers(0, 1),
        status=st.sampled_from(["succeeded", "partial", "failed", "cancelled", "released"]),
        retryable=st.booleans(),
    )
    def finish(self, run: Model, behind: int, status: str, retryable: bool) -> None:
        fence = run.fence - behind
        owned, known = run.owned_with(fence), run.knows(fence, status)
        named = {"id": run.id, "fence": fence}
        error = RETRYABLE if retryable else FOR_GOOD
        assert self.verbs.finish(named, status, error=error) is (owned or known)
        if owned:
            run.end(status, retryable=retryable)
            if run.paused:
                # Its pause is seconds; a slow machine must not end it for us.
                self.verbs.change({"id": run.id}, "run_at = run_at + interval '1 hour'")

    @rule(run=runs)
    def ask_for_approval(self, run: Model) -> None:
        if run.status == "running" and not run.approved:
            assert self.verbs.finish({"id": run.id, "fence": run.fence}, "awaiting_approval")
            run.status = "awaiting_approval"

    @rule(run=runs)
    def approve(self, run: Model) -> None:
        if self.changed_by_hand("approve", run, {"awaiting_approval"}):
            run.approved = True
            run.again()

    @rule(run=runs)
    def cancel(self, run: Model) -> None:
        if self.changed_by_hand("cancel", run, UNFINISHED):
            run.status = "cancelled"

    @rule(run=runs)
    def retry(self, run: Model) -> None:
        if self.changed_by_hand("retry", run, {"failed", "dead", "cancelled"}):
            run.again()

    @invariant()
    def agrees(self) -> None:
        query = "select id::text, status, attempt, fence, worker, approved from public.job_runs"
        assert sorted(self.verbs.connection.execute(query)) == sorted(
            (run.id, run.status, run.attempt, run.fence, run.worker, run.approved)
            for run in self.models.values()
        )

    @invariant()
    def is_leased_while_it_runs_and_finished_when_it_ended(self) -> None:
        query = "select status, lease_expires_at, finished_at from public.job_runs"
        for status, lease, finished in self.verbs.connection.execute(query):
            assert (lease is not None) is (status == "running")
            assert (finished is not None) is (status not in UNFINISHED)

    @invariant()
    def has_an_open_alert_while_it_is_for_somebody(self) -> None:
        query = "select run_id::text, kind from public.job_alerts where acknowledged_at is null"
        assert sorted(self.verbs.connection.execute(query)) == sorted(
            (run.id, run.status) for run in self.models.values() if run.status in FOR_SOMEBODY
        )

    def rescue(self) -> None:
        for model in self.models.values():
            model.rescue()

    def next_runs(self, limit: int) -> list[Model]:
        """The longest waiting first, as far as their jobs have room."""
        query = "select id::text, run_at from public.job_runs"
        since: dict[str, Any] = dict(self.verbs.connection.execute(query).fetchall())
        running = Counter(m.job for m in self.models.values() if m.status == "running")
        chosen: list[Model] = []
        for model in sorted(self.models.values(), key=lambda m: (since[m.id], m.id)):
            most = LIMITS[model.job]
            if model.wanted and (most is None or running[model.job] < most):
                running[model.job] += 1
                chosen.append(model)
        return chosen[:limit]

    def expect(self, claimed: list[dict[str, Any]], worker: str, chosen: list[Model]) -> None:
        assert [run["id"] for run in claimed] == [run.id for run in chosen]
        for run, model in zip(claimed, chosen, strict=True):
            model.take(worker)
            assert (run["fence"], run["worker"]) == (model.fence, worker)

    def changed_by_hand(self, verb: str, run: Model, sensible: set[str]) -> bool:
        refusal = self.refusal(self.verbs.by_hand, verb, {"id": run.id})
        assert refusal == (None if run.status in sensible else "MS004")
        return refusal is None

    @staticmethod
    def refusal(verb: Any, *args: Any) -> str | None:
        try:
            verb(*args)
        except Refused as refused:
            return str(refused)
        return None


def test_runs_are_as_the_model_says(project: Project) -> None:
    class OfThisProject(Runs):
        pass

    OfThisProject.project = project
    run_state_machine_as_test(
        OfThisProject,
        settings=settings(
            max_examples=60,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
