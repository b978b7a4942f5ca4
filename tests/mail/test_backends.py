"""Each backend says truly what became of each mail; servers are real, on loopback."""

from __future__ import annotations

import io
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from mentor_sync.errors import ConfigurationError
from mentor_sync.mail.backends import (
    Backend,
    Console,
    File,
    MailConfigurationError,
    MailUnreachable,
    RateLimit,
    Resend,
    Smtp,
    open_backend,
)
from mentor_sync.mail.backends.letters import Letters
from mentor_sync.mail.message import Mail
from tests.mail.resend_server import KEY, Answer, ResendServer, resend_server
from tests.mail.smtp_server import HOST, USER, SmtpServer, certificate, smtp_server

LOGIN = f"{USER}:p%40ss%2Fw%23rd"
INVITATION = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def a_mail(number: int = 1, **values: Any) -> Mail:
    given: dict[str, Any] = {
        "id": UUID(int=number),
        "sender": "Mentoring <hello@mentoring.example>",
        "to": f"m{number}@example.org",
        "to_name": f"Member {number}",
        "subject": "Welcome",
        "text": "Hello,\n.\nthe dot stays.",
        "html": "<p>Hello</p>",
    }
    return Mail(**{**given, **values})


def mails(count: int, **values: Any) -> list[Mail]:
    """What is claimed together; one alone is known by its own id."""
    batch = UUID(int=999) if count > 1 else UUID(int=1)
    return [a_mail(number, batch=batch, **values) for number in range(1, count + 1)]


def outcomes(backend: Backend, *sent: Mail) -> list[str]:
    deliveries = backend.send(sent)
    assert [delivery.id for delivery in deliveries] == [mail.id for mail in sent]
    assert all(d.outcome == "sent" or d.reason for d in deliveries)
    return [delivery.outcome for delivery in deliveries]


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
    return port


# SMTP


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=[False, True], ids=["one question", "pipelining"])
def server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    with smtp_server(pipelining=request.param) as running:
        yield running


@pytest.fixture
def smtp(server: SmtpServer) -> Iterator[Smtp]:
    backend = Smtp(server.url(), timeout=5)
    yield backend
    backend.close()


def test_a_batch_goes_over_one_connection(smtp: Smtp, server: SmtpServer) -> None:
    assert outcomes(smtp, *mails(3)) == ["sent"] * 3
    assert outcomes(smtp, a_mail(4)) == ["sent"]
    assert server.connections == 1
    assert [one.to for one in server.received] == [f"m{n}@example.org" for n in (1, 2, 3, 4)]
    first = server.received[0]
    assert first.sender == "hello@mentoring.example"
    body = first.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Hello,", ".", "the dot stays."]


def test_the_message_id_is_the_providers(smtp: Smtp, server: SmtpServer) -> None:
    (delivery,) = smtp.send([a_mail()])
    assert [delivery.provider_id] == server.message_ids()


@pytest.mark.parametrize(("answer", "outcome"), [("450 busy", "retry"), ("550 no", "failed")])
def test_only_the_refused_recipient_stays(
    smtp: Smtp, server: SmtpServer, answer: str, outcome: str
) -> None:
    server.refusals["m2@example.org"] = answer
    assert outcomes(smtp, *mails(3)) == ["sent", outcome, "sent"]
    assert [one.to for one in server.received] == ["m1@example.org", "m3@example.org"]
    assert smtp.send([a_mail(2)])[0].reason == answer
    assert server.connections == 1


def test_a_bad_address_fails_alone(smtp: Smtp, server: SmtpServer) -> None:
    assert outcomes(smtp, a_mail(1, to="nobody"), a_mail(2)) == ["failed", "sent"]
    assert len(server.received) == 1


def test_nothing_is_forgotten_that_was_not_begun(smtp: Smtp, server: SmtpServer) -> None:
    server.refusals["m2@example.org"] = "550 no"
    assert outcomes(smtp, *mails(4)) == ["sent", "failed", "sent", "sent"]
    assert server.resets == 1


def test_a_bad_address_fails_in_its_turn(smtp: Smtp, server: SmtpServer) -> None:
    first, second, third = mails(3)
    assert outcomes(smtp, first, replace(second, to="nobody"), third) == ["sent", "failed", "sent"]
    assert len(server.received) == 2


