"""What is found in a database: one finding for each thing that was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["present", "missing", "conflict", "fault", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that was seen. `column` is empty where it is about the table; `sql` mends it."""

    level: Level
    table: str
    column: str
    message: str
    sql: str = ""
