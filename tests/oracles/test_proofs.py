"""Merkle trees and proofs against published vectors and libraries of others."""

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scitt_cose import merkle as scitt
from sigstore._internal import merkle as sigstore  # private: the release is pinned
from sigstore.errors import VerificationError

from custody import merkle, tiles
from custody.checkpoint import Checkpoint
from custody.errors import ProofError
from custody.keys import Ed25519Signer
from custody.merkle import Fetch
from custody.note import VerifierKey
from custody.proof import InclusionProof
from custody.tiles import TileBuilder, TileReader
from tests.custody.test_merkle import fetcher, leaves, mth, path, proof
from tests.oracles.harness import oracle

VECTORS: Any = json.loads((Path(__file__).parent / "transparency_dev.json").read_text(encoding="utf-8"))


def raw(texts: Sequence[str] | None) -> list[bytes]:
    return [base64.b64decode(each) for each in texts or ()]


def hashes_of(*texts: str | None) -> list[bytes]:
    """Some vectors say "don't care" where a hash belongs. We refuse what has not 32 bytes, so it is made to."""
    return [each if len(each) in {0, 32} else sha256(each).digest() for each in raw([text or "" for text in texts])]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda vector: vector["file"])
def test_transparency_dev_inclusion(vector: Any) -> None:
    leaf, root = hashes_of(vector["leafHash"], vector["root"])
    accepted = False
    with suppress(ProofError):
        merkle.check_inclusion(leaf, vector["leafIdx"], vector["treeSize"], raw(vector["proof"]), root)
        accepted = True
    assert accepted is not vector["wantErr"]


# RFC 6962 defines no proof from an empty tree, and they refuse one. C2SP tlog-witness has it, without hashes: `old 0`.
FROM_NOTHING = "consistency/additional/size1-is-zero-and-size2-is-not-zero.json"


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda vector: vector["file"])
def test_transparency_dev_consistency(vector: Any) -> None:
    old, new = hashes_of(vector["root1"], vector["root2"])
    accepted = False
    with suppress(ProofError):
        merkle.check_consistency(vector["size1"], vector["size2"], old, new, raw(vector["proof"]))
        accepted = True
    assert accepted is (not vector["wantErr"] or vector["file"] == FROM_NOTHING)


def sigstore_accepts(leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes) -> bool:
    shown = SimpleNamespace(log_index=index, tree_size=size, hashes=list(hashes), root_hash=root)
    entry: Any = SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=shown, canonicalized_body=leaf))
    try:
        sigstore.verify_merkle_inclusion(entry)
    except VerificationError:
        return False
    return True


def scitt_accepts(leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes) -> bool:
    return bool(scitt.verify_inclusion(leaf.hex(), index, size, [each.hex() for each in hashes], root.hex()))


def scitt_extends(old: int, new: int, old_root: bytes, new_root: bytes, hashes: Sequence[bytes]) -> bool:
    return bool(scitt.verify_consistency(old_root.hex(), new_root.hex(), old, new, [each.hex() for each in hashes]))


def we_accept(leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes) -> bool:
    try:
        merkle.check_inclusion(merkle.leaf_hash(leaf), index, size, hashes, root)
    except ProofError:
        return False
    return True


def we_extend(old: int, new: int, old_root: bytes, new_root: bytes, hashes: Sequence[bytes]) -> bool:
    try:
        merkle.check_consistency(old, new, old_root, new_root, hashes)
    except ProofError:
        return False
    return True


def test_every_proof_of_small_trees_is_accepted_by_others_and_theirs_by_us() -> None:
    everything = leaves(40)
    fetch = fetcher(everything)
    texts = [leaf.hex() for leaf in everything]
    roots = [merkle.root([merkle.leaf_hash(leaf) for leaf in everything[:size]]) for size in range(41)]
    for size in range(41):
        assert scitt.merkle_root(texts[:size]) == roots[size].hex()
        for index in range(size):
            hashes = merkle.inclusion_proof(index, size, fetch)
            assert [each.hex() for each in hashes] == scitt.inclusion_proof(texts[:size], index)
            assert scitt_accepts(everything[index], index, size, hashes, roots[size])
            assert sigstore_accepts(everything[index], index, size, hashes, roots[size])
        for old in range(size + 1):
            hashes = merkle.consistency_proof(old, size, fetch)
            assert [each.hex() for each in hashes] == scitt.consistency_proof(texts, old, size)
            assert scitt_extends(old, size, roots[old], roots[size], hashes)


