"""Behind a proxy: the one that ends TLS is asked who asks, and nobody else is served at all."""

import ipaddress
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_MAX_ADDRESS = 64


class Proxied:
    """ASGI middleware, before all else.

    Whoever comes past the proxy comes without TLS, and may say of himself what he likes; so he is refused. Of what a
    browser has put into ``X-Forwarded-For`` nothing counts but what the proxy has added: the last address.
    """

    def __init__(self, app: ASGIApp, proxy: str) -> None:
        self._app = app
        self._proxy = ipaddress.ip_address(proxy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _address((scope.get("client") or ("",))[0]) != self._proxy:
            refusal = PlainTextResponse("This console is reached through its proxy alone.\n", 403)
            await refusal(scope, receive, send)
            return
        if headers.get("x-forwarded-proto", "https").strip().lower() != "https":
            refusal = PlainTextResponse("This console is reached over TLS alone: ask the proxy by https.\n", 403)
            await refusal(scope, receive, send)
            return
        told: dict[str, Any] = {"scheme": "https"}
        asks = _address(headers.get("x-forwarded-for", "").rpartition(",")[2].strip())
        if asks is not None:
            told["client"] = (str(asks), 0)
        await self._app({**scope, **told}, receive, send)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IPv4 address that a socket for both tells as IPv6 is the same address."""
    try:
        found = ipaddress.ip_address(text[:_MAX_ADDRESS])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
