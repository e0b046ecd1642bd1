"""What changed between two captures: each kind with its passages, and what could not be compared."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.absence import Absence
from archive.reading import Kind as PageKind
from archive.reading import Reading, Seen, Source
from custody import schema
from custody.model import Hop, HopKind, Json, Outcome, Status
from findings.change import Change, Comparison, Kind
from findings.comparing import compare
from findings.fields import stable
from findings.page import Page, Shown
from findings.settled import settled
from tests.findings.casework import NOON, SameWords, Unit, key

POST: dict[str, Any] = {"handle": "ana.finds", "author": "Ana", "caption": "my band, link in bio"}
LISTING: dict[str, Any] = {
    "title": "Screw bracelet",
    "price": "12.90",
    "currency": "EUR",
    "seller": "Sunny",
    "availability": "InStock",
}


def page(kind: PageKind, number: int = 0, *, url: str = "https://social.example/p/1", **fields: Json) -> Page:
    """As it was looked at on a day of this number."""
    made = Unit(name=f"u{number}").add(kind, url, None, None, fields)
    return replace(made, looked_at=NOON + timedelta(days=number))


def other(before: Page, number: int = 1, **changes: Json) -> Page:
    """The same page later; a field that becomes None is no longer there."""
    fields = {name: value for name, value in {**before.reading.fields, **changes}.items() if value is not None}
    return page(before.kind, number, url=before.url, **fields)


def replaced(before: Page, name: str, now: str) -> Page:
    changes: dict[str, Any] = {name: now}
    return other(before, **changes)


def held(before: Page, after: Page, *, absence: Absence | None = None, words: bool = True) -> Comparison:
    return compare(before, after, key=key, resembles=SameWords(), absence=absence, words=words)


def only(comparison: Comparison) -> Change:
    (change,) = comparison.changes
    return change


def test_the_log_knows_the_same_words_in_the_same_order() -> None:
    assert tuple(Kind) == schema.CHANGES


def test_nothing_changed() -> None:
    before = page(PageKind.POST, **POST)
    assert held(before, other(before)).changes == ()


@pytest.mark.parametrize(
    ("kind", "fields", "name", "was", "now", "expected"),
    [
        (PageKind.POST, POST, "caption", "my band", "my band, number 14", Kind.CAPTION_EDITED),
        (PageKind.POST, POST, "handle", "ana.finds", "ana.finds2", Kind.NAME_CHANGED),
        (PageKind.PROFILE, {"bio": "finds"}, "bio", "finds", "finds for less", Kind.BIO_EDITED),
        (PageKind.LISTING, LISTING, "title", "Screw bracelet", "Bangle", Kind.TITLE_CHANGED),
        (PageKind.LISTING, LISTING, "price", "12.90", "14.90", Kind.PRICE_CHANGED),
        (PageKind.LISTING, LISTING, "seller", "Sunny", "Rainy", Kind.SELLER_CHANGED),
        (PageKind.LISTING, LISTING, "availability", "InStock", "OutOfStock", Kind.AVAILABILITY_CHANGED),
    ],
)
def test_a_field_that_became_another(  # noqa: PLR0917  # a row of the table
    kind: PageKind, fields: dict[str, Any], name: str, was: str, now: str, expected: Kind
) -> None:
    before = page(kind, **{**fields, name: was})
    change = only(held(before, replaced(before, name, now)))
    assert change.kind is expected
    assert change.before is not None
    assert change.after is not None
    assert was in change.before.text
    assert now in change.after.text
    assert (change.before.capture, change.after.capture) == ("u0-1", "u1-1")
    assert change.after.where == f"css .{name}"
    assert was in change.sentence
    assert now in change.sentence
    assert "on 2026-03-02 12:00 UTC" in change.sentence
    assert change.sentence[0] == "O"


def test_white_space_and_two_spellings_of_one_letter_are_no_edit() -> None:
    before = page(PageKind.POST, caption="caf\u00e9  noir", handle="a")
    assert held(before, other(before, caption="cafe\u0301\nnoir")).changes == ()


def test_a_new_link_in_the_bio_and_one_that_is_gone() -> None:
    before = page(PageKind.PROFILE, bio="x", outbound_links=["https://hub.example/a", "https://old.example/"])
    after = other(before, outbound_links=["https://www.hub.example/a", "https://new.example/"])
    found = held(before, after)
    assert [(each.kind, each.facts["url"]) for each in found.changes] == [
        (Kind.LINK_ADDED, "https://new.example/"),
        (Kind.LINK_GONE, "https://old.example/"),
    ]
    assert found.changes[0].before is None
    assert found.changes[1].after is None
    assert found.changes[0].sentence == (
        "On 2026-03-02 12:00 UTC a link to https://new.example/ stood on the bio; on 2026-03-01 12:00 UTC it did not."
    )


def test_of_a_reading_that_was_cut_short_nothing_is_gone() -> None:
    before = page(PageKind.PROFILE, bio="x", outbound_links=["https://hub.example/a"])
    after = other(before, outbound_links=[])
    short = replace(after, reading=replace(after.reading, notes=("reading stopped early: OutOfTime",)))
    assert Kind.LINK_GONE in held(before, after).kinds
    found = held(before, short)
    assert found.changes == ()
    assert [each.what for each in found.not_compared] == ["reading"]


def test_a_field_that_is_not_carried_is_not_compared() -> None:
    before = page(PageKind.LISTING, **LISTING)
    found = held(before, other(before, seller=None))
    assert found.changes == ()
    assert [(each.what, each.why) for each in found.not_compared] == [
        ("seller", "the later page does not carry it, which is not the same as empty")
    ]


def test_disclosures_by_platform_and_author() -> None:
    ad: Json = [{"by": "author", "text": "#ad"}]
    paid: Json = [{"by": "platform", "text": "paid_partnership"}]
    before = page(PageKind.POST, **{**POST, "disclosures": ad})
    gone = held(before, other(before, disclosures=None))
    assert only(gone).kind is Kind.DISCLOSURE_REMOVED
    assert gone.not_compared == (), "the caption is there, and has no such words"
    marked = page(PageKind.POST, **{**POST, "disclosures": paid})
    found = held(marked, other(marked, disclosures=None))
    assert found.changes == (), "a mark that the page does not carry is not one that was taken away"
    assert [each.what for each in found.not_compared] == ["disclosures"]
    assert only(held(marked, other(marked, disclosures=[]))).kind is Kind.DISCLOSURE_REMOVED
    assert only(held(page(PageKind.POST, **POST), before)).kind is Kind.DISCLOSURE_ADDED


@pytest.mark.parametrize(
    ("kind", "outcome", "status", "expected"),
    [
        (PageKind.PROFILE, Outcome.PRIVATE, 200, Kind.ACCOUNT_PRIVATE),
        (PageKind.POST, Outcome.REMOVED, 200, Kind.POST_REMOVED),
        (PageKind.POST, Outcome.HTTP_ERROR, 404, Kind.POST_REMOVED),
        (PageKind.LISTING, Outcome.HTTP_ERROR, 410, Kind.LISTING_UNAVAILABLE),
        (PageKind.LISTING, Outcome.UNAVAILABLE, 200, Kind.LISTING_UNAVAILABLE),
        (PageKind.LINK_HUB, Outcome.REMOVED, 200, Kind.PAGE_REMOVED),
        (PageKind.POST, Outcome.LOGIN_WALL, 200, Kind.OUTCOME_CHANGED),
    ],
)
def test_what_is_not_shown_any_more(kind: PageKind, outcome: Outcome, status: int, expected: Kind) -> None:
    before = page(kind, **POST)
    wall = replace(other(before), outcome=outcome, http_status=status)
    change = only(held(before, wall))
    assert change.kind is expected
    assert change.before is not None
    assert change.after is not None
    assert change.before.text == "shown was: ok"
    assert change.after.text == f"shown was: {outcome.value}"
    back = replace(other(before, 2), looked_at=NOON + timedelta(days=2))
    assert only(held(wall, back)).kind is Kind.SHOWN_AGAIN
    assert held(wall, replace(wall, capture="later")).changes == ()


def test_gone_is_said_only_with_two_looks_and_a_control() -> None:
    before = page(PageKind.POST, **POST)
    after = replace(other(before), outcome=Outcome.REMOVED)
    once = only(held(before, after))
    assert once.facts == {"absence": None}
    assert "looked at once" in once.sentence
    assert any("not said to be gone" in each for each in once.doubts)
    told = Absence(gone=True, looks=2, apart_s=20, control="shown", why="the same host showed its control page")
    gone = only(held(before, after, absence=told))
    assert gone.doubts == ()
    assert "gone: not there in 2 looks" in gone.sentence


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.DNS_ERROR, Outcome.ERROR, Outcome.REFUSED_BY_POLICY])
def test_a_page_that_was_not_reached_says_nothing_of_it(outcome: Outcome) -> None:
    before = page(PageKind.POST, **POST)
    found = held(before, replace(other(before), outcome=outcome, status=Status.FAILED))
    assert found.changes == ()
    assert any("reached no page" in each.why for each in found.not_compared)


def test_a_redirect_that_leads_elsewhere() -> None:
    def led(to: str, number: int) -> Page:
        hop = Hop(n=1, from_url="https://short.example/x", to_url=to, kind=HopKind.HTTP, status=302, at=NOON)
        return replace(page(PageKind.LISTING, number, url=to, title="A"), hops=(hop,))

    change = only(held(led("https://shop.example/item/1", 0), led("https://shop.example/item/2", 1)))
    assert change.kind is Kind.REDIRECT_CHANGED
    assert change.before is not None
    assert change.before.text == "https://short.example/x\n→ https://shop.example/item/1"
    assert held(led("https://shop.example/item/1", 0), led("https://www.shop.example/item/1", 1)).changes == ()


def test_pictures_by_how_they_look() -> None:
    def with_picture(number: int, sha256: str, print_: str) -> Page:
        made = page(PageKind.POST, number, **POST, media=["https://cdn.example/a-long-name.jpg"])
        return replace(
            made, pictures=(Shown(sha256=sha256, url="https://cdn.example/a-long-name.jpg?s=1", print=print_),)
        )

    before = with_picture(0, "aa", "one")
    assert held(before, with_picture(1, "aa", "one")).changes == ()
    assert held(before, with_picture(1, "bb", "one")).changes == (), "packed anew, it looks the same"
    change = only(held(before, with_picture(1, "bb", "two")))
    assert change.kind is Kind.PICTURE_CHANGED
    assert (change.facts["before"], change.facts["after"]) == (["aa"], ["bb"])
    none = replace(before, pictures=())
    assert [each.what for each in held(before, none).not_compared] == ["pictures"]
    assert [each.what for each in compare(before, none, key=key).not_compared] == ["pictures"]


def test_another_vantage_is_a_doubt() -> None:
    before = replace(page(PageKind.LISTING, **LISTING), vantage={"device": "desktop", "egress_address": "198.51.100.1"})
    after = replace(other(before, price="13"), vantage={"device": "phone", "egress_address": "203.0.113.9"})
    assert only(held(before, after)).doubts == ("the two looks differ in device, egress address",)
    same = replace(after, vantage=before.vantage)
    assert only(held(before, same)).doubts == ()
    for vantage in ({}, {"egress_address": "unknown"}):
        nobody_knows = held(replace(before, vantage=vantage), replace(after, vantage=vantage))
        assert "nobody knows from which address" in only(nobody_knows).doubts[0]


def test_words_that_no_field_holds() -> None:
    before = replace(page(PageKind.POST, **POST), visible="Ana\nmy band, link in bio\n2,317 likes\n4 d\nask me")
    counted = replace(other(before), visible="Ana\nmy band, link in bio\n2,318 likes\n5 d\nask me")
    assert held(before, counted).changes == ()
    after = replace(counted, visible=counted.visible + "\nuse code ANA10")
    change = only(held(before, after))
    assert change.kind is Kind.WORDS_CHANGED
    assert change.after is not None
    assert change.after.text == "use code ANA10"
    assert change.doubts
    assert held(before, after, words=False).changes == ()
    edited = replace(after, reading=other(before, caption="new").reading)
    assert [each.kind for each in held(before, edited).changes] == [Kind.CAPTION_EDITED], "said once"


@given(st.text(max_size=200))
def test_settled_words_stay_as_they_are(text: str) -> None:
    assert settled(settled(text)) == settled(text)


def test_a_price_is_no_count() -> None:
    assert settled("12.90 EUR\n€ 14\n12.90") == "12.90 EUR\n€ 14\n12.90"
    assert settled("2,317 likes · 4 d\n48.2K followers\n1,204\n3 hours ago") == settled(
        "2,318 likes · 5 d\n48.3K followers\n1,205\n4 hours ago"
    )


def test_what_is_stable_of_a_reading_is_the_same_whatever_is_counted() -> None:
    def reading(**fields: Json) -> Reading:
        return Reading(
            platform="x",
            kind=PageKind.POST,
            fields={**POST, **fields},
            sources={name: Source(where="x", seen=Seen.SHOWN) for name in fields},
        )

    assert stable(reading(likes=3)) == stable(reading(likes=4))
    assert stable(reading(caption="a")) != stable(reading(caption="b"))
    assert stable(reading(outbound_links=["https://a.example/"])) != stable(reading(outbound_links=[]))


def test_no_sentence_says_more_than_was_seen() -> None:
    before = page(PageKind.LISTING, **LISTING)
    sentences = [each.sentence for each in held(before, other(before, price="1", seller="X", title="Y")).changes]
    assert len(sentences) == 3
    for word in ("fake", "hid", "evade", "suspicious", "fraud", "counterfeit", "because", "delete"):
        assert not any(word in each for each in sentences)
