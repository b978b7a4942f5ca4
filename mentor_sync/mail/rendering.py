"""From a kind of mail and its data to subject, text and HTML.

A template is `LOCALE/KIND.txt`, whose first line is `Subject: ...`, and `LOCALE/KIND.html`; both
are looked for in the operator's folder first, then here. They run in a sandbox, because who may
write a mail is not therefore one who may run Python.
"""

from __future__ import annotations

import os
import re
import stat
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.inlining import inlined
from mentor_sync.mail.kinds import KINDS, Kind
from mentor_sync.mail.links import link
from mentor_sync.mail.moments import moment_for_reader
from mentor_sync.mail.values import BadValue, plain, printable

TEMPLATES = Path(__file__).parent / "templates"
SOURCE_LANGUAGE = "en"
LONGEST_SUBJECT = 150

_PARTS = ("html", "txt")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_NAME = re.compile(r"'([^']+)'")


class UnknownKind(MentorSyncError):
    """There is no such kind of mail."""

    default_code = "unknown_mail"


class MissingValue(MentorSyncError):
    """A mail lacks a value."""

    default_code = "mail_value_missing"


class BadTemplate(MentorSyncError):
    """A template of a mail cannot be used."""

    default_code = "mail_template"


@dataclass(frozen=True)
class Rendered:
    """A mail, ready to be sent."""

    subject: str
    text: str
    html: str


def render(
    kind: str, data: Mapping[str, Any], *, locale: str = SOURCE_LANGUAGE, folder: Path | None = None
) -> Rendered:
    """Write a mail of a kind; English where there is none in the language of `locale`.

    Raises:
        UnknownKind: there is no such kind.
        MissingValue: the kind, or a template, needs a value that `data` lacks.
        BadValue: a link that is none, a moment without an offset, or what is not plain data.
        BadTemplate: a template has an error, or does what the sandbox forbids.
    """
    wanted = find_kind(kind)
    environment = _environment(folder)
    name = f"{_language(_loader(folder), kind, locale)}/{kind}"
    values = _values(wanted, data, f"{name}.txt") | {"kind": kind, "language": name.split("/")[0]}
    text = _Writer(environment, wanted, f"{name}.txt")
    html = _Writer(environment, wanted, f"{name}.html")
    subject = _subject(text.write(values, "#subject"), text.name)
    page = html.write(values | {"subject": subject})
    return Rendered(subject, _body(text.write(values, "#body")), _finished(page, html.name))


def find_kind(name: str) -> Kind:
    """The kind of this name.

    Raises:
        UnknownKind: there is none.
    """
    if name not in KINDS:
        raise UnknownKind(f"There is no mail {name!r}.", hint=f"There are {', '.join(KINDS)}.")
    return KINDS[name]


def languages(kind: str, *, folder: Path | None = None) -> list[str]:
    """The languages in which there is a mail of a kind."""
    found = (path.parent.name for root in _roots(folder) for path in root.glob(f"*/{kind}.txt"))
    return sorted(name for name in set(found) if _LOCALE.fullmatch(name))


def _roots(folder: Path | None) -> list[Path]:
    return [TEMPLATES] if folder is None else [folder, TEMPLATES]


class _Loader(FileSystemLoader):
    """Reads templates; of a text part `NAME#subject` and `NAME#body`.

    These are apart before any value is filled in, so no value can reach from one into the other.
    """

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        name, _, half = template.partition("#")
        read = self.find(name)
        text, file, _ = super().get_source(environment, name)
        return _half(half, text, file), file, lambda: self.find(name) == read

    def find(self, name: str) -> tuple[str, int, int] | None:
        """The file of this name, its time and its size: what an edit changes."""
        return next(filter(None, (_state(f"{root}/{name}") for root in self.searchpath)), None)


