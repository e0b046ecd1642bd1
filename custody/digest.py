"""SHA-256 digests: take, parse, compare."""

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO, Self

from custody.errors import FormatError

_HEX64 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest (FIPS 180-4). ``str()`` gives ``sha256:<hex>``; JSON carries the 64 hex digits alone."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX64.fullmatch(self.hex):
            raise FormatError(f"a SHA-256 digest is 64 lower-case hex digits, got {self.hex[:80]!r}")

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.hex)

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``sha256:<hex>``."""
        algorithm, _, value = text.partition(":")
        if algorithm != "sha256":
            raise FormatError(f"expected sha256:<hex>, got {text[:80]!r}")
        return cls(value)

    @classmethod
    def of_stream(cls, stream: BinaryIO) -> tuple[Self, int]:
        """Digest and length in bytes of everything left in the stream; memory stays constant."""
        hasher = hashlib.sha256()
        buffer = bytearray(_CHUNK_BYTES)
        view = memoryview(buffer)
        length = 0
        while count := stream.readinto(view):  # type: ignore[attr-defined]  # BinaryIO lacks readinto; files have it
            hasher.update(view[:count])
            length += count
        return cls(hasher.hexdigest()), length
