"""Watches from end to end, with real parts: a worker carries out what is due, and dies in the worst places."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import ROOT, environment, run
from tests.crawled import TOLD
from tests.site.host import Answer, Host, Request, always, page
from tests.site.server import Site
from tests.town import ACCOUNT, LISTING, NETWORK, POST, SECOND, SHOP, Town
from tests.workers import database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


def verified(home: Path) -> dict[str, int]:
    """What kinds of events the log has, once all of it holds and nothing is open."""
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
    events: dict[str, int] = verdict.document["facts"]["events"]
    return events


def visits(site: Site, name: str) -> int:
    host, path = site.url(name).removeprefix("https://").split("/", 1)
    return sum(each.path == f"/{path}" for each in site.seen(host))


@pytest.mark.slow
def test_a_watch_is_looked_at_when_it_is_due_and_robots_txt_stops_it_where_it_says_so(
    site: Site, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    added = run(
        "watch", "add", site.url("post"), site.url("listing"), "--case", "bracelets", "--every", "1h", "--no-follow",
        "--json", home=home,
    )  # fmt: skip
    assert added.code == 0, added.err
    assert [each["result"] for each in added.document["watches"]] == ["new", "new"]
    with worker(site, home) as working:
        working.wait_for("look ends", times=2)
        with database_of(home) as database:
            until(lambda: not rows(database, "SELECT FROM counterproof.looks WHERE ended_at IS NULL"))
        assert working.stop() == 0
        assert all(name not in working.told() for name in ("glimpsegram", "bazaroo", "bracelets"))  # ids, no evidence
    listed = run("watch", "list", "--json", home=home).document["watches"]
    assert {each["url"]: each["last_outcome"] for each in listed} == {
        site.url("post"): "ok",
        site.url("listing"): "refused_by_policy",
    }
    assert visits(site, "listing") == 0
    assert verified(home)["capture.started"] == 2
    again = run("watch", "add", site.url("post"), "--case", "bracelets", "--every", "1h", "--no-follow", home=home)
    assert again.out.startswith("same")


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_a_real_due_time_is_waited_for_and_no_look_is_early(site: Site, tmp_path: Path) -> None:
    """By the machine's own clock: the next full minute."""
    home = tmp_path / "home"
    timing = ("--cron", "* * * * *", "--jitter", "0s", "--no-follow")
    added = run("watch", "add", site.url("post_unlinked"), "--case", "b", *timing, home=home)
    assert added.code == 0, added.err
    run("watch", "host", "www.glimpsegram.example", "--delay", "0", home=home)
    with worker(site, home) as working, database_of(home) as database:
        query = "SELECT slot, due_at, released_at, begun_at FROM counterproof.looks WHERE state = 'done' ORDER BY slot"
        until(lambda: len(rows(database, query)) >= 2, 400, working.told)
        found = rows(database, query)
        assert working.stop() == 0
    slot, due_at, released_at, begun_at = found[1]
    assert (slot.second, slot.microsecond) == (0, 0)
    assert slot <= due_at <= released_at <= begun_at
    assert [each[0] for each in found] == sorted({each[0] for each in found})
    verified(home)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_killed_between_commit_and_tick_off_a_look_is_not_carried_out_again(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    pages = site.url("post_unlinked"), site.url("refused")  # a refused connection is what came of a look, too
    run("watch", "add", *pages, "--case", "bracelets", "--every", "1h", "--no-follow", home=home)
    with database_of(home) as database:
        with worker(site, home, "--silent", "4", "--concurrency", "2") as working:
            working.wait_for("look begins", times=2)
            with database.transaction() as connection:  # the looks can be carried out, and not be ticked off
                connection.execute("SELECT FROM counterproof.looks FOR UPDATE")
                working.wait_for("look ends", times=2)
                working.kill()
        assert rows(database, "SELECT state, attempts FROM counterproof.looks") == [("running", 1)] * 2
        before = visits(site, "post_unlinked")
        with worker(site, home, "--silent", "4") as second:
            second.wait_for("look ends", times=2)
            until(lambda: len(rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'")) == 2)
            assert second.stop() == 0
        found = rows(database, "SELECT outcome, attempts FROM counterproof.looks")
    assert found == [("recorded before", 2)] * 2
    assert visits(site, "post_unlinked") == before
    events = verified(home)
    assert (events["capture.started"], events["capture.completed"], events["capture.failed"]) == (2, 1, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_killed_in_the_middle_of_a_look_its_capture_gets_its_end_before_the_next_begins(
    site: Site, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run("watch", "add", site.url("slow_first_byte"), "--case", "b", "--every", "1h", "--no-follow", home=home)
    with database_of(home) as database:
        with worker(site, home, "--silent", "4") as working:
            working.wait_for("look begins")
            until(lambda: visits(site, "slow_first_byte"))
            working.kill()
        with worker(site, home, "--silent", "4") as second:
            second.wait_for("look ends")
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"))
            assert second.stop() == 0
        assert rows(database, "SELECT outcome, attempts, crashes FROM counterproof.looks") == [("ok", 2, 1)]
    events = verified(home)
    assert (events["capture.started"], events["capture.abandoned"], events["capture.completed"]) == (2, 1, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_killed_between_a_post_and_its_listing_the_next_attempt_goes_on_with_the_listing(tmp_path: Path) -> None:
    home, asked = tmp_path / "home", threading.Event()
    words = "<p>It has words on it, so that it is a page as others are.</p>"
    there = page(f"<!doctype html><meta charset=utf-8><title>An item</title><h1>An item</h1>{words}")

    def item(_: Request) -> Answer:
        first = not asked.is_set()
        asked.set()
        return replace(there, delay_s=20 if first else 0)

    own = Site()
    post_ = (
        f"<article><h1>A post</h1><p>my band: <a href='https://www.second.example/item'>here</a></p></article>{words}"
    )
    head = "<!doctype html><meta charset=utf-8><title>A post</title><meta property=og:type content=article>"
    own.hosts["www.first.example"] = Host(name="www.first.example", routes={"/p/Cx1": always(page(head + post_))})
    own.hosts["www.second.example"] = Host(name="www.second.example", routes={"/item": item})
    with own, database_of(home) as database:
        run("watch", "add", "https://www.first.example/p/Cx1", "--case", "b", "--every", "1d", home=home)
        with worker(own, home, "--silent", "4") as working:
            until(asked.is_set, told=working.told)
            working.kill()
        with worker(own, home, "--silent", "4") as second:
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), told=second.told)
            assert second.stop() == 0
            assert second.said("look goes on")
        unit, outcome = rows(database, "SELECT unit, outcome FROM counterproof.looks")[0]
        assert outcome == "recorded before"
        seen = [each.path for each in (*own.seen("www.first.example"), *own.seen("www.second.example"))]
    assert (seen.count("/p/Cx1"), seen.count("/item")) == (1, 2)
    captures = run("captures", "--case", "b", "--json", home=home).document["captures"]
    assert {(each["unit"], each["status"]) for each in captures} == {(str(unit), "complete"), (str(unit), "abandoned")}
    assert sum(each["status"] == "complete" for each in captures) == 2
    events = verified(home)
    assert (events["capture.started"], events["capture.abandoned"], events["capture.completed"]) == (3, 1, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_killed_between_a_post_that_vanishes_and_its_listing_the_change_is_recorded_and_the_listing_looked_at(
    tmp_path: Path,
) -> None:
    home, town, gone = tmp_path / "home", Town(), threading.Event()
    listing = town.site.hosts[SHOP].routes["/item/1"]

    def item(asked: Request) -> Answer:
        first = not town.there and not gone.is_set()
        if not town.there:
            gone.set()
        return replace(listing(asked), delay_s=30 if first else 0)

    town.site.hosts[SHOP] = Host(name=SHOP, routes={**town.site.hosts[SHOP].routes, "/item/1": item})
    with town.site, database_of(home) as database:
        for host in (NETWORK, SHOP):
            run("watch", "host", host, "--delay", "0", home=home)
        run("watch", "add", POST, "--case", "b", "--kind", "post", "--every", "1d", "--jitter", "0s", home=home)
        options = ("--silent", "4", "--control-page", f"https://{NETWORK}/about")
        done = "SELECT outcome, kinds FROM counterproof.looks WHERE state = 'done' ORDER BY slot"
        with worker(town.site, home, *options) as working:
            until(lambda: rows(database, done), told=working.told)
            town.there = False
            rows(database, "UPDATE counterproof.watches SET slot = now(), due_at = now() RETURNING id")
            until(gone.is_set, told=working.told)  # the post was looked at, and its listing is being looked at
            working.kill()
        with worker(town.site, home, *options) as second:
            until(lambda: len(rows(database, done)) == 2, told=second.told)
            assert second.stop() == 0
        assert rows(database, done)[1] == ("recorded before", ["post_removed"])
        asked = [each.path for each in town.site.seen(SHOP)]
    assert asked.count("/item/1") == 3, "with the post; when that was gone; and once more, as the second was cut off"
    captures = run("captures", "--case", "b", "--json", home=home).document["captures"]
    kept = [each["status"] for each in captures if each["requested_url"] == LISTING]
    assert sorted(kept) == ["abandoned", "complete", "complete"]
    assert verified(home)["change.observed"] == 1


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine is no failure
def test_a_page_that_is_as_it_was_is_not_kept_again_and_a_review_that_is_overdue_pauses_its_watch(
    site: Site, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    page = site.url("post_leaving")
    run("watch", "add", page, "--case", "b", "--every", "1h", "--no-follow", home=home)
    run("watch", "host", "www.glimpsegram.example", "--delay", "0", home=home)
    with database_of(home) as database, worker(site, home, "--browser-contexts", "1") as working:
        until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), told=working.told)
        again = "UPDATE counterproof.watches SET due_at = now() - interval '1 second' WHERE id IS NOT NULL RETURNING id"
        rows(database, again)
        until(
            lambda: len(rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'")) == 2, told=working.told
        )
        found = rows(database, "SELECT reason, outcome, changed, captures FROM counterproof.looks ORDER BY slot")
        assert found == [("new", "ok", None, 1), ("scheduled", "ok", False, 0)]
        until(lambda: rows(database, "SELECT FROM counterproof.workers WHERE facts->'recycled' ? 'contexts'"))
        first, second = rows(database, "SELECT bytes, requests FROM counterproof.looks ORDER BY slot")
        assert second[0] < first[0] / 10
        assert run("case", "edit", "b", "--review-by", "2020-01-31", home=home).code == 0
        rows(database, again)
        until(lambda: rows(database, "SELECT FROM counterproof.watches WHERE state = 'paused'"), told=working.told)
        assert working.stop() == 0
    assert "review of this case was due" in run("watch", "list", home=home).out
    events = verified(home)
    assert (events["capture.started"], events["capture.completed"], events["look.unchanged"]) == (2, 1, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_crawl_from_a_timer_looks_as_a_worker_does(tmp_path: Path) -> None:
    home, town = tmp_path / "home", Town()
    with town.site, database_of(home) as database:
        told = {TOLD: json.dumps({"resolve": town.site.resolve, "trust_spki": town.site.trust_spki})}
        for host in (NETWORK, SHOP):
            run("watch", "host", host, "--delay", "0", home=home)
        run("watch", "add", ACCOUNT, "--case", "b", "--kind", "profile", "--every", "1d", home=home)

        def crawl() -> tuple[object, ...]:
            ran = subprocess.run(
                [sys.executable, "-m", "tests.crawled", "b"], cwd=ROOT, check=False, capture_output=True, text=True,
                env=environment({**told, "COUNTERPROOF_HOME": str(home)}), timeout=240,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stderr[-4000:]
            rows(database, "UPDATE counterproof.watches SET due_at = now() - interval '1 s' RETURNING id")
            query = "SELECT outcome, changed, kinds FROM counterproof.looks ORDER BY slot DESC, ended_at DESC LIMIT 1"
            found: tuple[object, ...] = rows(database, query)[0]
            return found

        assert crawl() == ("ok", None, [])
        assert crawl() == ("ok", False, [])
        town.posts = ("Cx1002", "Cx1001")
        assert crawl() == ("ok", True, ["words_changed"])
    captures = run("captures", "--case", "b", "--json", home=home).document["captures"]
    kept = sorted(each["requested_url"] for each in captures if each["status"] == "complete")
    assert kept == sorted([ACCOUNT, ACCOUNT, POST, LISTING, SECOND]), "each post once, with what it leads to"
    events = verified(home)
    assert (events["look.unchanged"], events["change.observed"]) == (1, 1)
