"""A copy of an archive on disk, read as it lies there: keys are paths, and nothing that leads elsewhere is followed.

A copy comes from anybody. Every step of a path is opened by itself and must be a plain directory, its end a plain file.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

from custody.errors import CustodyError

THREADS = (os.cpu_count() or 2) + 1
"""To read with: hashing is all there is to wait for, and more threads than processors only wait for each other."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@~-]{0,199}")  # of every key that an archive has
_MAX_STEPS = 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STEP = _FOLDER | os.O_NOFOLLOW
_KEPT = 300  # of open folders: those of 256 blobs by their first digits, and a few of the log
_END = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not make us wait


class NotThere(CustodyError):
    """There is no file under the key: nothing, or a link, a pipe, a folder in its place."""


class NoLock:
    """What a disk says of an object: it keeps neither versions nor locks."""

    version_id: str | None = None
    lock: None = None


class NoVersion:
    """A disk lists none."""

    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool


class Folder:
    """``custody.source.Source`` over the folder that holds ``v1/``. May be used by several threads."""

    absent: tuple[type[Exception], ...] = (NotThere,)
    unreachable: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._folders: dict[str, int] = {}
        self._lock = Lock()

    def close(self) -> None:
        with self._lock:
            for folder in self._folders.values():
                os.close(folder)
            self._folders.clear()

    def open(self, key: str) -> BinaryIO:
        folder, _, name = _checked(key).rpartition("/")
        with self._trouble(key):
            end = self._end(folder, name)
        if not stat.S_ISREG(os.fstat(end).st_mode):
            os.close(end)
            raise _strange(key)
        # Unbuffered: whoever reads evidence reads all of it, into a buffer of his own.
        return cast("BinaryIO", FileIO(end, "rb"))

    def _end(self, folder: str, name: str) -> int:
        """The way to a folder is gone once, and each step looked at; some stay open for the files beside."""
        if (here := self._folders.get(folder)) is not None:
            with suppress(FileNotFoundError):  # it may be another folder by now
                return os.open(name, _END, dir_fd=here)
        here = self._walk(folder)
        with self._lock:
            keep = len(self._folders) < _KEPT and self._folders.setdefault(folder, here) == here
        try:
            return os.open(name, _END, dir_fd=here)
        finally:
            if not keep:
                os.close(here)

    def _walk(self, folder: str) -> int:
        here = os.open(self.path, _FOLDER)
        try:
            for step in folder.split("/") if folder else ():
                inner = os.open(step, _STEP, dir_fd=here)
                os.close(here)
                here = inner
        except OSError:
            os.close(here)
            raise
        return here

    def keys(self, prefix: str) -> Iterator[str]:
        with self._trouble(prefix):
            top = os.open(self.path, _FOLDER)
        try:
            yield from self._below(top, "", prefix)
        finally:
            os.close(top)

    def head(self, key: str) -> NoLock:
        self.open(key).close()
        return NoLock()

    def versions(self, prefix: str) -> Iterator[NoVersion]:  # there are none of any key
        yield from ()

    def _below(self, folder: int, path: str, prefix: str) -> Iterator[str]:
        """In byte order of whole keys: a folder sorts as if its name ended in ``/``."""
        with self._trouble(path):
            # What has another name, no archive wrote, and nobody can ask for.
            names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]
            modes = {name: os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode for name in names}
        for name in sorted(f"{name}/" if stat.S_ISDIR(mode) else name for name, mode in modes.items()):
            found = f"{path}{name}"
            if not name.endswith("/"):
                if found.startswith(prefix):  # a link or a pipe too: who asks for it is told that there is nothing
                    yield found
            elif (found.startswith(prefix) or prefix.startswith(found)) and found.count("/") <= _MAX_STEPS:
                with self._trouble(found):
                    inner = os.open(name[:-1], _STEP, dir_fd=folder)
                try:
                    yield from self._below(inner, found, prefix)
                finally:
                    os.close(inner)

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOENT and self.path.is_dir():
                raise NotThere(f"there is nothing under {key} in {self.path}") from error
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}:
                raise _strange(key) from error
            raise


def _checked(key: str) -> str:
    # The verifier makes its keys itself; this is for whoever lets one in that it did not make.
    if not all(map(_NAME.fullmatch, key.split("/"))):
        raise _strange(key)
    return key


def _strange(key: str) -> NotThere:
    return NotThere(f"what lies under {key[:300]!r} is no plain file: it is no part of an archive")
