from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.errors import FormatError
from custody.instant import format_utc, parse_utc

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


@given(INSTANTS)
def test_reads_what_it_writes_to_the_millisecond(at: datetime) -> None:
    again = parse_utc(format_utc(at))
    assert again.utcoffset() == timedelta(0)
    assert again == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(INSTANTS, INSTANTS)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    if format_utc(one) < format_utc(other):
        assert one < other


def test_is_converted_not_relabelled() -> None:
    assert format_utc(datetime(2026, 3, 4, 1, 30, tzinfo=timezone(timedelta(hours=5)))) == "2026-03-03T20:30:00.000Z"


def test_cuts_and_never_rounds_up() -> None:
    assert format_utc(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == "2026-12-31T23:59:59.999Z"


def test_wants_a_time_zone() -> None:
    with pytest.raises(FormatError, match="time zone"):
        format_utc(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-03-04T05:06:07Z", "2026-03-04T05:06:07.08Z", "2026-03-04T05:06:07.0890Z", "2026-03-04 05:06:07.089Z",
        "2026-03-04T05:06:07.089", "2026-03-04T05:06:07.089+00:00", "2026-03-04t05:06:07.089z",
        "2026-3-4T05:06:07.089Z", "2026-03-04T05:06:07,089Z", "2026-03-04T05:06:07.089Z\n",
        " 2026-03-04T05:06:07.089Z", "\uff12\uff10\uff12\uff16-03-04T05:06:07.089Z",
    ],
)  # fmt: skip
def test_takes_one_spelling(text: str) -> None:
    with pytest.raises(FormatError, match="expected YYYY"):
        parse_utc(text)


@pytest.mark.parametrize(
    "text", ["2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-01T25:00:00.000Z",
             "2016-12-31T23:59:60.000Z", "0000-01-01T00:00:00.000Z"]
)  # fmt: skip
def test_takes_real_instants(text: str) -> None:
    with pytest.raises(FormatError, match="no such instant"):
        parse_utc(text)
