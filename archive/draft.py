"""A draft: leaves judged one by one against what the log knows, before they are committed or believed.

The same rules hold for what we append and for what others have committed: a checkpoint is signed over nothing else.
"""

import base64
import binascii
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from archive.errors import LogError
from archive.heads import Advance, Heads
from archive.known import ChainHead, KnownKey, SeenEvent
from archive.log import Position
from custody import keys, keyspace, merkle
from custody.checks.states import ENDS, OPENERS, RESTING
from custody.digest import Digest
from custody.errors import CustodyError, FormatError, SignatureError
from custody.event import Envelope, Event, Statement, check_signature
from custody.leaf import Chain, Leaf
from custody.schema import REASONS_REJECTED, By
from custody.tiles import Growth
from custody.trust import Trust

_OPENED = "log.opened"
_INTRODUCED = "key.introduced"
_REVOKED = "key.revoked"
_SIGNING_ROLES = frozenset({"worker", "person", "log"})


class EventRefused(LogError):
    """Never to be recorded, while other events can be."""

    def __init__(self, message: str, *, code: str = "ENTRY_SCHEMA") -> None:
        super().__init__(message)
        self.code = code
        """One of ``custody.schema.REASONS_REJECTED``."""

    @classmethod
    def of(cls, error: CustodyError) -> Self:
        code = error.code if isinstance(error, (FormatError, SignatureError)) else ""
        return cls(f"this event cannot be recorded: {error}", code=code if code in REASONS_REJECTED else "ENTRY_SCHEMA")


@dataclass(frozen=True, slots=True)
class Identified:
    """An envelope, and the id that its payload claims."""

    id: str
    envelope: Envelope
    statement: Statement
    """Its payload as JSON; read again by nobody, and believed by nobody before the signature holds."""


def identified(envelopes: Sequence[Envelope]) -> tuple[Identified, ...]:
    """Raises ``EventRefused`` for a payload that has no id."""
    try:
        statements = [Statement.parse(each.payload) for each in envelopes]
    except CustodyError as error:
        raise EventRefused.of(error) from error
    return tuple(
        Identified(statement.event_id, envelope, statement)
        for envelope, statement in zip(envelopes, statements, strict=True)
    )


