"""Times, digests and strangers' words, as pages print them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from console.web.rendering import address, digest, environment, loose, seen, size, when

PARIS = ZoneInfo("Europe/Paris")


def test_an_instant_is_printed_in_utc_and_in_the_cases_zone() -> None:
    told = when(datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC), PARIS)
    assert '<time datetime="2026-07-01T22:30:05.000Z">2026-07-01 22:30:05 UTC</time>' in told
    assert "(2026-07-02 00:30:05 Europe/Paris)" in told, "the day is another there"
    assert "(23:30:05 Europe/Paris)" in when(datetime(2026, 1, 1, 22, 30, 5, tzinfo=UTC), PARIS)


def test_a_zone_that_is_as_utc_is_not_repeated() -> None:
    assert "zone" not in when(datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("Europe/London"))


@pytest.mark.parametrize(
    "told",
    ["2026-07-01T22:30:05Z", "2026-07-01T22:30:05.000Z", "2026-07-02T00:30:05+02:00", "2026-07-01T17:30:05.25-05:00"],
)
def test_an_instant_that_a_page_states_to_the_second_is_one(told: str) -> None:
    assert "2026-07-01 22:30:05 UTC" in when(told, PARIS)
    assert "2026-07-02 00:30:05 Europe/Paris" in when(told, PARIS)


@pytest.mark.parametrize(
    "told", ["2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-07-01T22:30:05", "x"]
)
def test_what_is_no_instant_stays_a_text(told: str) -> None:
    assert when(told, PARIS) == f"<span>{told}</span>"


@pytest.mark.parametrize("shown", ["October 29, 2026", "2026-10-29", "2 d", "10月29日", "2026-10-29T17:04"])
def test_a_day_and_what_a_page_shows_are_never_converted(shown: str) -> None:
    assert when(shown, PARIS) == f"<span>{shown}</span>"


def test_no_time_is_said_to_be_unknown() -> None:
    assert "not known" in when(None, PARIS)


@given(st.text())
def test_what_strangers_wrote_is_escaped_and_cannot_turn_a_line_around(text: str) -> None:
    page = environment().from_string("<p title='{{ text }}'>{{ text }}{{ text|address }}</p>").render(text=text)
    inside = page.removeprefix("<p title='").removesuffix("</p>")
    assert "<script" not in inside
    assert not set("\u202e\u2066\u200f\u061c") & set(page)
    assert inside.count("<") == inside.count("<wbr>") + 4, "only our own tags"


def test_an_address_is_text_and_no_link() -> None:
    told = address("https://evil.example/" + "a" * 60)
    assert "href" not in told
    assert "<wbr>" in told


def test_a_digest_is_whole() -> None:
    value = "0123456789abcdef" * 4
    assert digest(f"sha256:{value}").replace("<wbr>", "") == f'<code class="digest">{value}</code>'


@pytest.mark.parametrize(("count", "told"), [(0, "0 B"), (9_999, "9,999 B"), (12_345, "12 kB"), (3_400_000, "3.4 MB")])
def test_sizes(count: int, told: str) -> None:
    assert size(count) == told


def test_a_slip_in_a_template_is_an_error_and_a_stranger_s_gap_is_not() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ value.nmae }}").render(value={"name": 1})
    assert environment().from_string("{{ value.nmae }}").render(value=loose({"name": [{"a": 1}]})) == "None"
    assert loose([{"a": {"b": 1}}])[0]["a"]["c"] is None


def test_hidden_characters_are_shown_as_such() -> None:
    assert seen("a\u202eb") == "a\ufffdb"
