"""CSS at the elements: a page that was made from a form is the page that the inliner makes."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from css_inline import CSSInliner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mentor_sync.mail import inlining, rendering
from mentor_sync.mail.inlining import inlined
from mentor_sync.mail.rendering import render
from mentor_sync.mail.values import BadValue
from tests.mail.test_rendering import WRITTEN, hostile, sample, with_words

STYLE = "<style>p { color: red } td > b { color: blue }</style>"
A, B = "https://a.example/?x=1&amp;y=2", "https://b.example/"


class Seen(HTMLParser):
    """What a reader makes of a page, text in one piece however it is escaped."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.events: list[tuple[Any, ...]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append((tag, *attrs))

    def handle_endtag(self, tag: str) -> None:
        self.events.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        if self.events and self.events[-1][0] == "":
            data = self.events.pop()[1] + data
        self.events.append(("", data))

    def handle_comment(self, data: str) -> None:
        self.events.append(("!", data))


def seen(html: str) -> list[tuple[Any, ...]]:
    return Seen(html).events


def whole(page: str) -> str:
    return CSSInliner(load_remote_stylesheets=False).inline(page)


@settings(deadline=None, max_examples=100)
@given(kind_and_language=st.sampled_from(WRITTEN), words=hostile)
@example(("quick_question", "en"), "\xa0")
@example(("digest", "en"), "\ue0000\ue001")
def test_every_mail_is_what_the_inliner_makes_of_it(
    kind_and_language: tuple[str, str], words: str
) -> None:
    kind, language = kind_and_language
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "inlined", lambda page: page)
        page = render(kind, with_words(sample(kind), f"x{words}"), locale=language).html
    assert seen(inlined(page)) == seen(whole(page))


@pytest.mark.parametrize(
    "page",
    [
        STYLE + "<p>WORD</p><p> </p><p>WORD</p>",
        STYLE + '<p>He said "WORD" > WORD</p>',
        STYLE + '<p class="WORD" title="WORD">x</p>',
        STYLE + "<table><tr><td>1<b>WORD</b></td></tr>WORD</table><p>WORD",
        STYLE + '<p><a href="URL">WORD</a><A HREF=URL>WORD</A></p>',
        STYLE + '<!-- WORD <a href="URL"> --><!--[if mso]><p>WORD</p><![endif]-->',
        STYLE + "<pre>WORD</pre><textarea>WORD</textarea>",
        "<title>WORD</title>" + STYLE + "<title>WORD</title><p>WORD",
        "<STYLE>p { color: red }</STYLE><p>WORD</p>",
        STYLE + "<p>WORD</p><style>b { color: WORD }</style><b>WORD</b>",
        '<style>a[ href^="https://a"] { color: red }</style><a href="URL">WORD</a>',
        "<style>p:empty { color: red } WORD { color: blue }</style><p>WORD</p>",
        STYLE + "<b><p>WORD<a href='URL'><a href=\"URL\">WORD</b></p>WORD",
        STYLE + "<p>\ue000WORD\ue0001\ue001<i>\ue000</i>",
        "WORD <p>WORD",
        "",
    ],
)
def test_pages_of_operators_are_what_the_inliner_makes_of_them(page: str) -> None:
    for word, url in (("p", A), ("b&amp;b", B), ("", A), (" ", B), ("\xa0", A), ("p", B)):
        filled = page.replace("WORD", word).replace("URL", url)
        assert seen(inlined(filled)) == seen(whole(filled))


def test_a_form_is_inlined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inlined(f'{STYLE}<p>one</p><a href="{A}">a</a>')
    monkeypatch.setattr(inlining, "_INLINER", None)
    html = inlined(f'{STYLE}<p>two &lt;3</p><a href="{B}">b</a>')
    assert '<p style="color: red;">two &lt;3</p>' in html
    assert f'<a href="{B}">b</a>' in html


@pytest.mark.parametrize("link", ['href="URL"', "href='URL'", "HREF=URL"])
def test_links_are_looked_at_in_every_page(link: str) -> None:
    page = f"{STYLE}<p>x</p><a {link}>y</a>"
    inlined(page.replace("URL", A))
    for url in ("javascript:alert(1)", "java&#10;script:x", "&#106;avascript:x", "#here"):
        with pytest.raises(BadValue):
            inlined(page.replace("URL", url))


def test_comments_lead_nowhere() -> None:
    assert "#todo" in inlined(f'{STYLE}<!-- <a href="#todo"> --><p>x</p>')
