"""Mails as they are written: the same in both parts, whatever people are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mentor_sync.cli.email import app as email_app
from mentor_sync.cli.output import Invocation
from mentor_sync.errors import UsageError
from mentor_sync.mail.kinds import KINDS
from mentor_sync.mail.links import link
from mentor_sync.mail.moments import moment
from mentor_sync.mail.rendering import (
    TEMPLATES,
    BadTemplate,
    MissingValue,
    Rendered,
    UnknownKind,
    languages,
    render,
)
from mentor_sync.mail.values import BadValue

WRITTEN = [(kind, language) for kind in KINDS for language in languages(kind)]
HOSTILE_PIECES = [
    *("<b>", "</td>", "</title>", "</style>", "<script>alert(1)</script>", "<!--", "-->", "]]>"),
    *(
        '"',
        "'",
        "&",
        "&lt;",
        "&#0;",
        "=",
        "`",
        "\n",
        "\r\n",
        "\r",
        "\v",
        "\x85",
        "\u2028",
        "\u2029",
    ),
    *("{{ 7 * 7 }}", "{% raw %}", "{#", "\x00", "\x1b[31m", "\x7f", "\u202e", "\u2066", "\u200f"),
    *("\ud800", "\ufeff", "\uffff", "Subject: x", "https://x.example", "שלום", "👩‍💻", "ok"),
]
hostile = st.lists(st.sampled_from(HOSTILE_PIECES) | st.text(max_size=5), max_size=12).map("".join)


class Page(HTMLParser):
    """What an HTML part consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Any]] = []
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))
        if tag == "a":
            self.links.append((dict(attrs)["href"] or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", None))

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.links and self.tags[-1][0] == "a":
            href, words = self.links.pop()
            self.links.append((href, words + data))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!", data))


def sample(kind: str, **values: Any) -> dict[str, Any]:
    return dict(KINDS[kind].sample) | values


def required(kind: str) -> dict[str, Any]:
    """A sample without what is optional."""
    optional = {variable.name for variable in KINDS[kind].variables if variable.is_optional}
    return {name: value for name, value in sample(kind).items() if name not in optional}


def with_words(value: Any, words: str, name: str = "") -> Any:
    """A sample in which all that people write is replaced."""
    if isinstance(value, dict):
        return {key: with_words(item, words, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_words(item, words, name) for item in value]
    is_written = isinstance(value, str) and not name.endswith(("_at", "url", "urls", "timezone"))
    return words if is_written else value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Templates of an operator: milestone in English, so far without a text of its own."""
    (tmp_path / "en").mkdir()
    write(tmp_path, "html", "<p>{{ student_name }}</p>")
    return tmp_path


def write(folder: Path, part: str, text: str, language: str = "en") -> None:
    (folder / language).mkdir(exist_ok=True)
    (folder / language / f"milestone.{part}").write_text(text, encoding="utf-8")


def milestone(folder: Path, **values: Any) -> Rendered:
    return render("milestone", sample("milestone", **values), folder=folder)


def words_of(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("optional", [True, False], ids=["all", "required"])
@pytest.mark.parametrize(("kind", "language"), WRITTEN)
def test_every_mail_is_whole(kind: str, language: str, optional: bool) -> None:
    mail = render(kind, sample(kind) if optional else required(kind), locale=language)
    page = Page(mail.html)
    for part in (mail.subject, mail.text, page.text):
        assert part.strip()
        assert not re.search(r"\{\{|\{%|None|Undefined| ,|\.\.", part)
    assert all(href and words.strip() for href, words in page.links)
    assert ("html", language) == (page.tags[0][0], dict(page.tags[0][1])["lang"])
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize(("kind", "language"), WRITTEN)
def test_both_parts_lead_to_the_same_places(kind: str, language: str) -> None:
    mail = render(kind, sample(kind), locale=language)
    in_html = {href for href, _ in Page(mail.html).links}
    assert in_html == set(re.findall(r"https?://\S+", mail.text))


@pytest.mark.parametrize(("kind", "language"), WRITTEN)
def test_both_parts_show_the_same_values(kind: str, language: str) -> None:
    data = sample(kind)
    mail = render(kind, data, locale=language)
    text, html = words_of(mail.text.replace("\n> ", " ")), words_of(Page(mail.html).text)
    for shown in strings({**data, "recipient_name": "", "timezone": "", "other_role": ""}):
        if not shown.startswith(("https:", "2026-", "2027-")):
            assert words_of(shown) in text
            assert words_of(shown) in html


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_hold_exactly_what_is_declared(kind: str) -> None:
    assert set(KINDS[kind].sample) == {variable.name for variable in KINDS[kind].variables}


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_value_is_named(kind: str) -> None:
    for name in required(kind):
        for lacking in ({**sample(kind), name: None}, sample(kind)):
            if lacking[name] is not None:
                del lacking[name]
            with pytest.raises(MissingValue, match=rf"{kind} \(en/{kind}.txt\) lacks {name}:"):
                render(kind, lacking)


def test_a_value_that_an_entry_lacks_is_named() -> None:
    with pytest.raises(MissingValue, match=r"lacks title, which .*en/digest\.\w+:\d+ uses"):
        render("digest", sample("digest", messages=[{"body": "b", "title": None}]))


def test_there_is_no_other_kind() -> None:
    with pytest.raises(UnknownKind, match="'nope'") as refused:
        render("nope", {})
    assert "session_reminder" in refused.value.hint


@pytest.mark.parametrize(
    ("locale", "lang"),
    [("de", "de"), ("de-AT", "de"), ("DE_de", "de"), ("fr", "en"), ("", "en"), ("../de", "en")],
)
def test_the_closest_language_is_taken(locale: str, lang: str) -> None:
    mail = render("session_reminder", sample("session_reminder"), locale=locale)
    assert f'lang="{lang}"' in mail.html
    assert ("Uhr (MEZ)" in mail.subject) is (lang == "de")


def test_a_kind_without_a_translation_is_english_as_a_whole() -> None:
    mail = render("milestone", sample("milestone"), locale="de")
    assert 'lang="en"' in mail.html
    assert "Thursday 19 November 2026" in mail.text
    assert "Stop mails of this kind" in mail.text


def test_who_has_no_name_is_greeted_all_the_same() -> None:
    nobody = sample("session_reminder", recipient_name="")
    assert "Hello there,\n" in render("session_reminder", nobody).text
    assert "Hallo,\n" in render("session_reminder", nobody, locale="de").text


@settings(deadline=None, max_examples=150)
@given(kind_and_language=st.sampled_from(WRITTEN), words=hostile)
@example(("digest", "en"), "</title><script>")
@example(("operator_alert", "en"), "\u202e\r\n\x00{{ 7 * 7 }}")
def test_what_people_write_changes_no_structure(
    kind_and_language: tuple[str, str], words: str
) -> None:
    kind, language = kind_and_language
    harmless = render(kind, with_words(sample(kind), "x"), locale=language)
    mail = render(kind, with_words(sample(kind), f"x{words}"), locale=language)
    assert Page(mail.html).tags == Page(harmless.html).tags
    assert len(mail.subject.splitlines()) == 1
    assert len(mail.subject) <= 150
    steering = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\u2028\u2029]"
    assert not re.search(steering, mail.subject + mail.text + mail.html)


@given(words=hostile)
@settings(deadline=None)
def test_the_subject_never_reaches_into_the_body(words: str) -> None:
    data = sample("session_reminder", title=f"x{words}", other_name="y")
    assert render("session_reminder", data).text.startswith("Hello Amara Okafor,\n")


def test_braces_in_a_name_are_a_name() -> None:
    mail = render("new_student", sample("new_student", student_name="{{ 7 * 7 }} <b>"))
    assert mail.subject == "{{ 7 * 7 }} <b> is your new student"
    assert "{{ 7 * 7 }} <b> was assigned" in mail.text
    assert "{{ 7 * 7 }} &lt;b&gt; was assigned" in mail.html


def test_long_subjects_end_in_an_ellipsis() -> None:
    subject = render("new_student", sample("new_student", student_name="n" * 400)).subject
    assert subject == "n" * 149 + "…"


def test_dark_colours_and_the_charset_survive_the_inlining() -> None:
    html = render("milestone", sample("milestone")).html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "charset" in html[:1024]
    assert '<h1 style="' in html


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", " javascript:x"),
        *("data:text/html,x", "vbscript:x", "file:///etc/passwd", "//x.example", "/sessions/1"),
        *("x", "https:", "https://", "http:///x", "mailto:", "https://x.example/ y"),
        *('https://x.example/"', "https://x.example/\\", "https://[x"),
    ],
)
def test_no_other_links(url: str) -> None:
    with pytest.raises(
        BadValue, match=r"A link .*session_reminder, .*en/session_reminder\.\w+:\d+"
    ):
        render("session_reminder", sample("session_reminder", session_url=url))


@pytest.mark.parametrize("url", ["", "https://x.example/\u202e"])
def test_links_hold_nothing_that_cannot_be_seen(url: str) -> None:
    with pytest.raises(BadValue):
        link(url)


@pytest.mark.parametrize("url", ["https://x.example/?a=1&b=2#c", "HTTP://x", "mailto:a@b.example"])
def test_links(url: str) -> None:
    assert link(url) == url


def test_an_error_never_shows_the_address_that_was_refused() -> None:
    with pytest.raises(BadValue) as refused:
        render("milestone", sample("milestone", unsubscribe_url="ftp://x.example/?token=5f0c"))
    assert "5f0c" not in refused.value.message + refused.value.hint


def test_links_are_checked_where_a_template_forgets_to(folder: Path) -> None:
    write(folder, "html", '<a href="{{ milestone_url }}">x</a>')
    write(folder, "txt", "Subject: x\n{{ milestone_url }}")
    assert "https://" in milestone(folder).html
    with pytest.raises(BadValue, match=r"begins with javascript:.*en/milestone.html"):
        milestone(folder, milestone_url="javascript:alert(1)")


@pytest.mark.parametrize("value", [object(), {"x": {1, 2}}, [b"x"], pytest])
def test_only_plain_data_is_taken(value: Any) -> None:
    with pytest.raises(BadValue, match="The value extra"):
        render("milestone", sample("milestone", extra=value))


def test_a_folder_of_templates_goes_before_ours(folder: Path) -> None:
    mail = milestone(folder, student_name="<Noor>")
    assert "<p>&lt;Noor&gt;</p>" in mail.html
    assert "Hello Amara Okafor" in mail.text
    assert render("milestone", sample("milestone")).html != mail.html


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(BadTemplate, match=rf"no folder of templates {folder}/nope\."):
        milestone(folder / "nope")


def test_an_edited_template_is_read_again(folder: Path) -> None:
    milestone(folder)
    write(folder, "html", "<p>Bravo</p>")
    assert "<p>Bravo</p>" in milestone(folder).html


def test_what_a_template_is_made_of_is_read_again(folder: Path) -> None:
    write(folder, "html", "{% include 'part.html' %}")
    for text in ("<p>One</p>", "<p>Two</p>", "<p>Three</p>"):
        (folder / "part.html").write_text(text)
        write(folder, "txt", f"Subject: {text}\n{text}")
        mail = milestone(folder)
        assert text in mail.html
        assert (mail.subject, mail.text) == (text, f"{text}\n")


def test_a_template_may_come_and_go(folder: Path) -> None:
    ours = milestone(folder)
    write(folder, "txt", "Subject: Bravo\nx")
    (folder / "base.txt").write_text("Ours: {% block content %}{% endblock %}")
    assert milestone(folder).subject == "Bravo"
    (folder / "en" / "milestone.txt").unlink()
    assert milestone(folder).text.startswith("Ours: ")
    (folder / "base.txt").unlink()
    assert milestone(folder) == ours


def test_a_base_of_the_operator_is_that_of_every_mail(folder: Path) -> None:
    (folder / "base.html").write_text("<p>Ours</p>{% block content %}{% endblock %}")
    html = render("new_student", sample("new_student"), folder=folder).html
    assert "<p>Ours</p>" in html
    assert "Noor Haddad was assigned to you" in html


def test_a_language_of_the_operator(folder: Path) -> None:
    write(folder, "txt", "Subject: Bravo\nLe {{ reached_at | moment }}", "fr")
    with pytest.raises(BadTemplate, match="one part only") as refused:
        render("milestone", sample("milestone"), locale="fr", folder=folder)
    assert "fr/milestone.html" in refused.value.hint
    write(folder, "html", '{% extends "base.html" %}', "fr")
    mail = render("milestone", sample("milestone"), locale="fr-CA", folder=folder)
    assert (mail.subject, mail.text) == ("Bravo", "Le 2026-11-19 12:05 (CET)\n")
    assert 'lang="fr"' in mail.html
    assert languages("milestone", folder=folder) == ["en", "fr"]


@pytest.mark.parametrize(
    ("part", "text", "line", "words"),
    [
        ("html", "\n\n{% if %}", 3, "Expected an expression"),
        ("html", "\n{{ student_name | nope }}", 2, "nope"),
        ("html", "\n{{ student_name | safe }}", 2, "safe"),
        ("html", "\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ("html", '\n{% include "nope.html" %}', 2, "nope.html"),
        ("html", '\n{% include "../../kinds.py" %}', 2, "kinds.py"),
        ("txt", "Subject: {{ }}\nx", 1, "Expected an expression"),
        ("txt", "Subject: x\n\n{% for %}", 3, "Expected"),
        ("txt", "Hello\n", 1, "Subject:"),
        ("txt", "Subject: {{ '' }}\nx", 1, "empty"),
    ],
)
def test_a_broken_template_is_named_with_its_line(
    folder: Path, part: str, text: str, line: int, words: str
) -> None:
    write(folder, part, text)
    with pytest.raises(BadTemplate, match=rf"en/milestone\.{part}:{line}: .*{re.escape(words)}"):
        milestone(folder)


def test_what_a_template_uses_and_nobody_gives_is_named(folder: Path) -> None:
    write(folder, "html", "\n{{ nmae }}")
    with pytest.raises(MissingValue, match=rf"lacks nmae, which {folder}/en/milestone.html:2 uses"):
        milestone(folder)
    write(folder, "html", "\n{{ unsubscribe_url }}")
    with pytest.raises(MissingValue, match="an optional value"):
        milestone(folder, unsubscribe_url=None)


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "student_name.format.__globals__",
        "self.__init__.__globals__",
        "cycler.__init__.__globals__.os",
        "'{0.__class__}'.format(student_name) ~ ''.__class__",
        "['x'].append('y')",
    ],
)
@pytest.mark.parametrize("part", ["html", "txt"])
def test_templates_cannot_reach_into_python(folder: Path, part: str, expression: str) -> None:
    write(folder, part, f"Subject: x\n{{{{ {expression} }}}}")
    with pytest.raises(BadTemplate, match=rf"milestone\.{part}:2: SecurityError"):
        milestone(folder)


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        ("2026-03-29T00:59:00Z", "29 March 2026, 01:59 (CET)", "29. März 2026, 01:59 Uhr (MEZ)"),
        ("2026-03-29T01:00:00Z", "29 March 2026, 03:00 (CEST)", "29. März 2026, 03:00 Uhr (MESZ)"),
        (
            "2026-10-25T02:30:00+02:00",
            "25 October 2026, 02:30 (CEST)",
            "25. Oktober 2026, 02:30 Uhr (MESZ)",
        ),
        (
            "2026-10-25T02:30:00+01:00",
            "25 October 2026, 02:30 (CET)",
            "25. Oktober 2026, 02:30 Uhr (MEZ)",
        ),
    ],
)
def test_moments_around_a_change_of_the_clocks(value: str, english: str, german: str) -> None:
    assert moment(value, "Europe/Berlin") == f"Sunday {english}"
    assert moment(value, "Europe/Berlin", "de-AT") == f"Sonntag, {german}"


def test_moments_elsewhere() -> None:
    at = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
    assert moment(at, "Europe/Berlin") == "Thursday 26 November 2026, 15:30 (CET)"
    assert moment(at, "Europe/Berlin", "de") == "Donnerstag, 26. November 2026, 15:30 Uhr (MEZ)"
    assert moment(at, "Asia/Kathmandu") == "Thursday 26 November 2026, 20:15 (UTC+05:45)"
    assert moment(at, "America/Sao_Paulo", "fr") == "2026-11-26 11:30 (UTC-03)"
    assert moment(at, "Pacific/Auckland") == "Friday 27 November 2026, 03:30 (NZDT)"


@pytest.mark.parametrize(
    ("value", "zone", "words"),
    [
        ("2026-11-26T14:30:00", "UTC", "no offset"),
        (datetime(2026, 11, 26), "UTC", "no offset"),  # noqa: DTZ001
        ("soon", "UTC", "no moment"),
        (17, "UTC", "no moment"),
        ("9999-12-31T23:59:59Z", "Europe/Berlin", "no moment"),
        ("2026-11-26T14:30:00Z", "Europe/Berln", "no time zone"),
        ("2026-11-26T14:30:00Z", "../../etc/passwd", "no time zone"),
        ("2026-11-26T14:30:00Z", "", "no time zone"),
    ],
)
def test_what_is_no_moment_is_refused(value: Any, zone: str, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        moment(value, zone)
    with pytest.raises(BadValue, match=words):
        moment(value, zone, "de")


def preview(*arguments: str) -> tuple[int, str]:
    tree = typer.Typer()
    tree.add_typer(email_app, name="email")
    words = ["email", "preview", *arguments]
    result = CliRunner().invoke(tree, words, obj=Invocation(), catch_exceptions=False)
    return result.exit_code, result.output


def test_all_mails_can_be_looked_at(tmp_path: Path) -> None:
    assert preview("--all", "--out", str(tmp_path))[0] == 0
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert len(page.links) == 2 * len(WRITTEN)
    assert all((tmp_path / href).stat().st_size for href, _ in page.links)


def test_one_mail_can_be_written_as_a_message(tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    assert preview("session_reminder", "--locale", "de", "--out", str(file))[0] == 0
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["Subject"].startswith("Erinnerung: Mock interview, Donnerstag")
    kinds = {part.get_content_type() for part in message.walk()}
    assert {"text/plain", "text/html"} <= kinds


def test_one_mail_can_be_read_on_the_terminal() -> None:
    code, printed = preview("milestone")
    assert code == 0
    assert printed.startswith("Subject: Noor Haddad reached a milestone: ")
    assert "Reached: Thursday 19 November 2026, 12:05 (CET)" in printed


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], UsageError),
        (["milestone", "--all"], UsageError),
        (["--all"], UsageError),
        (["nope"], UnknownKind),
        (["milestone", "--out", "/dev/null/x.html"], UsageError),
    ],
)
def test_what_cannot_be_previewed(words: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        preview(*words)


def test_the_templates_are_of_kinds_that_there_are() -> None:
    stems = {path.stem for path in TEMPLATES.glob("*/*")}
    assert stems == {*KINDS, "footer"}
