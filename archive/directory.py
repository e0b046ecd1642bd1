"""A store in a directory: the same keys as files. What `mirror` writes, and what a stranger verifies.

A mirror comes from anybody, so nothing in it is followed: every step of a path is opened by itself and must be a plain
directory, and its end a plain file. A link or a pipe that has taken a name is listed, and is nothing that can be read
(``NotPlain``). There are no versions and no locks here: whoever may write to the directory may delete from it, and the
probe says so.
"""

import errno
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from archive import disk
from archive.errors import Collision, DiskError, NotPlain, NotStored, StoreError
from archive.payload import CHUNK_BYTES, Payload, checked_key, checked_prefix, refuse_to_lose
from archive.store import HoldState, Lock, Removal, Stored, Version
from custody.digest import Digest
from custody.keyspace import BLOBS

_WRITE_ONCE = 0o444
_MUTABLE = 0o644
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_END = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not make us wait
_MAX_STEPS = 24  # an archive's keys have twelve at most; a stranger's folders may go on for ever
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}


class DirectoryStore:
    """``archive.store.ObjectStore`` on a local file system that has hard links."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @property
    def name(self) -> str:
        return f"file:{self.root}"

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        """``link()`` is the moment of creation: it refuses a name that is taken, and the file is whole and on disk."""
        payload = Payload.of(data, digest=digest)
        with self._parent(key, create=True) as (parent, name), self._trouble(key):
            with self._beside(parent, payload, _WRITE_ONCE) as beside:
                created = self._link(parent, beside, name)
            os.fsync(parent)
        try:
            stored = self._stored(key, created=created)
        except NotPlain as error:
            raise Collision(f"{error}; nothing was overwritten") from error
        if (stored.sha256, stored.bytes) == (digest, payload.length):
            return stored
        if created:
            raise StoreError(
                f"{key} reads back as {stored.sha256}, written was {digest}: check the disk of {self.root}"
            )
        raise Collision(f"other bytes lie under {key}: expected {digest}, got {stored.sha256}; nothing was overwritten")

    def replace(self, key: str, data: bytes) -> None:
        payload = Payload.of(data, digest=Digest.of(data))
        with self._parent(key, create=True) as (parent, name), self._trouble(key):
            with self._beside(parent, payload, _MUTABLE) as beside:
                os.rename(beside, name, src_dir_fd=parent, dst_dir_fd=parent)
            os.fsync(parent)

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        with self._parent(key) as (parent, name), self._trouble(key):
            descriptor = os.open(name, _END, dir_fd=parent)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise NotPlain(f"{self.root / key} is no plain file: it is no part of an archive")
            return io.BufferedReader(_File(descriptor, self.root / key), CHUNK_BYTES)

    def head(self, key: str) -> Stored:
        """A directory keeps no checksum, so the file is read."""
        return self._stored(key, created=False)

    def keys(self, prefix: str) -> Iterator[str]:
        checked_prefix(prefix)
        if not self.root.exists():  # made by the first write
            return
        with self._trouble(prefix):
            root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield from self._walk(root, "", prefix)
        finally:
            os.close(root)

    def versions(self, prefix: str) -> Iterator[Version]:
        checked_prefix(prefix)
        yield from ()

    def remove_unlocked(self, key: str) -> None:
        refuse_to_lose(checked_key(key))
        with suppress(NotStored), self._parent(key) as (parent, name), self._trouble(key):
            os.unlink(name, dir_fd=parent)

    def lengthen(self, key: str, until: datetime) -> Lock | None:
        self._refuse_absent(key)
        return None

    def set_hold(self, key: str, *, on: bool) -> HoldState:
        self._refuse_absent(key)
        return "none"

    def remove(self, key: str) -> tuple[Removal, ...]:
        if not checked_key(key).startswith(BLOBS):
            raise StoreError(f"{key} is no blob: it stays")
        try:
            with self._parent(key) as (parent, name), self._trouble(key):
                os.unlink(name, dir_fd=parent)
                os.fsync(parent)
        except NotPlain as error:
            return (Removal(version_id=None, removed=False, answer=str(error)),)
        except NotStored:
            return ()
        return (Removal(version_id=None, removed=True, answer="removed"),)

    def _refuse_absent(self, key: str) -> None:
        self.open(key).close()

    def _walk(self, directory: int, path: str, prefix: str) -> Iterator[str]:
        """In byte order of whole keys: a directory sorts as if its name ended in ``/``."""
        with self._trouble(path):
            names = [name for name in os.listdir(directory) if not name.startswith(".")]  # such names are no keys
            modes = dict(_modes(directory, names))
        for name in sorted(f"{name}/" if stat.S_ISDIR(mode) else name for name, mode in modes.items()):
            found = f"{path}{name}"
            if not (found.startswith(prefix) or (name.endswith("/") and prefix.startswith(found))):
                continue
            if not _is_key(found.removesuffix("/")):
                continue  # nothing that an archive wrote; nobody can ask for it either
            if name.endswith("/"):
                if found.count("/") > _MAX_STEPS:
                    continue
                try:
                    with self._trouble(found):
                        inner = os.open(name[:-1], _STEP, dir_fd=directory)
                except NotStored:  # gone, or made a link of, since it was listed
                    continue
                try:
                    yield from self._walk(inner, found, prefix)
                finally:
                    os.close(inner)
            else:  # a link or a pipe has taken the name: who asks for it is told so
                yield found

    def _stored(self, key: str, *, created: bool) -> Stored:
        with self.open(key) as stream:
            digest, length = Digest.of_stream(stream)
        return Stored(key=key, bytes=length, sha256=digest, version_id=None, lock=None, created=created)

    def _link(self, parent: int, beside: str, name: str) -> bool:
        """True: the name is ours now. False: it was taken."""
        try:
            os.link(beside, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _NO_LINKS:
                raise StoreError(f"{self.root} has no hard links: put the archive on a Linux file system") from error
            raise
        return True

    @staticmethod
    @contextmanager
    def _beside(parent: int, payload: Payload, mode: int) -> Iterator[str]:
        """A file next to the name it will get, whole and on disk before it gets it. Its leading dot makes it no key."""
        name = f".{secrets.token_hex(8)}.new"
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=parent)
        try:
            hasher = hashlib.sha256()
            with os.fdopen(descriptor, "wb") as file, payload.open() as source:
                while chunk := source.read(CHUNK_BYTES):
                    hasher.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if (found := Digest(hasher.hexdigest())) != payload.digest:
                raise StoreError(f"the bytes changed while they were copied: expected {payload.digest}, got {found}")
            yield name
        finally:
            with suppress(FileNotFoundError):  # renamed
                os.unlink(name, dir_fd=parent)

    @contextmanager
    def _parent(self, key: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """The directory that holds the key's file, reached without following anything, and the file's name in it."""
        *steps, name = checked_key(key).split("/")
        if create:
            disk.make_directory(self.root)
        with self._trouble(key):
            here = os.open(self._there(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in steps:
                with self._trouble(key):
                    inner = self._step(here, step, create=create)
                os.close(here)
                here = inner
            yield here, name
        finally:
            os.close(here)

    @staticmethod
    def _step(here: int, step: str, *, create: bool) -> int:
        if create:
            with suppress(FileExistsError):
                os.mkdir(step, dir_fd=here)
                os.fsync(here)
        return os.open(step, _STEP, dir_fd=here)

    def _there(self) -> Path:
        if not self.root.is_dir():
            raise NotStored(f"there is no directory {self.root}: name the one that holds the archive's v1/")
        return self.root

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        try:
            with disk.trouble(self.root / key):
                yield
        except DiskError as error:
            number = error.__cause__.errno if isinstance(error.__cause__, OSError) else None
            if number == errno.ENOENT:
                raise NotStored(f"there is nothing under {key} in {self.root}") from error
            if number in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR}:
                raise NotPlain(f"a link or a stranger's file lies on the way to {key} in {self.root}") from error
            raise


def _is_key(text: str) -> bool:
    try:
        checked_key(text)
    except StoreError:
        return False
    return True


def _modes(directory: int, names: list[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        with suppress(FileNotFoundError):  # taken out of the inbox since it was listed
            yield name, os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode


class _File(io.FileIO):
    """Reads until the end or says what is wrong with the disk."""

    def __init__(self, descriptor: int, path: Path) -> None:
        super().__init__(descriptor, "rb")
        self._path = path

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        with disk.trouble(self._path):
            return super().readinto(buffer)
