import functools
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import merkle, tiles
from custody.errors import FormatError
from custody.tiles import WIDTH, Bundle, Edge, Tile, TileBuilder, TileReader


@functools.cache
def leaves(count: int) -> tuple[bytes, ...]:
    return tuple(b"leaf %d" % n for n in range(count))


def mth(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, over hashes of leaves."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha256(b"").digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


class Log:
    """What a store would hold: every tile and bundle that was ever written, under its own place."""

    def __init__(self) -> None:
        self.edge = Edge()
        self.tiles: dict[Tile, bytes] = {}
        self.bundles: dict[Bundle, bytes] = {}

    def grow(self, leaves: Sequence[bytes]) -> tiles.Growth:
        growth = self.edge.grow(leaves)
        assert not self.tiles.keys() & dict(growth.tiles).keys(), "a tile is written once"
        assert not self.bundles.keys() & dict(growth.bundles).keys(), "a bundle is written once"
        self.tiles.update(growth.tiles)
        self.bundles.update(growth.bundles)
        self.edge = growth.edge
        return growth

    def tile(self, level: int, index: int, width: int) -> bytes:
        return self.tiles[Tile(level, index, width)]

    def bundle(self, index: int, width: int) -> bytes:
        return self.bundles[Bundle(index, width)]


def grown(*sizes: int) -> Log:
    log = Log()
    for size in sizes:
        log.grow(leaves(sizes[-1])[log.edge.size : size])
    return log


STEPS = st.lists(st.integers(0, 700), min_size=1, max_size=5).map(
    lambda steps: tuple(sum(steps[: n + 1]) for n in range(len(steps)))
)


# https://c2sp.org/tlog-tiles, "Partial Tiles": "a tree of size 70,000 will be represented by 273 full level 0 tiles,
# one partial level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial
# level 2 tile of width 1. Note that a tree of size 256 will be represented by a full level 0 tile and a partial level
# 1 tile of width 1."


def test_the_tiles_of_the_c2sp_examples() -> None:
    assert list(tiles.tiles(70_000)) == [
        *(Tile(0, index, 256) for index in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert list(tiles.tiles(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles.tiles(0)) == []
    assert list(tiles.bundles(70_000)) == [*(Bundle(index, 256) for index in range(273)), Bundle(273, 112)]


def test_every_hash_of_every_tile_is_the_one_that_c2sp_defines() -> None:
    # "the sequence of the following Merkle Tree Hashes": MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l])
    size = 66_000
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves(size)]
    log = grown(size)
    assert sorted(log.tiles) == sorted(tiles.tiles(size))
    assert max(tile.level for tile in log.tiles) == 2
    for tile, data in log.tiles.items():
        span = 256**tile.level
        first = tile.index * 256
        expected = [mth(hashes[(first + i) * span : (first + i + 1) * span]) for i in range(tile.width)]
        assert tiles.decode_tile(data, tile.width) == expected
    assert log.edge.root == mth(hashes)


@given(st.integers(0, 200_000), st.integers(0, 2_000))
def test_what_a_tree_gains_is_what_the_smaller_one_lacks(old: int, more: int) -> None:
    new = old + more
    assert set(tiles.tiles(new, old)) == set(tiles.tiles(new)) - set(tiles.tiles(old))
    assert set(tiles.bundles(new, old)) == set(tiles.bundles(new)) - set(tiles.bundles(old))


@given(STEPS)
def test_growing_writes_exactly_what_the_tree_gains(sizes: tuple[int, ...]) -> None:
    log = Log()
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves(sizes[-1])]
    for size in sizes:
        old = log.edge.size
        growth = log.grow(leaves(sizes[-1])[old:size])
        assert sorted(tile for tile, _ in growth.tiles) == sorted(tiles.tiles(size, old))
        assert [bundle for bundle, _ in growth.bundles] == list(tiles.bundles(size, old))
        assert growth.root == growth.edge.root == mth(hashes[:size])
    for bundle, data in log.bundles.items():
        first = bundle.index * WIDTH
        assert tiles.decode_bundle(data, bundle.width) == list(leaves(sizes[-1])[first : first + bundle.width])
    for tile, data in log.tiles.items():
        if tile.level == 0:
            first = tile.index * WIDTH
            assert data == b"".join(hashes[first : first + tile.width])


@given(STEPS)
def test_steps_do_not_show_in_the_tiles(sizes: tuple[int, ...]) -> None:
    stepwise, at_once = grown(*sizes), grown(sizes[-1])
    assert stepwise.edge == at_once.edge
    assert at_once.tiles.items() <= stepwise.tiles.items()
    assert at_once.bundles.items() <= stepwise.bundles.items()


@given(STEPS)
def test_an_edge_is_read_back_from_what_was_written(sizes: tuple[int, ...]) -> None:
    log = grown(*sizes)
    for size in sizes:
        edge = Edge.read(size, log.tile, log.bundle)
        assert edge.root == mth([merkle.leaf_hash(leaf) for leaf in leaves(sizes[-1])[:size]])
    assert edge == log.edge


def test_growing_leaves_the_old_edge_as_it_was() -> None:
    edge = Edge().grow(leaves(300)).edge
    before = (edge.size, edge.levels, edge.leaves, edge.root)
    one, other = edge.grow([b"one"]), edge.grow([b"other"])  # a slot that was lost is tried again from the same edge
    assert (edge.size, edge.levels, edge.leaves, edge.root) == before
    assert one.root != other.root
    assert edge.grow([]).root == edge.root
    assert (edge.grow([]).tiles, edge.grow([]).bundles) == ((), ())


def test_an_edge_holds_at_most_one_tile_a_level() -> None:
    edge = Edge().grow(leaves(65_535 + 256)).edge
    assert [len(hashes) for hashes in edge.levels] == [255, 0, 1]
    assert len(edge.leaves) == 255


def test_an_edge_of_a_bundle_that_is_not_in_its_tile_is_refused() -> None:
    log = grown(300)
    good = log.bundles[Bundle(1, 44)]
    forged = tiles.encode_bundle([*tiles.decode_bundle(good)[:-1], b"another"])
    assert forged != good
    with pytest.raises(FormatError, match="last bundle") as refusal:
        Edge.read(300, log.tile, lambda _index, _width: forged)
    assert refusal.value.code == "TILE_HASH"


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 600])
def test_every_proof_comes_out_of_tiles(size: int) -> None:
    log = grown(size)
    node = TileReader(size, log.tile)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves(size)]
    root = mth(hashes)
    for index in range(size):
        merkle.check_inclusion(hashes[index], index, size, merkle.inclusion_proof(index, size, node), root)
    for old in range(size + 1):
        merkle.check_consistency(old, size, mth(hashes[:old]), root, merkle.consistency_proof(old, size, node))


