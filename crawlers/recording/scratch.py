"""Bodies as they come: one file on disk for a whole visit, so that no page decides how much memory we use."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(slots=True)
class Kept:
    """Where one body lies in the file, in pieces, for many come at once."""

    pieces: list[tuple[int, int]] = field(default_factory=list)
    """Offset and length of each."""
    bytes: int = 0
    cut: bool = False
    """More came than there was room for."""


class Scratch:
    """Takes pieces of bodies, within a limit for each body and one for all of them."""

    def __init__(self, path: Path, *, each: int, total: int) -> None:
        self.path = path
        self._each = each
        self._total = total
        self._end = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)

    def fits(self, length: int, *, after: int) -> bool:
        """Whether there is room for so much of what already has ``after`` bytes."""
        return length <= min(self._each - after, self._total - self._end)

    def add(self, kept: Kept, data: bytes) -> None:
        """Keep what there is room for. Raises OSError where the disk is full."""
        room = max(0, min(self._each - kept.bytes, self._total - self._end))
        if len(data) > room:
            kept.cut = True
        if kept.cut and room == 0:
            return
        view = memoryview(data)[:room]
        begun = self._end
        while view:
            written = os.pwrite(self._file, view, self._end)
            self._end += written
            view = view[written:]
        length = self._end - begun
        kept.bytes += length
        if kept.pieces and sum(kept.pieces[-1]) == begun:
            kept.pieces[-1] = (kept.pieces[-1][0], kept.pieces[-1][1] + length)
        elif length:
            kept.pieces.append((begun, length))

    def read(self, kept: Kept) -> Iterator[bytes]:
        """The body from its beginning, a piece at a time."""
        for offset, length in kept.pieces:
            at, end = offset, offset + length
            while at < end:
                data = os.pread(self._file, min(_CHUNK, end - at), at)
                if not data:
                    raise OSError(f"{self.path.name} is shorter than what was written to it")
                at += len(data)
                yield data

    def close(self) -> None:
        """The file goes; what it held is in the WARC."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)
