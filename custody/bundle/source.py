"""An export as a source: its blobs and tokens under the keys of an archive, for the checks that know those."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from custody import keyspace
from custody.artifact import Lock
from custody.bundle import layout
from custody.bundle.package import Gone, Package
from custody.bundle.places import Places
from custody.digest import Digest
from custody.source import Absent, Reader, VersionLike

_BLOB = re.compile(re.escape(keyspace.BLOBS) + "([0-9a-f]{2})/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Stored:
    """A bag keeps neither versions nor locks."""

    version_id: str | None = None
    lock: Lock | None = None


class BagSource:
    """``custody.source.Source``."""

    def __init__(self, package: Package, log: str, checkpoints: Mapping[int, str], places: Places) -> None:
        """``checkpoints``: the path of each by its size."""
        self._package = package
        self._places = places
        self._paths: dict[str, str] = {}
        for size, path in checkpoints.items():
            self._paths[keyspace.checkpoint_at(log, size)] = path
            for other in package.sizes:
                match = layout.TOKEN.fullmatch(other)
                if match is not None and other.startswith(f"{path}.") and other == f"{path}.{match[2]}.{match[3]}":
                    key = keyspace.token if match[3] == "tsr" else keyspace.query
                    self._paths[key(log, size, match[2])] = other

    def path(self, key: str) -> str:
        """Raises ``Gone``."""
        match = _BLOB.fullmatch(key)
        path = self._places.path(match[2]) if match is not None else self._paths.get(key)
        if path is None or path not in self._package.sizes:
            raise Gone(f"there is nothing under {key}")
        return path

    def open(self, key: str) -> BinaryIO:
        return self._package.open(self.path(key))

    def keys(self, prefix: str) -> Iterator[str]:
        """Blobs are not listed: what nothing names is a matter of the lists of files."""
        yield from sorted(key for key in self._paths if key.startswith(prefix))

    def head(self, key: str) -> _Stored:
        self.path(key)
        return _Stored()

    def versions(self, prefix: str) -> Iterator[VersionLike]:
        yield from ()


class BagReader(Reader):
    """Hashes a file once, whoever asks."""

    def __init__(self, source: BagSource, package: Package) -> None:
        super().__init__(source, absent=(Gone,), unreachable=())
        self._bag = source
        self._package = package

    def digest(self, key: str, limit: int) -> tuple[Digest | None, int]:
        try:
            found, length = self._package.digest(self._bag.path(key))
        except Gone as error:
            raise Absent(str(error)) from error
        return (None if length > limit else found), length
