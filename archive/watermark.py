"""How far a log was seen on this machine. It never goes down; a store that shows less has lost something."""

from pathlib import Path
from typing import Any

from archive import disk
from archive.errors import LogRollback
from archive.log import Position
from custody import canonical
from custody.digest import Digest
from custody.errors import CustodyError
from custody.model import Json


class Watermark:
    """A small file, durable and shared by all processes of a home."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_name(f"{path.name}.lock")

    def read(self) -> Position:
        with disk.trouble(self._path):
            if not self._path.exists():
                return Position()
            data = self._path.read_bytes()
        try:
            value: Any = canonical.loads(data)
            return Position(value["n"], value["size"], Digest(value["commit"]))
        except (CustodyError, KeyError, TypeError) as error:
            raise LogRollback(
                f"{self._path} is damaged, so it cannot be told whether the log went backwards: run "
                "`counterproof verify` against a mirror, then remove this file"
            ) from error

    def rise(self, position: Position) -> None:
        """Durable when this returns; lower than what is known already changes nothing."""
        if position.commit_sha256 is None:
            return
        with disk.exclusive(self._lock):
            if self.read().n < position.n:
                value: Json = {"n": position.n, "size": position.size, "commit": position.commit_sha256.hex}
                disk.replace_file(self._path, canonical.dumps(value) + b"\n")

    def check(self, position: Position) -> None:
        """Raises ``LogRollback`` for another commit under the number of the one that was seen."""
        seen = self.read()
        if position.n == seen.n and position != seen:
            raise LogRollback(
                f"commit {position.n} in the store is {position.commit_sha256}, and this machine has seen "
                f"{seen.commit_sha256} there: the log was forked or replaced; nothing was changed; run "
                "`counterproof verify`, and compare the store with a mirror"
            )
