"""What the API answers after the sync: the directory, the health, the offers.

Each answer is empty where the API gave up on it, as it may in a community of a million.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from postgrest import APIError

from mentor_sync.api_errors import (
    STATEMENT_TIMEOUT,
    explain_api_error,
    explain_transport_error,
)
from mentor_sync.database import Database, Json
from mentor_sync.errors import BadAnswer, Overloaded


def first_mentors(environment: Mapping[str, str], size: int) -> Json:
    """The first page of list_mentors, as a visitor of the site gets it: with the publishable key.

    Raises:
        MentorSyncError: there was no answer, or none that is a page.
    """
    url, key = environment["SUPABASE_URL"], environment["SUPABASE_PUBLISHABLE_KEY"]
    return _in_time(lambda: _call_as_visitor(url, key, {"page_size": size}))


def health(database: Database) -> Json:
    """The row of v_sync_health.

    Raises:
        MentorSyncError: as the door to Supabase.
    """
    return _in_time(lambda: database.select("v_sync_health", order="mentor_members")[0])


@dataclass(frozen=True)
class Offers:
    """The latest offers: how many, how many of them are good, and those of one student."""

    count: int
    good_score: float
    good_share: float | None
    student: str
    mentors: list[Json]


def offers(database: Database) -> Offers:
    """The latest offers, as far as one answer holds them.

    Raises:
        MentorSyncError: as the door to Supabase.
    """
    columns = "batch_id,student_id,mentor_id,rank,score,reasons"
    rows = database.select("match_offers", columns, order="created_at")
    (good,) = database.select("program_settings", "value", order="key", key="good_score")
    reached = sum(float(row["score"]) >= float(good["value"]) for row in rows)
    example = _example(rows)
    return Offers(
        count=len(rows),
        good_score=float(good["value"]),
        good_share=round(reached / len(rows), 4) if rows else None,
        student=_name(database, example[0]["student_id"]) if example else "",
        mentors=[{**row, "name": _name(database, row["mentor_id"])} for row in example],
    )


def _example(rows: list[Json]) -> list[Json]:
    """Those of one student, who is served neither better nor worse than most."""
    batches: dict[str, list[Json]] = {}
    for row in sorted(rows, key=lambda row: int(row["rank"])):
        batches.setdefault(row["batch_id"], []).append(row)
    most = max(map(len, batches.values()), default=0)
    full = [offered for offered in batches.values() if len(offered) == most]
    full.sort(key=lambda offered: (sum(float(row["score"]) for row in offered), str(offered[0])))
    return full[len(full) // 2] if full else []


def _name(database: Database, person_id: str) -> str:
    (person,) = database.select("users", "full_name", order="id", id=person_id)
    return person["full_name"] or ""


def _call_as_visitor(url: str, key: str, words: Json) -> Json:
    try:
        answer = httpx.post(
            f"{url}/rest/v1/rpc/list_mentors",
            headers={"apikey": key},
            json=words,
            timeout=15,
            trust_env=False,  # it is on this machine; a proxy is elsewhere
        )
        page: Json = answer.json()
    except httpx.HTTPError as error:
        raise explain_transport_error(error, url) from error
    except ValueError as error:
        raise BadAnswer("list_mentors answered with something that is not JSON.") from error
    if answer.is_error:
        raise explain_api_error(APIError(page), answer.status_code)
    return page


def _in_time(ask: Callable[[], Json]) -> Json:
    try:
        return ask()
    except Overloaded as error:
        if error.code != STATEMENT_TIMEOUT:
            raise
        return {}
