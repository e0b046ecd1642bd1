"""Events: what may be said, what is signed, and that nothing about a person can get into a leaf."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # it is in __all__ of its docs alone

from custody import canonical, event, keys, schema
from custody.commit import HEADER
from custody.digest import Digest
from custody.errors import FormatError, SignatureError
from custody.event import Envelope, Event, Subject
from custody.instant import parse_utc
from custody.keys import Ed25519Signer
from custody.leaf import LEAF, Chain, Leaf
from custody.record import RECORD
from tests.custody.archive_builder import Draft, small
from tests.custody.strategies import JSON, events

SIGNER = Ed25519Signer(b"\x07" * 32)
OTHER = Ed25519Signer(b"\x08" * 32)

FORMATS = jsonschema.FormatChecker(formats=())

RUN = "019cb7a8-1234-7abc-8def-0123456789ac"
PERSONAL = (
    "https://www.instagram.com/p/abc/",
    "http://lnk.example/x",
    "@jane.doe",
    "Jane Doe",
    "jane.doe",
    "janedoe",
    "Love bracelet, link in bio",
    "screw bracelet for women",
    "Amazon v. Doe",
    "\N{BLACK HEART SUIT}",
    "",
    "a" * 200,
)
"""URLs, handles, names, case names, free text."""

OPERATORS_OWN = {
    "log.opened": {"$.predicate.body.log", "$.predicate.chain"},
    "key.introduced": {"$.predicate.chain"},
    "key.revoked": {"$.predicate.chain"},
    "trust.changed": {"$.predicate.body.authorities[0]", "$.predicate.chain"},
    "storage.probed": {"$.predicate.chain"},
    "log.timestamped": {"$.predicate.body.authority", "$.predicate.chain"},
    "artifact.archived": {"$.predicate.chain"},
    "event.rejected": {"$.predicate.chain"},
}
"""Where a word of the operator's stands: the log's name and the ids in the trust file. The verifier holds the log's
name, and so these chains, against the trust file; ids of authorities are lower-case ASCII without spaces."""


def example(type_: str) -> Event:
    """Of the type, with every list filled."""
    found = next(iter(_examples(type_)))
    if type_ == "trust.changed":
        return Event(**{**_fields(found), "body": {"authorities": ["tsa-0.example"]}})
    return found


def _fields(of: Event) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__slots__}


def _examples(type_: str) -> Iterator[Event]:
    at, uuid = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "019cb7a8-1234-7abc-8def-0123456789ab"
    kind = schema.KINDS[type_]
    body: dict[str, Any] = {
        "log": "evidence.example/custody",
        "vkey": f"evidence.example/custody+0123abcd+{'A' * 44}",
        "keyid": "a" * 64,
        "role": "worker",
        "public_key": "A" * 43 + "=",
        "valid_from": "2026-03-04T05:06:07.000Z",
        "since": "2026-03-04T05:06:07.000Z",
        "authorities": ["tsa-0.example"],
        "passed": True,
        "bypass": "yes",
        "size": 7,
        "authority": "tsa-0.example",
        "gen_time": "2026-03-04T05:06:07.000Z",
        "serial": "12345",
        "purpose": {"fixity.verified": "asked", "artifact.derived": "redaction"}.get(type_, "case"),
        "method": "download",
        "days": 365,
        "version": 1,
        "promotions": 3,
        "candidates": 59,
        "bytes_sha256": "b" * 64,
        "item": uuid,
        "capture": uuid,
        "before": uuid,
        "compared_with": uuid,
        "changes": 1,
        "other": uuid,
        "other_sha256": "d" * 64,
        "operator": "same",
        "differences": 0,
        "apart_s": 3,
        "rows": 400,
        "files": 2,
        "statement": "differs",
        "kinds": ["link_added"],
        "look_id": uuid,
        "attempt": 1,
        "deadline": "2026-03-04T05:06:07.000Z",
        "status": "failed" if type_ == "capture.failed" else "complete",
        "outcome": "ok",
        "http_status": 200,
        "started_at": "2026-03-04T05:06:07.000Z",
        "ended_at": "2026-03-04T05:06:07.000Z",
        "stage": "visit",
        "format": "wacz-1.1.1",
        "of_sha256": "d" * 64,
        "boxes": [{"x": 1, "y": 2, "width": 3, "height": 4}],
        "first": 1,
        "specimen": True,
        "members_sha256": "c" * 64,
        "reason": {"key.revoked": "rotated", "event.rejected": "EVENT_SIG"}.get(type_, "interrupted"),
        **dict.fromkeys(("captures", "complete", "partial", "lost", "blobs", "bytes", "exhibits", "documents"), 3),
        **dict.fromkeys(("checked", "failed", "members", "removed", "refused", "entries", "looked", "took"), 2),
    }
    for chain in kind.chains:
        yield Event(
            type=type_,
            event_id=uuid,
            salt="0" * 32,
            occurred_at=at,
            run=uuid,
            chain=f"{chain}:{'evidence.example_custody' if chain == 'log' else uuid}",
            anchor=event.Anchor(size=3, token_sha256=Digest("1" * 64)),
            refs=(event.Ref(rel=kind.relation, payload_sha256=Digest("2" * 64)),) if kind.relation else (),
            subjects=(Subject(name=kind.subject, digest=Digest("3" * 64), bytes=12),),
            body={name: body[name] for name in kind.body["properties"]},
        )


def strings(value: Any, path: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Every place in a document that holds text: its path, what holds it, under which key."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        here = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}"
        if isinstance(each, str):
            yield here, value, key
        elif isinstance(each, dict | list):
            yield from strings(each, here)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from objects(each)


def _bodies() -> list[schema.Schema]:
    return [each.body for each in schema.KINDS.values()]


def _is_taken(statement: Any) -> bool:
    try:
        Event.parse(canonical.dumps(statement))
    except FormatError:
        return False
    return True


@given(events())
def test_reads_what_it_writes(made: Event) -> None:
    assert Event.parse(made.format()) == made


@given(events())
def test_an_envelope_reads_what_it_writes(made: Event) -> None:
    envelope = event.cosign(event.sign(made, SIGNER), OTHER)
    assert Envelope.parse(envelope.format()) == envelope
    assert Envelope.parse(envelope.to_json()) == envelope
    assert event.open_event(envelope, SIGNER.public_key) == made
    assert event.open_event(envelope, OTHER.public_key) == made


@pytest.mark.parametrize("type_", sorted(schema.KINDS))
def test_another_dsse_library_takes_the_signature(type_: str) -> None:
    envelope = event.sign(example(type_), SIGNER)
    key = SSlibKey(
        keyid=envelope.keyid, keytype="ed25519", scheme="ed25519", keyval={"public": SIGNER.public_key.hex()}
    )
    other = OtherEnvelope.from_dict(json.loads(envelope.format()))
    assert other.pae() == event.pae(envelope.payload)
    assert envelope.keyid in other.verify([key], 1)


def test_signing_again_gives_the_same_bytes() -> None:
    assert event.sign(example("run.opened"), SIGNER) == event.sign(example("run.opened"), SIGNER)


@pytest.mark.parametrize("type_", sorted(schema.KINDS))
def test_nothing_about_a_person_gets_into_a_leaf(type_: str) -> None:
    for made in _examples(type_):
        payload = made.format()
        accepted = set()
        for path, *_ in strings(json.loads(payload)):
            for text in PERSONAL:
                statement = json.loads(payload)
                _, holder, key = next(each for each in strings(statement) if each[0] == path)
                holder[key] = f"log:{text}" if path == "$.predicate.chain" and made.chain.startswith("log:") else text
                if text == "" and holder[key]:
                    continue
                if _is_taken(statement):
                    accepted.add(path)
        expected = OPERATORS_OWN.get(type_, set())
        if not made.chain.startswith("log:"):
            expected = expected - {"$.predicate.chain"}
        assert accepted == expected


@pytest.mark.parametrize("type_", sorted(schema.KINDS))
def test_no_object_in_a_leaf_has_room_for_another_key(type_: str) -> None:
    payload = example(type_).format()
    count = sum(1 for _ in objects(json.loads(payload)))
    assert count > 4
    for at in range(count):
        statement = json.loads(payload)
        list(objects(statement))[at]["note"] = "Jane Doe"
        with pytest.raises(FormatError) as caught:
            Event.parse(canonical.dumps(statement))
        assert caught.value.code == "ENTRY_SCHEMA"


@pytest.mark.parametrize("type_", sorted(schema.KINDS))
def test_a_writer_cannot_say_it_either(type_: str) -> None:
    made = example(type_)
    for changed in (
        {"event_id": "Jane Doe"},
        {"salt": "Jane Doe"},
        {"chain": "item:jane.doe"},
        {"subjects": (Subject(name="jane-doe.json", digest=Digest("3" * 64), bytes=1),)},
        {"subjects": ()},
        {"subjects": made.subjects * 2},
        {"body": {**made.body, "note": "Jane Doe"}},
        {"refs": (*made.refs, event.Ref(rel="about", payload_sha256=Digest("2" * 64)))},
        {"type": "jane.doe"},
        {"run": "Jane Doe"},
        {"chain": f"run:{RUN}" if made.chain.startswith(("log:", "work:")) else f"work:{RUN}"},
        {"chain": f"run:{RUN}", "run": None},
    ):
        with pytest.raises(FormatError) as caught:
            event.sign(Event(**{**_fields(made), **changed}), SIGNER)
        assert caught.value.code == "ENTRY_SCHEMA"


@FORMATS.checks("date-time", raises=FormatError)
def _is_instant(value: Any) -> bool:
    return not isinstance(value, str) or parse_utc(value) is not None


@settings(max_examples=150)
@given(made=events(), data=st.data())
def test_the_checker_and_jsonschema_agree(made: Event, data: st.DataObject) -> None:
    statement: Any = json.loads(made.format())
    places = [*objects(statement)]
    holder = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        key = data.draw(st.sampled_from([*holder, "more"]))
        holder[key] = data.draw(JSON | st.sampled_from(["2026-02-31T00:00:00.000Z", "a" * 64, 2**53, -1, True, []]))
    body = places[-1]
    for value, against in ((statement, event.STATEMENT), (body, schema.KINDS[made.type].body)):
        if "\\n" in json.dumps(value):
            continue  # "$" in Python lets a newline follow; JSON Schema's, and ours, does not
        ours = True
        try:
            schema.check(against, value)
        except FormatError:
            ours = False
        assert ours == jsonschema.Draft202012Validator(against, format_checker=FORMATS).is_valid(value)


@pytest.mark.parametrize("against", [event.STATEMENT, event.ENVELOPE, *_bodies()])
def test_the_schemas_are_json_schemas(against: schema.Schema) -> None:
    jsonschema.Draft202012Validator.check_schema(against)


@pytest.mark.parametrize("of", [event.STATEMENT, event.ENVELOPE, LEAF, HEADER, RECORD, *_bodies()])
def test_the_checker_knows_every_word_in_the_schemas(of: schema.Schema) -> None:
    def words(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part
            for word, each in part.items():
                yield from words(list(each.values()) if word == "properties" else each)
        elif isinstance(part, list):
            for each in part:
                yield from words(each)

    assert set(words(of)) <= schema.KEYWORDS


def test_a_pattern_does_not_let_a_newline_follow() -> None:
    with pytest.raises(FormatError):
        schema.check(schema.HEX64, "a" * 64 + "\n")


def test_a_boolean_is_not_a_number() -> None:
    with pytest.raises(FormatError, match="expected integer, got bool"):
        schema.check(schema.COUNT, True)
    with pytest.raises(FormatError):
        schema.check(schema.constant(1), True)


def test_an_instant_must_exist() -> None:
    with pytest.raises(FormatError, match="no such instant"):
        schema.check(schema.UTC, "2026-02-31T00:00:00.000Z")


def test_the_signature_is_looked_at_before_the_payload() -> None:
    envelope = Envelope(b"{not json", SIGNER.public_key.hex(), b"\0" * 64)
    with pytest.raises(SignatureError):
        event.open_event(Envelope(envelope.payload, keys.keyid(SIGNER.public_key), b"\0" * 64), SIGNER.public_key)
    signed = Envelope(b"{not json", keys.keyid(SIGNER.public_key), SIGNER.sign(event.pae(b"{not json")))
    with pytest.raises(FormatError) as caught:
        event.open_event(signed, SIGNER.public_key)
    assert caught.value.code == "ENTRY_PARSE"


def test_another_key_does_not_do() -> None:
    with pytest.raises(SignatureError, match="expected a signature by key"):
        event.open_event(event.sign(example("run.opened"), OTHER), SIGNER.public_key)


@pytest.mark.parametrize("at", [0, 10, 400, -1])
def test_one_bit_of_the_payload_breaks_the_signature(at: int) -> None:
    envelope = event.sign(example("capture.completed"), SIGNER)
    payload = bytearray(envelope.payload)
    payload[at] ^= 1
    with pytest.raises(SignatureError):
        event.open_event(Envelope(bytes(payload), envelope.keyid, envelope.sig), SIGNER.public_key)


def test_what_is_signed_stays_below_what_a_key_service_takes() -> None:
    assert len(event.pae(b"x" * 4050)) <= event.MAX_PAE_BYTES
    with pytest.raises(FormatError, match="at most 4096 bytes"):
        event.pae(b"x" * 4096)
    with pytest.raises(SignatureError):
        event.check_signature(Envelope(b"x" * 5000, keys.keyid(SIGNER.public_key), b"\0" * 64), SIGNER.public_key)


def test_a_type_that_is_not_known_can_be_read_and_not_written() -> None:
    statement = json.loads(example("case.opened").format())
    statement["predicateType"] = f"{event.NAMESPACE}custody/case.opened/v2"
    statement["predicate"]["body"] = {"colour": "blue"}
    read = Event.parse(canonical.dumps(statement))
    assert (read.type, read.kind) == ("case.opened/v2", None)
    with pytest.raises(FormatError, match="no event of type"):
        event.sign(read, SIGNER)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"a":1,"a":2}', "ENTRY_PARSE"),
        (b"[1.5]", "ENTRY_PARSE"),
        (b"\xff", "ENTRY_PARSE"),
        (b"{}", "ENTRY_SCHEMA"),
        (b"null", "ENTRY_SCHEMA"),
        (b" " * 5000, "ENTRY_PARSE"),
    ],
)
def test_refuses(payload: bytes, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        Event.parse(payload)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"payload": "e30"},
        {"payload": "e30=\n"},
        {"payload": "e31="},
        {"payloadType": "application/json"},
        {"signatures": []},
        {"signatures": [{"keyid": "a" * 64, "sig": "!"}]},
        {"signatures": [{"keyid": "jane", "sig": "e30="}]},
        {"more": 1},
    ],
)
def test_an_envelope_has_one_spelling(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "payload": "e30=",
        "payloadType": event.PAYLOAD_TYPE,
        "signatures": [{"keyid": "a" * 64, "sig": "e30="}],
    }
    assert Envelope.parse(good).payload == b"{}"
    with pytest.raises(FormatError) as caught:
        Envelope.parse({**good, **change})
    assert caught.value.code == "ENTRY_SCHEMA"


def test_the_id_can_be_had_without_a_key() -> None:
    made = example("run.opened")
    assert event.event_id_of(made.format()) == made.event_id


def test_leaves_of_captures_are_small() -> None:
    builder = small()
    builder.anchored = event.Anchor(size=123_456, token_sha256=Digest("1" * 64))
    capture = builder.capture(builder.open_run())
    assert capture.ended is not None
    for draft in (capture.started, capture.ended):
        assert len(_leaf(draft).format()) <= 1750


def _leaf(draft: Draft) -> Leaf:
    chain = Chain(draft.chain, 3, "c" * 64)
    return Leaf("evidence.example/custody", 1_234_567, datetime(2026, 3, 4, tzinfo=UTC), (chain,), draft.make())
