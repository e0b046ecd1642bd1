"""Checks 5 and 6, leaves and signatures: each leaf is in shape and in its place, each event signed by a known key."""

from dataclasses import dataclass

from custody import keys, keyspace
from custody.checks.inquiry import Inquiry
from custody.checks.registry import Registry
from custody.errors import FormatError, SignatureError
from custody.event import Envelope, Event, check_signature
from custody.leaf import Leaf
from custody.model import Json
from custody.note import decode_base64
from custody.schema import By

CHECK = 5
CHECK_SIGNATURES = 6
CHECK_CHAINS = 7

_WHO = {"root": "root keys", "people": "people", "person": "a person"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A leaf where it lies in the tree."""

    index: int
    data: bytes
    hash: bytes
    tile_hash: bytes
    """What its tile says; check 4 tells which of the two is wrong when they differ."""
    leaf: Leaf | None
    """None when it cannot be read."""
    event: Event | None
    """None when it cannot be read, or is not to be believed."""
    repeated: bool
    """The same event stands in an earlier leaf."""


class Entries:
    def __init__(self, inquiry: Inquiry, registry: Registry) -> None:
        self._inquiry = inquiry
        self._findings = inquiry.findings
        self._registry = registry
        self._slug = keyspace.slug(inquiry.log)
        self._seen: dict[bytes, int] = {}
        self._signed = 0
        self._dependent = 0
        self._by_key: dict[str, int] = {}

    def examine(self, index: int, data: bytes, hashes: tuple[bytes, bytes]) -> Entry:
        leaf = self._read_leaf(index, data)
        event, repeated = None, False
        if leaf is not None:
            event = self._believed(index, leaf.event)
            event = event and self._in_place(index, leaf, event)
            repeated = event is not None and self._is_repeated(index, event)
        if event is None and (leaf is None or leaf.chains[0].scope.startswith("log:")):
            # It may have introduced any key, so no later key can be called unknown.
            self._registry.doubtful = index if self._registry.doubtful is None else self._registry.doubtful
        return Entry(
            index=index, data=data, hash=hashes[0], tile_hash=hashes[1], leaf=leaf, event=event, repeated=repeated
        )

    def finish(self) -> None:
        findings = self._findings
        findings.detail(CHECK_SIGNATURES, f"{self._signed} events by {len(self._by_key)} keys")
        if self._dependent:
            findings.detail(
                CHECK_SIGNATURES,
                f"{self._dependent} events by keys that leaf {self._registry.doubtful} may have introduced, not judged",
            )
        for keyid, index in self._registry.revoked.items():
            if signed := self._by_key.get(keyid):
                findings.note(
                    CHECK_SIGNATURES,
                    "KEY_REVOKED",
                    f"leaf {index} revoked key {keyid}; {signed} events before it are by this key: judge them by "
                    "their time-stamps against the date in that leaf",
                    index=index,
                    keyid=keyid,
                )

    def _read_leaf(self, index: int, data: bytes) -> Leaf | None:
        try:
            leaf = Leaf.parse(data)
        except FormatError as error:
            self._fail(error.code, f"leaf {index}: {error}", index=index, part="leaf")
            return None
        if leaf.format() != data:
            self._note_spelling(index, "leaf")
        if leaf.log != self._inquiry.log:
            self._fail("ENTRY_LOG", f"leaf {index} is of the log {leaf.log}", index=index, log=leaf.log)
        if leaf.index != index:
            self._fail("ENTRY_INDEX", f"leaf {index} says it is leaf {leaf.index}", index=index, says=leaf.index)
        return leaf

    def _believed(self, index: int, envelope: Envelope) -> Event | None:
        """Signature over the bytes first, then shape, then whether this key may say such a thing."""
        signers = self._signers(index, envelope)
        if not signers:
            return None
        event = self._read_event(index, envelope)
        if event is None or not self._may_sign(index, event, signers):
            return None
        self._signed += 1
        for keyid in signers:
            self._by_key[keyid] = self._by_key.get(keyid, 0) + 1
        if event.kind is not None and event.kind.by_root:
            self._registry.learn(index, event)
        return event

    def _signers(self, index: int, envelope: Envelope) -> tuple[str, ...]:
        """The known keys that signed; none, and a finding, if that is not enough to go on."""
        known = {each.keyid: key for each in envelope.signatures if (key := self._registry.find(each.keyid))}
        if not known:
            if self._registry.doubtful is not None:
                self._dependent += 1
            else:
                self._sign_fail(
                    "EVENT_KEY_UNKNOWN",
                    f"leaf {index} is signed by key {envelope.keyid}, which no leaf before it introduces",
                    index=index,
                    keyid=envelope.keyid,
                )
            return ()
        for key in known.values():
            try:
                check_signature(envelope, key)
            except SignatureError as error:
                self._sign_fail("EVENT_SIG", f"leaf {index}: {error}", index=index)
                return ()
        if gone := self._registry.revocation(known):
            keyid, by = gone
            self._sign_fail(
                "EVENT_KEY_REVOKED",
                f"leaf {index} is signed by key {keyid}, which leaf {by} had revoked",
                index=index,
                keyid=keyid,
                revoked_by=by,
            )
            return ()
        return tuple(known)

    def _read_event(self, index: int, envelope: Envelope) -> Event | None:
        try:
            event = Event.parse(envelope.payload)
        except FormatError as error:
            self._fail(error.code, f"the event in leaf {index}: {error}", index=index, part="payload")
            return None
        if event.kind is None:
            self._findings.note(
                CHECK,
                "EVENT_TYPE_UNKNOWN",
                f"leaf {index} is an event of type {event.type}, of which this verifier checks no more than the "
                "signature and the place",
                index=index,
                type=event.type,
            )
        elif event.format() != envelope.payload:
            self._note_spelling(index, "payload")
        return event

    def _may_sign(self, index: int, event: Event, signers: tuple[str, ...]) -> bool:
        """Enough of those sign whose word the type asks for."""
        by = "worker" if event.kind is None else event.kind.by
        needed, got = self._authority(by, signers)
        if got < needed:
            self._sign_fail(
                "AUTHORITY_MISSING",
                f"leaf {index}, {event.type}, needs {needed} signatures by {_WHO[by]} and has {got}",
                index=index,
                needed=needed,
                got=got,
            )
            return False
        if event.type == "capture.witnessed" and (keyid := event.body["keyid"]) is not None:
            return self._is_by(index, event, str(keyid), signers)
        return by != "root" or self._body_fits(index, event)

    def _is_by(self, index: int, event: Event, keyid: str, signers: tuple[str, ...]) -> bool:
        """A witness whose own key is named has signed with it."""
        if keyid in self._registry.people_among(signers):
            return True
        message = f"leaf {index}, {event.type}, is said to be signed by the witness's key {keyid}, and is not"
        self._sign_fail("AUTHORITY_MISSING", message, index=index, needed=1, got=0)
        return False

    def _authority(self, by: By, signers: tuple[str, ...]) -> tuple[int, int]:
        """How many signatures are needed of those who may say such a thing, and how many there are."""
        trust, registry = self._inquiry.trust, self._registry
        if by == "root":
            return trust.root_threshold, len(registry.roots_among(signers))
        if by == "people":
            return trust.people_threshold, len(registry.people_among(signers))
        if by == "person":
            return 1, len(registry.people_among(signers))
        return 0, 0

    def _body_fits(self, index: int, event: Event) -> bool:
        """What a root event says of keys must be true in itself."""
        body, trust = event.body, self._inquiry.trust
        if event.type == "key.introduced" and _keyid(str(body["public_key"])) != body["keyid"]:
            message = f"the event in leaf {index}: $.predicate.body.keyid: it is not the id of the key beside it"
            self._fail("ENTRY_SCHEMA", message, index=index, part="payload")
            return False
        if event.type == "log.opened" and (body["log"], body["vkey"]) != (trust.log.name, trust.log.format()):
            self._findings.fail(
                1, "TRUST_LOG", f"leaf {index} opens the log with another key than the trust file has", index=index
            )
        return True

    def _in_place(self, index: int, leaf: Leaf, event: Event) -> Event | None:
        """The sequencer may put an event only into the chain that it was signed for."""
        scopes = [each.scope for each in leaf.chains]
        foreign_log = event.chain.startswith("log:") and event.chain != f"log:{self._slug}"
        if scopes == [event.chain] and not foreign_log:
            return event
        self._findings.fail(
            CHECK_CHAINS,
            "CHAIN_SCOPE",
            f"leaf {index} stands in {', '.join(scopes)}, its event was signed for {event.chain}",
            index=index,
            scope=event.chain,
        )
        return None

    def _is_repeated(self, index: int, event: Event) -> bool:
        first = self._seen.setdefault(bytes.fromhex(event.event_id.replace("-", "")), index)
        if first != index:
            self._sign_fail(
                "EVENT_DUPLICATE", f"leaf {index} holds the event of leaf {first} again", index=index, first=first
            )
        return first != index

    def _note_spelling(self, index: int, part: str) -> None:
        self._findings.note(
            CHECK,
            "ENTRY_NONCANONICAL",
            f"the {part} of leaf {index} is not canonical JSON; nothing rests on that",
            index=index,
            part=part,
        )

    def _fail(self, code: str, message: str, **locator: Json) -> None:
        self._findings.fail(CHECK, code, message, **locator)

    def _sign_fail(self, code: str, message: str, **locator: Json) -> None:
        self._findings.fail(CHECK_SIGNATURES, code, message, **locator)


def _keyid(public_key: str) -> str | None:
    try:
        return keys.keyid(decode_base64(public_key))
    except FormatError:
        return None
