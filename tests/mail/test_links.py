"""Links in mails: one click ends a kind or answers a question, and can do nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from mentor_sync.daemon.health import HealthServer, create_app
from mentor_sync.daemon.metrics import Metrics
from mentor_sync.daemon.pages import Pages
from tests.daemon.test_health import Patient
from tests.mail.support import Worker, queue, statuses
from tests.mail.test_deliver import deliver, mails
from tests.people import as_anon, as_mentor, as_student
from tests.project import Api, Project

ASK = {"about": "match:1", "answers": ["1", "2", "3", "4", "5"]}


@pytest.fixture
def site(api: Api) -> Iterator[str]:
    """Where the daemon's pages are."""
    pages = Pages(api.database, "Mentoring, Inc <mentoring@example.org>")
    server = HealthServer(create_app(Patient(), Metrics(), pages.routes()), 0)
    server.start()
    yield server.url
    server.stop()
    pages.close()


def asked(project: Project) -> tuple[UUID, list[str]]:
    """A survey to Ann, and its five tokens."""
    ann = project.person("ann@example.org")
    queue(project, ann, p_kind="feedback_survey", p_data={"other_name": "Bob", "ask": [ASK]})
    (row,) = Worker(project).claim()
    return ann, row["asked"][0]


def answer(project: Project, token: str) -> str:
    with as_anon(project) as anybody:
        outcome: str = anybody.one("select answer_message(%s) ->> 'outcome'", token)
        anybody.connection.commit()
    return outcome


def test_one_click_unsubscribes_from_that_kind_only(project: Project) -> None:
    ann, bob = project.person("ann@example.org"), project.person("bob@example.org")
    for about, person in (("m:1", ann), ("m:2", ann), ("m:1", bob)):
        queue(project, person, about)
    token = project.one("select private.unsubscribe_token(%s, 'milestone')", ann)
    with as_anon(project) as anybody:
        assert anybody.one("select unsubscribe(%s)", token) is True
        assert anybody.one("select unsubscribe(%s)", token) is True
        anybody.connection.commit()
    rows = project.rows("select user_id, kind, channel from contact_preferences")
    assert rows == [(ann, "milestone", "off")]
    assert statuses(project) == {"off": 2, "queued": 1}
    queue(project, ann, "x", p_kind="session_reminder")
    assert statuses(project) == {"off": 2, "queued": 2}


def test_whoever_leaves_the_digest_gets_nothing_more(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(f"insert into contact_preferences values ('{ann}', 'milestone', 'digest')")
    token = project.one("select private.unsubscribe_token(%s, 'digest')", ann)
    with as_anon(project) as anybody:
        anybody.one("select unsubscribe(%s)", token)
        anybody.connection.commit()
    queue(project, ann)
    assert statuses(project) == {"off": 1}


def test_nobody_unsubscribes_others_with_a_token_made_up(project: Project) -> None:
    ann, bob = project.person("ann@example.org"), project.person("bob@example.org")
    queue(project, bob)
    token = project.one("select private.unsubscribe_token(%s, 'milestone')", ann)
    payload, _, signature = token.rpartition(".")
    others = [
        payload.replace(str(ann), str(bob)) + "." + signature,
        payload,
        signature,
        "",
        token[1:],
    ]
    with as_anon(project) as anybody:
        for other in others:
            assert anybody.one("select unsubscribe(%s)", other) is True
        anybody.connection.commit()
    assert project.rows("select from contact_preferences") == []
    assert statuses(project) == {"queued": 1}


def test_the_first_answer_counts(project: Project) -> None:
    ann, tokens = asked(project)
    assert answer(project, tokens[3]) == "recorded"
    assert answer(project, tokens[3]) == answer(project, tokens[0]) == "answered"
    rows = project.rows("select user_id, kind, about, answer from message_answers")
    assert rows == [(ann, "feedback_survey", "match:1", "4")]


def test_an_old_link_answers_nothing(project: Project) -> None:
    project.run("update program_settings set value = '-1' where key = 'answer_days'")
    _, tokens = asked(project)
    assert answer(project, tokens[3]) == "expired"
    assert project.rows("select from message_answers") == []


def test_a_changed_token_answers_nothing(project: Project) -> None:
    _, tokens = asked(project)
    parts = tokens[0].split(".")
    better = ".".join([*parts[:2], "4", *parts[3:]])
    later = ".".join([*parts[:3], str(int(parts[3]) + 86_400), parts[4]])
    unsubscribes = project.one(
        "select private.unsubscribe_token(recipient, kind) from message_outbox"
    )
    for token in (better, later, unsubscribes, "", "x" * 40, tokens[0] + "0"):
        assert answer(project, token) == "unknown"
    assert project.rows("select from message_answers") == []


def test_people_see_their_own_answers_only(project: Project) -> None:
    _, tokens = asked(project)
    answer(project, tokens[3])
    for who in (as_student, as_mentor):
        with who(project) as other:
            assert other.rows("select from message_answers") == []
            assert other.refused("delete from message_answers")
            assert other.refused("select private.signed('answer', 'x')")
            assert other.refused("select from private.signing_keys")


def test_a_survey_has_a_link_a_rating(
    project: Project, api: Api, tmp_path: Path, site: str
) -> None:
    made = queue(
        project, project.person("ann@example.org"), p_kind="feedback_survey",
        p_data={"other_name": "Bob", "ask": [ASK]},
    )  # fmt: skip
    deliver(api, tmp_path / "box", links=f"{site}/links")
    text = mails(tmp_path / "box")[made].get_body(("plain",))
    assert text is not None
    links = re.findall(r"http\S+answer=\S+", text.get_content())
    assert len(links) == 5
    assert httpx.get(links[4]).status_code == 200
    assert project.rows("select from message_answers") == []
    assert "noted" in httpx.post(links[4]).text
    assert project.rows("select answer from message_answers") == [("5",)]


def test_without_a_page_a_survey_waits(project: Project, api: Api, tmp_path: Path) -> None:
    data = {"other_name": "Bob", "ask": [ASK]}
    queue(project, project.person("ann@example.org"), p_kind="feedback_survey", p_data=data)
    deliver(api, tmp_path / "box")
    assert statuses(project) == {"queued": 1}
    assert "MENTOR_SYNC_LINKS" in project.one("select error from message_outbox")


def test_the_mail_program_s_button_unsubscribes(
    project: Project, api: Api, tmp_path: Path, site: str
) -> None:
    """RFC 8058: a POST to the address in the header, of nothing but a form."""
    data = {"student_name": "A", "is_yours": True, "title": "T", "reached_at": "2026-01-01T00:00Z"}
    made = queue(project, project.person("ann@example.org"), p_data=data)
    deliver(api, tmp_path / "box", links=f"{site}/links")
    header = mails(tmp_path / "box")[made]["List-Unsubscribe"]
    said = httpx.post(header.strip("<>"), data={"List-Unsubscribe": "One-Click"})
    assert said.status_code == 200
    assert project.rows("select kind, channel from contact_preferences") == [("milestone", "off")]


@pytest.mark.parametrize(
    "query", ["", "?answer=", "?other=x", "?answer=x.0.0.0.y", "?unsubscribe=%00", "?answer=%C3%A4"]
)
def test_a_link_that_is_none_says_so(site: str, query: str) -> None:
    answered = httpx.post(f"{site}/links{query}")
    assert answered.status_code == 404
    assert "not whole" in answered.text


def test_a_page_holds_nothing_of_its_address(site: str) -> None:
    page = httpx.get(f"{site}/links", params={"answer": "<script>alert(1)</script>"})
    assert "script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert parse_qs(urlsplit(str(page.url)).query)
