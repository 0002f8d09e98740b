"""Log lines: JSON, and only keys from a list, so that no value of a row can slip in.

Rule: an event is a constant text; what varies goes into one of `ALLOWED`. Everything else is
dropped, and the line says that something was.
"""

import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import structlog

# `message` and `remedy` are those of typed errors, which never carry a value.
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "member", "party", "session", "stage", "code", "where",
        "plan_hash", "contract_hash", "room", "role", "address", "rounds", "rows", "bytes_sent",
        "seconds", "attempt", "suspects", "gate", "message", "remedy",
    }
)  # fmt: skip
_MAX_TEXT = 2000


def where(error: BaseException) -> tuple[str, ...]:
    """Return the kind of an error and the lines it came through, without its message.

    A message of a library may quote the value that it couldn't convert.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames[-20:]]
    return (type(error).__name__, *lines)


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """Drop every key that isn't allowed, and every value that isn't short and plain."""
    kept = {k: _plain(v) for k, v in event.items() if k in ALLOWED}
    if dropped := len(event.keys() - ALLOWED - {"exc_info"}):
        kept["dropped"] = dropped
    return kept


def configure(level: int = 20) -> None:
    """Send this process's log to stderr, one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _plain(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return value[:_MAX_TEXT]
        case tuple() | list():
            return [_plain(item) for item in value[:40]]
        case _:
            return type(value).__name__
