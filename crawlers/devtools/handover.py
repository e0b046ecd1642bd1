"""Getting between a browser and its driver: the browser's two pipes are handed to us as it is started."""

import asyncio
import contextlib
import os
import shlex
import shutil
import socket
import stat
import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from crawlers.devtools import launcher

_PEER = struct.Struct("3i")  # struct ucred, unix(7): process, user, group


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """Four file descriptors, ours to close: what the driver says, where it listens, and the same of the browser."""

    driver_says: int
    driver_hears: int
    browser_says: int
    browser_hears: int


class Handover:
    """A program to start in place of the browser, and the place where it brings the pipes to. For one start.

    Nobody else gets between: the socket is in a folder that is this user's alone, lasts as long as the browser takes to
    start, and takes from a process below this one only (the kernel says who that is).
    """

    def __init__(self, program: str, scratch: Path) -> None:
        """``scratch``: a folder from which programs may be started. Raises OSError."""
        self._folder = Path(tempfile.mkdtemp(prefix="start-", dir=scratch))
        self._inside = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        self.program = self._folder / "browser"
        words = (sys.executable, "-I", "-S", launcher.__file__, str(self._folder), program)
        self.program.write_text(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, words))} "$@"\n', encoding="utf-8")
        self.program.chmod(stat.S_IRWXU)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._door.bind(f"/proc/self/fd/{self._inside}/{launcher.SOCKET}")
        self._door.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()
        os.close(self._inside)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def taken(self) -> Ends:
        """Once the program runs. It becomes the browser when this returns. Waits until then; may be cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            wire, _ = await loop.sock_accept(self._door)
            with wire:
                if not _is_below(wire):
                    continue
                await _readable(wire)
                _, given, _, _ = socket.recv_fds(wire, 1, 2, socket.MSG_CMSG_CLOEXEC)
                if len(given) != len((launcher.FROM, launcher.TO)):
                    for each in given:
                        os.close(each)
                    continue
                return _exchanged(wire, *given)


def _exchanged(wire: socket.socket, driver_says: int, driver_hears: int) -> Ends:
    hears, tells = os.pipe()
    browser_says, says = os.pipe()
    try:
        socket.send_fds(wire, [b"."], [hears, says])
    finally:
        os.close(hears)
        os.close(says)
    ends = Ends(driver_says=driver_says, driver_hears=driver_hears, browser_says=browser_says, browser_hears=tells)
    for each in (driver_says, driver_hears, browser_says, tells):
        os.set_blocking(each, False)
    return ends


def _is_below(wire: socket.socket) -> bool:
    pid, user, _ = _PEER.unpack(wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    if user != os.geteuid():
        return False
    with contextlib.suppress(OSError, ValueError):  # it ended meanwhile
        while pid > 1 and pid != os.getpid():
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return bool(pid == os.getpid())


async def _readable(wire: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def now() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(wire, now)
    try:
        await ready
    finally:
        loop.remove_reader(wire)
