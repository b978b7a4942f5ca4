from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

CHATTY = ("httpx", "httpcore", "hpack")


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Puts back what configure_logs() changes for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, one in levels.items():
        logging.getLogger(name).setLevel(one)
