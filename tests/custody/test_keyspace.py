from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import keyspace
from custody.digest import Digest
from custody.errors import FormatError

LOG = "evidence.example.org/custody/2026a"
AT = "v1/log/evidence.example.org_custody_2026a/"
SEGMENTS = st.tuples(st.sampled_from("a0"), st.text(alphabet="a0.-", max_size=3)).map("".join)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


def test_spells_every_key_as_the_manifest_does() -> None:
    digest = Digest.of(b"")
    assert keyspace.blob(digest) == f"v1/blobs/sha256/e3/{digest.hex}"
    assert keyspace.commit(LOG, 1) == f"{AT}commit/00000000000000000001"
    assert keyspace.checkpoint_at(LOG, 70_000) == f"{AT}checkpoints/00000000000000070000"
    assert keyspace.checkpoint(LOG) == f"{AT}checkpoint"
    assert keyspace.query(LOG, 5, "local") == f"{AT}timestamps/00000000000000000005/local.tsq"
    assert keyspace.token(LOG, 5, "local") == f"{AT}timestamps/00000000000000000005/local.tsr"
    assert keyspace.key_pem(LOG, "ab") == f"{AT}keys/ab.pem"
    assert keyspace.key_vkey(LOG, "ab") == f"{AT}keys/ab.vkey"
    assert keyspace.snapshot(LOG, 4096) == f"{AT}snapshots/00000000000000004096"


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (1_234_067, "x001/x234/067"),  # https://c2sp.org/tlog-tiles, "Merkle Tree"
        (0, "000"),
        (5, "005"),
        (999, "999"),
        (1_000, "x001/000"),
        (999_999, "x999/999"),
        (1_000_000, "x001/x000/000"),
        (1_234_567_890, "x001/x234/x567/890"),
    ],
)
def test_tile_paths_are_those_of_c2sp(index: int, path: str) -> None:
    assert keyspace.tile(LOG, 0, index) == f"{AT}tile/0/{path}"
    assert keyspace.tile(LOG, 2, index, 1) == f"{AT}tile/2/{path}.p/1"
    assert keyspace.entries(LOG, index) == f"{AT}tile/entries/{path}"
    assert keyspace.entries(LOG, index, 255) == f"{AT}tile/entries/{path}.p/255"


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_tile_paths_differ_and_read_back(one: int, other: int) -> None:
    path = keyspace.tile(LOG, 0, one).removeprefix(f"{AT}tile/0/")
    assert int(path.replace("x", "").replace("/", "")) == one
    assert (keyspace.tile(LOG, 0, other) == keyspace.tile(LOG, 0, one)) == (one == other)


@given(st.integers(0, 10**19), st.integers(0, 10**19))
def test_byte_order_of_numbered_keys_is_their_order(one: int, other: int) -> None:
    numbered: list[Callable[[str, int], str]] = [keyspace.commit, keyspace.checkpoint_at, keyspace.snapshot]
    for key in numbered:
        assert (key(LOG, one) < key(LOG, other)) == (one < other)


@given(NAMES, NAMES)
def test_two_names_never_share_a_slug(one: str, other: str) -> None:
    assert (keyspace.slug(one) == keyspace.slug(other)) == (one == other)
    assert "/" not in keyspace.slug(one)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "..",
        "../a",
        "a/../b",
        "A",
        "a_b",
        "a b",
        "a+b",
        "a\n",
        "ä",
        "-a",
        "a" * 201,
        "a/./b",
    ],
)
def test_names_that_could_leave_their_place_are_refused(name: str) -> None:
    with pytest.raises(FormatError, match="log's name"):
        keyspace.slug(name)
