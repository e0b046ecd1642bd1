"""A package as it came, directory or zip, read in place: nothing is unpacked, no link and no odd name is followed."""

import errno
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO

from custody.bundle import layout
from custody.digest import Digest
from custody.errors import CustodyError, FormatError

MAX_INFLATION = 1032  # of DEFLATE, at most (zlib's own word): who claims more does not inflate one stream
MAX_TOTAL_INFLATION = 100
"""Of a whole zip. Evidence is pictures, which are compressed already; what grows a hundredfold is a bomb."""
SPARE_BYTES = 64 * 1024 * 1024
"""What a small zip may grow to, however much that is of its size."""

_CHUNK_BYTES = 1 << 20
_SAFE = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_END = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not make us wait
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1  # APPNOTE 4.4.4
_LOCAL_HEADER = struct.Struct("<26xHH")  # APPNOTE 4.3.7: lengths of name and extra field
_FIELD = struct.Struct("<HH")  # APPNOTE 4.5.1
_UNICODE_PATH = 0x7075  # APPNOTE 4.6.9
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
_REFUSED = (OSError, zipfile.LargeZipFile, *_DAMAGED)


class Gone(CustodyError):
    """There is no such file in the package, or it cannot be read."""


@dataclass(frozen=True, slots=True)
class Unsafe:
    """A member that was made to harm or mislead whoever unpacks it."""

    member: str
    reason: str


@dataclass(slots=True)
class Package:
    """Files by their path below the bag's own folder."""

    name: str
    sizes: dict[str, int]
    unsafe: list[Unsafe]
    _open: Callable[[str], BinaryIO]
    _close: Callable[[], None]
    _digests: dict[str, tuple[Digest | None, int]] = field(default_factory=dict)

    def close(self) -> None:
        self._close()

    def open(self, path: str) -> BinaryIO:
        """Raises ``Gone``."""
        if path not in self.sizes:
            raise Gone(f"there is no {path} in {self.name}")
        try:
            return self._open(path)
        except _REFUSED as error:
            raise Gone(f"{path} in {self.name} cannot be read: {error}") from error

    def read(self, path: str, limit: int) -> bytes:
        """Raises ``Gone``, and ``FormatError`` when it is longer."""
        data = bytearray()
        for chunk in self._chunks(path):
            data += chunk
            if len(data) > limit:
                raise FormatError(f"{path}: expected at most {limit} bytes")
        return bytes(data)

    def digest(self, path: str) -> tuple[Digest | None, int]:
        """Digest and length, read once; None for what cannot be read to its end."""
        if path not in self._digests:
            hasher, length, whole = sha256(), 0, True
            try:
                for chunk in self._chunks(path):
                    hasher.update(chunk)
                    length += len(chunk)
            except Gone:
                whole = False
            self._digests[path] = (Digest(hasher.hexdigest()) if whole else None, length)
        return self._digests[path]

    def _chunks(self, path: str) -> Iterator[bytes]:
        try:
            with closing(self.open(path)) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise Gone(f"{path} in {self.name} cannot be read: {error}") from error


def open_package(path: Path) -> Package:
    """Raises ``Gone`` for what is neither a directory nor a zip."""
    if path.is_dir():
        return _directory(path)
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device be read for ever
        raise Gone(f"{path} is no export: expected the directory or the zip that was handed over (it is no plain file)")
    try:
        return _zip(path)
    except _REFUSED as error:
        raise Gone(f"{path} is no export: expected the directory or the zip that was handed over ({error})") from error


def _directory(root: Path) -> Package:
    sizes: dict[str, int] = {}
    unsafe: list[Unsafe] = []
    folded: dict[str, str] = {}
    for path, size, reason in _walk(os.fspath(root), "", unsafe):
        found = reason or _judge(path, folded)
        if found:
            unsafe.append(Unsafe(path[:300], found))
        else:
            sizes[path] = size
        if len(sizes) + len(unsafe) > layout.MAX_FILES:
            unsafe.append(Unsafe("", f"more than {layout.MAX_FILES} files"))
            break

    def opened(path: str) -> BinaryIO:
        parent = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            *steps, last = path.split("/")
            for step in steps:
                inner = os.open(step, _STEP, dir_fd=parent)
                os.close(parent)
                parent = inner
            descriptor = os.open(last, _END, dir_fd=parent)
        finally:
            os.close(parent)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no plain file")
        return os.fdopen(descriptor, "rb")

    return Package(str(root), sizes, unsafe, opened, lambda: None)


