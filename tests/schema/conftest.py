from __future__ import annotations

from tests.migrations.test_supabase_cli import binary

__all__ = ["binary"]
