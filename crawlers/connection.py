"""What the egress says of one connection: which name was asked, which address answered, when, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crawlers.policy import Refusal
from crawlers.resolving import ResolvedBy
from crawlers.special import is_public
from custody.instant import format_utc
from custody.model import Json

Kind = Literal["plain", "tunnel"]
Fault = Literal["dns", "refused", "timeout", "unreachable", "reset", "policy", "proxy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One attempt to reach a host for one visit."""

    host: str
    port: int
    kind: Kind
    """`tunnel`: CONNECT, as for HTTPS and web sockets. `plain`: one HTTP request."""
    asked_at: datetime
    addresses: tuple[str, ...] = ()
    """All that the name stands for, in the order of trying."""
    resolved_by: ResolvedBy | None = None
    """None until the name was resolved."""
    address: str | None = None
    """The one that was connected to."""
    connected_port: int | None = None
    """Differs from `port` only under `--resolve`."""
    connected_at: datetime | None = None
    through: str | None = None
    """The operator's proxy that it went out through, without name and password; None: straight."""
    refused: tuple[Refusal, ...] = ()
    """What the policy kept out. Where a name has other addresses too, those were tried."""
    error: Fault | None = None
    """None together with no `connected_at`: the visit ended while we were still trying."""
    detail: str | None = None
    """What the system said, in its words."""

    @property
    def is_public(self) -> bool | None:
        """Whether the address is a public one; before there is one, whether all that might be are. None: no address."""
        at = (self.address,) if self.address is not None else self.addresses
        return all(is_public(address) for address in at) if at else None

    def to_json(self) -> dict[str, Json]:
        return {
            "host": self.host,
            "port": self.port,
            "kind": self.kind,
            "addresses": list(self.addresses),
            "resolved_by": self.resolved_by,
            "address": self.address,
            "connected_port": self.connected_port,
            "through": self.through,
            "asked_at": format_utc(self.asked_at),
            "connected_at": format_utc(self.connected_at) if self.connected_at else None,
            "refused": [each.to_json() for each in self.refused],
            "error": self.error,
            "detail": self.detail,
            "is_public": self.is_public,
        }
