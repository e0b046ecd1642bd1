"""Secrets in files: 0600, ours alone, made once and never overwritten."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from archive import disk
from archive.errors import KeyFileError
from custody.keys import KEY_BYTES, Ed25519Signer

MAX_PIN_BYTES = 256


def read_key(path: Path) -> Ed25519Signer:
    """Raises ``KeyFileError``, which says what to do and shows nothing of the key."""
    seed = _read_private(path, KEY_BYTES + 1)
    if len(seed) != KEY_BYTES:
        size = "more" if len(seed) > KEY_BYTES else str(len(seed))
        raise KeyFileError(f"{path} has {size} bytes, a key has {KEY_BYTES}: put it back from your backup")
    return Ed25519Signer(seed)


def make_key(path: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> Ed25519Signer:
    """A new key in a new file. Raises ``KeyFileError`` where something has that name already."""
    disk.make_directory(path.parent)
    try:
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, disk.PRIVATE_FILE
        )
    except FileExistsError as error:
        raise KeyFileError(f"{path} is there already, and no key is ever overwritten: name another file") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be made ({error.strerror}): name a file in a directory of yours") from error
    with disk.trouble(path), os.fdopen(descriptor, "wb") as file:
        file.write(random(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    disk.sync_directory(path.parent)
    return read_key(path)


def read_pin(path: Path) -> str:
    """Its first line."""
    data = _read_private(path, MAX_PIN_BYTES)
    try:
        return data.decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        # Not chained: the error would quote what it could not read.
        raise KeyFileError(f"{path} holds no PIN in UTF-8: write the PIN into it, and nothing else") from None


def _read_private(path: Path, limit: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror}): put it back from your backup") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise KeyFileError(f"{path} is no regular file: put the key back from your backup")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_uid != os.geteuid():
            raise KeyFileError(f"{path} belongs to another user: run `chown {os.geteuid()} {path}`")
        if not disk.is_private(status):
            raise KeyFileError(f"others can read {path}: run `chmod 600 {path}`, and think about who may have read it")
        return file.read(limit)
