"""The trusted proxy: it alone is served, and it alone is believed about who asks."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from console.web.proxied import Proxied
from console.web.sessions import TRIES
from tests.console.web.opened import served
from tests.console.web.shelf import Laid

PROXY = "10.0.0.1"


def asked(app: object, peer: str, *calls: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
    """One after the other, from that address."""

    async def all_() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, client=(peer, 40_000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://evidence.example") as client:
            return [await client.request(method, path, **options) for method, path, options in calls]

    return asyncio.run(all_())


def echo() -> Proxied:
    app = FastAPI()

    @app.get("/")
    def who(request: Request) -> dict[str, str]:
        return {"client": request.client.host if request.client else "", "scheme": request.url.scheme}

    return Proxied(app, PROXY)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
        ({"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}, "203.0.113.7"),
        ({"X-Forwarded-For": "::ffff:203.0.113.7"}, "203.0.113.7"),
        ({"X-Forwarded-For": "2001:db8::7"}, "2001:db8::7"),
        ({"X-Forwarded-For": "203.0.113.7, nobody"}, PROXY),
        ({}, PROXY),
    ],
)
def test_what_the_proxy_adds_is_believed_and_nothing_before_it(headers: dict[str, str], client: str) -> None:
    (answer,) = asked(echo(), PROXY, ("GET", "/", {"headers": headers}))
    assert answer.json() == {"client": client, "scheme": "https"}


def test_whoever_comes_past_the_proxy_or_without_tls_is_refused() -> None:
    (past,) = asked(echo(), "10.0.0.2", ("GET", "/", {"headers": {"X-Forwarded-For": PROXY}}))
    (plain,) = asked(echo(), PROXY, ("GET", "/", {"headers": {"X-Forwarded-Proto": "http"}}))
    assert (past.status_code, plain.status_code) == (403, 403)
    assert "proxy alone" in past.text
    assert asked(echo(), f"::ffff:{PROXY}", ("GET", "/", {}))[0].status_code == 200, "a socket for both says it so"


def test_tries_are_counted_for_who_asks_and_not_for_the_proxy(laid: Laid) -> None:
    """A new name each time, so that it is the address that counts."""
    with served(laid, is_local=False) as console:
        app = Proxied(console.app, PROXY)
        host = f"127.0.0.1:{console.port}"

        def tries(address: str, count: int) -> list[int]:
            headers = {"Host": host, "X-Forwarded-For": f"192.0.2.99, {address}"}
            calls = [
                ("POST", "/sign-in", {"headers": headers, "data": {"name": f"x{n}{address}", "password": "no"}})
                for n in range(count)
            ]
            return [each.status_code for each in asked(app, PROXY, *calls)]

        assert tries("203.0.113.1", TRIES + 1) == [401] * TRIES + [429]
        assert tries("203.0.113.2", 1) == [401], "another is not kept out for it"
