"""A week of watching, by a clock that a test moves: an account that posts and goes private, a listing that is removed.

Scheduler, worker, browser, store and database are the real ones; only the days pass faster.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive import changes
from archive.alerting import FILE, SIGNATURE
from archive.config import ArchiveConfig
from archive.reader import open_reader
from archive.watching.database import Database
from tests.command import run
from tests.hook import Hook, hook
from tests.moved import Moved
from tests.town import ACCOUNT, LISTING, NETWORK, POST, SECOND, SHOP, Town
from tests.workers import Process, database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

SECRET = "a secret of some length"
DAY = timedelta(days=1)


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    with made.site:
        yield made


@dataclass
class Week:
    """The desk that watches, and what it finds out."""

    town: Town
    home: Path
    clock: Moved
    database: Database
    worker: Process
    looks: int = 0

    def watch(self, url: str, kind: str) -> None:
        self.say("watch", "add", url, "--case", "W-1", "--kind", kind, "--every", "1d", "--jitter", "0s")

    def next_look(self, after: timedelta = DAY) -> None:
        """Time passes; every watch is due, and is looked at, once."""
        self.clock.move(after)
        self.looked(int(rows(self.database, "SELECT count(*) FROM counterproof.watches")[0][0]))

    def looked(self, more: int) -> None:
        self.looks += more
        until(
            lambda: (
                rows(self.database, "SELECT count(*) FROM counterproof.looks WHERE state = 'done'") == [(self.looks,)]
            ),
            180,
            self.worker.told,
        )

    def outcomes(self) -> dict[str, tuple[Any, ...]]:
        """Of each watch's newest look: what it showed, and in what the page had changed."""
        found = rows(
            self.database,
            "SELECT DISTINCT ON (w.url) w.url, l.outcome, l.changed, l.kinds FROM counterproof.looks l "
            "JOIN counterproof.watches w ON w.id = l.watch ORDER BY w.url, l.slot DESC",
        )
        return {url: (outcome, changed, set(kinds or ())) for url, outcome, changed, kinds in found}

    def say(self, *arguments: str) -> Any:
        ran = run(*arguments, "--json", home=self.home, clock=self.clock)
        assert ran.code == 0, ran.err
        return ran.document

    def timeline(self, url: str) -> list[tuple[str, int]]:
        """Its moments, each by the day of the week."""
        moments = self.say("timeline", url)["moments"]
        return [(each["moment"], self.day(datetime.fromisoformat(each["at"]))) for each in moments]

    def life(self, url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """When it was seen; and the moment at which it was gone."""
        document = self.say("timeline", url)
        (life,) = document["lives"]
        times = {key: datetime.fromisoformat(life[key]) for key in ("first_seen", "last_seen", "last_looked")}
        return times, next(each for each in document["moments"] if each["moment"] == "gone")

    def day(self, at: datetime) -> int:
        first: datetime = rows(self.database, "SELECT min(begun_at) FROM counterproof.looks")[0][0]
        return round((at - first) / DAY)


def of(alerts: list[tuple[dict[str, str], bytes]]) -> list[dict[str, Any]]:
    """What the webhook was told; each message is signed."""
    found: list[dict[str, Any]] = []
    for headers, body in alerts:
        at, said = headers[SIGNATURE].split(",")
        seconds = at.removeprefix("t=").encode()
        ours = hmac.new(SECRET.encode(), seconds + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(said.removeprefix("v1="), ours)
        found += json.loads(body)["alerts"]
    return found


@pytest.mark.timeout(900)  # a busy machine is no failure
def test_a_week(town: Town, tmp_path: Path) -> None:
    home, clock = tmp_path / "home", Moved(tmp_path / "clock")
    clock.set_apart(timedelta(0))
    for host in (NETWORK, SHOP):
        ran = run("watch", "host", host, "--slots", "2", "--delay", "0", home=home, clock=clock)
        assert ran.code == 0, ran.err
    pages = f"https://{NETWORK}/about https://{SHOP}/about"
    with hook() as told, database_of(home) as database:
        listen(home, told)
        options = ("--look-again", "10", "--silent", "10")
        with worker(town.site, home, *options, env={"COUNTERPROOF_CONTROL_PAGES": pages}, clock=clock) as working:
            week = Week(town, home, clock, database, working)
            live(week)
            until(lambda: sum(each["kind"] == "changed" for each in of(told.got)) >= 7, 180, working.told)
            assert working.stop() == 0
        judge(week, of(told.got))
        assert b"Sunny" not in b"".join(body for _, body in told.got)  # ids and words of ours, no evidence


def listen(home: Path, told: Hook) -> None:
    target = home / FILE
    target.touch(mode=0o600)
    target.write_text(f'[[target]]\nname = "desk"\nwebhook = "{told.url}"\nsecret = "{SECRET}"\n')


def live(week: Week) -> None:
    """Each day what is done to the pages, and what that day's looks find."""
    town = week.town
    week.watch(LISTING, "listing")
    week.watch(ACCOUNT, "profile")  # its post is captured, and what stands behind it
    week.looked(2)
    week.watch(POST, "post")
    week.looked(1)
    assert {outcome for outcome, _, _ in week.outcomes().values()} == {"ok"}

    week.next_look()
    assert week.outcomes() == dict.fromkeys((ACCOUNT, POST, LISTING), ("ok", False, set()))

    town.posts = ("Cx1002", "Cx1001")
    town.caption, town.price = "my band, such a find", "14.90"
    week.next_look()
    found = week.outcomes()
    assert found[ACCOUNT] == ("ok", True, {"words_changed"})
    assert found[POST] == ("ok", True, {"caption_edited", "disclosure_removed"})
    assert found[LISTING] == ("ok", True, {"price_changed"})

    town.there = False
    week.next_look()
    assert week.outcomes()[POST] == ("unavailable", True, {"post_removed"})

    town.private, town.seller = True, "Rainy"
    week.next_look()
    found = week.outcomes()
    assert found[ACCOUNT] == ("private", True, {"account_private"})
    assert found[LISTING] == ("ok", True, {"seller_changed"})

    town.sold = False
    week.next_look(2 * DAY)  # a look was missed, and is made up for once
    assert week.outcomes()[LISTING] == ("unavailable", True, {"listing_unavailable"})


def judge(week: Week, alerts: list[dict[str, Any]]) -> None:
    """What the log, the alerts and the timelines tell of it afterwards."""
    changed = [set(each["facts"]["kinds"]) for each in alerts if each["kind"] == "changed"]
    assert sorted(map(sorted, changed)) == [
        ["account_private"], ["caption_edited", "disclosure_removed"], ["listing_unavailable"], ["post_removed"],
        ["price_changed"], ["seller_changed"], ["words_changed"],
    ]  # fmt: skip
    captures = week.say("captures", "--case", "W-1")["captures"]
    kept = [each["requested_url"] for each in captures if each["status"] == "complete"]
    assert kept.count(SECOND) == 1, "a new post is captured once"

    assert week.timeline(POST) == [
        ("first_seen", 0), ("unchanged", 0), ("unchanged", 1), ("changed", 2), ("recorded_change", 2),
        ("gone", 3), ("recorded_change", 3), ("gone", 3), ("gone", 4), ("gone", 6),
    ]  # fmt: skip
    assert [each for each in week.timeline(LISTING) if each[0] != "unchanged"] == [
        ("first_seen", 0), ("changed", 2), ("recorded_change", 2), ("changed", 4), ("recorded_change", 4),
        ("gone", 6), ("recorded_change", 6), ("gone", 6),
    ]  # fmt: skip
    assert [each for each in week.timeline(ACCOUNT) if each[0] != "unchanged"] == [
        ("first_seen", 0), ("recorded_change", 2), ("private", 4), ("recorded_change", 4), ("private", 6),
    ]  # fmt: skip
    for url, last, apart in ((POST, 2, DAY), (LISTING, 4, 2 * DAY)):
        life, first = week.life(url)
        assert [week.day(life[each]) for each in ("first_seen", "last_seen", "last_looked")] == [0, last, 6]
        brackets(week, url, first, apart)
    often(week.say("timeline", LISTING)["lives"][0])
    whole = [each for each in captures if each["requested_url"] == LISTING and each["status"] == "complete"]
    by_itself = [week.day(datetime.fromisoformat(each["started_at"])) for each in whole if each["parent"] is None]
    assert 3 in by_itself, "the listing is looked at once more, in full, on the day on which its post is gone"

    verdict = run("verify", "--json", home=week.home, clock=week.clock)
    assert verdict.code == 0, verdict.out
    facts = verdict.document["facts"]
    assert facts["open"] == 0, "every start has its end"
    assert facts["events"]["change.observed"] == 7
    assert facts["events"]["look.unchanged"] >= 6, "days on which a page was as it had been"


def often(life: dict[str, Any]) -> None:
    """Daily was asked for; the look of the fifth day came on the sixth, and that of the sixth was not made."""
    (kept,) = life["watches"]
    assert (kept["asked_s"], kept["due"], kept["made"], kept["saw"], kept["missed"]) == (86_400, 7, 6, 6, 1)
    assert kept["late"] >= 1
    achieved = [timedelta(seconds=kept["achieved"][each]) for each in ("median_s", "longest_s")]
    assert all(abs(each - days * DAY) < timedelta(hours=2) for each, days in zip(achieved, (1, 2), strict=True))


def brackets(week: Week, url: str, first: dict[str, Any], apart: timedelta) -> None:
    """That it is gone is concluded; it came about after the look that showed it, and before the first that did not."""
    absence = week.say("show", first["capture"])["absence"]
    assert (absence["gone"], absence["looks"], absence["control"]) == (True, 2, "shown")
    with open_reader(ArchiveConfig.load({}, settings={}, home=week.home)) as reader:
        (told,) = [each for each in changes.observed(reader.log) if each.capture == first["capture"]]
        said = changes.read(reader.store, told.detail)
    assert said is not None
    for between in (first["between"], said["between"]):
        after, before = (datetime.fromisoformat(between[each]) for each in ("after", "before"))
        assert abs(before - after - apart) < timedelta(hours=1), url
