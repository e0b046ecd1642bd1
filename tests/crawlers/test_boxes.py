"""Boxes: what is looked for of a reading, and which measurements of a page may be claimed as a place on its picture."""

from collections.abc import Mapping
from typing import Any

import pytest

from archive.reading import Box, Kind, Reading, Seen, Source
from crawlers.boxes import HIDDEN, MOVED, NO_SELECTOR, NO_WORDS, OUTSIDE, Wanted, placed, wanted
from crawlers.camera import Shot, Tile
from custody.model import Json

SIZE = (1000, 3000)
SHOTS = (Shot(name="screenshot.png", tile=Tile(top=0, width=1000, height=3000), px=(1000, 3000)),)
PLACE = [10.5, 20.25, 100.0, 30.5]
TITLE = Wanted(name="title", language="css", selector="h1", pieces=("Title",))


def reading(fields: Mapping[str, Json], where: str = "css h1", seen: Seen = Seen.SHOWN) -> Reading:
    sources = {name: Source(where=where, seen=seen) for name in fields}
    return Reading(platform="generic", kind=Kind.LISTING, fields=fields, sources=sources)


def state(place: list[float] | None, *, view: tuple[int, int] = (1000, 900), page: tuple[int, int] = SIZE) -> Any:
    return {"view": list(view), "page": list(page), "boxes": [place]}


def boxes_of(*states: Any, said: str | None = None, shots: tuple[Shot, ...] = SHOTS, scale: float = 1) -> Any:
    return placed([TITLE], [said], states, shots, size=SIZE, scale=scale)


@pytest.mark.parametrize(
    ("fields", "pieces"),
    [
        ({"title": "A title"}, [("A title",)]),
        ({"price": "12.50", "price_shown": "12,50 €"}, [("12,50 €",), ("12,50 €",)]),
        ({"published": "2024-05-06", "published_shown": "6. Mai 2024"}, [("6. Mai 2024",), ("6. Mai 2024",)]),
        ({"rating_count": 1234}, [("1234",)]),
        ({"category": "Home > Rings"}, [("Home", "Rings")]),
        ({"variation": "red, large"}, [("red",), ("large",)]),
        ({"links": [{"url": "https://a.example/", "text": "My shop"}]}, [("My shop",)]),
    ],
)
def test_what_the_page_itself_says_is_looked_for(fields: Mapping[str, Json], pieces: list[tuple[str, ...]]) -> None:
    found, without = wanted(reading(fields))
    assert [each.pieces for each in found] == pieces
    assert without == {}


@pytest.mark.parametrize(
    ("fields", "where", "reason"),
    [
        ({"brand": "A"}, "row brand", NO_SELECTOR),
        ({"availability": "InStock"}, "css #stock", NO_WORDS),
        ({"outbound_links": ["https://a.example/"]}, "css a", NO_WORDS),
    ],
)
def test_where_there_is_nothing_to_look_for_it_is_said(fields: Mapping[str, Json], where: str, reason: str) -> None:
    assert wanted(reading(fields, where)) == ([], dict.fromkeys(fields, reason))


def test_what_is_only_embedded_is_no_matter_of_boxes() -> None:
    assert wanted(reading({"title": "A"}, seen=Seen.EMBEDDED)) == ([], {})


def test_a_selector_may_stand_behind_words() -> None:
    found, _ = wanted(reading({"seller": "A"}, "the buy box: css #one, #two"))
    assert (found[0].language, found[0].selector) == ("css", "#one, #two")


def test_a_place_that_stayed_is_claimed_in_whole_pixels() -> None:
    assert boxes_of(state(PLACE), state(PLACE), state(PLACE)).boxes == {
        "title": (Box(x=10, y=20, width=101, height=31),)
    }


def test_a_window_that_is_only_passed_through_counts_for_nothing() -> None:
    through = state([0.0, 900.0, 1.0, 1.0], view=(1, 1), page=(29, 9000))
    assert "title" in boxes_of(state(PLACE), through, state(PLACE)).boxes


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ((state(PLACE), state([10.5, 60.25, 100.0, 30.5]), state(PLACE)), MOVED),
        ((state(PLACE), state(None), state(PLACE)), MOVED),
        ((state(PLACE), state(PLACE, page=(1000, 3100)), state(PLACE)), MOVED),
        ((state(PLACE),), MOVED),
        ((state(None), state(None)), HIDDEN),
        ((state([10, 2990, 100, 30]), state([10, 2990, 100, 30])), OUTSIDE),
        ((state([-50, 20, 100, 30]), state([-50, 20, 100, 30])), OUTSIDE),
    ],
)
def test_any_other_has_a_reason(states: tuple[Any, ...], reason: str) -> None:
    found = boxes_of(*states)
    assert found.boxes == {}
    assert found.without == {"title": reason}


def test_a_picture_of_another_size_has_no_boxes() -> None:
    halved = (Shot(name="screenshot.png", tile=SHOTS[0].tile, px=(1000, 1500)),)
    assert boxes_of(state(PLACE), state(PLACE), shots=halved).without == {"title": MOVED}
    assert "title" in boxes_of(state(PLACE), state(PLACE), shots=(Shot(name="s", tile=SHOTS[0].tile, px=(2625, 7875)),),
                               scale=2.625).boxes  # fmt: skip


def test_why_the_page_did_not_have_it_is_kept() -> None:
    assert boxes_of(state(None), state(None), said="it is not drawn").without == {"title": "it is not drawn"}
