"""A host's budget holds across workers: visits at a time, pauses, visits a day, back-off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from archive.errors import UsageError
from archive.watching import pace, workers
from archive.watching.database import Database
from archive.watching.pace import Budget
from tests.archive.watching.databases import AT, watched

HOST = "shop.example"
MINUTE = timedelta(minutes=1)


@pytest.mark.s3
def test_no_more_visits_at_a_time_than_a_host_takes_however_many_workers_ask(database: Database) -> None:
    with database.transaction() as connection:
        pace.allow(connection, HOST, slots=3, delay_ms=0)

    def ask(n: int) -> bool:
        with database.transaction() as connection:
            return pace.take(connection, HOST, pace.DIRECT, f"v{n}", now=AT, lasts=MINUTE, spends=True).granted

    with ThreadPoolExecutor(6) as threads:
        granted = list(threads.map(ask, range(12)))
    assert sum(granted) == 3
    with database.transaction() as connection:
        pace.leave(connection, HOST, pace.DIRECT, f"v{granted.index(True)}")
        assert pace.take(connection, HOST, pace.DIRECT, "next", now=AT, lasts=MINUTE, spends=True).granted


@pytest.mark.s3
def test_visits_are_spaced_and_each_is_told_how_long_it_waits(database: Database) -> None:
    with database.transaction() as connection:
        pace.allow(connection, HOST, slots=8, delay_ms=60_000)
        waits = [
            pace.take(connection, HOST, pace.DIRECT, f"v{n}", now=AT, lasts=MINUTE, spends=True).wait_s
            for n in range(3)
        ]
    assert [round(each) for each in waits] == [0, 60, 120]


@pytest.mark.s3
def test_a_turn_whose_holder_died_is_free_again(database: Database) -> None:
    with database.transaction() as connection:
        pace.allow(connection, HOST, delay_ms=0)
        assert pace.take(connection, HOST, pace.DIRECT, "dead", now=AT, lasts=MINUTE, spends=True).granted
        assert not pace.take(connection, HOST, pace.DIRECT, "next", now=AT, lasts=MINUTE, spends=True).granted
        connection.execute("UPDATE counterproof.turns SET until = now() - interval '1 second'")
        assert pace.take(connection, HOST, pace.DIRECT, "next", now=AT, lasts=MINUTE, spends=True).granted


@pytest.mark.s3
def test_the_turns_of_a_worker_that_is_not_heard_of_are_free_at_once(database: Database) -> None:
    with database.transaction() as connection:
        pace.allow(connection, HOST, delay_ms=0)
        workers.say(connection, "one", place="here", egress=pace.DIRECT, facts={})
        for holder, granted in (("its visit", True), ("another's", False)):
            turn = pace.take(
                connection, HOST, pace.DIRECT, holder, now=AT, lasts=MINUTE, spends=True, worker="one", silent=MINUTE
            )
            assert turn.granted is granted
        workers.leave(connection, "one")
        assert pace.take(connection, HOST, pace.DIRECT, "next", now=AT, lasts=MINUTE, spends=True).granted


@pytest.mark.s3
def test_egresses_have_budgets_of_their_own(database: Database) -> None:
    with database.transaction() as connection:
        assert pace.take(connection, HOST, pace.DIRECT, "a", now=AT, lasts=MINUTE, spends=True).granted
        assert pace.take(connection, HOST, "socks5://exit", "b", now=AT, lasts=MINUTE, spends=True).granted
        assert not pace.take(connection, HOST, pace.DIRECT, "c", now=AT, lasts=MINUTE, spends=True).granted


@pytest.mark.s3
def test_back_off_doubles_with_each_time_and_ends_with_a_good_answer(database: Database) -> None:
    with database.transaction() as connection:
        pace.allow(connection, HOST)
        now, pauses = AT, []
        for _ in range(4):
            away = pace.heard(connection, HOST, pace.DIRECT, "rate_limited", now=now)
            assert away is not None
            assert pace.heard(connection, HOST, pace.DIRECT, "captcha", now=now) is None  # the same wall, seen twice
            pauses.append(away)
            now += away
        assert pauses == [pace.FIRST_BACK_OFF * 2**n for n in range(4)]
        assert pace.heard(connection, HOST, pace.DIRECT, "ok", now=now) is None
        assert pace.heard(connection, HOST, pace.DIRECT, "rate_limited", now=now) == pace.FIRST_BACK_OFF
        for _ in range(30):
            now += timedelta(days=2)
            away = pace.heard(connection, HOST, pace.DIRECT, "rate_limited", now=now)
        assert away == pace.LONGEST_BACK_OFF


@pytest.mark.s3
def test_what_watches_of_a_host_ask_for_together(database: Database) -> None:
    with database.transaction() as connection:
        watched(connection, "https://shop.example/1", every="6h")
        watched(connection, "https://shop.example/2", every="1h")
        watched(connection, "https://other.example/2", every="1m")
        assert pace.asked_a_day(connection, HOST) == pytest.approx(28)


def test_what_the_budget_allows_is_never_more_often_than_was_asked() -> None:
    hour = timedelta(hours=1)
    few = {pace.DIRECT: Budget(host=HOST, per_day=240, delay_ms=0)}
    assert pace.allowed_interval(few, 1, 24, hour) == hour
    assert pace.allowed_interval(few, 1, 2400, hour) == 10 * hour
    assert pace.allowed_interval({pace.DIRECT: Budget(host=HOST, per_day=0)}, 1, 24, hour) > timedelta(days=10_000)
    assert Budget(host=HOST, slots=1, delay_ms=10_000, per_day=1_000_000).a_day == 4320  # a visit and its pause: 20 s


@pytest.mark.s3
def test_a_budget_out_of_bounds_is_refused(database: Database) -> None:
    with database.transaction() as connection, pytest.raises(UsageError, match="slots of a host is 1 to 64"):
        pace.allow(connection, HOST, slots=0)
