"""Mails on the terminal, for a look at them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TextIO

from mentor_sync.mail.backends.backend import Delivery, composed, send_each
from mentor_sync.mail.message import Mail


class Console:
    """Prints whom a mail goes to, its subject and its text."""

    name = "console"
    sends_batches = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, mails: Iterable[Mail]) -> list[Delivery]:
        return send_each(mails, self._print)

    def close(self) -> None:
        self._stream.flush()

    def _print(self, mail: Mail) -> Delivery:
        email = composed(mail)
        head = f"To: {email['To']}\nSubject: {email['Subject']}"
        self._stream.write(f"{head}\n\n{_printable(mail.text).rstrip()}\n\n")
        return Delivery(mail.id, "sent")


def _printable(text: str) -> str:
    """Without what a terminal takes for an order."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
