"""Times in ids: what a platform's own pages say of posts, against what their ids say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.moments import PLATFORMS, id_to_shortcode, moment_of, shortcode_to_id

SPOTLIGHT = "W7_EDlXWTBiXAEEniNoMPwAAYYWtidGhudGZpAX1TKn0JAX1TKnXJAAAAAA"

# Posts whose time is known from elsewhere: the platform, an id as it stands in an address or an answer, the id's time.
KNOWN = (
    ("instagram", "CN2VQ1yI_MA", "2021-04-19T13:18:23.421Z"),
    ("instagram", "2555323354817229568", "2021-04-19T13:18:23.421Z"),
    ("instagram", "2555323354817229568_305701719", "2021-04-19T13:18:23.421Z"),
    ("instagram", "CN2VQ1yI_MA" + "x" * 28, "2021-04-19T13:18:23.421Z"),
    ("instagram", "aye83DjauH", "2013-06-20T17:15:45.376Z"),
    ("instagram", "BqvsDleB3lV", "2018-11-29T01:04:04.757Z"),
    ("instagram", "DW1nTDiDvnF", "2026-04-07T16:48:30.621Z"),
    ("instagram", "BkfuX9UB-eK", "2018-06-26T17:08:07.425Z"),
    ("instagram", "Chunk8-jurw", "2022-08-26T15:52:22.870Z"),
    ("instagram", "BkQjCfsBIzi", "2018-06-20T19:40:27.953Z"),
    ("instagram", "BQ0eAlwhDrw", "2017-02-22T16:01:17.498Z"),
    ("instagram", "BQ0dSaohpPW", "2017-02-22T15:54:59.242Z"),
    ("instagram", "DdEy97xj9P-", "2026-09-09T17:27:27.420Z"),
    ("instagram", "2591639087680304855", "2021-06-08T15:51:16.135Z"),
    ("threads", "C-srcchPpp7", "2024-08-15T16:58:07.259Z"),
    ("tiktok", "7106798200794926362", "2022-06-08T09:26:39.419Z"),
    ("tiktok", "7571863205253778710", "2025-11-12T15:36:23.756Z"),
    ("tiktok", "6748451240264420610", "2019-10-16T17:17:25.960Z"),
    ("tiktok", "6781206617314018309", "2020-01-12T23:45:01.470Z"),
    ("x", "1098230906194546688", "2019-02-20T14:40:26.837Z"),
    ("x", "1222907250383245320", "2020-01-30T15:39:43.666Z"),
    ("x", "2028567281866027316", "2026-03-02T20:25:03.611Z"),
    ("discord", "551531058039095296", "2019-03-02T22:27:31.188Z"),
    ("linkedin", "7084656651378536448", "2023-07-11T22:16:12.244Z"),
    ("linkedin", "urn:li:activity:7084656651378536448", "2023-07-11T22:16:12.244Z"),
    ("bluesky", "3l3vgf77uco2g", "2024-09-11T17:11:56.350Z"),
    ("bluesky", "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3l3vgf77uco2g", "2024-09-11T17:11:56.350Z"),
    ("snapchat", SPOTLIGHT, "2021-11-24T18:17:11.369Z"),
)


@pytest.mark.parametrize(("platform", "post", "utc"), KNOWN)
def test_the_time_in_an_id(platform: str, post: str, utc: str) -> None:
    found = moment_of(platform, post)

    assert found is not None
    assert found.to_json()["from"] == utc


@pytest.mark.parametrize(
    ("platform", "post"),
    [
        ("instagram", "BXsFz"),  # counted, not timed: of before August 2011
        ("instagram", "not a code"),
        ("x", "20"),  # the first post: counted
        ("tiktok", "12345"),
        ("bluesky", "3l3vgf77uco2"),
        ("bluesky", "zzzzzzzzzzzzz"),
        ("snapchat", "W7_short"),
        ("facebook", "pfbid02abc"),
        ("youtube", "dQw4w9WgXcQ"),
        ("x", ""),
        ("x", "9" * 40),
    ],
)
def test_an_id_without_a_time_has_none(platform: str, post: str) -> None:
    assert moment_of(platform, post) is None


@pytest.mark.parametrize(
    ("code", "number"),
    [("CIoLRFIIL50", 2461266748605775476), ("DIgLLaiptZg", 3611936064075650656), ("Bqxp0VSBgJg", 1923502432034620000)],
)
def test_a_shortcode_is_the_media_id_in_other_digits(code: str, number: int) -> None:
    assert shortcode_to_id(code) == number
    assert id_to_shortcode(number) == code


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_shortcodes_go_there_and_back(number: int) -> None:
    assert shortcode_to_id(id_to_shortcode(number)) == number


@given(st.integers(min_value=1 << 58, max_value=2**62), st.integers(min_value=1 << 58, max_value=2**62))
def test_a_later_id_is_never_earlier(one: int, other: int) -> None:
    first, second = sorted((one, other))
    for platform in ("instagram", "x", "tiktok"):
        earlier, later = moment_of(platform, str(first)), moment_of(platform, str(second))
        if earlier is not None and later is not None:
            assert earlier.made <= later.made


@given(st.sampled_from(sorted(PLATFORMS)), st.text(max_size=80))
def test_no_text_makes_it_fail(platform: str, text: str) -> None:
    moment_of(platform, text)


def published(platform: str, post: str, at: datetime) -> str | None:
    found = moment_of(platform, post)
    assert found is not None
    return found.contradiction(at)


def test_a_film_may_be_public_minutes_after_its_id_was_made() -> None:
    assert published("instagram", "BkQjCfsBIzi", datetime(2018, 6, 20, 19, 51, 32, tzinfo=UTC)) is None
    assert published("tiktok", "7571863205253778710", datetime(2025, 11, 12, 15, 36, 28, tzinfo=UTC)) is None


def test_pages_cut_off_the_fraction_of_a_second() -> None:
    assert published("x", "1222907250383245320", datetime(2020, 1, 30, 15, 39, 43, tzinfo=UTC)) is None


def test_a_page_that_says_less_than_its_id_is_contradicted() -> None:
    made = datetime(2020, 1, 30, 15, 39, 43, tzinfo=UTC)

    assert "before its id was made" in str(published("x", "1222907250383245320", made - timedelta(hours=1)))
    assert "later than" in str(published("x", "1222907250383245320", made + timedelta(hours=1)))
