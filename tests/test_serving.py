"""``serve`` survives the death of each of its parts; two schedulers, a poison job and a crowd do no harm."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import QueueDown
from archive.postmaster import State as Postmaster
from archive.watchdog import State as Watchdog
from archive.watching import looks, watches
from archive.watching.database import Database
from tests.archive.watching.databases import watched
from tests.command import run
from tests.site.server import Site
from tests.workers import Process, alive, below, database_of, rows, through, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


def serve(site: Site, home: Path) -> Process:
    return Process("serve", *through(site), "--no-console", "--metrics", "0", "--silent", "4", home=home)


def browsers(pid: int) -> list[int]:
    return [each for each in below(pid) if b"--remote-debugging-pipe" in _command(each)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def again(database: Database, *, patience_s: float = 240) -> None:
    """Have the one watch looked at once more, to its end; while parts are away, asking is tried again."""
    deadline = time.monotonic() + patience_s
    look = ""
    while not look:
        try:
            with database.transaction() as connection:
                (watch,) = watches.every(connection)
                look, _ = looks.ask(connection, database.queue, watch, now=datetime.now(UTC))
        except QueueDown:
            assert time.monotonic() < deadline
            time.sleep(1)

    def ended() -> bool:
        try:
            return bool(rows(database, "SELECT FROM counterproof.looks WHERE id = %s AND state = 'done'", look))
        except QueueDown:
            return False

    until(ended, patience_s)


def verified(home: Path) -> dict[str, int]:
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
    events: dict[str, int] = verdict.document["facts"]["events"]
    return events


@pytest.mark.timeout(1200)
def test_whatever_part_is_killed_the_next_look_is_carried_out_and_nothing_stays_open(
    site: Site, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run("watch", "add", site.url("post_unlinked"), "--case", "b", "--every", "30d", "--no-follow", home=home)
    run("watch", "host", "www.glimpsegram.example", "--delay", "0", home=home)
    with database_of(home) as database:
        serving = serve(site, home)
        try:
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), 240, serving.told)
            children = {each["child"]: each["pid"] for each in serving.said("child started")}
            postgres, store = Postmaster.read(home / "postgres"), Watchdog.read(home / "store")
            assert postgres is not None
            assert store is not None
            victims = {
                "worker": children["worker-1"],
                "scheduler": children["scheduler"],
                "browser": browsers(children["worker-1"])[0],
                "postgres": postgres.server,
                "store": store.server,
            }
            for name in ("browser", "scheduler", "store", "postgres", "worker"):
                victim = victims[name]
                assert victim is not None
                os.kill(victim, signal.SIGKILL)
                again(database)
            assert run("status", home=home).code in {0, 3}
            tree = below(serving.process.pid)
            assert serving.stop(within_s=180) == 0
            until(lambda: not any(alive(each) for each in tree), 60)
        finally:
            if serving.process.poll() is None:
                serving.kill()
        assert rows(database, "SELECT count(*) FROM counterproof.looks WHERE state <> 'done'") == [(0,)]
        done = rows(database, "SELECT count(*) FROM counterproof.looks")[0][0]
    assert done == 6
    events = verified(home)
    ends = sum(count for kind, count in events.items() if kind in {"capture.completed", "capture.failed"})
    assert ends == done  # each look once: what was abandoned was begun anew


@pytest.mark.timeout(600)
def test_a_serve_that_is_killed_leaves_nothing_running_and_loses_nothing(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run("watch", "add", site.url("slow_first_byte"), "--case", "b", "--every", "30d", "--no-follow", home=home)
    first = serve(site, home)
    try:
        first.wait_for("look begins")
        tree = below(first.process.pid)
    finally:
        first.kill()
    until(lambda: not any(alive(each) for each in tree if b"console" in _command(each)), 200)
    with database_of(home) as database:
        second = serve(site, home)
        try:
            second.wait_for("child started", times=2)
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), 240, second.told)
            assert second.stop() == 0
        finally:
            if second.process.poll() is None:
                second.kill()
        assert rows(database, "SELECT count(*) FROM counterproof.looks") == [(1,)]
    assert verified(home)["capture.completed"] == 1


@pytest.mark.timeout(600)
def test_a_job_that_kills_every_worker_is_given_up_and_the_others_are_carried_out(site: Site, tmp_path: Path) -> None:
    """The poison is a page that never ends; each worker that has it is killed."""
    home = tmp_path / "home"
    run("watch", "add", site.url("never_finishing"), "--case", "b", "--every", "30d", "--no-follow", home=home)
    with database_of(home) as database:
        for _ in range(looks.MAX_CRASHES):
            with worker(site, home, "--silent", "3", "--concurrency", "1") as poisoned:
                poisoned.wait_for("look begins")
                poisoned.kill()
        run("watch", "add", site.url("post_unlinked"), "--case", "b", "--every", "30d", "--no-follow", home=home)
        with worker(site, home, "--silent", "3") as healthy:
            until(
                lambda: len(rows(database, "SELECT FROM counterproof.looks WHERE ended_at IS NOT NULL")) == 2,
                240,
                healthy.told,
            )
            assert healthy.stop() == 0
        found = dict(rows(database, "SELECT state, detail FROM counterproof.looks"))
    assert found["failed"] == looks.worn_out(looks.MAX_CRASHES)
    assert "done" in found
    status = run("status", "--json", home=home)
    assert (status.code, len(status.document["kept_failures"])) == (3, 1)
    verified(home)


@pytest.mark.timeout(300)
def test_ten_thousand_that_are_due_in_one_minute_are_released_once_and_within_their_hosts_room(tmp_path: Path) -> None:
    """Two schedulers at once, in processes of their own, with nobody to carry anything out."""
    home = tmp_path / "home"
    now = datetime.now(UTC)
    with database_of(home) as database:
        with database.transaction() as connection:
            for n in range(10_000):
                watched(
                    connection, f"https://h{n % 2_500}.example/{n}", every="1h", now=now - timedelta(seconds=n % 60)
                )
            connection.execute("ANALYZE")
        schedulers = [Process("work", "--only", "schedule", home=home) for _ in range(2)]
        try:
            until(lambda: rows(database, "SELECT count(*) FROM counterproof.looks")[0][0] >= 2_500 * looks.AHEAD, 200)
            time.sleep(12)  # one more tick of each: there is no room for more
            assert all(each.stop() == 0 for each in schedulers)
        finally:
            for each in schedulers:
                if each.process.poll() is None:
                    each.kill()
        total, jobs, most = rows(
            database,
            "SELECT (SELECT count(*) FROM counterproof.looks), (SELECT count(DISTINCT args->>'look') FROM "
            "procrastinate_jobs WHERE queue_name = 'look'), "
            "(SELECT max(n) FROM (SELECT count(*) AS n FROM counterproof.looks GROUP BY host) h)",
        )[0]
    assert (total, jobs) == (2_500 * looks.AHEAD, 2_500 * looks.AHEAD)
    assert most == looks.AHEAD
