"""The spool: a run's files and journal on the local disk, until the store and the log have them.

::

    run-<run id>/
        lock             flocked by the process that runs; a lock nobody holds means that the process died
        journal.jsonl    what was begun and what came of it (archive/journal.py)
        <capture id>/    the files of one visit
    kept-run-<run id>/   a dead run that recovery could not bring to its end, for a person to look at
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from archive import disk
from archive.errors import ArchiveError, UsageError
from archive.journal import Journal
from custody.digest import Digest
from custody.model import Role, Snapshot

JOURNAL = "journal.jsonl"

_RUN = "run-"
_MAKING = ".making-"
_REMOVED = ".removed-"
_KEPT = "kept-"
_LOCK = "lock"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")  # what may stand in a subject's name, and never `..`
_CHUNK_BYTES = 1 << 20
_MAKING_TIME = timedelta(hours=1)


class SpoolFile:
    """One file of a visit, hashed while it is written. Without ``finish`` it goes again."""

    def __init__(self, path: Path, *, role: Role, media_type: str, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._role = role
        self._media_type = media_type
        self._clock = clock
        self._hasher = hashlib.sha256()
        self._bytes = 0
        self._snapshot: Snapshot | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with disk.trouble(path):
            try:
                descriptor = os.open(path, flags, disk.PRIVATE_FILE)
            except FileExistsError as error:
                raise UsageError(
                    f"this visit has a file named {path.name} already: give this one another name"
                ) from error
            # Unbuffered: what `write` returned from is the kernel's, and a full disk is heard of at once.
            self._file = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Raises ``DiskError``; then the file is gone and the visit has to say what it misses."""
        view = memoryview(data)
        try:
            with disk.trouble(self.path):
                while view:
                    written = self._file.write(view) or 0
                    self._hasher.update(view[:written])
                    self._bytes += written
                    view = view[written:]
        except ArchiveError:
            self.discard()
            raise

    def finish(self) -> Snapshot:
        """The file is durable, closed, and named by its digest."""
        if self._snapshot is None:
            try:
                with disk.trouble(self.path):
                    os.fsync(self._file.fileno())
                    self._file.close()
                disk.sync_directory(self.path.parent)
            except ArchiveError:
                self.discard()
                raise
            self._snapshot = Snapshot(
                role=self._role,
                name=self.path.name,
                media_type=self._media_type,
                path=self.path,
                digest=Digest(self._hasher.hexdigest()),
                bytes=self._bytes,
                made_at=self._clock(),
            )
        return self._snapshot

    def discard(self) -> None:
        if not self._file.closed:
            with disk.trouble(self.path):
                self._file.close()
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._snapshot is None:
            self.discard()


class VisitSpool:
    """The directory of one visit."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._clock = clock

    def writer(self, role: Role, name: str, media_type: str) -> SpoolFile:
        if not _NAME.fullmatch(name):
            raise UsageError(f"a spooled file is named by letters, digits, '.', '_' and '-', got {name[:80]!r}")
        return SpoolFile(self.path / name, role=role, media_type=media_type, clock=self._clock)

    def write(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        with self.writer(role, name, media_type) as file:
            file.write(data)
            return file.finish()

    def copy(self, role: Role, name: str, media_type: str, source: Path) -> Snapshot:
        """A file that somebody else wrote, such as a browser's download."""
        with self.writer(role, name, media_type) as file, disk.trouble(source), source.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
            return file.finish()

    def remove(self) -> None:
        """What the store holds needs no spool."""
        with disk.trouble(self.path):
            if self.path.exists():
                shutil.rmtree(self.path)


class RunSpool:
    """One run's directory; its lock is held by this process until ``close``."""

    def __init__(self, path: Path, lock: int, *, clock: Callable[[], datetime]) -> None:
        self.path = path
        self.run_id = path.name.removeprefix(_RUN)
        self._lock = lock
        self._clock = clock
        self.journal = Journal(path / JOURNAL, clock=clock)

    def visit(self, capture_id: str) -> VisitSpool:
        if not _NAME.fullmatch(capture_id):
            raise UsageError(f"a capture is named by its id, got {capture_id[:80]!r}")
        path = self.path / capture_id
        disk.make_directory(path)
        return VisitSpool(path, clock=self._clock)

    def close(self) -> bool:
        """Let go. True when nothing is left to submit, and the directory with it; else recovery will find it."""
        self.journal.close()
        settled = self.journal.settled
        if settled:
            remove_run(self.path)
        os.close(self._lock)
        return settled

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Spool:
    """All runs of a home."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._clock = clock

    def run(self, run_id: str) -> RunSpool:
        """A new run's directory, locked before it has a name that recovery would look at."""
        if not _NAME.fullmatch(run_id):
            raise UsageError(f"a run is named by its id, got {run_id[:80]!r}")
        disk.make_directory(self.path)
        making = self.path / f"{_MAKING}{run_id}"
        path = self.path / f"{_RUN}{run_id}"
        with disk.trouble(making):
            making.mkdir(mode=disk.PRIVATE_DIRECTORY)
        lock = disk.try_exclusive(making / _LOCK)
        if lock is None:
            raise UsageError(f"run {run_id} is being begun by another process: begin one with an id of its own")
        with disk.trouble(path):
            making.rename(path)
        disk.sync_directory(self.path)
        return RunSpool(path, lock, clock=self._clock)

    def runs(self) -> list[Path]:
        """Directories of all runs, oldest first: ids sort by time."""
        if not self.path.is_dir():
            return []
        with disk.trouble(self.path):
            return sorted(each for each in self.path.iterdir() if each.name.startswith(_RUN) and each.is_dir())

    @contextmanager
    def dead(self, run: Path) -> Iterator[bool]:
        """Whether nobody runs it; while the context lasts, nobody else recovers it either."""
        lock = disk.try_exclusive(run / _LOCK, create=False)
        if lock is None:
            yield False
            return
        try:
            # Another recovery may have removed the directory between our opening of its lock and our locking.
            yield _same_file(lock, run / _LOCK)
        finally:
            os.close(lock)

    def sweep(self) -> None:
        """What was left by a process that died while it made or removed a run's directory; nothing is in there."""
        long_ago = (self._clock() - _MAKING_TIME).timestamp()
        for making in self.path.glob(f"{_MAKING}*"):
            with suppress(FileNotFoundError):
                if making.stat().st_mtime < long_ago:
                    shutil.rmtree(making, ignore_errors=True)
        for removed in self.path.glob(f"{_REMOVED}*"):
            shutil.rmtree(removed, ignore_errors=True)  # perhaps by two of us at once


def remove_run(path: Path) -> None:
    """Out of sight at one stroke, then for good: half a directory must not look like a run."""
    removed = path.with_name(f"{_REMOVED}{path.name}")
    with disk.trouble(path):
        path.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)  # what stays, `sweep` takes


def set_aside(path: Path) -> Path:
    """Out of recovery's way, for a person to look at."""
    kept = path.with_name(f"{_KEPT}{path.name}")
    with disk.trouble(path):
        path.rename(kept)
    return kept


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
