"""The queries that an operator pastes into the dashboard's SQL editor."""

from __future__ import annotations

import pytest

from mentor_sync.sources import sql_folder
from tests.project import Project
from tests.sync.support import sync_in_sql

SNIPPETS = {path.stem: path.read_text() for path in sql_folder("snippets").glob("*.sql")}


@pytest.mark.parametrize("name", SNIPPETS)
def test_every_snippet_runs(project: Project, name: str) -> None:
    project.mentor("ann@example.org")
    sync_in_sql(project)
    project.rows(SNIPPETS[name])


def test_the_gap_query_says_why(project: Project) -> None:
    project.mentor("ann@example.org")
    for email in ("nobody@example.org", "twin@example.org", "Twin@example.org", ""):
        project.member(email)
    states = [row[0] for row in project.rows(SNIPPETS["gap"])]
    assert states == ["ambiguous", "ambiguous", "no_user", "rejected"]
    assert len(project.rows(SNIPPETS["gap_as_documented"])) == 4


def test_the_health_query_counts(project: Project) -> None:
    project.mentor("ann@example.org")
    project.member("nobody@example.org")
    sync_in_sql(project)
    find = """
        select mentor_members, mentor_profiles, listed_mentors, members_without_account,
          rejects, last_status, last_success_at is not null from v_sync_health"""
    assert project.rows(find) == [(2, 1, 1, 1, 0, "succeeded", True)]
