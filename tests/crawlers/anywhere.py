"""A network of its own in which every address is answered here, and every packet is seen.

``python -m tests.crawlers.anywhere STORY FOLDER`` in a fresh network namespace (see ``told``): Linux routes all of IPv4
and IPv6 to the loopback device, so that a listener on the forbidden address really is there, whichever address that
is. The story's findings go to stdout as JSON.
"""

import asyncio
import contextlib
import functools
import importlib
import ipaddress
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_ETH_ALL, _PACKET_HOST = 0x0003, 0  # packet(7)
_TCP, _UDP = 6, 17


@dataclass(slots=True)
class Wire:
    """What was sent in this network: connections asked for (SYN), and datagrams, by their destination."""

    ours: set[int] = field(default_factory=set)
    """Ports of the stage: the egress, the site that lays the traps."""
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    """Of others: `tcp` or `udp`, address, port."""

    def sent(self, address: str) -> int:
        return sum(each[1] == address for each in self.seen)

    def take(self, frame: bytes) -> None:
        found = _ipv4(frame[14:]) if frame[12:14] == b"\x08\x00" else _ipv6(frame[14:])
        if found is None:
            return
        protocol, address, rest = found
        port = int.from_bytes(rest[2:4], "big")
        if protocol == _UDP:
            self.seen.append(("udp", address, port))
        elif protocol == _TCP and rest[13] & 0x12 == 0x02 and port not in self.ours:  # RFC 9293 §3.1: SYN, no ACK
            self.seen.append(("tcp", address, port))


def _ipv4(packet: bytes) -> tuple[int, str, bytes] | None:
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    return packet[9], str(ipaddress.IPv4Address(packet[16:20])), packet[(packet[0] & 15) * 4 :]


def _ipv6(packet: bytes) -> tuple[int, str, bytes] | None:
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return None
    return packet[6], str(ipaddress.IPv6Address(packet[24:40])), packet[40:]


@contextlib.asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """Listens to the loopback device, through which all of this network goes."""
    told = Wire()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL)) as tap:
        tap.bind(("lo", 0))
        tap.setblocking(False)
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)

        def read() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame, (_, _, kind, *_) = tap.recvfrom(65535)
                    if kind == _PACKET_HOST:  # each packet comes by twice: as it leaves, and as it arrives
                        told.take(frame)

        loop = asyncio.get_running_loop()
        loop.add_reader(tap, read)
        try:
            yield told
        finally:
            loop.remove_reader(tap)


def lay_network() -> None:
    """Every address is ours (ip-route(8), type local)."""
    for words in (
        "link set lo up",
        "link add away0 type veth peer name away1",  # a second one, as on machines that have a network
        "addr add 10.99.0.2/24 dev away0",
        "link set away0 up",
        "link set away1 up",
        "route add default via 10.99.0.1",
        "route add local 0.0.0.0/0 dev lo table local",
        "-6 route add local ::/0 dev lo table local",
    ):
        subprocess.run(("ip", *words.split()), check=True, timeout=20)


def listening(port: int) -> socket.socket:
    """On every address of both families."""
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", port))
    listener.listen(256)
    return listener


def reset_on_close(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@functools.cache
def prefix() -> tuple[str, ...] | None:
    """What puts a command into such a network; None where this system does not allow it."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return None
    user = () if os.geteuid() == 0 else ("--user", "--map-current-user", "--keep-caps")
    command = ("unshare", *user, "--net", "--")
    tried = subprocess.run((*command, "ip", "link", "set", "lo", "up"), capture_output=True, timeout=20, check=False)
    return command if tried.returncode == 0 else None


def told(story: str, folder: Path, *, timeout_s: float) -> Any:
    """The findings of a story, told in a network of its own."""
    command = prefix()
    assert command is not None
    words = (*command, sys.executable, "-m", "tests.crawlers.anywhere", story, str(folder))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    lay_network()
    found = asyncio.run(importlib.import_module(sys.argv[1]).story(Path(sys.argv[2])))
    sys.stdout.write("\n" + json.dumps(found) + "\n")
