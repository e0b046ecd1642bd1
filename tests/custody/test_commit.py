"""Commits: the objects that alone order the log."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import canonical, keyspace
from custody.commit import MAX_BYTES, MAX_LEAVES, Commit
from custody.digest import Digest
from custody.errors import FormatError
from tests.custody.archive_builder import LOG, small
from tests.custody.strategies import COUNTS, DIGESTS, NONCES, UUIDS


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    n = draw(st.integers(1, 2**53 - 1))
    old = 0 if n == 1 else draw(st.integers(1, 2**52))
    leaves = draw(st.lists(st.binary(max_size=100), min_size=1, max_size=5))
    return Commit(
        n=n,
        prev=None if n == 1 else draw(DIGESTS),
        old=old,
        new=old + len(leaves),
        root=draw(DIGESTS).raw,
        key=draw(DIGESTS).hex,
        by=draw(DIGESTS).hex,
        nonce=draw(NONCES),
        leaves=tuple(leaves),
        events=tuple(draw(UUIDS) for _ in leaves),
    )


def stored() -> list[bytes]:
    source = small().build()
    return [source.objects[key] for key in source.keys(keyspace.log_prefix(LOG) + "commit/")]


def with_header(data: bytes, **change: Any) -> bytes:
    line, _, leaves = data.partition(b"\n")
    return canonical.dumps({**json.loads(line), **change}) + b"\n" + leaves


@given(commits())
def test_reads_what_it_writes(made: Commit) -> None:
    assert Commit.parse(made.format()) == made


def test_the_first_line_is_json_and_lists_the_events_of_the_leaves() -> None:
    data = stored()[0]
    header = json.loads(data.split(b"\n", 1)[0])
    commit = Commit.parse(data)
    assert header["events"] == list(commit.events)
    assert replace(commit, events=()).events == commit.events  # read from the leaves
    assert header["new"] == len(commit.leaves) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"n": 0},
        {"n": 1},
        {"prev": None},
        {"prev": "x"},
        {"old": 0},
        {"new": 99},
        {"root": "00"},
        {"nonce": ""},
        {"events": []},
        {"events": ["jane"]},
        {"note": "Jane Doe"},
    ],
)
def test_refuses_a_changed_header(change: dict[str, Any]) -> None:
    second = stored()[1]
    assert with_header(second) == second
    with pytest.raises(FormatError) as caught:
        Commit.parse(with_header(second, **change))
    assert caught.value.code == "COMMIT_FORMAT"


@pytest.mark.parametrize("cut", [0, 1, 50, -1])
def test_refuses_a_part_of_itself(cut: int) -> None:
    with pytest.raises(FormatError) as caught:
        Commit.parse(stored()[0][:cut])
    assert caught.value.code == "COMMIT_FORMAT"


def test_refuses_more_than_it_may_hold() -> None:
    with pytest.raises(FormatError, match="at most"):
        Commit.parse(b"\n" * (MAX_BYTES + 1))
    with pytest.raises(FormatError, match="first line"):
        Commit.parse(b"x" * (2 << 20))
    uuid = "019cb7a8-1234-7abc-8def-0123456789ab"
    count = MAX_LEAVES + 1
    commit = Commit(
        n=1,
        prev=None,
        old=0,
        new=count,
        root=b"\0" * 32,
        key="a" * 64,
        by="a" * 64,
        nonce="0" * 32,
        leaves=(b"",) * count,
        events=(uuid,) * count,
    )
    with pytest.raises(FormatError, match="elements"):
        commit.format()
    with pytest.raises(FormatError, match="at most"):
        replace(commit, new=300, leaves=(b"x" * 65_535,) * 300, events=(uuid,) * 300).format()


def test_a_commit_follows_the_one_before_it_and_no_other() -> None:
    data = stored()
    first, second, third = (Commit.parse(each) for each in data[:3])
    first.check_follows(None, None)
    second.check_follows(first, Digest.of(data[0]))
    for commit, before, digest in (
        (second, None, None),
        (third, first, Digest.of(data[0])),
        (second, first, Digest.of(data[1])),
        (first, first, Digest.of(data[0])),
    ):
        with pytest.raises(FormatError) as caught:
            commit.check_follows(before, digest)
        assert caught.value.code == "COMMIT_CHAIN"


@given(COUNTS)
def test_the_number_of_leaves_is_the_growth(size: int) -> None:
    if size != 2:
        with pytest.raises(FormatError, match="it needs"):
            Commit(
                n=1,
                prev=None,
                old=0,
                new=size,
                root=b"\0" * 32,
                key="a" * 64,
                by="a" * 64,
                nonce="0" * 32,
                leaves=(b"", b""),
                events=("a", "b"),
            )
