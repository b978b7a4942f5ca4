from __future__ import annotations

import pytest

from mentor_sync.statements import split


@pytest.mark.parametrize(
    "text",
    [
        "select 'a;b'",
        "select E'it\\'s; so'",
        "select 'it''s; so'",
        'select 1 as "a;b"',
        "select $$a;b$$",
        "select $body$ $$;$$ ; $body$",
        "select 1 -- a;b\n + 1",
        "select 1 /* a; /* b; */ c; */ + 1",
        "create function f() returns int begin atomic select 1; select 2; end",
        "create function f() returns int begin atomic select case when true then 1 end; end",
    ],
)
def test_semicolons_inside_a_statement_do_not_end_it(text: str) -> None:
    assert [statement.text for statement in split(f"select 0;\n{text};\nselect 9")] == [
        "select 0",
        text,
        "select 9",
    ]


def test_what_is_empty_is_left_out() -> None:
    assert [statement.text for statement in split(" ;\n;; select 1 ;\n ; ")] == ["select 1"]


def test_a_statement_knows_its_lines_and_its_verb() -> None:
    first, second = split("-- about\n\ncreate\n table a ();\n\n-- b\ninsert into a\nvalues (;")
    assert (first.line, first.line_at(), first.verb) == (1, 3, "create")
    assert (second.line, second.line_at(), second.verb) == (6, 7, "insert")
    assert second.line_at(position=len("-- b\ninsert into a\nv")) == 8


def test_comments_alone_have_no_verb() -> None:
    (statement,) = split("-- nothing\n")
    assert (statement.text, statement.verb) == ("-- nothing", "")
