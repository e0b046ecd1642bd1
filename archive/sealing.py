"""Sealing: trusted time over a checkpoint that holds what was recorded."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from archive.authority import Authority, Refused, Stamped
from archive.errors import NotStored
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from custody import keyspace
from custody.event import Anchor, Envelope
from custody.instant import format_utc
from custody.model import Json

_LOOK_BACK = 16  # tokens that a new process judges in its search for the newest that holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """What came of asking for the time."""

    sealed: bool
    """As many authorities as the trust file asks for have stamped one checkpoint that holds all of the leaves."""
    size: int | None
    """Of the tree whose checkpoint was stamped; None when there is no authority."""
    stamps: tuple[Stamped | Refused, ...]


@dataclass(frozen=True, slots=True)
class _Round:
    """One checkpoint, and what each authority said to it."""

    size: int
    checkpoint: bytes
    stamps: tuple[Stamped | Refused, ...]

    @property
    def tokens(self) -> tuple[Stamped, ...]:
        return tuple(each for each in self.stamps if isinstance(each, Stamped))

    @property
    def trusted(self) -> tuple[Stamped, ...]:
        return tuple(each for each in self.tokens if each.trusted)


class Sealing:
    """Of one log. Safe for threads; one of them stamps at a time."""

    def __init__(self, sequencer: Sequencer, scribe: Scribe, authorities: Sequence[Authority]) -> None:
        self._sequencer = sequencer
        self._scribe = scribe
        self._authorities = {each.id: each for each in authorities}
        self._stamping = threading.Lock()
        self._round: _Round | None = None
        self._looking = threading.Lock()
        self._looked = False
        self._anchor: Anchor | None = None

    def anchor(self) -> Anchor | None:
        """The newest token that is known here and holds: no event that names it is older. Never asks an authority."""
        with self._looking:
            if not self._looked:
                self._anchor = self._find()
                self._looked = True
            return self._anchor

    def seal(self, receipts: Sequence[Receipt]) -> Sealed:
        """Stamp the newest checkpoint, unless the one that was stamped last holds these leaves already.

        Takes no longer than the authorities' time limit, and the store. Raises ``StoreError`` and ``LogError``; an
        authority that is down raises nothing, it is in ``stamps``.
        """
        if not self._authorities or not receipts:
            return Sealed(sealed=False, size=None, stamps=())
        quorum = self._sequencer.trust.quorum
        last = max(each.index for each in receipts)
        with self._stamping:
            done = self._round
            if done is None or done.size <= last or len(done.trusted) < quorum:
                done = self._round = self._stamp()
        sealed = len(done.trusted) >= quorum
        if sealed:
            leaves = {each.index: each.leaf_sha256 for each in receipts}
            self._sequencer.reader.confirm(self._sequencer.trust.log, done.checkpoint, leaves)
        return Sealed(sealed=sealed, size=done.size, stamps=done.stamps)

    def _stamp(self) -> _Round:
        size, checkpoint = self._sequencer.checkpoint()
        with ThreadPoolExecutor(len(self._authorities), "sealing") as threads:
            stamps = tuple(threads.map(lambda each: each.stamp(checkpoint, size), self._authorities.values()))
        done = _Round(size, checkpoint, stamps)
        self._sequencer.append(list(self._events(done)))
        if done.trusted:
            with self._looking:
                self._anchor = Anchor(size=size, token_sha256=done.trusted[0].token_sha256)
                self._looked = True
        return done

    def _events(self, done: _Round) -> Iterator[Envelope]:
        """A token that is not believed here is logged too: somebody may hold the roots that it needs."""
        chain = f"log:{keyspace.slug(self._sequencer.log)}"
        for each in done.tokens:
            if each.token is not None:
                body: dict[str, Json] = {
                    "size": done.size,
                    "authority": each.authority,
                    "gen_time": format_utc(each.token.gen_time),
                    "serial": str(each.token.serial),
                }
                subject = self._scribe.blob("token.tsr", each.response)
                yield self._scribe.event("log.timestamped", chain=chain, subject=subject, body=body)

    def _find(self) -> Anchor | None:
        """What another process has stamped, judged anew."""
        for each in islice(self._sequencer.events("log.timestamped", newest_first=True), _LOOK_BACK):
            authority = self._authorities.get(str(each.event.body["authority"]))
            size = each.event.body["size"]
            if authority is None or not isinstance(size, int):
                continue
            try:
                checkpoint = self._sequencer.reader.store.read(keyspace.checkpoint_at(self._sequencer.log, size))
            except NotStored:
                continue
            kept = authority.kept(checkpoint, size)
            if kept is not None and kept.trusted and kept.token_sha256 == each.event.subjects[0].digest:
                return Anchor(size=size, token_sha256=kept.token_sha256)
        return None
