"""Sequencing: whoever holds the log's key empties the inbox. Any number may, anywhere; each event is judged on its own.

An object leaves the inbox only when the log was read back with its event in it, or with the word that it was refused.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from archive.draft import EventRefused, Identified, identified
from archive.errors import NotStored, StoreDenied, StoreDown, StoreError
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from custody import keyspace
from custody.checks.states import OPENERS
from custody.digest import Digest
from custody.errors import CustodyError
from custody.event import Envelope, Event
from custody.model import Json
from custody.tiles import MAX_LEAF_BYTES

MAX_OBJECT_BYTES = MAX_LEAF_BYTES
"""No envelope that fits into a leaf is longer; of what is, the beginning is kept."""

_ROUND = 8192  # objects of one round: each is some kilobytes long
_BATCH = 2048
_THREADS = 8
_FIRST = frozenset({"capture.started", "case.opened", "run.opened"})  # they begin chains, and rest on nothing before
_TIMESTAMPED = "log.timestamped"  # a token's own leaf: were it to ask for another, there would be no end


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What became of the inbox."""

    taken: int
    """Events that the log has now, some of them perhaps since before."""
    rejected: int
    """Objects that were refused, kept in quarantine, and told of in the log."""
    waiting: int
    """Objects that lie there still."""
    troubles: tuple[str, ...] = ()
    """A sentence for each object that could not be read."""


@dataclass(frozen=True, slots=True)
class _Object:
    """What lay in the inbox: at most so much of it as an event can have."""

    key: str
    data: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class _Submitted:
    """An object that may be an event."""

    object: _Object
    identified: Identified
    event: Event | None
    """None: nothing that this version can read; the log's judgement says why."""

    @property
    def sorts_first(self) -> bool:
        """It changes who may sign, so it goes before those who do."""
        return self.event is not None and self.event.kind is not None and self.event.kind.by == "root"


