"""A web socket of a site (RFC 6455): it speaks first, then says again whatever comes, until the browser goes."""

import base64
import hashlib
from collections.abc import Sequence
from io import BufferedIOBase

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
TEXT, BINARY, CLOSE = 1, 2, 8
SECRETLY = b"!"
"""What begins so is not said again."""


def speak(rfile: BufferedIOBase, wfile: BufferedIOBase, key: str, lines: Sequence[bytes]) -> None:
    """A line that is no UTF-8 goes as binary. Raises OSError when the browser goes away in between."""
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    wfile.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
    )
    wfile.writelines(_frame(line, TEXT if _is_text(line) else BINARY) for line in lines)
    while (came := _read(rfile)) is not None:
        opcode, data = came
        if data.startswith(SECRETLY):
            continue
        wfile.write(_frame(data, opcode))
        if opcode == CLOSE:
            return


def _read(rfile: BufferedIOBase) -> tuple[int, bytes] | None:
    head = rfile.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length >= 126:
        length = int.from_bytes(rfile.read(2 if length == 126 else 8), "big")
    mask = rfile.read(4)
    data = rfile.read(length)
    return head[0] & 0x0F, bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))


def _frame(data: bytes, opcode: int) -> bytes:
    if len(data) < 126:
        length = bytes([len(data)])
    elif len(data) < 1 << 16:
        length = bytes([126]) + len(data).to_bytes(2, "big")
    else:
        length = bytes([127]) + len(data).to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + data


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
