"""Logs: one line an event on stderr; a console's on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mentor_sync.redaction import anonymised, redacted

Logger = structlog.stdlib.BoundLogger


def configure_logs(level: str, style: Literal["auto", "console", "json"]) -> None:
    """Send the events of mentor-sync and of its libraries to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without local variables, which may hold a key.
                structlog.processors.format_exc_info,
                _redacted,
                _renderer(style),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # A line a request would drown ours.
    for chatty in ("httpx", "httpcore", "hpack", "apscheduler"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def get_logger(name: str) -> Logger:
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


def _renderer(style: Literal["auto", "console", "json"]) -> Processor:
    if style == "console" or (style == "auto" and sys.stderr.isatty()):
        return structlog.dev.ConsoleRenderer(
            colors=_colours(), exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer()


def _colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: anonymised(redacted(value)) for name, value in event.items()}
