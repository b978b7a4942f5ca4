"""Realtime follows runs and notifications, where there is a publication that we may change."""

from __future__ import annotations

import pytest

from mentor_sync.migrations import migrate
from tests.project import Project

PUBLISHED = """select tablename from pg_publication_tables
where pubname = 'supabase_realtime' and schemaname = 'public'"""


def test_the_publication_has_runs_and_notifications_only(project: Project) -> None:
    assert sorted(project.rows(PUBLISHED)) == [("job_runs",), ("notifications",)]


@pytest.mark.parametrize(
    "publication",
    [
        "drop publication supabase_realtime",
        "drop publication supabase_realtime; create publication supabase_realtime for all tables",
        "alter publication supabase_realtime owner to supabase_admin",
    ],
)
def test_another_publication_is_left_as_it_is(empty_database: Project, publication: str) -> None:
    empty_database.run(publication, as_superuser=True)
    query = "select pubowner::regrole::text, puballtables from pg_publication"
    before = empty_database.rows(query)
    migrate(empty_database.dsn)
    assert empty_database.rows(query) == before
    assert empty_database.has("public.job_runs")


def test_a_publication_of_the_whole_schema_has_them_once(empty_database: Project) -> None:
    empty_database.run(
        "drop publication supabase_realtime;"
        " create publication supabase_realtime for tables in schema public",
        as_superuser=True,
    )
    migrate(empty_database.dsn)
    assert empty_database.rows(PUBLISHED).count(("job_runs",)) == 1
