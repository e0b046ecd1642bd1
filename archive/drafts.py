"""Draft files: events that need more signatures than one machine can give, on their way from holder to holder.

A file holds the payloads, the signatures so far, and every blob that the events name, so that each holder can read what
is signed. It is JSON of at most 4 MiB; nothing in it is believed before the log's own rules are held against it.
"""

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from archive import disk
from archive.errors import UsageError
from custody import canonical, keys
from custody.digest import Digest
from custody.errors import CustodyError, FormatError, SignatureError
from custody.event import MAX_SIGNATURES, Envelope, Event, Signature, check_signature, pae
from custody.keys import Signer
from custody.model import Json
from custody.note import decode_base64
from custody.trust import Trust

KIND = "counterproof draft"
MAX_BYTES = 4 * 1024 * 1024
_FIELDS = frozenset({"schema", "kind", "log", "events", "blobs"})


@dataclass(frozen=True, slots=True)
class Proposed:
    """An event and the signatures that it has so far, perhaps none."""

    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def of(cls, event: Event | Envelope) -> Self:
        if isinstance(event, Envelope):
            return cls(event.payload, event.signatures)
        return cls(event.format())

    @property
    def event(self) -> Event:
        return Event.parse(self.payload)

    @property
    def payload_sha256(self) -> Digest:
        """What holders compare by telephone."""
        return Digest.of(self.payload)

    @property
    def keyids(self) -> tuple[str, ...]:
        return tuple(each.keyid for each in self.signatures)

    def signed_by(self, signer: Signer) -> Self:
        """With one signature more; as it is when this key has signed already."""
        keyid = keys.keyid(signer.public_key)
        if keyid in self.keyids:
            return self
        if len(self.signatures) >= MAX_SIGNATURES:
            raise UsageError(f"an event has at most {MAX_SIGNATURES} signatures, and this has them: submit it")
        return replace(self, signatures=(*self.signatures, Signature(keyid, signer.sign(pae(self.payload)))))

    def envelope(self) -> Envelope:
        if not self.signatures:
            raise UsageError("nobody has signed this yet: run `counterproof keys cosign` with a key that may")
        first, *others = self.signatures
        return Envelope(self.payload, first.keyid, first.sig, tuple(others))

    def merged(self, other: "Proposed") -> Self:
        """With the signatures of both."""
        new = [each for each in other.signatures if each.keyid not in self.keyids]
        return replace(self, signatures=(*self.signatures, *new))


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftFile:
    """Events that go into the log together, in this order."""

    log: str
    events: tuple[Proposed, ...]
    blobs: Mapping[Digest, bytes]

    def signed_by(self, signer: Signer) -> Self:
        return replace(self, events=tuple(each.signed_by(signer) for each in self.events))

    def merged(self, other: "DraftFile") -> Self:
        if (self.log, [each.payload for each in self.events]) != (other.log, [each.payload for each in other.events]):
            raise UsageError("these files hold different drafts: give copies of one that different people have signed")
        return replace(
            self, events=tuple(mine.merged(theirs) for mine, theirs in zip(self.events, other.events, strict=True))
        )

    def format(self) -> bytes:
        value: dict[str, Json] = {
            "schema": 1,
            "kind": KIND,
            "log": self.log,
            "events": [
                {
                    "payload": base64.b64encode(each.payload).decode(),
                    "signatures": [
                        {"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode()} for one in each.signatures
                    ],
                }
                for each in self.events
            ],
            "blobs": [
                base64.b64encode(each).decode() for _, each in sorted(self.blobs.items(), key=lambda of: of[0].hex)
            ],
        }
        return canonical.dumps(value) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``FormatError``. Every event is one that the log could take, and every blob that it names is there."""
        top: Any = canonical.loads(data, max_bytes=MAX_BYTES)
        if not isinstance(top, dict) or top.keys() != _FIELDS or (top["schema"], top["kind"]) != (1, KIND):
            raise FormatError(f"this is no file of the kind {KIND!r}, or one of a later version")
        if not isinstance(top["log"], str) or not isinstance(top["events"], list) or not isinstance(top["blobs"], list):
            raise FormatError(f"a {KIND} has a log, events and blobs")
        blobs = [decode_base64(_text(each)) for each in top["blobs"]]
        draft = cls(
            log=top["log"],
            events=tuple(_proposed(each) for each in top["events"]),
            blobs={Digest.of(each): each for each in blobs},
        )
        if not draft.events:
            raise FormatError(f"a {KIND} has at least one event")
        for each in draft.events:
            for subject in each.event.subjects:
                if len(draft.blobs.get(subject.digest, b"")) != subject.bytes:
                    raise FormatError(f"the draft lacks {subject.name}, on which {each.event.type} rests")
        return draft


def write_draft(
    path: Path, events: Event | Envelope | Sequence[Event | Envelope | Proposed], blobs: Iterable[bytes], *, log: str
) -> DraftFile:
    """To a new file. Raises ``UsageError`` where something has that name already."""
    some = [events] if isinstance(events, (Event, Envelope)) else events
    proposed = tuple(each if isinstance(each, Proposed) else Proposed.of(each) for each in some)
    draft = DraftFile(log=log, events=proposed, blobs={Digest.of(each): each for each in blobs})
    DraftFile.parse(draft.format())
    if path.exists():
        raise UsageError(f"{path} is there already: name another file, or take that one away")
    save_draft(path, draft)
    return draft


def save_draft(path: Path, draft: DraftFile) -> None:
    """In place of what was there. Only its owner can read it: a draft says in words what the log does not."""
    disk.replace_file(path, draft.format())


def read_draft(path: Path) -> DraftFile:
    """Raises ``UsageError`` for what is no draft."""
    try:
        with path.open("rb") as file:
            return DraftFile.parse(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): name a draft that was written with --out"
        ) from error
    except CustodyError as error:
        raise UsageError(f"{path} cannot be used ({error}): ask for a new copy") from error


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose signatures count, of those whose word an event needs."""

    needed: int
    by: tuple[str, ...]
    """Ids of their keys."""

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.by))


