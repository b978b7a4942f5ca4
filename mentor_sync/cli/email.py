"""`mentor-sync email`: how mails look before anybody gets one, and whether they go out."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from contextlib import closing
from html import escape
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of
from mentor_sync.errors import MentorSyncError, UsageError
from mentor_sync.mail.kinds import KINDS, Kind
from mentor_sync.mail.message import Mail, as_email
from mentor_sync.mail.rendering import SOURCE_LANGUAGE, Rendered, find_kind, languages, render
from mentor_sync.settings import Settings, load_settings

app = typer.Typer(help="Look at the mails, and how they go out.", no_args_is_help=True)

_INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Mails of mentor-sync</title>
<style>:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em; }
td, th { padding: 0.2em 1.5em 0.2em 0; vertical-align: top; }</style>
</head>
<body>
<h1>Mails of mentor-sync</h1>
<table>
<tr><th align="left">kind</th><th align="left">language</th><th align="left">subject</th></tr>
{rows}
</table>
</body>
</html>
"""


@app.command("preview")
def preview(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help="Which mail, as in session_reminder.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every mail in every language.")] = False,
    locale: Annotated[str, typer.Option("--locale", help="Language.")] = SOURCE_LANGUAGE,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write HTML here; a whole message if it ends in .eml."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    _json: JsonOption = False,
) -> None:
    """Write a mail from invented data, and print it or look at it."""
    invocation = invocation_of(context)
    settings = load_settings()
    if every == (kind is not None):
        raise UsageError("Which mail?", hint=f"Name one, or use --all: {', '.join(KINDS)}.")
    if kind is None:
        _preview_all(invocation, out, settings.templates, show=show)
        return
    wanted = find_kind(kind)
    mail = render(kind, wanted.sample, locale=locale, folder=settings.templates)
    if out is None and show:
        out = Path(tempfile.mkdtemp(prefix="mentor_sync-"), f"{kind}.html")
    if out is not None:
        sample = as_email(_message(wanted, mail, settings)).as_bytes().decode("ascii")
        _write(out, sample if out.suffix == ".eml" else mail.html)
    _answer(invocation, kind, mail, out)
    _open(out if show else None)


@app.command("test")
def send_test(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets it.")],
    kind: Annotated[str, typer.Option("--kind", help="Which mail.")] = "session_reminder",
    _json: JsonOption = False,
) -> None:
    """Send one mail with invented data, the way MENTOR_SYNC_MAIL says."""
    from mentor_sync.mail.delivery import open_backend_of

    invocation, settings = invocation_of(context), load_settings()
    wanted = find_kind(kind)
    mail = render(kind, wanted.sample, folder=settings.templates)
    with closing(open_backend_of(settings, "")) as backend:
        (delivery,) = backend.send([_message(wanted, mail, settings, message_id=uuid4(), to=to)])
    if delivery.outcome != "sent":
        raise MentorSyncError(f"The mail did not go out: {delivery.reason}", code="not_sent")
    invocation.answer({"to": to, "provider_id": delivery.provider_id})
    invocation.say(f"Handed over to {backend.name}: {mail.subject}")


@app.command("webhook")
def webhook(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    _json: JsonOption = False,
) -> None:
    """Let Resend tell of bounces: read the webhook's secret (whsec_...) from stdin, keep it."""
    from mentor_sync.cli.project import find_project

    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    secret = _read_secret()
    project.confirm(invocation, f"Set the secret of Resend's webhook on {project.name}?", yes=yes)
    with project.open(settings) as database:
        database.rpc("set_resend_secret", {"p_secret": secret}, expect=bool)
    url = f"{project.url.rstrip('/')}/rest/v1/rpc/resend_webhook?apikey="
    invocation.answer({"url": url})
    invocation.say(f"Noted. At Resend the webhook's address is\n{url}<your publishable key>")


def _read_secret() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Signing secret of the webhook", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


def _answer(invocation: Invocation, kind: str, mail: Rendered, out: Path | None) -> None:
    parts = {"subject": mail.subject, "text": mail.text, "html": mail.html}
    invocation.answer({"kind": kind, "file": str(out) if out else None, **parts})
    invocation.say(f"Wrote {out}" if out else f"Subject: {mail.subject}\n\n{mail.text.rstrip()}")


def _preview_all(
    invocation: Invocation, folder: Path | None, templates: Path | None, *, show: bool
) -> None:
    if folder is None:
        raise UsageError("Where to?", hint="Add --out FOLDER.")
    rows = []
    for kind in KINDS.values():
        for language in languages(kind.name, folder=templates):
            mail = render(kind.name, kind.sample, locale=language, folder=templates)
            name = f"{language}/{kind.name}"
            _write(folder / f"{name}.html", mail.html)
            _write(folder / f"{name}.txt", f"Subject: {mail.subject}\n\n{mail.text}")
            rows.append(_row(kind.name, language, name, mail.subject))
    index = folder / "index.html"
    _write(index, _INDEX.replace("{rows}", "\n".join(rows)))
    invocation.answer({"file": str(index), "mails": len(rows)})
    invocation.say(f"Wrote {len(rows)} mails; see {index}")
    _open(index if show else None)


def _row(kind: str, language: str, name: str, subject: str) -> str:
    text = f'<a href="{name}.txt" aria-label="text of {kind}">text</a>'
    links = f'<a href="{name}.html">{kind}</a> ({text})'
    return f"<tr><td>{links}</td><td>{language}</td><td>{escape(subject)}</td></tr>"


def _message(
    kind: Kind,
    mail: Rendered,
    settings: Settings,
    *,
    message_id: UUID = UUID(int=0),
    to: str = "preview@example.org",
) -> Mail:
    """As it would be sent, but for whom it comes to."""
    return Mail(
        id=message_id,
        sender=settings.mail_from,
        to=to,
        to_name=kind.sample["recipient_name"],
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        unsubscribe_url=kind.sample["unsubscribe_url"] or "",
    )


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}.", hint="Name another place with --out."
        ) from error


def _open(file: Path | None) -> None:
    if file is not None:
        webbrowser.open(file.resolve().as_uri())
