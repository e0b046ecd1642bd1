"""Leaves: the bytes that the tree hashes, and the place that they give an event."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody import canonical, event, leaf, merkle
from custody.errors import FormatError
from custody.event import Envelope
from custody.keys import Ed25519Signer
from custody.leaf import Chain, Leaf
from tests.custody.strategies import COUNTS, DIGESTS, MILLISECONDS, events

SIGNER = Ed25519Signer(b"\x07" * 32)
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    made = draw(events())
    seq = draw(COUNTS)
    return Leaf(
        log="evidence.example/custody",
        index=draw(COUNTS),
        logged_at=draw(MILLISECONDS),
        chains=(Chain(made.chain, seq, draw(DIGESTS).hex if seq else None),),
        event=event.sign(made, SIGNER),
    )


def example() -> dict[str, Any]:
    envelope = Envelope(b"{}", "a" * 64, b"\0" * 64)
    made = Leaf("evidence.example/custody", 0, AT, (Chain("log:evidence.example_custody", 0, None),), envelope)
    value: dict[str, Any] = json.loads(made.format())
    return value


@given(leaves())
def test_reads_what_it_writes(made: Leaf) -> None:
    assert Leaf.parse(made.format()) == made


@settings(max_examples=20)
@given(leaves())
def test_the_schema_is_what_docs_say(made: Leaf) -> None:
    whole = {**leaf.LEAF, "properties": {**leaf.LEAF["properties"], "event": event.ENVELOPE}}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.validate(json.loads(made.format()), whole)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "ENTRY_SCHEMA"),
        ({"v": True}, "ENTRY_SCHEMA"),
        ({"log": "Evidence of Jane Doe"}, "ENTRY_SCHEMA"),
        ({"log": "evidence.example//custody"}, "ENTRY_SCHEMA"),
        ({"log": "a" * 201}, "ENTRY_SCHEMA"),
        ({"index": -1}, "ENTRY_SCHEMA"),
        ({"logged_at": "2026-03-04T05:06:07Z"}, "ENTRY_SCHEMA"),
        ({"logged_at": "2026-13-04T05:06:07.000Z"}, "ENTRY_SCHEMA"),
        ({"chains": []}, "ENTRY_SCHEMA"),
        ({"chains": [{"scope": "item:jane", "seq": 0, "prev": None}]}, "ENTRY_SCHEMA"),
        ({"chains": [{"scope": "case:1", "seq": 0, "prev": None}]}, "ENTRY_SCHEMA"),
        ({"chains": [{"scope": "log:a", "seq": 1, "prev": None}]}, "ENTRY_SCHEMA"),
        ({"chains": [{"scope": "log:a", "seq": 0, "prev": "a" * 64}]}, "ENTRY_SCHEMA"),
        ({"chains": [{"scope": "log:a", "seq": 0}]}, "ENTRY_SCHEMA"),
        ({"event": {}}, "ENTRY_SCHEMA"),
        ({"event": None}, "ENTRY_SCHEMA"),
        ({"note": "Jane Doe"}, "ENTRY_SCHEMA"),
    ],
)
def test_refuses_a_changed_field(change: dict[str, Any], code: str) -> None:
    assert Leaf.parse(canonical.dumps(example()))
    with pytest.raises(FormatError) as caught:
        Leaf.parse(canonical.dumps({**example(), **change}))
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"v":1,"v":1}', b"[" * 100_000, b"1" * 70_000])
def test_refuses_what_is_no_leaf(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        Leaf.parse(data)
    assert caught.value.code in {"ENTRY_PARSE", "ENTRY_SCHEMA"}


@pytest.mark.parametrize("key", ["v", "log", "index", "logged_at", "chains", "event"])
def test_refuses_a_leaf_without(key: str) -> None:
    value = example()
    del value[key]
    with pytest.raises(FormatError, match=key):
        Leaf.parse(canonical.dumps(value))


def test_no_leaf_is_longer_than_a_bundle_can_hold() -> None:
    # 65,535 bytes is all that a length of two bytes can say.
    chain = Chain("log:a", 0, None)
    with pytest.raises(FormatError, match="at most 65535 bytes"):
        Leaf("a", 0, AT, (chain,), Envelope(b"x" * 49_000, "a" * 64, b"\0" * 64)).format()


def test_the_hash_is_that_of_rfc_6962() -> None:
    assert leaf.leaf_hash(b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert bytes.fromhex(leaf.leaf_hash(b"x")) == merkle.leaf_hash(b"x")