@cache
def tree() -> tuple[list[bytes], list[bytes], Fetch]:
    """2,000 leaves, their hashes, and the nodes as our tiles give them."""
    everything = leaves(2000)
    hashes = [merkle.leaf_hash(leaf) for leaf in everything]
    builder = TileBuilder()
    stored = dict(builder.append(hashes) + builder.edge())
    return everything, hashes, TileReader(2000, lambda level, index, width: stored[tiles.Tile(level, index, width)])


@settings(max_examples=60)
@given(st.data())
def test_random_trees_up_to_two_thousand_leaves(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 2000))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    everything, hashed, fetch = tree()
    d = everything[:size]
    root, old_root = merkle.root(hashed[:size]), merkle.root(hashed[:old])
    assert (root, old_root) == (mth(d), mth(d[:old]))
    hashes = merkle.inclusion_proof(index, size, fetch)
    assert hashes == path(index, d)
    assert we_accept(d[index], index, size, hashes, root)
    assert scitt_accepts(d[index], index, size, hashes, root)
    assert sigstore_accepts(d[index], index, size, hashes, root)
    hashes = merkle.consistency_proof(old, size, fetch)
    assert hashes == (proof(old, d) if old else [])
    assert we_extend(old, size, old_root, root, hashes)
    assert scitt_extends(old, size, old_root, root, hashes)


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=3)


@settings(max_examples=300)
@given(st.data())
def test_damaged_proofs_are_judged_alike(data: st.DataObject) -> None:
    """A good proof with some hashes taken out, put in or moved, for some index and size: all say the same of it."""
    everything, hashed, fetch = tree()
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    hashes = merkle.inclusion_proof(index, size, fetch)
    hashes = hashes[data.draw(st.integers(0, 1)) : len(hashes) - data.draw(st.integers(0, 1))]
    if data.draw(st.booleans()):
        hashes = [*hashes, *data.draw(HASHES)]
    elif data.draw(st.booleans()):
        hashes = data.draw(st.permutations(hashes))
    said = (data.draw(st.sampled_from([index, 0, size - 1])), data.draw(st.sampled_from([size, size + 1, 2 * size])))
    root = merkle.root(hashed[:size])
    ours = we_accept(everything[index], *said, hashes, root)
    assert scitt_accepts(everything[index], *said, hashes, root) == ours
    assert sigstore_accepts(everything[index], *said, hashes, root) == ours
    old = data.draw(st.integers(1, size))
    hashes = merkle.consistency_proof(old, size, fetch)
    hashes = hashes[data.draw(st.integers(0, 1)) :] + data.draw(HASHES)
    from_size = data.draw(st.sampled_from([old, 1, size - 1 or 1]))
    ours = we_extend(from_size, size, merkle.root(hashed[:old]), root, hashes)
    assert scitt_extends(from_size, size, merkle.root(hashed[:old]), root, hashes) == ours


@pytest.mark.go
@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (6, 7), (255, 256), (256, 257), (776, 777), (41, 2000)])
def test_go_reads_our_proof_files(tmp_path: Path, index: int, size: int) -> None:
    everything, hashed, fetch = tree()
    signer = Ed25519Signer(bytes([7]) * 32)
    vkey = VerifierKey("evidence.example/log", signer.public_key)
    checkpoint = Checkpoint(vkey.name, size, merkle.root(hashed[:size])).sign(signer)
    hashes = tuple(merkle.inclusion_proof(index, size, fetch))
    shown = InclusionProof(index, hashes, checkpoint)
    assert says(tmp_path, vkey, shown.format(), everything[index]) == f"leaf {index} of {size}"
    with_extra = InclusionProof(index, hashes, checkpoint, b"for the reader")
    assert says(tmp_path, vkey, with_extra.format(), everything[index]) == f"leaf {index} of {size}"
    assert says(tmp_path, vkey, shown.format(), everything[index] + b"\0") is None
    assert says(tmp_path, vkey, InclusionProof(index + 1, hashes, checkpoint).format(), everything[index]) is None
    assert says(tmp_path, vkey, InclusionProof(index, hashes, checkpoint[:-9] + b"AAAAAAA=\n").format(), b"") is None
    for at in range(len(hashes)):
        other = (*hashes[:at], bytes(32), *hashes[at + 1 :])
        assert says(tmp_path, vkey, InclusionProof(index, other, checkpoint).format(), everything[index]) is None


def says(folder: Path, vkey: VerifierKey, file: bytes, leaf: bytes) -> str | None:
    (folder / "proof").write_bytes(file)
    (folder / "leaf").write_bytes(leaf)
    return oracle("proof", vkey.format(), folder / "proof", folder / "leaf")
