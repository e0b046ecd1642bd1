"""A zip in one pass: files that many hands fetch are written where they stay, nothing is read again or compressed.

Nothing is compressed, since pictures and archives are already, and since what a compressor makes depends on its
version: the same files give the same zip everywhere. PKWARE's APPNOTE.TXT 6.3.10; where it is cited, as "APPNOTE".
"""

import os
import stat
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from archive import disk
from archive.errors import DiskError
from archive.exporting.bag import Put, write_all

_LOCAL = struct.Struct("<4sHHHHHIIIHH")  # APPNOTE 4.3.7
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
_END = struct.Struct("<4sHHHHIIH")  # 4.3.16
_END_64 = struct.Struct("<4sQHHIIQQQQ")  # 4.3.14
_LOCATOR = struct.Struct("<4sIQI")  # 4.3.15
_FIELD = struct.Struct("<HH")  # 4.5.1; 4.5.3: kind 1 holds what does not fit into 32 bits
_UNIX = 3 << 8
_PLAIN, _LONG = 20, 45  # 4.4.3: the version that is needed
_MODE = (stat.S_IFREG | 0o644) << 16
_MOVED_BYTES = 1 << 22
_FULL_32 = LIMIT_32 = 0xFFFFFFFF
_FULL_16 = LIMIT_16 = 0xFFFF
"""From these on, a field is full and the longer one beside it counts."""


class TooLong(DiskError):
    """More bytes than were announced, or fewer."""


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    size: int
    at: int
    """Of its header."""
    crc: int = 0

    @property
    def header_bytes(self) -> int:
        return _LOCAL.size + len(self.name) + (20 if self.size >= LIMIT_32 else 0)

    @property
    def data_at(self) -> int:
        return self.at + self.header_bytes

    @property
    def end(self) -> int:
        return self.data_at + self.size


