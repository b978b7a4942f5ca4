"""What is too much for one call: read page by page, written chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mentor_sync.api_errors import STATEMENT_TIMEOUT
from mentor_sync.database import Database, Json
from mentor_sync.errors import Overloaded
from mentor_sync.logs import get_logger


def all_pages(database: Database, verb: str, asked: Json, limit: int) -> list[Json]:
    """All answers, in order, of a verb that takes p_after and gives cursor and done."""
    pages: list[Json] = []
    while not pages or not pages[-1]["done"]:
        after = pages[-1]["cursor"] if pages else None
        call = {**asked, "p_after": after, "p_limit": limit}
        pages.append(database.rpc(verb, call, expect=dict))
    return pages


def in_halves(write: Callable[[list[Json]], Json], chunk: list[Json]) -> Iterator[Json]:
    """The answers to a chunk that is written in one call, or in halves where that is too long."""
    try:
        answer = write(chunk)
    except Overloaded as error:
        if error.code != STATEMENT_TIMEOUT or len(chunk) == 1:
            raise
        get_logger("mentor_sync.paging").warning("chunk took too long", rows=len(chunk))
        yield from in_halves(write, chunk[: len(chunk) // 2])
        yield from in_halves(write, chunk[len(chunk) // 2 :])
    else:
        yield answer
