"""The tamper matrix, rows done to the bytes of a finished archive by code that knows nothing of ours."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from custody.artifact import Lock
from custody.trust import Trust
from tests.custody import hostile
from tests.custody.archive_builder import UNTIL
from tests.custody.hostile import (
    LOG_NAME,
    SHOWN,
    artifact,
    blob_name,
    checkpoint_name,
    commit_name,
    commit_of,
    edit_leaf,
    find,
    flip,
    leaves,
    note_lines,
    sign_note,
    tile_name,
)
from tests.custody.matrix import (
    LOG_SEED,
    STRANGER_SEED,
    TSA,
    Attack,
    Expected,
    Row,
    Rows,
    World,
    judge,
    make_big_world,
    make_world,
)

row = Rows()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def big_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_big_world(tmp_path_factory.mktemp("other"))


# 1-11: blobs


@row(1)
def flipped_byte_of_a_screenshot(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed"), "screenshot")
    files[where["key"]] = flip(files[where["key"]], 5)
    assert blob_name(files[where["key"]]) != where["key"]
    return Attack(source=world.with_files(files), expected=[("BLOB_DIGEST", where)])


@row(2)
def body_shorter_by_a_byte(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed"), "body")
    files[where["key"]] = files[where["key"]][:-1]
    return Attack(source=world.with_files(files), expected=[("BLOB_SIZE", where), ("BLOB_DIGEST", where)])


@row(3)
def dom_longer_by_a_byte(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed"), "dom")
    files[where["key"]] += b"\n"
    return Attack(source=world.with_files(files), expected=[("BLOB_SIZE", where), ("BLOB_DIGEST", where)])


@row(4)
def blob_that_is_gone(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed", 2), "screenshot")
    del files[where["key"]]
    return Attack(source=world.with_files(files), expected=[("BLOB_MISSING", where)])


@row(5)
def delete_marker_on_a_blob(world: World) -> Attack:
    source = world.source.copy()
    key = artifact(world.files, find(world.files, "capture.completed"), "screenshot")["key"]
    source.markers[key] = "m1"
    with pytest.raises(KeyError):
        source.read(key)
    return Attack(source=source, expected=[("BLOB_DELETE_MARKER", {"key": key, "version": "m1"})])


@row(6)
def delete_marker_and_other_bytes(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed"), "screenshot")
    files[where["key"]] = flip(files[where["key"]], 0)
    source = world.with_files(files)
    source.versions_of[where["key"]] = ["v1", "m1", "v2"]
    versions = {"key": where["key"], "versions": ["m1", "v1", "v2"]}
    return Attack(source=source, expected=[("BLOB_DIGEST", where), ("BLOB_EXTRA_VERSION", versions)])


@row(7)
def two_blobs_swapped(world: World) -> Attack:
    files = world.files
    one, other = (artifact(files, find(files, "capture.completed", nth), "headers") for nth in (0, 1))
    files[one["key"]], files[other["key"]] = files[other["key"]], files[one["key"]]
    return Attack(source=world.with_files(files), expected=[("BLOB_DIGEST", one), ("BLOB_DIGEST", other)])


@row(8)
def picture_encoded_again(world: World) -> Attack:
    files = world.files
    where = artifact(files, find(files, "capture.completed", 3), "screenshot")
    before, after = files[where["key"]], hostile.png(1)
    assert hostile.pixels(before) == hostile.pixels(after)
    assert before != after
    files[where["key"]] = after
    expected: list[Expected] = [("BLOB_DIGEST", where)]
    if len(before) != len(after):
        expected.append(("BLOB_SIZE", where))
    return Attack(source=world.with_files(files), expected=expected)


@row(9)
def lock_taken_off(world: World) -> Attack:
    source = world.source.copy()
    where = artifact(world.files, find(world.files, "capture.completed"), "screenshot")
    assert source.locks is not None
    del source.locks[where["key"]]
    said = {"recorded": "GOVERNANCE until 2027-03-04T00:00:00.000Z", "actual": "no lock"}
    return Attack(source=source, expected=[("BLOB_LOCK_WEAK", {**where, **said})])


@row(9)
def lock_shortened(world: World) -> Attack:
    source = world.source.copy()
    where = artifact(world.files, find(world.files, "capture.completed"), "screenshot")
    assert source.locks is not None
    source.locks[where["key"]] = Lock(mode="GOVERNANCE", retain_until=UNTIL - timedelta(days=1))
    said = {
        "recorded": "GOVERNANCE until 2027-03-04T00:00:00.000Z",
        "actual": "GOVERNANCE until 2027-03-03T00:00:00.000Z",
    }
    return Attack(source=source, expected=[("BLOB_LOCK_WEAK", {**where, **said})])


@row(11)
def record_changed_and_named_anew(world: World) -> Attack:
    files = world.files
    where = hostile.record(files, find(files, "capture.completed", 2))
    changed = files.pop(where["key"]).replace(b"Love bracelet", b"Like bracelet")
    files[blob_name(changed)] = changed
    assert blob_name(changed) != where["key"]
    orphans = [
        ("BLOB_ORPHAN", {"key": artifact(world.files, where["index"], role)["key"]})
        for role in ("screenshot", "viewport", "dom", "headers", "body")
    ]
    return Attack(
        source=world.with_files(files),
        expected=[("BLOB_MISSING", where)],
        notes=[("BLOB_ORPHAN", {"key": blob_name(changed)}), *orphans],
    )


# 12-14: events


def in_the_last_leaf(world: World, changed: hostile.Files) -> list[Expected]:
    """Of the newest leaf: its commit, its event, its bundle; the tile and the signed root are as they were."""
    last = len(leaves(world.files)) - 1
    key = tile_name("entries", 0, last + 1)
    assert changed[key] != world.files[key]
    return [
        ("COMMIT_LEAF", {"n": commit_of(world.files, last), "index": last}),
        ("EVENT_SIG", {"index": last}),
        ("TILE_HASH", {"level": "entries", "tile": 0, "leaf": last, "key": key}),
    ]


@row(12)
def flipped_bit_of_a_payload(world: World) -> Attack:
    files = edit_leaf(world.files, len(leaves(world.files)) - 1, hostile.flip_salt)
    return Attack(source=world.with_files(files), expected=in_the_last_leaf(world, files))


@row(13)
def flipped_bit_of_a_signature(world: World) -> Attack:
    files = edit_leaf(world.files, len(leaves(world.files)) - 1, hostile.flip_signature)
    return Attack(source=world.with_files(files), expected=in_the_last_leaf(world, files))


@row(14)
def event_by_an_unknown_key(world: World) -> Attack:
    before = leaves(world.files)
    forged = hostile.signed_again(before[-1], STRANGER_SEED)
    files = hostile.replace_last_leaf(world.files, forged)
    assert leaves(files)[:-1] == before[:-1]
    assert hostile.root(leaves(files)) != hostile.root(before)
    size = len(before)
    return Attack(
        source=world.with_files(files),
        expected=[
            ("EVENT_KEY_UNKNOWN", {"index": size - 1, "keyid": stranger_keyid()}),
            ("CP_ROOT", {"size": size}),
        ],
    )


def stranger_keyid() -> str:
    return str(
        json.loads(hostile.signed_again(b'{"event":{"payload":""}}', STRANGER_SEED))["event"]["signatures"][0]["keyid"]
    )


# 30-33: tiles


@row(30, big=True)
def flipped_byte_of_a_tile(world: World) -> Attack:
    files, key = world.files, tile_name(0, 0)
    files[key] = flip(files[key], 32 * 77 + 5)
    return Attack(
        source=world.with_files(files), expected=[("TILE_HASH", {"level": 0, "tile": 0, "leaf": 77, "key": key})]
    )


@row(31, big=True)
def flipped_byte_of_a_tile_above(world: World) -> Attack:
    files, key = world.files, tile_name(1, 0, 1)
    files[key] = flip(files[key], 31)
    return Attack(
        source=world.with_files(files), expected=[("TILE_HASH", {"level": 1, "tile": 0, "entry": 0, "key": key})]
    )


@row(32, big=True)
def full_tile_that_is_gone(world: World) -> Attack:
    files, key = world.files, tile_name(0, 0)
    del files[key]
    return Attack(source=world.with_files(files), expected=[("TILE_MISSING", {"level": 0, "tile": 0, "key": key})])


@row(33, big=True)
def tile_longer_than_the_log(world: World) -> Attack:
    files = world.files
    key = max(each for each in files if each.startswith(tile_name(0, 1) + ".p/"))
    files[key] += b"\0" * 32
    return Attack(source=world.with_files(files), expected=[("TILE_WIDTH", {"level": 0, "tile": 1, "key": key})])


# 34-41: checkpoints


def newest(world: World) -> int:
    return len(leaves(world.files))


def stamped(world: World) -> int:
    """The size of the tree that the second token is over."""
    return max(int(key.split("/")[-2]) for key in world.files if "/timestamps/" in key)


@row(34)
def another_size_in_the_checkpoint(world: World) -> Attack:
    files, key = world.files, checkpoint_name(13)
    files[key] = files[key].replace(b"\n13\n", b"\n14\n")
    assert note_lines(files[key])[1] == "14"
    return Attack(source=world.with_files(files), expected=[("CP_SIG", {"key": key, "size": 13})])


@row(35)
def another_root_signed_again(world: World) -> Attack:
    files, size = world.files, stamped(world)
    key = checkpoint_name(size)
    origin, count, _ = note_lines(files[key])
    files[key] = sign_note([origin, count, base64.b64encode(b"\x55" * 32).decode()], LOG_SEED)
    return Attack(
        source=world.with_files(files),
        expected=[("CP_ROOT", {"size": size}), ("TS_IMPRINT", {"size": size, "authority": TSA})],
    )


@row(36)
def another_origin_signed_again(world: World) -> Attack:
    files = world.files
    _, count, root = note_lines(files[SHOWN])
    files[SHOWN] = sign_note(["other.example/log", count, root], LOG_SEED)
    return Attack(source=world.with_files(files), expected=[("CP_ORIGIN", {"key": SHOWN})])


@row(37)
def extension_line_signed_again(world: World) -> Attack:
    files, size = world.files, stamped(world)
    key = checkpoint_name(size)
    files[key] = sign_note([*note_lines(files[key]), "extension"], LOG_SEED)
    return Attack(
        source=world.with_files(files),
        expected=[("CP_FORMAT", {"key": key, "size": size}), ("TS_IMPRINT", {"size": size, "authority": TSA})],
    )


@row(38)
def same_name_and_another_key(world: World) -> Attack:
    files = world.files
    files[SHOWN] = sign_note(note_lines(files[SHOWN]), STRANGER_SEED)
    return Attack(source=world.with_files(files), expected=[("CP_KEY", {"key": SHOWN})])


@row(39)
def further_signature(world: World) -> Attack:
    files = world.files
    text = "\n".join(note_lines(files[SHOWN])) + "\n"
    files[SHOWN] += hostile.signature_line(text, STRANGER_SEED, "witness.example").encode()
    assert files[SHOWN].count("—".encode()) == 2
    return Attack(source=world.with_files(files), expected=[], notes=[("CP_COSIGNED", {"key": SHOWN})])


@row(40)
def checkpoint_of_an_hour_ago(world: World) -> Attack:
    files, size = world.files, newest(world)
    files[SHOWN] = files[checkpoint_name(13)]
    return Attack(
        source=world.with_files(files),
        expected=[("LOG_TRUNCATED", {"shown": 13, "signed": size, "key": checkpoint_name(size)})],
    )


@row(41)
def two_trees_of_one_size(world: World) -> Attack:
    files, size = world.files, newest(world)
    mine = base64.b64decode(note_lines(files[SHOWN])[2]).hex()
    files[SHOWN] = sign_note([LOG_NAME, str(size), base64.b64encode(b"\x55" * 32).decode()], LOG_SEED)
    roots = sorted([mine, "55" * 32])
    return Attack(source=world.with_files(files), expected=[("LOG_FORK", {"size": size, "roots": roots})])


# 43-44: commits


@row(43)
def commit_changed_after_a_later_one(world: World) -> Attack:
    files, key = world.files, commit_name(4)
    files[key] = hostile.header(files[key], nonce="f" * 32)
    digest = hashlib.sha256(files[key]).hexdigest()
    assert digest.encode() not in files[commit_name(5)]
    return Attack(source=world.with_files(files), expected=[("COMMIT_CHAIN", {"n": 4})])


@row(44)
def commit_in_between_that_is_gone(world: World) -> Attack:
    files = world.files
    del files[commit_name(6)]
    return Attack(source=world.with_files(files), expected=[("COMMIT_MISSING", {"n": 6})])


@row(44)
def newest_commit_that_is_gone(world: World) -> Attack:
    files, n = world.files, max(hostile.commits(world.files))
    size = newest(world)
    rest = size - len(hostile.leaves_of(files, n))
    del files[commit_name(n)]
    return Attack(source=world.with_files(files), expected=[("LOG_ROLLBACK", {"n": n, "size": rest, "signed": size})])


@row(44)
def marker_on_a_commit(world: World) -> Attack:
    source = world.source.copy()
    source.markers[commit_name(6)] = "m1"
    return Attack(source=source, expected=[("COMMIT_MISSING", {"n": 6})])


# 45-50, 54: tokens


def where(world: World) -> dict[str, object]:
    return {"size": stamped(world), "authority": TSA}


def token(world: World, ending: str = "tsr") -> str:
    return hostile.token_name(stamped(world), TSA, ending)


@row(45)
def token_of_another_checkpoint(world: World) -> Attack:
    files = world.files
    files[token(world)] = files[hostile.token_name(13, TSA)]
    return Attack(source=world.with_files(files), expected=[("TS_IMPRINT", where(world))])


@row(46)
def flipped_byte_of_a_tokens_signature(world: World) -> Attack:
    files = world.files
    files[token(world)] = flip(files[token(world)], -1)
    assert not hostile.openssl_accepts(
        world.authority.directory, files[token(world, "tsq")], files[token(world)], world.authority.roots_pem
    )
    return Attack(source=world.with_files(files), expected=[("TS_SIG", where(world))])


@row(48)
def token_by_another_signer_of_the_same_root(world: World) -> Attack:
    files, folder = world.files, world.authority.directory
    files[token(world)] = hostile.forged_token(folder, files[token(world)], "other")
    return Attack(source=world.with_files(files), trust=pinned(world), expected=[("TS_PIN", where(world))])


def pinned(world: World) -> Trust:
    """A trust file that believes the first signer alone."""
    body = (world.authority.directory / "signer.pem").read_text().split("-----")[2]
    pin = hashlib.sha256(base64.b64decode("".join(body.split()))).hexdigest()
    (believed,) = world.trust.authorities
    return replace(world.trust, authorities=(replace(believed, pins=(pin,)),))


@row(49)
def token_by_a_certificate_for_something_else(world: World) -> Attack:
    files, folder = world.files, world.authority.directory
    files[token(world)] = hostile.forged_token(folder, files[token(world)], "uncritical")
    assert not hostile.openssl_accepts(
        folder, files[token(world, "tsq")], files[token(world)], world.authority.roots_pem
    )
    return Attack(source=world.with_files(files), expected=[("TS_EKU", where(world))])


@row(50)
def query_of_another_day(world: World) -> Attack:
    files = world.files
    asked = files[token(world, "tsq")]
    files[token(world, "tsq")] = asked[:-4] + bytes([asked[-4] ^ 1]) + asked[-3:]
    return Attack(source=world.with_files(files), expected=[("TS_NONCE", where(world))])


@row(51)
def status_that_is_not_granted(world: World) -> Attack:
    files = world.files
    granted, modified = b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x01"
    assert granted in files[token(world)][:12]
    files[token(world)] = files[token(world)].replace(granted, modified, 1)
    return Attack(source=world.with_files(files), expected=[("TS_STATUS", where(world))])


@row(54)
def token_that_is_gone(world: World) -> Attack:
    files = world.files
    del files[token(world)]
    told = find(files, "log.timestamped", 1)
    return Attack(source=world.with_files(files), expected=[("TS_MISSING", {**where(world), "index": told})])


@pytest.mark.parametrize("each", row.rows, ids=lambda each: each.id)
def test_row(each: Row, world: World, big_world: World) -> None:
    judge(each, big_world if each.big else world)