def signed(
    event: Proposed | Envelope, trust: Trust, *, people: Mapping[str, bytes] | None = None, at_best: bool = False
) -> Signed:
    """``people``: the keys that the log has introduced for a person and not revoked, by id.

    A signature that does not hold is not counted. ``at_best``: for whoever has the trust file alone, a key that it does
    not name might be a person's, and is counted as one where people's word is taken.
    """
    proposed = Proposed.of(event) if isinstance(event, Envelope) else event
    kind = proposed.event.kind
    by = "worker" if kind is None else kind.by
    known = {keys.keyid(key): key for key in trust.root_keys}
    if by in {"person", "people"}:
        known |= people or {}
    if by == "worker" or not proposed.signatures:
        good: tuple[str, ...] = proposed.keyids if by == "worker" else ()
    else:
        envelope = proposed.envelope()
        may_be = by != "root" and at_best
        good = tuple(
            each
            for each in dict.fromkeys(proposed.keyids)
            if (_holds(envelope, known[each]) if each in known else may_be)
        )
    needed = {"root": trust.root_threshold, "people": trust.people_threshold}.get(by, 1)
    return Signed(needed, good)


def needs_more(event: Proposed | Envelope, trust: Trust, *, people: Mapping[str, bytes] | None = None) -> int:
    """How many signatures it still lacks."""
    return signed(event, trust, people=people).missing


def may_sign(event: Event, keyid: str, trust: Trust, *, people: Collection[str] | None = None) -> bool:
    """Whether this key's signature would count. ``people`` None: nobody has looked into the log, so it might."""
    by = "worker" if event.kind is None else event.kind.by
    if keyid in {keys.keyid(key) for key in trust.root_keys}:
        return True
    return by != "root" and (people is None or keyid in people)


def _holds(envelope: Envelope, public_key: bytes) -> bool:
    try:
        check_signature(envelope, public_key)
    except SignatureError:
        return False
    return True


def _proposed(value: Any) -> Proposed:
    if (
        not isinstance(value, dict)
        or value.keys() != {"payload", "signatures"}
        or not isinstance(value["signatures"], list)
    ):
        raise FormatError(f"an event of a {KIND} has a payload and signatures")
    signatures = []
    for each in value["signatures"]:
        if not isinstance(each, dict) or each.keys() != {"keyid", "sig"}:
            raise FormatError("a signature has a keyid and a sig")
        sig = decode_base64(_text(each["sig"]))
        signatures.append(Signature(Digest(_text(each["keyid"])).hex, sig))
    if len({each.keyid for each in signatures}) != len(signatures) or len(signatures) > MAX_SIGNATURES:
        raise FormatError(f"an event has at most {MAX_SIGNATURES} signatures, by different keys")
    proposed = Proposed(decode_base64(_text(value["payload"])), tuple(signatures))
    event = proposed.event
    if event.kind is None:
        raise FormatError(f"{event.type} is of a later version: nobody can say here what it means")
    if event.type == "key.introduced":
        public_key = decode_base64(str(event.body["public_key"]))
        if (keys.keyid(public_key), Digest.of(keys.pem(public_key))) != (event.body["keyid"], event.subjects[0].digest):
            raise FormatError(f"it shows another key than the one that it introduces as {event.body['keyid']}")
    return proposed


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FormatError(f"expected text, got {type(value).__name__}")
    return value
