"""Messages as a DevTools pipe carries them: JSON, each ended by a zero byte. Nothing here looks into one."""

from collections.abc import Iterator

MAX_BYTES = 512 << 20
"""Of one message. The largest picture that is asked for has a third of it; the driver could not take a larger one."""
END = b"\0"
_SESSION = b'"sessionId":"'
_LENGTH = 32
"""Of a session's id, which is 128 bits in hexadecimal."""
_ID_AT = slice(-_LENGTH - 2, -2)
_NAMED_AT = slice(-_LENGTH - 2 - len(_SESSION), -_LENGTH - 2)


class TooLong(Exception):
    """A message that does not end."""


class Frames:
    """Cuts what comes in pieces into messages."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._begun: list[bytes] = []
        self._size = 0

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Each message that is whole by now, without its end. Raises TooLong."""
        start = 0
        while (end := data.find(END, start)) >= 0:
            piece = data[start:end]
            start = end + 1
            if self._begun:
                self._begun.append(piece)
                piece, self._begun, self._size = b"".join(self._begun), [], 0
            yield piece
        if start < len(data):
            self._begun.append(data[start:] if start else data)
            self._size += len(data) - start
            if self._size > self._limit:
                raise TooLong(f"a message of more than {self._limit} bytes")


def session_of(frame: bytes) -> bytes:
    """The session that a message of the browser belongs to; empty: it is of the pipe itself.

    Chromium adds it to what the session said, as the last member: a message without one ends with two braces.
    """
    if frame[_NAMED_AT] == _SESSION and frame.endswith(b'"}'):
        return frame[_ID_AT]
    return b""
