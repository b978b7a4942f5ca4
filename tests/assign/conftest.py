from __future__ import annotations

from tests.cli.conftest import command, restored_logs

__all__ = ["command", "restored_logs"]
