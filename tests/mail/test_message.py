"""A mail says what it should to whom it should, whatever its words are."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentor_sync.mail.message import BadAddress, BadSender, Mail, as_email, one_line

ID = UUID("6f1f4b1e-0000-4000-8000-000000000001")
ALWAYS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
INVITATION = b"BEGIN:VCALENDAR\r\nSUMMARY:Gespr\xc3\xa4ch\r\nEND:VCALENDAR\r\n"
pieces = st.sampled_from(
    [
        *["\r\n", "\n ", "\rBcc: x@evil.example", ",", '"', "<a@evil.example>", "\\", "=?utf-8?q?"],
        *["=0D=0ABcc:_x?=", "Müller", "Ann", " ", "\u2028", "\x85", "\x00", "\ud800", "x" * 90],
        *["(a)", "@", ";", ":", "\u202e", "日本語" * 20, "a" * 1200, "👩\u200d👩\u200d👧"],
    ]
)
nasty = st.text() | st.lists(pieces).map("".join)


def a_mail(**values: Any) -> Mail:
    given: dict[str, Any] = {
        "id": ID,
        "sender": "Mentoring <hello@mentoring.example>",
        "to": "ann@example.org",
        "to_name": "Ann",
        "subject": "Welcome",
        "text": "Hello Ann,",
        "html": "<p>Hello Ann,</p>",
    }
    return Mail(**{**given, **values})


def received(mail: Mail) -> EmailMessage:
    """As a mail program reads it, sure that it travels as lines of ASCII."""
    raw = as_email(mail).as_bytes()
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def squeezed(name: str) -> str:
    """Python 3.11 reads spaces into names that were encoded in several parts."""
    return name.replace(" ", "")


@given(name=nasty, subject=nasty, sender=nasty)
@settings(deadline=None)  # folding long names takes its time
def test_no_words_make_a_header_or_a_recipient(name: str, subject: str, sender: str) -> None:
    sender = sender.replace("<", "").replace(">", "").strip().strip('"')
    mail = a_mail(to_name=name, subject=subject, sender=f"{sender} <hello@mentoring.example>")
    message = received(mail)
    assert set(message.keys()) == ALWAYS | {"Content-Type"}
    assert len(message.keys()) == len(ALWAYS) + 1
    for header, address in {"To": "ann@example.org", "From": "hello@mentoring.example"}.items():
        assert [one.addr_spec for one in message[header].addresses] == [address]
    assert squeezed(message["To"].addresses[0].display_name) == squeezed(one_line(name))
    assert squeezed(message["From"].addresses[0].display_name) == squeezed(one_line(sender))
    assert message["Subject"] == one_line(subject)


@given(nasty, nasty)
def test_any_text_arrives(text: str, html: str) -> None:
    message = received(a_mail(text=text, html=html))
    body = message.get_body(("plain",))
    assert body is not None
    shown = body.get_content().replace("\r", "\n").split()
    assert shown == text.encode(errors="replace").decode().replace("\r", "\n").split()


@given(nasty, nasty, nasty)
def test_no_link_run_or_method_makes_a_header(url: str, run: str, method: str) -> None:
    mail = a_mail(
        unsubscribe_url=f"https://a.example/?t={url}",
        run_id=run,
        calendar=INVITATION,
        calendar_method=method,
    )
    names = set(received(mail).keys()) - ALWAYS - {"Content-Type"}
    assert names <= {"List-Unsubscribe", "List-Unsubscribe-Post", "X-Mentor-Sync-Run"}


@given(nasty | st.emails())
def test_an_address_is_refused_or_stays_one(address: str) -> None:
    message = None
    with suppress(BadAddress):
        message = received(a_mail(to=address))
    if message:
        (person,) = message["To"].addresses
        assert person.username == address.strip().rpartition("@")[0]


@given(nasty)
def test_a_line_is_one_line_and_stays_so(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert len(line.splitlines()) <= 1
    assert line.isprintable() or not line.isascii()


def test_what_looks_encoded_is_not_decoded() -> None:
    message = received(a_mail(subject="=?utf-8?q?=0D=0ABcc:_x?=", to_name="=?utf-8?q?Boss?="))
    assert message["Subject"] == "= ?utf-8?q?=0D=0ABcc:_x?="
    assert message["To"].addresses[0].display_name == "= ?utf-8?q?Boss?="


def test_names_that_are_not_ascii_stay_as_they_are() -> None:
    message = received(a_mail(to_name="Jörg Müller, Dr.", subject="Ihr Gespräch 👋"))
    assert str(message["To"]) == '"Jörg Müller, Dr." <ann@example.org>'
    assert message["Subject"] == "Ihr Gespräch 👋"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Hello,\n.\nFrom here", "7bit"),
        ("Grüße an alle\n.\nund so weiter", "quoted-printable"),
        ("x" * 77, "quoted-printable"),
        (f"--=_alternative_{ID.hex}--\nx", "quoted-printable"),
        ("日本語" * 20, "base64"),
    ],
)
def test_a_body_is_encoded_where_it_must_be(text: str, encoding: str) -> None:
    message = received(a_mail(text=text, html="<p>x</p>"))
    plain, html = message.iter_parts()
    assert plain["Content-Transfer-Encoding"] == encoding
    assert plain.get_content().splitlines() == text.splitlines()
    assert html.get_content() == "<p>x</p>\r\n"


def test_the_same_mail_is_the_same_bytes() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    mail = a_mail(calendar=INVITATION, text="Grüße")
    assert as_email(mail, at=at).as_bytes() == as_email(mail, at=at).as_bytes()


def test_both_bodies_and_the_invitation_twice() -> None:
    message = received(a_mail(calendar=INVITATION, calendar_method="CANCEL"))
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar", "application/ics"]
    calendar = next(p for p in message.walk() if p.get_content_type() == "text/calendar")
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "CANCEL"}
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "invite.ics"
    assert attached.get_payload(decode=True) == INVITATION


def test_without_an_invitation_it_is_an_alternative_of_two() -> None:
    message = received(a_mail())
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]


def test_every_attempt_has_the_same_message_id() -> None:
    first = as_email(a_mail(), at=datetime(2026, 1, 1, tzinfo=UTC))
    later = as_email(a_mail(run_id="another"), at=datetime(2026, 1, 2, tzinfo=UTC))
    assert first["Message-ID"] == later["Message-ID"] == f"<{ID}@mentoring.example>"
    assert first["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"


def test_a_link_to_unsubscribe_is_for_one_click() -> None:
    url = "https://mentoring.example/unsubscribe?token=" + "abc123" * 30
    message = received(a_mail(unsubscribe_url=url, run_id="run-1"))
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Mentor-Sync-Run"] == "run-1"
    assert url.encode() in as_email(a_mail(unsubscribe_url=url)).as_bytes()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "no @"),
        ("ann", "no @"),
        ("@example.org", "not valid before the @"),
        ("änn@example.org", "not ASCII"),
        ("a b@example.org", "not valid before the @"),
        ("a..b@example.org", "not valid before the @"),
        ("a@b@example.org", "not valid before the @"),
        ("a\r\nRCPT TO:<x@y>@example.org", "not valid before the @"),
        ("a" * 65 + "@example.org", "not valid before the @"),
        ("ann@", "domain"),
        ("ann@-example.org", "domain"),
        ("ann@example..org", "domain"),
        ("ann@exam ple.org", "domain"),
        ("ann@127.0.0.1", "domain"),
        ("ann@[127.0.0.1]", "domain"),
        ("ann@☃.example\r\nx", "domain"),
        ("ann@" + "a" * 64 + ".org", "domain"),
        ("ann@" + "abcdefg." * 40 + "org", "domain"),
    ],
)
def test_an_address_that_is_none_is_named(address: str, why: str) -> None:
    with pytest.raises(BadAddress, match=f"of the recipient.*{why}") as caught:
        as_email(a_mail(to=address))
    assert not address or address not in caught.value.message


def test_a_domain_is_encoded_by_idna_2008() -> None:
    message = received(a_mail(to="ann@straße.example", sender="Büro <a@Bücher.example>"))
    assert message["To"].addresses[0].addr_spec == "ann@xn--strae-oqa.example"
    assert message["From"].addresses[0].addr_spec == "a@xn--bcher-kva.example"
    assert message["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_sender_and_reply_are_checked_too() -> None:
    with pytest.raises(BadSender, match="The address of the sender has no @"):
        as_email(a_mail(sender="Mentoring <mentoring>"))
    with pytest.raises(BadAddress, match="of the Reply-To"):
        as_email(a_mail(reply_to="Ann"))
    message = received(a_mail(sender="a@b.example", reply_to='"Smith, Ann" <ann@example.org>'))
    assert str(message["From"]) == "a@b.example"
    assert str(message["Reply-To"]) == '"Smith, Ann" <ann@example.org>'
