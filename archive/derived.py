"""What was made of kept bytes, by their SHA-256: a cache, to which each line is added at once; lost, it is made again.

One file for each maker (a name and a version): what another version made of the same bytes is another thing.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from archive import disk
from custody.digest import Digest

_HEX = 64


class Derived:
    """Texts without line breaks, by digest. Several processes may have it open at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts = _read(path)

    @classmethod
    def open(cls, cache: Path, what: str, maker: str) -> Self:
        """``cache``: the home's. ``what`` is a directory in there, ``maker`` a file: names of ours, never of a page."""
        return cls(cache / what / f"{maker}.txt")

    def get(self, digest: Digest) -> str | None:
        return self._texts.get(digest.hex)

    def put(self, digest: Digest, text: str) -> None:
        if "\n" in text:
            raise ValueError("a text is one line")
        self._texts[digest.hex] = text
        line = f"{digest.hex} {text}\n".encode()
        with suppress(OSError):  # a disk that takes no more costs the next run some time, and this one nothing
            self._path.parent.mkdir(mode=disk.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, disk.PRIVATE_FILE
            )
            try:
                os.write(descriptor, line)  # once, at the end: lines of two processes do not mix
            finally:
                os.close(descriptor)


def _read(path: Path) -> dict[str, str]:
    """Lines that are whole; whoever asks judges what they say."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return {}  # not there, or not to be read: it is made again
    return {line[:_HEX]: line[_HEX + 1 :] for line in lines[:-1] if line[_HEX : _HEX + 1] == " "}
