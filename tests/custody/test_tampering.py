"""The tamper matrix: each change to a good archive gives exactly the code and the place it should, and no other."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from custody import canonical, event, keys, keyspace, note
from custody.artifact import Lock
from custody.checkpoint import Checkpoint
from custody.digest import Digest
from custody.event import Anchor
from custody.keys import Ed25519Signer
from custody.leaf import leaf_hash
from custody.model import Json, Outcome, Role, Status
from custody.record import Record
from tests.custody.archive_builder import LOG, UNTIL, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import (
    SHOWN,
    artifact_locator,
    checkpoint_key,
    commit_key,
    expect,
    flipped_payload,
    flipped_signature,
    lines,
    replaced,
    resigned,
    spoil_leaf,
    stored_leaves,
    tell,
    with_header,
    with_statement,
)

LOG_CHAIN = f"log:{keyspace.slug(LOG)}"
STRANGER = Ed25519Signer(b"\x66" * 32)
LAST = 16
"""Index of the last leaf of ``small``, alone in the last commit."""


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


@pytest.fixture
def fresh() -> ArchiveBuilder:
    """One to be changed and built again."""
    return small()


@pytest.fixture(scope="module")
def big() -> ArchiveBuilder:
    """More leaves than a tile holds."""
    made = small()
    made.commit(*(made.draft(case_event(made)) for _ in range(243)))
    made.commit(*(made.draft(case_event(made)) for _ in range(40)))
    return made


@pytest.fixture(scope="module")
def big_good(big: ArchiveBuilder) -> MemorySource:
    return big.build()


def case_event(made: ArchiveBuilder) -> event.Event:
    scope = made.new_id()
    return made.event("case.opened", f"scope:{scope}", made.detail("case.json", {"scope": scope}), {})


def entries_key(width: int, index: int = 0) -> str:
    return keyspace.entries(LOG, index, width)


def tile_key(level: int, index: int, width: int) -> str:
    return keyspace.tile(LOG, level, index, width)


# 1-11: blobs


@pytest.mark.parametrize("role", ["screenshot", "viewport", "dom", "headers", "body"])
def test_1_one_flipped_byte_names_the_artifact(builder: ArchiveBuilder, good: MemorySource, role: str) -> None:
    where = artifact_locator(builder, 0, role, 9)
    told = tell(good.flip(str(where["key"]), 5), builder.trust)
    assert told.failures == [("BLOB_DIGEST", where)]
    assert told.failed_checks == [10]


def test_1_a_blob_that_several_captures_share_is_told_for_each(builder: ArchiveBuilder, good: MemorySource) -> None:
    where = [artifact_locator(builder, capture, "text", index) for capture, index in ((0, 9), (1, 11), (2, 15))]
    assert len({str(each["key"]) for each in where}) == 1
    told = tell(good.flip(str(where[0]["key"]), 0), builder.trust)
    assert told.failures == expect(*(("BLOB_DIGEST", dict(each)) for each in where))


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\n", lambda _: b""])
def test_2_3_another_length(builder: ArchiveBuilder, good: MemorySource, change: Callable[[bytes], bytes]) -> None:
    where = artifact_locator(builder, 0, "dom", 9)
    spoiled = good.with_object(str(where["key"]), change(good.objects[str(where["key"])]))
    assert tell(spoiled, builder.trust).failures == [("BLOB_DIGEST", where), ("BLOB_SIZE", where)]


def test_4_a_blob_that_is_gone(builder: ArchiveBuilder, good: MemorySource) -> None:
    where = artifact_locator(builder, 2, "screenshot", 15)
    assert tell(good.without(str(where["key"])), builder.trust).failures == [("BLOB_MISSING", where)]


def test_4_the_blob_of_an_event_that_is_no_capture(builder: ArchiveBuilder, good: MemorySource) -> None:
    subject = event.Event.parse(builder.commits[3][0].make().payload).subjects[0]
    key = keyspace.blob(subject.digest)
    told = tell(good.without(key), builder.trust)
    scope = builder.commits[3][0].chain.removeprefix("scope:")
    assert told.failures == [("BLOB_MISSING", {"scope": scope, "name": "case.json", "key": key, "index": 6})]


def test_5_a_delete_marker(builder: ArchiveBuilder, good: MemorySource) -> None:
    key = str(artifact_locator(builder, 0, "screenshot", 9)["key"])
    hidden = good.copy()
    hidden.markers[key] = "m1"
    told = tell(hidden, builder.trust)
    assert told.failures == [("BLOB_DELETE_MARKER", {"key": key, "version": "m1"})]
    assert told.failed_checks == [12]


def test_6_a_delete_marker_and_other_bytes(builder: ArchiveBuilder, good: MemorySource) -> None:
    where = artifact_locator(builder, 0, "screenshot", 9)
    swapped = good.flip(str(where["key"]), 0)
    swapped.versions_of[str(where["key"])] = ["v1", "m1", "v2"]
    assert tell(swapped, builder.trust).failures == [
        ("BLOB_DIGEST", where),
        ("BLOB_EXTRA_VERSION", {"key": where["key"], "versions": ["m1", "v1", "v2"]}),
    ]


def test_6_the_same_bytes_written_twice(builder: ArchiveBuilder, good: MemorySource) -> None:
    key = str(artifact_locator(builder, 0, "screenshot", 9)["key"])
    twice = good.copy()
    twice.versions_of[key] = ["v1", "v2"]
    twice.versions_of[commit_key(3)] = ["v1", "v2"]
    assert tell(twice, builder.trust).failures == [
        ("BLOB_EXTRA_VERSION", {"key": key, "versions": ["v1", "v2"]}),
        ("LOG_EXTRA_VERSION", {"key": commit_key(3), "versions": ["v1", "v2"]}),
    ]


def test_7_two_blobs_swapped(builder: ArchiveBuilder, good: MemorySource) -> None:
    first, second = (artifact_locator(builder, capture, "headers", at) for capture, at in ((0, 9), (1, 11)))
    one, other = str(first["key"]), str(second["key"])
    swapped = good.with_object(one, good.objects[other]).with_object(other, good.objects[one])
    told = tell(swapped, builder.trust)
    assert told.failures == expect(("BLOB_DIGEST", dict(first)), ("BLOB_DIGEST", dict(second)))


@pytest.mark.parametrize(
    ("lock", "actual"),
    [
        (None, "no lock"),
        (
            Lock(mode="GOVERNANCE", retain_until=UNTIL - timedelta(seconds=1)),
            "GOVERNANCE until 2027-03-03T23:59:59.000Z",
        ),
        (Lock(mode="NONE", retain_until=UNTIL), "NONE until 2027-03-04T00:00:00.000Z"),
    ],
)
def test_9_a_weaker_lock(builder: ArchiveBuilder, good: MemorySource, lock: Lock | None, actual: str) -> None:
    where = artifact_locator(builder, 0, "screenshot", 9)
    loose = good.copy()
    assert loose.locks is not None
    if lock is None:
        del loose.locks[str(where["key"])]
    else:
        loose.locks[str(where["key"])] = lock
    told = tell(loose, builder.trust)
    recorded = "GOVERNANCE until 2027-03-04T00:00:00.000Z"
    assert told.failures == [("BLOB_LOCK_WEAK", {**where, "recorded": recorded, "actual": actual})]
    assert told.failed_checks == [12]


def test_9_a_stronger_lock_is_no_fault(builder: ArchiveBuilder, good: MemorySource) -> None:
    strong = good.copy()
    assert strong.locks is not None
    strong.locks |= {key: Lock(mode="COMPLIANCE", retain_until=UNTIL + timedelta(days=1)) for key in strong.locks}
    assert tell(strong, builder.trust).verdict.holds


def test_11_a_record_under_a_new_name(builder: ArchiveBuilder, good: MemorySource) -> None:
    made = builder.captures[0]
    assert made.record is not None
    assert made.record_digest is not None
    changed = replace(made.record, final_url="https://elsewhere.example/").format()
    old, new = keyspace.blob(made.record_digest), keyspace.blob(Digest.of(changed))
    told = tell(good.without(old).with_object(new, changed), builder.trust)
    where = {
        "item": made.unit,
        "capture": made.id,
        "role": "record",
        "name": "record.json",
        "key": old,
        "index": 9,
    }
    assert told.failures == [("BLOB_MISSING", where)]
    assert ("BLOB_ORPHAN", {"key": new}) in told.notes


# 11b: records against their events


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("status", {"status": Status.PARTIAL}),
        ("outcome", {"outcome": Outcome.LOGIN_WALL}),
        ("http_status", {"http_status": 404}),
        ("http_status", {"http_status": None}),
        ("capture_id", {"capture_id": "019cb7a8-1234-7abc-8def-0123456789ab"}),
        ("unit", {"unit": "019cb7a8-1234-7abc-8def-0123456789ab"}),
        ("run", {"run": "019cb7a8-1234-7abc-8def-0123456789ab"}),
        ("started_sha256", {"started_sha256": Digest("0" * 64)}),
        ("job_sha256", {"job_sha256": Digest("0" * 64)}),
    ],
)
def test_a_record_that_is_not_its_events(fresh: ArchiveBuilder, field: str, change: dict[str, Any]) -> None:
    made = fresh.capture(fresh.open_run(), change=lambda record: replace(record, **change))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("RECORD_MISMATCH", {"capture": made.id, "index": 19, "field": field})]
    assert told.failed_checks == [11]


def test_a_quarantined_capture_is_noted_and_nothing_fails(fresh: ArchiveBuilder) -> None:
    section: dict[str, Json] = {"reason": "password_input", "since": "2026-03-04T05:06:07.000Z"}

    def mark(record: Record) -> Record:
        return replace(record, circumstances={**record.circumstances, "quarantine": section})

    fresh.capture(fresh.open_run())
    assert "RECORD_QUARANTINED" not in [code for code, _ in tell(fresh.build(), fresh.trust).notes]
    made = fresh.capture(fresh.open_run(), change=mark)
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == []
    (where,) = [where for code, where in told.notes if code == "RECORD_QUARANTINED"]
    assert where["capture"] == made.id


@pytest.mark.parametrize("data", [b"{}", b"not json", b'{"schema":1}', b"\xff" * 10])
def test_a_record_that_is_none(fresh: ArchiveBuilder, data: bytes) -> None:
    run = fresh.open_run()
    begun = fresh.start(run)
    fresh.commit(fresh.draft(fresh.end(run, begun, fresh.record(run, begun, {}), fresh.blob("record.json", data))))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("RECORD_FORMAT", {"capture": begun.id, "index": 19})]


def test_a_record_cannot_lead_elsewhere(fresh: ArchiveBuilder) -> None:
    def lead(record: Record) -> bytes:
        value = json.loads(record.format())
        value["artifacts"][0]["key"] = "v1/log/../../../etc/passwd"
        return canonical.dumps(value)

    run = fresh.open_run()
    begun = fresh.start(run)
    record = fresh.record(run, begun, {Role.DOM: b"<p>"})
    fresh.commit(fresh.draft(fresh.end(run, begun, record, fresh.blob("record.json", lead(record)))))
    assert tell(fresh.build(), fresh.trust).codes == ["RECORD_FORMAT"]


# 12-15: events


@pytest.mark.parametrize("change", [flipped_payload, flipped_signature])
def test_12_13_in_the_commit_alone(
    builder: ArchiveBuilder, good: MemorySource, change: Callable[[bytes], bytes]
) -> None:
    told = tell(spoil_leaf(good, LAST, change, bundles=False), builder.trust)
    assert told.failures == [("COMMIT_LEAF", {"n": 12, "index": LAST}), ("EVENT_SIG", {"index": LAST})]
    told = tell(spoil_leaf(good, 5, change, bundles=False), builder.trust)
    assert told.failures == [
        ("COMMIT_CHAIN", {"n": 3}),
        ("COMMIT_LEAF", {"n": 3, "index": 5}),
        ("EVENT_SIG", {"index": 5}),
    ]


@pytest.mark.parametrize("change", [flipped_payload, flipped_signature])
def test_12_13_in_the_bundle_alone(
    builder: ArchiveBuilder, good: MemorySource, change: Callable[[bytes], bytes]
) -> None:
    where = {"level": "entries", "tile": 0, "leaf": LAST}
    told = tell(spoil_leaf(good, LAST, change, commits=False), builder.trust)
    assert told.failures == [("TILE_HASH", {**where, "key": entries_key(17)})]
    assert told.failed_checks == [4]
    told = tell(spoil_leaf(good, 14, change, commits=False), builder.trust)
    assert told.failures == [("TILE_HASH", {**where, "leaf": 14, "key": entries_key(w)}) for w in (15, 16, 17)]


@pytest.mark.parametrize("change", [flipped_payload, flipped_signature])
def test_12_13_wherever_the_leaf_is(
    builder: ArchiveBuilder, good: MemorySource, change: Callable[[bytes], bytes]
) -> None:
    told = tell(spoil_leaf(good, LAST, change), builder.trust)
    assert told.failures == [
        ("COMMIT_LEAF", {"n": 12, "index": LAST}),
        ("EVENT_SIG", {"index": LAST}),
        ("TILE_HASH", {"level": "entries", "tile": 0, "leaf": LAST, "key": entries_key(17)}),
    ]


def test_12_a_start_does_not_drag_its_capture_along(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(spoil_leaf(good, 7, flipped_payload, bundles=False), builder.trust)
    assert told.failures == [
        ("COMMIT_CHAIN", {"n": 5}),
        ("COMMIT_LEAF", {"n": 5, "index": 7}),
        ("EVENT_SIG", {"index": 7}),
    ]


def test_12_a_key_does_not_drag_all_its_events_along(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(spoil_leaf(good, 3, flipped_payload, bundles=False), builder.trust)
    assert told.failures == [
        ("COMMIT_CHAIN", {"n": 1}),
        ("COMMIT_LEAF", {"n": 1, "index": 3}),
        ("EVENT_SIG", {"index": 3}),
    ]
    assert "13 events by keys that leaf 3 may have introduced" in told.verdict.checks[5].detail


def test_12_a_leaf_that_cannot_be_read_is_no_gap(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(spoil_leaf(good, 10, lambda leaf: b"[" + leaf[1:], bundles=False), builder.trust)
    assert told.failures == [
        ("COMMIT_CHAIN", {"n": 7}),
        ("COMMIT_LEAF", {"n": 7, "index": 10}),
        ("ENTRY_PARSE", {"index": 10, "part": "leaf"}),
    ]


def test_14_an_event_by_an_unknown_key(fresh: ArchiveBuilder, good: MemorySource) -> None:
    replaced(fresh, fresh.commits[11][0], resigned(fresh.commits[11][0], STRANGER))
    rebuilt = fresh.build().with_object(SHOWN, good.objects[SHOWN])
    rebuilt = rebuilt.with_object(checkpoint_key(17), good.objects[checkpoint_key(17)])
    assert rebuilt.objects[tile_key(0, 0, 17)] != good.objects[tile_key(0, 0, 17)]
    told = tell(rebuilt, fresh.trust)
    assert told.failures == [
        ("CP_ROOT", {"size": 17}),
        ("EVENT_KEY_UNKNOWN", {"index": 16, "keyid": keys.keyid(STRANGER.public_key)}),
    ]


def test_14_from_there_on_every_root_is_another(fresh: ArchiveBuilder, good: MemorySource) -> None:
    replaced(fresh, fresh.commits[2][0], resigned(fresh.commits[2][0], STRANGER))
    rebuilt = fresh.build()
    rebuilt.objects |= {key: data for key, data in good.objects.items() if "/checkpoint" in key}
    told = tell(rebuilt, fresh.trust)
    assert told.failures == [
        ("CP_ROOT", {"size": 6}),
        ("EVENT_KEY_UNKNOWN", {"index": 5, "keyid": keys.keyid(STRANGER.public_key)}),
    ]
    assert "nor are the 9 after it" in told.verdict.findings[0].message


def test_15_an_event_by_a_revoked_key(fresh: ArchiveBuilder) -> None:
    fresh.commit(fresh.revoke(fresh.worker))
    assert tell(fresh.build(), fresh.trust).verdict.holds
    fresh.commit(fresh.draft(case_event(fresh)))
    told = tell(fresh.build(), fresh.trust)
    keyid = keys.keyid(fresh.worker.public_key)
    assert told.failures == [("EVENT_KEY_REVOKED", {"index": 18, "keyid": keyid, "revoked_by": 17})]
    assert ("KEY_REVOKED", {"index": 17, "keyid": keyid}) in told.notes


def test_15_a_new_key_takes_over(fresh: ArchiveBuilder) -> None:
    fresh.commit(fresh.introduce("worker", STRANGER), fresh.revoke(fresh.worker))
    fresh.commit(fresh.draft(case_event(fresh), STRANGER))
    assert tell(fresh.build(), fresh.trust).verdict.holds


def test_15_the_logs_key_revoked(fresh: ArchiveBuilder) -> None:
    fresh.commit(fresh.revoke(fresh.log_key))
    fresh.commit(fresh.draft(case_event(fresh)))
    assert tell(fresh.build(), fresh.trust).failures == [("COMMIT_HEADER", {"n": 14, "field": "key"})]


def test_a_worker_cannot_introduce_a_key(fresh: ArchiveBuilder) -> None:
    replaced(fresh, fresh.commits[0][3], resigned(fresh.commits[0][3], fresh.root))
    assert tell(fresh.build(), fresh.trust).verdict.holds
    fresh.commit(resigned(fresh.introduce("worker", STRANGER), fresh.worker))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("AUTHORITY_MISSING", {"index": 17, "needed": 1, "got": 0})]
    fresh.commit(fresh.draft(case_event(fresh), STRANGER))
    assert tell(fresh.build(), fresh.trust).failures == told.failures  # depends on leaf 17


def test_a_root_key_that_the_log_introduces_is_no_root(fresh: ArchiveBuilder) -> None:
    fresh.commit(fresh.introduce("root", STRANGER))
    assert tell(fresh.build(), fresh.trust).verdict.holds
    fresh.commit(resigned(fresh.introduce("worker", Ed25519Signer(b"\x67" * 32)), STRANGER))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("EVENT_KEY_UNKNOWN", {"index": 18, "keyid": keys.keyid(STRANGER.public_key)})]


def test_a_key_under_another_id(fresh: ArchiveBuilder) -> None:
    def lie(statement: dict[str, Any]) -> None:
        statement["predicate"]["body"]["keyid"] = "0" * 64

    draft = fresh.introduce("worker", STRANGER)
    fresh.commit(resigned(draft, fresh.root, lambda payload: with_statement(payload, lie)))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("ENTRY_SCHEMA", {"index": 17, "part": "payload"})]


def test_a_log_opened_with_another_key(fresh: ArchiveBuilder) -> None:
    def lie(statement: dict[str, Any]) -> None:
        vkey = note.VerifierKey(LOG, STRANGER.public_key)
        statement["predicate"]["body"]["vkey"] = vkey.format()

    opening = fresh.commits[0][0]
    replaced(fresh, opening, resigned(opening, fresh.root, lambda payload: with_statement(payload, lie)))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("TRUST_LOG", {"index": 0})]
    assert told.failed_checks == [1]


# 16-28: leaves, chains and states, in a log that its operator has made and signed again


def test_16_another_index(fresh: ArchiveBuilder) -> None:
    fresh.commits[5][0].change = lambda leaf: {**leaf, "index": 12}
    assert tell(fresh.build(), fresh.trust).failures == [("ENTRY_INDEX", {"index": 9, "says": 12})]


def test_17_a_leaf_of_another_log(fresh: ArchiveBuilder) -> None:
    fresh.commits[5][0].change = lambda leaf: {**leaf, "log": "other.example/log"}
    assert tell(fresh.build(), fresh.trust).failures == [("ENTRY_LOG", {"index": 9, "log": "other.example/log"})]


def test_18_two_neighbours_swapped(fresh: ArchiveBuilder) -> None:
    fresh.rearrange = lambda n, leaves: [leaves[i] for i in (0, 2, 1, 3)] if n == 1 else leaves
    assert tell(fresh.build(), fresh.trust).failures == [
        ("CHAIN_ORDER", {"scope": LOG_CHAIN, "seq": 2, "index": 1}),
        ("ENTRY_INDEX", {"index": 1, "says": 2}),
        ("ENTRY_INDEX", {"index": 2, "says": 1}),
    ]


def test_18_a_number_twice(fresh: ArchiveBuilder, good: MemorySource) -> None:
    def again(leaf: dict[str, Any]) -> dict[str, Any]:
        leaf["chains"][0]["seq"] = 1
        return leaf

    fresh.commits[7][0].change = again
    assert good.objects[commit_key(8)] != fresh.build().objects[commit_key(8)]
    told = tell(fresh.build(), fresh.trust)
    scope = f"item:{fresh.captures[0].unit}"
    assert told.failures == [("CHAIN_ORDER", {"scope": scope, "seq": 1, "index": 11})]


@pytest.mark.parametrize(("commit", "seq"), [(4, 0), (5, 1), (6, 2)])
def test_19_a_leaf_dropped(fresh: ArchiveBuilder, commit: int, seq: int) -> None:
    draft = fresh.commits[commit][0]
    draft.dropped = True
    if len(fresh.commits[commit]) == 1:
        del fresh.commits[commit]
        fresh.commits[commit].insert(0, draft)
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("CHAIN_GAP", {"scope": f"item:{fresh.captures[0].unit}", "seq": seq})]
    assert told.failed_checks == [7]


def test_19_the_end_of_a_chain_dropped_leaves_an_open_start(fresh: ArchiveBuilder) -> None:
    del fresh.commits[10]
    made = fresh.captures[2]
    told = tell(fresh.build(), fresh.trust)
    assert told.verdict.holds  # nobody can tell it from a capture whose browser died; so it is said
    assert ("STATE_OPEN", {"item": made.unit, "capture": made.id, "index": 13}) in told.notes
    assert told.verdict.facts["open"] == 1


def test_22_prev_points_to_another_leaf(fresh: ArchiveBuilder, good: MemorySource) -> None:
    def point(leaf: dict[str, Any]) -> dict[str, Any]:
        leaf["chains"][0]["prev"] = leaf_hash(stored_leaves(good)[7])
        return leaf

    fresh.commits[6][0].change = point
    told = tell(fresh.build(), fresh.trust)
    scope = f"item:{fresh.captures[0].unit}"
    assert told.failures == [("CHAIN_LINK", {"scope": scope, "seq": 2, "index": 10})]


def test_a_leaf_in_another_chain_than_it_was_signed_for(fresh: ArchiveBuilder) -> None:
    other = f"item:{fresh.captures[2].unit}"

    def move(leaf: dict[str, Any]) -> dict[str, Any]:
        leaf["chains"].append({"scope": other, "seq": 2, "prev": "0" * 64})
        return leaf

    fresh.commits[11][0].change = move
    told = tell(fresh.build(), fresh.trust)
    run = fresh.commits[11][0].chain
    assert ("CHAIN_SCOPE", {"index": 16, "scope": run}) in told.failures


def test_23_the_same_event_twice(fresh: ArchiveBuilder) -> None:
    fresh.commit(fresh.commits[5][0])
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("EVENT_DUPLICATE", {"index": 17, "first": 9})]
    assert told.failed_checks == [6]


def test_24_an_end_without_a_start(fresh: ArchiveBuilder) -> None:
    del fresh.commits[6]
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("STATE_ORDER", {"item": fresh.captures[0].unit, "index": 10})]
    assert told.failed_checks == [8]


def test_25_two_ends_for_one_start(fresh: ArchiveBuilder) -> None:
    made = fresh.captures[2]
    assert made.record is not None
    run = fresh.commits[2][0].chain.removeprefix("run:")
    subject = fresh.blob("record.json", made.record.format())
    fresh.commit(fresh.draft(fresh.end(run, made, made.record, subject)))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("STATE_ORDER", {"item": made.unit, "index": 17})]


def test_25_a_capture_ends_another(fresh: ArchiveBuilder) -> None:
    run = fresh.open_run()
    begun = fresh.start(run)
    record = fresh.record(run, begun, {})
    other = replace(begun, id=fresh.new_id())
    subject = fresh.blob("record.json", replace(record, capture_id=other.id).format())
    fresh.commit(fresh.draft(fresh.end(run, other, record, subject)))
    assert tell(fresh.build(), fresh.trust).failures == [("STATE_ORDER", {"item": begun.unit, "index": 19})]


def test_25_what_opens_a_chain_comes_first_and_once(fresh: ArchiveBuilder) -> None:
    run = fresh.commits[2][0].chain.removeprefix("run:")
    fresh.close_run(run, 3)
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("STATE_ORDER", {"index": 17, "scope": f"run:{run}"})]
    again = small()
    del again.commits[3]  # case.opened
    scope = again.commits[3][1].chain
    told = tell(again.build(), again.trust)
    assert told.failures == [("STATE_ORDER", {"index": 7, "scope": scope})]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (lambda payload: payload[:-1] + b',"_type":"https://in-toto.io/Statement/v1"}', "ENTRY_PARSE"),  # 26
        (lambda payload: payload.replace(b'"captures":3', b'"captures":3.0'), "ENTRY_PARSE"),  # 27
        (lambda payload: payload.replace(b'"captures":3', b'"captures":9007199254740992'), "ENTRY_PARSE"),  # 27
        (lambda payload: payload.replace(b'"captures":3', b'"captures":"3"'), "ENTRY_SCHEMA"),
        (lambda payload: payload.replace(b'"captures":3', b'"captures":3,"by":"Jane Doe"'), "ENTRY_SCHEMA"),
        (lambda _: b"\xff", "ENTRY_PARSE"),
        (lambda _: b"[" * 1000, "ENTRY_PARSE"),
    ],
)
def test_26_27_a_payload_that_is_signed_and_wrong(
    fresh: ArchiveBuilder, payload: Callable[[bytes], bytes], code: str
) -> None:
    draft = fresh.commits[11][0]
    before = draft.make().payload
    assert payload(before) != before
    replaced(fresh, draft, resigned(draft, fresh.worker, payload))
    assert tell(fresh.build(), fresh.trust).failures == [(code, {"index": 16, "part": "payload"})]


def test_28_another_order_of_keys_is_a_note(fresh: ArchiveBuilder) -> None:
    draft = fresh.commits[11][0]

    def shuffle(payload: bytes) -> bytes:
        return json.dumps(dict(reversed(json.loads(payload).items())), separators=(",", ":")).encode()

    replaced(fresh, draft, resigned(draft, fresh.worker, shuffle))
    told = tell(fresh.build(), fresh.trust)
    assert told.verdict.holds
    assert told.notes == [("ENTRY_NONCANONICAL", {"index": 16, "part": "payload"})]
    again = small()
    again.commits[11][0].bytes = lambda leaf: json.dumps(json.loads(leaf)).encode()
    assert tell(again.build(), again.trust).notes == [("ENTRY_NONCANONICAL", {"index": 16, "part": "leaf"})]


def test_a_type_of_a_later_version_is_a_note(fresh: ArchiveBuilder) -> None:
    def later(statement: dict[str, Any]) -> None:
        statement["predicateType"] = f"{event.NAMESPACE}custody/artifact.enlarged/v1"
        statement["predicate"]["body"] = {"lossy": "no"}

    draft = fresh.draft(case_event(fresh))
    fresh.commit(resigned(draft, fresh.worker, lambda payload: with_statement(payload, later)))
    told = tell(fresh.build(), fresh.trust)
    assert told.verdict.holds
    assert told.notes == [("EVENT_TYPE_UNKNOWN", {"index": 17, "type": "artifact.enlarged"})]


# 30-33: tiles


def test_30_a_flipped_hash(big: ArchiveBuilder, big_good: MemorySource) -> None:
    told = tell(big_good.flip(tile_key(0, 0, 256), 32 * 77 + 5), big.trust)
    where = {"level": 0, "tile": 0, "leaf": 77, "key": tile_key(0, 0, 256)}
    assert told.failures == [("TILE_HASH", where)]
    assert told.failed_checks == [4]


def test_30_in_the_narrow_tile_of_an_earlier_size(big: ArchiveBuilder, big_good: MemorySource) -> None:
    told = tell(big_good.flip(tile_key(0, 0, 17), 32 * 3), big.trust)
    assert told.failures == [("TILE_HASH", {"level": 0, "tile": 0, "leaf": 3, "key": tile_key(0, 0, 17)})]


def test_30_all_hashes_of_a_full_tile_over_all_narrow_ones() -> None:
    """Each narrow tile differs from the full one in every hash, which is more than anybody keeps a list of."""
    made = ArchiveBuilder().open_log()
    while len(made.commits) < 256:
        made.open_case(f"case {len(made.commits)}")
    good = made.build()
    key = tile_key(0, 0, 256)
    narrow = sum(each.startswith(f"{key}.p/") for each in good.objects)
    assert narrow * 128 > 10_000
    where = {"level": 0, "tile": 0, "key": key}
    told = tell(good.with_object(key, bytes(each ^ 1 for each in good.objects[key])), made.trust)
    assert told.failures == expect(*(("TILE_HASH", {**where, "leaf": leaf}) for leaf in range(256)))
    assert tell(good, made.trust).verdict.holds


def test_31_a_flipped_hash_above(big: ArchiveBuilder, big_good: MemorySource) -> None:
    told = tell(big_good.flip(tile_key(1, 0, 1), 31), big.trust)
    assert told.failures == [("TILE_HASH", {"level": 1, "tile": 0, "entry": 0, "key": tile_key(1, 0, 1)})]


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (tile_key(0, 0, 256), {"level": 0, "tile": 0}),
        (tile_key(0, 1, 44), {"level": 0, "tile": 1}),
        (tile_key(1, 0, 1), {"level": 1, "tile": 0}),
        (entries_key(256), {"level": "entries", "tile": 0}),
        (entries_key(44, 1), {"level": "entries", "tile": 1}),
    ],
)
def test_32_a_missing_tile(big: ArchiveBuilder, big_good: MemorySource, key: str, where: dict[str, Any]) -> None:
    told = tell(big_good.without(key), big.trust)
    assert told.failures == [("TILE_MISSING", {**where, "key": key})]


@pytest.mark.parametrize("more", [b"\0" * 32, b"\0"])
def test_33_a_tile_longer_than_its_name_says(big: ArchiveBuilder, big_good: MemorySource, more: bytes) -> None:
    key = tile_key(0, 1, 44)
    told = tell(big_good.with_object(key, big_good.objects[key] + more), big.trust)
    assert told.failures == [("TILE_WIDTH", {"level": 0, "tile": 1, "key": key})]


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (tile_key(0, 1, 45), {"level": 0, "tile": 1}),
        (tile_key(0, 2, 1), {"level": 0, "tile": 2}),
        (tile_key(2, 0, 1), {"level": 2, "tile": 0}),
        (entries_key(45, 1), {"level": "entries", "tile": 1}),
    ],
)
def test_33_a_tile_wider_than_the_log(
    big: ArchiveBuilder, big_good: MemorySource, key: str, where: dict[str, Any]
) -> None:
    data = big_good.objects[tile_key(0, 1, 44)] + b"\0" * 32 if key == tile_key(0, 1, 45) else b"\0" * 32
    if key == entries_key(45, 1):
        data = big_good.objects[entries_key(44, 1)] + b"\0\1x"
    told = tell(big_good.with_object(key, data), big.trust)
    assert told.failures[-1] == ("TILE_WIDTH", {**where, "key": key})


def test_a_bundle_that_ends_inside_a_leaf(builder: ArchiveBuilder, good: MemorySource) -> None:
    cut = good.with_object(entries_key(17), good.objects[entries_key(17)][:-1])
    told = tell(cut, builder.trust)
    assert told.failures == [("BUNDLE_FORMAT", {"level": "entries", "tile": 0, "key": entries_key(17)})]


def test_a_bundle_of_fewer_leaves(builder: ArchiveBuilder, good: MemorySource) -> None:
    fewer = good.with_object(entries_key(17), good.objects[entries_key(16)])
    told = tell(fewer, builder.trust)
    assert told.failures == [("TILE_WIDTH", {"level": "entries", "tile": 0, "key": entries_key(17)})]


# 34-41: checkpoints


def bigger(text: list[str]) -> list[str]:
    return [text[0], str(int(text[1]) + 1), text[2]]


def test_34_another_size(builder: ArchiveBuilder, good: MemorySource) -> None:
    changed = lines(good.objects[SHOWN], bigger)
    told = tell(good.with_object(SHOWN, changed), builder.trust)
    assert told.failures == [("CP_SIG", {"key": SHOWN})]
    assert told.failed_checks == [2]
    key = checkpoint_key(13)
    told = tell(good.with_object(key, lines(good.objects[key], bigger)), builder.trust)
    assert told.failures == [("CP_SIG", {"key": key, "size": 13})]


def test_34_all_of_the_newest(builder: ArchiveBuilder, good: MemorySource) -> None:
    changed = lines(good.objects[SHOWN], bigger)
    spoiled = good.with_object(SHOWN, changed).with_object(checkpoint_key(17), changed)
    told = tell(spoiled, builder.trust)
    assert told.failures == [("CP_SIG", {"key": SHOWN}), ("CP_SIG", {"key": checkpoint_key(17), "size": 17})]
    assert told.verdict.size == 16


def forged(size: int) -> bytes:
    return Checkpoint(LOG, size, b"\x55" * 32).sign(ArchiveBuilder().log_key)


def test_35_another_root_signed_again(builder: ArchiveBuilder, good: MemorySource) -> None:
    spoiled = good.with_object(SHOWN, forged(17)).with_object(checkpoint_key(17), forged(17))
    assert tell(spoiled, builder.trust).failures == [("CP_ROOT", {"size": 17})]
    told = tell(good.with_object(checkpoint_key(13), forged(13)), builder.trust)
    assert told.failures == [("CP_ROOT", {"size": 13})]
    assert told.failed_checks == [4]


def test_36_another_log_signed_again(builder: ArchiveBuilder, good: MemorySource) -> None:
    root = base64.b64decode(good.objects[SHOWN].split(b"\n")[2])
    text = Checkpoint("other.example/log", 17, root).format()
    other = note.sign(text, LOG, builder.log_key).format()
    told = tell(good.with_object(SHOWN, other), builder.trust)
    assert told.failures == [("CP_ORIGIN", {"key": SHOWN})]


def test_37_an_extension_line_signed_again(builder: ArchiveBuilder, good: MemorySource) -> None:
    text = good.objects[SHOWN].decode().split("\n\n")[0] + "\nextension\n"
    told = tell(good.with_object(SHOWN, note.sign(text, LOG, builder.log_key).format()), builder.trust)
    assert told.failures == [("CP_FORMAT", {"key": SHOWN})]


def test_38_the_same_name_and_another_key(builder: ArchiveBuilder, good: MemorySource) -> None:
    root = base64.b64decode(good.objects[SHOWN].split(b"\n")[2])
    told = tell(good.with_object(SHOWN, Checkpoint(LOG, 17, root).sign(STRANGER)), builder.trust)
    assert told.failures == [("CP_KEY", {"key": SHOWN})]


def test_39_a_further_signature_is_a_note(builder: ArchiveBuilder, good: MemorySource) -> None:
    text = good.objects[SHOWN].decode().split("\n\n")[0] + "\n"
    cosigned = good.objects[SHOWN] + note.sign(text, "cosigner.example", STRANGER).format().split(b"\n\n")[1]
    told = tell(good.with_object(SHOWN, cosigned), builder.trust)
    assert told.verdict.holds
    assert told.notes == [("CP_COSIGNED", {"key": SHOWN})]


@pytest.mark.parametrize("size", [16, 13, 4])
def test_40_an_old_checkpoint_is_shown(builder: ArchiveBuilder, good: MemorySource, size: int) -> None:
    told = tell(good.with_object(SHOWN, good.objects[checkpoint_key(size)]), builder.trust)
    assert told.failures == [("LOG_TRUNCATED", {"shown": size, "signed": 17, "key": checkpoint_key(17)})]
    assert told.failed_checks == [2]


def test_40_commits_that_no_checkpoint_signs(builder: ArchiveBuilder, good: MemorySource) -> None:
    hidden = good.without(checkpoint_key(17), checkpoint_key(16)).with_object(SHOWN, good.objects[checkpoint_key(15)])
    told = tell(hidden, builder.trust)
    assert told.failures == [("LOG_TRUNCATED", {"shown": 15, "committed": 17, "n": 11})]


def test_41_two_trees_of_one_size(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.with_object(SHOWN, forged(17)), builder.trust)
    roots = sorted((told.verdict.root, "55" * 32))
    assert told.failures == [("LOG_FORK", {"size": 17, "roots": roots})]


def test_a_checkpoint_under_another_size(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.with_object(checkpoint_key(13), good.objects[checkpoint_key(15)]), builder.trust)
    assert told.failures == [("CP_SIZE", {"key": checkpoint_key(13), "size": 13})]


def test_a_checkpoint_that_is_gone(builder: ArchiveBuilder, good: MemorySource) -> None:
    assert tell(good.without(checkpoint_key(13)), builder.trust).failures == [("CP_MISSING", {"n": 9, "size": 13})]
    assert tell(good.without(SHOWN), builder.trust).failures == [("CP_MISSING", {"key": SHOWN})]


def test_a_checkpoint_where_no_commit_ends(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.with_object(checkpoint_key(8), forged(8)), builder.trust)
    assert expect(*told.failures) == expect(("CP_FOREIGN", {"size": 8}), ("CP_ROOT", {"size": 8}))


@pytest.mark.parametrize("data", [b"", b"\xff", b"x" * 2_000_000, b"\n\n\n", b"a\n1\nb\n\n"])
def test_what_is_no_checkpoint(builder: ArchiveBuilder, good: MemorySource, data: bytes) -> None:
    assert tell(good.with_object(SHOWN, data), builder.trust).failures == [("CP_FORMAT", {"key": SHOWN})]


# 43-44: commits


@pytest.mark.parametrize("n", [1, 4, 11])
def test_43_a_commit_changed_after_a_later_one(builder: ArchiveBuilder, good: MemorySource, n: int) -> None:
    changed = with_header(good.objects[commit_key(n)], nonce="f" * 32)
    told = tell(good.with_object(commit_key(n), changed), builder.trust)
    assert told.failures == [("COMMIT_CHAIN", {"n": n})]
    assert told.failed_checks == [3]


@pytest.mark.parametrize(
    "change", [{"prev": "0" * 64}, {"n": 9}, {"root": "0" * 64}, {"key": "0" * 64}, {"by": "0" * 64}]
)
def test_43_whatever_is_changed(builder: ArchiveBuilder, good: MemorySource, change: dict[str, Any]) -> None:
    told = tell(good.with_object(commit_key(4), with_header(good.objects[commit_key(4)], **change)), builder.trust)
    assert told.failures == [("COMMIT_CHAIN", {"n": 4})]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("root", "0" * 64),
        ("key", "0" * 64),
        ("by", "0" * 64),
        ("events", ["019cb7a8-1234-7abc-8def-0123456789ab"]),
    ],
)
def test_43_the_header_of_the_newest(builder: ArchiveBuilder, good: MemorySource, field: str, value: Any) -> None:
    changed = with_header(good.objects[commit_key(12)], **{field: value})
    told = tell(good.with_object(commit_key(12), changed), builder.trust)
    assert told.failures == [("COMMIT_HEADER", {"n": 12, "field": field})]


def test_43_a_commit_on_another_tree(builder: ArchiveBuilder, good: MemorySource) -> None:
    header = json.loads(good.objects[commit_key(12)].split(b"\n")[0])
    moved = with_header(good.objects[commit_key(12)], old=header["old"] + 1, new=header["new"] + 1)
    told = tell(good.with_object(commit_key(12), moved), builder.trust)
    assert told.failures == [("COMMIT_CHAIN", {"n": 12})]


def test_43_a_commit_that_cannot_be_read(builder: ArchiveBuilder, good: MemorySource) -> None:
    for n in (1, 6, 12):
        told = tell(good.with_object(commit_key(n), b"x" + good.objects[commit_key(n)]), builder.trust)
        assert told.failures == [("COMMIT_FORMAT", {"n": n})]
        assert told.verdict.facts["leaves"] == 17  # from the bundles


@pytest.mark.parametrize("n", [1, 2, 6, 11])
def test_44_a_commit_that_is_gone(builder: ArchiveBuilder, good: MemorySource, n: int) -> None:
    told = tell(good.without(commit_key(n)), builder.trust)
    assert told.failures == [("COMMIT_MISSING", {"n": n})]
    assert told.failed_checks == [3]
    assert told.verdict.facts["leaves"] == 17


def test_44_several(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.without(*map(commit_key, (3, 4, 5))), builder.trust)
    assert told.failures == [("COMMIT_MISSING", {"n": 3, "until": 5})]


def test_44_the_newest(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.without(commit_key(12)), builder.trust)
    assert told.failures == [("LOG_ROLLBACK", {"n": 12, "size": 16, "signed": 17})]
    told = tell(good.without(commit_key(11), commit_key(12)), builder.trust)
    assert told.failures == [("LOG_ROLLBACK", {"n": 11, "size": 15, "signed": 17})]


def test_44_a_marker_on_a_commit(builder: ArchiveBuilder, good: MemorySource) -> None:
    hidden = good.copy()
    hidden.markers[commit_key(6)] = "m1"
    assert tell(hidden, builder.trust).failures == [("COMMIT_MISSING", {"n": 6})]


def test_44_and_a_bundle_too(builder: ArchiveBuilder, good: MemorySource) -> None:
    """The widest bundle is spoiled as well: the leaves come out of a narrower one."""
    spoiled = good.without(commit_key(6)).with_object(entries_key(17), b"\0").with_object(tile_key(0, 0, 17), b"\0")
    told = tell(spoiled, builder.trust)
    assert told.failures == [
        ("BUNDLE_FORMAT", {"level": "entries", "tile": 0, "key": entries_key(17)}),
        ("COMMIT_MISSING", {"n": 6}),
        ("TILE_WIDTH", {"level": 0, "tile": 0, "key": tile_key(0, 0, 17)}),
    ]


def test_44_and_its_leaves_with_it(builder: ArchiveBuilder, good: MemorySource) -> None:
    bundles = [key for key in good.objects if "/entries/" in key]
    told = tell(good.without(commit_key(6), *bundles), builder.trust)
    assert told.failures[0] == ("COMMIT_MISSING", {"n": 6})
    assert told.verdict.checks[3].detail.startswith("skipped (no signed root to compare with")


def test_44_a_rollback_of_everything_that_is_public(builder: ArchiveBuilder, good: MemorySource) -> None:
    """All of the newest commit taken away but its tile: the tile tells."""
    back = good.without(commit_key(12), checkpoint_key(17), entries_key(17)).with_object(
        SHOWN, good.objects[checkpoint_key(16)]
    )
    told = tell(back, builder.trust)
    assert told.failures == [("TILE_WIDTH", {"level": 0, "tile": 0, "key": tile_key(0, 0, 17)})]


# Keys


def test_a_key_file_that_is_another(builder: ArchiveBuilder, good: MemorySource) -> None:
    keyid = keys.keyid(builder.worker.public_key)
    key = keyspace.key_pem(LOG, keyid)
    told = tell(good.with_object(key, keys.pem(STRANGER.public_key)), builder.trust)
    assert told.failures == [("KEY_FILE", {"key": key, "keyid": keyid})]
    log_id = keys.keyid(builder.log_key.public_key)
    vkey = keyspace.key_vkey(LOG, log_id)
    told = tell(good.with_object(vkey, good.objects[vkey] + b"\n"), builder.trust)
    assert told.failures == [("KEY_FILE", {"key": vkey, "keyid": log_id})]


# 58: anchors (tokens are in test_tampered_time)


def test_58_an_anchor_in_a_token_that_was_never_there(fresh: ArchiveBuilder) -> None:
    fresh.anchored = Anchor(size=4, token_sha256=Digest("1" * 64))
    fresh.commit(fresh.draft(case_event(fresh)))
    told = tell(fresh.build(), fresh.trust)
    assert told.failures == [("ANCHOR_FOREIGN", {"index": 17, "size": 4})]
    assert told.failed_checks == [9]


def test_a_vkey_of_another_key_of_the_log_may_be_published(builder: ArchiveBuilder, good: MemorySource) -> None:
    key = keyspace.key_vkey(LOG, keys.keyid(builder.worker.public_key))
    vkey = note.VerifierKey("worker.example", builder.worker.public_key).format().encode()
    assert tell(good.with_object(key, vkey + b"\n"), builder.trust).verdict.holds
    for wrong in (vkey[:-1], b"\xff", note.VerifierKey("worker.example", STRANGER.public_key).format().encode()):
        assert tell(good.with_object(key, wrong), builder.trust).codes == ["KEY_FILE"]


def test_one_that_names_a_blob_wrongly_says_nothing_of_another(fresh: ArchiveBuilder) -> None:
    """The first to name it says that it is shorter; the second is right."""
    subject = fresh.blob("case.json", b"0123456789")
    for size in (4, 10):
        scope = fresh.new_id()
        made = fresh.event("case.opened", f"scope:{scope}", replace(subject, bytes=size), {})
        fresh.commit(fresh.draft(made))
    told = tell(fresh.build(), fresh.trust)
    assert [(code, where["index"]) for code, where in told.failures] == [("BLOB_SIZE", 17)]
