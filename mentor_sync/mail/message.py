"""One mail as the programme means it, and as it travels (RFC 5322, 2047, 8058)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote
from uuid import UUID

import idna

from mentor_sync.clock import utc_now
from mentor_sync.errors import MentorSyncError
from mentor_sync.mail import folding
from mentor_sync.mail.mime import attachment, multipart, text_part

STEADY_HEADERS = ("Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post")
"""What a provider that writes the mail itself has to be given: the same at every attempt."""

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*")
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}
_LONGEST_LINK = 900  # a line of a mail ends at 998
# They turn the direction of the text, so that a subject reads as something else.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_URL_LETTERS = "%/:?#[]@!$&'()*+,;=~-._"
_WORDY = {"Subject", "X-Mentor-Sync-Run"}


class BadAddress(MentorSyncError):
    """An e-mail address is none that can be written to."""

    default_code = "bad_address"


class BadSender(BadAddress):
    """The address that mails come from is none."""

    default_code = "bad_sender"


@dataclass(frozen=True)
class Mail:
    """What a row of the outbox says."""

    id: UUID
    sender: str  # "Name <a@b>" or "a@b"
    to: str
    to_name: str
    subject: str
    text: str
    html: str
    reply_to: str = ""
    unsubscribe_url: str = ""
    calendar: bytes = b""
    calendar_method: str = ""  # REQUEST or CANCEL
    run_id: str = ""
    batch: UUID | None = None  # with which others it is handed over


@dataclass(frozen=True)
class Email:
    """A mail with its headers, as people read them."""

    sender: Address
    to: Address
    headers: dict[str, str | Address]
    mail: Mail

    def __getitem__(self, name: str) -> str:
        return str(self.headers[name])

    def __contains__(self, name: str) -> bool:
        return name in self.headers

    def as_bytes(self) -> bytes:
        """As it travels: lines of ASCII."""
        head = "".join(f"{name}: {_folded(name, self.headers[name])}\r\n" for name in self.headers)
        return f"{head}MIME-Version: 1.0\r\n{_content(self.mail)}".encode("ascii")


def as_email(mail: Mail, *, at: datetime | None = None) -> Email:
    """The mail with its headers; the same but for the date at every attempt.

    Raises:
        BadAddress: of the recipient or the reply.
        BadSender: of the sender.
    """
    sender = _sender(mail.sender)
    to = _person(mail.to_name, "recipient", mail.to)
    headers: dict[str, str | Address] = {"From": sender, "To": to}
    if mail.reply_to:
        headers["Reply-To"] = _parsed("Reply-To", mail.reply_to)
    headers["Subject"] = one_line(mail.subject)
    headers["Date"] = format_datetime(at or utc_now())
    # The outbox row's, so that receivers can tell a second attempt from a second mail.
    headers["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    return Email(sender, to, headers | _extra_headers(mail), mail)


def one_line(text: str) -> str:
    """A name or a subject that stays where it is put: nothing in it ends or begins a header."""
    visible = _TURNING.sub("", text)
    spaced = visible if visible.isprintable() else "".join(map(_spaced, visible))
    # Else the text would be taken for an encoded word, and what it decodes to for a header.
    return " ".join(spaced.split()).replace("=?", "= ?")


def calendar_method(mail: Mail) -> str:
    return "CANCEL" if mail.calendar_method.strip().upper() == "CANCEL" else "REQUEST"


def encodable(text: str) -> str:
    """Without halves of characters, which no encoding has."""
    return text.encode(errors="replace").decode()


def _spaced(character: str) -> str:
    return " " if unicodedata.category(character) in _BREAKING else character


def _extra_headers(mail: Mail) -> dict[str, str | Address]:
    headers: dict[str, str | Address] = {"Auto-Submitted": "auto-generated"}
    link = quote(encodable(mail.unsubscribe_url), safe=_URL_LETTERS)
    if 0 < len(link) < _LONGEST_LINK:
        headers["List-Unsubscribe"] = f"<{link}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if mail.run_id:
        headers["X-Mentor-Sync-Run"] = one_line(mail.run_id)
    return headers


def _folded(name: str, value: str | Address) -> str:
    if isinstance(value, Address):
        return folding.person(name, value)
    return folding.words(name, value) if name in _WORDY else value


def _content(mail: Mail) -> str:
    parts = [text_part("plain", encodable(mail.text))]
    if mail.html:
        parts.append(text_part("html", encodable(mail.html)))
    if not mail.calendar:
        return parts[0] if len(parts) == 1 else multipart("alternative", parts, mail.id.hex)
    # Twice, as calendars do it: some programs read the part, others only the attachment.
    invitation = encodable(mail.calendar.decode(errors="replace"))
    parts.append(text_part("calendar", invitation, method=calendar_method(mail)))
    alternatives = multipart("alternative", parts, mail.id.hex)
    attached = attachment("application/ics", mail.calendar, "invite.ics")
    return multipart("mixed", [alternatives, attached], mail.id.hex)


def read_sender(text: str) -> tuple[str, str]:
    """Name, which may be empty, and address of `Name <a@b>`.

    Raises:
        BadSender: it is none.
    """
    sender = _sender(text)
    return sender.display_name, sender.addr_spec


@lru_cache(maxsize=16)  # the same for all mails
def _sender(text: str) -> Address:
    try:
        return _parsed("sender", text)
    except BadAddress as error:
        raise BadSender(error.message) from None


def _parsed(whose: str, text: str) -> Address:
    named = _NAMED.fullmatch(text)
    if not named:
        return _person("", whose, text)
    return _person(named["name"].strip().strip('"'), whose, named["address"])


def _person(name: str, whose: str, text: str) -> Address:
    """An address as SMTP takes it. What is wrong is named, not quoted: logs outlive consent."""
    local, at, domain = text.strip().rpartition("@")
    if not at:
        raise BadAddress(f"The address of the {whose} has no @.")
    if not local.isascii():
        raise BadAddress(f"The address of the {whose} has a letter before the @ that is not ASCII.")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise BadAddress(f"The address of the {whose} is not valid before the @.")
    encoded = _domain(domain)
    if not encoded or len(local) + len(encoded) > 253:
        raise BadAddress(f"The address of the {whose} has a domain that is not valid.")
    return Address(one_line(name), local, encoded)


def _domain(text: str) -> str:
    """As DNS knows it, or nothing. By IDNA 2008: the older one writes to strasse for straße."""
    try:
        encoded = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    except UnicodeError:  # idna's own errors are such
        return ""
    labels = encoded.split(".")
    valid = all(len(label) < 64 and _LABEL.fullmatch(label) for label in labels)
    return encoded if valid and not labels[-1].isdigit() else ""
