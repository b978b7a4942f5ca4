"""What is said to an SMTP server about one mail, and what it answers (RFC 5321).

Where it offers PIPELINING (RFC 2920) the envelope is one question instead of three.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Sequence
from contextlib import suppress

from mentor_sync.mail.backends.smtp_connection import Place, sender_refused
from mentor_sync.mail.message import Email

Answer = tuple[int, bytes | str]
"""A code and what the server said, or in words of ours why it said nothing."""
CLOSING = 421
GO_ON = 354
TAKING_SECONDS = 600.0
"""What RFC 5321 gives a server to take a mail."""
LOST = 0
"""No answer to a mail, which may have been taken."""

_YES = ({250}, {250, 251}, {GO_ON})
"""The answers to MAIL, RCPT and DATA where all is well."""


def announced(connection: smtplib.SMTP, place: Place, email: Email) -> Answer:
    """The first answer that is a refusal, or that to DATA: the server waits for the mail.

    Raises:
        MailConfigurationError: the sender is refused, and so every mail.
    """
    asked = (
        f"MAIL FROM:<{email.sender.addr_spec}>",
        f"RCPT TO:<{email.to.addr_spec}>",
        "DATA",
    )
    ask = _ask_together if connection.has_extn("pipelining") else _ask_in_turn
    try:
        answers = ask(connection, asked)
    except OSError as error:  # smtplib's own are such
        return CLOSING, _cut(error)
    if 500 <= answers[0][0] < 600:
        raise sender_refused(place, *answers[0])
    noes = (answer for answer, yes in zip(answers, _YES, strict=False) if answer[0] not in yes)
    return next(noes, answers[-1])


def handed_over(connection: smtplib.SMTP, content: bytes, meanwhile: Callable[[], None]) -> Answer:
    """The answer to the mail; what can be done `meanwhile` is done while the server takes it."""
    try:
        connection.send(content)
    except OSError as error:
        return LOST, _cut(error)
    meanwhile()
    try:
        return _last_reply(connection)
    except OSError as error:
        return LOST, _cut(error)


def _last_reply(connection: smtplib.SMTP) -> Answer:
    """Servers look into a mail before they take it; who hangs up meanwhile sends it twice."""
    connected = connection.sock
    if connected is None:
        raise smtplib.SMTPServerDisconnected("it hung up")
    patience = connected.gettimeout()
    connected.settimeout(TAKING_SECONDS)
    try:
        return _reply(connection)
    finally:
        connected.settimeout(patience)


def forget(connection: smtplib.SMTP) -> None:
    """Take back what was announced; else the next MAIL would be one too many."""
    with suppress(OSError):  # the next mail finds out that it was cut
        connection.rset()


def _ask_in_turn(connection: smtplib.SMTP, asked: Sequence[str]) -> list[Answer]:
    """The answers up to the first refusal."""
    answers: list[Answer] = []
    for command, yes in zip(asked, _YES, strict=True):
        connection.putcmd(command)
        answers.append(_reply(connection))
        if answers[-1][0] not in yes:
            break
    return answers


def _ask_together(connection: smtplib.SMTP, asked: Sequence[str]) -> list[Answer]:
    connection.send("".join(f"{command}\r\n" for command in asked))
    answers = [_reply(connection) for _ in asked]
    if answers[-1][0] == GO_ON and answers[1][0] not in _YES[1]:
        # It waits for a mail to nobody.
        connection.send(b".\r\n")
        _reply(connection)
    return answers


def _reply(connection: smtplib.SMTP) -> Answer:
    code, answer = connection.getreply()
    if code < 0:
        raise smtplib.SMTPException("it says what is no answer")
    return code, answer


def _cut(error: OSError) -> str:
    return f"The connection was cut: {error}"
