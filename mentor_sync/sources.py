"""Where the SQL files are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def sql_folder(name: str) -> Path:
    """The folder `sql/<name>`: migrations, local or snippets."""
    inside = _PACKAGE / "sql" / name
    return inside if inside.is_dir() else _PACKAGE.parent / "sql" / name
