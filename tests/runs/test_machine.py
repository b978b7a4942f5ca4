"""Any order of asking, claiming, falling silent, keeping and ending, against a tiny model."""

from __future__ import annotations

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
from tests.runs.support import JOB, Refused, Verbs

ENDS = ["succeeded", "partial", "failed", "cancelled"]
workers = st.sampled_from(["a", "b"])


@dataclass
class Model:
    """What a run should be."""

    id: str
    most: int
    status: str = "queued"
    attempt: int = 0
    fence: int = 0
    worker: str | None = None
    expired: bool = False

    @property
    def wanted(self) -> bool:
        return self.status == "queued" or (self.status == "running" and self.expired)

    def take(self, worker: str) -> None:
        self.status, self.worker, self.expired = "running", worker, False
        self.attempt += 1
        self.fence += 1

    def bury(self) -> None:
        if self.status == "running" and self.expired and self.attempt >= self.most:
            self.status = "dead"

    def owned_with(self, fence: int) -> bool:
        return self.status == "running" and fence == self.fence


class Runs(RuleBasedStateMachine):
    project: Project
    runs = Bundle("runs")

    @initialize()
    def connect(self) -> None:
        self.models: dict[str, Model] = {}
        self.stack = ExitStack()
        session = self.stack.enter_context(as_service(self.project))
        self.verbs = Verbs(session.connection)
        self.verbs.register(JOB)

    def teardown(self) -> None:
        self.stack.close()

    @rule(target=runs, most=st.integers(1, 3), run_id=st.uuids(version=4))
    def enqueue(self, most: int, run_id: UUID) -> Model:
        self.verbs.enqueue(p_id=run_id, p_max_attempts=most)
        return self.models.setdefault(str(run_id), Model(str(run_id), most))

    @rule(run=runs)
    def enqueue_again(self, run: Model) -> None:
        assert self.verbs.enqueue(p_id=UUID(run.id))["fence"] == run.fence

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        self.expect(self.verbs.claim(worker), worker, list(self.models.values()))

    @rule(worker=workers, run=runs)
    def claim_one(self, worker: str, run: Model) -> None:
        claimed = self.verbs.claim(worker, {"id": run.id})
        for model in self.models.values():
            model.bury()
        if run.status == "running" and run.worker == worker:
            assert claimed
            assert (claimed["id"], claimed["fence"]) == (run.id, run.fence)
        else:
            self.expect(claimed, worker, [run])

    @rule(run=runs)
    def fall_silent(self, run: Model) -> None:
        if run.status == "running":
            self.verbs.expire({"id": run.id})
            run.expired = True

    @rule(run=runs, behind=st.integers(0, 1))
    def heartbeat(self, run: Model, behind: int) -> None:
        named = {"id": run.id, "fence": run.fence - behind}
        owned = run.owned_with(run.fence - behind)
        assert self.accepted(self.verbs.heartbeat, named) is owned
        run.expired = run.expired and not owned

    @rule(run=runs, behind=st.integers(0, 1), status=st.sampled_from(ENDS))
    def finish(self, run: Model, behind: int, status: str) -> None:
        named = {"id": run.id, "fence": run.fence - behind}
        owned = run.owned_with(run.fence - behind)
        again = run.status == status and behind == 0
        assert self.accepted(self.verbs.finish, named, status) is (owned or again)
        run.status = status if owned else run.status

    @invariant()
    def agrees(self) -> None:
        query = "select id::text, status, attempt, fence, worker from public.job_runs order by id"
        rows = self.verbs.connection.execute(query).fetchall()
        assert rows == [
            (run.id, run.status, run.attempt, run.fence, run.worker)
            for run in sorted(self.models.values(), key=lambda run: run.id)
        ]

    def expect(self, claimed: dict[str, Any] | None, worker: str, among: list[Model]) -> None:
        """All runs are due since the same moment, so the lowest id goes first."""
        for model in self.models.values():
            model.bury()
        first = min((run for run in among if run.wanted), key=lambda run: run.id, default=None)
        assert (claimed and claimed["id"]) == (first and first.id)
        if first and claimed:
            first.take(worker)
            assert claimed["fence"] == first.fence

    @staticmethod
    def accepted(verb: Any, *args: Any) -> bool:
        try:
            verb(*args)
        except Refused as refused:
            assert refused.args == ("MS001",)  # noqa: PT017  # nothing else may come
            return False
        return True


def test_runs_are_as_the_model_says(project: Project) -> None:
    class OfThisProject(Runs):
        pass

    OfThisProject.project = project
    run_state_machine_as_test(
        OfThisProject,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