class Draft:
    """One commit's changes on top of ``heads``, which is only read."""

    def __init__(self, heads: Heads, trust: Trust, *, after: Position) -> None:
        self._heads = heads
        self._trust = trust
        self._roots = {keys.keyid(key): key for key in trust.root_keys}
        self._after = after
        self._n = after.n + 1
        self._first_index = after.size
        self._chains: dict[str, ChainHead] = {}
        self._keys: dict[str, KnownKey] = {}
        self._known: dict[str, KnownKey | None] = {}
        self._placed: dict[str, tuple[Digest, Digest, str]] = {}
        self.leaves: list[bytes] = []

    def follows(self, position: Position) -> bool:
        """Whether it was made upon exactly this commit."""
        return self._after == position

    @property
    def index(self) -> int:
        """Of the next leaf."""
        return self._first_index + len(self.leaves)

    def payload_of(self, event_id: str) -> Digest | None:
        """The payload of an event that is in the log, or in this draft."""
        if event_id in self._placed:
            return self._placed[event_id][0]
        seen = self._heads.event(event_id)
        return None if seen is None else seen.payload_sha256

    def judge(self, envelope: Envelope, statement: Statement | None = None) -> Event:
        """Signed by keys that the log or its root stands for, and fit to be its next event. Raises ``CustodyError``.

        As ``verify`` sees it: every signature by a known key holds, none of these keys is revoked, and what changes
        trust has as many root signatures as the trust file asks for. ``statement``: the payload, where it was read.
        """
        signers = {each.keyid: key for each in envelope.signatures if (key := self._signing_key(each.keyid))}
        if not signers:
            raise SignatureError(
                f"key {envelope.keyid} is not one that {self._trust.log.name} has introduced", code="EVENT_KEY_UNKNOWN"
            )
        for keyid, public_key in signers.items():
            check_signature(envelope, public_key)
            if (known := self._key(keyid)) is not None and known.revoked:
                raise SignatureError(f"key {keyid} was revoked", code="EVENT_KEY_REVOKED")
        event = Event.parse(envelope.payload) if statement is None else Event.of(statement)
        by = "worker" if event.kind is None else event.kind.by
        named = event.body.get("keyid") if event.type == "capture.witnessed" else None
        needed, got = self._authority("person" if named else by, signers.keys() & {named} if named else signers.keys())
        if got < needed:
            raise SignatureError(
                f"{event.type} needs {needed} signatures by {'root keys' if by == 'root' else 'people'}, has {got}",
                code="AUTHORITY_MISSING",
            )
        self._check(event)
        return event

    def _authority(self, by: By, keyids: AbstractSet[str]) -> tuple[int, int]:
        """How many signatures are needed of those who may say such a thing, and how many there are."""
        roots = keyids & self._roots.keys()
        if by == "root":
            return self._trust.root_threshold, len(roots)
        people = roots | {keyid for keyid in keyids if (key := self._key(keyid)) is not None and key.role == "person"}
        if by == "people":
            return self._trust.people_threshold, len(people)
        return (1, len(people)) if by == "person" else (0, 0)

    def _check(self, event: Event) -> None:
        """What a schema cannot say."""
        log = self._trust.log
        if event.chain.startswith("log:") and event.chain != f"log:{keyspace.slug(log.name)}":
            raise FormatError(f"{event.chain} is not the chain of {log.name}")
        if event.type == _OPENED:
            if self.index:
                raise FormatError(f"{log.name} is open already")
            if (event.body["log"], event.body["vkey"]) != (log.name, log.format()):
                raise FormatError(f"the log was opened as {event.body['log']!r} with the key {event.body['vkey']!r}")
        self._learn(event)

    def add(self, events: Sequence[Identified], logged_at: datetime) -> None:
        """Those of them that are new: all, or none. Raises ``EventRefused``."""
        fresh = {each.id: each for each in events if self.payload_of(each.id) is None}
        try:
            judged = [self.judge(each.envelope, each.statement) for each in fresh.values()]
            self._check_places(judged)
        except CustodyError as error:
            raise EventRefused.of(error) from error
        for each, event in zip(fresh.values(), judged, strict=True):
            self.place(each.envelope, event, logged_at)

    def _check_places(self, events: Sequence[Event]) -> None:
        """What opens a chain stands first in it, and nothing else does: a verdict on such a log never held again.

        Asked of what is to be appended alone. What others have committed is in the log, whatever we think of it.
        """
        begun: set[str] = set()
        for event in events:
            opener = OPENERS.get(event.chain.partition(":")[0])
            is_begun = event.chain in begun or self._next(event.chain).seq > 0
            if is_begun and event.type == opener:
                raise FormatError(f"{event.chain} is open already")
            if not is_begun and opener not in {None, event.type}:
                raise FormatError(f"{event.chain} is not open yet: it begins with {opener}")
            if is_begun and event.type == "evidence.received":
                raise FormatError(f"{event.chain} has begun: what is received is an item of its own")
            if not is_begun and event.type in ENDS:
                raise FormatError(f"{event.chain} has no capture that was started, so none can end")
            if not is_begun and event.type in RESTING:
                raise FormatError(f"{event.chain} has no capture, so there is nothing to pack or derive")
            begun.add(event.chain)

    def place(self, envelope: Envelope, event: Event, logged_at: datetime) -> None:
        """Give a judged event the next index and its place in its chain."""
        place = self._next(event.chain)
        leaf = Leaf(self._trust.log.name, self.index, logged_at, (place,), envelope)
        self._add(leaf.format(), envelope, event, place)

    def follow(self, data: bytes) -> None:
        """Take a leaf that is in a commit already. Raises ``CustodyError`` when it should not be there."""
        leaf = Leaf.parse(data)
        if (leaf.log, leaf.index) != (self._trust.log.name, self.index):
            raise FormatError(f"expected leaf {self.index} of {self._trust.log.name}, got {leaf.index} of {leaf.log}")
        event = self.judge(leaf.event)
        if leaf.chains != (expected := (self._next(event.chain),)):
            raise FormatError(f"leaf {leaf.index}: expected its place to be {expected}, got {leaf.chains}")
        if self.payload_of(event.event_id) is not None:
            raise FormatError(f"leaf {leaf.index}: event {event.event_id} is in the log already")
        self._add(data, leaf.event, event, expected[0])

    def advance(self, commit_sha256: Digest, growth: Growth) -> Advance:
        """What all of it changes, once it is committed."""
        size = self.index
        return Advance(
            position=Position(self._n, size, commit_sha256),
            root=growth.root,
            edge=growth.edge,
            chains=self._chains,
            keys=tuple(self._keys.values()),
            events=tuple(
                SeenEvent(
                    event_id=event_id,
                    payload_sha256=payload,
                    leaf_sha256=leaf,
                    n=self._n,
                    index=index,
                    tree_size=size,
                    type=type_,
                )
                for index, (event_id, (payload, leaf, type_)) in enumerate(self._placed.items(), self._first_index)
            ),
        )

    def event_ids(self) -> tuple[str, ...]:
        return tuple(self._placed)

    def _next(self, scope: str) -> Chain:
        head = self._chains.get(scope) or self._heads.chain(scope)
        return Chain(scope, 0, None) if head is None else Chain(scope, head.seq + 1, head.leaf_sha256.hex)

    def _add(self, data: bytes, envelope: Envelope, event: Event, place: Chain) -> None:
        if not self.index and event.type != _OPENED:
            raise FormatError(f"a log begins with {_OPENED}, got {event.type}")
        learnt = self._learn(event)
        digest = Digest(merkle.leaf_hash(data).hex())
        if learnt is not None:
            self._keys[learnt.keyid] = learnt
        self._chains[event.chain] = ChainHead(place.seq, digest)
        self._placed[event.event_id] = (envelope.payload_sha256, digest, event.type)
        self.leaves.append(data)

    def _learn(self, event: Event) -> KnownKey | None:
        body: Any = event.body
        if event.type == _INTRODUCED:
            public_key = _decoded(body["public_key"])
            if keys.keyid(public_key) != body["keyid"]:
                raise FormatError(f"the key introduced as {body['keyid']} has another id")
            # The first introduction counts, and none takes a revocation back.
            return self._key(body["keyid"]) or KnownKey(body["keyid"], public_key, body["role"], revoked=False)
        if event.type == _REVOKED:
            key = self._key(body["keyid"])
            if key is None:
                raise FormatError(f"key {body['keyid']} was never introduced, so it cannot be revoked")
            return KnownKey(key.keyid, key.public_key, key.role, revoked=True)
        return None

    def _key(self, keyid: str) -> KnownKey | None:
        if (learnt := self._keys.get(keyid)) is not None:
            return learnt
        if keyid not in self._known:
            self._known[keyid] = self._heads.key(keyid)
        return self._known[keyid]

    def _signing_key(self, keyid: str) -> bytes | None:
        """Root keys come from the trust file alone: no event makes one."""
        known = self._key(keyid)
        if known is not None and known.role in _SIGNING_ROLES:
            return known.public_key
        return self._roots.get(keyid)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise FormatError(f"a public key is base64, got {text[:60]!r}") from error
