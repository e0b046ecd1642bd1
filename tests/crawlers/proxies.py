"""Proxies to go out through: HTTP CONNECT and SOCKS5, each with a name and a password, and a list of what was asked."""

import asyncio
import base64
import contextlib
import ipaddress
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

NAME, PASSWORD = "the-name", "the-secret"

Where = Callable[[str, int], tuple[str, int]]


@dataclass(slots=True)
class Proxy:
    """``where``: the end of the tunnel in place of the one asked for."""

    scheme: str
    where: Where
    refuses: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)
    turned_away: int = 0
    port: int = 0
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{NAME}:{PASSWORD}@127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        with contextlib.suppress(OSError, EOFError):
            opened = await (self._http if self.scheme == "http" else self._socks)(reader, writer)
            if opened is not None:
                there, back = opened
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
                await _shut(back)
        await _shut(writer)

    async def _open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        self.asked.append((host, port))
        return None if self.refuses else await asyncio.open_connection(*self.where(host, port))

    async def _http(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        wanted = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
        if f"Proxy-Authorization: Basic {wanted}" not in head:
            self.turned_away += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return None
        host, _, port = head.split(" ")[1].rpartition(":")
        opened = await self._open(host.strip("[]"), int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if opened else b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return opened

    async def _socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """RFC 1928, with RFC 1929 for name and password."""
        _, methods = await reader.readexactly(2)
        assert 2 in await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        name = await reader.readexactly(length)
        (length,) = await reader.readexactly(1)
        if (name.decode(), (await reader.readexactly(length)).decode()) != (NAME, PASSWORD):
            self.turned_away += 1
            writer.write(b"\x01\x01")
            return None
        writer.write(b"\x01\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            (length,) = await reader.readexactly(1)
            host = (await reader.readexactly(length)).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        opened = await self._open(host, int.from_bytes(await reader.readexactly(2), "big"))
        writer.write(b"\x05" + (b"\x00" if opened else b"\x05") + b"\x00\x01" + bytes(6))
        return opened


async def _shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def proxy(scheme: str, where: Where, *, refuses: bool = False) -> AsyncIterator[Proxy]:
    made = Proxy(scheme, where, refuses)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await asyncio.gather(*made.serving, return_exceptions=True)


@contextmanager
def proxy_beside(scheme: str, where: Where) -> Iterator[Proxy]:
    """In a thread of its own, for commands that are run as processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opening = proxy(scheme, where)
    try:
        yield asyncio.run_coroutine_threadsafe(opening.__aenter__(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(opening.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
