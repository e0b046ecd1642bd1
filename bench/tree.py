"""A log of 1,000,000 leaves on disk: an inclusion proof from its tiles, the whole tree again from its bundles."""

import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import tell
from custody import keyspace, merkle, tiles
from custody.tiles import Bundle, Tile, TileBuilder, TileReader

LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
LEAF_BYTES = 1_300  # bench.leaves says what real ones have
LOG = "bench.example/log"
PROOFS = 400


def leaves(bundle: Bundle) -> list[bytes]:
    """No two alike, and all as long as real ones."""
    rest = b"x" * (LEAF_BYTES - 16)
    return [b"%016d" % (bundle.index * tiles.WIDTH + at) + rest for at in range(bundle.width)]


def write(folder: Path) -> bytes:
    """The log's tiles and bundles; gives the root."""
    builder = TileBuilder()
    for bundle in tiles.bundles(LEAVES):
        some = leaves(bundle)
        put(folder, keyspace.entries(LOG, bundle.index, bundle.width), tiles.encode_bundle(some))
        for tile, data in builder.append(map(merkle.leaf_hash, some)):
            put(folder, keyspace.tile(LOG, tile.level, tile.index, tile.width), data)
    for tile, data in builder.edge():
        put(folder, keyspace.tile(LOG, tile.level, tile.index, tile.width), data)
    return builder.root()


def put(folder: Path, key: str, data: bytes) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def prove(folder: Path, root: bytes) -> None:
    """Each with a reader of its own, so that no tile is in memory yet; the disk's cache may have it."""
    draw = random.Random(2)  # noqa: S311  # places to look at
    took = []
    proof: list[bytes] = []
    for _ in range(PROOFS):
        index = draw.randrange(LEAVES)
        bundle = Bundle(index // tiles.WIDTH, min(tiles.WIDTH, LEAVES - index // tiles.WIDTH * tiles.WIDTH))
        leaf = merkle.leaf_hash(leaves(bundle)[index % tiles.WIDTH])
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            fetch = TileReader(LEAVES, lambda *tile: (folder / keyspace.tile(LOG, *tile)).read_bytes())
            proof = merkle.inclusion_proof(index, LEAVES, fetch)
            best = min(best, time.process_time() - began)
        took.append(best)
        merkle.check_inclusion(leaf, index, LEAVES, proof, root)
    took.sort()
    tell("inclusion proof from disk, median", took[PROOFS // 2] * 1000, "ms of processor time", at_most=1)
    tell("the slowest of 20", took[PROOFS * 19 // 20] * 1000, "ms of processor time", at_most=1)


def rederive(folder: Path, root: bytes) -> None:
    """What check 4 rests on: bundles to leaves, leaves to hashes, hashes to tiles, held against the stored ones."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, began = time.perf_counter(), time.process_time()
    builder = TileBuilder()
    for bundle in tiles.bundles(LEAVES):
        data = (folder / keyspace.entries(LOG, bundle.index, bundle.width)).read_bytes()
        compare(folder, builder.append(map(merkle.leaf_hash, tiles.decode_bundle(data, bundle.width))))
    compare(folder, builder.edge())
    if builder.root() != root:
        raise SystemExit("another root")
    took, wall = time.process_time() - began, time.perf_counter() - wall
    tell("whole tree from the bundles", LEAVES / took, "leaves/s of processor time", at_least=200_000)
    tell("by the clock on the wall", LEAVES / wall, "leaves/s")
    tell(
        "memory that it took", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, "MiB", at_most=100
    )


def compare(folder: Path, made: list[tuple[Tile, bytes]]) -> None:
    for tile, data in made:
        if (folder / keyspace.tile(LOG, tile.level, tile.index, tile.width)).read_bytes() != data:
            raise SystemExit(f"another {tile}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = write(folder)
        print(f"   {LEAVES:,} leaves of {LEAF_BYTES} bytes, {sum(1 for _ in files(folder)):,} files", flush=True)
        prove(folder, root)
        rederive(folder, root)


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
