"""The bytes of one stored version as a stream that takes a broken connection up again where it broke."""

import io
from collections.abc import Callable
from typing import Any

from archive.errors import StoreDown
from archive.patience import Patience
from archive.s3.trouble import FOREIGN


class VersionStream(io.RawIOBase):
    """``again(position)`` asks for the rest of the same version; ``length`` is what the store promised."""

    def __init__(
        self, body: Any, length: int, *, again: Callable[[int], Any], patience: Callable[[], Patience], what: str
    ) -> None:
        super().__init__()
        self._body = body
        self._left = length
        self._position = 0
        self._again = again
        self._new_patience = patience
        self._patience: Patience | None = None
        self._what = what

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        while self._left:
            cause: Exception | None = None
            try:
                count = int(self._body.readinto(memoryview(buffer)[: self._left]))
            except FOREIGN as error:
                count, cause = 0, error
            if count:
                self._left -= count
                self._position += count
                self._patience = None
                return count
            self._body.close()
            self._patience = self._patience or self._new_patience()
            if not self._patience.wait():
                raise StoreDown(f"{self._what} breaks off {self._left} bytes before its end; try again") from cause
            self._body = self._again(self._position)
        return 0

    def readall(self) -> bytes:
        """In one piece: Python's own goes by 8 KiB."""
        whole = bytearray(self._left)
        at = 0
        while count := self.readinto(memoryview(whole)[at:]):
            at += count
        return bytes(whole)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
