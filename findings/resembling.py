"""Which pictures count as the same: asked by those who compare pages, answered by their prints."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from findings.page import Shown
from findings.resemblance import THRESHOLD, Print, compare


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Two pictures that look alike."""

    one: Shown
    other: Shown
    distance: int
    """Bits in which their prints differ."""
    threshold: int
    """Bits up to which it was called alike."""
    mirrored: bool
    of_a_part: bool = False
    """A part of the one is like the other."""


class Resembles(Protocol):
    """Holds two pictures against each other."""

    def same(self, one: Shown, other: Shown) -> Match | None:
        """None: not alike, or one of them says too little to be compared."""
        ...


class ByPrint:
    """By perceptual prints, up to a distance that is stated with each match."""

    def __init__(self, threshold: int | None = None) -> None:
        self._threshold = THRESHOLD if threshold is None else threshold

    def same(self, one: Shown, other: Shown) -> Match | None:
        ours, theirs = _print(one.print), _print(other.print)
        if ours is None or theirs is None:
            return None
        found = compare(ours, theirs, threshold=self._threshold)
        if found is None:
            return None
        return Match(
            one=one,
            other=other,
            distance=found.distance,
            threshold=found.threshold,
            mirrored=found.is_mirrored,
            of_a_part=found.is_of_a_part,
        )


@lru_cache(maxsize=16_384)
def _print(text: str) -> Print | None:
    try:
        return Print.parse(text)
    except ValueError:
        return None  # none could be made, or it is of a maker that we do not know