def test_the_next_letter_is_written_once_and_ahead() -> None:
    asked: list[UUID] = []

    def written() -> Iterator[Mail]:
        for mail in mails(3):
            asked.append(mail.id)
            yield mail

    letters = Letters(written())
    first = next(letters)
    letters.prepare()
    letters.prepare()
    assert asked == [UUID(int=1), UUID(int=2)]
    assert [first.id, *(letter.id for letter in letters)] == [mail.id for mail in mails(3)]


def test_what_is_not_written_yet_is_put_off_too(smtp: Smtp, server: SmtpServer) -> None:
    server.sender_answers.extend(["", "550 5.7.1 not yours"])
    assert [delivery.outcome for delivery in smtp.send(iter(mails(4)))] == ["sent", *["retry"] * 3]


def test_a_cut_in_the_middle_is_for_another_try(smtp: Smtp, server: SmtpServer) -> None:
    server.cuts = 1
    assert outcomes(smtp, *mails(2)) == ["uncertain", "sent"]
    assert outcomes(smtp, a_mail(1)) == ["sent"]
    assert [one.to for one in server.received] == ["m2@example.org", "m1@example.org"]


def test_a_second_copy_has_the_same_message_id(smtp: Smtp, server: SmtpServer) -> None:
    server.lost_answers = 1
    assert outcomes(smtp, a_mail()) == ["uncertain"]
    assert outcomes(smtp, a_mail()) == ["sent"]
    first, second = server.message_ids()
    assert first == second


def test_a_server_that_closes_is_called_again(smtp: Smtp, server: SmtpServer) -> None:
    server.farewells = 1
    assert outcomes(smtp, *mails(2)) == ["sent", "sent"]
    server.farewells = 3
    assert outcomes(smtp, *mails(2)) == ["retry", "sent"]


def test_a_server_that_only_says_it_closes_is_called_again(smtp: Smtp, server: SmtpServer) -> None:
    server.sender_answers.append("421 4.3.2 closing")
    assert outcomes(smtp, a_mail()) == ["sent"]
    assert server.connections == 2


def test_a_connection_that_was_cut_is_made_again(smtp: Smtp, server: SmtpServer) -> None:
    assert outcomes(smtp, a_mail(1)) == ["sent"]
    assert smtp._connection
    assert smtp._connection.sock
    smtp._connection.sock.shutdown(socket.SHUT_RDWR)
    assert outcomes(smtp, a_mail(2)) == ["sent"]
    assert server.connections == 2


def test_nobody_there() -> None:
    smtp = Smtp(f"smtp://{HOST}:{unused_port()}", timeout=2)
    with pytest.raises(MailUnreachable, match="refused") as caught:
        smtp.send([a_mail()])
    assert caught.value.retryable


def test_a_server_that_says_nothing() -> None:
    with socket.create_server((HOST, 0)) as silent:
        smtp = Smtp(f"smtp://{HOST}:{silent.getsockname()[1]}", timeout=0.2)
        with pytest.raises(MailUnreachable, match="timed out"):
            smtp.send([a_mail()])


def test_a_server_that_went_away_does_not_answer() -> None:
    with smtp_server() as server:
        smtp = Smtp(server.url(), timeout=2)
        assert outcomes(smtp, a_mail(1)) == ["sent"]
    with pytest.raises(MailUnreachable):
        smtp.send([a_mail(2)])


def test_what_was_sent_is_told_though_the_rest_cannot(smtp: Smtp, server: SmtpServer) -> None:
    server.sender_answers.extend(["", *["550 5.7.1 not yours"] * 2])
    assert outcomes(smtp, *mails(3)) == ["sent", "retry", "retry"]
    with pytest.raises(MailConfigurationError, match="takes no mail from this sender: 550"):
        smtp.send([a_mail(2)])


def test_a_sender_may_have_to_wait(smtp: Smtp, server: SmtpServer) -> None:
    server.sender_answers.append("451 4.3.0 later")
    assert outcomes(smtp, *mails(2)) == ["retry", "sent"]


def test_a_login_and_starttls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with smtp_server("starttls", contexts[0], needs_login=True) as server:
        smtp = Smtp(server.url(user=LOGIN, query="?starttls=yes"), context=contexts[1])
        assert outcomes(smtp, *mails(2)) == ["sent", "sent"]
        smtp.close()


