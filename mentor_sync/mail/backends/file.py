"""Mails as files, for machines that must not write to anyone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mentor_sync.mail.backends.backend import (
    SETTING,
    Delivery,
    MailConfigurationError,
    composed,
    send_each,
)
from mentor_sync.mail.message import Mail

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class File:
    """One .eml a mail, named by its id; the same mail again is the same file."""

    name = "file"
    sends_batches = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mails: Iterable[Mail]) -> list[Delivery]:
        return send_each(mails, self._write)

    def close(self) -> None:
        """Nothing stays open."""

    def _write(self, mail: Mail) -> Delivery:
        written = composed(mail).as_bytes()
        place = self._folder / f"{mail.id}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(place, written)
        except OSError as error:
            raise MailConfigurationError(
                f"Mails cannot be written to {self._folder}: {error.strerror}",
                hint=f"{SETTING}=file:FOLDER names a folder that this user may write to.",
            ) from error
        return Delivery(mail.id, "sent", provider_id=place.name)


def _replace(place: Path, written: bytes) -> None:
    """All of it or nothing, and for its owner only: mails name people."""
    half = place.with_name(f".{place.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(half, _NEW, 0o600), "wb") as file:
            file.write(written)
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)
