"""What is about to be stored: a key without surprises, and bytes whose digest is known and checked."""

import hashlib
import io
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self

from archive import disk
from archive.errors import StoreError
from custody.digest import Digest
from custody.keyspace import INBOX, PROBES, is_index

CHUNK_BYTES = 1 << 20

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@~-]{0,199}")
_MAX_KEY = 900  # S3 takes 1,024 bytes, and a store's own prefix comes before ours


def checked_key(key: str) -> str:
    """The key, if it means the same thing in a bucket, in a directory and in an address.

    No ``..``, no leading dot or slash, nothing empty: a key can neither leave a directory nor hide in one.
    """
    if len(key) > _MAX_KEY or not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise StoreError(f"this is no key of an archive: {key[:80]!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix, if keys can begin with it: all of a key, or whatever is left when its end is cut off."""
    if prefix:
        checked_key(prefix.removesuffix("/"))
    return prefix


def refuse_to_lose(key: str) -> None:
    """Raise ``StoreError`` for anything but what is under way or was never evidence, or the catalogue's packed rows."""
    if not key.startswith((INBOX, PROBES)) and not is_index(key):
        raise StoreError(f"{key} is evidence: it stays")


def whole_seconds(retain_until: datetime | None) -> datetime | None:
    """Object Lock counts whole seconds; rounding up never shortens what was asked for."""
    if retain_until is None or not retain_until.microsecond:
        return retain_until
    return retain_until.replace(microsecond=0) + timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """Bytes in memory or in a file, read once from end to end: their digest is what the caller says it is."""

    data: bytes | Path = field(repr=False)
    length: int
    digest: Digest
    md5: bytes | None
    """For Content-MD5, which older stores demand beside lock headers. Integrity in transit, no more."""

    @classmethod
    def of(cls, data: bytes | Path, *, digest: Digest, md5: bool = False) -> Self:
        """``StoreError``: the bytes are not those that were hashed. ``DiskError``: they cannot be read.

        ``md5``: taken too, which costs twice as much as the digest.
        """
        sha256, length = hashlib.sha256(), 0
        second = hashlib.md5(usedforsecurity=False) if md5 else None
        with _opened(data) as stream, disk.trouble(data if isinstance(data, Path) else Path()):
            while chunk := stream.read(CHUNK_BYTES):
                sha256.update(chunk)
                if second is not None:
                    second.update(chunk)
                length += len(chunk)
        found = Digest(sha256.hexdigest())
        if found != digest:
            where = f" in {data}" if isinstance(data, Path) else ""
            raise StoreError(f"the bytes{where} changed after they were hashed: expected {digest}, got {found}")
        return cls(data=data, length=length, digest=digest, md5=None if second is None else second.digest())

    def open(self) -> BinaryIO:
        return _opened(self.data)


def _opened(data: bytes | Path) -> BinaryIO:
    if isinstance(data, bytes):
        return io.BytesIO(data)
    with disk.trouble(data):
        return data.open("rb")