def test_tls_from_the_start(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with smtp_server("smtps", contexts[0]) as server:
        smtp = Smtp(server.url("smtps"), context=contexts[1])
        assert outcomes(smtp, a_mail()) == ["sent"]
        smtp.close()


def test_a_certificate_that_nobody_vouches_for(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with smtp_server("starttls", contexts[0]) as server:
        smtp = Smtp(server.url(query="?starttls=yes"))
        with pytest.raises(MailConfigurationError, match="certificate is not trusted"):
            smtp.send([a_mail()])
        assert not server.received


@pytest.mark.parametrize(
    ("url", "behaviour", "why"),
    [
        ({"user": f"{USER}:wr0ng"}, {"needs_login": True}, "refused the login: 535"),
        ({}, {"needs_login": True}, "takes no mail from this sender: 530"),
        ({"query": "?starttls=yes"}, {}, "offers no STARTTLS"),
        ({"scheme": "smtps"}, {}, "does not speak TLS"),
        ({"user": f"{USER}:p%C3%A4ss"}, {}, "takes no login"),
    ],
)
def test_what_no_mail_can_pass(url: dict[str, str], behaviour: dict[str, Any], why: str) -> None:
    with smtp_server(**behaviour) as server:
        smtp = Smtp(server.url(**url), timeout=5)
        with pytest.raises(MailConfigurationError, match=why) as caught:
            smtp.send(mails(2))
        smtp.close()
        assert "MENTOR_SYNC_MAIL" in caught.value.hint or "smtp" in caught.value.hint
        assert "wr0ng" not in caught.value.message + repr(smtp._place)
        assert not server.received


def test_a_login_that_is_busy_may_pass_later() -> None:
    with smtp_server(needs_login=True, login_answer="454 4.7.0 try again") as server:
        smtp = Smtp(server.url(user=LOGIN))
        with pytest.raises(MailUnreachable, match="try again"):
            smtp.send([a_mail()])


def test_a_host_that_does_not_exist() -> None:
    missing = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(missing))
        with pytest.raises(MailConfigurationError, match="there is no such host"):
            Smtp("smtp://mail.invalid").send([a_mail()])


# Resend


@pytest.fixture
def api() -> Iterator[ResendServer]:
    with resend_server() as running:
        yield running


class Slept(list[float]):
    """Seconds that were slept, in no time."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def resend(api: ResendServer) -> Iterator[Resend]:
    backend = Resend(KEY, base_url=api.url, sleep=Slept())
    yield backend
    backend.close()


def test_a_hundred_mails_are_one_request(resend: Resend, api: ResendServer) -> None:
    assert outcomes(resend, a_mail(101), *reversed(mails(100))) == ["sent"] * 101
    assert [request.path for request in api.requests] == ["/emails/batch", "/emails"]
    assert api.recipients() == sorted(f"Member {n} <m{n}@example.org>" for n in range(1, 102))
    assert api.requests[1].key == str(UUID(int=101))
    assert api.requests[0].key.startswith("batch-")


def test_what_resend_is_told(resend: Resend, api: ResendServer) -> None:
    url = "https://mentoring.example/u?t=1"
    (delivery,) = resend.send([a_mail(unsubscribe_url=url, run_id="r", reply_to="a@b.example")])
    assert delivery.provider_id
    assert api.sent == [
        {
            "from": "Mentoring <hello@mentoring.example>",
            "to": ["Member 1 <m1@example.org>"],
            "subject": "Welcome",
            "text": "Hello,\n.\nthe dot stays.",
            "html": "<p>Hello</p>",
            "reply_to": "a@b.example",
            "headers": {
                "Auto-Submitted": "auto-generated",
                "List-Unsubscribe": f"<{url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        }
    ]


def test_an_invitation_goes_alone(resend: Resend, api: ResendServer) -> None:
    batch = UUID(int=999)
    invitation = a_mail(3, batch=batch, calendar=INVITATION, calendar_method="CANCEL")
    assert outcomes(resend, invitation, *mails(2)) == ["sent"] * 3
    assert [request.path for request in api.requests] == ["/emails/batch", "/emails"]
    (attached,) = api.sent[2]["attachments"]
    assert attached["content_type"] == "text/calendar; charset=utf-8; method=CANCEL"


@pytest.mark.parametrize("count", [1, 3])
def test_a_lost_answer_is_asked_for_again(resend: Resend, api: ResendServer, count: int) -> None:
    api.lost_answers = 2
    assert outcomes(resend, *mails(count)) == ["sent"] * count
    assert len(api.requests) == 3
    assert len({request.key for request in api.requests}) == 1
    assert len(api.sent) == count


@pytest.mark.parametrize("count", [1, 3])
def test_another_process_sends_nothing_twice(api: ResendServer, count: int) -> None:
    api.lost_answers = 3
    first = Resend(KEY, base_url=api.url, sleep=Slept())
    doubtful = first.send(mails(count))
    assert {(d.outcome, d.alone) for d in doubtful} == {("uncertain", count == 1)}
    first.close()
    second = Resend(KEY, base_url=api.url)
    deliveries = second.send(mails(count, run_id="another")[::-1])
    second.close()
    assert [d.outcome for d in deliveries] == ["sent"] * count
    assert all(d.provider_id for d in deliveries)
    assert len(api.sent) == count


def test_other_words_for_a_mail_that_went_out_are_not_sent(
    resend: Resend, api: ResendServer
) -> None:
    assert outcomes(resend, a_mail()) == ["sent"]
    (delivery,) = resend.send([a_mail(subject="Welcome!")])
    assert (delivery.outcome, delivery.provider_id) == ("sent", "")
    assert delivery.reason == "An earlier attempt was taken, with other words."
    assert len(api.sent) == 1


def test_of_a_refused_batch_only_the_bad_one_fails(resend: Resend, api: ResendServer) -> None:
    api.invalid = {"m2@example.org"}
    deliveries = resend.send(mails(3))
    assert [d.outcome for d in deliveries] == ["sent", "failed", "sent"]
    assert deliveries[1].reason == "422 validation_error Invalid `to` field."
    assert [request.path for request in api.requests] == ["/emails/batch", *["/emails"] * 3]
    assert len(api.sent) == 2


def test_a_bad_address_never_reaches_resend(resend: Resend, api: ResendServer) -> None:
    assert outcomes(resend, a_mail(1, to="nobody"), a_mail(2)) == ["failed", "sent"]
    assert len(api.sent) == 1


@pytest.mark.parametrize(("given", "seconds"), [({"Retry-After": "7"}, 7.0), ({}, None)])
def test_a_busy_api_puts_off_the_rest(
    resend: Resend, api: ResendServer, given: dict[str, str], seconds: float | None
) -> None:
    api.invalid = {"m2@example.org"}
    refused = Answer(422, "validation_error")
    api.faults.extend([refused, Answer(200, raw=b'{"id": "x"}')])
    api.faults.append(Answer(429, "rate_limit_exceeded", headers=given))
    deliveries = resend.send(mails(3))
    assert [d.outcome for d in deliveries] == ["sent", "retry", "retry"]
    assert [d.retry_after for d in deliveries] == [None, seconds, seconds]
    assert len(api.requests) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Answer(500, "application_error"),
        Answer(503, raw=b"<html>"),
        Answer(409, "concurrent_idempotent_requests"),
        Answer(200, raw=b"<html>captive portal</html>"),
        Answer(200, raw=b'{"data": [{"id": "1"}]}'),
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_key(
    resend: Resend, api: ResendServer, fault: Answer
) -> None:
    api.faults.extend([fault] * 2)
    assert outcomes(resend, *mails(2)) == ["sent", "sent"]
    assert len({request.key for request in api.requests}) == 1
    api.faults.extend([fault] * 3)
    later = [replace(mail, batch=UUID(int=7)) for mail in mails(3)]
    assert outcomes(resend, *later) == ["uncertain"] * 3
    assert len(api.sent) == 2


def test_an_api_that_says_when_is_left_alone_until_then(resend: Resend, api: ResendServer) -> None:
    api.faults.append(Answer(503, headers={"Retry-After": "60"}))
    assert [d.retry_after for d in resend.send(mails(2))] == [60.0, 60.0]
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_no_mails_fault(
    resend: Resend, api: ResendServer, status: int
) -> None:
    api.faults.append(Answer(status, "invalid_api_key", f"API key is invalid: {KEY}"))
    with pytest.raises(MailConfigurationError, match="API key is invalid") as caught:
        resend.send(mails(2))
    assert "RESEND_API_KEY" in caught.value.hint
    assert KEY not in caught.value.message
    assert not api.sent


def test_what_was_sent_is_told_though_the_key_was_revoked(
    resend: Resend, api: ResendServer
) -> None:
    ids = b'{"data": [%s]}' % b",".join([b'{"id": "x"}'] * 100)
    api.faults.extend([Answer(200, raw=ids), Answer(401, "restricted_api_key")])
    rest = [a_mail(101), a_mail(102)]
    assert outcomes(resend, *mails(100), *rest) == [*["sent"] * 100, "retry", "retry"]


@pytest.mark.parametrize("then", [Answer(401, "invalid_api_key"), Answer(403, "restricted")])
def test_what_is_in_doubt_is_told_though_the_rest_cannot_go(
    resend: Resend, api: ResendServer, then: Answer
) -> None:
    invitation = a_mail(3, batch=UUID(int=999), calendar=INVITATION, calendar_method="REQUEST")
    api.faults.extend([Answer(500)] * 3 + [then])
    assert outcomes(resend, *mails(2), invitation) == ["uncertain", "uncertain", "retry"]


def test_a_part_of_a_batch_is_another_request(resend: Resend, api: ResendServer) -> None:
    assert outcomes(resend, *mails(3)[1:]) == ["sent"] * 2
    assert outcomes(resend, *mails(3)) == ["sent"] * 3
    assert len({request.key for request in api.requests}) == 2


def test_busy_after_a_lost_answer_is_still_in_doubt(resend: Resend, api: ResendServer) -> None:
    """The first attempt went out: sent anew with another key it would arrive twice."""
    api.faults.extend([Answer(500), Answer(429, headers={"Retry-After": "7"})])
    assert outcomes(resend, *mails(2)) == ["uncertain"] * 2


def test_the_api_is_elsewhere(api: ResendServer) -> None:
    backend = Resend(KEY, base_url=f"{api.url}/v2")
    with pytest.raises(MailConfigurationError, match="API is not there: 404"):
        backend.send([a_mail()])
    backend.close()


def test_resend_does_not_answer() -> None:
    slept = Slept()
    backend = Resend(KEY, base_url=f"http://{HOST}:{unused_port()}", sleep=slept)
    with pytest.raises(MailUnreachable, match="Resend does not answer"):
        backend.send(mails(2))
    backend.close()
    assert len(slept) == 2


def test_a_date_may_say_when(api: ResendServer) -> None:
    date = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    transport = httpx.MockTransport(lambda _: httpx.Response(429, headers=date))
    (delivery,) = Resend(KEY, transport=transport).send([a_mail()])
    assert (delivery.outcome, delivery.retry_after) == ("retry", 0.0)


def test_requests_keep_to_the_limit(api: ResendServer) -> None:
    slept = Slept()
    limit = RateLimit(2, clock=lambda: 0.0, sleep=slept)
    backend = Resend(KEY, base_url=api.url, limit=limit)
    assert outcomes(backend, *(a_mail(number) for number in (1, 2, 3))) == ["sent"] * 3
    backend.close()
    assert slept == [0.5, 1.0]
    assert [request.key for request in api.requests] == [str(mail.id) for mail in mails(3)]


# Files and the terminal


def test_a_file_a_mail(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "outbox"
    backend = File(folder)
    assert outcomes(backend, *mails(2), a_mail(3, to="nobody")) == ["sent", "sent", "failed"]
    assert outcomes(backend, a_mail(1, subject="Again")) == ["sent"]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{UUID(int=1)}.eml", f"{UUID(int=2)}.eml"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    first = message_from_bytes((folder / names[0]).read_bytes(), policy=policy.default)
    assert first["Subject"] == "Again"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(MailConfigurationError, match="Mails cannot be written to") as caught:
        File(tmp_path / "outbox").send([a_mail()])
    assert "MENTOR_SYNC_MAIL" in caught.value.hint


def test_the_terminal_shows_words_only() -> None:
    stream = io.StringIO()
    backend = Console(stream)
    mail = a_mail(text="Hello\x1b[2J\r\nAnn", subject="Hi\r\nBcc: x")
    assert outcomes(backend, mail, a_mail(2, to="nobody")) == ["sent", "failed"]
    backend.close()
    shown = "To: Member 1 <m1@example.org>\nSubject: Hi Bcc: x\n\nHello[2J\nAnn\n\n"
    assert stream.getvalue() == shown


@pytest.mark.parametrize("kind", ["smtp", "resend", "file", "console"])
def test_a_wrong_sender_passes_no_mail(kind: str, server: SmtpServer, tmp_path: Path) -> None:
    kinds: dict[str, Callable[[], Backend]] = {
        "smtp": partial(Smtp, server.url()),
        "resend": partial(Resend, KEY),
        "file": partial(File, tmp_path),
        "console": partial(Console, io.StringIO()),
    }
    backend = kinds[kind]()
    with pytest.raises(MailConfigurationError, match="of the sender") as caught:
        backend.send([a_mail(sender="Mentoring")])
    assert "MENTOR_SYNC_MAIL_FROM" in caught.value.hint
    assert backend.send([]) == []
    backend.close()


# Settings


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("file:./outbox", File),
        ("file:///var/spool/outbox", File),
        ("console:", Console),
        ("smtp://u:p@mail.example:2525", Smtp),
        ("smtps://mail.example", Smtp),
        ("resend:", Resend),
        ("resend:http://127.0.0.1:1", Resend),
    ],
)
def test_a_url_means_a_backend(url: str, kind: type) -> None:
    backend = open_backend(url, resend_key=KEY)
    assert type(backend) is kind
    backend.close()


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:./out%20box", Path("out box")),
        ("file:/var/outbox", Path("/var/outbox")),
        ("file:///var/outbox", Path("/var/outbox")),
        ("file://localhost/var/outbox", Path("/var/outbox")),
    ],
)
def test_a_file_url_means_a_folder(url: str, folder: Path) -> None:
    backend = open_backend(url)
    assert isinstance(backend, File)
    assert backend._folder == folder


@pytest.mark.parametrize(
    ("url", "tls", "starttls", "port"),
    [
        ("smtp://mail.example", False, True, 587),
        ("smtp://mail.example:25?starttls=no", False, False, 25),
        ("smtp://127.0.0.1:1025", False, False, 1025),
        ("smtp://localhost?starttls=yes", False, True, 587),
        ("smtps://mail.example", True, False, 465),
    ],
)
def test_only_loopback_is_plain_unasked(url: str, tls: bool, starttls: bool, port: int) -> None:
    place = Smtp(url)._place
    assert (place.tls, place.starttls, place.port) == (tls, starttls, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "outbox",
        "sendgrid:s3cret",
        "console:x",
        "file:",
        "file://server/outbox",
        "smtp:",
        "smtp://",
        "smtp://u:s3cret#x@mail.example",
        "smtp://u:s3cret/x@mail.example",
        "smtp://mail.example:none",
        "smtp://mail.example?starttls=maybe",
        "smtp://mail.example?tls=s3cret",
        "smtp://mail..example",
        "resend:http://mail.example",
        "resend:s3cret",
    ],
)
def test_a_url_that_means_none_is_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_backend(url, resend_key=KEY)
    assert caught.value.hint
    assert "s3cret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("key", ["", "  ", "re_ s3cret", "re_s3crét"])
def test_a_resend_key_that_is_none(key: str) -> None:
    with pytest.raises(MailConfigurationError, match="RESEND_API_KEY") as caught:
        open_backend("resend:", resend_key=key)
    assert "s3cr" not in caught.value.message


# The rate


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_so_many_a_second_and_no_more() -> None:
    time = Time()
    rate = RateLimit(4, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(9):
        rate.wait()
    assert time.now == pytest.approx(102.0)


def test_a_pause_saves_no_more_than_a_burst() -> None:
    time = Time()
    rate = RateLimit(1, burst=3, clock=lambda: time.now, sleep=time.sleep)
    time.sleep(1000)
    for _ in range(5):
        rate.wait()
    assert time.now == pytest.approx(1102.0)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_zero(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        RateLimit(rate)
