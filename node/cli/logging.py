"""Decides how the programs that stay (a node, an agent) write their own log: to standard error, a line per event."""

import sys
from typing import Any

import structlog


def configure_logging(*, as_json: bool) -> None:
    """One JSON object a line for tools, words for people; tracebacks without values, which may be secret."""
    rendering: list[Any]
    if as_json:
        rendering = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        rendering = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendering,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
