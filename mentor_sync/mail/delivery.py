"""From rows of the outbox to mails: rendered, addressed, handed over, each with its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from mentor_sync.errors import ConfigurationError, MentorSyncError
from mentor_sync.mail.backends import (
    Backend,
    Delivery,
    MailConfigurationError,
    MailUnreachable,
    RateLimit,
    open_backend,
)
from mentor_sync.mail.backends.backend import put_off
from mentor_sync.mail.message import Mail
from mentor_sync.mail.rendering import BadTemplate, render
from mentor_sync.redaction import redact
from mentor_sync.settings import Settings

Row = Mapping[str, Any]
GROUP = 10
"""Mails that are handed over before the next wait for their turn."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Post:
    """A backend, and how this programme writes its mails.

    Args:
        backend: that sends.
        settings: sender, templates, links, mails a second.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings
        self._rate = RateLimit(settings.mail_per_second)

    def close(self) -> None:
        self._backend.close()

    def send(self, rows: list[Row], run_id: str) -> list[dict[str, Any]]:
        """Send these rows of claim_messages: the results that finish_messages takes.

        One that cannot be written fails alone.

        Raises:
            MailConfigurationError: no mail can be sent so.
            MailUnreachable: nobody takes them now.
        """
        results: list[dict[str, Any]] = []
        mails: list[Mail] = []
        for row in rows:
            try:
                mails.append(self._written(row, run_id))
            except MentorSyncError as error:
                results.append(_refused(row, error))
        for start in range(0, len(mails), GROUP):
            group = mails[start : start + GROUP]
            try:
                results.extend(map(_result, self._handed_over(group)))
            except (MailConfigurationError, MailUnreachable) as error:
                # Once some have gone out, the caller must learn of them: the next call raises.
                if start == 0:
                    raise
                results.extend(map(_result, put_off(mails[start:], error.message)))
                break
        return results

    def _handed_over(self, mails: list[Mail]) -> list[Delivery]:
        for _ in mails:
            self._rate.wait()
        return self._backend.send(mails)

    def _written(self, row: Row, run_id: str) -> Mail:
        data = dict(self._shown(row))
        locale = row["locale"] or "en"
        rendered = render(row["kind"], data, locale=locale, folder=self._settings.templates)
        return Mail(
            id=UUID(row["id"]),
            sender=self._settings.mail_from,
            to=row["address"],
            to_name=row["name"] or "",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            unsubscribe_url=data["unsubscribe_url"] or "",
            run_id=run_id,
        )

    def _shown(self, row: Row) -> Iterator[tuple[str, Any]]:
        """What the template may show: the row's data, and who it is for."""
        yield "programme", self._settings.programme
        yield "recipient_name", row["name"] or ""
        yield "timezone", row["timezone"] or "UTC"
        yield "unsubscribe_url", self._link(row["token"])
        yield from row["data"].items()
        if row["kind"] == "digest":
            yield "messages", [self._item({**row, **part}) for part in row["data"]["messages"]]

    def _item(self, part: Row) -> dict[str, str]:
        """A message of a digest: what its subject would have been, and where it leads."""
        data = dict(self._shown(part))
        locale = part["locale"] or "en"
        rendered = render(part["kind"], data, locale=locale, folder=self._settings.templates)
        urls = [value for name, value in part["data"].items() if name.endswith("_url") and value]
        return {"title": rendered.subject, **({"url": urls[0]} if urls else {})}

    def _link(self, token: str) -> str | None:
        page = self._settings.links
        if not page:
            return None
        return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode({'token': token})}"


def mail_url(settings: Settings, project_url: str) -> str | None:
    """What MENTOR_SYNC_MAIL says; without it, on a local stack, files in its folder."""
    if settings.mail is None and urlsplit(project_url).hostname in _LOOPBACK:
        return f"file:{settings.local_dir / 'outbox'}"
    return settings.mail


def open_backend_of(settings: Settings, project_url: str) -> Backend:
    """What carries the mails of this project.

    Raises:
        ConfigurationError: MENTOR_SYNC_MAIL says nothing, or nothing that can be.
    """
    url = mail_url(settings, project_url)
    if url is None:
        raise ConfigurationError(
            "MENTOR_SYNC_MAIL is not set, so no mail can be sent.",
            hint="Set it to smtp://..., resend: or file:FOLDER (see .env.example).",
            code="no_mail",
        )
    key = settings.resend_api_key.get_secret_value() if settings.resend_api_key else ""
    return open_backend(url, resend_key=key)


def open_post(settings: Settings, project_url: str) -> Post:
    """The post of this project; raises as open_backend_of does."""
    return Post(open_backend_of(settings, project_url), settings)


def _refused(row: Row, error: MentorSyncError) -> dict[str, Any]:
    """A template that was broken by hand is mended by hand: until then the message waits."""
    outcome = "retry" if isinstance(error, BadTemplate) else "failed"
    return {"id": row["id"], "outcome": outcome, "reason": redact(error.message)}


def _result(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.id),
        "outcome": delivery.outcome,
        "provider_id": delivery.provider_id,
        "reason": redact(delivery.reason),
        "retry_after": delivery.retry_after,
    }
