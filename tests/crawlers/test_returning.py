"""Which looks follow one that found nothing there."""

from itertools import count

import pytest

from archive.errors import UsageError
from crawlers.returning import MAX_AGAIN, control_page, control_pages, follow_ups, told, wants_follow_up
from crawlers.session import Job, Plan
from custody.model import Outcome

URL = "https://shop.example/item/1"
PAGES = ("https://other.example/", "https://shop.example/", "https://shop.example/about")


def plan(position: str = "root", url: str = URL) -> Plan:
    return Plan(url=url, capture_id="c0", unit="u0", depth=2, position=position)


def job(*, look_again_s: float = 20, pages: tuple[str, ...] = PAGES) -> Job:
    return Job(urls=(URL,), case="1", look_again_s=look_again_s, control_pages=pages)


def made(wanted: Job, *, already: int = 0) -> list[tuple[str, str, float]]:
    numbers = count(1)
    found = list(follow_ups(plan(), wanted, lambda: f"c{next(numbers)}", already=already))
    assert all((each.plan.unit, each.plan.parent, each.plan.depth) == ("u0", "c0", 3) for each in found)
    return [(each.plan.position, each.plan.url, each.after_s) for each in found]


def test_a_control_at_once_and_a_second_look_later() -> None:
    assert made(job()) == [("control", "https://shop.example/", 0), ("again", URL, 20)]
    assert made(job(pages=())) == [("again", URL, 20)]
    assert made(job(look_again_s=0)) == [("control", "https://shop.example/", 0)]
    assert made(job(), already=MAX_AGAIN) == [("control", "https://shop.example/", 0)]


def test_the_control_is_another_page_of_the_same_host() -> None:
    assert control_page(URL, PAGES) == "https://shop.example/"
    assert control_page("https://shop.example/", PAGES) == "https://shop.example/about"
    assert control_page("https://third.example/", PAGES) is None


def test_what_follows_is_not_followed_up() -> None:
    assert wants_follow_up(plan(), Outcome.REMOVED, 200)
    assert wants_follow_up(plan("link"), Outcome.HTTP_ERROR, 404)
    assert not wants_follow_up(plan("again"), Outcome.REMOVED, 200)
    assert not wants_follow_up(plan("control"), Outcome.HTTP_ERROR, 404)
    assert not wants_follow_up(plan(), Outcome.OK, 200)


def test_the_first_record_says_what_will_be_done() -> None:
    assert told(plan(), job(), already=0) == {"control_page": "https://shop.example/", "look_again_s": 20}
    assert told(plan(), job(pages=()), already=MAX_AGAIN) == {"control_page": "no control", "look_again_s": None}


def test_the_pages_are_the_options_or_the_environments() -> None:
    env = {"COUNTERPROOF_CONTROL_PAGES": "https://a.example/ https://b.example/x"}
    assert control_pages((), env) == ("https://a.example/", "https://b.example/x")
    assert control_pages(("https://c.example/",), env) == ("https://c.example/",)
    assert control_pages((), {}) == ()
    with pytest.raises(UsageError):
        control_pages(("no page",), {})