def _walk(folder: str, prefix: str, unsafe: list[Unsafe], depth: int = 0) -> Iterator[tuple[str, int, str | None]]:
    """Path, size, and what is wrong with it."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda each: each.name)
    except OSError as error:
        unsafe.append(Unsafe(prefix or ".", f"it cannot be listed: {error.strerror}"))
        return
    for each in entries:
        path = f"{prefix}{each.name}"
        if each.is_symlink():
            yield path, 0, "a symbolic link"
        elif each.is_dir(follow_symlinks=False):
            if depth > 8 or not _SAFE.fullmatch(path):
                yield path, 0, "a folder that no export has"
            else:
                yield from _walk(f"{folder}/{each.name}", f"{path}/", unsafe, depth + 1)
        elif each.is_file(follow_symlinks=False):
            yield path, each.stat(follow_symlinks=False).st_size, None
        else:
            yield path, 0, "no plain file"


def _zip(path: Path) -> Package:
    packed = path.stat().st_size
    archive = zipfile.ZipFile(path)
    members = archive.infolist()
    unsafe: list[Unsafe] = []
    if len(members) > layout.MAX_FILES:
        unsafe.append(Unsafe("", f"more than {layout.MAX_FILES} members"))
        members = []
    # RFC 8493 §4: a serialised bag is one folder. Without one, the bag's files stand at the top.
    tops = {match[1] for each in members if (match := re.fullmatch(r"([^/]+/)bagit\.txt", each.filename))}
    top = next(iter(tops)) if len(tops) == 1 else ""
    found: dict[str, zipfile.ZipInfo] = {}
    folded: dict[str, str] = {}
    total = 0
    for each in members:
        reason = _zip_trouble(each, archive)
        name = each.filename.removeprefix(top)
        if reason is None and not each.filename.startswith(top):
            reason = _judge(each.filename, {}) or "outside of the bag's folder"
        elif reason is None and each.is_dir():
            reason = None if not name or _SAFE.fullmatch(name.rstrip("/")) else _NAME
            name = ""
        elif reason is None:
            reason = _judge(name, folded)
        if reason:
            unsafe.append(Unsafe(each.orig_filename[:300], reason))
        elif name:
            found[name] = each
            total += each.file_size
    if total > MAX_TOTAL_INFLATION * packed + SPARE_BYTES:
        unsafe.append(Unsafe("", f"{packed} bytes that claim to hold {total}: a bomb, not evidence"))
        found = {}

    def opened(name: str) -> BinaryIO:
        return io.BufferedReader(_Bounded(archive.open(found[name]), found[name].file_size))

    return Package(str(path), {name: each.file_size for name, each in found.items()}, unsafe, opened, archive.close)


_NAME = "a name that no export has"


def _zip_trouble(member: zipfile.ZipInfo, archive: zipfile.ZipFile) -> str | None:
    mode = member.external_attr >> 16
    if member.flag_bits & _ENCRYPTED:
        return "encrypted"
    if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "a symbolic link, or no plain file"
    if member.orig_filename != member.filename:
        return "a name with a zero byte or a backslash"
    if _has_other_name(member.extra) or _has_other_name(_local_extra(member, archive)):
        return "a second name, which some programs unpack it under"
    if member.compress_type not in _METHODS:
        return f"compressed by a method ({member.compress_type}) that no export uses"
    if member.file_size > MAX_INFLATION * max(member.compress_size, 1):
        return f"{member.compress_size} bytes that claim to hold {member.file_size}"
    return None


def _local_extra(member: zipfile.ZipInfo, archive: zipfile.ZipFile) -> bytes:
    """Of the header before the file, which ``zipfile`` passes over and others read (APPNOTE 4.3.7)."""
    if archive.fp is None:
        return b""
    archive.fp.seek(member.header_offset)
    header = archive.fp.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return b""
    name, extra = _LOCAL_HEADER.unpack(header)
    return archive.fp.read(name + extra)[name:]


def _has_other_name(extra: bytes) -> bool:
    while len(extra) >= _FIELD.size:
        kind, length = _FIELD.unpack_from(extra)
        if kind == _UNICODE_PATH:
            return True
        extra = extra[_FIELD.size + length :]
    return False


def _judge(path: str, folded: dict[str, str]) -> str | None:
    """Why a path must not be unpacked: it leaves its folder, or two paths become one somewhere."""
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "an absolute path"
    if ".." in parts or "." in parts:
        return "a path that leads out of the package"
    if not _SAFE.fullmatch(path):
        return _NAME
    other = folded.get(path.lower())
    folded.setdefault(path.lower(), path)
    if other == path:
        return "a second member of one name"
    return None if other is None else f"the same name as {other[:200]} where capitals do not count"


class _Bounded(io.RawIOBase):
    """No more than was announced, whatever comes out."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        try:
            data = self._stream.read(min(len(buffer), self._left + 1))
        except _DAMAGED as error:  # a zip tells only while it is read that a member is damaged
            raise Gone(f"a member is damaged: {error}") from error
        if len(data) > self._left:
            raise Gone("a member holds more than it says")
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
