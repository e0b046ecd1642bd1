"""Circumstances of the main document's answers: address, protocol, and two clocks side by side."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.answers import answers, parse_date, reached_for
from crawlers.connection import Connection
from crawlers.exchange import Exchange

NOON = datetime(2026, 11, 5, 12, 0, 0, tzinfo=UTC)


def exchange(url: str = "https://shop.example/a", headers: dict[str, str] | None = None) -> Exchange:
    response = {"url": url, "status": 200, "protocol": "h2", "headers": headers or {}}
    return Exchange.of("1", response, expects_extra=False, is_redirect=False, at=NOON)


def connection(host: str, port: int, address: str, seconds: float | None) -> Connection:
    at = None if seconds is None else NOON + timedelta(seconds=seconds)
    return Connection(
        host=host, port=port, kind="tunnel", asked_at=NOON, address=address, connected_port=port, connected_at=at
    )


def test_the_sites_clock_stands_beside_ours() -> None:
    (told,) = answers([exchange(headers={"Date": "Thu, 05 Nov 2026 11:59:00 GMT", "age": "12"})], [])
    assert told["server_date"] == "Thu, 05 Nov 2026 11:59:00 GMT"
    assert (told["server_offset_s"], told["server_age"]) == (-60, "12")
    assert told["received_at"] == "2026-11-05T12:00:00.000Z"
    assert told["protocol"] == "h2"


@given(st.integers(0, 4_000_000_000))
def test_a_date_that_is_one_comes_back(seconds: int) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    assert parse_date(format_datetime(whole, usegmt=True)) == whole


@pytest.mark.parametrize(
    "said", ["Thu, 05 Nov 2026 12:00:00 GMT", "Thursday, 05-Nov-26 12:00:00 GMT", "Thu Nov  5 12:00:00 2026"]
)
def test_the_older_forms_are_read_too(said: str) -> None:
    assert parse_date(said) == NOON


@pytest.mark.parametrize("said", [None, "", "0", "yesterday", "Thu, 99 Nov 2026 12:00:00 GMT", "\ud800", "9" * 10_000])
def test_what_is_no_date_is_none(said: str | None) -> None:
    assert parse_date(said) is None
    headers = {} if said is None else {"Date": said}
    (told,) = answers([exchange(headers=headers)], [])
    assert told["server_offset_s"] is None


def test_the_connection_is_the_last_that_was_there_by_then() -> None:
    early, late = connection("shop.example", 443, "192.0.2.1", -2), connection("shop.example", 443, "192.0.2.2", 3)
    never = connection("shop.example", 443, "192.0.2.3", None)
    other = connection("shop.example", 80, "192.0.2.4", -1)
    every = [other, early, late, never]
    assert reached_for("https://shop.example/x", NOON, every) is early
    assert reached_for("https://shop.example/x", None, every) is late
    assert reached_for("https://shop.example/x", NOON, [late]) is late  # told of before we had counted it
    assert reached_for("http://shop.example/x", NOON, every) is other
    assert reached_for("https://else.example/", NOON, every) is None
    assert reached_for("https://shop.example:99999/", NOON, every) is None
