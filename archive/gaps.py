"""How far apart looks were: the median of the times between them, and the longest one. Pure."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Gaps:
    """Between looks; None where there were fewer than two."""

    median: timedelta | None = None
    longest: timedelta | None = None

    @classmethod
    def between(cls, times: Iterable[datetime]) -> "Gaps":
        """In any order."""
        apart = [(later - earlier).total_seconds() for earlier, later in pairwise(sorted(times))]
        if not apart:
            return cls()
        return cls(median=timedelta(seconds=statistics.median(apart)), longest=timedelta(seconds=max(apart)))

    def to_json(self) -> dict[str, Json]:
        return {"median_s": _seconds(self.median), "longest_s": _seconds(self.longest)}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