class Zip:
    """One folder in it (RFC 8493 §4.1); every file bears the same date."""

    def __init__(self, target: Path, folder: str, at: datetime) -> None:
        """Raises ``DiskError`` where the target is there."""
        self._target = target
        self._folder = folder
        year = max(at.year, 1980)
        self._date = ((year - 1980) << 9) | (at.month << 5) | at.day  # 4.4.6
        self._time = (at.hour << 11) | (at.minute << 5) | (at.second // 2)
        self._members: dict[str, _Member] = {}
        self._reserved: dict[str, _Member] = {}
        self._filled: dict[str, _Member] = {}
        self._end = 0
        self._hands = 0
        self._closing = False
        self._changed = threading.Condition()
        with disk.trouble(target):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(target, flags, 0o666)

    def write(self, path: str, data: bytes) -> None:
        member = replace(self._member(path, len(data), self._end), crc=zlib.crc32(data))
        with disk.trouble(self._target):
            write_all(self._file, memoryview(self._header(member) + data), member.at)
        self._members[path] = member
        self._end = member.end

    def reserve(self, sizes: Sequence[tuple[str, int]]) -> None:
        """A disk that is too small for all of them says so here."""
        at = self._end
        for path, size in sizes:
            member = self._reserved[path] = self._member(path, size, at)
            at = member.end
        if at > self._end:
            with disk.trouble(self._target):
                os.posix_fallocate(self._file, self._end, at - self._end)
        self._end = at

    @contextmanager
    def filling(self, path: str) -> Iterator[Put]:
        """Raises ``TooLong`` when it is not as long as was reserved."""
        member = self._reserved[path]
        at, crc = member.data_at, 0

        def put(data: memoryview) -> None:
            nonlocal at, crc
            if self._closing:
                raise DiskError(f"{self._target} was given up")
            if at + len(data) > member.end:
                raise TooLong(f"{path} is longer than the {member.size} bytes that it is said to have")
            write_all(self._file, data, at)
            crc = zlib.crc32(data, crc)
            at += len(data)

        with disk.trouble(self._target), self._in_hand():
            yield put
            if at != member.end:
                raise TooLong(f"{path} is shorter than the {member.size} bytes that it is said to have")
            done = replace(member, crc=crc)
            write_all(self._file, memoryview(self._header(done)), done.at)
        self._filled[path] = done

    def settle(self) -> None:
        """Closes the ranks: a gap could hide something, and some programs take it for damage."""
        with disk.trouble(self._target):
            end = min((each.at for each in self._reserved.values()), default=self._end)
            for path in self._reserved:
                if (member := self._filled.get(path)) is not None:
                    self._members[path] = moved = replace(member, at=end)
                    self._move(member, moved)
                    end = moved.end
            if end < self._end:
                os.ftruncate(self._file, end)
        self._end = end
        self._reserved.clear()
        self._filled.clear()

    def read(self, path: str, length: int) -> bytes:
        with disk.trouble(self._target):
            return os.pread(self._file, length, self._members[path].data_at)

    def finish(self) -> None:
        """The directory, at the end of the file."""
        members = self._members.values()
        directory = b"".join(self._entry(each) for each in members)
        count, length, at = len(members), len(directory), self._end
        long = count >= LIMIT_16 or at + length >= LIMIT_32
        end = b""
        if long:
            end = _END_64.pack(b"PK\6\6", _END_64.size - 12, _UNIX | _LONG, _LONG, 0, 0, count, count, length, at)
            end += _LOCATOR.pack(b"PK\6\7", 0, at + length, 1)
            count, length, at = _FULL_16, _FULL_32, _FULL_32
        end += _END.pack(b"PK\5\6", 0, 0, count, count, length, at, 0)
        with disk.trouble(self._target):
            write_all(self._file, memoryview(directory + end), self._end)

    def close(self) -> None:
        """When no thread writes any more: the number of a closed file is soon that of another."""
        with self._changed:
            self._closing = True
            self._changed.wait_for(lambda: self._hands == 0)
        os.close(self._file)

    @contextmanager
    def _in_hand(self) -> Iterator[None]:
        with self._changed:
            if self._closing:
                raise DiskError(f"{self._target} was given up")
            self._hands += 1
        try:
            yield
        finally:
            with self._changed:
                self._hands -= 1
                self._changed.notify_all()

    def _member(self, path: str, size: int, at: int) -> _Member:
        return _Member(f"{self._folder}/{path}".encode("ascii"), size, at)

    def _header(self, member: _Member) -> bytes:
        long = member.size >= LIMIT_32
        size = _FULL_32 if long else member.size
        extra = _FIELD.pack(1, 16) + struct.pack("<QQ", member.size, member.size) if long else b""
        version = _LONG if long else _PLAIN
        return (
            _LOCAL.pack(
                b"PK\3\4", version, 0, 0, self._time, self._date, member.crc, size, size, len(member.name), len(extra)
            )
            + member.name
            + extra
        )

    def _entry(self, member: _Member) -> bytes:
        long = member.size >= LIMIT_32
        far = member.at >= LIMIT_32
        values = (member.size, member.size) * long + (member.at,) * far
        extra = _FIELD.pack(1, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values) if values else b""
        size, version = _FULL_32 if long else member.size, _LONG if values else _PLAIN
        return (
            _CENTRAL.pack(
                b"PK\1\2", _UNIX | version, version, 0, 0, self._time, self._date, member.crc, size, size,
                len(member.name), len(extra), 0, 0, 0, _MODE, _FULL_32 if far else member.at,
            )
            + member.name
            + extra
        )  # fmt: skip

    def _move(self, member: _Member, moved: _Member) -> None:
        """Towards the beginning, so that nothing is overwritten that is still to be read."""
        if member.at == moved.at:
            return
        length = member.end - member.at
        for done in range(0, length, _MOVED_BYTES):
            data = os.pread(self._file, min(_MOVED_BYTES, length - done), member.at + done)
            write_all(self._file, memoryview(data), moved.at + done)
