"""The tamper matrix, rows about time: authorities that are strangers, silent or contradict themselves, and clocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor
from tests.authority import LocalAuthority
from tests.custody import hostile
from tests.custody.archive_builder import START, ArchiveBuilder, small
from tests.custody.dating import dated
from tests.custody.matrix import TSA, Attack, Row, Rows, World, filler, judge
from tests.custody.test_time_policy import run_of

row = Rows()
AHEAD = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
SIZE, FIRST, SECOND = 13, 9, 14
"""The first stamped size, and the numbers of the commits that are stamped."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """``small``, stamped twice."""
    authority = LocalAuthority(tmp_path_factory.mktemp("authority"))
    other = LocalAuthority(tmp_path_factory.mktemp("other"))
    made = small([authority])
    made.stamp()
    return World(builder=made, source=made.build(), trust=made.trust, authority=authority, other=other)


def at_times(world: World, times: dict[int, datetime]) -> ArchiveBuilder:
    made = world.stamped()
    made.answered = dated(world.authority.directory, times)
    return made


def anchor(made: ArchiveBuilder) -> Anchor:
    token = made.build().objects[keyspace.token(made.log, SIZE, TSA)]
    return Anchor(size=SIZE, token_sha256=Digest.of(token))


@row(47)
def token_by_a_stranger(world: World) -> Attack:
    assert world.other is not None
    files = world.files
    key, asked = hostile.token_name(SIZE, TSA), hostile.token_name(SIZE, TSA, "tsq")
    files[key] = world.other.answer(files[asked])
    assert hostile.openssl_accepts(world.other.directory, files[asked], files[key], world.other.roots_pem)
    return Attack(source=world.with_files(files), expected=[("TS_TRUST", {"size": SIZE, "authority": TSA})])


@row(52)
def token_older_than_one_that_its_tree_holds(world: World) -> Attack:
    made = at_times(world, {FIRST: AHEAD, SECOND: AHEAD - timedelta(hours=1)})
    made.stamp()
    where = {"size": 19, "authority": TSA, "before": SIZE}
    return Attack(source=made.build(), trust=made.trust, expected=[("TS_ORDER", where)])


@row(53)
def token_of_one_authority_of_two(world: World) -> Attack:
    assert world.other is not None
    made = small([world.authority, world.other])
    made.stamp()
    made.stamped[len(made.commits) - 1] = [0]
    made.commits[-1].pop()
    source = made.build()
    assert hostile.token_name(20, TSA) in source.objects
    assert hostile.token_name(20, "tsa-1.example") not in source.objects
    where = {"size": 19, "hours": 47}
    at = START + timedelta(days=2)
    return Attack(source=source, trust=made.trust, at=at, expected=[("TS_QUORUM", where)])


@row(54)
def no_token_for_longer_than_a_day(world: World) -> Attack:
    made = world.stamped()
    source = made.build()
    assert hostile.token_name(19, TSA) not in source.objects
    where = {"size": 18, "hours": 47}
    at = START + timedelta(days=2)
    return Attack(source=source, trust=made.trust, at=at, expected=[("TS_OVERDUE", where)])


@row(55)
def clock_three_days_slow(world: World) -> Attack:
    made = at_times(world, {FIRST: AHEAD, SECOND + 1: AHEAD + timedelta(minutes=1)})
    made.anchored = anchor(made)
    made.commit(made.draft(replace(filler(made), occurred_at=AHEAD - timedelta(days=3))))
    made.anchored = None
    made.stamp()
    return Attack(source=made.build(), trust=made.trust, expected=[("TIME_BEFORE_ANCHOR", {"index": 19})])


@row(56)
def clock_three_days_fast(world: World) -> Attack:
    made = at_times(world, {FIRST: AHEAD, SECOND + 1: AHEAD + timedelta(minutes=1)})
    made.commit(made.draft(replace(filler(made), occurred_at=AHEAD + timedelta(days=3))))
    made.stamp()
    return Attack(source=made.build(), trust=made.trust, expected=[("TIME_AFTER_SEAL", {"index": 19})])


@row(57)
def event_held_back_for_a_week(world: World) -> Attack:
    made = at_times(world, {FIRST: AHEAD, SECOND + 1: AHEAD + timedelta(days=7)})
    made.anchored = anchor(made)
    made.jump(AHEAD + timedelta(minutes=1))
    begun = made.start(run_of(made))
    made.anchored = None
    made.stamp()
    return Attack(
        source=made.build(),
        trust=made.trust,
        expected=[],
        notes=[
            ("TIME_ANCHOR_STALE", {"index": 19, "minutes": 7 * 24 * 60}),
            ("STATE_OPEN", {"item": begun.unit, "capture": begun.id, "index": 19}),
        ],
    )


@row(58)
def anchor_in_a_token_of_another_log(world: World) -> Attack:
    made = world.stamped()
    made.anchored = Anchor(size=SIZE, token_sha256=Digest("1" * 64))
    made.commit(made.draft(filler(made)))
    made.anchored = None
    made.stamp()
    return Attack(source=made.build(), trust=made.trust, expected=[("ANCHOR_FOREIGN", {"index": 19, "size": SIZE})])


@pytest.mark.parametrize("each", row.rows, ids=lambda each: each.id)
def test_row(each: Row, world: World) -> None:
    judge(each, world)
