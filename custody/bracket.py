"""Brackets: not before the token that an event was anchored in, not after the tokens over a tree that holds it."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from custody.instant import format_utc
from custody.model import Json
from custody.timestamp import Token


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """A token over the checkpoint of a tree, which it answers for."""

    size: int
    authority: str
    token: Token
    trusted: bool
    """Its signature leads to the roots in the trust file; else there are no roots to hold it against."""
    second_opinion: bool = False
    """This verifier cannot read it; another program said that it holds."""

    @property
    def earliest(self) -> datetime:
        return self.token.gen_time - self.token.accuracy

    @property
    def latest(self) -> datetime:
        return self.token.gen_time + self.token.accuracy


@dataclass(frozen=True, kw_only=True, slots=True)
class Bracket:
    """When an event happened, by clocks that are not its maker's."""

    not_before: datetime | None
    """None: it was anchored in no token, or in one that is not trusted."""
    not_after: datetime | None
    """None: too few authorities have stamped a tree that holds it."""

    def to_json(self) -> dict[str, Json]:
        return {
            "not_before": None if self.not_before is None else format_utc(self.not_before),
            "not_after": None if self.not_after is None else format_utc(self.not_after),
        }


@dataclass(frozen=True, slots=True)
class _Cover:
    size: int
    first: datetime
    agreed: datetime | None


class Brackets:
    """What trusted tokens say of the leaves of one log."""

    def __init__(self, stamps: Iterable[Stamp], quorum: int) -> None:
        earliest: dict[str, datetime] = {}
        covers = []
        # A token over a larger tree speaks of the smaller ones too.
        for each in sorted((each for each in stamps if each.trusted), key=lambda each: each.size, reverse=True):
            earliest[each.authority] = min(each.latest, earliest.get(each.authority, each.latest))
            said = sorted(earliest.values())
            covers.append(_Cover(each.size, said[0], said[quorum - 1] if len(said) >= quorum else None))
        self._covers = tuple(reversed(covers))

    @property
    def covered(self) -> int:
        """Leaves below this index are older than the time that as many authorities as the trust file asks state."""
        return max((each.size for each in self._covers if each.agreed is not None), default=0)

    def stamped_by(self, index: int) -> datetime | None:
        """The earliest time that any authority gives a tree with this leaf: one is enough to contradict a clock."""
        cover = self._cover(index)
        return None if cover is None else cover.first

    def not_after(self, index: int) -> datetime | None:
        """The time by which as many authorities as the trust file asks have stamped a tree with this leaf."""
        cover = self._cover(index)
        return None if cover is None else cover.agreed

    def _cover(self, index: int) -> _Cover | None:
        at = bisect_right(self._covers, index, key=lambda each: each.size)
        return self._covers[at] if at < len(self._covers) else None
