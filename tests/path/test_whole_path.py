"""A student's way through the programme, over the API, with their own token."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from mentor_sync.runner import run_now
from tests.community import mentor, student
from tests.project import Api, Project
from tests.sync.support import settings


class Person:
    """Somebody who is signed in, at the API."""

    def __init__(self, project: Project, api: Api, person: UUID) -> None:
        self.api = api
        self.token = api.keys.mint("authenticated", sub=str(project.sign_up(person)))

    def call(self, verb: str, **params: Any) -> Any:
        answer = self.ask("POST", f"rpc/{verb}", json=params)
        assert answer.is_success, answer.text
        return answer.json()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        key = self.api.keys.publishable_key
        return self.api.request(method, path, key=key, token=self.token, **options)

    def sees(self, table: str) -> int:
        rows = self.ask("GET", f"{table}?select=created_at").json()
        assert isinstance(rows, list), rows
        return len(rows)


def _build(api: Api) -> None:
    with api.database() as database:
        run_now(database, settings(), "build_match_batches", {})


def test_a_student_walks_the_whole_path(project: Project, api: Api) -> None:
    bob = Person(project, api, mentor(project, "bob@x.org", skills=("Rust", "Law")))
    cid = Person(project, api, mentor(project, "cid@x.org", skills=("Rust",)))
    ann = Person(project, api, project.person("ann@x.org"))
    dan = Person(project, api, student(project, "dan@x.org", skills=("Music",)))

    ann.call("create_profile", p_skills=["rust", "LAW"], p_career_goals=["Learn Rust"])
    request = ann.call("request_mentor", p_message="Hello", p_goals=["Ship a parser"])
    assert ann.call("get_match_batch") == []
    _build(api)
    ranked = ann.call("get_match_batch")
    assert len(ranked) == 2
    assert dan.call("get_match_batch") == [] == dan.call("get_matches")

    (offer,) = bob.call("get_match_batch")
    match = bob.call("select_student", p_offer_id=offer["offer_id"])
    match = match[0] if isinstance(match, list) else match
    assert cid.call("get_match_batch") == []
    assert [m["status"] for m in ann.call("get_matches")] == ["active"]

    meeting = {"p_match_id": match["id"], "p_minutes": 45, "p_format": "video"}
    ann.call("log_meeting", **meeting, p_notes="Began", p_action_items=["Read"])
    ann.call("submit_feedback", p_match_id=match["id"], p_rating=5, p_comment="Very good")
    assert bob.sees("meeting_logs") == ann.sees("meeting_logs") == 1
    assert (bob.sees("mentorship_feedback"), ann.sees("mentorship_feedback")) == (0, 1)
    ann.call("complete_match", p_match_id=match["id"], p_reason="Done")
    assert [m["status"] for m in ann.call("get_matches")] == ["completed"]

    for other in (dan, cid):
        for table in ("mentorship_requests", "matches", "meeting_logs", "mentorship_feedback"):
            assert (table, other.sees(table)) == (table, 0)
    assert dan.sees("match_offers") == dan.sees("match_batches") == 0
    pair = {"p_student_id": request["student_id"], "p_mentor_id": match["mentor_id"]}
    assert dan.ask("POST", "rpc/calculate_match_score", json=pair).status_code == 403
    assert ann.ask("POST", "rpc/calculate_match_score", json=pair).status_code == 200
