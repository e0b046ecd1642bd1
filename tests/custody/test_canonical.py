import json
from collections import UserDict, UserList
from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from custody import canonical
from custody.errors import FormatError
from custody.model import Json

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


class Word(StrEnum):
    ONE = "one"


class Number(IntEnum):
    TWO = 2


@given(VALUES)
def test_reads_what_it_writes(value: Any) -> None:
    assert canonical.loads(canonical.dumps(value)) == value


@given(VALUES)
def test_writing_what_was_read_gives_the_same_bytes(value: Any) -> None:
    data = canonical.dumps(value)
    assert canonical.dumps(canonical.loads(data)) == data
    assert json.loads(data) == value
    assert rfc8785.dumps(value) == data


def test_sorts_keys_by_utf_16() -> None:
    # RFC 8785 §3.2.3, its example of property names, in the order it states there
    names = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    data = canonical.dumps(dict.fromkeys(reversed(names)))
    assert list(json.loads(data)) == names


def test_takes_any_mapping_and_sequence_and_enums() -> None:
    value: Json = UserDict({"b": UserList([1, (2,)]), "a": Word.ONE, "c": Number.TWO})
    assert canonical.dumps(value) == b'{"a":"one","b":[1,[2]],"c":2}'


@pytest.mark.parametrize(
    "value",
    [
        1.0, float("nan"), float("inf"), 2**53, -(2**53), b"bytes", bytearray(b"bytes"), {1: "key"}, {"\ud800": 1},
        "\ud800", {1}, object(), [1.5], {"a": {"b": 0.1}},
    ],
)  # fmt: skip
def test_writes_nothing_that_readers_take_apart_differently(value: Any) -> None:
    with pytest.raises(FormatError):
        canonical.dumps(value)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_has_the_same_bound_both_ways() -> None:
    deepest = canonical.dumps(nested(64))
    assert canonical.loads(deepest) == nested(64)
    with pytest.raises(FormatError, match="64 deep"):
        canonical.dumps(nested(65))
    with pytest.raises(FormatError, match="deeper than 64"):
        canonical.loads(b"[" + deepest + b"]")
    with pytest.raises(FormatError, match="deeper than 64"):
        canonical.loads(b'{"a":' * 65 + b"1" + b"}" * 65)
    with pytest.raises(FormatError, match="deeper than 64"):
        canonical.loads(b"[" * 100_000)


def test_many_brackets_are_not_depth() -> None:
    assert canonical.loads(b"[" + b"[],{}," * 100 + b'"[[[{{{"]') == [[], {}] * 100 + ["[[[{{{"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Expecting value"),
        (b"{}{}", "Extra data"),
        (b"{'a':1}", "property name"),
        (b'{"a":1,}', "property name"),
        (b'{"a":1,"b":2,"a":3}', "'a' is there twice"),
        (b'{"a":{"b":1,"b":1}}', "'b' is there twice"),
        (b'{"a":1,"\\u0061":1}', "'a' is there twice"),
        (b"1.0", "integers only"),
        (b"1e2", "integers only"),
        (b"-0.0", "integers only"),
        (b"NaN", "integers only"),
        (b"Infinity", "integers only"),
        (b"-Infinity", "integers only"),
        (b"9007199254740992", "2\\*\\*53-1"),
        (b"-9007199254740992", "2\\*\\*53-1"),
        (b"1" * 5000, "2\\*\\*53-1"),
        (b"01", "Extra data"),
        (b"+1", "Expecting value"),
        (b'"\x00"', "control character"),
        (b'"\n"', "control character"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'{"a":["\\uD83D\\u0041"]}', "surrogate"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'"\\x41"', "escape"),
        (b"// note\n1", "Expecting value"),
        (b"\x0c1", "Expecting value"),
    ],
)
def test_refuses_what_readers_take_apart_differently(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as refusal:
        canonical.loads(data)
    assert refusal.value.code == "ENTRY_PARSE"


def test_takes_whole_surrogate_pairs_and_the_largest_integers() -> None:
    assert canonical.loads(b'["\\ud83d\\ude00",9007199254740991,-9007199254740991]') == ["😀", 2**53 - 1, -(2**53) + 1]


def test_reads_no_more_than_it_is_told_to() -> None:
    assert canonical.loads(b'"abc"', max_bytes=5) == "abc"
    with pytest.raises(FormatError, match="at most 4 bytes, got 5"):
        canonical.loads(b'"abc"', max_bytes=4)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE-\\utrnfalse ', max_size=60).map(str.encode))
def test_whatever_it_takes_python_and_rfc8785_take_alike(data: bytes) -> None:
    try:
        value = canonical.loads(data)
    except FormatError:
        return
    assert json.loads(data) == value
    assert canonical.loads(canonical.dumps(value)) == value
