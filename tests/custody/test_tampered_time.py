"""The tamper matrix, time: tokens that are not what they say, and what a verification says where there are none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custody import keyspace, timestamp
from custody.checkpoint import Checkpoint
from custody.checks.clocks import Clocks
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.event import Anchor
from custody.instant import format_utc
from custody.source import Reader
from custody.trust import Authority
from custody.verdict import Findings, Severity
from tests.authority import LocalAuthority, Mood
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import Found, Told, checkpoint_key, replaced, resigned, tell, with_statement
from tests.custody.test_tampering import case_event

SIZE = 13
"""Of the tree that ``small`` has stamped."""
TSA = "tsa-0.example"
TSR = keyspace.token(LOG, SIZE, TSA)
TSQ = keyspace.query(LOG, SIZE, TSA)
WHERE = {"size": SIZE, "authority": TSA}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def builder(authority: LocalAuthority) -> ArchiveBuilder:
    return small([authority])


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


@pytest.fixture
def fresh(authority: LocalAuthority) -> ArchiveBuilder:
    return small([authority])


def test_a_good_token_covers_the_leaves_before_it(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good, builder.trust)
    assert told.verdict.holds
    assert told.notes == [("TS_OVERDUE", {"size": 18, "hours": 23})]
    facts = told.verdict.facts
    # The other case was captured after the stamp.
    assert (facts["leaves_covered"], facts["captures_covered"], facts["captures_ended"]) == (SIZE, 2, 3)
    assert facts["time"] == "unverified"
    first = builder.commits[4][0].chain.removeprefix("scope:")
    assert tell(good, builder.trust, scope=first).verdict.facts["time"] == "trusted"


def test_a_stamp_at_the_end_covers_everything(fresh: ArchiveBuilder) -> None:
    fresh.stamp()
    facts = tell(fresh.build(), fresh.trust).verdict.facts
    assert (facts["time"], facts["captures_covered"], facts["leaves_covered"]) == ("trusted", 3, 19)


def test_without_a_token_there_is_no_trusted_time() -> None:
    plain = small()
    verdict = tell(plain.build(), plain.trust).verdict
    assert verdict.holds
    assert verdict.facts["time"] == "none"
    assert "no trusted time" in verdict.checks[8].detail


@pytest.mark.parametrize("known", [True, False])
def test_an_authority_without_roots_is_unverified_and_no_fault(
    builder: ArchiveBuilder, good: MemorySource, known: bool
) -> None:
    authorities = (Authority(id=TSA, url="http://127.0.0.1:1/", roots_pem=""),) if known else ()
    told = tell(good, replace(builder.trust, authorities=authorities))
    assert told.verdict.holds
    assert notes(told) == [("TS_UNVERIFIED", WHERE)]
    assert (told.verdict.facts["time"], told.verdict.facts["leaves_covered"]) == ("unverified", 0)
    told = tell(good.with_object(TSR, good.objects[TSR][:-1]), replace(builder.trust, authorities=authorities))
    assert told.failures == [("TS_PARSE", WHERE)]


def test_35_another_root_signed_again(builder: ArchiveBuilder, good: MemorySource) -> None:
    changed = Checkpoint(LOG, SIZE, b"\x55" * 32).sign(builder.log_key)
    told = tell(good.with_object(checkpoint_key(SIZE), changed), builder.trust)
    assert told.failures == [("CP_ROOT", {"size": SIZE}), ("TS_IMPRINT", WHERE)]


def test_34_a_token_of_an_altered_checkpoint_is_not_judged(builder: ArchiveBuilder, good: MemorySource) -> None:
    key = checkpoint_key(SIZE)
    changed = good.objects[key].replace(f"\n{SIZE}\n".encode(), b"\n14\n")
    assert changed != good.objects[key]
    told = tell(good.with_object(key, changed), builder.trust)
    assert told.failures == [("CP_SIG", {"key": key, "size": SIZE})]
    assert "depends on 2 checkpoint" in told.verdict.checks[8].detail


def notes(told: Told) -> Found:
    """Without the one that the last capture of ``small`` is under no token yet."""
    return [each for each in told.notes if each[0] != "TS_OVERDUE"]


def other_token(authority: LocalAuthority, good: MemorySource, mood: Mood = Mood.HONEST, size: int = SIZE) -> bytes:
    data = good.objects[checkpoint_key(size)]
    query = good.objects[TSQ] if size == SIZE else timestamp.query(data, 7)
    return authority.answer(query, mood)


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.WRONG_IMPRINT, "TS_IMPRINT"),
        (Mood.WRONG_NONCE, "TS_NONCE"),
        (Mood.MODIFIED, "TS_STATUS"),
        (Mood.REJECTION, "TS_STATUS"),
        (Mood.GARBAGE, "TS_PARSE"),
    ],
)
def test_45_50_51_a_token_that_does_not_answer(
    builder: ArchiveBuilder, good: MemorySource, authority: LocalAuthority, mood: Mood, code: str
) -> None:
    told = tell(good.with_object(TSR, other_token(authority, good, mood)), builder.trust)
    assert told.failures == [(code, WHERE)]
    assert told.failed_checks == [9]


def test_45_the_token_of_another_checkpoint(
    builder: ArchiveBuilder, good: MemorySource, authority: LocalAuthority
) -> None:
    told = tell(good.with_object(TSR, other_token(authority, good, size=10)), builder.trust)
    assert told.failures == [("TS_IMPRINT", WHERE)]


def test_46_a_byte_of_the_signature(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.flip(TSR, -1), builder.trust)
    assert told.failures == [("TS_SIG", WHERE)]


def test_47_an_authority_outside_the_trust_file(builder: ArchiveBuilder, good: MemorySource, tmp_path: Path) -> None:
    stranger = LocalAuthority(tmp_path)
    told = tell(good.with_object(TSR, stranger.answer(good.objects[TSQ])), builder.trust)
    assert told.failures == [("TS_TRUST", WHERE)]


def test_48_another_signer_than_the_pinned_one(builder: ArchiveBuilder, good: MemorySource) -> None:
    (believed,) = builder.trust.authorities
    pinned = replace(builder.trust, authorities=(replace(believed, pins=("0" * 64,)),))
    assert tell(good, pinned).failures == [("TS_PIN", WHERE)]


def test_50_another_query(builder: ArchiveBuilder, good: MemorySource) -> None:
    other = timestamp.query(good.objects[checkpoint_key(SIZE)], 99)
    assert tell(good.with_object(TSQ, other), builder.trust).failures == [("TS_NONCE", WHERE)]


def test_a_query_that_is_gone(builder: ArchiveBuilder, good: MemorySource) -> None:
    assert tell(good.without(TSQ), builder.trust).failures == [("TS_QUERY", WHERE)]


def test_54_a_token_that_is_gone(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.without(TSR), builder.trust)
    assert told.failures == [("TS_MISSING", {**WHERE, "index": 13})]


def test_a_good_token_that_is_not_the_one_that_was_logged(
    builder: ArchiveBuilder, good: MemorySource, authority: LocalAuthority
) -> None:
    other = other_token(authority, good)
    assert other != good.objects[TSR]
    told = tell(good.with_object(TSR, other), builder.trust)
    assert told.failures == [("TS_DIGEST", {**WHERE, "index": 13})]


@pytest.mark.parametrize("change", [{"gen_time": "2020-01-01T00:00:00.000Z"}, {"serial": "1"}])
def test_a_log_that_tells_another_time(fresh: ArchiveBuilder, change: dict[str, str]) -> None:
    fresh.build()
    told_of = next(drafts[0] for drafts in fresh.commits if is_stamp(drafts[0].make().payload))
    replaced(
        fresh,
        told_of,
        resigned(
            told_of,
            fresh.worker,
            lambda payload: with_statement(payload, lambda value: value["predicate"]["body"].update(change)),
        ),
    )
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("TS_MISMATCH", {**WHERE, "index": 13})]


def is_stamp(payload: bytes) -> bool:
    return b"log.timestamped" in payload


def test_a_token_for_a_checkpoint_that_was_never_there(builder: ArchiveBuilder, good: MemorySource) -> None:
    moved = good.with_object(keyspace.token(LOG, 9, TSA), good.objects[TSR])
    assert tell(moved, builder.trust).failures == [("TS_CHECKPOINT", {"size": 9, "authority": TSA})]
    told = tell(good.without(checkpoint_key(SIZE)), builder.trust)
    assert told.failures == [("CP_MISSING", {"n": 9, "size": SIZE})]


@pytest.mark.parametrize("mood", [Mood.REJECTION, Mood.GARBAGE, Mood.WRONG_IMPRINT])
def test_an_answer_that_the_log_never_claimed_is_no_fault(
    fresh: ArchiveBuilder, authority: LocalAuthority, mood: Mood
) -> None:
    fresh.stamp(log_it=False)
    source = fresh.build()
    size = max(int(key[-20:]) for key in source.objects if "/checkpoints/" in key)
    where = {"size": size, "authority": TSA}
    refused = source.with_object(
        keyspace.token(LOG, size, TSA), authority.answer(source.objects[keyspace.query(LOG, size, TSA)], mood)
    )
    told = tell(refused, fresh.trust)
    assert told.verdict.holds
    assert [each for _, each in notes(told)] == [where]
    assert told.verdict.facts["leaves_covered"] == SIZE


def test_a_query_without_an_answer_is_no_token(builder: ArchiveBuilder, good: MemorySource) -> None:
    asked = good.with_object(keyspace.query(LOG, 19, "tsa-9.example"), b"\x30\x00")
    told = tell(asked, builder.trust)
    assert told.verdict.holds
    assert notes(told) == []


def test_a_quorum_of_authorities(authority: LocalAuthority, tmp_path: Path) -> None:
    both = small([authority, LocalAuthority(tmp_path)])
    source = both.build()
    assert both.trust.quorum == 2
    assert tell(source, both.trust).verdict.facts["leaves_covered"] == SIZE
    one = source.without(keyspace.token(LOG, SIZE, "tsa-1.example"))
    told = tell(one, both.trust)
    assert told.failures == [("TS_MISSING", {"size": SIZE, "authority": "tsa-1.example", "index": 14})]
    assert told.verdict.facts["leaves_covered"] == 0


# Anchors and brackets


def stamped(fresh: ArchiveBuilder) -> tuple[Anchor, datetime]:
    """The anchor in the token of ``small``, and the token's time."""
    source = fresh.build()
    data = source.objects[checkpoint_key(SIZE)]
    token = timestamp.judge(source.objects[TSQ], source.objects[TSR], data, fresh.trust.authorities[0])
    return Anchor(size=SIZE, token_sha256=Digest.of(source.objects[TSR])), token.gen_time


