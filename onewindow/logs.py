"""Where logs go and how they look: one line an event, on standard error."""

import logging
import os

import structlog

from onewindow.settings_file import BadSettings

LEVEL_VARIABLE = "ONEWINDOW_LOG_LEVEL"
LEVELS = ("debug", "info", "warning", "error")
QUIET = ("alembic", "asyncio", "pymodbus", "python_multipart", "uvicorn")  # their warnings alone


def to_stderr() -> None:
    """Our events and those of libraries as `key=value`; ONEWINDOW_LOG_LEVEL says from which on."""
    level = os.environ.get(LEVEL_VARIABLE, "info").lower()
    if level not in LEVELS:
        raise BadSettings(f"{LEVEL_VARIABLE}: {level} is not one of {', '.join(LEVELS)}")
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    if level == "info":
        for name in QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
