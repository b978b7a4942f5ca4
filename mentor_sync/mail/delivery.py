"""From rows of the outbox to mails: rendered, addressed, handed over, each with its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from mentor_sync.errors import ConfigurationError, MentorSyncError
from mentor_sync.logs import get_logger
from mentor_sync.mail.backends import (
    Backend,
    Delivery,
    RateLimit,
    open_backend,
)
from mentor_sync.mail.invites import invite, read_meeting
from mentor_sync.mail.message import Mail, read_sender
from mentor_sync.mail.moments import known_zone
from mentor_sync.mail.rendering import BadTemplate, render
from mentor_sync.redaction import redact
from mentor_sync.settings import Settings

Row = Mapping[str, Any]
_log = get_logger("mentor_sync.mail")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class NoLinks(ConfigurationError):
    """A mail asks something, and there is no page where its links could lead."""

    default_code = "no_links"


class Post:
    """A backend, and how this programme writes its mails.

    Args:
        backend: that sends.
        settings: sender, templates, links, mails a second.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings

    def close(self) -> None:
        self._backend.close()

    def send(self, rows: list[Row], run_id: str) -> list[dict[str, Any]]:
        """Send these rows of claim_messages: the results that finish_messages takes.

        One that cannot be written fails alone.

        Raises:
            MailConfigurationError: no mail can be sent so.
            MailUnreachable: nobody takes them now.
        """
        refused: list[dict[str, Any]] = []
        # Written one by one as they are asked for: while a server takes one mail.
        mails = self._mails(rows, run_id, refused)
        if self._backend.sends_batches:
            mails = iter(list(mails))
            if reason := _incomplete(rows, refused):
                return [_put_back(row, reason) for row in rows]
        return [_result(delivery) for delivery in self._backend.send(mails)] + refused

    def _mails(self, rows: list[Row], run_id: str, refused: list[dict[str, Any]]) -> Iterator[Mail]:
        for row in rows:
            try:
                yield self._written(row, run_id)
            except Exception as error:  # whatever is wrong with one is not the others' fault
                refused.append(_refused(row, error))

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
            batch=UUID(row["batch"]),
            **self._invitation(row["data"]),
        )

    def _shown(self, row: Row) -> Iterator[tuple[str, Any]]:
        """What the template may show: the row's data, and who it is for."""
        yield "programme", self._settings.programme
        yield "recipient_name", row["name"] or ""
        yield "timezone", known_zone(row["timezone"])
        yield "unsubscribe_url", self._link("unsubscribe", row["unsubscribe"])
        yield from row["data"].items()
        yield from self._answers(row)
        if row["kind"] == "digest":
            yield "messages", list(self._items(row))

    def _items(self, row: Row) -> Iterator[dict[str, str]]:
        """What a digest gathers; what cannot be shown must not keep the rest from being told."""
        for part in row["data"]["messages"]:
            try:
                yield self._item({**row, **part})
            except Exception as error:
                _log.warning("left out of a digest", kind=part["kind"], reason=_reason(error))

    def _item(self, part: Row) -> dict[str, str]:
        """A message of a digest: what its subject would have been, and where it leads."""
        data = dict(self._shown(part))
        locale = part["locale"] or "en"
        rendered = render(part["kind"], data, locale=locale, folder=self._settings.templates)
        urls = [value for name, value in part["data"].items() if name.endswith("_url") and value]
        return {"title": rendered.subject, **({"url": urls[0]} if urls else {})}

    def _answers(self, row: Row) -> Iterator[tuple[str, Any]]:
        """The links that answer the questions of a message, by what its template calls them."""
        if not row["asked"]:
            return
        links = [[self._link("answer", token) for token in tokens] for tokens in row["asked"]]
        if not self._settings.links:
            raise NoLinks("MENTOR_SYNC_LINKS is not set, so nobody could answer.")
        match row["kind"]:
            case "survey_digest":
                surveys = zip(row["data"]["surveys"], links, strict=True)
                yield "surveys", [{**survey, "rating_urls": urls} for survey, urls in surveys]
            case "health_check_in":
                yield from zip(("well_url", "help_url"), links[0], strict=True)
            case _:
                yield "rating_urls", links[0]

    def _invitation(self, data: Row) -> dict[str, Any]:
        """The calendar's part of a mail about a session."""
        if "event" not in data:
            return {}
        sender = read_sender(self._settings.mail_from)
        made = invite(read_meeting(data["event"], organiser=sender))
        return {"calendar": made.ics, "calendar_method": made.method}

    def _link(self, verb: str, token: str) -> str | None:
        page = self._settings.links
        if not page:
            return None
        return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode({verb: token})}"


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
    return open_backend(url, resend_key=key, limit=RateLimit(settings.mail_per_second))


def open_post(settings: Settings, project_url: str) -> Post:
    """The post of this project; raises as open_backend_of does."""
    return Post(open_backend_of(settings, project_url), settings)


def _refused(row: Row, error: Exception) -> dict[str, Any]:
    """What an operator mends, a template or a setting, is worth waiting for."""
    outcome = "held" if isinstance(error, BadTemplate | NoLinks) else "failed"
    return {"id": row["id"], "outcome": outcome, "reason": _reason(error)}


def _reason(error: Exception) -> str:
    if isinstance(error, MentorSyncError):
        return redact(error.message)
    return redact(f"{type(error).__name__}: {error}")


def _incomplete(rows: list[Row], refused: list[dict[str, Any]]) -> str:
    """Why a batch in doubt has to wait: the provider knows it again as the same set only."""
    held = [one["reason"] for one in refused if one["outcome"] == "held"]
    return held[0] if held and rows[0]["in_doubt"] else ""


def _put_back(row: Row, reason: str) -> dict[str, Any]:
    return {"id": row["id"], "outcome": "held", "reason": f"Its batch waits: {reason}"}


def _result(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.id),
        "outcome": delivery.outcome,
        "provider_id": delivery.provider_id,
        "reason": redact(delivery.reason),
        "retry_after": delivery.retry_after,
    }
