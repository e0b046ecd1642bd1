"""When a watch is due: every so often, or by a cron expression in a time zone; spread by a jitter. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from archive.errors import UsageError

LEAST = timedelta(minutes=1)
MOST = timedelta(days=366)
MOST_JITTER = timedelta(hours=12)
DEFAULT_ZONE = "UTC"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_JITTER_SHARE = 10
_DEFAULT_JITTER = timedelta(minutes=10)
_MEASURED = 50
"""Times of a cron expression over which its mean interval is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Either ``every`` or ``cron``."""

    every: timedelta | None = None
    cron: str | None = None
    zone: str = DEFAULT_ZONE
    jitter: timedelta = timedelta(0)

    @classmethod
    def of(
        cls, *, every: str | None = None, cron: str | None = None, zone: str | None = None, jitter: str | None = None
    ) -> Self:
        """From what was typed: ``6h``, ``*/30 8-20 * * MON-FRI``, ``Europe/Paris``, ``5m``. Raises ``UsageError``."""
        if (every is None) == (cron is None):
            raise UsageError(
                "a watch is due either --every 6h (m, h, d or w) or --cron '0 9 * * MON'; name one of them"
            )
        place = zone or DEFAULT_ZONE
        try:
            ZoneInfo(place)
        except (KeyError, ValueError, OSError) as error:
            raise UsageError(f"there is no time zone {place[:60]!r}: name one such as Europe/Paris") from error
        interval = None
        if every is not None:
            interval = duration(every, "--every")
            if not LEAST <= interval <= MOST:
                raise UsageError(f"--every is between 1 minute and 366 days, got {every!r}")
        if cron is not None:
            _check_cron(cron, place)
        made = cls(every=interval, cron=None if cron is None else " ".join(cron.split()), zone=place)
        spread = (
            min(_DEFAULT_JITTER, made.mean_interval / _JITTER_SHARE) if jitter is None else duration(jitter, "--jitter")
        )
        if spread > MOST_JITTER or spread > made.mean_interval:
            raise UsageError(f"--jitter is at most 12 hours, and no more than the interval itself; got {jitter!r}")
        return cls(every=made.every, cron=made.cron, zone=place, jitter=timedelta(seconds=int(spread.total_seconds())))

    @property
    def mean_interval(self) -> timedelta:
        """What is asked for; of a cron expression, the mean over its next times."""
        if self.every is not None:
            return self.every
        times = CronSim(str(self.cron), datetime(2026, 1, 1, tzinfo=ZoneInfo(self.zone)))
        begun = last = next(times)
        for _ in range(_MEASURED):
            try:
                last = next(times)
            except StopIteration:
                break
        return max(LEAST, (last - begun) / _MEASURED) if last > begun else MOST

    def next_slot(self, last: datetime, now: datetime) -> datetime:
        """The first time after both ``last``, the slot before, and ``now``: what was missed is made up for once."""
        if self.every is not None:
            missed = max(0, (now - last) // self.every)
            return last + self.every * (missed + 1)
        begin = max(last, now)
        for time in CronSim(str(self.cron), begin.astimezone(ZoneInfo(self.zone))):
            # In the hour that comes twice it goes by the clock on the wall, and may answer with the first of the two.
            if time.astimezone(UTC) > begin:
                return time.astimezone(UTC)
        return now + MOST  # an expression whose day never comes is refused; one that came to its last year waits

    def due(self, slot: datetime, watch: str) -> datetime:
        """The slot, put off by this watch's share of the jitter: the same each time it is worked out."""
        return slot + self.jitter * _share(watch, slot)

    def describe(self) -> str:
        text = f"every {spell(self.every)}" if self.every is not None else f"cron {self.cron}"
        return f"{text} ({self.zone})" if self.cron is not None and self.zone != DEFAULT_ZONE else text


def duration(text: str, name: str) -> timedelta:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{name} is a number and s, m, h, d or w, such as 30m or 6h; got {text[:40]!r}")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def spell(interval: timedelta) -> str:
    """As it is typed: the largest unit that divides it."""
    seconds = int(interval.total_seconds())
    unit = next((each for each in ("w", "d", "h", "m") if seconds and seconds % _UNITS[each] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def _check_cron(text: str, zone: str) -> None:
    if len(text.split()) != 5:
        raise UsageError(f"--cron has five fields (minute, hour, day, month, weekday), got {text[:80]!r}")
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))))
    except (CronSimError, StopIteration) as error:
        raise UsageError(
            f"--cron {text[:80]!r} is no cron expression that is ever due: {error or 'no such day'}"
        ) from error


def _share(watch: str, slot: datetime) -> float:
    hashed = hashlib.sha256(f"jitter\n{watch}\n{slot.astimezone(UTC).isoformat()}".encode()).digest()
    return int.from_bytes(hashed[:6], "big") / (1 << 48)
