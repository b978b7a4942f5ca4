"""The tree that errors.py draws is the tree of its classes."""

from __future__ import annotations

import inspect
import re

import pytest

from mentor_sync import errors
from mentor_sync.errors import MentorSyncError

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, MentorSyncError)
]
LINE = re.compile(r"(?P<bars>[ │├└─]*)(?P<name>[A-Z]\w+) +(?:exit (?P<exit>\d+))?(?P<words>.*)")


def drawn() -> dict[str, tuple[str | None, int, bool]]:
    """By name: the class above, the exit code, whether it says retryable."""
    above: dict[int, tuple[str, int]] = {}
    found = {}
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    for line in map(LINE.match, inspect.cleandoc(tree).splitlines()):
        assert line, tree
        depth = len(line["bars"]) // 4
        parent = above.get(depth - 1, (None, 0))
        code = int(line["exit"] or parent[1])
        above[depth] = (line["name"], code)
        found[line["name"]] = (parent[0], code, "(retryable)" in line["words"])
    return found


def test_the_drawing_is_true() -> None:
    assert drawn() == {
        kind.__name__: (
            kind.__base__.__name__ if kind is not MentorSyncError and kind.__base__ else None,
            kind.exit_code,
            kind.retryable,
        )
        for kind in CLASSES
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_the_docstring_is_the_message_where_none_is_given(kind: type[MentorSyncError]) -> None:
    assert kind().message == str(kind()) == inspect.cleandoc(kind.__doc__ or "")
    assert re.fullmatch(r"[A-Z].+\.", kind().message)
    assert kind("Why.").message == str(kind("Why.")) == "Why."


def test_codes_are_distinct() -> None:
    codes = [kind().code for kind in CLASSES]
    assert len(codes) == len(set(codes))
    assert MentorSyncError(code="57014").code == "57014"


@pytest.mark.parametrize("kind", CLASSES)
def test_the_entry_of_a_document_is_complete(kind: type[MentorSyncError]) -> None:
    assert kind("Why.", hint="Do this.").as_json() == {
        "code": kind.default_code,
        "message": "Why.",
        "hint": "Do this.",
        "retryable": kind.retryable,
    }
