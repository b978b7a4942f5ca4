"""What would be, if: reads what the jobs read, and writes nothing."""

from __future__ import annotations

from mentor_sync.database import Database, Json
from mentor_sync.matching.departure import Departure
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.paging import all_pages

EXPERTISE = 50
"""How many terms are told."""


def simulate_leave(database: Database, mentor: str, *, chunk_size: int) -> Json:
    """If this mentor left: who takes their students, who does not get a mentor, whom to find.

    Raises:
        ApiError: there is no such mentor.
    """
    found = database.rpc("departure", {"p_mentor": mentor}, expect=dict)
    leaver = found["mentor"]
    asked = {"p_full": True, "p_without": leaver["mentors"][0]}
    pages = all_pages(database, "mentors_to_assign", asked, chunk_size)
    pool = Pool(Requests.of([found["students"]]), Mentors.of([*pages, leaver]))
    settings = database.rpc("assignment_settings", {}, expect=dict)
    departure = Departure.of(pool, pool.scorer(settings))
    labels = _labels(database, departure)
    return {**departure.as_json(labels), "substitute_or_peer_of": found["others"]}


def _labels(database: Database, departure: Departure) -> dict[int, str]:
    terms = [one.term for one in departure.expertise()[:EXPERTISE]]
    answer = database.rpc("term_labels", {"p_term_ids": terms}, expect=dict)
    return dict(zip(answer["ids"], answer["labels"], strict=True))
