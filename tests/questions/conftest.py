from __future__ import annotations

import pytest

from tests.project import Project
from tests.questions.support import People


@pytest.fixture
def people(project: Project) -> People:
    """The people of a project, who act for good."""
    return People(project)
