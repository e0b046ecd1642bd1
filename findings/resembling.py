"""Which pictures count as the same: asked by those who compare pages, answered by whoever knows prints."""

from dataclasses import dataclass
from typing import Protocol

from findings.page import Shown


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


class Resembles(Protocol):
    """Holds two pictures against each other."""

    def same(self, one: Shown, other: Shown) -> Match | None:
        """None: not alike, or one of them says too little to be compared."""
        ...
