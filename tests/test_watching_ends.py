"""Where a worker is told to stop, or dies, in the middle of a look: what was begun has one end, and nothing is lost."""

import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from tests.command import run
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site
from tests.town import ACCOUNT, LISTING, NETWORK, POST, SECOND, SHOP, Town
from tests.workers import PATIENCE_S, database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(900)]

ONE, OTHER = "https://www.first.example/one", "https://www.second.example/other"
_HELD = (
    "<!doctype html><meta charset=utf-8><title>A page</title><h1>A page</h1><p>It has words on it, as pages have.</p>"
)
_STATES = "SELECT state, outcome, attempts FROM counterproof.looks ORDER BY state"


class Held:
    """Two hosts; the answers of one come when a test lets them."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        self.site = Site()
        for name, route in (("www.first.example", "/one"), ("www.second.example", "/other")):
            self.site.hosts[name] = Host(name=name, routes={route: self.answer})

    def __enter__(self) -> Self:
        self.site.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.let.set()
        self.site.__exit__()

    def answer(self, _: Request) -> Answer:
        self.asked.set()
        self.let.wait(120)
        return page(_HELD)


def verified(home: Path) -> dict[str, int]:
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
    events: dict[str, int] = verdict.document["facts"]["events"]
    return events


def test_a_worker_that_is_told_to_stop_ends_the_look_that_is_under_way_and_begins_no_other(tmp_path: Path) -> None:
    home, held = tmp_path / "home", Held()
    with held, database_of(home) as database:
        run("watch", "add", ONE, OTHER, "--case", "b", "--every", "1d", "--no-follow", home=home)
        with worker(held.site, home, "--concurrency", "1") as working:
            until(held.asked.is_set, told=working.told)
            working.process.send_signal(signal.SIGTERM)
            until(lambda: working.said("worker stops"), told=working.told)
            held.let.set()
            assert working.process.wait(PATIENCE_S) == 0, working.told()
        found = rows(database, _STATES)
        assert found == [("done", "ok", 1), ("queued", None, 0)]
        assert not rows(database, "SELECT FROM counterproof.workers"), "it took its leave"
        assert sum(bool(held.site.seen(each)) for each in ("www.first.example", "www.second.example")) == 1
    events = verified(home)
    assert (events["capture.started"], events["capture.completed"]) == (1, 1)


def test_a_second_signal_ends_the_look_with_what_it_has_and_another_worker_makes_it(tmp_path: Path) -> None:
    home, held = tmp_path / "home", Held()
    with held, database_of(home) as database:
        run("watch", "add", ONE, "--case", "b", "--every", "1d", "--no-follow", home=home)
        with worker(held.site, home) as working:
            until(held.asked.is_set, told=working.told)
            working.process.send_signal(signal.SIGTERM)
            until(lambda: working.said("worker stops"), told=working.told)
            assert working.stop() == 0
        assert [each[0] for each in rows(database, _STATES)] == ["queued"]
        held.let.set()
        with worker(held.site, home) as second:
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), told=second.told)
            assert second.stop() == 0
        assert [each[:2] for each in rows(database, _STATES)] == [("done", "ok")]
    verified(home)


def test_killed_between_a_profile_and_its_new_post_the_post_is_captured_once_by_whoever_takes_over(
    tmp_path: Path,
) -> None:
    home, town, asked = tmp_path / "home", Town(), threading.Event()
    second = town.site.hosts[NETWORK].routes["/p/Cx1002"]

    def slow_at_first(request: Request) -> Answer:
        first = not asked.is_set()
        asked.set()
        return replace(second(request), delay_s=30 if first else 0)

    town.site.hosts[NETWORK] = Host(
        name=NETWORK, routes={**town.site.hosts[NETWORK].routes, "/p/Cx1002": slow_at_first}
    )
    done = "SELECT outcome FROM counterproof.looks WHERE state = 'done' ORDER BY slot"
    with town.site, database_of(home) as database:
        for host in (NETWORK, SHOP):
            run("watch", "host", host, "--delay", "0", home=home)
        run("watch", "add", ACCOUNT, "--case", "b", "--kind", "profile", "--every", "1d", "--jitter", "0s", home=home)
        with worker(town.site, home, "--silent", "4") as working:
            until(lambda: rows(database, done), told=working.told)
            town.posts = ("Cx1002", "Cx1001")
            rows(database, "UPDATE counterproof.watches SET slot = now(), due_at = now() RETURNING id")
            until(asked.is_set, told=working.told)  # the profile was looked at, and its new post is being looked at
            working.kill()
        with worker(town.site, home, "--silent", "4") as taking_over:
            until(lambda: len(rows(database, done)) == 2, told=taking_over.told)
            assert taking_over.stop() == 0
        assert rows(database, done) == [("ok",), ("recorded before",)]
    captures = run("captures", "--case", "b", "--json", home=home).document["captures"]
    kept = sorted(each["requested_url"] for each in captures if each["status"] == "complete")
    assert kept == sorted([ACCOUNT, ACCOUNT, POST, LISTING, SECOND]), "each once; the profile as it was, and as it is"
    events = verified(home)
    assert (events["capture.abandoned"], events["change.observed"]) == (1, 1)
