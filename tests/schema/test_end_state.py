"""sql/schema.sql is what sql/migrations make."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from mentor_sync.local.postgres import Cluster
from tests.conftest import Templates
from tests.project import Project
from tests.schema.dump import COMMAND, FILE, MAJOR, dump


@pytest.fixture
def dumped(cluster: Cluster) -> Cluster:
    if cluster.version().split(".")[0] != MAJOR:
        pytest.skip(f"sql/schema.sql is a dump by version {MAJOR}, this is {cluster.version()}")
    return cluster


def _drift(before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(), after.splitlines(), "before", "after", "", "", 1, "")
    return "\n".join(lines)


def test_the_dump_is_up_to_date(project: Project, dumped: Cluster) -> None:
    drift = _drift(FILE.read_text("utf-8"), dump(project.dsn, dumped.bin_dir))
    assert not drift, f"sql/schema.sql is out of date. To write it anew: {COMMAND}\n{drift}"


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("alter table mentors add shoe_size int", "+    shoe_size integer"),
        ("grant select on users to anon", "+GRANT SELECT ON TABLE public.users TO anon;"),
        ("comment on function private.slug is 'x'", "+COMMENT ON FUNCTION private.slug"),
        ("drop function private.auth_user_changed() cascade", "-CREATE TRIGGER mentor_sync_auth"),
        ('drop policy "Mentors change their own row" on mentors', "-CREATE POLICY"),
    ],
)
def test_drift_is_seen(project: Project, dumped: Cluster, change: str, seen: str) -> None:
    project.run(change, as_superuser=True)
    assert seen in _drift(FILE.read_text("utf-8"), dump(project.dsn, dumped.bin_dir))


def test_older_projects_end_in_the_same_state(templates: Templates, dumped: Cluster) -> None:
    none, legacy = (
        dump(dumped.dsn("postgres", templates.migrated(flavour)), dumped.bin_dir)
        for flavour in ("none", "legacy")
    )
    assert not _drift(none, legacy)
