"""What posts of all platforms have in common."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.reading import Kind
from crawlers.counts import count, put_count
from crawlers.disclosures import put_disclosures
from crawlers.moments import moment_of
from crawlers.platform import Draft
from crawlers.posting import blocks, day_of, in_text, instant, put_links, put_moment, put_time
from crawlers.saved import Saved


def draft(kind: Kind = Kind.POST, **fields: Any) -> Draft:
    return Draft(platform="x", kind=kind, fields=dict(fields))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1856109, 1856109),
        ("1856109", 1856109),
        ("1,856,109", 1856109),
        ("1.856.109 Aufrufe", 1856109),
        ("1 856 109 vues", 1856109),
        ("2,362", 2362),
        ("123 suscriptores", 123),
        ("0", 0),
    ],
)
def test_an_exact_count(value: Any, number: int) -> None:
    assert count(value) == number


@pytest.mark.parametrize(
    "value", ["1.8M", "46.3m", "298K", "4,69 M de suscriptores", "104 mila", "12 mil", "1,5", -1, True, None, ""]
)
def test_a_rounded_count_is_none(value: Any) -> None:
    assert count(value) is None


def test_a_rounded_count_is_kept_as_shown() -> None:
    kept = draft()

    put_count(kept, "followers", "46.3m", "meta")

    assert kept.fields == {"followers_shown": "46.3m"}


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (1580398783, "2020-01-30T15:39:43Z"),
        ("1580398783", "2020-01-30T15:39:43Z"),
        (1580398783666, "2020-01-30T15:39:43Z"),
        ("2020-01-30T15:39:43.666Z", "2020-01-30T15:39:43Z"),
        ("2020-01-30T08:39:43-0700", "2020-01-30T15:39:43Z"),
        ("Thu Jan 30 15:39:43 +0000 2020", "2020-01-30T15:39:43Z"),
        ("Thu, 30 Jan 2020 15:39:43 GMT", "2020-01-30T15:39:43Z"),
        ("2020-01-30T15:39:43", "2020-01-30"),  # of which zone
        ("2020-01-30", "2020-01-30"),
        ("yesterday", None),
        (0, None),
        (True, None),
        (None, None),
        ("9" * 40, None),
    ],
)
def test_a_time_is_an_instant_or_a_day(value: Any, published: str | None) -> None:
    kept = draft()

    put_time(kept, value, "json")

    assert kept.fields.get("published") == published


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.booleans()))
def test_no_value_makes_a_time_fail(value: Any) -> None:
    instant(value)
    day_of(value)
    count(value)


def test_links_lead_where_they_say_and_are_kept_as_posted() -> None:
    kept = draft(caption="x")
    wrapped = "https://l.instagram.com/?u=https%3A%2F%2Fshop.example%2Fa&e=AT0"

    put_links(
        kept, [(wrapped, "bio"), ("https://t.co/abc", "caption", "https://shop.example/a"), (wrapped, "bio")], "json"
    )

    assert kept.fields["outbound_links"] == ["https://shop.example/a"]
    assert kept.fields["links"] == [
        {"url": wrapped, "shown_as": "bio"},
        {"url": "https://t.co/abc", "shown_as": "caption", "leads_to": "https://shop.example/a"},
    ]


def test_no_links_is_said_only_of_what_could_hold_some() -> None:
    with_caption, without, profile = draft(caption="x"), draft(), draft(Kind.PROFILE)
    for each in (with_caption, without, profile):
        put_links(each, [], "json")

    assert with_caption.fields["outbound_links"] == profile.fields["outbound_links"] == []
    assert "outbound_links" not in without.fields


def test_a_name_without_a_scheme_is_words() -> None:
    assert in_text("see www.shop.example and http://shop.example/a.", "caption") == [
        ("http://shop.example/a", "caption")
    ]


def test_disclosures_are_the_platforms_marks_and_the_authors_words() -> None:
    told, silent, unknown = draft(caption="New! #Werbung #bag"), draft(caption="New! #adventure"), draft(caption="New!")
    put_disclosures(told, [("is_paid_partnership", True)], "json")
    put_disclosures(silent, [("is_paid_partnership", False)], "json")
    put_disclosures(unknown, [("is_paid_partnership", None)], "json")

    assert told.fields["disclosures"] == [
        {"by": "platform", "text": "is_paid_partnership"},
        {"by": "author", "text": "#Werbung"},
    ]
    assert silent.fields["disclosures"] == []
    assert "disclosures" not in unknown.fields


def test_the_time_in_an_id_stands_beside_the_pages_and_is_no_substitute() -> None:
    alone, beside = draft(), draft(published="2019-01-01T00:00:00Z")
    for each in (alone, beside):
        put_moment(each, moment_of("x", "1222907250383245320"), "post_id")

    assert "published" not in alone.fields
    assert not alone.notes
    assert beside.fields["published"] == "2019-01-01T00:00:00Z"
    assert "before its id was made" in beside.notes[0]


def test_an_unreadable_script_costs_the_others_nothing() -> None:
    page = Saved.of(
        b'<script type="application/json">{"a": taken_at</script>'
        b'<script type="application/json">{"taken_at": 1}</script>'
    )

    assert [value for _, value in blocks(page, "taken_at")] == [{"taken_at": 1}]
    assert page.notes
