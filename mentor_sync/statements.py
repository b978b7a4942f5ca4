"""Cut a SQL file into its statements, as PostgreSQL's own tools do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      --[^\n]*
    | /\* (?: [^*/] | \*(?!/) | /(?!\*) | /\*.*?\*/ )* \*/   # comments nest, here once
    | [eE]' (?: [^'\\] | \\. | '' )* '
    | ' (?: [^'] | '' )* '
    | " (?: [^"] | "" )* "
    | \$ (?P<tag> (?:[^\W\d]\w*)? ) \$ .*? \$ (?P=tag) \$
    | (?P<word> [^\W\d] [\w$]* )
    | (?P<end> ; )
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class Statement:
    """One statement with the comment above it, without its semicolon."""

    text: str
    line: int  # where text starts in the file, from 1
    start: int  # where its first word starts in text, after the comments
    verb: str  # that word in lower case; empty where there are comments only

    def line_at(self, position: int | None = None) -> int:
        """The line of the file at PostgreSQL's `position` (from 1) in this statement."""
        offset = self.start if position is None else position - 1
        return self.line + self.text.count("\n", 0, offset)


def split(text: str) -> Iterator[Statement]:
    """The statements of `text`, in order; what is empty is left out.

    Strings, dollar quotes, comments and `begin atomic` bodies keep their semicolons.
    """
    begin = 0
    first: re.Match[str] | None = None
    for token in _ends_and_words(text):
        if token["end"]:
            yield from _statement(text, begin, token.start(), first)
            begin, first = token.end(), None
        elif first is None:
            first = token
    yield from _statement(text, begin, len(text), first)


def _ends_and_words(text: str) -> Iterator[re.Match[str]]:
    """Every word, and every semicolon that ends a statement."""
    depth = 0
    previous = ""
    for token in _TOKEN.finditer(text):
        word = (token["word"] or "").lower()
        if previous == "begin" and word == "atomic":
            depth = 1
        elif depth and word in {"case", "end"}:
            depth += 1 if word == "case" else -1
        if word or (token["end"] and not depth):
            yield token
        previous = word or previous


def _statement(text: str, begin: int, end: int, first: re.Match[str] | None) -> Iterator[Statement]:
    body = text[begin:end]
    begin += len(body) - len(body.lstrip())
    body = body.strip()
    if body:
        start, verb = (first.start() - begin, first["word"].lower()) if first else (0, "")
        yield Statement(body, text.count("\n", 0, begin) + 1, start, verb)
