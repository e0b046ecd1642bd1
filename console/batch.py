"""A list of URLs that is captured in one go or in several: what was done is remembered until all of it is."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from archive import disk


class Batch:
    """Remembers, by the list's own bytes and the case, which of its URLs were recorded. Gone when all were."""

    def __init__(self, path: Path, done: frozenset[str]) -> None:
        self._path = path
        self.done = done

    @classmethod
    def open(cls, directory: Path, *, case: str, urls: Iterable[str]) -> Self:
        name = hashlib.sha256("\n".join([case, *urls]).encode()).hexdigest()
        path = directory / f"{name}.jsonl"
        done: set[str] = set()
        with disk.trouble(path):
            disk.make_directory(directory)
            if path.exists():
                for line in path.read_text(encoding="utf-8").splitlines():
                    with suppress(ValueError):  # a torn line is a capture that is simply made again
                        done.add(json.loads(line)["url"])
        return cls(path, frozenset(done))

    def record(self, url: str) -> None:
        with disk.trouble(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"url": url}) + "\n")
            file.flush()

    def complete(self) -> None:
        with disk.trouble(self._path):
            self._path.unlink(missing_ok=True)
