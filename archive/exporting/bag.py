"""Where an export is put together: a folder, or a zip in one pass. What lies in it, how long it is, and its digest."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from archive import disk
from custody.digest import Digest

Put = Callable[[memoryview], None]
"""Takes the next bytes of a file."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(Protocol):
    """Of the files of one bag. All paths are safe, and each is written once. Every method raises ``DiskError``."""

    def write(self, path: str, data: bytes) -> None: ...

    def reserve(self, sizes: Sequence[tuple[str, int]]) -> None:
        """Room for files that ``filling`` writes, in this order."""
        ...

    def filling(self, path: str) -> AbstractContextManager[Put]:
        """In any thread, of what was reserved. What raises inside of it leaves no file."""
        ...

    def settle(self) -> None:
        """Nothing more is filled; what was reserved in vain takes no room."""
        ...

    def read(self, path: str, length: int) -> bytes: ...

    def finish(self) -> None:
        """All of it is written."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Bag:
    """Every file is hashed while it is written, and none is read again to be listed."""

    place: Place
    sizes: dict[str, int] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)

    def write(self, path: str, data: bytes) -> Digest:
        self.place.write(path, data)
        digest = Digest.of(data)
        self.note(path, digest, len(data))
        return digest

    def note(self, path: str, digest: Digest, length: int) -> None:
        """Of a file that was filled."""
        self.sizes[path] = length
        self.digests[path] = digest

    def read(self, path: str, limit: int) -> bytes | None:
        """None: it is longer."""
        length = self.sizes[path]
        return self.place.read(path, length) if length <= limit else None


class Folder:
    """Files in folders."""

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._made: set[str] = set()

    def write(self, path: str, data: bytes) -> None:
        with self.filling(path) as put:
            put(memoryview(data))

    def reserve(self, sizes: Sequence[tuple[str, int]]) -> None:
        for path, _ in sizes:
            self._make_parent(path)

    @contextmanager
    def filling(self, path: str) -> Iterator[Put]:
        self._make_parent(path)
        name = f"{self._root}/{path}"
        with disk.trouble(Path(name)):
            descriptor = os.open(name, _NEW, 0o666)
            try:
                yield lambda data: write_all(descriptor, data)
            except BaseException:
                Path(name).unlink()
                raise
            finally:
                os.close(descriptor)

    def settle(self) -> None:
        """Each file lies by itself."""

    def read(self, path: str, length: int) -> bytes:
        target = Path(self._root, path)
        with disk.trouble(target), target.open("rb") as file:
            return file.read(length)

    def finish(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def _make_parent(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            target = Path(self._root, folder)
            with disk.trouble(target):
                target.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)


def write_all(descriptor: int, data: memoryview, at: int | None = None) -> None:
    while data:
        done = os.write(descriptor, data) if at is None else os.pwrite(descriptor, data, at)
        at = None if at is None else at + done
        data = data[done:]