def _state(path: str) -> tuple[str, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # at every mail
    except OSError:
        return None
    return (path, found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _half(half: str, text: str, file: str) -> str:
    if not half:
        return text
    first, _, rest = text.partition("\n")
    label, colon, subject = first.partition(":")
    if (label.strip().lower(), colon) != ("subject", ":"):
        raise _broken(f"{file}:1: the first line must be Subject: and the subject")
    return subject if half == "subject" else f"\n{rest}"


@cache
def _loader(folder: Path | None) -> _Loader:
    if folder is not None and not folder.is_dir():
        raise BadTemplate(
            f"There is no folder of templates {folder}.", hint="Mend MENTOR_SYNC_TEMPLATES."
        )
    return _Loader(_roots(folder))


@cache
def _environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=_loader(folder),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=_given,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=folder is not None,  # ours change with a release
    )
    # What comes from people is never markup, whatever a template says.
    del environment.filters["safe"]
    environment.filters |= {"link": link, "moment": moment_for_reader, "quoted": _quoted}
    return environment


def _given(value: Any) -> Any:
    if value is None:
        raise UndefinedError("an optional value is printed that is not given")
    return value


def _language(loader: _Loader, kind: str, locale: str) -> str:
    """The closest language in which there are both parts: de for de_AT."""
    exact = locale.replace("_", "-") if _LOCALE.fullmatch(locale) else SOURCE_LANGUAGE
    for language in (exact, exact.split("-")[0].lower()):
        names = [f"{language}/{kind}.{part}" for part in _PARTS]
        missing = [name for name in names if not loader.find(name)]
        if not missing:
            return language
        if len(missing) < len(_PARTS):
            raise BadTemplate(
                f"Of the mail {kind} in {language} there is one part only.", hint=f"Add {missing}."
            )
    return SOURCE_LANGUAGE


def _values(kind: Kind, data: Mapping[str, Any], template: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: plain(value, name) for name, value in data.items()}
    for variable in kind.variables:
        if values.setdefault(variable.name, None) is None and not variable.is_optional:
            raise MissingValue(
                f"The mail {kind.name} ({template}) lacks {variable.name}: {variable.about}.",
                hint="Pass it with the data of the mail.",
            )
    return values


class _Writer:
    """Fills in one template, and says where an error is."""

    def __init__(self, environment: ImmutableSandboxedEnvironment, kind: Kind, name: str) -> None:
        self.environment = environment
        self.kind = kind
        self.name = name

    def write(self, values: Mapping[str, Any], half: str = "") -> str:
        try:
            return self.environment.get_template(self.name + half).render(values)
        except BadTemplate:
            raise
        except BadValue as error:
            place = _place(error) or self.name
            raise BadValue(
                f"{error.message} ({self.kind.name}, {place})", hint=error.hint
            ) from error
        except UndefinedError as error:
            raise self._missing(error) from error
        except TemplateSyntaxError as error:
            place = f"{error.filename or error.name or self.name}:{error.lineno}"
            raise _broken(f"{place}: {error.message}") from error
        except Exception as error:  # a template may divide by zero, or call itself
            what = f"{type(error).__name__}: {error}"
            raise _broken(f"{_place(error) or self.name}: {what}") from error

    def _missing(self, error: UndefinedError) -> MissingValue:
        names = _NAME.findall(error.message or "")
        variable = names[-1] if names else error.message
        return MissingValue(
            f"The mail {self.kind.name} lacks {variable}, which {_place(error) or self.name} uses.",
            hint="Pass it with the data of the mail, or take it out of the template; "
            "ask for what may be missing with {% if NAME is defined %}.",
        )


def _place(error: BaseException) -> str:
    """The template and line from which an error comes; Jinja puts them into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{f.filename}:{f.lineno}" for f in frames if f.filename.endswith((".html", ".txt"))]
    return places[-1] if places else ""


def _broken(message: str) -> BadTemplate:
    return BadTemplate(
        message, hint="Mend it; mentor-sync email preview --all --out FOLDER tries them."
    )


def _subject(text: str, template: str) -> str:
    subject = printable(" ".join(text.split()))
    if not subject:
        raise _broken(f"{template}:1: the subject is empty")
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    return subject[: LONGEST_SUBJECT - 1].rstrip() + "…"


def _body(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _finished(page: str, template: str) -> str:
    try:
        return inlined(page)
    except BadValue as error:
        raise BadValue(f"{error.message} ({template})", hint=error.hint) from error
    except ValueError as error:
        raise _broken(f"{template}: {error}") from error


def _quoted(text: str) -> str:
    """Lines that begin with >, for what a person wrote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
