"""Proofs as text: what is written is read again, what is not exactly that is refused, and each leads to its root."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import merkle
from custody.checkpoint import Checkpoint, CheckpointUnsigned
from custody.errors import CustodyError, FormatError, ProofError
from custody.keys import Ed25519Signer
from custody.note import VerifierKey
from custody.proof import HEADER, MAX_HASHES, ConsistencyProof, InclusionProof

LOG = "evidence.example/custody"
SIGNER = Ed25519Signer(b"\x02" * 32)
VKEY = VerifierKey(LOG, SIGNER.public_key)
HASH = base64.b64encode(b"\x07" * 32).decode()

# The example of https://c2sp.org/tlog-proof, whose signatures are shortened there: its lines are read alike.
PUBLISHED = b"""\
c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

"""


def leaves(count: int) -> list[bytes]:
    return [f"leaf {index}".encode() for index in range(count)]


def fetch(size: int) -> merkle.Fetch:
    hashes = [merkle.leaf_hash(each) for each in leaves(size)]
    return lambda level, index: merkle.root(hashes[index << level : (index + 1) << level])


def signed(size: int) -> bytes:
    root = merkle.root([merkle.leaf_hash(each) for each in leaves(size)])
    return Checkpoint(LOG, size, root).sign(SIGNER)


def opened(size: int) -> Checkpoint:
    return Checkpoint(LOG, size, merkle.root([merkle.leaf_hash(each) for each in leaves(size)]))


hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=MAX_HASHES).map(tuple)
numbers = st.integers(0, 2**53 - 1)


@given(numbers, hashes, st.binary(max_size=300), st.none() | st.binary(max_size=100))
def test_an_inclusion_proof_reads_what_it_writes(
    index: int, path: tuple[bytes, ...], checkpoint: bytes, extra: bytes | None
) -> None:
    proof = InclusionProof(index, path, checkpoint, extra)
    assert InclusionProof.parse(proof.format()) == proof


@given(numbers, hashes, st.binary(max_size=300))
def test_a_consistency_proof_reads_what_it_writes(old: int, path: tuple[bytes, ...], checkpoint: bytes) -> None:
    proof = ConsistencyProof(old, path, checkpoint)
    assert ConsistencyProof.parse(proof.format()) == proof


@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused_in_words(data: bytes) -> None:
    for kind in (InclusionProof, ConsistencyProof):
        try:
            read = kind.parse(data)
        except FormatError:
            continue
        assert read.format() == data


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_a_leaf_is_in_its_tree_and_no_other_is(place: tuple[int, int]) -> None:
    index, size = place
    proof = InclusionProof(index, tuple(merkle.inclusion_proof(index, size, fetch(size))), signed(size))
    read = InclusionProof.parse(proof.format())
    assert read.check(leaves(size)[index], VKEY) == opened(size)
    with pytest.raises(ProofError):
        read.check(b"another leaf", VKEY)


@given(st.integers(1, 70).flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_a_tree_is_the_beginning_of_a_later_one(sizes: tuple[int, int]) -> None:
    old, new = sizes
    proof = ConsistencyProof(old, tuple(merkle.consistency_proof(old, new, fetch(new))), signed(new))
    assert ConsistencyProof.parse(proof.format()).check(opened(old), VKEY) == opened(new)
    if old:
        with pytest.raises(CustodyError):
            proof.check(Checkpoint(LOG, old, b"\x09" * 32), VKEY)


def test_the_published_example_is_read_as_it_is_meant() -> None:
    proof = InclusionProof.parse(PUBLISHED)
    assert proof.index == 73894
    assert len(proof.hashes) == 5
    assert proof.extra == b"age-v1.2.1-darwin-arm64.tar.gz"
    assert proof.checkpoint.startswith(b"example.com/fancylog\n109482\n")
    assert proof.format() == PUBLISHED


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADER,
        f"{HEADER}\n\n",
        f"{HEADER}\nindex 1",
        f"c2sp.org/tlog-proof@v2\nindex 1\n{HASH}\n\nx",
        f"{HEADER}\nindex 01\n\nx",
        f"{HEADER}\nindex -1\n\nx",
        f"{HEADER}\nindex 9007199254740992\n\nx",
        f"{HEADER}\nindex 1\nextra AAAA\n\nx",
        f"{HEADER}\nindex 1\n{HASH[:-1]}\n\nx",
        f"{HEADER}\nindex 1\n{HASH} \n\nx",
        f"{HEADER}\nindex 1\nAAAA\n\nx",
        f"{HEADER}\r\nindex 1\r\n\r\nx",
        f"{HEADER}\nextra A\nindex 1\n\nx",
        f"{HEADER}\nindex 1\n" + f"{HASH}\n" * (MAX_HASHES + 1) + "\nx",
    ],
)
def test_what_is_no_inclusion_proof_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        InclusionProof.parse(text.encode())
    assert refused.value.code == "PROOF_FORMAT"


def test_only_the_logs_own_signature_counts() -> None:
    size = 5
    stranger = Ed25519Signer(b"\x66" * 32)
    path = tuple(merkle.inclusion_proof(2, size, fetch(size)))
    proof = InclusionProof(2, path, opened(size).sign(stranger))
    with pytest.raises(CheckpointUnsigned):
        proof.check(leaves(size)[2], VKEY)


def test_a_proof_from_another_size_is_refused() -> None:
    proof = ConsistencyProof(3, tuple(merkle.consistency_proof(3, 8, fetch(8))), signed(8))
    with pytest.raises(FormatError):
        proof.check(opened(4), VKEY)
