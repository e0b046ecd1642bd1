"""A full disk, a store that is away while many are due, a clock that steps, a job that is delivered twice.

After each: every due look happened once or has a kept failure, every start has its end, and the log holds.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive.embedded import BUCKET, Running
from archive.watching import looks
from archive.watching.database import Database
from crawlers.worker import pause_s
from tests.archive.conftest import seaweed
from tests.archive.faulty import FaultyProxy, Refuse
from tests.command import run
from tests.moved import Moved
from tests.site.server import Site
from tests.workers import Process, database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3]

__all__ = ["seaweed"]

HOST = "www.glimpsegram.example"
PAGES = ("post", "post_unlinked", "post_direct")
FULL = 'mount -t tmpfs -o size=4m none "$0" && (head -c 8m /dev/zero > "$0/filler" || true) && exec "$@"'
"""A spool that is full from the start."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


def watch(site: Site, home: Path, *names: str, env: dict[str, str] | None = None, clock: Moved | None = None) -> None:
    pages = [site.url(each) for each in names]
    every = ("--every", "1d", "--jitter", "0s", "--no-follow")
    assert run("watch", "add", *pages, "--case", "b", *every, home=home, env=env, clock=clock).code == 0
    assert run("watch", "host", HOST, "--slots", "6", "--delay", "0", home=home, env=env, clock=clock).code == 0


def done(database: Database, many: int, working: Process) -> None:
    """So many looks have come to their end, and no other is open."""
    query = "SELECT count(*) FILTER (WHERE state = 'done'), count(*) FROM counterproof.looks"
    until(lambda: rows(database, query) == [(many, many)], 400, working.told)


def verified(home: Path, *, env: dict[str, str] | None = None, clock: Moved | None = None) -> dict[str, int]:
    verdict = run("verify", "--json", home=home, env=env, clock=clock)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
    events: dict[str, int] = verdict.document["facts"]["events"]
    return events


def ends(events: dict[str, int]) -> int:
    return sum(events.get(each, 0) for each in ("capture.completed", "capture.failed", "look.unchanged"))


def visits(site: Site, name: str) -> int:
    host, path = site.url(name).removeprefix("https://").split("/", 1)
    return sum(each.path == f"/{path}" for each in site.seen(host))


def test_a_store_that_is_away_for_an_hour_costs_no_look() -> None:
    waited, attempts = 0.0, 1
    while waited < 3600:
        waited += pause_s(attempts)
        attempts += 1
    assert attempts < looks.MAX_ATTEMPTS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_whose_disk_is_full_claims_nothing_and_goes_on_when_there_is_room(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("doctor", home=home).code in {0, 7}  # makes the home
    watch(site, home, "post_unlinked")
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    wrap = [*namespace, "sh", "-c", FULL, str(home / "spool")]
    with database_of(home) as database, worker(site, home, "--silent", "4", wrap=wrap) as working:
        working.wait_for("look put off", within_s=240)
        assert rows(database, "SELECT state, outcome FROM counterproof.looks") == [("queued", None)]
        assert "disk is full" in rows(database, "SELECT detail FROM counterproof.looks")[0][0]
        Path(f"/proc/{working.process.pid}/root{home}/spool/filler").unlink()
        done(database, 1, working)
        assert rows(database, "SELECT outcome FROM counterproof.looks") == [("ok",)]
        assert working.stop() == 0
    assert verified(home)["capture.completed"] == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_store_that_goes_away_while_many_are_due_gets_all_of_them_when_it_is_back(
    site: Site, seaweed: Running, tmp_path: Path
) -> None:
    """What a look saw that was under way lies in the spool. The others do not begin, so it does not grow."""
    home = tmp_path / "home"
    before = {each: visits(site, each) for each in ("slow_first_byte", *PAGES)}
    with FaultyProxy(seaweed.endpoint) as proxy:
        env = {
            "COUNTERPROOF_STORE_URL": f"s3://{BUCKET}/away?endpoint={proxy.endpoint}",
            "AWS_ACCESS_KEY_ID": seaweed.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": seaweed.credentials.secret_key,
        }
        watch(site, home, "slow_first_byte", env=env)
        with database_of(home) as database, worker(site, home, "--silent", "4", env=env) as working:
            until(lambda: visits(site, "slow_first_byte") > before["slow_first_byte"], 240, working.told)
            proxy.on("*", Refuse(503), times=None)  # one start is in the log; from here on the store is away
            watch(site, home, *PAGES, env=env)
            until(lambda: len({each["look"] for each in working.said("look put off")}) >= len(PAGES), 400, working.told)
            assert rows(database, "SELECT count(*) FROM counterproof.looks WHERE outcome IS NOT NULL") == [(0,)]
            assert {each: visits(site, each) - before[each] for each in PAGES} == dict.fromkeys(PAGES, 0)
            assert len(list((home / "spool").glob("run-*/*"))) <= 4
            proxy.heal()
            done(database, 1 + len(PAGES), working)
            outcomes = {row[0] for row in rows(database, "SELECT outcome FROM counterproof.looks")}
            assert outcomes <= {"ok", "recorded before"}
            assert working.stop() == 0
        assert all(visits(site, each) - before[each] == 1 for each in before)
        assert ends(verified(home, env=env)) == 1 + len(PAGES)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_clock_that_steps_by_an_hour_makes_every_look_once(site: Site, tmp_path: Path) -> None:
    home, clock = tmp_path / "home", Moved(tmp_path / "clock")
    clock.set_apart(timedelta(0))
    watch(site, home, "post_unlinked", clock=clock)
    with database_of(home) as database, worker(site, home, "--silent", "4", clock=clock) as working:
        done(database, 1, working)
        clock.move(timedelta(days=1))
        done(database, 2, working)
        clock.move(timedelta(hours=-1))  # the second look's time comes a second time, and is over
        asked = run("watch", "run", site.url("post_unlinked"), "--json", home=home, clock=clock)
        assert asked.code == 0, asked.err
        done(database, 3, working)
        clock.move(timedelta(hours=1))
        clock.move(timedelta(days=1))
        done(database, 4, working)
        assert working.stop() == 0
        found = rows(
            database, "SELECT count(DISTINCT slot), count(*), bool_and(outcome = 'ok') FROM counterproof.looks"
        )
    assert found == [(4, 4, True)]
    events = verified(home, clock=clock)
    assert (events["capture.started"], ends(events)) == (4, 4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_that_is_delivered_to_two_workers_is_carried_out_once(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    before = visits(site, "slow_first_byte")
    watch(site, home, "slow_first_byte")
    with database_of(home) as database, worker(site, home, "--concurrency", "1") as first:
        first.wait_for("look begins")
        look = first.said("look begins")[0]["look"]
        with worker(site, home, "--concurrency", "1", "--only", "looks") as second:
            second.wait_for("worker ready")
            with database.transaction() as connection:
                database.queue.defer(connection, [(look, 50), (look, 50)])
            second.wait_for("delivered twice")
            done(database, 1, first)
            until(lambda: not rows(database, "SELECT FROM procrastinate_jobs WHERE queue_name = 'look'"), 120)
            assert (first.stop(), second.stop()) == (0, 0)
    assert visits(site, "slow_first_byte") - before == 1
    events = verified(home)
    assert (events["capture.started"], events["capture.completed"]) == (1, 1)