class Sequencing:
    """One at a time in a process; processes do not hear of each other, and need not."""

    def __init__(
        self,
        sequencer: Sequencer,
        scribe: Scribe,
        *,
        taken: Callable[[Sequence[Receipt]], None] = lambda _: None,
        hook: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``taken`` hears of the leaves that want trusted time; ``hook`` is told of each step as it is done."""
        self._sequencer = sequencer
        self._scribe = scribe
        self._store = scribe.store
        self._taken = taken
        self._hook = hook

    def empty(self) -> Round:
        """One round over what lies there now. Raises ``StoreError`` and ``LogError``; doing it again is right."""
        self._sequencer.refresh()  # and with it, publish what a sequencer that died has left
        first = self._keys()
        if not first:
            return Round(taken=0, rejected=0, waiting=0)
        # An end is put there after its start. A listing of many pages may miss the start and show the end; one that
        # is begun after that one shows both. So ends are taken from the first listing, what they rest on from both.
        second = self._keys()
        troubles: list[str] = []
        late = [key for key in second if key not in set(first)]
        objects = [*self._read(first[:_ROUND], troubles), *self._read(late[:_ROUND], troubles)]
        refused: list[tuple[_Object, EventRefused]] = []
        submitted: list[_Submitted] = []
        for lain in objects:
            try:
                submitted.append(_parse(lain))
            except EventRefused as error:
                refused.append((lain, error))
        known = set(first)
        chosen = [
            each
            for each in submitted
            if each.object.key in known or (each.event is not None and each.event.type in _FIRST)
        ]
        self._hook("inbox read")
        taken = 0
        ordered = list(_in_order(chosen))
        for at in range(0, len(ordered), _BATCH):
            batch = ordered[at : at + _BATCH]
            answers = self._sequencer.take([each.identified for each in batch])
            self._hook("taken")
            done: list[str] = []
            receipts: list[Receipt] = []
            for each, answer in zip(batch, answers, strict=True):
                if isinstance(answer, Receipt):
                    done.append(each.object.key)
                    if each.event is not None and each.event.type != _TIMESTAMPED:
                        receipts.append(answer)
                else:
                    refused.append((each.object, answer))
            self._taken(receipts)
            self._remove(done)
            taken += len(done)
        self._reject(refused)
        left = len({*first, *second}) - taken - len(refused)
        return Round(taken=taken, rejected=len(refused), waiting=max(0, left), troubles=tuple(troubles))

    def _keys(self) -> list[str]:
        return list(self._store.keys(keyspace.INBOX))

    def _read(self, keys: Sequence[str], troubles: list[str]) -> Iterator[_Object]:
        with ThreadPoolExecutor(_THREADS, "inbox") as threads:
            for key, found in zip(keys, threads.map(self._read_one, keys), strict=True):
                if isinstance(found, _Object):
                    yield found
                elif found is not None:
                    troubles.append(f"{key} cannot be read and stays in the inbox: {found}")

    def _read_one(self, key: str) -> _Object | StoreError | None:
        """None: gone, as another sequencer has taken it."""
        try:
            with closing(self._store.open(key)) as stream:
                data = _read_up_to(stream.read, MAX_OBJECT_BYTES + 1)
        except NotStored:
            return None
        except (StoreDown, StoreDenied):
            raise
        except StoreError as error:
            return error  # this one alone; the others do not wait for it
        return _Object(key, data[:MAX_OBJECT_BYTES], len(data) <= MAX_OBJECT_BYTES)

    def _remove(self, keys: Sequence[str]) -> None:
        self._hook("before removal")
        with ThreadPoolExecutor(_THREADS, "inbox") as threads:
            for _ in threads.map(self._store.remove_unlocked, keys):
                self._hook("removed")

    def _reject(self, refused: Sequence[tuple[_Object, EventRefused]]) -> None:
        """Kept for whoever asks, told of in the log, then out of the way."""
        if not refused:
            return
        told: set[str] = set()
        for lain, _ in refused:
            digest = Digest.of(lain.data)
            until = self._scribe.retain_until()
            stored = self._store.create(keyspace.quarantine(digest), lain.data, digest=digest, retain_until=until)
            if not stored.created and self._is_told(digest):
                told.add(digest.hex)  # by one that died before it could remove the object, or of the same bytes again
        self._hook("quarantined")
        envelopes: list[Envelope] = []
        for lain, error in refused:
            digest = Digest.of(lain.data)
            if digest.hex not in told:
                told.add(digest.hex)
                envelopes.append(self._event(lain, digest, error))
        self._taken(self._sequencer.append(envelopes))
        self._hook("rejected")
        self._remove([lain.key for lain, _ in refused])

    def _is_told(self, digest: Digest) -> bool:
        return any(
            each.event.body["bytes_sha256"] == digest.hex
            for each in self._sequencer.events("event.rejected", newest_first=True)
        )

    def _event(self, lain: _Object, digest: Digest, error: EventRefused) -> Envelope:
        detail: dict[str, Json] = {"key": lain.key, "reason": str(error), "bytes": len(lain.data), "whole": lain.whole}
        return self._scribe.event(
            "event.rejected",
            chain=f"log:{keyspace.slug(self._sequencer.log)}",
            subject=self._scribe.detail("rejected.json", detail),
            body={"reason": error.code, "bytes_sha256": digest.hex},
        )


def _read_up_to(read: Callable[[int], bytes], length: int) -> bytes:
    data = b""
    while len(data) < length and (more := read(length - len(data))):
        data += more
    return data


def _parse(lain: _Object) -> _Submitted:
    """Raises ``EventRefused`` for what is no envelope of an event, under the name of its id."""
    if not lain.whole:
        raise EventRefused(f"it has more than {MAX_OBJECT_BYTES} bytes", code="ENTRY_PARSE")
    try:
        envelope = Envelope.parse(lain.data)
    except CustodyError as error:
        raise EventRefused.of(error) from error
    (event,) = identified([envelope])
    if not lain.key.endswith(f"/{event.id}.json"):
        raise EventRefused(f"event {event.id} lies under the name of another")
    try:
        parsed = Event.parse(envelope.payload)
    except CustodyError:
        parsed = None
    return _Submitted(lain, event, parsed)


def _in_order(submitted: Sequence[_Submitted]) -> Iterator[_Submitted]:
    """By name, which is by time of making, but each after what it rests on: clocks may have stepped back."""
    by_payload = {each.identified.envelope.payload_sha256: each for each in submitted}
    openers = {
        each.event.chain: each
        for each in submitted
        if each.event is not None and each.event.type == OPENERS.get(each.event.chain.partition(":")[0])
    }
    given: set[str] = set()
    ordered = sorted(submitted, key=lambda each: (not each.sorts_first, each.object.key))
    for each in ordered:
        before = []
        if each.event is not None:
            before = [by_payload[ref.payload_sha256] for ref in each.event.refs if ref.payload_sha256 in by_payload]
            if each.event.chain in openers:
                before.append(openers[each.event.chain])
        for one in (*before, each):
            if one.object.key not in given:
                given.add(one.object.key)
                yield one
