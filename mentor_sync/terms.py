"""The terms of people who changed, made again by the jobs that need them."""

from __future__ import annotations

from mentor_sync.job import JobContext, Progress

PEOPLE = 2000
"""People a call: what stays under a second."""


def refresh_terms(context: JobContext, progress: Progress) -> int:
    """Make the terms of all whose profile changed: how many people that were.

    `progress` is how far the job is; it is reported again between the calls.
    """
    refreshed: int = 0
    while True:
        asked = {**context.ownership, "p_limit": PEOPLE}
        answer = context.database.rpc("refresh_stale_profiles", asked, expect=dict)
        refreshed += answer["refreshed"]
        if answer["done"] or not answer["refreshed"]:
            return refreshed
        context.report(progress)
