"""From a kind of mail and its data to subject, text and HTML.

A template is `LOCALE/KIND.txt`, whose first line is `Subject: ...`, and `LOCALE/KIND.html`; both
are looked for in the operator's folder first, then here. They run in a sandbox, because who may
write a mail is not therefore one who may run Python.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from css_inline import CSSInliner
from jinja2 import (
    BaseLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    UndefinedError,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.kinds import KINDS, Kind

TEMPLATES = Path(__file__).parent / "templates"
SOURCE_LANGUAGE = "en"
LONGEST_SUBJECT = 150
Part = Literal["html", "txt"]

_PARTS: tuple[Part, ...] = ("html", "txt")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Controls, halves of surrogates, and what turns the direction of the text around it; the marks
# U+200E and U+200F, which right-to-left scripts need, only concern their neighbours.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_NAME = re.compile(r"'([^']+)'")
_MOMENTS = "Pass moments as in 2026-11-26T14:30:00+00:00."
_INLINER = CSSInliner(load_remote_stylesheets=False)


class UnknownKind(MentorSyncError):
    """There is no such kind of mail."""

    default_code = "unknown_mail"


class MissingValue(MentorSyncError):
    """A mail lacks a value."""

    default_code = "mail_value_missing"


class BadValue(MentorSyncError):
    """A value cannot be shown in a mail."""

    default_code = "mail_value_bad"


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
    language = _language(environment, kind, locale)
    values = _values(wanted, data, f"{language}/{kind}.txt") | {"kind": kind, "language": language}
    text = _Writer(environment, wanted, f"{language}/{kind}.txt")
    html = _Writer(environment, wanted, f"{language}/{kind}.html")
    subject = _subject(text.write(values, "subject"), text.name)
    page = html.write(values | {"subject": subject}, "whole")
    return Rendered(subject, _body(text.write(values, "body")), _checked(page, html.name))


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


@cache
def _environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    if folder is not None and not folder.is_dir():
        raise BadTemplate(
            f"There is no folder of templates {folder}.", hint="Mend MENTOR_SYNC_TEMPLATES."
        )
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_roots(folder)),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What comes from people is never markup, whatever a template says.
    del environment.filters["safe"]
    environment.filters |= {"link": link, "moment": _moment_for_reader, "quoted": _quoted}
    return environment


def _printable(value: Any) -> Any:
    if value is None:
        raise UndefinedError("an optional value is printed that is not given")
    return value


def _language(environment: ImmutableSandboxedEnvironment, kind: str, locale: str) -> str:
    """The closest language in which there are both parts: de for de_AT."""
    exact = locale.replace("_", "-") if _LOCALE.fullmatch(locale) else SOURCE_LANGUAGE
    for language in (exact, exact.split("-")[0].lower()):
        names = [f"{language}/{kind}.{part}" for part in _PARTS]
        missing = [name for name in names if not _exists(environment, name)]
        if not missing:
            return language
        if len(missing) < len(_PARTS):
            raise BadTemplate(
                f"Of the mail {kind} in {language} there is one part only.", hint=f"Add {missing}."
            )
    return SOURCE_LANGUAGE


def _exists(environment: ImmutableSandboxedEnvironment, name: str) -> bool:
    loader = environment.loader
    return isinstance(loader, FileSystemLoader) and any(
        Path(root, name).is_file() for root in loader.searchpath
    )


def _values(kind: Kind, data: Mapping[str, Any], template: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: _plain(value, name) for name, value in data.items()}
    for variable in kind.variables:
        if values.setdefault(variable.name, None) is None and not variable.is_optional:
            raise MissingValue(
                f"The mail {kind.name} ({template}) lacks {variable.name}: {variable.about}.",
                hint="Pass it with the data of the mail.",
            )
    return values


def _plain(value: Any, name: str) -> Any:
    """A copy of plain data: objects would bring methods, and markup of their own, with them."""
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, str):
        return _UNPRINTABLE.sub("", _LINE_ENDS.sub("\n", value))
    if isinstance(value, Mapping):
        present = {str(key): item for key, item in value.items() if item is not None}
        return {key: _plain(item, f"{name}.{key}") for key, item in present.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    raise BadValue(
        f"The value {name} of a mail is a {type(value).__name__}.",
        hint="Pass text, numbers, datetimes, and lists and dicts of them.",
    )


class _Writer:
    """Fills in one template, and says where an error is."""

    def __init__(self, environment: ImmutableSandboxedEnvironment, kind: Kind, name: str) -> None:
        self.environment = environment
        self.kind = kind
        self.name = name

    def write(self, values: Mapping[str, Any], half: str) -> str:
        try:
            return _compiled(self.environment, self.name, self._source())[half].render(values)
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

    def _source(self) -> _Source:
        loader = self.environment.loader
        assert isinstance(loader, BaseLoader)  # noqa: S101  # _environment gave it one
        text, file, _ = loader.get_source(self.environment, self.name)
        return _Source(text, file or self.name)

    def _missing(self, error: UndefinedError) -> MissingValue:
        names = _NAME.findall(error.message or "")
        variable = names[-1] if names else error.message
        return MissingValue(
            f"The mail {self.kind.name} lacks {variable}, which {_place(error) or self.name} uses.",
            hint="Pass it with the data of the mail, or take it out of the template; "
            "ask for what may be missing with {% if NAME is defined %}.",
        )


class _Source(NamedTuple):
    text: str
    file: str


@lru_cache(maxsize=256)
def _compiled(
    environment: ImmutableSandboxedEnvironment, name: str, source: _Source
) -> dict[str, Template]:
    """The whole of an HTML part; of a text part, the subject and the body.

    They are apart before any value is filled in, so no value can reach from one into the other.
    """
    halves = {"whole": source.text}
    if name.endswith(".txt"):
        first, _, rest = source.text.partition("\n")
        label, colon, subject = first.partition(":")
        if (label.strip().lower(), colon) != ("subject", ":"):
            raise _broken(f"{source.file}:1: the first line must be Subject: and the subject")
        halves = {"subject": subject, "body": f"\n{rest}"}
    return {half: _template(environment, name, source.file, halves[half]) for half in halves}


def _template(
    environment: ImmutableSandboxedEnvironment, name: str, file: str, text: str
) -> Template:
    code = environment.compile(text, name, file)
    return Template.from_code(environment, code, environment.make_globals(None))


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
    subject = _UNPRINTABLE.sub("", " ".join(text.split()))
    if not subject:
        raise _broken(f"{template}:1: the subject is empty")
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    return subject[: LONGEST_SUBJECT - 1].rstrip() + "…"


def _body(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _checked(page: str, template: str) -> str:
    """The page with its CSS at the elements; links are looked at even where `link` was not used."""
    try:
        html = _INLINER.inline(page)
        _Links().feed(html)
    except BadValue as error:
        raise BadValue(f"{error.message} ({template})", hint=error.hint) from error
    except ValueError as error:
        raise _broken(f"{template}: {error}") from error
    return html


class _Links(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "action", "formaction"):
                link(value or "")


def link(url: str) -> str:
    """The address as it is, if it is one that a mail may lead to.

    Raises:
        BadValue: it is none. The message never holds it, since it may hold a token.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    target = parts.path if parts.scheme == "mailto" else parts.netloc
    is_whole = parts.scheme in ("http", "https", "mailto") and target
    # Checked apart: urlsplit drops line ends, as browsers do, and would let java\nscript pass.
    if not is_whole or not url.isprintable() or set(url) & set(' \\"<>'):
        begins = f"begins with {parts.scheme[:20]}:" if parts.scheme else "has no scheme"
        raise BadValue(
            f"A link {begins} or is not whole.", hint="Links begin with https:, http: or mailto:."
        )
    return url


