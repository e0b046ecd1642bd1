"""A copy holds what the archive held when its checkpoint was read, byte for byte, or says what it lacks."""

import hashlib
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.errors import NotStored, StoreDown, StoreError
from archive.memory import MemoryStore
from archive.mirror import Locking, MirrorReport, mirror
from archive.s3 import S3Store
from archive.store import ObjectStore
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from custody.trust import Trust
from custody.verdict import Severity, Verdict
from custody.verify import verify
from tests.archive.conftest import MakeS3, utc_now
from tests.archive.shelves import WatchedStore, forge, put, stored
from tests.custody.archive_builder import START, ArchiveBuilder, small


@pytest.fixture
def builder() -> ArchiveBuilder:
    return small(locked=False)


@pytest.fixture
def target(tmp_path: Path) -> DirectoryStore:
    (tmp_path / "copy").mkdir()
    return DirectoryStore(tmp_path / "copy")


def copy(store: ObjectStore, target: ObjectStore) -> MirrorReport:
    return mirror(store, target, progress=lambda _: None)


def contents(store: ObjectStore) -> dict[str, bytes]:
    return {key: store.read(key) for key in store.keys("v1/")}


def judged(store: ObjectStore, trust: Trust) -> Verdict:
    return verify(store, trust, at=START, absent=(NotStored,), unreachable=(StoreDown,))


def failures(store: ObjectStore, trust: Trust) -> set[str]:
    return {each.code for each in judged(store, trust).findings if each.severity is Severity.FAIL}


def a_blob(store: ObjectStore) -> str:
    return next(key for key in store.keys(keyspace.BLOBS) if len(store.read(key)) > 100)


