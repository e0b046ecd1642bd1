"""Serves one control page on loopback, to whoever was given its hole, and writes down what it was asked for."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from crawlers.control.page import ENTRY, HOST, PAGE, PICTURE, ControlPage
from crawlers.resolving import Resolve

MAX_HEAD = 64 * 1024
HEAD_S = 30.0


@dataclass(slots=True)
class ControlSite:
    """One connection, one answer."""

    page: ControlPage
    asked: list[str] = field(default_factory=list)
    """The targets of the requests, in the order of their coming."""
    _server: asyncio.Server | None = None

    @property
    def hole(self) -> Resolve:
        """What lets a visit reach this site; it is opened for the control's own visit and for no other."""
        assert self._server is not None
        return Resolve(host=HOST, port=80, address="127.0.0.1", connect_port=self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEAD)

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            target = words[1] if len(words) == 3 else ""  # RFC 9112 §3: method, target, version
            self.asked.append(target)
            writer.write(self._answer(target))
            await writer.drain()
        writer.close()

    def _answer(self, target: str) -> bytes:
        if target == ENTRY:
            return _answer("302 Found", "text/plain", b"", f"Location: {PAGE}?{self.page.nonce}\r\n")
        if target == f"{PAGE}?{self.page.nonce}":
            return _answer("200 OK", "text/html; charset=utf-8", self.page.html)
        if target == f"{PICTURE}?{self.page.nonce}":
            return _answer("200 OK", "image/png", self.page.picture)
        return _answer("404 Not Found", "text/plain", b"")


def _answer(status: str, media_type: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body
