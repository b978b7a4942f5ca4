from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.support import Fleet, fleet
from tests.project import Api, Project


@pytest.fixture
def daemons(project: Project, api: Api, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(project, api, tmp_path) as made:
        yield made
