"""Names to addresses: `--resolve` first, then the address itself, then the system; always said which."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from archive.errors import UsageError
from crawlers.address import host_key

ResolvedBy = Literal["resolve", "literal", "hosts", "dns"]

HOSTS_FILE = Path("/etc/hosts")
LOOKUP_THREADS = 8


class NameUnknown(Exception):
    """A host name has no address; the message is what the system said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a host name stands for, in the order of trying."""

    addresses: tuple[str, ...]
    resolved_by: ResolvedBy


Lookup = Callable[[str], Awaitable[Answer]]
"""Asks the system for a name's addresses; raises NameUnknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolve:
    """A name that stands for an address because the person who ran the command says so."""

    host: str
    port: int
    address: str
    connect_port: int

    def __str__(self) -> str:
        host, address = (f"[{each}]" if ":" in each else each for each in (self.host, self.address))
        return f"{host}:{self.port}:{address}:{self.connect_port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`HOST:PORT:ADDRESS[:PORT2]` as curl's --resolve; PORT2, ours, is where to connect instead of PORT."""
        fault = UsageError(
            f"--resolve {text!r} is not HOST:PORT:ADDRESS[:PORT2], such as shop.example:443:127.0.0.1:8443. "
            "An IPv6 address stands in brackets."
        )
        match = re.fullmatch(
            r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+):(?P<port>[0-9]{1,5})"
            r":(?P<address>\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::(?P<connect_port>[0-9]{1,5}))?",
            text.strip(),
        )
        if match is None:
            raise fault
        port = int(match["port"])
        connect_port = int(match["connect_port"] or port)
        if not 0 < port < 65536 or not 0 < connect_port < 65536:
            raise fault
        try:
            address = str(ipaddress.ip_address(match["address"].strip("[]")))
            host = host_key(match["host"], shown=f"--resolve {text!r}")
        except ValueError as error:
            raise fault from error
        return cls(host=host, port=port, address=address, connect_port=connect_port)


def literal(host: str) -> str | None:
    """The address that a host is by itself, if it is one."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def numeric(host: str) -> str:
    """The address that a browser takes a host of numbers for (WHATWG URL, "IPv4 parser"): `0x7f.1` is 127.0.0.1."""
    last = host.rpartition(".")[2]
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return host
    return host


class SystemLookup:
    """The system's own resolver, asked in a thread of its own, and the hosts file read beside it."""

    def __init__(self, *, hosts_file: Path = HOSTS_FILE) -> None:
        self._hosts_file = hosts_file
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, host: str) -> Answer:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, _getaddrinfo, host)
        except (OSError, UnicodeError) as error:
            raise NameUnknown(f"{host}: {getattr(error, 'strerror', None) or error}") from error
        return Answer(addresses=found, resolved_by=self._who_answered(host, found))

    def close(self) -> None:
        """Lookups under way end by themselves; nobody waits for them."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _who_answered(self, host: str, addresses: Sequence[str]) -> ResolvedBy:
        # getaddrinfo does not say. A name in the hosts file whose addresses are the file's came from there (nsswitch
        # puts files first); localhost never comes from public DNS (RFC 6761 §6.3), whoever answers for it here.
        if host == "localhost" or host.endswith(".localhost"):
            return "hosts"
        listed = _hosts(self._hosts_file).get(host)
        return "hosts" if listed and set(addresses) <= listed else "dns"


def _getaddrinfo(host: str) -> tuple[str, ...]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def _hosts(path: Path) -> dict[str, set[str]]:
    """hosts(5): an address, then names; `#` starts a comment."""
    names: dict[str, set[str]] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return names
    for line in text.splitlines():
        address, *aliases = line.partition("#")[0].split() or [""]
        for alias in aliases:
            known = literal(address)
            if known is not None:
                names.setdefault(alias.lower().removesuffix("."), set()).add(known)
    return names
