"""The local disk: private files, written whole or not at all, and locks that die with their process."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import DiskError

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600

_ADVICE = {
    errno.EROFS: "that disk can only be read; mount it for writing, or name another",
    errno.EEXIST: "it is a file, and a directory is needed; name another",
    errno.ENOTDIR: "a part of that path is a file, and a directory is needed; name another",
    errno.ENOENT: "it is not there; name another",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Where ``OSError`` ends and becomes a sentence for a person."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskError(f"the disk is full: free some space for {path}, then run the command again") from error
        reason = error.strerror or type(error).__name__
        advice = _ADVICE.get(error.errno or 0, "give this user the right to it, or name another")
        raise DiskError(f"{path} cannot be used ({reason}): {advice}") from error


def make_directory(path: Path) -> None:
    """With its parents; ours alone. One that is there already keeps its mode, which is its owner's decision."""
    with trouble(path):
        path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory")


def sync_directory(path: Path) -> None:
    """A new name is durable only once its directory is."""
    with trouble(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """The old bytes or the new ones, whenever the power goes; the caller holds a lock against a second writer."""
    beside = path.with_name(f"{path.name}.new")
    with trouble(path):
        beside.unlink(missing_ok=True)  # left by a writer that died
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    sync_directory(path.parent)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold an exclusive flock on a file of its own. The kernel lets go when the process ends, however it ends."""
    with trouble(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        with trouble(path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_exclusive(path: Path, *, create: bool = True) -> int | None:
    """A descriptor that holds the lock until it is closed. None: somebody else holds it, or it is not there to hold."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    with trouble(path):
        try:
            descriptor = os.open(path, flags, PRIVATE_FILE)
        except FileNotFoundError:
            if create:
                raise
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


def is_private(status: os.stat_result) -> bool:
    """Nobody but its owner can read, write or run it."""
    return stat.S_IMODE(status.st_mode) & 0o077 == 0


def release(lock: int) -> None:
    """Let go of what ``try_exclusive`` gave."""
    os.close(lock)
