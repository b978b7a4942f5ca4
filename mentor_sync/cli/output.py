"""What a command prints: data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from mentor_sync.errors import ConfigurationError, MentorSyncError, UsageError
from mentor_sync.redaction import redact, redacted


@dataclass
class Invocation:
    """One call of the command: what it was asked, and how it answers."""

    command: str = "mentor-sync"
    json: bool = False
    quiet: bool = False
    debug: bool = False
    stdout: Console = field(default_factory=lambda: Console(highlight=False, emoji=False))
    stderr: Console = field(
        default_factory=lambda: Console(stderr=True, highlight=False, emoji=False)
    )

    def say(self, text: str = "") -> None:
        """A line for a person, on stdout; nothing with --json or --quiet."""
        if not self.json and not self.quiet:
            self.stdout.print(_lines(text), soft_wrap=True)

    def show(self, renderable: Any) -> None:
        """A table or panel of rich, likewise."""
        if not self.json and not self.quiet:
            self.stdout.print(renderable)

    def note(self, text: str) -> None:
        """A line about the work, on stderr."""
        if not self.quiet:
            self.stderr.print(_lines(text), soft_wrap=True)

    def answer(self, data: dict[str, Any], *, ok: bool = True) -> None:
        """The `--json` document; nothing without --json."""
        if self.json:
            self._write_document(data, ok=ok, errors=[])

    def fail(self, error: MentorSyncError) -> None:
        """What, the likely cause, the next command."""
        if self.json:
            self._write_document({}, ok=False, errors=[redacted(error.as_json())])
        line = _lines(f"Error: {redact(error.message)}")
        self.stderr.print(line, style="bold red", soft_wrap=True)
        if error.hint:
            self.stderr.print(_lines(redact(error.hint)), soft_wrap=True)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask on a terminal; elsewhere `--yes` is the only way.

        Raises:
            UsageError: nobody is there to answer, and `--yes` was not given.
        """
        if yes:
            return
        if not sys.stdin.isatty() or self.json:
            raise UsageError(
                f"{question} Nobody is here to answer, so nothing was changed.",
                hint="Run it again with --yes.",
                code="needs_yes",
            )
        typer.confirm(question, abort=True, err=True)

    def _write_document(
        self, data: dict[str, Any], *, ok: bool, errors: list[dict[str, str | bool]]
    ) -> None:
        document = {
            "version": 1,
            "command": self.command,
            "ok": ok,
            "data": data,
            "errors": errors,
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def plain(text: str) -> Text:
    """A table's cell as it is, without what steers a terminal: members may be called [bold]."""
    return Text("".join(c if c.isprintable() else " " for c in text), overflow="ellipsis")


def _lines(text: str) -> Text:
    return Text("".join(c if c.isprintable() or c in "\n\t" else " " for c in text))


def invocation_of(context: typer.Context) -> Invocation:
    """The invocation of this command, with the command's full name noted."""
    invocation = context.find_object(Invocation)
    if invocation is None:  # the app was called without main(), which makes it
        raise ConfigurationError("The command was not started through mentor_sync.cli.main().")
    invocation.command = context.command_path.removeprefix("mentor-sync ").strip()
    return invocation


def _set_json(context: typer.Context, value: bool) -> bool:
    if value:
        invocation_of(context).json = True
    return value


def _set_quiet(context: typer.Context, value: bool) -> bool:
    if value:
        invocation_of(context).quiet = True
    return value


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document.", callback=_set_json, is_eager=True),
]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print errors only.", callback=_set_quiet, is_eager=True),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
