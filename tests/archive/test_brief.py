"""A brief is read as it was written, and nothing is written that could not be read."""

import string
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.brief import (
    MAX_TERM,
    THRESHOLDS,
    Brief,
    Picture,
    ReferencePrice,
    Term,
    TermKind,
)
from custody import canonical
from custody.digest import Digest
from custody.errors import FormatError

_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))


def lines(most: int) -> st.SearchStrategy[str]:
    return st.text(_LETTERS, min_size=1, max_size=most).filter(lambda text: text == text.strip())


def amounts(most: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=2, allow_nan=False, allow_infinity=False)


@st.composite
def briefs(draw: st.DrawFn) -> Brief:
    names = draw(st.lists(lines(MAX_TERM), max_size=4, unique=True))
    terms = []
    for name in names:
        forms = [each for each in draw(st.lists(lines(20), max_size=2, unique=True)) if each != name]
        terms.append(Term(text=name, kind=draw(st.sampled_from(TermKind)), forms=tuple(forms)))
    priced = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    currency = st.text(string.ascii_uppercase, min_size=3, max_size=3)
    pictures = st.builds(
        Picture,
        digest=st.binary(max_size=4).map(Digest.of),
        bytes=st.integers(1, 1000),
        media_type=st.sampled_from(["image/png", "image/jpeg", "image/svg+xml"]),
        name=lines(20).filter(lambda text: "/" not in text),
        note=st.just("") | lines(30),
    )
    thresholds = {}
    for name, bound in THRESHOLDS.items():
        numbers = st.integers(bound.least, bound.most).map(Decimal) if bound.whole else amounts(bound.most)
        if draw(st.booleans()):
            thresholds[name] = draw(numbers)
    return Brief(
        title=draw(st.just("") | lines(30)),
        matter=draw(st.just("") | lines(30)),
        terms=tuple(terms),
        registrations=tuple(draw(st.lists(lines(30), max_size=3, unique=True))),
        authorised=tuple(draw(st.lists(lines(30), max_size=3, unique=True))),
        thresholds=thresholds,
        prices=tuple(
            ReferencePrice(term=each, amount=draw(amounts(10**9)), currency=draw(currency)) for each in priced
        ),
        pictures=tuple(draw(st.lists(pictures, max_size=3, unique_by=lambda each: each.digest))),
        timezone=draw(st.sampled_from(["", "Europe/Paris", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+5"])),
        purpose=draw(st.text(_LETTERS | st.sampled_from("\n\t "), max_size=60)),
        legal_basis=draw(st.text(_LETTERS, max_size=60)),
        review_by=draw(st.none() | st.dates()),
        retention_days=draw(st.none() | st.integers(1, 36_500)),
    )


@given(briefs())
def test_it_is_read_as_it_was_written(brief: Brief) -> None:
    data = brief.format({})
    assert Brief.of(canonical.loads(data)) == brief
    assert Brief.of(canonical.loads(data)).format({}) == data, "one brief, one way to write it"


FULL = Brief(
    title="Copies of the Love bracelet",
    matter="2026/118",
    terms=(
        Term(text="Cartier", forms=("カルティエ", "卡地亚")),
        Term(text="Love bracelet", kind=TermKind.PRODUCT),
    ),
    registrations=("EUTM 000123456 CARTIER, class 14",),
    authorised=("cartier.com",),
    thresholds={"picture_distance": Decimal(31), "price_ratio": Decimal("0.35")},
    prices=(ReferencePrice(term="Love bracelet", amount=Decimal("6900.00"), currency="EUR"),),
    pictures=(
        Picture(digest=Digest.of(b"picture"), bytes=7, media_type="image/png", name="front.png", note="The clasp"),
    ),
    timezone="Europe/Paris",
    purpose="Find who promotes copies.\nNothing else.",
    legal_basis="Art. 6(1)(f) GDPR",
    review_by=date(2027, 1, 31),
    retention_days=900,
)


@pytest.mark.parametrize(
    ("at", "wrong", "says"),
    [
        ("title", "two\nlines", "title"),
        ("title", " room", "title"),
        ("title", "x" * 301, "at most 300"),
        ("matter", None, "matter"),
        ("terms", [{"text": "", "kind": "brand", "forms": []}], "terms"),
        ("terms", [{"text": "Cartier", "kind": "seller", "forms": []}], "brand, product"),
        ("terms", [{"text": "Cartier", "kind": "brand", "forms": ["Cartier"]}], "twice"),
        ("terms", [{"text": "Cartier", "kind": "brand", "forms": []}] * 2, "twice"),
        ("terms", [], "'Love bracelet' is none"),
        ("authorised", ["a", "a"], "twice"),
        ("thresholds", {"price_ratio": "1.01"}, "from 0 to 1, got 1.01"),
        ("thresholds", {"price_ratio": "-0.1"}, "price_ratio"),
        ("thresholds", {"price_ratio": 1}, "price_ratio"),
        ("thresholds", {"picture_distance": "30.5"}, "a whole number from 0 to 256"),
        ("thresholds", {"unchanged_days": "0"}, "a whole number from 1 to 36500"),
        ("thresholds", {"picture_distance": "257"}, "a whole number from 0 to 256"),
        ("thresholds", {"mood": "1"}, "no threshold 'mood'; there are picture_distance, price_ratio"),
        ("prices", [{"term": "Love bracelet", "amount": "1e3", "currency": "EUR"}], "amount"),
        ("prices", [{"term": "Love bracelet", "amount": "NaN", "currency": "EUR"}], "amount"),
        ("prices", [{"term": "Love bracelet", "amount": "1", "currency": "eur"}], "currency"),
        ("timezone", "../etc/passwd", "timezone"),
        ("review_by", "2027-02-30", "no day 2027-02-30"),
        ("retention_days", 0, "retention_days"),
        ("retention_days", True, "retention_days"),
        ("purpose", "\x1b[2J", "purpose"),
        ("mood", "good", "mood"),
    ],
)
def test_what_is_not_as_it_must_be_is_named(at: str, wrong: Any, says: str) -> None:
    value: dict[str, Any] = FULL.to_json() | {at: wrong}
    with pytest.raises(FormatError, match=says):
        Brief.of(value)


@pytest.mark.parametrize("name", sorted(FULL.to_json()))
def test_nothing_may_be_left_out(name: str) -> None:
    value = {key: each for key, each in FULL.to_json().items() if key != name}
    with pytest.raises(FormatError, match=name):
        Brief.of(value)


@pytest.mark.parametrize(
    "wrong",
    [
        Brief(title="two\nlines"),
        Brief(title="\ud800"),
        Brief(thresholds={"price_ratio": Decimal("NaN")}),
        Brief(thresholds={"price_ratio": Decimal("0.123456")}),
        Brief(prices=(ReferencePrice(term="nothing", amount=Decimal(1), currency="EUR"),)),
    ],
    ids=["two lines", "half a character", "no number", "too fine", "a price of nothing"],
)
def test_what_could_not_be_read_is_not_written(wrong: Brief) -> None:
    with pytest.raises(FormatError):
        wrong.format({})


def test_a_brief_has_a_limit() -> None:
    terms = tuple(
        Term(text=f"{n:03d}{'🜁' * 77}", forms=tuple(f"{m:02d}{'🜁' * 78}" for m in range(50))) for n in range(200)
    )
    assert len(Brief(terms=terms).format({})) < 4 * 1024 * 1024
    crowd = tuple(f"{n:04d}{'🜁' * 296}" for n in range(1000))
    with pytest.raises(FormatError, match="at most 4194304 bytes"):
        Brief(terms=terms, authorised=crowd).format({})
