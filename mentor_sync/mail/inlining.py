"""CSS put at the elements, as mail programs want it.

Which rules an element gets depends on the CSS and the tags, and not on the words between the tags
or on where a link leads. So a page is inlined once with numbers in the place of its words, and for
every page of the same form the words are put where the numbers came out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from css_inline import CSSInliner

from mentor_sync.mail.links import addresses, link

_INLINER = CSSInliner(load_remote_stylesheets=False)
_END_OF_CSS = "</style>"
_TITLE = re.compile(r"(<title>)([^<]*)")
# Blanks stay where they are: in a table they are no words to an HTML parser.
_WORDS = re.compile(r'(>| href=")((?<=>)\s*[^<>\s][^<>]*|(?<=")[^<>"]+)')
_ABOUT_LINKS = re.compile(r"\[\s*href", re.IGNORECASE)
_STYLE = re.compile("<style", re.IGNORECASE)
_MARK, _END = "\ue000", "\ue001"
_NUMBER = re.compile(f"{_MARK}(\\d+){_END}")


class _Form(NamedTuple):
    """An inlined page without its words."""

    pieces: list[str]  # every second one is the number of a word
    numbers: list[int]
    links: list[int]  # those words that are addresses of links


def inlined(page: str) -> str:
    """The page with its CSS at the elements.

    Raises:
        BadValue: it leads where no mail may lead to.
        ValueError: its CSS cannot be read.
    """
    wordless, words = _parted(page)
    form = _form(wordless, len(words))
    if form is None:
        return _as_a_whole(page)
    for number in form.links:
        link(unescape(words[number]))
    pieces = form.pieces.copy()
    pieces[1::2] = [words[number] for number in form.numbers]
    return "".join(pieces)


def _parted(page: str) -> tuple[str, list[str]]:
    """The page with marks in the place of its words, and these, as they are written in it."""
    css, end, body = page.rpartition(_END_OF_CSS)
    *title, css = _TITLE.split(css, maxsplit=1)
    first, *rest = _WORDS.split(body)
    parts = [*title, css + end + first, *rest]  # what is before, what opens, words, and so on
    words = parts[2::3]
    parts[2::3] = [_MARK] * len(words)
    return "".join(parts), words


@lru_cache(maxsize=128)
def _form(wordless: str, count: int) -> _Form | None:
    """The form of all pages that differ in their words only; None where words may matter."""
    before, *pieces = wordless.split(_MARK)
    css, _, body = wordless.rpartition(_END_OF_CSS)
    if len(pieces) != count or _ABOUT_LINKS.search(css) or _STYLE.search(body):
        return None
    numbered = "".join(f"{_MARK}{number}{_END}{piece}" for number, piece in enumerate(pieces))
    html = _INLINER.inline(before + numbered)
    links = []
    for address in addresses(html):
        if found := _NUMBER.fullmatch(address):
            links.append(int(found[1]))
        elif _MARK in address:
            return None
        else:
            link(address)
    parts = _NUMBER.split(html)
    return _Form(parts, [int(number) for number in parts[1::2]], links)


def _as_a_whole(page: str) -> str:
    html = _INLINER.inline(page)
    for address in addresses(html):
        link(address)
    return html
