"""The tamper matrix, rows in which the log's own operator makes and signs the log again around a change."""

import json
from dataclasses import replace
from typing import Any

import pytest

from custody import keys, keyspace
from custody.checkpoint import open_checkpoint
from custody.keys import Ed25519Signer
from custody.leaf import leaf_hash
from custody.verify import verify
from tests.custody.archive_builder import LOG, ArchiveBuilder, small
from tests.custody.matrix import AT, Attack, Row, Rows, World, filler, judge, make_big_world
from tests.custody.stewarding import blobs_of, disposed, held
from tests.custody.tampering import checkpoint_key, commit_key, replaced, resigned, stored_leaves

row = Rows()
LOG_CHAIN = f"log:{keyspace.slug(LOG)}"
JANE, JOHN = Ed25519Signer(b"\x71" * 32), Ed25519Signer(b"\x72" * 32)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """``small``, without an authority: what is signed again is told by the log alone."""
    made = small()
    big = make_big_world(tmp_path_factory.mktemp("authority"))
    return replace(big, builder=made, source=made.build(), trust=made.trust)


def built(world: World, made: ArchiveBuilder, *expected: tuple[str, dict[str, Any]], **more: Any) -> Attack:
    """The changed log is another than the good one, and signed throughout."""
    source = made.build()
    assert stored_leaves(source) != stored_leaves(world.source)
    sizes = [key for key in source.objects if "/checkpoints/" in key]
    assert all(open_checkpoint(source.objects[key], made.trust.log) for key in sizes)
    return Attack(source=source, trust=made.trust, expected=expected, **more)


def item(made: ArchiveBuilder, capture: int = 0) -> str:
    return f"item:{made.captures[capture].unit}"


@row(15)
def event_by_a_revoked_key(world: World) -> Attack:
    made = world.fresh()
    made.commit(made.revoke(made.worker))
    made.commit(made.draft(filler(made)))
    keyid = keys.keyid(made.worker.public_key)
    return built(
        world,
        made,
        ("EVENT_KEY_REVOKED", {"index": 18, "keyid": keyid, "revoked_by": 17}),
        notes=[("KEY_REVOKED", {"index": 17, "keyid": keyid})],
    )


@row(16)
def another_index(world: World) -> Attack:
    made = world.fresh()
    made.commits[5][0].change = lambda leaf: {**leaf, "index": 12}
    return built(world, made, ("ENTRY_INDEX", {"index": 9, "says": 12}))


@row(17)
def leaf_of_another_log(world: World) -> Attack:
    made = world.fresh()
    made.commits[5][0].change = lambda leaf: {**leaf, "log": "other.example/log"}
    return built(world, made, ("ENTRY_LOG", {"index": 9, "log": "other.example/log"}))


@row(18)
def two_neighbours_swapped(world: World) -> Attack:
    made = world.fresh()
    made.rearrange = lambda n, leaves: [leaves[i] for i in (0, 2, 1, 3)] if n == 1 else leaves
    return built(
        world,
        made,
        ("CHAIN_ORDER", {"scope": LOG_CHAIN, "seq": 2, "index": 1}),
        ("ENTRY_INDEX", {"index": 1, "says": 2}),
        ("ENTRY_INDEX", {"index": 2, "says": 1}),
    )


@row(19)
def middle_leaf_of_an_item_dropped(world: World) -> Attack:
    made = world.fresh()
    dropped = made.commits.pop(6)
    dropped[0].dropped = True
    made.commits[6].insert(0, dropped[0])
    assert len(stored_leaves(made.build())) == len(stored_leaves(world.source)) - 1
    blobs = [("BLOB_ORPHAN", {"key": key}) for key in sorted(named_only_by(made, dropped[0].make().payload))]
    return built(world, made, ("CHAIN_GAP", {"scope": item(made), "seq": 2}), notes=blobs)


def named_only_by(made: ArchiveBuilder, payload: bytes) -> set[str]:
    digests = [each["digest"]["sha256"] for each in json.loads(payload)["subject"]]
    return {key for key in made.blobs if any(key.endswith(each) for each in digests)}


@row(22)
def link_to_another_leaf(world: World) -> Attack:
    made = world.fresh()
    other = leaf_hash(stored_leaves(world.source)[7])

    def point(leaf: dict[str, Any]) -> dict[str, Any]:
        assert leaf["chains"][0]["prev"] != other
        leaf["chains"][0]["prev"] = other
        return leaf

    made.commits[6][0].change = point
    return built(world, made, ("CHAIN_LINK", {"scope": item(made), "seq": 2, "index": 10}))


@row(23)
def same_event_twice(world: World) -> Attack:
    made = world.fresh()
    made.commit(made.commits[5][0])
    return built(world, made, ("EVENT_DUPLICATE", {"index": 17, "first": 9}))


@row(24)
def end_without_a_start(world: World) -> Attack:
    made = world.fresh()
    (start,) = made.commits.pop(6)
    orphans = [("BLOB_ORPHAN", {"key": key}) for key in named_only_by(made, start.make().payload)]
    return built(world, made, ("STATE_ORDER", {"item": made.captures[0].unit, "index": 10}), notes=orphans)


@row(25)
def two_ends_for_one_start(world: World) -> Attack:
    made = world.fresh()
    capture = made.captures[2]
    assert capture.record is not None
    run = made.commits[2][0].chain.removeprefix("run:")
    subject = made.blob("record.json", capture.record.format())
    made.commit(made.draft(made.end(run, capture, capture.record, subject)))
    return built(world, made, ("STATE_ORDER", {"item": capture.unit, "index": 17}))


