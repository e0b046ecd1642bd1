"""Times in words: in UTC, and in the case's own zone beside it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo | None:
    """The case's zone; None where it names none, or one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def told(at: datetime | None, zone: ZoneInfo | None) -> str:
    """``2026-03-04 05:06:07 UTC (2026-03-04 06:06:07 CET)``."""
    if at is None:
        return "not known"
    here = "" if zone is None else f" ({at.astimezone(zone):%Y-%m-%d %H:%M:%S} {_offset(at, zone)})"
    return f"{in_utc(at)}{here}"


def lasted(seconds: int) -> str:
    """In the largest unit that says something."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _offset(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%z}"[:3] + ":" + f"{at.astimezone(zone):%z}"[3:] + f" {zone.key}"
