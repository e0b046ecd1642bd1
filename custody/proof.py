"""Proofs as text, each with the checkpoint that it leads to: a leaf is in a tree, a tree is the beginning of another.

Inclusion is a C2SP ``.tlog-proof`` (https://c2sp.org/tlog-proof, "Format"). Consistency has no file of its own there;
it is written as the body of ``add-checkpoint`` (https://c2sp.org/tlog-witness), which says the same.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from custody import merkle
from custody.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from custody.errors import FormatError
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.note import VerifierKey, decode_base64

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_HASHES = 63  # C2SP tlog-witness: "The client MUST NOT send more than 63 consistency proof lines"
MAX_EXTRA_BYTES = 64 * 1024
MAX_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf stands at an index, in the tree that the checkpoint signs. Nothing is believed before ``check``."""

    index: int
    hashes: tuple[bytes, ...]
    """From the leaf's neighbour upwards (RFC 6962 §2.1.1)."""
    checkpoint: bytes
    """The whole signed note, as it was issued."""
    extra: bytes | None = None
    """Of the application; nobody has signed it, and we write none."""

    def __post_init__(self) -> None:
        _check(self.index, self.hashes)
        if self.extra is not None and len(self.extra) > MAX_EXTRA_BYTES:
            raise _malformed(f"extra data has at most {MAX_EXTRA_BYTES} bytes, got {len(self.extra)}")

    def format(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        return _format([HEADER, *extra, f"index {self.index}"], self.hashes, self.checkpoint)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """``FormatError`` with code ``PROOF_FORMAT``. What is accepted is byte for byte what ``format`` writes."""
        lines, checkpoint = _split(data)
        if lines[:1] != [HEADER]:
            raise _malformed(f"the first line is {HEADER}, got {lines[0][:80] if lines else ''!r}")
        extra, rest = None, lines[1:]
        if rest and rest[0].startswith("extra "):
            extra, rest = _decode(rest[0].removeprefix("extra ")), rest[1:]
        return cls(_number(rest, "index"), tuple(map(_decode, rest[1:])), checkpoint, extra)

    def check(self, leaf: bytes, vkey: VerifierKey) -> Checkpoint:
        """The checkpoint that the leaf is under. Raises as ``open_checkpoint`` does, and ``ProofError``."""
        signed = open_checkpoint(self.checkpoint, vkey)
        merkle.check_inclusion(merkle.leaf_hash(leaf), self.index, signed.size, self.hashes, signed.root)
        return signed


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That a tree of ``old_size`` is the beginning of the one that the checkpoint signs."""

    old_size: int
    hashes: tuple[bytes, ...]
    """RFC 6962 §2.1.2."""
    checkpoint: bytes

    def __post_init__(self) -> None:
        _check(self.old_size, self.hashes)

    def format(self) -> bytes:
        return _format([f"old {self.old_size}"], self.hashes, self.checkpoint)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """``FormatError`` with code ``PROOF_FORMAT``."""
        lines, checkpoint = _split(data)
        return cls(_number(lines, "old"), tuple(map(_decode, lines[1:])), checkpoint)

    def check(self, old: Checkpoint, vkey: VerifierKey) -> Checkpoint:
        """The newer checkpoint, which continues ``old``. Raises as ``open_checkpoint`` does, and ``ProofError``."""
        signed = open_checkpoint(self.checkpoint, vkey)
        if old.size != self.old_size:
            raise _malformed(f"it is from a tree of {self.old_size}, asked was one of {old.size}")
        merkle.check_consistency(old.size, signed.size, old.root, signed.root, self.hashes)
        return signed


def _check(number: int, hashes: Sequence[bytes]) -> None:
    if not 0 <= number <= MAX_SIZE:
        raise _malformed(f"expected a number of leaves, got {number}")
    if len(hashes) > MAX_HASHES:
        raise _malformed(f"expected at most {MAX_HASHES} hashes, got {len(hashes)}")
    for each in hashes:
        if len(each) != merkle.HASH_BYTES:
            raise _malformed(f"a hash has {merkle.HASH_BYTES} bytes, got {len(each)}")


def _format(lines: Sequence[str], hashes: Sequence[bytes], checkpoint: bytes) -> bytes:
    head = "\n".join([*lines, *(base64.b64encode(each).decode() for each in hashes)])
    return f"{head}\n\n".encode() + checkpoint


def _split(data: bytes) -> tuple[list[str], bytes]:
    if len(data) > MAX_BYTES:
        raise _malformed(f"expected at most {MAX_BYTES} bytes, got {len(data)}")
    # The checkpoint has an empty line of its own: the first one is the proof's.
    head, separator, checkpoint = data.partition(b"\n\n")
    if not separator:
        raise _malformed("there is no empty line before the checkpoint")
    try:
        return head.decode("ascii").split("\n"), checkpoint
    except UnicodeDecodeError as error:
        raise _malformed(f"not ASCII at byte {error.start}") from error


def _number(lines: Sequence[str], word: str) -> int:
    name, _, number = (lines[0] if lines else "").partition(" ")
    if name != word or not _NUMBER.fullmatch(number):
        raise _malformed(f"expected a line '{word} <number>', got {lines[0][:80] if lines else ''!r}")
    return int(number)


def _decode(line: str) -> bytes:
    try:
        return decode_base64(line)
    except FormatError as error:
        raise _malformed(str(error)) from error


def _malformed(reason: str) -> FormatError:
    return FormatError(f"this is not a proof: {reason}", code="PROOF_FORMAT")