def test_copies_every_object_under_its_own_key(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    report = copy(store, target)
    assert contents(target) == contents(store)
    assert (report.copied, report.equal, report.later, report.problems) == (len(contents(store)), 0, 0, [])
    assert report.bytes == sum(map(len, contents(store).values()))
    assert judged(target, builder.trust).holds
    for key in target.keys(keyspace.BLOBS):
        assert hashlib.sha256((target.root / key).read_bytes()).hexdigest() == key.rsplit("/", 1)[1]


def test_leaves_out_what_is_no_part_of_the_archive(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    for key in ("v1/probe/ab12", "v1/inbox/2026/01/02/x.json", "elsewhere/x"):
        store.create(key, b"x", digest=Digest.of(b"x"), retain_until=None)
    copy(store, target)
    assert set(target.keys("")) == {key for key in store.keys("v1/") if not key.startswith(("v1/probe", "v1/inbox"))}


def test_copies_what_it_does_not_know(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    strange = [
        f"{keyspace.log_prefix(builder.log)}{name}" for name in ("commit/x", "tile/7/y", "notes/z", "tile/99/000")
    ]
    for key in (*strange, "v1/other/1", f"{keyspace.BLOBS}zz/1"):
        store.create(key, b"x", digest=Digest.of(b"x"), retain_until=None)
    copy(store, target)
    assert contents(target).keys() == contents(store).keys() - {strange[3]}  # a tile beyond any tree that is signed


def test_a_second_copy_hashes_what_is_there_and_fetches_no_blob(
    builder: ArchiveBuilder, target: DirectoryStore
) -> None:
    store = WatchedStore(stored(builder))
    first = copy(store, target)
    store.opened.clear()
    second = copy(store, target)
    assert (second.copied, second.bytes, second.equal) == (0, 0, first.copied)
    assert not [key for key in store.opened if key.startswith(keyspace.BLOBS)]


def test_copies_on_when_the_log_has_grown(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    before = copy(store, target).copied
    builder.capture(builder.open_run())
    put(builder, store)
    report = copy(store, target)
    assert report.copied == len(contents(store)) - before + 1  # the pointer was there, and is another
    assert contents(target) == contents(store)
    assert judged(target, builder.trust).holds


def test_a_blob_that_is_not_what_its_key_says_is_named_and_not_copied(
    builder: ArchiveBuilder, target: DirectoryStore
) -> None:
    store = stored(builder)
    key = a_blob(store)
    good = store.read(key)
    forge(store, key, bytes([good[0] ^ 1]) + good[1:])
    report = copy(store, target)
    (problem,) = report.problems
    assert key in problem
    assert "not copied" in problem
    assert contents(target).keys() == contents(store).keys() - {key}
    assert "BLOB_MISSING" in failures(target, builder.trust)

    forge(store, key, good)
    assert copy(store, target).problems == []
    assert judged(target, builder.trust).holds


@pytest.mark.parametrize("what", ["blob", "commit"])
def test_a_changed_file_in_the_copy_is_named_and_left(
    builder: ArchiveBuilder, target: DirectoryStore, what: str
) -> None:
    store = stored(builder)
    copy(store, target)
    key = a_blob(store) if what == "blob" else keyspace.commit(builder.log, 2)
    path = target.root / key
    path.chmod(0o600)
    path.write_bytes(b"changed")
    report = copy(store, target)
    (problem,) = report.problems
    assert key in problem
    assert "in the copy already with other bytes" in problem
    assert path.read_bytes() == b"changed"
    path.unlink()
    assert copy(store, target).problems == []
    assert contents(target) == contents(store)


@pytest.mark.parametrize("after", [0, 3, 20, 60])
def test_a_copy_that_was_cut_off_is_taken_up_again(builder: ArchiveBuilder, target: DirectoryStore, after: int) -> None:
    whole = stored(builder)
    store = WatchedStore(whole, dies_after=after)
    with pytest.raises(StoreDown):
        copy(store, target)
    there = contents(target)
    assert there.items() <= contents(whole).items()
    assert keyspace.checkpoint(builder.log) not in there, "a copy that is not whole has no newest checkpoint"
    store.dies_after = None
    report = copy(store, target)
    assert report.equal == len(there)
    assert contents(target) == contents(whole)


def test_a_log_that_grows_meanwhile_is_copied_up_to_the_checkpoint_that_was_read(
    builder: ArchiveBuilder, target: DirectoryStore
) -> None:
    whole = stored(builder)
    grown = False

    def grow(prefix: str) -> None:
        nonlocal grown
        if prefix == keyspace.ROOT and not grown:
            grown = True  # after the heads were read, before the objects are listed
            builder.capture(builder.open_run())
            put(builder, whole)

    before = set(whole.keys("v1/"))
    report = copy(WatchedStore(whole, before_keys=grow), target)
    added = {key for key in whole.keys("v1/") if key not in before}
    assert any("/commit/" in key for key in added)
    logged = {key for key in added if key.startswith(keyspace.LOGS)}
    assert report.later == len(logged)
    assert set(target.keys("v1/")) == before | (added - logged)
    assert judged(target, builder.trust).holds
    assert copy(whole, target).problems == []
    assert contents(target) == contents(whole)
    assert judged(target, builder.trust).holds


def test_a_log_that_grows_while_its_head_is_read_gives_one_moment(
    builder: ArchiveBuilder, target: DirectoryStore
) -> None:
    whole = stored(builder)
    growths: list[str] = []

    def grow(prefix: str) -> None:
        if prefix.endswith("/checkpoints/") and len(growths) < 2:
            growths.append(prefix)  # after the pointer was read, before the checkpoints are listed
            builder.open_run()
            put(builder, whole)

    copy(WatchedStore(whole, before_keys=grow), target)
    assert len(growths) == 2
    assert contents(target) == contents(whole)
    assert judged(target, builder.trust).holds


def test_a_copy_does_not_hide_that_the_log_was_cut_short(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    size = sum(map(len, builder.commits[:-2]))
    older = store.read(keyspace.checkpoint_at(builder.log, size))
    store.replace(keyspace.checkpoint(builder.log), older)
    assert "LOG_TRUNCATED" in failures(store, builder.trust)
    report = copy(store, target)
    assert report.problems == []
    assert contents(target) == contents(store)
    assert "LOG_TRUNCATED" in failures(target, builder.trust)


def test_a_commit_that_is_not_signed_yet_waits_for_the_next_copy(
    builder: ArchiveBuilder, target: DirectoryStore
) -> None:
    before = contents(stored(builder))
    builder.open_run()
    after = contents(stored(builder))
    store = MemoryStore()
    unsigned = keyspace.commit(builder.log, len(builder.commits))
    assert unsigned not in before
    store._objects = before | {unsigned: after[unsigned]}
    report = copy(store, target)
    assert report.later == 1
    assert contents(target) == before
    assert judged(target, builder.trust).holds


def test_a_log_without_a_checkpoint_is_copied_as_it_is(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    for key in [key for key in store.keys("v1/") if "/checkpoint" in key]:
        forge(store, key, None)
    assert copy(store, target).later == 0
    assert contents(target) == contents(store)


def test_a_damaged_commit_is_copied_for_the_verifier_to_judge(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    forge(store, keyspace.commit(builder.log, 2), b"\xff{not a commit")
    assert copy(store, target).problems == []
    assert contents(target) == contents(store)
    assert "COMMIT_FORMAT" in failures(target, builder.trust)


def test_copies_two_logs_of_one_store(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    other = ArchiveBuilder(log="other.example/log", locked=False).open_log()
    other.capture(other.open_run())
    put(other, store)
    copy(store, target)
    assert contents(target) == contents(store)
    assert judged(target, builder.trust).holds
    assert judged(target, other.trust).holds


def test_a_large_object_is_copied_by_way_of_a_file(target: DirectoryStore) -> None:
    builder = ArchiveBuilder(locked=False).open_log()
    data = bytes(range(256)) * (40 * 1024)  # 10 MiB
    builder.capture(builder.open_run(), files={Role.SCREENSHOT: data})
    store = stored(builder)
    report = copy(store, target)
    assert report.problems == []
    assert target.read(keyspace.blob(Digest.of(data))) == data
    forge(store, keyspace.blob(Digest.of(data)), data[:-1] + b"x")
    (target.root / keyspace.blob(Digest.of(data))).unlink()
    assert len(copy(store, target).problems) == 1


def test_a_key_that_could_leave_the_directory_is_a_problem(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = WatchedStore(stored(builder), strange_keys=("v1/../../outside", "v1//x", "v1/.hidden"))
    report = copy(store, target)
    assert len(report.problems) == 3
    assert all("no key of an archive" in each for each in report.problems)
    assert contents(target) == contents(store.inner)
    assert {each.name for each in target.root.parent.iterdir()} == {target.root.name}


def test_a_link_in_the_copy_is_not_followed(builder: ArchiveBuilder, target: DirectoryStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (target.root / "v1").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="link"):
        copy(stored(builder), target)
    assert list((tmp_path / "outside").iterdir()) == []


def test_tells_how_far_it_is() -> None:
    store = MemoryStore()
    for n in range(600):
        data = f"{n:03d}".encode()
        store.create(keyspace.blob(Digest.of(data)), data, digest=Digest.of(data), retain_until=None)
    told: list[str] = []
    assert mirror(store, MemoryStore(), progress=told.append).copied == 600
    assert told == ["500 objects looked at, 500 copied, 1500 bytes"]


def test_the_report_becomes_json(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    report = copy(stored(builder), target).to_json()
    assert report.keys() >= {"schema", "copied", "equal", "bytes", "later", "problems", "objects", "keys_sha256"}


def test_a_link_in_the_source_is_a_problem_and_not_followed(
    builder: ArchiveBuilder, target: DirectoryStore, tmp_path: Path
) -> None:
    source = DirectoryStore(tmp_path / "source")
    put(builder, source)
    key = a_blob(source)
    path = source.root / key
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    report = copy(source, target)
    (problem,) = report.problems
    assert "no plain file" in problem or "a link" in problem
    assert key not in contents(target)


def test_what_a_copy_holds_is_told_in_one_digest(builder: ArchiveBuilder, target: DirectoryStore) -> None:
    store = stored(builder)
    first = copy(store, target)
    assert first.objects == {key: len(data) for key, data in contents(target).items()}
    lines = "".join(f"{key}\n" for key in sorted(contents(target)))
    assert first.keys_sha256 == Digest.of(lines.encode())
    assert copy(store, target).keys_sha256 == first.keys_sha256


# A second bucket


@pytest.fixture
def bucket(make_s3: MakeS3) -> S3Store:
    return make_s3(prefix=f"copy/{secrets.token_hex(8)}")


def into(store: ObjectStore, bucket: S3Store, *, days: int = 30, threads: int = 4) -> MirrorReport:
    def fresh() -> datetime:
        return (utc_now() + timedelta(days=days)).replace(microsecond=0)

    locking = Locking(target=bucket, fresh=fresh, clock=utc_now)
    with ThreadPoolExecutor(threads) as pool:
        return mirror(store, bucket, progress=lambda _: None, locking=locking, map=pool.map)


@pytest.mark.s3
def test_a_bucket_gets_the_same_objects_each_locked_and_written_once(builder: ArchiveBuilder, bucket: S3Store) -> None:
    store = stored(builder)
    report = into(store, bucket)
    assert report.problems == []
    assert contents(bucket) == contents(store)
    assert judged(bucket, builder.trust).holds
    locks = {key: bucket.head(key).lock for key in bucket.keys("v1/")}
    free = {key for key, lock in locks.items() if lock is None}
    assert free == {key for key in locks if key.endswith("/checkpoint") or ".p/" in key or "/snapshots/" in key}
    assert report.locked == len(locks) - len(free)
    again = into(store, bucket)
    assert (again.copied, again.equal, again.problems) == (0, len(locks), [])
    assert all(len([each for each in bucket.versions(key) if each.key == key]) == 1 for key in locks)


@pytest.mark.s3
def test_a_lock_of_the_archive_is_the_lock_of_the_copy(make_s3: MakeS3, bucket: S3Store) -> None:
    source = make_s3()
    until = utc_now().replace(microsecond=0) + timedelta(days=77)
    key = keyspace.blob(Digest.of(b"evidence"))
    source.create(key, b"evidence", digest=Digest.of(b"evidence"), retain_until=until)
    into(source, bucket, days=1)
    lock = bucket.head(key).lock
    assert lock is not None
    assert lock.retain_until == until
    source.lengthen(key, until + timedelta(days=1))
    assert into(source, bucket, days=1).copied == 0
    lock = bucket.head(key).lock
    assert lock is not None
    assert lock.retain_until == until + timedelta(days=1)


@pytest.mark.s3
def test_what_was_done_to_a_bucket_is_a_problem(builder: ArchiveBuilder, bucket: S3Store) -> None:
    store = stored(builder)
    into(store, bucket)
    first, second, third = list(bucket.keys(keyspace.BLOBS))[:3]
    bucket.replace(first, b"forged")
    bucket.replace(second, store.read(second))
    objects = bucket._objects
    objects.client.delete_object(**objects.at(third))
    assert bucket.read(first) == b"forged"
    problems = into(store, bucket).problems
    assert len([each for each in problems if first in each and "other bytes" in each]) == 1
    assert len([each for each in problems if second in each and "2 versions" in each]) == 1
    assert len([each for each in problems if third in each and "delete marker" in each]) == 1
    assert bucket.read(third) == store.read(third), "the bytes are there again"


@pytest.mark.s3
def test_a_copy_that_was_cut_short_is_gone_on_with(builder: ArchiveBuilder, bucket: S3Store) -> None:
    store = WatchedStore(stored(builder), dies_after=10)
    with pytest.raises(StoreDown):
        into(store, bucket, threads=1)
    some = len(list(bucket.keys("v1/")))
    assert 0 < some < len(contents(store.inner))
    assert keyspace.checkpoint(builder.log) not in set(bucket.keys("v1/")), "a copy that has it is whole"
    store.dies_after = None
    report = into(store, bucket)
    assert (report.equal, report.problems) == (some, [])
    assert contents(bucket) == contents(store.inner)


# What a verification says of a copy that was tampered with by links


def _to_link(path: Path, outside: Path) -> None:
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


def _to_folder(path: Path, outside: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"x")
    outside.write_bytes(b"x")


def _to_pipe(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    outside.write_bytes(b"x")


def _to_loop(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)
    outside.write_bytes(b"x")


@pytest.mark.parametrize("plant", [_to_link, _to_folder, _to_pipe, _to_loop])
def test_what_is_no_file_is_no_blob_and_the_copy_does_not_hold(
    builder: ArchiveBuilder, target: DirectoryStore, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    copy(stored(builder), target)
    key = next(each for each in target.keys(keyspace.BLOBS) if b"final_url" in target.read(each))
    plant(target.root / key, tmp_path / "outside")
    verdict = verify(target, builder.trust, at=START, absent=(NotStored,), unreachable=(StoreError,))
    assert verdict.word == "does not hold"
    (found,) = [each for each in verdict.findings if each.code in {"BLOB_MISSING", "BLOB_DIGEST"}]
    assert found.locator["key"] == key
    assert {each.code for each in verdict.findings if each.severity is not Severity.NOTE} == {"BLOB_MISSING"}


def test_a_folder_of_the_log_that_is_a_link_is_not_followed(
    builder: ArchiveBuilder, target: DirectoryStore, tmp_path: Path
) -> None:
    copy(stored(builder), target)
    for name in ("v1/blobs", f"v1/log/{keyspace.slug(builder.log)}/commit"):
        moved = tmp_path / name.rsplit("/", 1)[1]
        (target.root / name).rename(moved)
        (target.root / name).symlink_to(moved)
    verdict = verify(target, builder.trust, at=START, absent=(NotStored,), unreachable=(StoreError,))
    assert verdict.word == "does not hold"
    assert "BLOB_MISSING" in {each.code for each in verdict.findings}
