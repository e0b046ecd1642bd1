"""Dating: when something was captured, by the tokens that lie around it. Each is judged; the log around them is not.

So this is what ``verify`` would say if all else holds, and no substitute for it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from archive.errors import NotStored
from archive.log import LoggedEvent
from archive.opinion import judged
from archive.store import ObjectStore
from custody import keyspace
from custody.bracket import Bracket, Brackets, Stamp
from custody.checkpoint import open_checkpoint
from custody.digest import Digest
from custody.errors import CustodyError
from custody.event import Anchor
from custody.instant import format_utc
from custody.model import Json
from custody.trust import Trust

_TRIED = 4  # tokens of one authority that are judged in search of the nearest that holds


class Tokens(Protocol):
    """What the log tells of tokens."""

    def stamper_of(self, anchor: Anchor) -> str | None:
        """Id of the authority whose token an event is anchored in, as the log tells of it."""
        ...

    def sizes_over(self, index: int, authority: str, limit: int) -> Sequence[int]:
        """The smallest trees with this leaf that the authority has stamped, in order."""
        ...


class ToldTokens:
    """Of events that are at hand."""

    def __init__(self, told: Iterable[LoggedEvent]) -> None:
        self._stampers: dict[Anchor, str] = {}
        sizes: dict[str, set[int]] = {}
        for each in told:
            size, authority = int(str(each.event.body["size"])), str(each.event.body["authority"])
            self._stampers[Anchor(size=size, token_sha256=each.event.subjects[0].digest)] = authority
            sizes.setdefault(authority, set()).add(size)
        self._sizes = {authority: sorted(found) for authority, found in sizes.items()}

    def stamper_of(self, anchor: Anchor) -> str | None:
        return self._stampers.get(anchor)

    def sizes_over(self, index: int, authority: str, limit: int) -> Sequence[int]:
        found = self._sizes.get(authority, [])
        at = bisect_right(found, index)
        return found[at : at + limit]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """When a capture happened: begun not before, and ended not after."""

    bracket: Bracket
    before: str | None
    """Id of the authority whose token was there before it began."""
    after: tuple[str, ...]
    """Ids of as many authorities as the trust file asks, whose tokens came after it had ended."""
    over: tuple[int, ...] = ()
    """Leaves under the checkpoints that these tokens stamp, in the order of ``after``."""

    def to_json(self) -> dict[str, Json]:
        return {**self.bracket.to_json(), "not_before_by": self.before, "not_after_by": list(self.after)}

    def __str__(self) -> str:
        begun, ended = self.bracket.not_before, self.bracket.not_after
        if begun is None and ended is None:
            return "NO TRUSTED TIME: no token that is believed here lies before it or after it"
        first = "no token before it" if begun is None else f"not before {format_utc(begun)} (token of {self.before})"
        many = "token" if len(self.after) == 1 else "tokens"
        last = "NO TRUSTED TIME after it"
        if ended is not None:
            last = f"not after {format_utc(ended)} ({many} of {', '.join(self.after)})"
        return f"{first}, {last} (as stored; `counterproof verify` checks it)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """Of many captures: the first began not before, the last ended not after, and how many have no such bound."""

    not_before: datetime | None
    not_after: datetime | None
    unbegun: int
    unended: int

    @classmethod
    def of(cls, dated: Sequence[Dated]) -> Self:
        begun = [each.bracket.not_before for each in dated]
        ended = [each.bracket.not_after for each in dated]
        return cls(
            not_before=min((each for each in begun if each is not None), default=None),
            not_after=max((each for each in ended if each is not None), default=None),
            unbegun=begun.count(None),
            unended=ended.count(None),
        )


NOT_DATED = Dated(bracket=Bracket(not_before=None, not_after=None), before=None, after=())


class Dating:
    """Of one log, under one trust file. Each token is read and judged once."""

    def __init__(self, store: ObjectStore, trust: Trust, tokens: Tokens) -> None:
        self._store = store
        self._trust = trust
        self._tokens = tokens
        self._judged: dict[tuple[int, str], tuple[Digest, Stamp] | None] = {}

    def of(self, anchor: Anchor | None, end: int | None) -> Dated:
        """``anchor`` of the start, and the index of the end; None while there is none.

        Raises ``StoreError`` when the store does not answer.
        """
        begun = None if anchor is None else self._anchored(anchor)
        stamps = [] if end is None else list(self._after(end))
        not_after = None if end is None else Brackets(stamps, self._trust.quorum).not_after(end)
        after: Mapping[str, Stamp] = {} if not_after is None else {each.authority: each for each in stamps}
        counted = sorted(name for name, each in after.items() if not_after and each.latest <= not_after)
        return Dated(
            bracket=Bracket(not_before=None if begun is None else begun.earliest, not_after=not_after),
            before=None if begun is None else begun.authority,
            after=tuple(counted),
            over=tuple(after[name].size for name in counted),
        )

    def _anchored(self, anchor: Anchor) -> Stamp | None:
        authority = self._tokens.stamper_of(anchor)
        found = None if authority is None else self._judge(anchor.size, authority)
        return None if found is None or found[0] != anchor.token_sha256 else found[1]

    def _after(self, index: int) -> Iterable[Stamp]:
        for authority in self._trust.authorities:
            for size in self._tokens.sizes_over(index, authority.id, _TRIED):
                if (found := self._judge(size, authority.id)) is not None:
                    yield found[1]
                    break

    def _judge(self, size: int, authority: str) -> tuple[Digest, Stamp] | None:
        """None: it is gone, is over no checkpoint of this log, or is not believed."""
        key = (size, authority)
        if key not in self._judged:
            self._judged[key] = self._look(size, authority)
        return self._judged[key]

    def _look(self, size: int, name: str) -> tuple[Digest, Stamp] | None:
        authority, log = self._trust.authority(name), self._trust.log
        if authority is None:
            return None
        try:
            checkpoint = self._store.read(keyspace.checkpoint_at(log.name, size))
            query = self._store.read(keyspace.query(log.name, size, name))
            response = self._store.read(keyspace.token(log.name, size, name))
            if open_checkpoint(checkpoint, log).size != size:
                return None
        except (NotStored, CustodyError):
            return None
        found = judged(query, response, checkpoint, authority)
        if found.token is None or found.reason:
            return None
        stamp = Stamp(size=size, authority=name, token=found.token, trusted=True, second_opinion=found.second_opinion)
        return Digest.of(response), stamp
