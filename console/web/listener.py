"""The listener: a socket of this machine from which answers go out at once."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from archive.errors import UsageError

LOOPBACK = "127.0.0.1"
_WAITING = 128
"""Who is told the address at once only waits."""


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Port 0: any that is free. Raises ``UsageError`` where it cannot be had."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError as error:
        raise UsageError(f"--host is an address of this machine, such as 0.0.0.0, got {host!r}") from error
    # asyncio sets TCP_NODELAY only where the protocol is named; else a page's body waits 40 ms for its head's ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((host, port))
            listener.listen(_WAITING)
        except OSError as error:
            raise UsageError(f"port {port} of {host} cannot be had ({error.strerror}): name another") from error
        yield listener
    finally:
        listener.close()
