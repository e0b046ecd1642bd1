"""What every store does alike: in memory, in a directory, and on a real S3 server."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.directory import DirectoryStore
from archive.errors import Collision, DiskError, NotPlain, NotStored, StoreError
from archive.memory import MemoryStore
from archive.payload import checked_key, checked_prefix, whole_seconds
from archive.store import Keeper, ObjectStore, Stored
from custody import keyspace
from custody.digest import Digest

OTHER = b"other bytes"


def put(store: ObjectStore, key: str, data: bytes, *, until: datetime | None = None) -> Stored:
    return store.create(key, data, digest=Digest.of(data), retain_until=until)


@pytest.fixture(params=["memory", "directory", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "directory":
        return DirectoryStore(tmp_path / "archive")
    made: ObjectStore = request.getfixturevalue("make_s3")()
    return made


def test_what_was_created_is_there_with_its_digest(store: ObjectStore) -> None:
    stored = put(store, "v1/a/b", b"evidence")
    assert (stored.key, stored.bytes, stored.sha256, stored.created) == ("v1/a/b", 8, Digest.of(b"evidence"), True)
    assert store.read("v1/a/b") == b"evidence"
    head = store.head("v1/a/b")
    assert (head.bytes, head.sha256, head.version_id) == (8, Digest.of(b"evidence"), stored.version_id)
    with store.open("v1/a/b") as stream:
        assert stream.read(3) == b"evi"
        assert Digest.of_stream(stream) == (Digest.of(b"dence"), 5)


def test_nothing_at_all_can_be_kept(store: ObjectStore) -> None:
    assert put(store, "v1/empty", b"").bytes == 0
    assert store.read("v1/empty") == b""
    with store.open("v1/empty") as stream:
        assert Digest.of_stream(stream) == (Digest.of(b""), 0)


def test_equal_bytes_are_welcome_twice(store: ObjectStore) -> None:
    first = put(store, "v1/a", b"evidence")
    second = put(store, "v1/a", b"evidence")
    assert (first.created, second.created) == (True, False)
    assert (second.sha256, second.version_id) == (first.sha256, first.version_id)


def test_other_bytes_under_the_same_key_are_an_alarm_and_change_nothing(store: ObjectStore) -> None:
    put(store, "v1/a", b"evidence")
    with pytest.raises(Collision, match=r"v1/a: expected sha256:.*, got sha256:.*nothing was overwritten"):
        put(store, "v1/a", OTHER)
    assert store.read("v1/a") == b"evidence"


def test_bytes_that_are_not_those_that_were_hashed_are_not_kept(store: ObjectStore) -> None:
    with pytest.raises(StoreError, match="changed after they were hashed"):
        store.create("v1/a", b"evidence", digest=Digest.of(OTHER), retain_until=None)
    with pytest.raises(NotStored):
        store.read("v1/a")
    assert list(store.keys("")) == []


def test_a_file_that_changed_after_it_was_hashed_is_not_kept(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "screenshot.png"
    path.write_bytes(b"evidence")
    digest = Digest.of(path.read_bytes())
    path.write_bytes(b"Evidence")
    with pytest.raises(StoreError, match=r"screenshot.png changed after"):
        store.create("v1/a", path, digest=digest, retain_until=None)
    assert list(store.keys("")) == []


def test_a_file_that_is_gone_is_said_to_be(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=r"gone\.png"):
        store.create("v1/a", tmp_path / "gone.png", digest=Digest.of(b""), retain_until=None)


@pytest.mark.parametrize("ask", ["read", "open", "head"])
def test_what_is_not_there_is_not_stored(store: ObjectStore, ask: str) -> None:
    put(store, "v1/a", b"evidence")
    with pytest.raises(NotStored, match="v1/b"):
        getattr(store, ask)("v1/b")


def test_the_one_mutable_key_is_swapped(store: ObjectStore) -> None:
    store.replace("v1/log/x/checkpoint", b"1")
    store.replace("v1/log/x/checkpoint", b"22")
    assert store.read("v1/log/x/checkpoint") == b"22"
    assert store.head("v1/log/x/checkpoint").lock is None


# "-" and "." sort before "/", and "000" is a file beside the directory "000.p": the orders of names and of keys differ.
KEYS = [
    "v1/log/a-b/checkpoint",
    "v1/log/a.b/checkpoint",
    "v1/log/a/checkpoint",
    "v1/log/a/checkpoints/00000000000000000001",
    "v1/log/a/tile/0/000",
    "v1/log/a/tile/0/000.p/3",
    "v1/log/a/tile/0/000.p/30",
    "v1/log/a/tile/0/x001/000",
    "v1/log/ab/checkpoint",
]


def test_keys_come_in_byte_order_below_any_prefix(store: ObjectStore) -> None:
    for key in reversed(KEYS):
        put(store, key, key.encode())
    assert sorted(KEYS) == KEYS, "the expectation itself is in byte order"
    for prefix in ["", "v1", "v1/", "v1/log/a", "v1/log/a/", "v1/log/a/tile/0/000", KEYS[0], "v2", "v1/log/b/"]:
        assert list(store.keys(prefix)) == [key for key in KEYS if key.startswith(prefix)], prefix


def test_eight_writers_of_one_key_have_one_winner(store: ObjectStore) -> None:
    barrier = Barrier(8)

    def write(n: int) -> str:
        barrier.wait()
        try:
            return "created" if put(store, "v1/log/x/commit/1", b"writer %d" % n).created else "found"
        except Collision:
            return "collision"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert sorted(outcomes) == ["collision"] * 7 + ["created"]
    assert store.read("v1/log/x/commit/1") == b"writer %d" % outcomes.index("created")


def test_eight_writers_of_the_same_bytes_all_succeed(store: ObjectStore) -> None:
    barrier = Barrier(8)

    def write(_: int) -> Stored:
        barrier.wait()
        return put(store, "v1/blob", b"the same")

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(write, range(8)))
    assert sum(each.created for each in stored) == 1
    assert {each.version_id for each in stored} == {store.head("v1/blob").version_id}


@pytest.mark.parametrize("store", ["directory", pytest.param("s3", marks=pytest.mark.s3)], indirect=True)
def test_a_big_file_takes_little_memory(store: ObjectStore, tmp_path: Path) -> None:
    path, size = tmp_path / "big.warc", 48 << 20
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
    with path.open("rb") as file:
        digest, _ = Digest.of_stream(file)
    tracemalloc.start()
    try:
        stored = store.create("v1/big", path, digest=digest, retain_until=None)
        with store.open("v1/big") as stream:
            assert Digest.of_stream(stream) == (digest, size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (stored.bytes, stored.sha256) == (size, digest)
    assert peak < 12 << 20, f"{peak >> 20} MiB at the peak for a file of {size >> 20}"


HOSTILE = [
    "",
    "/",
    "/v1",
    "v1/",
    "v1//a",
    "..",
    "v1/../../etc/passwd",
    "v1/./a",
    "v1/.hidden",
    "v1/a\0b",
    "v1/a\\b",
    "v1/é",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_could_leave_or_hide_is_refused_everywhere(store: ObjectStore, key: str) -> None:
    for attempt in (
        lambda: put(store, key, b"x"),
        lambda: store.replace(key, b"x"),
        lambda: store.read(key),
        lambda: store.open(key),
        lambda: store.head(key),
    ):
        with pytest.raises(StoreError, match="no key of an archive"):
            attempt()


@given(st.text(alphabet="v1/.-_aZ\\\0é ~", max_size=20))
def test_a_key_that_passes_stays_below_any_directory(key: str) -> None:
    try:
        checked_key(key)
    except StoreError:
        return
    assert checked_prefix(key) == key
    root = Path("/srv/archive")
    steps = Path(root, key).parts
    assert Path(os.path.normpath(root / key)).is_relative_to(root)
    assert "/".join(steps[len(root.parts) :]) == key
    assert not any(step.startswith(".") for step in key.split("/"))


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001  # hypothesis adds the zone
def test_rounding_a_lock_to_whole_seconds_never_shortens_it(until: datetime) -> None:
    rounded = whole_seconds(until)
    assert rounded is not None
    assert rounded.microsecond == 0
    assert timedelta(0) <= rounded - until < timedelta(seconds=1)


# Directories alone


@pytest.fixture
def mirror(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path / "mirror")
    put(store, "v1/a/b", b"evidence")
    return store


def _link_to_file(root: Path, outside: Path) -> None:
    (outside / "file").write_bytes(b"not ours")
    (root / "v1" / "x").symlink_to(outside / "file")


def _link_to_directory(root: Path, outside: Path) -> None:
    (outside / "y").write_bytes(b"not ours")
    (root / "v1" / "x").symlink_to(outside, target_is_directory=True)


def _pipe(root: Path, outside: Path) -> None:
    os.mkfifo(root / "v1" / "x")
    assert not list(outside.iterdir())


@pytest.mark.parametrize(("plant", "key"), [(_link_to_file, "v1/x"), (_link_to_directory, "v1/x/y"), (_pipe, "v1/x")])
def test_nothing_in_a_hostile_mirror_is_followed(
    mirror: DirectoryStore, tmp_path: Path, plant: Callable[[Path, Path], None], key: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    plant(mirror.root, outside)
    assert (mirror.root / "v1" / "x").exists()
    for attempt in (lambda: mirror.read(key), lambda: mirror.head(key), lambda: mirror.open(key)):
        with pytest.raises(NotPlain, match=r"no part of an archive|a link or a stranger's file"):
            attempt()
    assert list(mirror.keys("v1/")) == ["v1/a/b", "v1/x"], "the name is taken, and nothing behind it is listed"
    with pytest.raises(StoreError):
        put(mirror, key, b"mine")
    assert sorted(path.name for path in outside.iterdir()) in ([], ["file"], ["y"])
    assert all(path.read_bytes() == b"not ours" for path in outside.iterdir())
    assert list(mirror.keys("v1/a")) == ["v1/a/b"], "what lies elsewhere can still be listed"


def test_a_folder_in_place_of_a_file_is_nothing_that_is_stored(mirror: DirectoryStore) -> None:
    (mirror.root / "v1" / "x").mkdir()
    for attempt in (mirror.read, mirror.head, mirror.open):
        with pytest.raises(NotPlain):
            attempt("v1/x")
    with pytest.raises(Collision, match="no plain file"):
        put(mirror, "v1/x", b"mine")
    assert list(mirror.keys("")) == ["v1/a/b"]


def test_a_loop_of_links_and_folders_without_end_are_left_alone(mirror: DirectoryStore) -> None:
    (mirror.root / "v1" / "loop").symlink_to(mirror.root / "v1", target_is_directory=True)
    (mirror.root / "v1" / "self").symlink_to("self")
    deep = mirror.root / "v1"
    for _ in range(60):
        deep /= "d"
        deep.mkdir()
    (deep / "f").write_bytes(b"x")
    assert list(mirror.keys("")) == ["v1/a/b", "v1/loop", "v1/self"]
    for key in ("v1/loop", "v1/self", "v1/loop/a/b"):
        with pytest.raises(NotPlain):
            mirror.read(key)


@pytest.mark.parametrize("name", [".hidden", "a b", "a\\b", "é", "-x", "x\n", "x" * 201])
def test_a_file_whose_name_is_no_key_is_no_part_of_the_archive(mirror: DirectoryStore, name: str) -> None:
    (mirror.root / "v1" / name).write_bytes(b"not ours")
    (mirror.root / f"v1{name}").mkdir()
    (mirror.root / f"v1{name}" / name).write_bytes(b"not ours")
    assert [key for key in mirror.keys("") if "/" in key and not key.startswith("v1x")] == ["v1/a/b"]


def test_only_blobs_can_be_removed(store: ObjectStore) -> None:
    assert isinstance(store, Keeper)
    blob = keyspace.blob(Digest.of(b"evidence"))
    put(store, blob, b"evidence")
    put(store, "v1/log/x/commit/00000000000000000001", b"a commit")
    for key in ("v1/log/x/commit/00000000000000000001", "v1/a/b", "v1/quarantine/x"):
        with pytest.raises(StoreError, match="it stays"):
            store.remove(key)
    assert [each.removed for each in store.remove(blob)] == [True]
    assert list(store.keys("")) == ["v1/log/x/commit/00000000000000000001"]
    assert store.remove(blob) == (), "what is gone is gone"
    with pytest.raises(NotStored):
        store.read(blob)


def test_what_is_not_there_can_be_neither_held_nor_locked(store: ObjectStore) -> None:
    assert isinstance(store, Keeper)
    key = keyspace.blob(Digest.of(b"evidence"))
    for attempt in (lambda: store.set_hold(key, on=True), lambda: store.lengthen(key, datetime.now(UTC))):
        with pytest.raises(NotStored):
            attempt()


@pytest.mark.parametrize("store", [pytest.param("s3", marks=pytest.mark.s3)], indirect=True)
def test_a_lock_is_lengthened_and_never_shortened(store: ObjectStore) -> None:
    assert isinstance(store, Keeper)
    key = keyspace.blob(Digest.of(b"evidence"))
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    put(store, key, b"evidence", until=until)
    for asked, kept in ((until - timedelta(days=1), until), (until + timedelta(days=1), until + timedelta(days=1))):
        lock = store.lengthen(key, asked)
        assert lock is not None
        assert lock.retain_until == kept
        assert store.head(key).lock == lock
    assert [each.removed for each in store.remove(key)] == [False]
    assert store.read(key) == b"evidence"


def test_a_mirror_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "typo")
    for attempt in (lambda: store.read("v1/a"), lambda: store.head("v1/a")):
        with pytest.raises(NotStored, match=r"there is no directory .*typo"):
            attempt()
    assert list(store.keys("")) == []
    assert not (tmp_path / "typo").exists()


def test_a_file_is_whole_and_read_only_before_it_has_its_name(mirror: DirectoryStore) -> None:
    path = mirror.root / "v1" / "a" / "b"
    assert path.stat().st_mode & 0o222 == 0
    assert [each.name for each in path.parent.iterdir()] == ["b"], "nothing is left beside it"


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A file may have no more than 64 kB: the system's own refusal, in the middle of a write."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_what_was_there_and_no_half_file(mirror: DirectoryStore) -> None:
    with pytest.raises(DiskError, match="the disk is full: free some space"):
        put(mirror, "v1/a/big", bytes(1 << 20))
    with pytest.raises(DiskError, match="the disk is full"):
        mirror.replace("v1/a/big", bytes(1 << 20))
    assert [each.name for each in (mirror.root / "v1" / "a").iterdir()] == ["b"]
    assert list(mirror.keys("")) == ["v1/a/b"]
    assert put(mirror, "v1/a/small", b"fits").created


@pytest.mark.parametrize("key", ["v1/blobs/sha256/ab/x", "v1/log/a/commit/1", "v1/inbox", "v1/quarantine/1"])
def test_what_may_be_evidence_is_never_removed(store: ObjectStore, key: str) -> None:
    put(store, key, b"x")
    with pytest.raises(StoreError, match="is evidence: it stays"):
        store.remove_unlocked(key)
    assert store.read(key) == b"x"


@pytest.mark.parametrize("key", ["v1/inbox/2026/01/02/x.json", "v1/probe/1"])
def test_what_is_under_way_is_removed_with_all_its_versions_and_can_be_written_again(
    store: ObjectStore, key: str
) -> None:
    put(store, key, b"x")
    store.remove_unlocked(key)
    store.remove_unlocked(key)
    assert list(store.keys("v1/")) == []
    assert list(store.versions(key)) == []
    with pytest.raises(NotStored):
        store.read(key)
    assert put(store, key, b"y").created
