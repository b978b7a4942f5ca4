"""One mail as the programme means it, and as it travels (RFC 5322, 2047, 8058)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import idna

from mentor_sync.clock import utc_now
from mentor_sync.errors import MentorSyncError

STEADY_HEADERS = ("Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post")
"""What a provider that writes the mail itself has to be given: the same at every attempt."""

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*")
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}
_LONGEST_WORD = 60
_LONGEST_NAME = 200
_LONGEST_LINK = 900  # a line of a mail ends at 998
_LINE = 76
# They turn the direction of the text, so that a subject reads as something else.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_URL_LETTERS = "%/:?#[]@!$&'()*+,;=~-._"


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


def as_email(mail: Mail, *, at: datetime | None = None) -> EmailMessage:
    """The mail with its headers and parts; the same but for the date at every attempt.

    Raises:
        BadAddress: of the recipient or the reply.
        BadSender: of the sender.
    """
    email = EmailMessage(policy=_POLICY)
    sender = _sender(mail)
    email["From"] = sender
    email["To"] = Address(one_line(mail.to_name), addr_spec=_address("recipient", mail.to))
    if mail.reply_to:
        email["Reply-To"] = _parsed("Reply-To", mail.reply_to)
    email["Subject"] = one_line(mail.subject)
    email["Date"] = format_datetime(at or utc_now())
    # The outbox row's, so that receivers can tell a second attempt from a second mail.
    email["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    _add_extra_headers(email, mail)
    _add_parts(email, mail)
    return email


def one_line(text: str) -> str:
    """A name or a subject that stays where it is put: nothing in it ends or begins a header."""
    visible = _TURNING.sub("", text)
    spaced = "".join(" " if unicodedata.category(c) in _BREAKING else c for c in visible)
    # Else the text would be taken for an encoded word, and what it decodes to for a header.
    return " ".join(spaced.split()).replace("=?", "= ?")


def calendar_method(mail: Mail) -> str:
    return "CANCEL" if mail.calendar_method.strip().upper() == "CANCEL" else "REQUEST"


def encodable(text: str) -> str:
    """Without halves of characters, which no encoding has."""
    return text.encode(errors="replace").decode()


def _add_extra_headers(email: EmailMessage, mail: Mail) -> None:
    email["Auto-Submitted"] = "auto-generated"
    link = quote(encodable(mail.unsubscribe_url), safe=_URL_LETTERS)
    if 0 < len(link) < _LONGEST_LINK:
        email["List-Unsubscribe"] = f"<{link}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if mail.run_id:
        email["X-Mentor-Sync-Run"] = one_line(mail.run_id)


def _add_parts(email: EmailMessage, mail: Mail) -> None:
    email.set_content(encodable(mail.text))
    if mail.html:
        email.add_alternative(encodable(mail.html), subtype="html")
    if mail.calendar:
        # Twice, as calendars do it: some programs read the part, others only the attachment.
        invitation = mail.calendar.decode(errors="replace")
        email.add_alternative(
            invitation, subtype="calendar", params={"method": calendar_method(mail)}
        )
        email.add_attachment(
            mail.calendar, maintype="application", subtype="ics", filename="invite.ics"
        )


def _sender(mail: Mail) -> Address:
    try:
        return _parsed("sender", mail.sender)
    except BadAddress as error:
        raise BadSender(error.message) from None


def _parsed(whose: str, text: str) -> Address:
    named = _NAMED.fullmatch(text)
    if not named:
        return Address(addr_spec=_address(whose, text))
    name = named["name"].strip().strip('"')
    return Address(one_line(name), addr_spec=_address(whose, named["address"]))


def _address(whose: str, text: str) -> str:
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
    return f"{local}@{encoded}"


def _domain(text: str) -> str:
    """As DNS knows it, or nothing. By IDNA 2008: the older one writes to strasse for straße."""
    try:
        encoded = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    except UnicodeError:  # idna's own errors are such
        return ""
    labels = encoded.split(".")
    valid = all(len(label) < 64 and _LABEL.fullmatch(label) for label in labels)
    return encoded if valid and not labels[-1].isdigit() else ""


class _Policy(EmailPolicy):
    """Folds by itself what Python 3.11 folds wrongly.

    It loses the quotes of a long name, whose comma then makes two people, and encodes a long URL,
    which no mail program decodes.
    """

    def fold(self, name: str, value: Any) -> str:
        match name.lower():
            case "from" | "to" | "reply-to":
                text = _person(name, value.addresses[0])
            case "subject" | "x-mentor-sync-run":
                text = _words(name, str(value))
            case "list-unsubscribe":
                text = str(value)
            case _:
                folded: str = super().fold(name, value)
                return folded
        return f"{name}: {text}".replace("\n", self.linesep) + self.linesep

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")


def _person(header: str, who: Address) -> str:
    if _is_plain(who.display_name) and len(who.display_name) < _LONGEST_NAME:
        return str(who)
    return f"{_encoded(header, who.display_name, 'utf-8')} <{who.addr_spec}>"


def _words(header: str, text: str) -> str:
    return _encoded(header, text, "us-ascii" if _is_plain(text) else "utf-8")


def _is_plain(text: str) -> bool:
    """Whether lines can be made of it as it stands."""
    return text.isascii() and all(len(word) < _LONGEST_WORD for word in text.split(" "))


def _encoded(header: str, text: str, charset: str) -> str:
    return Header(text, charset, maxlinelen=_LINE, header_name=header).encode(splitchars=" ")


# 7bit: a relay that does not speak 8BITMIME must not have to rewrite the mail.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")
