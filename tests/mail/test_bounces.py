"""Resend's webhook: believed for its signature alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import psycopg
import pytest

from tests.mail.support import Worker, queue, statuses
from tests.people import as_admin, as_anon, as_mentor, as_service, as_student
from tests.project import Api, Project

SECRET = base64.b64encode(b"a secret of the webhook").decode()
BOUNCE = {
    "type": "email.bounced",
    "data": {
        "email_id": "r1",
        "to": ["Ann@Example.org"],
        "bounce": {"type": "Permanent", "message": "No such mailbox."},
    },
}


@pytest.fixture
def sent(project: Project) -> Project:
    """Ann and Bob got a message each, r1 and r2 to Resend."""
    worker = Worker(project)
    for number, name in enumerate(("ann", "bob"), 1):
        made = queue(project, project.person(f"{name}@example.org"))
        worker.claim()
        worker.finish(made, provider_id=f"r{number}")
    with as_service(project) as service:
        service.one("select set_resend_secret(%s)", f"whsec_{SECRET}")
        service.connection.commit()
    return project


def post(
    api: Api, event: Any, *, secret: str = SECRET, age: int = 0, sent_as: Any = None
) -> httpx.Response:
    """As Resend calls: no key but the publishable one in the address, a signature of the body."""
    body, stamp = json.dumps(event), str(int(time.time()) - age)
    signed = f"msg_1.{stamp}.{body}".encode()
    digest = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
    return httpx.post(
        f"{api.url}/rest/v1/rpc/resend_webhook",
        params={"apikey": api.keys.publishable_key},
        content=json.dumps(sent_as) if sent_as else body,
        headers={
            "content-type": "application/json",
            "svix-id": "msg_1",
            "svix-timestamp": stamp,
            "svix-signature": f"v1,AAAA v1,{base64.b64encode(digest).decode()}",
        },
    )


def test_a_bounce_marks_the_message_and_the_address(sent: Project, api: Api) -> None:
    for _ in range(2):
        assert post(api, BOUNCE).json() == "noted"
    assert statuses(sent) == {"bounced": 1, "sent": 1}
    rows = sent.rows("select address, reason from undeliverable_addresses")
    assert rows == [("ann@example.org", "No such mailbox.")]
    queue(sent, sent.one("select id from users where email = 'ann@example.org'"), "next")
    assert Worker(sent).claim() == []


def test_a_full_mailbox_is_written_to_again(sent: Project, api: Api) -> None:
    data = {**BOUNCE["data"], "bounce": {"type": "Transient", "message": "Full."}}  # type: ignore[dict-item]
    assert post(api, {**BOUNCE, "data": data}).json() == "noted"
    assert statuses(sent) == {"bounced": 1, "sent": 1}
    assert sent.rows("select from undeliverable_addresses") == []


def test_a_complaint_ends_all_mail(sent: Project, api: Api) -> None:
    event = {"type": "email.complained", "data": {"email_id": "r2", "to": ["bob@example.org"]}}
    assert post(api, event).json() == "noted"
    assert statuses(sent) == {"complained": 1, "sent": 1}
    assert sent.rows("select address from undeliverable_addresses") == [("bob@example.org",)]


def test_other_events_change_nothing(sent: Project, api: Api) -> None:
    before = sent.contents("message_outbox", "undeliverable_addresses")
    assert post(api, {**BOUNCE, "type": "email.opened"}).json() == "ignored"
    assert sent.contents("message_outbox", "undeliverable_addresses") == before


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": base64.b64encode(b"another").decode()},
        {"age": 400},
        {"age": -400},
        {"sent_as": {**BOUNCE, "type": "email.complained"}},
    ],
)
def test_what_resend_did_not_sign_is_refused(sent: Project, api: Api, forged: Any) -> None:
    answer = post(api, BOUNCE, **forged)
    assert (answer.status_code, answer.json()["code"]) == (400, "MS008")
    assert statuses(sent) == {"sent": 2}
    assert sent.rows("select from undeliverable_addresses") == []


def test_without_a_secret_or_a_signature_nothing_is_believed(project: Project, api: Api) -> None:
    assert post(api, BOUNCE).json()["code"] == "MS008"
    url = f"{api.url}/rest/v1/rpc/resend_webhook"
    answer = httpx.post(url, params={"apikey": api.keys.publishable_key}, json=BOUNCE)
    assert answer.json()["code"] == "MS008"
    assert project.rows("select from undeliverable_addresses") == []


def test_only_the_daemon_sets_the_secret(any_project: Project) -> None:
    for who in (as_anon, as_student, as_mentor, as_admin):
        with who(any_project) as person:
            assert person.refused("select set_resend_secret('whsec_AAAAAAAAAAAAAAAA')")
            assert person.refused("select from undeliverable_addresses")
    with as_service(any_project) as service, pytest.raises(psycopg.Error) as caught:
        service.one("select set_resend_secret('hunter2')")
    assert caught.value.sqlstate == "MS009"


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_the_signature_is_hmac_sha256(project: Project, size: int) -> None:
    key, message = bytes(range(size)), b"what is signed"
    project.rows("select private.set_signing_key('test', %s)", key)
    found = project.one("select private.signature('test', %s)", message)
    assert bytes(found) == hmac.new(key, message, hashlib.sha256).digest()
