"""What the egress connects to for a page, and what it refuses: decided on the very address, just before the socket."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

from archive.errors import UsageError
from crawlers.special import Network, embedded, parsed, special
from custody.model import Json

# The Fetch standard's "bad ports" (https://fetch.spec.whatwg.org/#port-blocking), which Chromium refuses by itself:
# what listens there speaks another protocol, and may take a request for its own commands.
BAD_PORTS = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What was not connected to, and why."""

    address: str | None
    """None: the port alone decided, and no name was asked for."""
    reason: str

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}" if self.address else self.reason

    def to_json(self) -> dict[str, Json]:
        return {"address": self.address, "reason": self.reason}


def parse_network(text: str) -> Network:
    """`--allow-network CIDR`; an address alone stands for itself."""
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise UsageError(
            f"--allow-network {text!r} is no network ({error}). Write one such as 10.20.0.0/16 or fd12:3456::/32."
        ) from error


def is_own(address: str) -> bool:
    """Whether this machine itself has the address: a packet to it would never leave, and pass no firewall.

    The system's own routing is asked: a datagram socket that is connected sends nothing, and has as its source the
    address that it would send from (connect(2), ip(7)); for an address of ours that is the address itself.
    """
    ip = parsed(address)
    inner = embedded(ip) if ip.version == 6 and ip.ipv4_mapped else None
    family = socket.AF_INET6 if (inner or ip).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(inner or ip), 9))
            return parsed(str(probe.getsockname()[0])) == (inner or ip)
    except OSError:
        return False  # no way there at all: the connection will say so


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Refuses every address that no public site has, and those of this machine; named networks are let through."""

    allowed: tuple[Network, ...] = ()
    own: Callable[[str], bool] = is_own

    def port(self, port: int) -> Refusal | None:
        if port in BAD_PORTS:
            return Refusal(address=None, reason=f"port {port} is not for the web")
        return None

    def address(self, address: str) -> Refusal | None:
        why = special(address)
        if why is None and self.own(address):
            why = "this machine's own"
        if why is None or self._is_allowed(address):
            return None
        return Refusal(address=address, reason=why)

    def _is_allowed(self, address: str) -> bool:
        try:
            ip = parsed(address)
        except ValueError:
            return False
        named = (ip, embedded(ip) or ip)
        return any(each.version == network.version and each in network for network in self.allowed for each in named)
