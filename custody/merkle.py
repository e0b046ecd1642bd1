"""RFC 6962 Merkle trees: roots and proofs, over nodes that someone else keeps.

A node is named by ``(level, index)``: the hash over the leaves from ``index << level`` up to ``(index + 1) << level``.
Only such whole nodes are ever asked for; the ragged right side of a tree is folded here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

from custody.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 §2.1: the hash of an empty list
LEAF_PREFIX = b"\x00"  # RFC 6962 §2.1: a leaf can never pose as a node
NODE_PREFIX = b"\x01"

Fetch = Callable[[int, int], bytes]
"""``fetch(level, index)`` gives the hash of one whole node."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(NODE_PREFIX + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves, or of equally high nodes of which the last may be lower."""
    if not hashes:
        return EMPTY_ROOT
    level = hashes
    while len(level) > 1:
        joined = [sha256(NODE_PREFIX + left + right).digest() for left, right in zip(level[::2], level[1::2])]  # noqa: B905
        # An odd one out rises unhashed, which is what splitting at the largest power of two comes to.
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]


class Frontier:
    """The right edge of a tree that grows: one hash for each bit that is set in its size."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """``edge`` holds the hashes of ``edge_nodes(size)``, largest first."""
        self._edge = list(edge)
        self.size = size
        if size < 0 or len(self._edge) != size.bit_count():
            raise ProofError(f"the edge of a tree of {size} has {size.bit_count()} hashes, got {len(self._edge)}")

    @property
    def edge(self) -> tuple[bytes, ...]:
        return tuple(self._edge)

    def append(self, leaf_hash: bytes) -> None:
        edge = self._edge
        carry = leaf_hash
        size = self.size
        self.size = size + 1
        while size & 1:
            carry = sha256(NODE_PREFIX + edge.pop() + carry).digest()
            size >>= 1
        edge.append(carry)

    def root(self) -> bytes:
        return _fold(self._edge)


def edge_nodes(size: int) -> Iterator[tuple[int, int]]:
    """The whole nodes that a tree of this size is made of, left to right."""
    return _whole_nodes(0, size)


def inclusion_proof(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 §2.1.1, from the leaf's neighbour upwards."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_range_root(middle, end, fetch))
            end = middle
        else:
            proof.append(_range_root(begin, middle, fetch))
            begin = middle
    return proof[::-1]


def consistency_proof(old_size: int, new_size: int, fetch: Fetch) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 6962 §2.1.2; nothing has to be shown from an empty tree or to the same one."""
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {old_size} cannot grow into one of {new_size}")
    if old_size in {0, new_size}:
        return []
    proof: list[bytes] = []
    begin, end = 0, new_size
    while old_size != end:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            proof.append(_range_root(middle, end, fetch))
            end = middle
        else:
            proof.append(_range_root(begin, middle, fetch))
            begin = middle
    if begin:  # the verifier holds the old root, which is this very node when nothing lies left of it
        proof.append(_range_root(begin, end, fetch))
    return proof[::-1]


def check_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2. Return, or raise ``ProofError``."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    _check_lengths(leaf_hash, root, *proof)
    first, last = index, size - 1
    carry = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError(f"inclusion proof of leaf {index} in a tree of {size}: {len(proof)} hashes are too many")
        if first & 1 or first == last:
            carry = node_hash(sibling, carry)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            carry = node_hash(carry, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ProofError(f"inclusion proof of leaf {index} in a tree of {size}: {len(proof)} hashes are too few")
    if carry != root:
        raise ProofError(f"leaf {index} is not in this tree of {size}: expected root {root.hex()}, got {carry.hex()}")


def check_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2: the old tree is the beginning of the new one. Return, or raise ``ProofError``."""
    what = f"consistency proof from {old_size} to {new_size}"
    if not 0 <= old_size <= new_size:
        raise ProofError(f"{what}: a tree does not shrink")
    _check_lengths(old_root, new_root, *proof)
    if old_size in {0, new_size}:
        if proof:
            raise ProofError(f"{what}: expected no hashes, got {len(proof)}")
        if old_root != (EMPTY_ROOT if old_size == 0 else new_root) or (new_size == 0 and new_root != EMPTY_ROOT):
            raise ProofError(f"{what}: the roots do not fit")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError(f"{what}: expected hashes, got none")
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(f"{what}: {len(proof)} hashes are too many")
        if first & 1 or first == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ProofError(f"{what}: {len(proof)} hashes are too few")
    if old != old_root:
        raise ProofError(f"{what}: expected the old root {old_root.hex()}, got {old.hex()}")
    if new != new_root:
        raise ProofError(f"{what}: expected the new root {new_root.hex()}, got {new.hex()}")


def _split(count: int) -> int:
    """The largest power of two below ``count`` (RFC 6962 §2.1); ``count`` is 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _whole_nodes(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """``begin`` is where a split left it, so it is a multiple of every node's span that follows."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def _range_root(begin: int, end: int, fetch: Fetch) -> bytes:
    return _fold([fetch(level, index) for level, index in _whole_nodes(begin, end)])


def _fold(nodes: Sequence[bytes]) -> bytes:
    """Whole nodes, largest first, into one root."""
    if not nodes:
        return EMPTY_ROOT
    carry = nodes[-1]
    for node in reversed(nodes[:-1]):
        carry = node_hash(node, carry)
    return carry


def _check_lengths(*hashes: bytes) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise ProofError(f"a hash in a proof has {HASH_BYTES} bytes, got {len(each)}")
