"""Mails through an SMTP server (RFC 5321), over one connection."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from typing import Literal

from mentor_sync.mail.backends.backend import (
    Delivery,
    composed,
    send_each,
)
from mentor_sync.mail.backends.smtp_connection import (
    Place,
    connect,
    read_place,
    sender_refused,
    shown,
)
from mentor_sync.mail.message import Mail

_CLOSING = 421


class Smtp:
    """An SMTP server.

    Args:
        url: smtp://user:password@host:587 or smtps://...; see `read_place`.
        timeout: seconds to wait for an answer.
        context: whom TLS trusts; without it, those whom the system trusts.

    Raises:
        MailConfigurationError: the URL is none.
    """

    name = "smtp"

    def __init__(
        self, url: str, *, timeout: float = 10.0, context: ssl.SSLContext | None = None
    ) -> None:
        self._place = read_place(url)
        self._timeout = timeout
        self._context = context or ssl.create_default_context()
        self._connection: smtplib.SMTP | None = None

    def send(self, mails: Sequence[Mail]) -> list[Delivery]:
        return send_each(mails, self._deliver)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(OSError):
                connection.quit()
            connection.close()

    def _deliver(self, mail: Mail) -> Delivery:
        email = composed(mail)
        first = self._attempt(mail, email)
        if not first.reason.startswith(str(_CLOSING)):
            return first
        # The server closes this connection and took nothing: another one may go well.
        return self._attempt(mail, email)

    def _attempt(self, mail: Mail, email: EmailMessage) -> Delivery:
        connection = self._ready()
        try:
            code, answer = _transaction(connection, self._place, email)
        except OSError as error:  # smtplib's own are such
            self.close()
            # It may have been taken: the same Message-ID tells the receiver at the next attempt.
            return Delivery(mail.id, "retry", reason=f"The connection was cut: {error}")
        if code == _CLOSING or code < 0:
            self.close()
        return _delivery(mail, email, code, answer)

    def _ready(self) -> smtplib.SMTP:
        """The connection with nothing half-done on it; a new one where the old was cut."""
        if self._connection:
            with suppress(OSError):
                # Says as much as NOOP, and forgets the mail before that was refused.
                if self._connection.rset()[0] == 250:
                    return self._connection
            self.close()
        self._connection = connect(self._place, self._timeout, self._context)
        return self._connection


def _transaction(
    connection: smtplib.SMTP, place: Place, email: EmailMessage
) -> tuple[int, bytes | str]:
    """The first answer that is a refusal, or the last one."""
    code, answer = connection.mail(email["From"].addresses[0].addr_spec)
    if 500 <= code < 600:
        raise sender_refused(place, code, answer)
    if code == 250:
        code, answer = connection.rcpt(email["To"].addresses[0].addr_spec)
    if code not in {250, 251}:
        return code, answer
    try:
        return connection.data(email.as_bytes())
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error


def _delivery(mail: Mail, email: EmailMessage, code: int, answer: bytes | str) -> Delivery:
    if 200 <= code < 300:
        return Delivery(mail.id, "sent", provider_id=str(email["Message-ID"]))
    outcome: Literal["failed", "retry"] = "failed" if 500 <= code < 600 else "retry"
    return Delivery(mail.id, outcome, reason=shown(code, answer))
