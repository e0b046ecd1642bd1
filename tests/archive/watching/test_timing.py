"""When a watch is due: intervals, cron expressions in their zone, changes of the clock, jitter."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.watching.timing import Timing, duration, spell

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
NIGHTS = [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]
"""Midnight in Paris, before its clocks go forwards, and back."""


def test_an_interval_goes_on_from_its_slot_and_makes_up_for_what_was_missed_once() -> None:
    timing = Timing.of(every="6h", jitter="0s")
    assert timing.next_slot(AT, AT) == AT + timedelta(hours=6)
    assert timing.next_slot(AT, AT + timedelta(hours=20)) == AT + timedelta(hours=24)
    assert timing.next_slot(AT, AT - timedelta(hours=1)) == AT + timedelta(hours=6)  # a clock that was put back


def test_a_cron_expression_is_read_in_its_zone() -> None:
    timing = Timing.of(cron="0 9 * * MON", zone="Europe/Paris", jitter="0s")
    assert timing.next_slot(AT, AT) == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert timing.next_slot(datetime(2026, 3, 23, 8, 0, tzinfo=UTC), AT) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)


def test_when_clocks_change_a_daily_time_comes_once_a_day() -> None:
    """In Paris 02:30 does not exist on 29 March 2026, and exists twice on 25 October."""
    timing = Timing.of(cron="30 2 * * *", zone="Europe/Paris", jitter="0s")
    for first, days in ((datetime(2026, 3, 27, tzinfo=UTC), 5), (datetime(2026, 10, 23, tzinfo=UTC), 5)):
        slot = timing.next_slot(first, first)
        slots = [slot]
        for _ in range(days - 1):
            slots.append(timing.next_slot(slots[-1], slots[-1]))
        dates = [each.astimezone(PARIS).date() for each in slots]
        assert dates == [dates[0] + timedelta(days=n) for n in range(days)]
    hourly = Timing.of(cron="0 * * * *", zone="Europe/Paris", jitter="0s")
    night = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    got = [night]
    for _ in range(4):
        got.append(hourly.next_slot(got[-1], got[-1]))
    assert [each - got[1] for each in got[1:]] == [timedelta(hours=n) for n in range(4)]  # 02:00 twice, an hour apart


@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "0,30 2 * * *", "0,30 1-3 * * *", "30 2 * * SUN", "*/20 2 * * *", "0 * * * *"]
)
@pytest.mark.parametrize("midnight", NIGHTS)
def test_whenever_in_the_night_of_a_change_it_is_asked_the_next_slot_is_still_to_come(
    cron: str, midnight: datetime
) -> None:
    """Also in the hour that comes twice, where the time by the clock is one that was there before."""
    timing = Timing.of(cron=cron, zone="Europe/Paris", jitter="0s")
    for minutes in range(0, 5 * 60, 5):
        now = midnight + timedelta(minutes=minutes)
        for last in (now, now - timedelta(minutes=50), now - timedelta(days=1)):
            assert timing.next_slot(last, now) > now


@pytest.mark.parametrize("midnight", NIGHTS)
def test_a_change_of_the_clock_leaves_an_interval_as_long_as_it_is(midnight: datetime) -> None:
    timing = Timing.of(every="1d", zone="Europe/Paris", jitter="10m")
    slots = [midnight + timedelta(hours=1)]
    for _ in range(3):
        slots.append(timing.next_slot(slots[-1], slots[-1] + timedelta(minutes=20)))
    assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(days=1)}


@given(seconds=st.integers(60, 10_000_000), late=st.integers(-10_000_000, 10_000_000))
def test_the_next_slot_is_after_now_and_on_the_same_grid(seconds: int, late: int) -> None:
    timing = Timing(every=timedelta(seconds=seconds))
    now = AT + timedelta(seconds=late)
    slot = timing.next_slot(AT, now)
    assert slot > max(AT, now) - timedelta(0) or slot > AT
    assert slot > now or now < AT
    assert (slot - AT) % timedelta(seconds=seconds) == timedelta(0)
    assert slot - max(now, AT) <= timedelta(seconds=seconds)


def test_jitter_puts_off_the_same_look_by_the_same_and_different_watches_differently() -> None:
    timing = Timing.of(every="6h", jitter="10m")
    one, other = "01a2296c-9ffc-7f30-afe5-802952023968", "01a2296c-9ffc-7f30-afe5-802952023969"
    assert timing.due(AT, one) == timing.due(AT, one)
    offsets = {timing.due(AT + timedelta(hours=6 * n), watch) - AT for n in range(50) for watch in (one, other)}
    assert len(offsets) > 90
    assert all(timedelta(0) <= timing.due(AT, each) - AT < timedelta(minutes=10) for each in (one, other))


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({}, "--every 6h"),
        ({"every": "6h", "cron": "* * * * *"}, "one of them"),
        ({"every": "6 hours"}, "a number and s, m, h, d or w"),
        ({"every": "10s"}, "between 1 minute"),
        ({"every": "400d"}, "366 days"),
        ({"cron": "* * *"}, "five fields"),
        ({"cron": "61 * * * *"}, "no cron expression"),
        ({"cron": "0 0 31 2 *"}, "no cron expression"),
        ({"cron": "0 9 * * *", "zone": "Mars/Olympus"}, "no time zone"),
        ({"cron": "0 9 * * *", "zone": "../../etc/passwd"}, "no time zone"),
        ({"every": "1h", "jitter": "2h"}, "--jitter"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(given_: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Timing.of(**given_)


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_a_duration_is_spelt_as_it_is_read(number: int, unit: str) -> None:
    interval = duration(f"{number}{unit}", "it")
    if interval < timedelta(seconds=999_999):
        assert duration(spell(interval), "it") == interval


def test_the_mean_interval_of_a_cron_expression() -> None:
    assert Timing.of(cron="0 */6 * * *").mean_interval == timedelta(hours=6)
    assert timedelta(days=6.9) < Timing.of(cron="0 9 * * MON").mean_interval < timedelta(days=7.1)
