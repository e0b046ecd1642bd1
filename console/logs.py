"""What a service says of itself: a JSON object a line on stderr, with ids, and never with evidence."""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_KEPT = (
    "worker", "job", "look", "watch", "capture", "unit", "run", "attempt", "outcome", "captures", "looks", "trouble",
    "away_s", "child", "pid", "code", "pause_s", "alert", "kind", "port",
)  # fmt: skip
"""Ids, counts and words of our own. Whatever else an event brings is left out."""
_LEVELS = {"counterproof": logging.INFO, "procrastinate": logging.ERROR}


def configure(stream: TextIO) -> None:
    """For the whole process. Of what libraries say, the place and the kind of error is kept, and no text."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                _kept,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)


def _kept(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Of what a record brings along, only what is known to be no evidence; of others' records, no text either."""
    record: logging.LogRecord | None = event.get("_record")
    ours = str(event.get("logger", "")).startswith("counterproof")
    said: dict[str, Any] = {
        "at": event["at"],
        "level": event.get("level"),
        "logger": event.get("logger"),
        "_record": record,
        "_from_structlog": event.get("_from_structlog"),
    }
    if record is not None:
        said |= {name: record.__dict__[name] for name in _KEPT if name in record.__dict__}
        trouble = event.get("exc_info")
        if isinstance(trouble, tuple) and trouble[0] is not None:
            said["error"] = trouble[0].__name__
    # A library's line may quote a page's address, or what a page said.
    said["event"] = event.get("event") if ours else "a library's message"
    if not ours and record is not None:
        said["where"] = f"{record.module}:{record.lineno}"
    return said
