"""Where an SMTP server is, and the way to it: TLS and the login."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.backends.backend import SETTING, MailConfigurationError, MailUnreachable

_HINT = (
    f"{SETTING} looks like smtp://user:password@host:587, or smtps://... with port 465. In the"
    " password write @ / # % : as %40 %2F %23 %25 %3A."
)
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Place:
    """What the URL of an SMTP server says."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # from the first byte
    starttls: bool = True

    def __str__(self) -> str:
        return f"{self.host}, port {self.port}"


def read_place(url: str) -> Place:
    """Read smtp:// (STARTTLS, but on loopback) or smtps://; ?starttls=yes or no overrules.

    Raises:
        MailConfigurationError: it is none. The URL is never quoted: it holds a password.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
        host.encode("idna")
        starttls = _starttls(parts, host)
    except ValueError:
        port, host, starttls = 0, "", False
    if not port or not host or parts.path.strip("/") or parts.fragment:
        raise MailConfigurationError(f"{SETTING} is not the URL of an SMTP server.", hint=_HINT)
    return Place(
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
        starttls=starttls,
    )


def connect(place: Place, timeout: float, context: ssl.SSLContext) -> smtplib.SMTP:
    """A connection that takes mails.

    Raises:
        MailConfigurationError: no such host, no TLS, a certificate or login that is refused.
        MailUnreachable: nobody answers, or not now.
    """
    try:
        connection = _dial(place, timeout, context)
        try:
            _enter(connection, place, context)
        except BaseException:
            connection.close()
            raise
    except OSError as error:  # smtplib's own are such
        raise _explained(place, error) from None  # the cause may hold the password
    return connection


def sender_refused(place: Place, code: int, answer: bytes | str) -> MailConfigurationError:
    """Before any recipient is named, a refusal is about us: the login, the sender, this machine."""
    return MailConfigurationError(
        f"{place} takes no mail from this sender: {shown(code, answer)}",
        hint=f"Does the server want a login ({SETTING}), or know another MENTOR_SYNC_MAIL_FROM?",
    )


def shown(code: int, answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}"


def _starttls(parts: SplitResult, host: str) -> bool:
    given = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    wish = given.pop("starttls", ["no" if _is_loopback(host) else "yes"])
    if given or wish not in (["yes"], ["no"]):
        raise ValueError(parts.scheme)
    return parts.scheme == "smtp" and wish == ["yes"]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _dial(place: Place, timeout: float, context: ssl.SSLContext) -> smtplib.SMTP:
    if place.tls:
        return smtplib.SMTP_SSL(place.host, place.port, timeout=timeout, context=context)
    return smtplib.SMTP(place.host, place.port, timeout=timeout)


def _enter(connection: smtplib.SMTP, place: Place, context: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    if place.starttls:
        _secure(connection, place, context)
    if place.user:
        _login(connection, place)


def _secure(connection: smtplib.SMTP, place: Place, context: ssl.SSLContext) -> None:
    if not connection.has_extn("starttls"):
        raise MailConfigurationError(
            f"{place} offers no STARTTLS, so mails and the password would travel in clear.",
            hint="Use smtps://, or add ?starttls=no where the way to it is safe.",
        )
    connection.starttls(context=context)
    connection.ehlo()


def _login(connection: smtplib.SMTP, place: Place) -> None:
    try:
        connection.login(place.user, place.password)
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise
        raise MailConfigurationError(
            f"{place} refused the login: {shown(error.smtp_code, error.smtp_error)}",
            hint=f"Check user and password in {SETTING}; many providers want an app password.",
        ) from None
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPHeloError):
        raise
    except (smtplib.SMTPException, UnicodeError):
        raise MailConfigurationError(
            f"{place} takes no login with a password, or not with such a one.",
            hint=f"Check the port in {SETTING}: logins are for 587 and 465. Passwords are ASCII.",
        ) from None


def _explained(place: Place, error: OSError) -> MentorSyncError:
    match error:
        case ssl.SSLCertVerificationError():
            hint = "Is the host's name the one of its certificate, and its authority trusted here?"
            why = f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            hint = "Port 465 speaks TLS from the start (smtps://), 587 and 25 do not (smtp://)."
            why = "it does not speak TLS as expected"
        case socket.gaierror(errno=socket.EAI_NONAME):
            hint = f"Check the host in {SETTING}."
            why = "there is no such host"
        case smtplib.SMTPResponseException() if error.smtp_code >= 500:
            hint = "Does it take mails from this machine? Its operator knows."
            why = f"it refused: {shown(error.smtp_code, error.smtp_error)}"
        case _:
            return _silent(place, error)
    return MailConfigurationError(f"{place}: {why}.", hint=hint)


def _silent(place: Place, error: OSError) -> MailUnreachable:
    why = error.strerror or str(error) or type(error).__name__
    return MailUnreachable(
        f"The mail server at {place} does not answer: {why}",
        hint="Mails wait in the outbox. Is the port open from here, and is it the right one?",
    )
