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
    """Offers, students and mentors by name, those of one batch one after the other."""

    rows: list[Json]
    good_score: float

    @property
    def good_share(self) -> float | None:
        """The part of them that reach the score that counts as good."""
        good = sum(float(row["score"]) >= self.good_score for row in self.rows)
        return round(good / len(self.rows), 4) if self.rows else None

    @property
    def example(self) -> list[Json]:
        """Those of one student, who is served neither better nor worse than most."""
        batches: dict[str, list[Json]] = {}
        for row in self.rows:
            batches.setdefault(row["batch_id"], []).append(row)
        most = max(map(len, batches.values()), default=0)
        full = [rows for rows in batches.values() if len(rows) == most]
        full.sort(
            key=lambda rows: (sum(float(row["score"]) for row in rows), rows[0]["student_id"])
        )
        return full[len(full) // 2] if full else []


def offers(database: Database) -> Offers:
    """The latest offers, as far as one answer holds them.

    Raises:
        MentorSyncError: as the door to Supabase.
    """
    columns = (
        "batch_id,student_id,mentor_id,rank,score,reasons,"
        "student:users!match_offers_student_id_fkey(full_name),"
        "mentor:users!match_offers_mentor_id_fkey(full_name)"
    )
    rows = database.select("match_offers", columns, order="created_at")
    rows.sort(key=lambda row: (row["batch_id"], row["rank"]))
    (good,) = database.select("program_settings", "value", order="key", key="good_score")
    return Offers(rows, float(good["value"]))


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
