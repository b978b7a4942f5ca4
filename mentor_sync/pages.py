"""Reading by a cursor: verbs that take p_after and p_limit, and answer with cursor and done."""

from __future__ import annotations

from mentor_sync.database import Database, Json


def all_pages(database: Database, verb: str, asked: Json, limit: int) -> list[Json]:
    """All answers of such a verb, in order."""
    pages: list[Json] = []
    while not pages or not pages[-1]["done"]:
        after = pages[-1]["cursor"] if pages else None
        call = {**asked, "p_after": after, "p_limit": limit}
        pages.append(database.rpc(verb, call, expect=dict))
    return pages
