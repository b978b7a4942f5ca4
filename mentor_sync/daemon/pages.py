"""The pages that mails and calendar programs lead to: /links and /calendar/SECRET.ics.

The daemon serves them on this machine; whoever wants them reached from outside lets a proxy pass
these two paths on, and says so in MENTOR_SYNC_LINKS. Looking at a link does nothing, since mail
programs look at links by themselves; pressing its button does, and so does RFC 8058's POST.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import escape
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mentor_sync.database import Answer, Database, Json
from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.invites import BadMeeting, Meeting, feed, read_meeting
from mentor_sync.mail.message import read_sender
from mentor_sync.mail.moments import known_zone

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address holds a token
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>body {{ font: 18px/1.5 system-ui, sans-serif; margin: 3em auto; max-width: 32em;
padding: 0 1em; }} button {{ font: inherit; padding: 0.5em 1em; }}</style>
</head>
<body>
<h1>{title}</h1>
{content}
</body>
</html>
"""
_BUTTON = '<form method="post"><button>{label}</button></form>'
_QUESTIONS = {
    "unsubscribe": ("No more mails of this kind?", "Unsubscribe"),
    "answer": ("Send your answer?", "Send the answer"),
}
_ANSWERS = {
    "unsubscribed": "You get no more mails of this kind.",
    "recorded": "Thank you, your answer is noted.",
    "answered": "You had answered this before; the first answer counts.",
    "expired": "This link is too old to be answered.",
    "unknown": "This link is not whole. Open it from the mail again.",
}


class Pages:
    """What people without an account of ours may do, by a token that was sent to them.

    Args:
        open_database: of the project; opened at the first click, and used by one at a time.
        sender: `Name <address>` of the programme, the organiser of what is in calendars.
    """

    def __init__(self, open_database: Callable[[], Database], sender: str) -> None:
        self._open = open_database
        self._sender = sender
        self._database: Database | None = None
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/links", self._ask, methods=["GET", "HEAD"]),
            Route("/links", self._act, methods=["POST"]),
            Route("/calendar/{token:uuid}.ics", self._calendar, methods=["GET", "HEAD"]),
        ]

    def close(self) -> None:
        with self._lock:
            if self._database:
                self._database.close()
            self._database = None

    def _ask(self, request: Request) -> Response:
        verb, _ = _wanted(request)
        if not verb:
            return _page(_ANSWERS["unknown"], status=404)
        title, label = _QUESTIONS[verb]
        return _page(title, _BUTTON.format(label=label))

    def _act(self, request: Request) -> Response:
        verb, token = _wanted(request)
        if not verb:
            return _page(_ANSWERS["unknown"], status=404)
        try:
            outcome = self._outcome(verb, token)
        except MentorSyncError:
            return _page("That did not work. Please try again in a minute.", status=503)
        return _page(_ANSWERS[outcome], status=404 if outcome == "unknown" else 200)

    def _outcome(self, verb: str, token: str) -> str:
        if verb == "answer":
            return str(self._call("answer_message", token, dict)["outcome"])
        self._call("unsubscribe", token, bool)
        return "unsubscribed"

    def _calendar(self, request: Request) -> Response:
        token: UUID = request.path_params["token"]
        try:
            found = self._call("calendar_feed", str(token), dict)
        except MentorSyncError:
            return Response("Please try again.", 503, headers=_HEADERS)
        if not found:
            return Response("There is no such calendar.", 404, headers=_HEADERS)
        meetings = list(self._meetings(found["meetings"]))
        ics = feed(meetings, "Mentoring", known_zone(found["timezone"]))
        return Response(ics, headers=_HEADERS, media_type="text/calendar")

    def _meetings(self, events: list[Json]) -> Iterator[Meeting]:
        organiser = read_sender(self._sender)
        for event in events:
            # One that no calendar may hold must not keep the others from being shown.
            with suppress(BadMeeting):
                yield read_meeting(event, organiser=organiser)

    def _call(self, function: str, token: str, expected: type[Answer]) -> Answer:
        with self._lock:
            self._database = self._database or self._open()
            return self._database.rpc(function, {"p_token": token}, expect=expected)


def _wanted(request: Request) -> tuple[str, str]:
    """The verb and the token of a link; two empty texts where it is none."""
    for verb in _QUESTIONS:
        token = request.query_params.get(verb, "")
        if token and token.isascii() and token.isprintable():
            return verb, token
    return "", ""


def _page(title: str, content: str = "", *, status: int = 200) -> Response:
    return HTMLResponse(
        _PAGE.format(title=escape(title), content=content), status, headers=_HEADERS
    )
