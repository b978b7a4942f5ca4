"""The advisors of the dashboard, run by the Supabase CLI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import Project

Advisors = Callable[[], tuple[int, str]]


@pytest.fixture
def advisors(binary: str, any_project: Project, tmp_path: Path) -> Advisors:
    """Exit code and output; everything from warnings up is a failure."""
    words = ["--type", "all", "--level", "warn", "--fail-on", "warn", f"--workdir={tmp_path}"]

    def run() -> tuple[int, str]:
        done = subprocess.run(
            [binary, "db", "advisors", f"--remote={any_project.dsn}", *words],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "SUPABASE_TELEMETRY_DISABLED": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_advisors_find_nothing(advisors: Advisors) -> None:
    code, output = advisors()
    assert code == 0, output
    assert "No issues found" in output


@pytest.mark.parametrize(
    ("defect", "lint"),
    [
        (
            "create table forgotten (id int primary key); grant select on forgotten to anon",
            "rls_disabled_in_public",
        ),
        (
            "create policy p on users for select to authenticated using (id = auth.uid())",
            "auth_rls_initplan",
        ),
    ],
)
def test_the_advisors_find_a_defect(
    advisors: Advisors, any_project: Project, defect: str, lint: str
) -> None:
    any_project.run(defect)
    code, output = advisors()
    assert code != 0
    assert lint in output
