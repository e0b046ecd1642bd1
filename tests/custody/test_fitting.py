"""What is checked quickly is checked as strictly: yes exactly where the slow checker says yes, which says why not."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody import canonical, commit, event, leaf, schema
from custody.errors import FormatError
from custody.event import Envelope, Signature
from custody.fitting import fits
from custody.leaf import Chain, Leaf

SCHEMAS = {
    "statement": event.STATEMENT,
    "envelope": event.ENVELOPE,
    "leaf": leaf.LEAF,
    "commit": commit.HEADER,
    **{name: kind.body for name, kind in schema.KINDS.items()},
}
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**53, 2**53 - 1, 1.0, float("nan"), "", "x", "\n", "ok\n", "2026-02-30T00:00:00.000Z",
    "2026-02-28T00:00:00.000Z", b"x", [], {}, (), [None], {"": None}, {1: 2}, {"v": True}, "0" * 64, "0" * 64 + "\n",
]  # fmt: skip


def fitting(described: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema is meant for."""
    if "anyOf" in described:
        return st.one_of([fitting(each) for each in described["anyOf"]])
    if "const" in described:
        return st.just(described["const"])
    kind = described["type"]
    if kind == "string":
        if "enum" in described:
            return st.sampled_from(described["enum"])
        if described.get("format") == "date-time":
            return st.datetimes(min_value=datetime(1970, 1, 1)).map(  # noqa: DTZ001
                lambda at: at.isoformat(timespec="milliseconds") + "Z"
            )
        return st.from_regex(described["pattern"].replace("(?=.{1,200}$)", ""), fullmatch=True)  # hard to generate
    if kind == "integer":
        return st.integers(described.get("minimum", 0), described.get("maximum", 2**53 - 1))
    if kind == "array":
        least = described.get("minItems", 0)
        return st.lists(fitting(described["items"]), min_size=least, max_size=max(least, 3))
    if kind == "object":
        required = {key: fitting(described["properties"][key]) for key in described.get("required", ())}
        optional = {key: fitting(each) for key, each in described.get("properties", {}).items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    return st.none() if kind == "null" else st.booleans()


def explained(described: Mapping[str, Any], value: Any) -> bool:
    try:
        schema.explain(described, value)
    except FormatError:
        return False
    return True


def mutated(draw: Any, value: Any) -> Any:
    """One thing in it is another."""
    choice = draw(st.integers(0, 3))
    if isinstance(value, dict) and value and choice:
        key = draw(st.sampled_from(sorted(value)))
        if choice == 1:
            return {each: other for each, other in value.items() if each != key}
        if choice == 2:
            return {**value, draw(st.sampled_from(["x", "", key + "_"])): draw(st.sampled_from(ODD))}
        return {**value, key: mutated(draw, value[key])}
    if isinstance(value, list) and value and choice:
        at = draw(st.integers(0, len(value) - 1))
        return (
            [*value[:at], mutated(draw, value[at]), *value[at + 1 :]]
            if choice == 1
            else value * draw(st.integers(0, 70))
        )
    if isinstance(value, str) and choice:
        return draw(st.sampled_from([value + "\n", value[:-1], value + value, "\n" + value, value.upper()]))
    return draw(st.sampled_from(ODD))


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_fast_and_slow_agree(name: str, data: st.DataObject) -> None:
    described = SCHEMAS[name]
    value = data.draw(fitting(described))
    assert fits(described, value) == explained(described, value)
    other = mutated(data.draw, value)
    assert fits(described, other) == explained(described, other)


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_agree_on_what_is_odd(name: str) -> None:
    for value in ODD:
        assert fits(SCHEMAS[name], value) == explained(SCHEMAS[name], value), value


@pytest.mark.parametrize(
    "described",
    [
        schema.open_ended(schema.fields(a=schema.COUNT)),
        {"type": "object", "maxProperties": 2},
        {"type": "object", "propertyNames": {"type": "string", "pattern": "^[a-z]$"}},
        {"type": "object", "additionalProperties": schema.COUNT},
        {"type": "string", "maxLength": 3},
        {"type": "string", "maxLength": 3, "pattern": "^[a-z]*$"},
        {"anyOf": [schema.COUNT, schema.HEX64, {"type": "null"}]},
        {"const": 1},
        {},
    ],
)
def test_they_agree_on_every_word_of_the_language(described: Mapping[str, Any]) -> None:
    more: list[Any] = [
        {"a": 1}, {"a": 1, "b": "x"}, {"a": 1, 2: 3}, {"a": -1}, {"b": 1}, {"a": 1, "b": 2, "c": 3}, {"A": 1}, "abcd",
        "abc", "ABC", 1,
    ]  # fmt: skip
    for value in [*ODD, *more]:
        assert fits(described, value) == explained(described, value), value


@settings(max_examples=50, deadline=None)
@given(
    index=st.integers(0, 2**53 - 1),
    at=st.datetimes(timezones=st.just(UTC)),
    payload=st.binary(min_size=1, max_size=400),
    scopes=st.lists(st.from_regex(schema.CHAIN["pattern"], fullmatch=True), min_size=1, max_size=3),
    seq=st.integers(1, 2**53 - 1),
    sigs=st.lists(st.binary(min_size=1, max_size=64), min_size=1, max_size=8),
)
def test_a_leaf_is_canonical_json(
    *, index: int, at: datetime, payload: bytes, scopes: list[str], seq: int, sigs: list[bytes]
) -> None:
    chains = tuple(Chain(scope, seq, "a" * 64) for scope in scopes[1:])
    first, *others = sigs
    envelope = Envelope(payload, "0" * 64, first, tuple(Signature("1" * 64, each) for each in others))
    made = Leaf("evidence.example/custody", index, at, (Chain(scopes[0], 0, None), *chains), envelope)
    data = made.format()
    assert data == canonical.dumps(canonical.loads(data))
    assert Leaf.parse(data).event == envelope


@pytest.mark.parametrize(
    "changes",
    [
        {"log": 'a","v":2'},
        {"index": -1},
        {"index": True},
        {"index": 2**53},
        {"chains": (Chain('log:a","x', 0, None),)},
        {"chains": (Chain("log:a", 1, 'x"'),)},
        {"chains": ()},
        {"event": Envelope(b"", "0" * 64, b"x")},
        {"event": Envelope(b"x", "0" * 63 + '"', b"x")},
        {"event": Envelope(b"x", "0" * 64, b"")},
    ],
)
def test_no_leaf_is_written_out_of_what_does_not_fit(changes: dict[str, Any]) -> None:
    given_: dict[str, Any] = {
        "log": "a", "index": 0, "logged_at": datetime(2026, 1, 1, tzinfo=UTC), "chains": (Chain("log:a", 0, None),),
        "event": Envelope(b"x", "0" * 64, b"x"),
    }  # fmt: skip
    Leaf(**given_).format()
    with pytest.raises(FormatError):
        Leaf(**{**given_, **changes}).format()
