"""Where a mail may lead to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

from mentor_sync.mail.values import BadValue

_ATTRIBUTES = {"href", "action", "formaction"}
_FORBIDDEN = frozenset(' \\"<>')


@lru_cache(maxsize=1024)  # each stands in both parts of a mail
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
    if not is_whole or not url.isprintable() or not _FORBIDDEN.isdisjoint(url):
        begins = f"begins with {parts.scheme[:20]}:" if parts.scheme else "has no scheme"
        raise BadValue(
            f"A link {begins} or is not whole.", hint="Links begin with https:, http: or mailto:."
        )
    return url


def addresses(html: str) -> Iterator[str]:
    """Every address to which a page leads, whether `link` was used or not."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    yield from reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in _ATTRIBUTES]
