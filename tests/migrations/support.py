"""What the tests of this folder share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """A folder of migrations."""

    path: Path

    def write(self, **files: str) -> None:
        """`m1_people="create ..."` becomes 20260101000001_people.sql."""
        for name, text in files.items():
            number, noun = name.removeprefix("m").split("_", 1)
            path = self.path / f"202601010000{int(number):02}_{noun}.sql"
            path.write_text(text, encoding="utf-8", newline="")
