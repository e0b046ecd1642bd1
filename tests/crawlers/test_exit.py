"""Where sites see us come from: what a service told, or unknown with the reason; never a guess."""

import asyncio
from collections.abc import Mapping

import pytest

from crawlers import exit as way_out
from crawlers.exit import learn
from crawlers.fetching import Fetched
from custody.model import Json
from tests.crawlers.looking import now

SERVICE = "https://user:secret@address.example/ip?token=secret"


def told(body: bytes | None, *, status: int | None = 200, error: str | None = None) -> Mapping[str, Json]:
    async def fetch(url: str, what: str, limit: int) -> Fetched:
        assert (url, what) == (SERVICE, "own address")
        return Fetched(url=url, status=status, body=None if body is None else body[:limit], error=error, at=now())

    return asyncio.run(learn(SERVICE, fetch))


@pytest.mark.parametrize(("body", "address"), [(b"203.0.113.5\n", "203.0.113.5"), (b" 2001:db8::1 ", "2001:db8::1")])
def test_what_the_service_says_is_kept_with_who_said_it(body: bytes, address: str) -> None:
    said = told(body)
    assert said["address"] == address
    assert said["asked"] == "https://address.example/ip"  # neither name, nor password, nor query
    assert "at" in said


@pytest.mark.parametrize(
    "body", [b"", b"<html>203.0.113.5</html>", b"203.0.113.5 203.0.113.6", b"\xff\xfe", b"1" * 1000, b"203.0.113.256"]
)
def test_what_is_no_address_is_unknown(body: bytes) -> None:
    assert (told(body)["address"], told(body)["why"]) == ("unknown", "its answer is no address")


def test_what_did_not_come_is_unknown_and_says_why() -> None:
    assert told(b"203.0.113.5", status=503)["why"] == "HTTP status 503"
    assert told(None, status=None, error="refused_by_policy")["why"] == "refused_by_policy"


def test_nobody_waits_long_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_out, "WAIT_S", 0.05)

    async def fetch(url: str, what: str, limit: int) -> Fetched:
        await asyncio.sleep(60)
        raise AssertionError((url, what, limit))

    said = asyncio.run(learn(SERVICE, fetch))
    assert (said["address"], said["why"]) == ("unknown", "no answer within 0.05 s")


def test_without_a_service_it_is_unknown() -> None:
    async def fetch(url: str, what: str, limit: int) -> Fetched:
        raise AssertionError((url, what, limit))

    assert asyncio.run(learn(None, fetch))["address"] == "unknown"
