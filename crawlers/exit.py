"""The address that sites see us come from: told by a service that the operator names, or unknown."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from crawlers.fetching import Fetched
from crawlers.session import NO_WAY_TO_LEARN
from custody.instant import format_utc
from custody.model import Json

WAIT_S = 2.0
"""A post that is vanishing waits no longer for it."""
MAX_BYTES = 256


async def learn(url: str | None, fetch: Callable[[str, str, int], Awaitable[Fetched]]) -> Mapping[str, Json]:
    """Ask the service at ``url``, which answers with the address alone, as text. Never raises.

    It is what that service says; whoever reads the record is told which one was asked, and when.
    """
    if url is None:
        return {"address": "unknown", "why": NO_WAY_TO_LEARN}
    parts = urlsplit(url)  # a query may hold a token
    asked: dict[str, Json] = {"asked": f"{parts.scheme}://{parts.hostname}{parts.path}"}
    try:
        async with asyncio.timeout(WAIT_S):
            got = await fetch(url, "own address", MAX_BYTES)
    except TimeoutError:
        return {"address": "unknown", **asked, "why": f"no answer within {WAIT_S:g} s"}
    told: dict[str, Json] = {**asked, "at": format_utc(got.at)}
    if got.body is None or got.status != 200:
        return {"address": "unknown", **told, "why": got.error or f"HTTP status {got.status}"}
    try:
        address = ipaddress.ip_address(got.body.decode("ascii", "replace").strip())
    except ValueError:
        return {"address": "unknown", **told, "why": "its answer is no address"}
    return {"address": str(address), **told}
