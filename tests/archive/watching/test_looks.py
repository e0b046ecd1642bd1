"""Looks are released exactly once, whoever does it; what dies is taken up, and not for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from archive.errors import QueueDown
from archive.lookid import look_id
from archive.queue import ON_DEMAND
from archive.watching import looks, pace, watches, workers
from archive.watching.database import Database
from archive.watching.looks import Busy, Ended
from archive.watching.timing import Timing
from tests.archive.watching.databases import AT, watched

pytestmark = pytest.mark.s3


def states(database: Database) -> dict[str, int]:
    with database.transaction() as connection:
        return dict(connection.execute("SELECT state, count(*) FROM counterproof.looks GROUP BY state").fetchall())


def jobs(database: Database) -> list[str]:
    with database.transaction() as connection:
        rows = connection.execute("SELECT args->>'look' FROM procrastinate_jobs WHERE status = 'todo'")
        return [str(row[0]) for row in rows]


def test_three_schedulers_at_once_release_each_look_once(database: Database) -> None:
    with database.transaction() as connection:
        for n in range(300):
            watched(connection, f"https://h{n % 150}.example/{n}")

    def release(_: int) -> int:
        total = 0
        for _ in range(500):  # one may find all that it chose held by another, and that again and again
            with database.transaction() as connection:
                total += looks.release(connection, database.queue, now=AT, limit=60)
            if states(database) == {"queued": 300}:
                break
        return total

    with ThreadPoolExecutor(3) as threads:
        released = sum(threads.map(release, range(3)))
    waiting = jobs(database)
    assert released == len(waiting) == len(set(waiting)) == 300
    assert states(database) == {"queued": 300}


def test_a_database_that_goes_while_a_job_is_put_in_is_said_to_be_down(database: Database) -> None:
    def put_in() -> None:
        with database.transaction() as connection, database.transaction() as other:
            other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            database.queue.defer(connection, [("01a19b7c-a680-7018-ab48-b832d86542c2", 1)])

    with pytest.raises(QueueDown):
        put_in()
    assert jobs(database) == []


def test_a_release_that_fails_leaves_neither_look_nor_job(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)

    def release_and_die() -> None:
        with database.transaction() as connection:
            assert looks.release(connection, database.queue, now=AT) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        release_and_die()
    assert (jobs(database), states(database)) == ([], {})
    with database.transaction() as connection:
        assert watches.get(connection, watch.id).due_at == AT


def test_a_clock_that_steps_releases_no_look_twice(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        seen = []
        for hours in (0, 1, 2, 1, 0, 2, 3):  # forwards, back by two hours, forwards again
            now = AT + timedelta(hours=hours)
            if looks.release(connection, database.queue, now=now):
                (look,) = looks.of_watch(connection, watch.id, limit=1)
                seen.append(look["slot"])
                begun = looks.begin(connection, look["id"], worker="w", now=now)
                assert begun is not None
                looks.finish(connection, begun, Ended(outcome="ok"), now=now)
    assert seen == [AT + timedelta(hours=hours) for hours in (0, 1, 2, 3)]


def test_a_night_in_which_clocks_change_has_each_look_of_a_daily_time_once(database: Database) -> None:
    """In Paris it is 02:30 twice on 25 October, and not at all on 29 March; a day of an interval stays a day."""
    zone = ZoneInfo("Europe/Paris")
    for night in (datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 10, 23, 22, tzinfo=UTC)):
        with database.transaction() as connection:
            times = {"cron": "30 2 * * *", "zone": "Europe/Paris"}, {"every": "1d"}
            daily, every = (
                watched(connection, f"https://{n}.example/{night:%m}", timing=Timing.of(**each, jitter="0s"), now=night)
                for n, each in enumerate(times)
            )
            for minutes in range(0, 72 * 60, 45):  # late: in October, the second time that it is two o'clock
                now = night + timedelta(minutes=minutes)
                looks.release(connection, database.queue, now=now)
                for (look,) in connection.execute("SELECT id::text FROM counterproof.looks WHERE state = 'queued'"):
                    begun = looks.begin(connection, look, worker="w", now=now)
                    assert begun is not None
                    looks.finish(connection, begun, Ended(outcome="ok"), now=now)
                due = [watches.get(connection, each.id).due_at for each in (daily, every)]
                assert min(due) > now, "what was released is not due any more"
            slots = [sorted(each["slot"] for each in looks.of_watch(connection, w.id, limit=9)) for w in (daily, every)]
        assert len({each.astimezone(zone).date() for each in slots[0][1:]}) == len(slots[0][1:]) == 3
        assert slots[1] == [night + timedelta(days=n) for n in range(3)]


def test_a_host_gets_no_more_looks_than_it_has_room_for_and_the_riskiest_first(database: Database) -> None:
    with database.transaction() as connection:
        for n in range(6):
            watched(connection, f"https://shop.example/{n}", priority=n)
        watched(connection, "https://other.example/1")
        assert looks.release(connection, database.queue, now=AT) == looks.AHEAD + 1
        released = {
            watches.get(connection, str(row[0])).url
            for row in connection.execute("SELECT watch FROM counterproof.looks")
        }
    assert released == {"https://shop.example/5", "https://shop.example/4", "https://other.example/1"}


def test_what_was_never_seen_goes_before_what_changed_and_that_before_any_priority(database: Database) -> None:
    with database.transaction() as connection:
        known = {
            name: watched(connection, f"https://shop.example/{name}", priority=priority)
            for name, priority in (("new", 0), ("changed", 0), ("of long ago", 9), ("as ever", 8))
        }
        for name, days in (("changed", 1), ("of long ago", 8), ("as ever", None)):
            connection.execute(
                "UPDATE counterproof.watches SET looked_at = %(at)s, changed_at = %(at)s - %(days)s * interval '1 day' "
                "WHERE id = %(id)s",
                {"at": AT, "days": days, "id": known[name].id},
            )
        went = []
        while looks.release(connection, database.queue, now=AT):
            for look, watch in connection.execute(
                "SELECT id::text, watch::text FROM counterproof.looks WHERE state = 'queued' ORDER BY priority DESC"
            ).fetchall():
                went.append(next(name for name, each in known.items() if each.id == watch))
                begun = looks.begin(connection, look, worker="w", now=AT)
                assert begun is not None
                looks.finish(connection, begun, Ended(outcome="ok"), now=AT)
    assert went == ["new", "changed", "of long ago", "as ever"]


def test_a_host_that_asked_us_to_stop_or_whose_day_is_spent_gets_none(database: Database) -> None:
    with database.transaction() as connection:
        for host in ("walled", "spent", "free"):
            watched(connection, f"https://{host}.example/1")
            pace.allow(connection, f"{host}.example", per_day=1)
            if host != "free":
                pace.take(
                    connection, f"{host}.example", pace.DIRECT, "v", now=AT, lasts=timedelta(minutes=1), spends=True
                )
        pace.allow(connection, "walled.example", per_day=100)
        away = pace.heard(connection, "walled.example", pace.DIRECT, "captcha", now=AT)
        assert away == pace.FIRST_BACK_OFF
        assert looks.release(connection, database.queue, now=AT) == 1
        assert looks.release(connection, database.queue, now=AT + away) == 1  # the walled one, after its pause
        assert looks.release(connection, database.queue, now=AT + timedelta(days=1)) == 1  # the spent one, tomorrow


def test_what_a_person_asks_for_goes_first_and_once(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)
        look, new = looks.ask(connection, database.queue, watch, now=AT)
        assert new
        assert looks.ask(connection, database.queue, watch, now=AT + timedelta(seconds=1)) == (look, False)
        (priority,) = connection.execute("SELECT priority FROM procrastinate_jobs").fetchone() or (0,)
    assert priority == ON_DEMAND


def test_who_asks_at_the_very_time_of_a_scheduled_look_gets_a_look_of_its_own(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        before, _ = looks.ask(connection, database.queue, watch, now=AT)  # the slot of AT is not released yet
        begun = looks.begin(connection, before, worker="w", now=AT)
        assert begun is not None
        looks.finish(connection, begun, Ended(outcome="ok"), now=AT)
        assert looks.release(connection, database.queue, now=AT) == 1
        scheduled = looks.begin(connection, look_id(watch.id, AT), worker="w", now=AT)
        assert scheduled is not None
        assert scheduled.reason == "scheduled"
        looks.finish(connection, scheduled, Ended(outcome="ok"), now=AT)
        after, new = looks.ask(connection, database.queue, watches.get(connection, watch.id), now=AT)
    assert new
    assert len({before, scheduled.look, after}) == 3


def test_a_scheduled_look_that_waits_is_moved_to_the_front(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)
        looks.release(connection, database.queue, now=AT)
        look, new = looks.ask(connection, database.queue, watch, now=AT)
        assert (look, new) == (look_id(watch.id, AT), False)
        (priority,) = connection.execute("SELECT priority FROM procrastinate_jobs").fetchone() or (0,)
    assert priority == ON_DEMAND


def test_the_same_job_delivered_twice_is_carried_out_once_while_its_worker_lives(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)
        looks.release(connection, database.queue, now=AT)
    look = look_id(watch.id, AT)
    with database.transaction() as connection:
        workers.say(connection, "one", place="here", egress="direct", facts={})
        assert looks.begin(connection, look, worker="one", now=AT, silent=timedelta(minutes=1)) is not None
    with pytest.raises(Busy), database.transaction() as connection:
        looks.begin(connection, look, worker="two", now=AT, silent=timedelta(minutes=1))
    with database.transaction() as connection:
        workers.leave(connection, "one")
        second = looks.begin(connection, look, worker="two", now=AT, silent=timedelta(minutes=1))
    assert second is not None
    assert second.attempt == 2


def test_an_attempt_that_was_overtaken_does_not_tell_the_end(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)
        looks.release(connection, database.queue, now=AT)
        look = look_id(watch.id, AT)
        first = looks.begin(connection, look, worker="one", now=AT)
        second = looks.begin(connection, look, worker="two", now=AT)
        assert first is not None
        assert second is not None
        assert not looks.finish(connection, first, Ended(outcome="late"), now=AT)
        assert looks.finish(connection, second, Ended(outcome="ok"), now=AT)
        assert looks.begin(connection, look, worker="three", now=AT) is None
        assert watches.get(connection, watch.id).last_outcome == "ok"


def test_a_look_that_kills_every_worker_becomes_a_kept_failure(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection)
        looks.release(connection, database.queue, now=AT)
        look = look_id(watch.id, AT)
        for n in range(looks.MAX_CRASHES):
            assert looks.begin(connection, look, worker=f"w{n}", now=AT) is not None
            assert looks.crashed(connection, look, now=AT) is (n + 1 < looks.MAX_CRASHES)
        (kept,) = looks.of_watch(connection, watch.id, limit=5)
        assert (kept["state"], kept["detail"]) == ("failed", looks.worn_out(looks.MAX_CRASHES))
        assert watches.get(connection, watch.id).failures == 1
        assert looks.begin(connection, look, worker="w", now=AT) is None


def test_a_look_whose_job_is_gone_gets_another(database: Database) -> None:
    with database.transaction() as connection:
        watched(connection)
        looks.release(connection, database.queue, now=AT)
        connection.execute("DELETE FROM procrastinate_jobs")
        assert looks.take_up(connection, database.queue, now=AT) == (1, 0)
        assert looks.take_up(connection, database.queue, now=AT) == (0, 0)
    assert len(jobs(database)) == 1


def test_a_look_is_cancelled_while_it_waits_and_told_to_stop_while_it_runs(database: Database) -> None:
    with database.transaction() as connection:
        first, second = watched(connection, "https://a.example/1"), watched(connection, "https://b.example/1")
        looks.release(connection, database.queue, now=AT)
        waiting, running = look_id(first.id, AT), look_id(second.id, AT)
        looks.begin(connection, running, worker="w", now=AT)
        assert looks.cancel(connection, database.queue, waiting, now=AT) == "cancelled"
        assert looks.cancel(connection, database.queue, running, now=AT) == "told"
        assert looks.cancel(connection, database.queue, waiting, now=AT) == "over"
        assert looks.begin(connection, waiting, worker="w", now=AT) is None


def test_watches_are_paused_resumed_and_removed(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        assert watches.pause(connection, watch.id, "vacation", now=AT)
        assert not watches.pause(connection, watch.id, "again", now=AT)
        assert looks.release(connection, database.queue, now=AT) == 0
        assert watches.resume(connection, watch.id, now=AT)
        assert looks.release(connection, database.queue, now=AT) == 1
        assert watches.remove(connection, watch.id, now=AT)
        assert looks.begin(connection, look_id(watch.id, AT), worker="w", now=AT) is None
        assert watches.every(connection) == []
        again = watched(connection, every="1h")  # the same page may be watched anew
        assert again.id != watch.id


def test_the_interval_that_was_achieved_is_told(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        for n in range(3):
            now = AT + timedelta(hours=2 * n)
            looks.release(connection, database.queue, now=now)
            (look,) = looks.of_watch(connection, watch.id, limit=1)
            begun = looks.begin(connection, look["id"], worker="w", now=now)
            assert begun is not None
            looks.finish(connection, begun, Ended(outcome="ok"), now=now)
        assert looks.achieved(connection, watch.id) == timedelta(hours=2)
