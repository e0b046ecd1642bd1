"""Where a verifier reads from: a store, or a stranger's copy of one. Every read has a limit, every fault a name."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from threading import local
from typing import BinaryIO, Protocol

from custody.digest import Digest
from custody.errors import CustodyError

_CHUNK_BYTES = 1 << 20


class LockLike(Protocol):
    """S3 Object Lock on one version."""

    @property
    def mode(self) -> str: ...
    @property
    def retain_until(self) -> datetime: ...


class StoredLike(Protocol):
    """What the source itself says of an object."""

    @property
    def version_id(self) -> str | None: ...
    @property
    def lock(self) -> LockLike | None: ...


class VersionLike(Protocol):
    """One version of an object, as listed."""

    @property
    def key(self) -> str: ...
    @property
    def version_id(self) -> str: ...
    @property
    def is_latest(self) -> bool: ...
    @property
    def is_delete_marker(self) -> bool: ...


class Source(Protocol):
    """Bytes under keys. May be called from several threads, if the ``map`` that is handed to ``verify`` uses them."""

    def open(self, key: str) -> BinaryIO:
        """A stream over the bytes; it will be closed."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys below the prefix, in byte order."""
        ...

    def head(self, key: str) -> StoredLike: ...

    def versions(self, prefix: str) -> Iterator[VersionLike]:
        """All versions and delete markers below the prefix; nothing where the source keeps none."""
        ...


class Absent(CustodyError):
    """There is nothing under the key."""


class TooLong(CustodyError):
    """There is more under the key than any object of its kind can have."""


class Unreachable(CustodyError):
    """The source does not answer: nothing can be said of what is in it."""

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class _Buffers(local):
    view: memoryview


class Reader:
    """A source behind a door: no object is trusted to be of a decent size, no foreign error gets out."""

    def __init__(
        self, source: Source, *, absent: tuple[type[Exception], ...], unreachable: tuple[type[Exception], ...]
    ) -> None:
        self._source = source
        self._absent = absent
        self._unreachable: tuple[type[Exception], ...] = (*unreachable, OSError)
        self._buffers = _Buffers()

    def read(self, key: str, limit: int) -> bytes:
        """All bytes. Raises ``Absent``, ``TooLong``, ``Unreachable``."""
        data = bytearray()
        for chunk in self._chunks(key):
            data += chunk
            if len(data) > limit:
                raise TooLong(f"{key}: expected at most {limit} bytes")
        return bytes(data)

    def digest(self, key: str, limit: int) -> tuple[Digest | None, int]:
        """Digest and length, in constant memory; what is longer than ``limit`` is not read on: None, and a length."""
        hasher, length = sha256(), 0
        view = self._buffer()
        with self._door(key), closing(self._source.open(key)) as stream:
            read_into = _reader_into(stream)
            while count := read_into(view):
                hasher.update(view[:count])
                length += count
                if length > limit:
                    return None, length
        return Digest(hasher.hexdigest()), length

    def _buffer(self) -> memoryview:
        """One for each thread: new memory for every chunk costs as much as hashing it."""
        try:
            return self._buffers.view
        except AttributeError:
            self._buffers.view = memoryview(bytearray(_CHUNK_BYTES))
            return self._buffers.view

    def keys(self, prefix: str) -> Iterator[str]:
        with self._door(prefix):
            # A source that lists more than it was asked for is not followed outside.
            yield from (key for key in self._source.keys(prefix) if key.startswith(prefix))

    def head(self, key: str) -> StoredLike:
        with self._door(key):
            return self._source.head(key)

    def versions(self, prefix: str) -> Iterator[VersionLike]:
        with self._door(prefix):
            yield from self._source.versions(prefix)

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._door(key), closing(self._source.open(key)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk

    @contextmanager
    def _door(self, key: str) -> Iterator[None]:
        try:
            yield
        except self._absent as error:
            raise Absent(f"there is nothing under {key}") from error
        except self._unreachable as error:
            raise Unreachable(f"{key} could not be read: {error}; try again when the store answers", key=key) from error


def _reader_into(stream: BinaryIO) -> Callable[[memoryview], int]:
    """``readinto``, where the stream has it; a source may be anybody's."""

    def copied(view: memoryview) -> int:
        chunk = stream.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    return getattr(stream, "readinto", copied)
