"""Mails through Resend's API, each of them once.

Resend knows a request again for 24 hours by its Idempotency-Key, if its body is the same too. The
key of a mail alone is the id of its outbox row, that of a batch the batch's: the outbox gives
back whole what may have been taken.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.backends.backend import (
    Delivery,
    MailConfigurationError,
    MailUnreachable,
    composed,
    put_off,
)
from mentor_sync.mail.backends.rate import RateLimit
from mentor_sync.mail.backends.resend_answers import Busy, Lost, Refused, read_ids
from mentor_sync.mail.message import (
    STEADY_HEADERS,
    BadAddress,
    Mail,
    calendar_method,
    encodable,
)

API = "https://api.resend.com"
_TRIES = 3
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class _Letter:
    """A mail, and how Resend wants it."""

    mail: Mail
    body: dict[str, Any]
    key: str  # of the request that it goes with

    def alone(self) -> _Letter:
        return replace(self, key=str(self.mail.id))


class Resend:
    """Resend's API.

    Args:
        key: RESEND_API_KEY.
        base_url: of the API.
        transport: instead of the network, in tests.
        timeout: seconds a request may take.
        limit: of requests a second, waited for before each.
        sleep: between tries.

    Raises:
        MailConfigurationError: there is no key, or the URL is none.
    """

    name = "resend"
    sends_batches = True

    def __init__(
        self,
        key: str,
        *,
        base_url: str = API,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
        limit: RateLimit | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = _checked_key(key)
        self._limit = limit
        self._http = httpx.Client(
            base_url=_checked_url(base_url),
            headers={"Authorization": f"Bearer {self._key}", "User-Agent": "mentor-sync"},
            timeout=timeout,
            transport=transport or httpx.HTTPTransport(),
        )
        self._attempts = Retrying(
            retry=retry_if_exception(_worth_another_try),
            wait=wait_exponential(multiplier=0.5),
            stop=stop_after_attempt(_TRIES),
            sleep=sleep,
            reraise=True,
        )

    def send(self, mails: Iterable[Mail]) -> list[Delivery]:
        given = list(mails)
        letters, done = _written(given)
        todo = deque(_groups(letters))
        while todo:
            group = todo.popleft()
            try:
                done += self._attempted(group)
            except Refused as error:
                # Resend takes all of a batch or nothing: alone, only the bad one fails.
                if not _is_alone(group):
                    todo.extendleft([letter.alone()] for letter in reversed(group))
                else:
                    done.append(Delivery(group[0].mail.id, "failed", reason=error.message))
            except Lost as error:
                done += _uncertain(group, error)
            except (Busy, MailConfigurationError, MailUnreachable) as error:
                done += _stopped(error, done, [group, *todo])
                break
        by_id = {delivery.id: delivery for delivery in done}
        return [by_id[mail.id] for mail in given]

    def close(self) -> None:
        self._http.close()

    def _attempted(self, group: list[_Letter]) -> list[Delivery]:
        lost: list[Lost] = []

        def post() -> list[Delivery]:
            try:
                return self._post(group)
            except Lost as error:
                lost.append(error)
                raise

        try:
            return self._attempts(post)
        except (Busy, MailConfigurationError, MailUnreachable) as error:
            # An attempt before this one may have been taken all the same.
            raise (lost[-1] if lost else error) from error

    def _post(self, group: list[_Letter]) -> list[Delivery]:
        """Sent; the same group is the same request, byte by byte."""
        alone = _is_alone(group)
        if self._limit:
            self._limit.wait()
        try:
            answer = self._http.post(
                "/emails" if alone else "/emails/batch",
                json=group[0].body if alone else [letter.body for letter in group],
                headers={"Idempotency-Key": _idempotency_key(group)},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise MailUnreachable(
                f"Resend does not answer: {type(error).__name__}",
                hint="Mails wait in the outbox. Is the network up?",
            ) from error
        except httpx.TransportError as error:
            # It may have been taken: the key tells at the next try.
            raise Lost(f"Resend's answer was lost: {type(error).__name__}") from error
        ids, reason = read_ids(answer, len(group), self._key)
        return [
            Delivery(letter.mail.id, "sent", provider_id=given, reason=reason)
            for letter, given in zip(group, ids, strict=True)
        ]


def _written(mails: Sequence[Mail]) -> tuple[list[_Letter], list[Delivery]]:
    """What can be sent, by id: in whatever order mails come, the request is the same."""
    letters, failed = [], []
    for mail in sorted({mail.id: mail for mail in mails}.values(), key=lambda mail: mail.id):
        try:
            letters.append(_letter(mail))
        except BadAddress as error:
            failed.append(Delivery(mail.id, "failed", reason=error.message))
    return letters, failed


def _body(mail: Mail) -> dict[str, Any]:
    """What must not differ between attempts: neither date nor run, or the key is refused."""
    email = composed(mail)
    body: dict[str, Any] = {
        "from": str(email["From"]),
        "to": [str(email["To"])],
        "subject": str(email["Subject"]),
        "text": encodable(mail.text),
        "headers": {name: str(email[name]) for name in STEADY_HEADERS if name in email},
    }
    if mail.html:
        body["html"] = encodable(mail.html)
    if mail.reply_to:
        body["reply_to"] = str(email["Reply-To"])
    if mail.calendar:
        body["attachments"] = [_invitation(mail)]
    return body


def _invitation(mail: Mail) -> dict[str, str]:
    return {
        "filename": "invite.ics",
        "content": base64.b64encode(mail.calendar).decode(),
        "content_type": f"text/calendar; charset=utf-8; method={calendar_method(mail)}",
    }


def _letter(mail: Mail) -> _Letter:
    """Batches take no attachments, so what has one goes alone."""
    alone = mail.batch is None or mail.batch == mail.id or bool(mail.calendar)
    return _Letter(mail, _body(mail), str(mail.id) if alone else f"batch-{mail.batch}")


def _idempotency_key(group: list[_Letter]) -> str:
    """Of a batch: of these mails together, so that without one of them it is another request."""
    if _is_alone(group):
        return group[0].key
    ids = "\n".join(str(letter.mail.id) for letter in group)
    return f"{group[0].key}-{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def _is_alone(group: list[_Letter]) -> bool:
    return group[0].key == str(group[0].mail.id)


def _groups(letters: list[_Letter]) -> list[list[_Letter]]:
    """A request each."""
    by_key: dict[str, list[_Letter]] = {}
    for letter in letters:
        by_key.setdefault(letter.key, []).append(letter)
    return list(by_key.values())


def _uncertain(group: list[_Letter], error: Lost) -> list[Delivery]:
    alone = _is_alone(group)
    return [
        Delivery(
            letter.mail.id,
            "uncertain",
            reason=error.message,
            retry_after=error.retry_after,
            alone=alone,
        )
        for letter in group
    ]


def _stopped(
    error: MentorSyncError, done: list[Delivery], left: list[list[_Letter]]
) -> list[Delivery]:
    """The rest, put off. Where none was sent the caller may as well learn it as an error."""
    if not isinstance(error, Busy) and not any(
        one.outcome in ("sent", "uncertain") for one in done
    ):
        raise error
    mails = [letter.mail for group in left for letter in group]
    return put_off(mails, error.message, error.retry_after if isinstance(error, Busy) else None)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, Lost):
        return error.retry_after is None  # else it says when
    return isinstance(error, MailUnreachable)


def _checked_key(given: str) -> str:
    key = given.strip()
    if not key:
        raise MailConfigurationError(
            "RESEND_API_KEY is not set.", hint="Make a key at https://resend.com/api-keys."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise MailConfigurationError(
            "RESEND_API_KEY is not a key.", hint="It looks like re_..., without spaces or quotes."
        )
    return key


def _checked_url(given: str) -> httpx.URL:
    try:
        url = httpx.URL(given.strip().rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise MailConfigurationError(
            "The address of Resend's API does not begin with https://.",
            hint="MENTOR_SYNC_MAIL=resend: is enough.",
        )
    return url
