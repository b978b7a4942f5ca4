"""Mails through an SMTP server, over one connection."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal

from mentor_sync.mail.backends.backend import Delivery, send_each
from mentor_sync.mail.backends.letters import Letter, Letters
from mentor_sync.mail.backends.rate import RateLimit
from mentor_sync.mail.backends.smtp_connection import connect, read_place, shown
from mentor_sync.mail.backends.smtp_dialogue import (
    CLOSING,
    GO_ON,
    LOST,
    Answer,
    announced,
    forget,
    handed_over,
)
from mentor_sync.mail.message import Mail


class Smtp:
    """An SMTP server.

    Args:
        url: smtp://user:password@host:587 or smtps://...; see `read_place`.
        timeout: seconds to wait for an answer.
        limit: of mails a second, waited for before each.
        context: whom TLS trusts; without it, those whom the system trusts.

    Raises:
        MailConfigurationError: the URL is none.
    """

    name = "smtp"
    sends_batches = False

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        limit: RateLimit | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._place = read_place(url)
        self._timeout = timeout
        self._limit = limit
        self._context = context or ssl.create_default_context()
        self._connection: smtplib.SMTP | None = None
        self._letters = Letters(())

    def send(self, mails: Iterable[Mail]) -> list[Delivery]:
        self._letters = Letters(mails)
        return send_each(self._letters, self._deliver, self._limit)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(OSError):
                connection.quit()
            connection.close()

    def _deliver(self, letter: Letter) -> Delivery:
        code, answer = self._handed_over(letter)
        if code == CLOSING:
            # The server closes this connection and took nothing: another one may go well.
            code, answer = self._handed_over(letter)
        return _delivery(letter, code, answer)

    def _handed_over(self, letter: Letter) -> Answer:
        """The first answer that is a refusal, or the last one.

        Nothing asks before whether the connection still stands: if not, nothing is taken either.
        """
        content = letter.content  # first: it may be none that can be sent
        if not self._connection:
            self._connection = connect(self._place, self._timeout, self._context)
        code, answer = announced(self._connection, self._place, letter.email)
        if code == GO_ON:
            code, answer = handed_over(self._connection, content, self._letters.prepare)
        elif code != CLOSING:
            forget(self._connection)
        if code in (CLOSING, LOST):
            self.close()
        return code, answer


def _delivery(letter: Letter, code: int, answer: bytes | str) -> Delivery:
    if 200 <= code < 300:
        return Delivery(letter.id, "sent", provider_id=letter.email["Message-ID"])
    reason = answer if isinstance(answer, str) else shown(code, answer)
    if code == LOST:
        # The same Message-ID tells the receiver at the next attempt.
        return Delivery(letter.id, "uncertain", reason=reason, alone=True)
    outcome: Literal["failed", "retry"] = "failed" if 500 <= code < 600 else "retry"
    return Delivery(letter.id, outcome, reason=reason)
