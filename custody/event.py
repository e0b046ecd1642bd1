"""Custody events: an in-toto Statement in a DSSE envelope, signed with Ed25519.

https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md and https://in-toto.io/Statement/v1. What is signed
is a byte string; whoever verifies never has to write it again.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, cast

from custody import canonical, keys, schema
from custody.digest import Digest
from custody.errors import FormatError, SignatureError
from custody.instant import format_utc, parse_utc
from custody.keys import Signer
from custody.model import Json
from custody.note import decode_base64

NAMESPACE = "https://counterproof.example/"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_PAE_BYTES = 4096  # AWS KMS signs no longer message with ECC_NIST_EDWARDS25519
MAX_SIGNATURES = 8

_PREDICATE_TYPE = re.compile(re.escape(f"{NAMESPACE}custody/") + f"({schema.TYPE_PATTERN})")

_SUBJECT = schema.fields(
    name={"type": "string", "pattern": "^[A-Za-z0-9._-]{1,120}$"},
    digest=schema.fields(sha256=schema.HEX64),
    annotations=schema.fields(bytes=schema.COUNT),
)
STATEMENT = schema.fields(
    _type=schema.constant(STATEMENT_TYPE),
    subject=schema.array(_SUBJECT, 1, 64),
    predicateType={"type": "string", "pattern": f"^{_PREDICATE_TYPE.pattern}$"},
    predicate=schema.fields(
        event_id=schema.UUID7,
        salt=schema.NONCE,
        occurred_at=schema.UTC,
        run=schema.nullable(schema.UUID7),
        chain=schema.CHAIN,
        anchor=schema.nullable(schema.fields(size=schema.COUNT, token_sha256=schema.HEX64)),
        refs=schema.array(schema.fields(rel=schema.enum(*schema.RELATIONS), payload_sha256=schema.HEX64), 0, 32),
        body={"type": "object"},
    ),
)
"""The part that all types share; ``schema.KINDS`` says what each adds."""
ENVELOPE = schema.fields(
    payload=schema.BASE64,
    payloadType=schema.constant(PAYLOAD_TYPE),
    signatures=schema.array(schema.fields(keyid=schema.HEX64, sig=schema.BASE64), 1, MAX_SIGNATURES),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """The newest token that the event's producer had seen: the event is not older than it."""

    size: int
    """Of the tree whose checkpoint the token stamps."""
    token_sha256: Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """Another event, by the SHA-256 of its payload, which is known at signing."""

    rel: str
    payload_sha256: Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A stored blob that the event is about."""

    name: str
    digest: Digest
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What was done, when, under which run; where and by whom lies in the blob that it names."""

    type: str
    """``capture.completed``; of an unknown version ``capture.completed/v2``."""
    event_id: str
    salt: str
    """32 random hex digits, so that a leaf's hash tells nothing about what is in it."""
    occurred_at: datetime
    run: str | None
    chain: str
    """``item:<unit>``, ``scope:<id>``, ``run:<id>``, ``log:<slug>`` or ``work:<id>``."""
    anchor: Anchor | None = None
    refs: tuple[Ref, ...] = ()
    subjects: tuple[Subject, ...]
    body: Mapping[str, Json]

    @property
    def kind(self) -> schema.Kind | None:
        """None for a type that this version does not know."""
        return schema.KINDS.get(self.type)

    def format(self) -> bytes:
        """The payload. ``FormatError`` (``ENTRY_SCHEMA``) for anything that has no place in a leaf."""
        if self.kind is None:
            raise FormatError(f"there is no event of type {self.type[:80]!r}", code="ENTRY_SCHEMA")
        statement = self._statement()
        schema.check(STATEMENT, statement)
        _check_kind(statement, self.type)
        return canonical.dumps(statement)

    def _statement(self) -> dict[str, Json]:
        return {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": each.name, "digest": {"sha256": each.digest.hex}, "annotations": {"bytes": each.bytes}}
                for each in self.subjects
            ],
            "predicateType": f"{NAMESPACE}custody/{self.type}/v1",
            "predicate": {
                "event_id": self.event_id,
                "salt": self.salt,
                "occurred_at": format_utc(self.occurred_at),
                "run": self.run,
                "chain": self.chain,
                "anchor": None
                if self.anchor is None
                else {"size": self.anchor.size, "token_sha256": self.anchor.token_sha256.hex},
                "refs": [{"rel": each.rel, "payload_sha256": each.payload_sha256.hex} for each in self.refs],
                "body": dict(self.body),
            },
        }

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read a payload whose signature holds. ``FormatError`` with code ``ENTRY_PARSE`` or ``ENTRY_SCHEMA``."""
        return cls.of(Statement.parse(payload))

    @classmethod
    def of(cls, parsed: "Statement") -> Self:
        """What was parsed already, as soon as its signature holds. ``FormatError`` with code ``ENTRY_SCHEMA``."""
        statement: Any = parsed.value
        match = _PREDICATE_TYPE.fullmatch(statement["predicateType"])
        type_ = (match[1] if match else "").removesuffix("/v1")
        _check_kind(statement, type_)
        predicate = statement["predicate"]
        anchor = predicate["anchor"]
        return cls(
            type=type_,
            event_id=predicate["event_id"],
            salt=predicate["salt"],
            occurred_at=parse_utc(predicate["occurred_at"]),
            run=predicate["run"],
            chain=predicate["chain"],
            anchor=anchor and Anchor(size=anchor["size"], token_sha256=Digest(anchor["token_sha256"])),
            refs=tuple(
                Ref(rel=each["rel"], payload_sha256=Digest(each["payload_sha256"])) for each in predicate["refs"]
            ),
            subjects=tuple(
                Subject(name=each["name"], digest=Digest(each["digest"]["sha256"]), bytes=each["annotations"]["bytes"])
                for each in statement["subject"]
            ),
            body=predicate["body"],
        )


def _check_kind(statement: Mapping[str, Any], type_: str) -> None:
    """What the type asks for, and what a schema cannot say."""
    kind = schema.KINDS.get(type_)
    if kind is None:
        return
    predicate = statement["predicate"]
    schema.check(kind.body, predicate["body"], "$.predicate.body")
    names = [each["name"] for each in statement["subject"]]
    if names != [kind.subject]:
        raise _refused("$.subject", f"{type_} has one subject, {kind.subject}", ", ".join(names))
    chain_kind, _, chain_id = predicate["chain"].partition(":")
    if chain_kind not in kind.chains:
        raise _refused("$.predicate.chain", f"{type_} stands in a chain of {' or '.join(kind.chains)}", chain_kind)
    if chain_kind == "run" and predicate["run"] != chain_id:
        raise _refused("$.predicate.run", f"the run of its chain, {chain_id}", str(predicate["run"]))
    relations = [each["rel"] for each in predicate["refs"]]
    wanted = [kind.relation] if kind.relation else []
    if relations != wanted:
        raise _refused("$.predicate.refs", f"{type_} refers to {wanted or 'nothing'}", str(relations))


def _refused(path: str, expected: str, got: str) -> FormatError:
    return FormatError(f"{path}: expected that {expected}, got {got[:80]}", code="ENTRY_SCHEMA")


@dataclass(frozen=True, slots=True)
class Statement:
    """A payload as JSON that has the shape all types share. Nothing in it is to be believed before the signature is."""

    value: Mapping[str, Any]

    @property
    def event_id(self) -> str:
        return cast("str", self.value["predicate"]["event_id"])

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        statement: Any = canonical.loads(payload, max_bytes=MAX_PAE_BYTES)
        schema.check(STATEMENT, statement)
        return cls(statement)


@dataclass(frozen=True, slots=True)
class Signature:
    keyid: str
    """SHA-256 of the raw public key: a hint, as in DSSE; the key itself must be known from elsewhere."""
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed payload. Nothing about it has been checked."""

    payload: bytes
    keyid: str
    sig: bytes
    cosignatures: tuple[Signature, ...] = ()
    """Of further signers, where a threshold above 1 asks for them."""

    @property
    def signatures(self) -> tuple[Signature, ...]:
        return (Signature(self.keyid, self.sig), *self.cosignatures)

    @property
    def payload_sha256(self) -> Digest:
        """By which other events refer to this one."""
        return Digest.of(self.payload)

    def to_json(self) -> dict[str, Json]:
        """The DSSE object, as it stands in a leaf."""
        return {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": each.keyid, "sig": base64.b64encode(each.sig).decode()} for each in self.signatures
            ],
        }

    def format(self) -> bytes:
        return canonical.dumps(self.to_json())

    @classmethod
    def parse(cls, value: Json | bytes) -> Self:
        """Read what ``format`` or ``to_json`` gave. ``FormatError`` with code ``ENTRY_PARSE`` or ``ENTRY_SCHEMA``."""
        fields: Any = canonical.loads(value) if isinstance(value, bytes) else value
        schema.check(ENVELOPE, fields, "$.event")
        try:
            payload = decode_base64(fields["payload"])
            signatures = [Signature(each["keyid"], decode_base64(each["sig"])) for each in fields["signatures"]]
        except FormatError as error:
            raise FormatError(f"$.event: {error}", code="ENTRY_SCHEMA") from error
        first, *others = signatures
        return cls(payload, first.keyid, first.sig, tuple(others))


