"""The terms of people who changed, made again by the jobs that need them."""

from __future__ import annotations

from mentor_sync.api_errors import STATEMENT_TIMEOUT
from mentor_sync.errors import Overloaded
from mentor_sync.job import JobContext, Progress

PEOPLE = 2000
"""People a call: what stays under a second."""


def refresh_terms(context: JobContext, progress: Progress) -> int:
    """Make the terms of all whose profile changed: how many people that were.

    `progress` is how far the job is; it is reported again between the calls.
    """
    refreshed: int = 0
    limit = PEOPLE
    while True:
        try:
            asked = {**context.ownership, "p_limit": limit}
            answer = context.database.rpc("refresh_stale_profiles", asked, expect=dict)
        except Overloaded as error:
            if error.code != STATEMENT_TIMEOUT or limit == 1:
                raise
            limit = max(1, limit // 4)
            continue
        refreshed += answer["refreshed"]
        if answer["done"] or not answer["refreshed"]:
            return refreshed
        context.report(progress)
