"""Time of this process. Leases and slots never use it: the database's clock rules there."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds, for durations only."""
    return time.monotonic()
