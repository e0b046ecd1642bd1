"""A light look: what counts as unchanged, and that whatever cannot be compared does not."""

import io
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from archive.reading import Kind, Reading
from crawlers.light import Basis, Held, Now, held
from crawlers.pictures.printing import Printer
from custody.digest import Digest
from custody.model import Json, Outcome
from tests.findings.casework import Unit, key

URL = "https://shop.example/item/1"
FIELDS: dict[str, Json] = {"title": "Screw bracelet", "price": "12.90", "currency": "EUR"}
WORDS = "Screw bracelet\n12.90 EUR\n2,317 sold\n4 d"


def painted(*, step: int = 16, spot: bool = False) -> bytes:
    """A picture with enough on it to be known again."""
    picture = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(0, 400, step):
        draw.rectangle((x, (x * 7) % 130, x + step // 2, 290 - (x * 5) % 150), fill=((x * 13) % 255, x % 255, 90))
    if spot:
        draw.ellipse((390, 290, 398, 298), fill="red")
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as made:
        yield made


@pytest.fixture(scope="module")
def basis(printer: Printer) -> Basis:
    page = replace(Unit().add(Kind.LISTING, URL, None, None, FIELDS, visible=WORDS), http_status=200)
    data = painted()
    return Basis(
        page=page,
        window=Digest.of(data),
        printed=printer.look(data, Digest.of(data)),
        key=key,
        printer=printer,
        turn=threading.Lock(),
    )


def now(*, window: bytes | None = None, fields: dict[str, Json] | None = None, **changes: object) -> Now:
    reading = Reading(platform="generic", kind=Kind.LISTING, fields={**FIELDS, **(fields or {})})
    made = Now(
        url=URL,
        outcome=Outcome.OK,
        http_status=200,
        hops=(),
        reading=reading,
        words=WORDS,
        window=painted() if window is None else window,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names a field of Now


def others(found: Held) -> list[Json]:
    return [each["what"] for each in found.compared if not each["same"]]


def test_the_same_page_is_unchanged(basis: Basis) -> None:
    found = held(basis, now())
    assert found.is_unchanged
    assert [each["what"] for each in found.compared] == [
        "outcome", "http_status", "address", "reading", "words", "picture",
    ]  # fmt: skip


def test_counts_and_ages_go_on_and_change_nothing(basis: Basis) -> None:
    words = WORDS.replace("2,317", "2,402").replace("4 d", "5 d")
    assert held(basis, now(words=words, fields={"likes": 4, "rating": "4.9"})).is_unchanged


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"outcome": Outcome.PRIVATE}, ["outcome"]),
        ({"http_status": 404}, ["http_status"]),
        ({"url": "https://shop.example/item/2"}, ["address"]),
        ({"fields": {"price": "14.90"}}, ["reading"]),
        ({"words": f"{WORDS}\nuse code ANA10"}, ["words"]),
        ({"window": painted(step=31)}, ["picture"]),
    ],
)
def test_whatever_is_another_is_a_change(basis: Basis, changes: dict[str, object], what: list[str]) -> None:
    found = held(basis, now(**changes))  # type: ignore[arg-type]  # as above
    assert not found.is_unchanged
    assert others(found) == what


def test_a_picture_that_looks_the_same_is_the_same(basis: Basis) -> None:
    found = held(basis, now(window=painted(spot=True)))
    picture = found.compared[-1]
    assert picture["before"] != picture["now"]
    assert found.is_unchanged
    assert isinstance(picture["distance"], int)


def test_what_cannot_be_compared_is_not_taken_for_the_same(basis: Basis) -> None:
    short = Reading(platform="generic", kind=Kind.LISTING, fields=FIELDS, notes=("reading stopped early: OutOfTime",))
    assert not held(basis, now(reading=short)).is_unchanged
    assert not held(replace(basis, printed=None), now()).is_unchanged
    cut = replace(basis, page=replace(basis.page, is_cut=True))
    assert not held(cut, now()).is_unchanged
    blank = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(blank, "PNG")
    assert not held(basis, now(window=blank.getvalue())).is_unchanged