def test_58_an_anchor_names_a_token_of_this_log(fresh: ArchiveBuilder) -> None:
    fresh.anchored, at = stamped(fresh)
    made = case_event(fresh)
    fresh.commit(fresh.draft(replace(made, occurred_at=at + timedelta(seconds=1))))
    assert notes(tell(fresh.build(), fresh.trust)) == []
    fresh.anchored = replace(fresh.anchored, size=12)
    fresh.commit(fresh.draft(replace(case_event(fresh), occurred_at=at + timedelta(seconds=1))))
    assert tell(fresh.build(), fresh.trust).failures == [("ANCHOR_FOREIGN", {"index": 20, "size": 12})]


def test_58_the_leaf_that_tells_of_the_token_is_enough(fresh: ArchiveBuilder) -> None:
    fresh.anchored, at = stamped(fresh)
    fresh.commit(fresh.draft(replace(case_event(fresh), occurred_at=at + timedelta(seconds=1))))
    told = tell(fresh.build().without(TSR), fresh.trust)
    assert told.failures == [("TS_MISSING", {**WHERE, "index": 13})]


@pytest.mark.parametrize(("off", "holds"), [(timedelta(minutes=4), True), (timedelta(minutes=6), False)])
def test_55_a_slow_clock_is_a_note_within_tolerance(fresh: ArchiveBuilder, off: timedelta, holds: bool) -> None:
    fresh.anchored, at = stamped(fresh)
    fresh.commit(fresh.draft(replace(case_event(fresh), occurred_at=at - off)))
    told = tell(fresh.build(), fresh.trust)
    assert told.verdict.holds == holds
    assert (notes(told) if holds else told.failures) == [("TIME_BEFORE_ANCHOR", {"index": 19})]


