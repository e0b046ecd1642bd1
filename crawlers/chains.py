"""The certificates of the main documents' hosts: asked for while the browser has them, which is as long as the page."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from crawlers import tls
from crawlers.hops import Trail
from crawlers.tab import Tab, TabTrouble
from crawlers.tls import Certificate


class Chains:
    """One chain for each https origin. Of one that only redirected, the browser tells about the leaf, and no more."""

    def __init__(self, tab: Tab, trail: Trail) -> None:
        self._tab = tab
        self._trail = trail
        self._chains: dict[str, tuple[bytes, ...]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        tab.on("Network.responseReceived", self._on_response)

    async def settle(self, *, within: float) -> None:
        """Wait for what was asked; what has not come by then is not waited for."""
        if self._asking:
            await asyncio.wait(self._asking.values(), timeout=within)
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def judged(self, trust_spki: Sequence[str]) -> tuple[Certificate, ...]:
        judged: dict[str, Certificate] = {}
        for exchange in self._trail.exchanges:
            origin = _origin(exchange.url)
            if exchange.url.startswith("https:") and origin not in judged:
                judged[origin] = tls.judge(
                    host=urlsplit(exchange.url).hostname or "",
                    chain_der=self._chains.get(origin, ()),
                    browser_says=exchange.security_state,
                    security=exchange.security or {},
                    trust_spki=trust_spki,
                    at=exchange.at,
                )
        return tuple(judged.values())

    def _on_response(self, event: Mapping[str, Any]) -> None:
        origin = _origin(event["response"]["url"])
        if self._trail.is_main(event) and origin.startswith("https:") and origin not in self._asking:
            self._asking[origin] = asyncio.ensure_future(self._ask(origin))

    async def _ask(self, origin: str) -> None:
        try:
            answer = await self._tab.send("Network.getCertificate", {"origin": origin})
        except TabTrouble:
            return  # without a chain the record says that there was none
        self._chains[origin] = tuple(base64.b64decode(der) for der in answer.get("tableNames", ()))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
