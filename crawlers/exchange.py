"""One answer to a request for the main document, as DevTools tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from custody.model import Json

_OURS = "proxy-authorization"
"""What the browser says to our own egress; the site never sees it."""


@dataclass(kw_only=True, slots=True)
class Exchange:
    """Request and answer, as far as both are known; the headers as they came are put in later."""

    request_id: str
    url: str
    status: int
    status_text: str
    protocol: str
    mime_type: str
    charset: str
    headers: Mapping[str, str] = field(repr=False)
    request_headers: Mapping[str, str] = field(repr=False)
    security_state: str
    """The browser's own word on the connection: ``secure``, ``insecure``, ``neutral``, ``unknown``."""
    security: Mapping[str, Any] | None
    """``Network.SecurityDetails``; None over plain HTTP."""
    from_service_worker: bool
    """A script of the site that an earlier page left in the browser made this answer."""
    expects_extra: bool
    is_redirect: bool
    at: datetime
    header_text: str | None = field(default=None, repr=False)
    """The header block as it came (HTTP/1.1 only)."""

    @classmethod
    def of(
        cls, request_id: str, response: Mapping[str, Any], *, expects_extra: bool, is_redirect: bool, at: datetime
    ) -> Self:
        """From a ``Network.Response``."""
        return cls(
            request_id=request_id,
            url=response["url"],
            status=int(response["status"]),
            status_text=response.get("statusText", ""),
            protocol=response.get("protocol", ""),
            mime_type=response.get("mimeType", ""),
            charset=response.get("charset", ""),
            headers=response.get("headers", {}),
            request_headers=response.get("requestHeaders", {}),
            security_state=response.get("securityState", "unknown"),
            security=response.get("securityDetails"),
            from_service_worker=bool(response.get("fromServiceWorker")),
            expects_extra=expects_extra,
            is_redirect=is_redirect,
            at=at,
        )

    def pairs(self, name: Literal["headers", "request_headers"]) -> list[tuple[str, str]]:
        """One for each line, without what we say to our own egress."""
        headers = self.headers if name == "headers" else self.request_headers
        return [(each, line) for each, value in headers.items() for line in value.split("\n") if each.lower() != _OURS]

    def to_json(self) -> dict[str, Json]:
        return {
            "url": self.url,
            "status": self.status,
            "status_text": self.status_text,
            "protocol": self.protocol,
            "from_service_worker": self.from_service_worker,
            "headers": [[name, line] for name, value in self.headers.items() for line in value.split("\n")],
            "header_text": self.header_text,
            "request_headers": [[name, value] for name, value in self.request_headers.items() if name.lower() != _OURS],
        }
