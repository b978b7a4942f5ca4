from __future__ import annotations

from pathlib import Path

import pytest

from mentor_sync import migrations
from tests.migrations.support import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "migrations"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def as_ours(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The folder, in the place of sql/migrations."""
    monkeypatch.setattr(migrations, "sql_folder", lambda _name: folder.path)
    return folder
