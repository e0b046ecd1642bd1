"""What we ask for beside the browser (robots.txt): through the egress, with a credential of its own, under our name."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from crawlers.address import SCHEMES
from crawlers.robots import TOKEN
from crawlers.session import Session

TIMEOUT_S = 10
MAX_REDIRECTS = 5  # RFC 9309 §2.3.1.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """``status`` and ``body`` are None where nothing came, and ``error`` says why."""

    url: str
    """Of the last answer."""
    status: int | None
    body: bytes | None = field(repr=False)
    error: str | None
    at: datetime


async def fetch(
    url: str, *, what: str, session: Session, download: Callable[[Request], Awaitable[Response]], limit: int
) -> Fetched:
    """By Scrapy, so that no page's own context is touched; at most ``limit`` bytes of it. Never raises.

    ``what`` it is for: the site is told, after our name.
    """
    name = f"{what} {url}"
    admitted = session.egress.admit(name)
    credential = base64.b64encode(f"{admitted.username}:{admitted.password}".encode()).decode()
    at = session.clock()
    try:
        for _ in range(MAX_REDIRECTS + 1):
            request = Request(
                url,
                dont_filter=True,
                headers={"User-Agent": f"{TOKEN} ({what})", "Proxy-Authorization": f"Basic {credential}"},
                meta={
                    "proxy": session.egress.url,
                    "download_timeout": TIMEOUT_S,
                    "download_maxsize": limit * 4,
                    "handle_httpstatus_all": True,
                },
            )
            async with asyncio.timeout(TIMEOUT_S + 2):
                response = await download(request)
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or location is None:
                break
            onward = response.urljoin(location.decode("latin-1"))
            if urlsplit(onward).scheme not in SCHEMES:
                break  # Scrapy would read `file:` from our disk, and go to `ftp:` past the egress
            url = onward
    except Exception as error:  # noqa: BLE001  # whatever a site does is an answer, and recorded
        refused = any(each.error == "policy" for each in session.egress.report(name))
        said = "refused_by_policy" if refused else type(error).__name__
        return Fetched(url=url, status=None, body=None, error=said, at=at)
    finally:
        session.egress.dismiss(name)
    return Fetched(url=response.url, status=response.status, body=response.body[:limit], error=None, at=at)
