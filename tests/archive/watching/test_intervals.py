"""The interval that was asked for beside the one achieved: worked out, and read from what is kept."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archive.gaps import Gaps
from archive.watching import intervals, looks, watches
from archive.watching.database import Connection, Database
from archive.watching.intervals import Asked, Look, interval
from archive.watching.looks import Ended
from archive.watching.standing import standing
from archive.watching.timing import Timing
from tests.archive.watching.databases import AT, new_id, watched

HOUR = timedelta(hours=1)
HOURLY = Timing(every=HOUR)


def look(hours: float, *, after: timedelta = timedelta(0), outcome: str = "ok", state: str = "done") -> Look:
    slot = AT + hours * HOUR
    begun = slot + after if state == "done" else None
    return Look(slot=slot, due_at=slot, begun_at=begun, state=state, outcome=outcome)


def told(looks: Iterable[Look], *asked: Asked, hours: float) -> intervals.Interval:
    return interval(asked or (Asked(since=AT, timing=HOURLY),), list(looks), now=AT + hours * HOUR)


def test_who_was_looked_at_as_often_as_was_asked_missed_nothing() -> None:
    found = told([look(n) for n in range(5)], hours=4.5)
    assert found.achieved == Gaps(median=HOUR, longest=HOUR)
    assert (found.asked, found.since, found.last_seen) == (HOUR, AT, AT + 4 * HOUR)
    assert (found.due, found.made, found.saw, found.late, found.missed, found.waiting) == (5, 5, 5, 0, 0, 0)


def test_walls_are_looks_that_were_made_and_saw_nothing() -> None:
    found = told([look(0), look(1, outcome="login_wall"), look(2, outcome="timeout"), look(3)], hours=3.5)
    assert (found.made, found.saw) == (4, 2)
    assert found.achieved == Gaps(median=3 * HOUR, longest=3 * HOUR)


def test_what_began_a_quarter_of_an_hour_after_it_was_due_is_late() -> None:
    just, late = (timedelta(minutes=each) for each in (14, 15))
    assert told([look(0, after=just), look(1, after=late)], hours=1.5).late == 1


def test_times_at_which_nothing_was_released_are_missed_and_failures_are_not_hidden() -> None:
    found = told([look(0), look(5), look(6, state="failed"), look(7, state="queued")], hours=8.5)
    assert (found.due, found.made, found.failed, found.waiting, found.missed) == (9, 2, 1, 1, 5)
    assert found.achieved == Gaps(median=5 * HOUR, longest=5 * HOUR)


@pytest.mark.parametrize(
    ("asked", "slots", "missed"),
    [
        ([(0, HOURLY), (2.5, Timing(every=24 * HOUR))], [0, 1, 2], 0),  # asked for less often: nothing was due since
        ([(0, Timing(every=24 * HOUR)), (2, HOURLY)], [0, 3, 4], 5),  # more often, and 5 to 9 are not there
        ([(0, HOURLY), (2.5, None)], [0, 1, 2], 0),  # paused: nothing is due
        ([(0, HOURLY), (2.5, None), (7.5, HOURLY)], [0, 1, 2, 8, 9], 0),  # and resumed
        ([(0, Timing(cron="0 * * * *"))], [0, 1, 5], 7),
    ],
)
def test_only_what_was_asked_for_at_its_time_is_missed(
    asked: list[tuple[float, Timing | None]], slots: list[float], missed: int
) -> None:
    wanted = [Asked(since=AT + hours * HOUR, timing=timing) for hours, timing in asked]
    assert told([look(each) for each in slots], *wanted, hours=9.9).missed == missed


def test_a_watch_that_was_never_due_tells_of_nothing() -> None:
    found = told([], hours=3)
    assert (found.due, found.since, found.last_seen, found.achieved) == (0, None, None, Gaps())


def made(connection: Connection, database: Database, watch: str, now: datetime) -> None:
    looks.release(connection, database.queue, now=now)
    (newest,) = looks.of_watch(connection, watch, limit=1)
    begun = looks.begin(connection, newest["id"], worker="w", now=now)
    assert begun is not None
    looks.finish(connection, begun, Ended(outcome="ok"), now=now)


@pytest.mark.s3
def test_what_was_asked_is_kept_with_its_time_and_read_beside_the_looks(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        for hours in (0, 1, 4):
            made(connection, database, watch.id, AT + hours * HOUR)
        watches.pause(connection, watch.id, "vacation", now=AT + 4.5 * HOUR)
        watches.resume(connection, watch.id, now=AT + 99.5 * HOUR)
        looks.ask(connection, database.queue, watch, now=AT + 99.6 * HOUR)  # by a person: not of the schedule
        found = intervals.of_pages(connection, [watch.key], now=AT + 99.9 * HOUR)
        assert [each.watch.id for each in found[watch.key]] == [watch.id]
        (kept,) = found[watch.key]
        assert (kept.interval.due, kept.interval.made, kept.interval.missed) == (5, 3, 2)
        assert kept.interval.achieved == Gaps(median=2 * HOUR, longest=3 * HOUR)
        assert kept.interval.asked == HOUR
        assert intervals.of_pages(connection, [watch.key], now=AT, cases=["another"]) == {}


@pytest.mark.s3
def test_a_removed_watch_is_still_told_of_and_nothing_is_asked_of_it(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        made(connection, database, watch.id, AT)
        watches.remove(connection, watch.id, now=AT + HOUR / 2)
        again = watches.put(connection, watch, new_id=new_id(), now=AT + HOUR).watch
        first, second = intervals.of_pages(connection, [watch.key], now=AT + 9 * HOUR)[watch.key]
    assert (first.watch.id, first.interval.asked, first.interval.missed) == (watch.id, None, 0)
    assert (second.watch.id, second.interval.asked, second.interval.due) == (again.id, HOUR, 0)


@pytest.mark.s3
def test_how_watching_stands_names_who_is_behind_with_what_became_of_each_look_that_was_due(database: Database) -> None:
    now = datetime.now(UTC)
    with database.transaction() as connection:
        urls = ("https://a.example/", "https://b.example/")
        behind, _ = (watched(connection, each, every="1h", now=now - 3.5 * HOUR) for each in urls)
        for hours in (0, 1, 2, 3):
            at = now + (hours - 3.5) * HOUR
            held = "UPDATE counterproof.watches SET state = 'paused' WHERE id = %s AND %s"
            connection.execute(held, (behind.id, hours in {1, 2}))  # nobody asked for that: its looks are missed
            looks.release(connection, database.queue, now=at)
            queued = connection.execute("SELECT id::text FROM counterproof.looks WHERE state = 'queued'").fetchall()
            for (look,) in queued:
                begun = looks.begin(connection, look, worker="w", now=at)
                assert begun is not None
                looks.finish(connection, begun, Ended(outcome="ok"), now=at)
            connection.execute("UPDATE counterproof.watches SET state = 'active'")
        found = standing(connection, database.queue, now=now)
    document: Any = found.to_json()
    (told,) = document["behind"]
    assert (found.on_time, found.compared) == (1, 2)
    assert (told["watch"], told["asked_s"], told["achieved_s"]) == (behind.id, 3600, 3 * 3600)
    assert (told["due"], told["made"], told["missed"]) == (4, 2, 2)