def test_proofs_reach_over_three_levels() -> None:
    size = 66_000
    log = grown(size)
    read: list[Tile] = []

    def tile(level: int, index: int, width: int) -> bytes:
        read.append(Tile(level, index, width))
        return log.tile(level, index, width)

    node = TileReader(size, tile)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves(size)]
    for index in (0, 255, 256, 65_535, 65_536, 65_999):
        merkle.check_inclusion(hashes[index], index, size, merkle.inclusion_proof(index, size, node), log.edge.root)
    for old in (1, 255, 256, 65_535, 65_536, 65_999):
        proof = merkle.consistency_proof(old, size, node)
        merkle.check_consistency(old, size, merkle.root(hashes[:old]), log.edge.root, proof)
    assert {each.level for each in read} == {0, 1, 2}
    assert len(read) == len(set(read)), "a tile is read once"
    assert set(read) <= set(tiles.tiles(size))


def test_a_reader_gives_whole_nodes_only() -> None:
    node = TileReader(300, grown(300).tile)
    assert node(8, 0) == merkle.root([merkle.leaf_hash(leaf) for leaf in leaves(256)])
    with pytest.raises(FormatError, match="no whole node"):
        node(8, 1)
    with pytest.raises(FormatError, match="no whole node"):
        node(0, 300)


