"""Wrapped links, held against where they led: those that say the truth, those that lie, those that lead nowhere."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.wrapping import Led
from crawlers.visits import visit_of
from crawlers.wrapped import wrapped_in
from custody.model import Hop, HopKind
from tests.crawlers.looking import looker, looking_at, new_id, sealed
from tests.crawlers.test_visits import AT, shown
from tests.site.host import Host, always, page, redirect
from tests.site.server import Site

SHOP = "https://shop.example/item?id=7"
OTHER = "https://other.example/item"
NAMED = "https%3A%2F%2Fshop.example%2Fitem%3Fid%3D7"
L = f"https://l.instagram.com/?u={NAMED}&e=x"
YOUTUBE = f"https://www.youtube.com/redirect?event=description&q={NAMED}"
IN_TWO = f"https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.youtube.com%2Fredirect%3Fq%3D{NAMED.replace('%', '%25')}"


@pytest.mark.parametrize(
    ("chain", "led", "led_to", "host_reached"),
    [
        ([L, SHOP], Led.AGREES, SHOP, True),
        ([L, f"{SHOP}&fbclid=abc"], Led.AGREES, f"{SHOP}&fbclid=abc", True),
        ([L, "http://shop.example/item?id=7", SHOP], Led.AGREES, "http://shop.example/item?id=7", True),
        ([L, "https://count.example/c?n=1", SHOP], Led.AGREES, "https://count.example/c?n=1", True),
        ([YOUTUBE, SHOP, OTHER], Led.AGREES, SHOP, True),
        ([IN_TWO, YOUTUBE, SHOP], Led.AGREES, SHOP, True),
        ([L, OTHER], Led.DISAGREES, OTHER, False),
        ([L, "https://shop.example/item?id=8"], Led.DISAGREES, "https://shop.example/item?id=8", True),
        ([IN_TWO, YOUTUBE, OTHER], Led.DISAGREES, OTHER, False),
        ([L], Led.NOT_FOLLOWED, None, False),
        ([L, "https://www.instagram.com/accounts/login/"], Led.NOT_FOLLOWED, None, False),
        (["https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.facebook.com%2Fa", "https://www.facebook.com/b"],
         Led.DISAGREES, "https://www.facebook.com/b", True),
    ],
)  # fmt: skip
def test_a_link_is_held_against_where_it_led(
    chain: Sequence[str], led: Led, led_to: str | None, host_reached: bool
) -> None:
    (found,) = wrapped_in(chain)
    assert (found.led, found.led_to, found.host_reached) == (led, led_to, host_reached)
    assert found.url == chain[0]
    assert found.by == "wrapper"


def test_a_wrapper_on_the_way_is_held_against_what_comes_after_it() -> None:
    (found,) = wrapped_in(["https://bit.ly/x", L, OTHER])
    assert (found.url, found.led) == (L, Led.DISAGREES)


def test_an_address_in_a_query_counts_where_the_link_left_its_site_and_is_told_apart() -> None:
    (found,) = wrapped_in([f"https://blog.example/leaving?to={NAMED}", SHOP])
    assert (found.by, found.led) == ("query", Led.AGREES)
    (lie,) = wrapped_in([f"https://blog.example/leaving?to={NAMED}", OTHER])
    assert (lie.by, lie.led) == ("query", Led.DISAGREES)
    assert wrapped_in([f"https://blog.example/search?url={NAMED}"]) == []


@pytest.mark.parametrize("chain", [["https://bit.ly/x", SHOP], [SHOP], ["https://l.instagram.com/?e=x", SHOP]])
def test_a_link_that_names_no_destination_says_nothing(chain: Sequence[str]) -> None:
    assert wrapped_in(chain) == []


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from([L, SHOP, OTHER, "https://[", "data:,x"])), max_size=8))
def test_no_chain_breaks_it(chain: list[str]) -> None:
    for each in wrapped_in(chain):
        assert each.to_json()["result"] in set(Led)


def session_of(hops: Sequence[str], tmp_path: Any, url: str = L) -> Any:
    steps = [url, *hops]
    seen = shown(
        final_url=steps[-1],
        hops=tuple(
            Hop(n=n, from_url=steps[n - 1], to_url=steps[n], kind=HopKind.HTTP, status=302, at=AT)
            for n in range(1, len(steps))
        ),
    )
    visit = visit_of(
        seen, looking_at(url, tmp_path / "v"), run=new_id(), scope="scope", connections=(), interventions=(),
        candidates=(), environment={}, closed_at=AT,
    )  # fmt: skip
    assert sealed(visit)
    return visit.circumstances["session"]


def test_the_record_has_it_and_the_link_stays_as_it_was_posted(tmp_path: Any) -> None:
    (told,) = session_of([OTHER], tmp_path)["wrappers"]
    assert told == {
        "url": L,
        "destination": SHOP,
        "by": "wrapper",
        "result": "disagrees",
        "led_to": OTHER,
        "host_reached": False,
    }


def test_a_record_without_wrapped_links_has_no_word_of_them(tmp_path: Any) -> None:
    assert "wrappers" not in session_of([], tmp_path, url=SHOP)


def test_a_long_chain_of_lies_has_room(tmp_path: Any) -> None:
    long = [f"https://l.instagram.com/?u=https%3A%2F%2F{n}.example%2F{'x' * 7000}" for n in range(20)]
    session = session_of([*long, OTHER], tmp_path)
    assert session["wrappers_total"] == 21
    assert len(session["wrappers"]) < 21


@pytest.mark.browser
def test_a_wrapper_that_lies_to_a_browser_is_recorded_as_one(tmp_path: Any) -> None:
    site = Site()
    lies = always(redirect(302, OTHER))
    site.hosts["l.instagram.com"] = Host(name="l.instagram.com", routes={"/": lies})
    text = "<!doctype html><meta charset=utf-8><title>Other</title><h1>Other</h1><p>It has words enough to be a page."
    site.hosts["other.example"] = Host(name="other.example", routes={"/item": always(page(text))})
    with site, looker(site, tmp_path) as eye:
        found = eye.look(L)
    session: Any = found.visit().circumstances["session"]
    assert found.visit().requested_url == L
    assert [(each["result"], each["led_to"]) for each in session["wrappers"]] == [("disagrees", OTHER)]
