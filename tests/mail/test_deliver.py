"""The job deliver_messages: from the outbox to mails, a bad one among good ones, run twice."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mentor_sync.mail.kinds import KINDS
from mentor_sync.runner import FinishedRun, run_now
from tests.mail.support import queue, statuses
from tests.project import Api, Project
from tests.sync.support import settings

COMMON = ("programme", "recipient_name", "timezone", "unsubscribe_url")


def sample(kind: str) -> dict[str, Any]:
    """What the cause of a message of this kind gives."""
    return {name: value for name, value in KINDS[kind].sample.items() if name not in COMMON}


def deliver(api: Api, folder: Path, **values: Any) -> FinishedRun:
    given = settings(mail=f"file:{folder}", mail_per_second=1000, **values)
    with api.database() as database:
        return run_now(database, given, "deliver_messages", {})


def mails(folder: Path) -> dict[UUID, EmailMessage]:
    """What was written, by the id of the message."""
    return {
        UUID(file.stem): message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in folder.glob("*.eml")
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "digest"])
def test_every_kind_arrives(project: Project, api: Api, tmp_path: Path, kind: str) -> None:
    ann = project.person("ann@example.org")
    made = queue(project, ann, p_kind=kind, p_data=sample(kind))
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}
    mail = mails(tmp_path / "box")[made]
    assert "ann@example.org" in mail["To"]
    assert str(made) in mail["Message-ID"]
    assert mail["Subject"]
    assert statuses(project) == {"sent": 1}


def test_sent_once_however_often_it_runs(project: Project, api: Api, tmp_path: Path) -> None:
    queue(project, project.person("ann@example.org"), p_data=sample("milestone"))
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}
    (tmp_path / "box").rename(tmp_path / "first")
    assert deliver(api, tmp_path / "box").counts == {}
    assert mails(tmp_path / "box") == {}


def test_one_that_cannot_be_written_fails_alone(project: Project, api: Api, tmp_path: Path) -> None:
    ann, bob = project.person("ann@example.org"), project.person("nobody")
    good = queue(project, ann, "good", p_data=sample("milestone"))
    queue(project, ann, "bad", p_data={})
    queue(project, ann, "odd", p_kind="no_such_kind")
    queue(project, bob, "good", p_data=sample("milestone"))
    run = deliver(api, tmp_path / "box")
    assert (run.status, run.counts) == ("partial", {"sent": 1, "failed": 3})
    assert set(mails(tmp_path / "box")) == {good}
    errors: dict[str, str] = dict(
        project.rows("select about, error from message_outbox where status = 'failed'")
    )
    assert "student_name" in str(errors["bad"])
    assert "no_such_kind" in str(errors["odd"])


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("survey_digest", {"ask": [{"about": "m", "answers": ["1"]}]}),
        ("session_invite", {"event": {}}),
        ("digest", {}),
        ("milestone", {"unsubscribe_url": 5}),
    ],
)
def test_whatever_is_wrong_with_one_is_not_the_others_fault(
    project: Project, api: Api, tmp_path: Path, kind: str, data: dict[str, Any]
) -> None:
    ann = project.person("ann@example.org")
    queue(project, ann, "bad", p_kind=kind, p_data=data)
    good = queue(project, ann, "good", p_data=sample("milestone"))
    deliver(api, tmp_path / "box", links="https://example.org/links")
    assert set(mails(tmp_path / "box")) == {good}
    assert statuses(project) == {"failed": 1, "sent": 1}
    assert project.one("select error from message_outbox where status = 'failed'")


def test_a_bad_part_of_a_digest_is_left_out(project: Project, api: Api, tmp_path: Path) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'digest')",
        "update program_settings set value = '0' where key = 'digest_hour'",
    )
    queue(project, ann, "bad", p_data={})
    queue(project, ann, "good", p_data=sample("milestone"))
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}


@pytest.mark.parametrize("zone", ["PST", "IST", "UTC+3", "europe/berlin"])
def test_a_zone_that_only_the_database_knows_is_utc(
    project: Project, api: Api, tmp_path: Path, zone: str
) -> None:
    queue(project, project.person("ann@example.org"), p_data=sample("milestone"))
    project.run(f"update users set timezone = '{zone}'")
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}


def test_a_language_and_a_link_to_unsubscribe(project: Project, api: Api, tmp_path: Path) -> None:
    ann = project.person("ann@example.org")
    project.run("update users set locale = 'de', timezone = 'Europe/Berlin'")
    made = queue(project, ann, p_kind="session_reminder", p_data=sample("session_reminder"))
    deliver(api, tmp_path / "box", links="https://example.org/leave")
    mail = mails(tmp_path / "box")[made]
    token = project.one("select private.unsubscribe_token(recipient, kind) from message_outbox")
    assert f"https://example.org/leave?unsubscribe={token}" in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Uhr" in text.get_content()


def test_a_digest_names_what_would_have_been_mails(
    project: Project, api: Api, tmp_path: Path
) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'digest')",
        "update program_settings set value = '0' where key = 'digest_hour'",
    )
    for kind in ("milestone", "session_reminder"):
        queue(project, ann, p_kind=kind, p_data=sample(kind))
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}
    (mail,) = mails(tmp_path / "box").values()
    text = mail.get_body(("plain",))
    assert text is not None
    assert sample("milestone")["student_name"] in text.get_content()
    assert statuses(project) == {"digested": 2, "sent": 1}


def test_a_broken_template_of_ones_own_is_no_lost_mail(
    project: Project, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "own" / "en").mkdir(parents=True)
    (tmp_path / "own" / "en" / "milestone.html").write_text("{% if %}")
    queue(project, project.person("ann@example.org"), p_data=sample("milestone"))
    deliver(api, tmp_path / "box", templates=tmp_path / "own")
    assert statuses(project) == {"queued": 1}
    assert "milestone.html" in project.one("select error from message_outbox")
    project.run("update message_outbox set not_before = now()")
    assert deliver(api, tmp_path / "box").counts == {"sent": 1}


def test_an_alert_reaches_the_admins(project: Project, api: Api, tmp_path: Path) -> None:
    project.person("admin@example.org", "admin")
    project.person("student@example.org")
    project.run(
        "insert into job_schedules (job) values ('work')",
        "insert into job_runs (job) values ('work')",
        """update job_runs set status = 'dead', error = '{"message": "It broke."}'""",
    )
    deliver(api, tmp_path / "box")
    (mail,) = mails(tmp_path / "box").values()
    text = mail.get_body(("plain",))
    assert text is not None
    assert ("admin@example.org" in mail["To"], "It broke." in text.get_content()) == (True, True)


def test_a_project_without_mail_says_so_and_fails_nobody(project: Project, api: Api) -> None:
    queue(project, project.person("ann@example.org"), p_data=sample("milestone"))
    hosted = Api("http://0.0.0.0:" + api.url.rpartition(":")[2], api.postgrest, api.keys)
    with hosted.database() as database:
        run = run_now(database, settings(), "deliver_messages", {})
    assert (run.status, run.counts) == ("partial", {"waiting": 1})
    assert (statuses(project), project.rows("select from job_alerts")) == ({"queued": 1}, [])
