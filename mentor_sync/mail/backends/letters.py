"""Mails as they are handed to a server, written one ahead."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Self

from mentor_sync.mail.backends.backend import MailConfigurationError, composed
from mentor_sync.mail.message import BadAddress, Email, Mail


class Letter:
    """A mail, written when it is asked for; what is wrong with it is told every time."""

    def __init__(self, mail: Mail) -> None:
        self.id = mail.id
        self._mail = mail

    @cached_property
    def email(self) -> Email:
        return composed(self._mail)

    @cached_property
    def content(self) -> bytes:
        """What follows on DATA: no line in it can be taken for its end."""
        return self.email.as_bytes().replace(b"\n.", b"\n..") + b".\r\n"


class Letters:
    """A letter a mail; `prepare` writes the next, so that it need not be waited for."""

    def __init__(self, mails: Iterable[Mail]) -> None:
        self._letters = map(Letter, mails)
        self._next: Letter | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Letter:
        letter, self._next = self._next or next(self._letters), None
        return letter

    def prepare(self) -> None:
        self._next = self._next or next(self._letters, None)
        if self._next:
            with suppress(BadAddress, MailConfigurationError):  # told when its turn comes
                _ = self._next.content