@given(st.lists(st.integers(0, 600), max_size=6))
def test_a_verifier_rebuilds_every_tile_from_the_leaves(chunks: list[int]) -> None:
    size = sum(chunks)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves(size)]
    builder = TileBuilder()
    rebuilt: list[tuple[Tile, bytes]] = []
    for chunk in chunks:
        rebuilt += builder.append(iter(hashes[builder.size : builder.size + chunk]))
    rebuilt += builder.edge()
    assert dict(rebuilt) == grown(size).tiles
    assert len(rebuilt) == len(set(rebuilt))
    assert builder.root() == mth(hashes)


@given(st.integers(1, 1_500), st.data())
def test_a_flipped_byte_in_a_tile_is_found_where_it_is(size: int, data: st.DataObject) -> None:
    stored = grown(size).tiles
    tile = data.draw(st.sampled_from(sorted(stored)))
    at = data.draw(st.integers(0, len(stored[tile]) - 1))
    stored[tile] = stored[tile][:at] + bytes([stored[tile][at] ^ 1]) + stored[tile][at + 1 :]
    builder = TileBuilder()
    rebuilt = builder.append(merkle.leaf_hash(leaf) for leaf in leaves(size)) + builder.edge()
    assert [found for found, expected in rebuilt if stored[found] != expected] == [tile]


@given(st.lists(st.integers(1, 300), min_size=2, max_size=5))
def test_narrower_tiles_of_earlier_sizes_begin_the_same_bytes(steps: list[int]) -> None:
    log = grown(*(sum(steps[: n + 1]) for n in range(len(steps))))
    widest = {(tile.level, tile.index): data for tile, data in sorted(log.tiles.items())}
    for tile, data in log.tiles.items():
        assert widest[tile.level, tile.index].startswith(data)


@given(st.lists(st.binary(max_size=300), max_size=300))
def test_bundles_read_what_they_write(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == tiles.decode_bundle(data, len(entries)) == entries
    assert len(data) == sum(map(len, entries)) + 2 * len(entries)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=256))
def test_tiles_read_what_they_write(hashes: list[bytes]) -> None:
    assert tiles.decode_tile(tiles.encode_tile(hashes), len(hashes)) == hashes


def test_a_bundle_is_spelled_as_c2sp_says() -> None:
    # "Entry bundles are sequences of big-endian uint16 length-prefixed log entries."
    assert tiles.encode_bundle([b"", b"a", b"b" * 258]) == b"\x00\x00" + b"\x00\x01a" + b"\x01\x02" + b"b" * 258
    longest = b"c" * 65_535
    assert tiles.decode_bundle(tiles.encode_bundle([longest])) == [longest]
    with pytest.raises(FormatError, match="at most 65535 bytes, got 65536"):
        tiles.encode_bundle([longest + b"c"])


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=10), st.data())
def test_a_bundle_that_ends_early_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    whole = tiles.encode_bundle(entries)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(FormatError) as refusal:
        tiles.decode_bundle(cut, len(entries))
    assert refusal.value.code == "BUNDLE_FORMAT"


def test_a_bundle_of_another_width_is_refused() -> None:
    data = tiles.encode_bundle([b"a", b"b"])
    for width in (0, 1, 3):
        with pytest.raises(FormatError, match=f"expected a bundle of {width} leaves, got 2"):
            tiles.decode_bundle(data, width)
    with pytest.raises(FormatError, match="inside its leaf 2"):
        tiles.decode_bundle(data + b"\x00", 2)


@pytest.mark.parametrize("length", [0, 31, 33, 64, 96])
def test_a_tile_of_another_width_is_refused(length: int) -> None:
    with pytest.raises(FormatError, match=f"width 1 has 32 bytes, got {length}") as refusal:
        tiles.decode_tile(bytes(length), 1)
    assert refusal.value.code == "TILE_WIDTH"
