"""Bytes between a browser and a site, both ways, until both have said that they are done."""

import asyncio
import contextlib
from collections.abc import Coroutine

from crawlers.forwarding import BadRequest, Framing

CHUNK_BYTES = 64 * 1024
CLOSE_S = 5


class Stream:
    """A socket's two halves."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Says that we send no more; the other side may go on."""
        with contextlib.suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()

    async def close(self) -> None:
        """What was sent is given a moment to leave; whoever does not take it is cut off."""
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        except OSError:  # TimeoutError is one
            self.abort()
        except asyncio.CancelledError:
            self.abort()
            raise

    def abort(self) -> None:
        self._writer.transport.abort()


class Relay:
    """One connection's bytes; knows afterwards how the site ended it."""

    def __init__(self, client: Stream, site: Stream, *, half_closed_s: float) -> None:
        self._client = client
        self._site = site
        self._half_closed_s = half_closed_s
        self._moved = 0
        self.received = 0
        """Bytes from the site."""
        self.reset_by_site: str | None = None
        self.closed_by_site = False

    async def both_ways(self) -> None:
        """A tunnel: either side may stop sending and still receive (RFC 9293 §3.6)."""
        await self._until_over(self._up())

    async def one_request(self, head: bytes, framing: Framing) -> None:
        """A plain request: its head, its body and no more go to the site; what comes back is passed on to its end."""
        await self._until_over(self._up_one(head, framing), one_answer=True)

    async def _until_over(self, up: Coroutine[None, None, bool], *, one_answer: bool = False) -> None:
        sending, receiving = asyncio.ensure_future(up), asyncio.ensure_future(self._down())
        both = {sending, receiving}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            while all(half.result() for half in both if half.done()):
                open_halves = {half for half in both if not half.done()}
                if not open_halves or (one_answer and receiving.done()):
                    break
                before = self._moved
                await asyncio.wait(open_halves, timeout=self._half_closed_s)
                if self._moved == before and not any(half.done() for half in open_halves):
                    break
        except asyncio.CancelledError:
            self._client.abort()
            self._site.abort()
            raise
        finally:
            for half in both:
                half.cancel()
            await asyncio.wait(both)

    async def _up(self) -> bool:
        """Client to site; True when the client only stopped sending, False when all is over."""
        try:
            while data := await self._client.reader.read(CHUNK_BYTES):
                self._moved += len(data)
                await self._site.send(data)
        except OSError:
            return False
        self._site.end()
        return True

    async def _down(self) -> bool:
        while True:
            try:
                data = await self._site.reader.read(CHUNK_BYTES)
            except OSError as error:
                self.reset_by_site = error.strerror or str(error) or "connection reset"
                return False
            if not data:
                self.closed_by_site = True
                self._client.end()
                return True
            self._moved += len(data)
            self.received += len(data)
            try:
                await self._client.send(data)
            except OSError:
                return False

    async def _up_one(self, head: bytes, framing: Framing) -> bool:
        try:
            await self._site.send(head)
            if framing == "chunked":
                await self._chunks()
            else:
                await self._exactly(framing)
            # A second request on this connection would go to a site it may not be meant for, credential and all.
            # The browser sees a reused connection end without an answer, and sends it again on a new one.
            return not await self._client.reader.read(1)
        except (OSError, EOFError, BadRequest, asyncio.LimitOverrunError):
            return False

    async def _exactly(self, length: int) -> None:
        while length > 0:
            data = await self._client.reader.read(min(length, CHUNK_BYTES))
            if not data:
                raise EOFError("the client left in the middle of its request")
            self._moved += len(data)
            length -= len(data)
            await self._site.send(data)

    async def _chunks(self) -> None:
        """RFC 9112 §7.1: size lines and data as they are, then trailers to the empty line."""
        while True:
            line = await self._client.reader.readuntil(b"\r\n")
            try:
                size = int(line.partition(b";")[0].strip(), 16)
            except ValueError as error:
                raise BadRequest("a chunk without a size") from error
            await self._site.send(line)
            if size == 0:
                break
            await self._exactly(size + 2)
        while line != b"\r\n":
            line = await self._client.reader.readuntil(b"\r\n")
            await self._site.send(line)
