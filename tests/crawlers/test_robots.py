"""robots.txt: what is allowed, what is unknown, and how often it is asked for."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.robots import MAX_BYTES, RobotsAnswer, RobotsKeeper, decide, robots_url

AT = datetime(2026, 3, 4, tzinfo=UTC)
PAGE = "https://shop.example/item/7?ref=x"


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        (b"", True),
        (b"User-agent: *\nDisallow:\n", True),
        (b"User-agent: *\nDisallow: /\n", False),
        (b"User-agent: *\nDisallow: /item/\nAllow: /item/7\n", True),  # RFC 9309 section 2.2.2: the longest match wins
        (b"User-agent: *\nDisallow: /item/7\nAllow: /item/7\n", True),  # and allow wins a draw
        (b"User-agent: *\nDisallow: /*?ref=\n", False),
        (b"User-agent: *\nDisallow: /item/7$\n", True),
        (b"User-agent: counterPROOF\nDisallow: /\n\nUser-agent: *\nAllow: /\n", False),
        (b"User-agent: Counterproof\nAllow: /\n\nUser-agent: *\nDisallow: /\n", True),
        (b"User-agent: proof\nDisallow: /\n", True),
        (b"User-agent: Otherbot\nDisallow: /\n", True),
        (b"User-agent: Otherbot\nUser-agent: Counterproof\nDisallow: /item\n", False),
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: / # all\r\n", False),
        (b"Disallow: /\n", True),
        (b"<!doctype html><title>Not found</title>\xff\xfe\x00", True),
    ],
)
def test_the_file_is_read_as_rfc_9309_says(body: bytes, *, allowed: bool) -> None:
    decision = decide(PAGE, body, 200)
    assert (decision.allowed, decision.reason, decision.token) == (allowed, "rules", "Counterproof")


@pytest.mark.parametrize(
    ("status", "body", "allowed", "reason"),
    [
        (404, b"User-agent: *\nDisallow: /\n", True, "no_file"),
        (403, None, True, "no_file"),
        (429, b"", True, "no_file"),
        (302, b"", True, "no_file"),
        (500, b"User-agent: *\nAllow: /\n", None, "unreachable"),
        (503, b"", None, "unreachable"),
        (200, None, None, "unreachable"),
        (None, None, None, "unreachable"),
    ],
)
def test_no_file_allows_and_no_answer_is_unknown(
    status: int | None, body: bytes | None, allowed: bool | None, reason: str
) -> None:
    decision = decide(PAGE, body, status)
    assert (decision.allowed, decision.reason) == (allowed, reason)


def test_the_delay_is_kept_without_a_float() -> None:
    decision = decide(PAGE, b"User-agent: *\nCrawl-delay: 1.5\nDisallow: /x\n", 200)
    assert decision.crawl_delay_s == 1.5
    assert decision.to_json() == {
        "token": "Counterproof",
        "allowed": True,
        "reason": "rules",
        "crawl_delay_ms": 1500,
        "truncated": False,
    }


def test_a_file_too_long_is_cut_at_a_line() -> None:
    start = b"User-agent: *\n"
    rule = b"Disallow: /item/8\n"
    filler = b"#" * (MAX_BYTES - len(start) - len(b"Disallow: /item/") - 1) + b"\n"
    body = start + filler + rule
    assert body[:MAX_BYTES].endswith(b"Disallow: /item/"), "the cut must fall into the rule"
    assert decide(PAGE, body[:MAX_BYTES], 200).allowed is False, "half a rule forbids what the whole one does not"
    decision = decide(PAGE, body, 200)
    assert (decision.allowed, decision.truncated) == (True, True)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file(body: bytes) -> None:
    assert decide(PAGE, body, 200).allowed in (True, False)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://Shop.Example/item/7?a#b", "https://shop.example/robots.txt"),
        ("http://shop.example:8080", "http://shop.example:8080/robots.txt"),
        ("http://[::1]:80/x", "http://[::1]:80/robots.txt"),
        ("https://a:b@shop.example/", "https://shop.example/robots.txt"),
    ],
)
def test_where_the_file_lies(url: str, where: str) -> None:
    assert robots_url(url) == where


def test_each_origin_is_asked_once() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> RobotsAnswer:
        asked.append(url)
        await asyncio.sleep(0.01)
        return RobotsAnswer(url=url, status=200, body=b"", error=None, fetched_at=AT)

    async def story() -> None:
        keeper = RobotsKeeper(fetch)
        answers = await asyncio.gather(*(keeper.answer(f"https://a.example/{n}") for n in range(5)))
        answers.append(await keeper.answer("https://A.example/6"))
        assert len({id(answer) for answer in answers}) == 1
        await keeper.answer("http://a.example/")
        await keeper.answer("https://a.example:8443/")
        assert asked == [
            "https://a.example/robots.txt",
            "http://a.example/robots.txt",
            "https://a.example:8443/robots.txt",
        ]

    asyncio.run(story())


def test_a_visit_that_is_cut_short_takes_the_answer_from_nobody() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> RobotsAnswer:
        asked.append(url)
        await asyncio.sleep(0.05)
        return RobotsAnswer(url=url, status=404, body=None, error=None, fetched_at=AT)

    async def story() -> None:
        keeper = RobotsKeeper(fetch)
        first = asyncio.ensure_future(keeper.answer("https://a.example/1"))
        second = asyncio.ensure_future(keeper.answer("https://a.example/2"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).status == 404
        assert first.cancelled()
        assert len(asked) == 1

    asyncio.run(story())


def test_a_fetch_that_breaks_is_tried_again_and_closing_ends_it() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> RobotsAnswer:
        asked.append(url)
        if len(asked) == 1:
            raise RuntimeError("the disk is full")
        await asyncio.sleep(30)
        raise AssertionError

    async def story() -> None:
        keeper = RobotsKeeper(fetch)
        with pytest.raises(RuntimeError, match="full"):
            await keeper.answer("https://a.example/1")
        again = asyncio.ensure_future(keeper.answer("https://a.example/1"))
        await asyncio.sleep(0.01)
        await keeper.close()
        with pytest.raises(asyncio.CancelledError):
            await again
        assert len(asked) == 2

    asyncio.run(story())
