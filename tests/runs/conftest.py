from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.people import as_service
from tests.project import Project
from tests.runs.support import Verbs, schedule


@pytest.fixture
def verbs(project: Project) -> Iterator[Verbs]:
    """The verbs over one transaction, which is rolled back; the job `work` is registered."""
    with as_service(project) as session:
        made = Verbs(session.connection)
        made.register(schedule())
        yield made
