"""Capture now by the queue: a real database, and whoever plays the worker in it."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.watching import looks, watches, workers
from archive.watching.database import Database, opened
from archive.watching.looks import Ended
from archive.watching.timing import Timing
from archive.watching.watch import asked
from console.screen import now
from console.watchdesk import new_id
from console.web.jobs import Job, Jobs, Wanted
from console.web.queued import Desk, open_desk
from tests.archive.databases import postgres

URLS = ("https://a.example/1", "https://a.example/2")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with postgres() as made:
        yield made


@pytest.fixture
def database(dsn: str) -> Iterator[Database]:
    with opened(dsn) as made:
        yield made
        with made.transaction() as connection:
            connection.execute("TRUNCATE counterproof.looks, counterproof.watches, counterproof.workers CASCADE")


def desk_of(database: Database) -> Desk:
    return Desk(database=database, key=str.lower, new_id=new_id, clock=now)


def say(database: Database) -> None:
    with database.transaction() as connection:
        workers.say(connection, "one", place="here", egress="direct", facts={})


def ask(desk: Desk, *urls: str) -> list[str]:
    return desk.ask(urls or URLS, case="acme", by="ada", follow=False, device="phone")


def carry_out(database: Database, look: str, *, unit: str | None = None, reason: str | None = None) -> None:
    with database.transaction() as connection:
        begun = looks.begin(connection, look, worker="one", now=now())
        assert begun is not None
        if reason is None:
            assert looks.finish(connection, begun, Ended(outcome="ok", unit=unit, captures=1), now=now())
        else:
            assert looks.fail(connection, look, reason, now=now())


def test_without_a_worker_there_is_no_queue(database: Database, dsn: str, tmp_path: Path) -> None:
    def is_there(**settings: str) -> bool:
        config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(tmp_path), **settings}, settings={})
        with open_desk(config, key=str.lower, new_id=new_id, clock=now) as desk:
            return desk is not None

    assert not is_there()
    assert not is_there(COUNTERPROOF_DSN=dsn)
    assert not is_there(COUNTERPROOF_DSN="host=/nowhere dbname=x connect_timeout=1")
    say(database)
    assert is_there(COUNTERPROOF_DSN=dsn)


def test_a_page_that_is_not_watched_is_looked_at_once_and_not_watched_afterwards(database: Database) -> None:
    desk = desk_of(database)
    one, two = ask(desk)
    with database.transaction() as connection:
        made = watches.every(connection)
    assert [(each.url, each.state, each.source) for each in made] == [(url, "paused", "console") for url in URLS]
    assert all(dict(each.options) == {"follow": False, "device": "phone"} for each in made)
    assert "by ada" in made[0].why
    assert [(each.id, each.state, each.has_ended) for each in desk.see([one, two])] == [
        (one, "queued", False), (two, "queued", False),
    ]  # fmt: skip
    carry_out(database, one)
    carry_out(database, two, reason="the host does not answer")
    assert [(each.state, each.detail) for each in desk.see([one, two])] == [
        ("done", ""), ("failed", "the host does not answer"),
    ]  # fmt: skip
    with database.transaction() as connection:
        assert watches.every(connection) == []
    assert ask(desk, URLS[0]) != [one], "asked for again, it is looked at again"


def test_a_watch_that_is_there_stays_as_it_is(database: Database) -> None:
    desk = desk_of(database)
    with database.transaction() as connection:
        wanted = asked(case="acme", url=URLS[0], key=URLS[0], kind="post", timing=Timing.of(every="6h"))
        before = watches.put(connection, wanted, new_id=new_id(), now=now()).watch
    (look,) = ask(desk, URLS[0], URLS[0].upper())
    carry_out(database, look)
    assert [each.watch for each in desk.see([look])] == [before.id]
    with database.transaction() as connection:
        after = watches.get(connection, before.id)
    assert (after.state, dict(after.options), after.timing) == ("active", {}, before.timing)


def test_a_look_that_the_database_has_lost_has_failed_and_is_not_left_out(database: Database) -> None:
    desk = desk_of(database)
    (there,) = ask(desk, URLS[0])
    lost = new_id()
    assert [(each.id, each.state) for each in desk.see([lost, there])] == [(lost, "failed"), (there, "queued")]


def test_a_job_tells_how_far_its_looks_are(database: Database, dsn: str, tmp_path: Path) -> None:
    say(database)
    config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(tmp_path), "COUNTERPROOF_DSN": dsn}, settings={})
    jobs = Jobs(config, now, key=str.lower, of_unit=lambda _: [])
    job = jobs.begin(Wanted(urls=URLS, case="acme", by="ada"))
    wait_for(job, steps=2)
    assert {each["step"] for each in job.steps} == {"waiting in the queue"}
    with database.transaction() as connection:
        ids = [str(row[0]) for row in connection.execute("SELECT id FROM counterproof.looks")]
    for n, each in enumerate(ids):
        carry_out(database, each, reason="no such host" if n else None)
    wait_for(job, steps=4)
    end = now() + timedelta(seconds=60)
    while not job.has_ended and now() < end:
        threading.Event().wait(0.1)
    assert (job.state, job.code) == ("ended", 4)
    assert job.trouble == "1 of 2 pages: no such host"
    assert {each["step"] for each in job.steps} == {"waiting in the queue", "ended", "failed"}
    left = jobs.begin(Wanted(urls=URLS[:1], case="acme", by="ada"))
    wait_for(left, steps=1)
    jobs.close()
    end = now() + timedelta(seconds=60)
    while not left.has_ended and now() < end:
        threading.Event().wait(0.1)
    assert left.trouble == "the console was stopped; the looks stay in the queue"


def wait_for(job: Job, *, steps: int) -> None:
    end = now() + timedelta(seconds=60)
    while len(job.steps) < steps:
        assert now() < end, job
        assert not job.has_ended, job
        threading.Event().wait(0.1)
