"""Instants: UTC to the millisecond, in one text form, ``2026-03-04T05:06:07.089Z``."""

import re
from datetime import UTC, datetime

from custody.errors import FormatError

# RFC 3339, narrowed to the one spelling that every record uses, so that text order is time order.
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def format_utc(at: datetime) -> str:
    """Converted to UTC; microseconds are cut, never rounded up into a moment that had not come."""
    if at.tzinfo is None:
        raise FormatError(f"an instant needs a time zone, got {at.isoformat()}")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_utc(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise FormatError(f"expected YYYY-MM-DDTHH:MM:SS.mmmZ, got {text[:80]!r}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"there is no such instant: {text}") from error