def _quoted(text: str) -> str:
    """Lines that begin with >, for what a person wrote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


class _Calendar(NamedTuple):
    """How a language writes a moment."""

    days: list[str]
    months: list[str]
    pattern: str
    zones: Mapping[str, str]


_CALENDARS = {
    "en": _Calendar(
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        "{day} {at.day} {month} {at.year}, {at:%H:%M} ({zone})",
        {},
    ),
    "de": _Calendar(
        ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        "{day}, {at.day}. {month} {at.year}, {at:%H:%M} Uhr ({zone})",
        {
            "CET": "MEZ",
            "CEST": "MESZ",
            "EET": "OEZ",
            "EEST": "OESZ",
            "WET": "WEZ",
            "WEST": "WESZ",
        },
    ),
}


def moment(value: str | datetime, timezone: str, locale: str = SOURCE_LANGUAGE) -> str:
    """A moment as the clocks of a time zone show it, with the zone's abbreviation.

    In a language without a table: 2026-11-26 15:30 (CET).

    Raises:
        BadValue: it has no offset, or there is no such time zone.
    """
    at = _local(value, _zone(timezone))
    calendar = _CALENDARS.get(re.split("[-_]", locale)[0].lower())
    if calendar is None:
        return f"{at:%Y-%m-%d %H:%M} ({_abbreviation(at)})"
    zone = _abbreviation(at)
    return calendar.pattern.format(
        day=calendar.days[at.weekday()],
        month=calendar.months[at.month - 1],
        at=at,
        zone=calendar.zones.get(zone, zone),
    )


@pass_context
def _moment_for_reader(
    context: Context, value: str | datetime, timezone: str = "", locale: str = ""
) -> str:
    """In templates the zone is the recipient's and the language that of the template."""
    zone = timezone or context.resolve("timezone")
    return moment(value, str(zone), locale or str(context.resolve("language")))


def _local(value: str | datetime, zone: ZoneInfo) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        local = at.astimezone(zone)
    except (TypeError, ValueError, OverflowError):
        raise BadValue(f"{value!r} is no moment.", hint=_MOMENTS) from None
    if at.utcoffset() is None:
        raise BadValue(f"The moment {value} has no offset from UTC.", hint=_MOMENTS)
    return local


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise BadValue(
            f"There is no time zone {name!r}.", hint="They are called as in Europe/Berlin."
        ) from None


def _abbreviation(at: datetime) -> str:
    """CET; where a zone has a number instead, such as +0330, UTC+03:30."""
    name = at.tzname() or ""
    return name if name[:1].isalpha() else "UTC" + ":".join(filter(None, (name[:3], name[3:])))
