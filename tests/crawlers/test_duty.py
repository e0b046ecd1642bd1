"""What a look becomes, what its result is worth, and what it calls for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.errors import StoreError
from archive.result import Changed, Cost, Unchanged
from archive.watching.looks import Begun
from archive.watching.overrides import Override
from archive.watching.timing import Timing
from archive.watching.watch import Kind, State, Watch
from crawlers.duty import Setup, further, job_of, judge, together
from custody.model import Json, Outcome
from tests.console.results import captured, lost, result

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
URL = "https://glimpse.example/mirabelle"


def begun(*, reason: str = "scheduled", kind: Kind = Kind.PROFILE, **options: object) -> Begun:
    watch = Watch(
        id="w", case="bracelets", url=URL, key=URL, kind=kind, timing=Timing(every=timedelta(hours=6)), options=options,
        state=State.ACTIVE, why="", created_at=AT, slot=AT, due_at=AT, looked_at=None, changed_at=None,
        last_outcome=None, last_unit=None, looks=0, failures=0,
    )  # fmt: skip
    return Begun(look="l", slot=AT, due_at=AT, reason=reason, attempt=2, watch=watch)


def setup() -> Setup:
    return Setup(config=ArchiveConfig(home=Path("/nowhere")), environment={})


def unchanged() -> Unchanged:
    return Unchanged(
        capture_id="c", url=URL, compared_with="b", looked_at=AT, outcome=Outcome.OK, http_status=200, look_id="l",
        compared=(), not_compared=(), dropped_bytes=9, detail_sha256="0" * 64, started_index=1, index=2,
    )  # fmt: skip


def test_a_scheduled_look_is_light_and_follows_robots_txt_but_where_the_case_decided_otherwise() -> None:
    override = Override(case="bracelets", host="glimpse.example", reason="why", authority="who", name="name", since=AT)
    job = job_of(begun(), setup(), [override], control=False)
    assert (job.light, job.robots, job.max_new, job.follow, job.attempt) == (True, "obey", 10, False, 2)
    assert job.robots_overrides["glimpse.example"]["authority"] == "who"
    assert job.look_ids == {URL: "l"}


@pytest.mark.parametrize(("reason", "light"), [("new", False), ("asked", False), ("scheduled", True)])
def test_a_page_is_kept_in_full_at_first_sight_and_on_request(reason: str, light: bool) -> None:
    assert job_of(begun(reason=reason), setup(), [], control=False).light is light


def test_options_of_a_watch_reach_the_job() -> None:
    job = job_of(begun(kind=Kind.POST, device="phone", full_every_days=7, max_links=3), setup(), [], control=True)
    assert (job.profile.device.value, job.full_every_days, job.max_links) == ("phone", 7, 3)
    assert (job.follow, job.max_new, job.control) == (True, 0, True)


def test_a_page_that_was_recorded_is_done_and_one_that_is_as_it_was_too() -> None:
    ended = judge(replace(result(captured()), cost=Cost(looks=1, requests=90, sent_bytes=5000)), interrupted=False)
    assert (ended.outcome, ended.changed, ended.captures, ended.requests) == ("ok", None, 1, 90)
    same = judge(replace(result(), unchanged=(unchanged(),)), interrupted=False)
    assert (same.outcome, same.changed, same.captures, same.unit) == ("ok", False, 0, "c")


@pytest.mark.parametrize(
    ("outcome", "reading", "found"),
    [
        (Outcome.OK, {"name": "reading.json", "kind": "post", "fields": 7}, 7),
        (Outcome.OK, {"name": "reading.json", "kind": "other", "fields": 2}, 0),  # a layout that nobody knows
        (Outcome.OK, {"name": "reading.json", "kind": "wall", "fields": 1}, 0),
        (Outcome.LOGIN_WALL, {"name": "reading.json", "kind": "wall", "fields": 0}, None),
        (Outcome.OK, {"name": None, "why": "not read"}, None),
        (Outcome.OK, {}, None),
    ],
)
def test_what_a_reader_found_is_counted_where_a_page_was_shown_and_read(
    outcome: Outcome, reading: dict[str, Json], found: int | None
) -> None:
    made = result(captured(1, outcome=outcome, reading=reading))
    assert judge(made, interrupted=False).found == found


def test_a_change_is_told_by_its_kinds_and_nothing_that_the_page_said() -> None:
    changed = Changed(
        capture_id="c", before="b", url=URL, kinds=("link_added", "caption_edited"), sentences=("Mirabelle wrote …",),
        not_before="2026-11-02T09:00:00.000Z", not_after="2026-11-02T15:00:00.000Z", index=3, detail_sha256="0" * 64,
    )  # fmt: skip
    ended = judge(replace(result(captured()), changes=(changed,)), interrupted=False)
    assert (ended.changed, ended.kinds) == (True, ("caption_edited", "link_added"))
    assert "Mirabelle" not in repr(ended)


def test_evidence_that_was_lost_is_no_look_that_was_made() -> None:
    with pytest.raises(StoreError):
        judge(result(lost=(lost(),)), interrupted=False)
    assert judge(result(), interrupted=True).outcome == "interrupted"


def test_new_posts_and_the_listing_behind_a_post_that_vanishes_are_looked_at_in_the_same_look_in_full() -> None:
    job = job_of(begun(), setup(), [], control=True)
    assert further(job, {}) is None
    post, shop = "https://glimpse.example/p/1", "https://shop.example/1"
    more = further(job, {post: "l", shop: "l"})
    assert more is not None
    assert more.urls == (post, shop)
    assert set(more.look_ids.values()) == {"l"}
    assert (more.light, more.follow, more.control) == (False, True, False)
    both = together(judge(result(captured()), interrupted=False), result(captured(), lost=(lost(),)))
    assert (both.captures, both.detail) == (2, "1 captures behind it were lost")