def payload_changed(world: World, before: bytes, after: bytes) -> ArchiveBuilder:
    made = world.fresh()
    draft = made.commits[11][0]
    assert before in draft.make().payload
    replaced(made, draft, resigned(draft, made.worker, lambda payload: payload.replace(before, after, 1)))
    return made


@row(26)
def key_twice_in_a_payload(world: World) -> Attack:
    made = payload_changed(world, b'"captures":3', b'"captures":3,"captures":3')
    return built(world, made, ("ENTRY_PARSE", {"index": 16, "part": "payload"}))


@row(27)
def float_in_a_payload(world: World) -> Attack:
    made = payload_changed(world, b'"captures":3', b'"captures":3.0')
    return built(world, made, ("ENTRY_PARSE", {"index": 16, "part": "payload"}))


@row(27)
def integer_too_big_for_a_payload(world: World) -> Attack:
    made = payload_changed(world, b'"captures":3', b'"captures":9007199254740992')
    return built(world, made, ("ENTRY_PARSE", {"index": 16, "part": "payload"}))


@row(28)
def another_order_of_keys(world: World) -> Attack:
    made = world.fresh()
    draft = made.commits[11][0]

    def shuffle(payload: bytes) -> bytes:
        return json.dumps(dict(reversed(json.loads(payload).items())), separators=(",", ":")).encode()

    assert shuffle(draft.make().payload) != draft.make().payload
    replaced(made, draft, resigned(draft, made.worker, shuffle))
    return built(world, made, notes=[("ENTRY_NONCANONICAL", {"index": 16, "part": "payload"})])


@row(40)
def newest_leaves_never_signed(world: World) -> Attack:
    """Everything of the last commit is gone; the reader kept its checkpoint."""
    made = world.fresh()
    made.commits.pop()
    kept = open_checkpoint(world.source.objects[checkpoint_key(17)], made.trust.log)
    source = made.build()
    assert commit_key(12) not in source.objects
    (closed,) = named_only_by(made, world.fresh().commits[11][0].make().payload)
    return Attack(
        source=source,
        trust=made.trust,
        kept=[kept],
        expected=[("LOG_TRUNCATED", {"kept": 17, "signed": 16})],
        notes=[
            ("BLOB_ORPHAN", {"key": closed}),
            ("STATE_OPEN", {"run": made.commits[2][0].chain.removeprefix("run:")}),
        ],
    )


@row(41)
def another_tree_than_the_one_that_was_kept(world: World) -> Attack:
    made = world.fresh()
    made.commits.pop()
    made.commit(made.draft(filler(made)))
    kept = open_checkpoint(world.source.objects[checkpoint_key(17)], made.trust.log)
    today = open_checkpoint(made.build().objects[checkpoint_key(17)], made.trust.log)
    roots = sorted([kept.root.hex(), today.root.hex()])
    return forked(world, made, ("LOG_FORK", {"size": 17, "roots": roots}))


@row(42)
def log_that_does_not_extend_what_was_kept(world: World) -> Attack:
    made = world.fresh()
    made.commits.pop()
    made.commit(made.draft(filler(made)), made.draft(filler(made)))
    return forked(world, made, ("LOG_INCONSISTENT", {"kept": 17, "signed": 18}))


def forked(world: World, made: ArchiveBuilder, expected: tuple[str, dict[str, Any]]) -> Attack:
    kept = open_checkpoint(world.source.objects[checkpoint_key(17)], made.trust.log)
    (closed,) = named_only_by(made, world.fresh().commits[11][0].make().payload)
    notes = [
        ("BLOB_ORPHAN", {"key": closed}),
        ("STATE_OPEN", {"run": made.commits[2][0].chain.removeprefix("run:")}),
    ]
    return built(world, made, expected, notes=notes, kept=[kept])


@row(66)
def blob_deleted_under_a_hold(world: World) -> Attack:
    made = world.fresh()
    capture = made.captures[2]
    made.commit(held(made, capture.unit))
    key = keyspace.blob(blobs_of(capture)[1])
    source = made.build().without(key)
    assert key not in source.objects
    return Attack(source=source, trust=made.trust, expected=[("HOLD_VIOLATION", {"item": capture.unit, "key": key})])


@row(66)
def disposal_under_a_hold(world: World) -> Attack:
    made = world.fresh()
    capture = made.captures[2]
    blob = blobs_of(capture)[1]
    made.commit(held(made, capture.unit))
    made.commit(disposed(made, capture.unit, [blob]))
    source = made.build().without(keyspace.blob(blob))
    assert capture.record is not None
    kept = next(each for each in capture.record.artifacts if each.digest == blob)
    where = {
        "item": capture.unit,
        "capture": capture.id,
        "role": kept.role,
        "name": kept.name,
        "key": kept.key,
        "index": 15,
    }
    return Attack(
        source=source,
        trust=made.trust,
        expected=[("HOLD_VIOLATION", {"item": capture.unit, "index": 18})],
        notes=[("BLOB_DISPOSED", where)],
    )


@row(67)
def disposal_with_one_signature_of_two(world: World) -> Attack:
    made = world.fresh()
    made.commit(made.introduce("person", JANE), made.introduce("person", JOHN))
    capture, trust = made.captures[2], replace(made.trust, people_threshold=2)
    made.commit(disposed(made, capture.unit, blobs_of(capture), JANE, JOHN))
    assert verify(made.build(), trust, at=AT).holds
    made.commits.pop()
    made.commit(disposed(made, capture.unit, blobs_of(capture), JANE))
    return replace(built(world, made, ("AUTHORITY_MISSING", {"index": 19, "needed": 2, "got": 1})), trust=trust)


@pytest.mark.parametrize("each", row.rows, ids=lambda each: each.id)
def test_row(each: Row, world: World) -> None:
    judge(each, world)