@pytest.mark.parametrize(("off", "holds"), [(timedelta(minutes=4), True), (timedelta(days=3), False)])
def test_56_a_fast_clock_is_a_note_within_tolerance(fresh: ArchiveBuilder, off: timedelta, holds: bool) -> None:
    _, at = stamped(fresh)
    fresh.commit(fresh.draft(replace(case_event(fresh), occurred_at=at + off)))
    fresh.stamp()
    told = tell(fresh.build(), fresh.trust)
    assert told.verdict.holds == holds
    assert (notes(told) if holds else told.failures) == [("TIME_AFTER_SEAL", {"index": 19})]
    assert format_utc(at + off) in told.verdict.findings[0].message


def test_56_clocks_that_are_a_little_off_hide_none_that_is_far_off(builder: ArchiveBuilder) -> None:
    findings, at = Findings(), datetime(2026, 3, 1, tzinfo=UTC)
    clocks = Clocks(
        Inquiry(
            reader=Reader(MemorySource(), absent=(KeyError,), unreachable=()),
            trust=builder.trust,
            findings=findings,
            at=at,
            scope=None,
            map=map,
            progress=lambda *_: None,
        )
    )
    for index in range(20_000):
        clocks.see(index, at + timedelta(minutes=1), None, at)
    clocks.see(20_000, at + timedelta(days=3), None, at)
    clocks.finish(contradicted=False)
    assert [each.locator for each in findings.findings() if each.severity is Severity.FAIL] == [{"index": 20_000}]
