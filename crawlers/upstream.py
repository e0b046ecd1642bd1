"""A proxy of the operator's that the egress goes out through: it is told addresses, never names."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy

from archive.errors import UsageError
from crawlers.relaying import Stream

VARIABLE = "COUNTERPROOF_PROXY"
NONE = "none"
_TYPES = {"http": ProxyType.HTTP, "socks5": ProxyType.SOCKS5}
_PORTS = {"http": 3128, "socks5": 1080}


class NotThrough(Exception):
    """The proxy could not be reached, or did not let us through; the message says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """An HTTP proxy that allows CONNECT (RFC 9110 §9.3.6), or a SOCKS5 one (RFC 1928).

    The egress resolves and judges every address itself and asks for a tunnel to that very address, so that what the
    policy decided is what is reached; TLS is between the browser and the site as ever.
    """

    scheme: str
    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """``SCHEME://[USER:PASSWORD@]HOST[:PORT]`` or ``none``. The error repeats no password."""
        if text.strip().lower() == NONE:
            return None
        fault = UsageError(
            "--proxy is http://[USER:PASSWORD@]HOST[:PORT] or socks5://[USER:PASSWORD@]HOST[:PORT], or none: this one "
            f"cannot be read (a name and password may be left to {VARIABLE}, so that they stand in no process list)"
        )
        try:
            parts = urlsplit(text.strip())
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise fault from error
        if parts.scheme not in _TYPES or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise fault
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=port,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )

    @classmethod
    def chosen(cls, option: str | None, environment: Mapping[str, str] = os.environ) -> Self | None:
        """The option's, or the environment's, or none."""
        text = option or environment.get(VARIABLE, "").strip()
        return cls.parse(text) if text else None

    def __str__(self) -> str:
        """For records: no name, no password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    async def dial(self, address: str, port: int, *, seconds: float, buffer_bytes: int) -> Stream:
        """A tunnel to an address. Raises NotThrough."""
        proxy = Proxy(
            _TYPES[self.scheme], self.host, self.port, username=self.username, password=self.password, rdns=False
        )
        try:
            socket = await proxy.connect(address, port, timeout=seconds)
        except ProxyTimeoutError as error:
            raise NotThrough(f"{self}: no tunnel to {address} port {port} in {seconds:.1f} s") from error
        except ProxyConnectionError as error:
            raise NotThrough(f"{self}: the proxy itself could not be reached") from error
        except (ProxyError, OSError) as error:
            raise NotThrough(f"{self}: no tunnel to {address} port {port}: {str(error)[:200]}") from error
        try:
            return Stream(*await asyncio.open_connection(sock=socket, limit=buffer_bytes))
        except OSError as error:
            socket.close()
            raise NotThrough(f"{self}: the tunnel to {address} port {port} broke") from error
