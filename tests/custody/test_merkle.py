import time
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import merkle
from custody.errors import ProofError
from custody.merkle import EMPTY_ROOT, Fetch, Frontier

# Leaves, roots and proofs of the Certificate Transparency reference implementation
# (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc), as transparency-dev/merkle carries them on
# (testonly/constants.go, proof/verify_test.go; Apache-2.0). Proofs there count leaves from 1, here from 0.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (0, 1): [],
}
CT_CONSISTENCY = {
    (1, 1): [],
    (1, 8): CT_INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


# RFC 6962 §2.1 word for word, slow and recursive: D is a list of leaves, D[k1:k2] its slices.


def split(n: int) -> int:
    """k, the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    n = len(d)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(n)
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    n = len(d)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    return subproof(m, d, whole=True)


def subproof(m: int, d: Sequence[bytes], *, whole: bool) -> list[bytes]:
    n = len(d)
    if m == n:
        return [] if whole else [mth(d)]
    k = split(n)
    if m <= k:
        return [*subproof(m, d[:k], whole=whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], whole=False), mth(d[:k])]


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % n for n in range(count)]


def fetcher(d: Sequence[bytes]) -> Fetch:
    @cache
    def fetch(level: int, index: int) -> bytes:
        begin, end = index << level, index + 1 << level
        assert end <= len(d), "asked for a node that is not whole"
        return mth(d[begin:end])

    return fetch


def flipped(data: bytes, bit: int = 0) -> bytes:
    return bytes([data[0] ^ 1 << bit]) + data[1:]


def test_published_roots() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in CT_LEAVES]
    frontier = Frontier()
    for size, expected in enumerate(CT_ROOTS):
        assert merkle.root(hashes[:size]).hex() == expected
        assert frontier.root().hex() == expected
        assert mth(CT_LEAVES[:size]).hex() == expected
        if size < len(hashes):
            frontier.append(hashes[size])
    assert CT_ROOTS[0] == EMPTY_ROOT.hex()


@pytest.mark.parametrize(("index", "size"), CT_INCLUSION)
def test_published_inclusion_proofs(index: int, size: int) -> None:
    hashes = [bytes.fromhex(each) for each in CT_INCLUSION[index, size]]
    assert merkle.inclusion_proof(index, size, fetcher(CT_LEAVES)) == hashes
    leaf = merkle.leaf_hash(CT_LEAVES[index])
    merkle.check_inclusion(leaf, index, size, hashes, bytes.fromhex(CT_ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CT_CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int) -> None:
    hashes = [bytes.fromhex(each) for each in CT_CONSISTENCY[old, new]]
    assert merkle.consistency_proof(old, new, fetcher(CT_LEAVES)) == hashes
    merkle.check_consistency(old, new, bytes.fromhex(CT_ROOTS[old]), bytes.fromhex(CT_ROOTS[new]), hashes)


def test_every_proof_of_small_trees_is_the_one_of_the_rfc() -> None:
    everything = leaves(40)
    roots = [mth(everything[:size]) for size in range(41)]
    for size in range(1, 41):
        d = everything[:size]
        fetch = fetcher(d)
        for index in range(size):
            expected = path(index, d)
            assert merkle.inclusion_proof(index, size, fetch) == expected
            merkle.check_inclusion(merkle.leaf_hash(d[index]), index, size, expected, roots[size])
        for old in range(1, size + 1):
            expected = proof(old, d)
            assert merkle.consistency_proof(old, size, fetch) == expected
            merkle.check_consistency(old, size, roots[old], roots[size], expected)
        assert merkle.consistency_proof(0, size, fetch) == []
        merkle.check_consistency(0, size, EMPTY_ROOT, roots[size], [])


def test_small_trees_refuse_every_damaged_inclusion_proof() -> None:
    for size in range(1, 18):
        d = leaves(size)
        root = mth(d)
        for index in range(size):
            leaf, good = merkle.leaf_hash(d[index]), path(index, d)
            merkle.check_inclusion(leaf, index, size, good, root)
            bad = [
                (flipped(leaf), index, good, root),
                (leaf, index, good, flipped(root)),
                (leaf, index, [*good, root], root),
                (leaf, index, [root, *good], root),
                (leaf, index, [*good, b""], root),
                (leaf[:-1], index, good, root),
                (leaf, index, good, b""),
                *((leaf, other, good, root) for other in (*range(-1, size + 1), 2 * size) if other != index),
                *((leaf, index, [*good[:n], flipped(good[n], 3), *good[n + 1 :]], root) for n in range(len(good))),
                *((leaf, index, [*good[:n], *good[n + 1 :]], root) for n in range(len(good))),
                *((leaf, index, [*good[:n], good[n + 1], good[n], *good[n + 2 :]], root) for n in range(len(good) - 1)),
            ]
            for hashed, at, hashes, top in bad:
                with pytest.raises(ProofError):
                    merkle.check_inclusion(hashed, at, size, hashes, top)


def test_small_trees_refuse_every_damaged_consistency_proof() -> None:
    for new in range(2, 18):
        d = leaves(new)
        roots = [mth(d[:size]) for size in range(new + 1)]
        for old in range(1, new):
            good, before, after = proof(old, d), roots[old], roots[new]
            merkle.check_consistency(old, new, before, after, good)
            bad = [
                (old, flipped(before), after, good),
                (old, before, flipped(after), good),
                (old, after, before, good),
                (old, before, after, []),
                (old, before, after, [*good, after]),
                (old, before, after, [before, *good]),
                (old, before, after, [good[0], *good]),
                (old, before, after, [*good, b""]),
                (old, before[:-1], after, good),
                *((other, before, after, good) for other in (-1, *range(new + 2)) if other != old),
                *((old, before, after, [*good[:n], flipped(good[n], 4), *good[n + 1 :]]) for n in range(len(good))),
                *((old, before, after, [*good[:n], *good[n + 1 :]]) for n in range(len(good))),
            ]
            for size, first, second, hashes in bad:
                with pytest.raises(ProofError):
                    merkle.check_consistency(size, new, first, second, hashes)


def test_hashes_that_were_cut_elsewhere_are_refused() -> None:
    """The same bytes in a row, another border between them: without a look at their lengths, the same root."""
    d = leaves(4)
    (sibling, uncle), root = path(1, d), mth(d)
    leaf = merkle.leaf_hash(d[1])
    merkle.check_inclusion(leaf, 1, 4, [sibling, uncle], root)
    assert merkle.node_hash(sibling + leaf[:1], leaf[1:]) == merkle.node_hash(sibling, leaf)
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.check_inclusion(leaf[1:], 1, 4, [sibling + leaf[:1], uncle], root)
    first, second, third = proof(6, leaves(7))
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.check_consistency(6, 7, mth(leaves(6)), mth(leaves(7)), [first, second[1:], third + first[:1]])


def test_a_proof_of_a_larger_tree_is_none_of_a_smaller_one() -> None:
    """Its last hashes come from the left, where the smaller tree has nothing: all fits but the sizes."""
    d = leaves(8)
    leaf = merkle.leaf_hash(d[7])
    for index, size in [(0, 1), (1, 2), (3, 4)]:
        with pytest.raises(ProofError, match="too many"):
            merkle.check_inclusion(leaf, index, size, path(7, d), mth(d))
    for index, size in [(15, 16), (31, 32)]:
        with pytest.raises(ProofError, match="too few"):
            merkle.check_inclusion(leaf, index, size, path(7, d), mth(d))
    merkle.check_consistency(7, 8, mth(d[:7]), mth(d), proof(7, d))
    with pytest.raises(ProofError, match="too many"):
        merkle.check_consistency(3, 4, mth(d[:7]), mth(d), proof(7, d))
    with pytest.raises(ProofError, match="too few"):
        merkle.check_consistency(15, 16, mth(d[:7]), mth(d), proof(7, d))


def test_a_fork_has_no_consistency_proof() -> None:
    old, forked = leaves(11), [*leaves(10), b"another leaf 10", *leaves(20)[11:]]
    assert forked[:10] == old[:10]
    with pytest.raises(ProofError, match="expected the old root"):
        merkle.check_consistency(11, 20, mth(old), mth(forked), proof(11, forked))


def test_trivial_consistency_is_still_checked() -> None:
    root = mth(leaves(3))
    merkle.check_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    merkle.check_consistency(3, 3, root, root, [])
    for old, new, before, after, hashes in [
        (0, 0, root, root, []),
        (0, 0, EMPTY_ROOT, root, []),
        (0, 3, root, root, []),
        (0, 3, EMPTY_ROOT, root, [root]),
        (3, 3, root, flipped(root), []),
        (3, 3, root, root, [root]),
        (3, 2, root, root, []),
        (-1, 3, root, root, []),
    ]:
        with pytest.raises(ProofError):
            merkle.check_consistency(old, new, before, after, hashes)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (8, 8)])
def test_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError, match="no leaf"):
        merkle.inclusion_proof(index, size, fetcher(leaves(size)))
    with pytest.raises(ProofError, match="no leaf"):
        merkle.check_inclusion(EMPTY_ROOT, index, size, [], EMPTY_ROOT)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_no_proof_that_a_tree_shrank(old: int, new: int) -> None:
    with pytest.raises(ProofError, match="cannot grow"):
        merkle.consistency_proof(old, new, fetcher(leaves(2)))


@given(st.integers(0, 300))
def test_frontier_and_root_agree_with_the_rfc(size: int) -> None:
    d = leaves(size)
    frontier = Frontier()
    for leaf in d:
        frontier.append(merkle.leaf_hash(leaf))
    assert frontier.root() == merkle.root([merkle.leaf_hash(leaf) for leaf in d]) == mth(d)
    assert frontier.size == size
    fetch = fetcher(d)
    assert frontier.edge == tuple(fetch(*node) for node in merkle.edge_nodes(size))


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_frontier_goes_on_from_its_edge(first: int, second: int) -> None:
    d = leaves(first + second)
    fetch = fetcher(d[:first])
    frontier = Frontier(first, (fetch(*node) for node in merkle.edge_nodes(first)))
    for leaf in d[first:]:
        frontier.append(merkle.leaf_hash(leaf))
    assert frontier.root() == mth(d)


@pytest.mark.parametrize(("size", "count"), [(-1, 0), (0, 1), (3, 1), (4, 2)])
def test_a_frontier_wants_the_whole_edge(size: int, count: int) -> None:
    with pytest.raises(ProofError, match="the edge of a tree"):
        Frontier(size, [bytes(32)] * count)


def same_leaf_tree(size: int) -> tuple[Fetch, Callable[[int], bytes]]:
    """A tree of any size without its leaves: they are all alike, so a node depends on its level alone."""
    levels = [merkle.leaf_hash(b"")]
    while len(levels) < size.bit_length():
        levels.append(merkle.node_hash(levels[-1], levels[-1]))

    def root(count: int) -> bytes:
        return Frontier(count, (levels[level] for level, _ in merkle.edge_nodes(count))).root()

    return lambda level, _: levels[level], root


@given(st.data())
def test_proofs_stay_short_in_huge_trees(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 2**53 - 1))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    fetch, root = same_leaf_tree(size)
    hashes = merkle.inclusion_proof(index, size, fetch)
    assert len(hashes) <= (size - 1).bit_length()
    merkle.check_inclusion(fetch(0, index), index, size, hashes, root(size))
    hashes = merkle.consistency_proof(old, size, fetch)
    assert len(hashes) <= (size - 1).bit_length() + 1
    merkle.check_consistency(old, size, root(old), root(size), hashes)


def test_a_frontier_keeps_logarithmically_many_hashes_and_is_fast() -> None:
    count = 200_000
    hashes = [merkle.leaf_hash(b"%d" % n) for n in range(1_000)] * (count // 1_000)
    best = float("inf")
    for _ in range(3):
        frontier = Frontier()
        began = time.process_time()  # the time of this process, not of a busy machine
        for each in hashes:
            frontier.append(each)
        best = min(best, time.process_time() - began)
        assert len(frontier.edge) <= count.bit_length()
    assert count / best > 200_000, f"{count / best:.0f} appends a second"
