from __future__ import annotations

from tests.unit.support import restored_logs

__all__ = ["restored_logs"]