def pae(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding. ``FormatError`` beyond 4,096 bytes."""
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    if len(message) > MAX_PAE_BYTES:
        raise FormatError(
            f"an event has at most {MAX_PAE_BYTES} bytes to sign, got {len(message)}; put what is long into a blob",
            code="ENTRY_SCHEMA",
        )
    return message


def sign(event: Event, signer: Signer) -> Envelope:
    """Ed25519 signs alike every time: after a crash the same event gives the same bytes."""
    payload = event.format()
    return Envelope(payload, keys.keyid(signer.public_key), signer.sign(pae(payload)))


def cosign(envelope: Envelope, signer: Signer) -> Envelope:
    """The same event with one signature more."""
    signature = Signature(keys.keyid(signer.public_key), signer.sign(pae(envelope.payload)))
    return replace(envelope, cosignatures=(*envelope.cosignatures, signature))


def check_signature(envelope: Envelope, public_key: bytes) -> None:
    """Return if this key signed, or raise ``SignatureError``."""
    keyid = keys.keyid(public_key)
    claims = [each for each in envelope.signatures if each.keyid == keyid]
    if not claims:
        raise SignatureError(f"expected a signature by key {keyid}, got one by {envelope.keyid[:64]}")
    try:
        message = pae(envelope.payload)
    except FormatError as error:
        raise SignatureError(str(error)) from error
    for each in claims:
        keys.verify(public_key, message, each.sig)


def open_event(envelope: Envelope, public_key: bytes) -> Event:
    """Verified over the payload's bytes first, parsed only then. ``SignatureError``, then ``FormatError``."""
    check_signature(envelope, public_key)
    return Event.parse(envelope.payload)


def event_id_of(payload: bytes) -> str:
    """The id inside a payload that has not been verified: good for an index, not for belief."""
    return Statement.parse(payload).event_id
