"""Which file of an export holds which blob: by its bytes, and by the lists only to say which file was altered."""

from collections.abc import Mapping
from threading import Lock

from custody.bundle import layout
from custody.bundle.package import Package
from custody.digest import Digest


class Places:
    """Version 1 names a file by its digest; version 2 for people, and the lists say which digest it had."""

    def __init__(self, package: Package, lists: tuple[Mapping[str, Digest] | None, ...]) -> None:
        """``lists``: what was told to the log first, then what anybody can make again."""
        self._package = package
        self._said: dict[str, list[str]] = {}
        self._actual: dict[str, str] | None = None
        self._lock = Lock()
        for path in package.sizes:
            if match := layout.ARTIFACT.fullmatch(path):
                self._said[match[1]] = [path]
        for listed in lists:
            for path, digest in (listed or {}).items():
                if path.startswith(layout.ARTIFACTS) and not layout.ARTIFACT.fullmatch(path):
                    self._said.setdefault(digest.hex, []).append(path)

    def path(self, sha256: str) -> str:
        """Where it is; where it is said to be, if it is altered or gone; else where version 1 would have it."""
        said = self._said.get(sha256, [])
        for path in said:
            if self._is(path, sha256):
                return path
        if not (said and layout.ARTIFACT.fullmatch(said[0])) and (found := self._found().get(sha256)) is not None:
            return found
        here = [path for path in said if path in self._package.sizes]
        return (here or said or [layout.artifact(sha256)])[0]

    def holds(self, sha256: str) -> bool:
        return self.path(sha256) in self._package.sizes

    def _is(self, path: str, sha256: str) -> bool:
        if path not in self._package.sizes:
            return False
        digest = self._package.digest(path)[0]
        return digest is not None and digest.hex == sha256

    def _found(self) -> dict[str, str]:
        with self._lock:
            if self._actual is None:
                self._actual = {
                    digest.hex: path
                    for path in sorted(self._package.sizes)
                    if path.startswith(layout.ARTIFACTS) and (digest := self._package.digest(path)[0]) is not None
                }
            return self._actual
