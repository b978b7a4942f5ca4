"""What Resend's answers mean: https://resend.com/docs/api-reference/errors."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from mentor_sync.clock import utc_now
from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.backends.backend import MailConfigurationError

_LONGEST_REASON = 300
_MAY_PASS = {408, 409, 425}
_WRONG_PLACE = {404, 405}


class Refused(MentorSyncError):
    """Resend does not take this request."""


class Lost(MentorSyncError):
    """Whether Resend took the request is not known."""

    retry_after: float | None = None


class Busy(MentorSyncError):
    """Resend takes no requests for a while."""

    retry_after: float | None = None


def read_ids(answer: httpx.Response, count: int, key: str) -> tuple[list[str], str]:
    """The ids of so many mails that were taken, and what there is to say about it.

    Raises:
        MailConfigurationError: no request can pass with this key, sender or address.
        Refused: this one cannot.
        Lost: it may have been taken.
        Busy: it was not, for now.
    """
    content = _content(answer)
    if answer.is_success:
        return _ids(content, count), ""
    if answer.status_code == 409 and content.get("name") == "invalid_idempotent_request":
        # The words differ from those of an earlier attempt; that one was sent.
        return [""] * count, "An earlier attempt was taken, with other words."
    raise _refusal(answer, _reason(answer, content, key))


def _ids(content: dict[str, Any], count: int) -> list[str]:
    entries = content.get("data", [content])
    found = entries if isinstance(entries, list) else []
    ids = [str(entry.get("id") or "") for entry in found if isinstance(entry, dict)]
    if len(ids) != count or not all(ids):
        raise Lost("Resend's answer was cut short or came from a proxy.")
    return ids


def _refusal(answer: httpx.Response, reason: str) -> MentorSyncError:
    status = answer.status_code
    if status in {401, 403}:
        return MailConfigurationError(
            f"Resend refused: {reason}",
            hint="Check RESEND_API_KEY, and that resend.com/domains shows the sender's domain"
            " as verified.",
        )
    if status in _WRONG_PLACE or answer.is_redirect:
        return MailConfigurationError(
            f"Resend's API is not there: {reason}", hint="MENTOR_SYNC_MAIL=resend: is enough."
        )
    if status == 429:
        busy = Busy(reason)
        busy.retry_after = _retry_after(answer)
        return busy
    if status in _MAY_PASS or answer.is_server_error:
        lost = Lost(reason)
        lost.retry_after = _retry_after(answer)
        return lost
    return Refused(reason)


def _reason(answer: httpx.Response, content: dict[str, Any], key: str) -> str:
    said = f"{content.get('name', '')} {content.get('message', '')}"
    return " ".join(f"{answer.status_code} {said}".split()).replace(key, "***")[:_LONGEST_REASON]


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    try:
        seconds = float(given)
    except ValueError:
        seconds = _seconds_until(given)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - utc_now()).total_seconds()
    except (TypeError, ValueError):  # no date, or one without a zone
        return math.nan
