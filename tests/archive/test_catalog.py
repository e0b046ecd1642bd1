"""The catalogue says what the log says, whatever the blobs say, and however many read along."""

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.catalog import Catalog, Entry
from archive.directory import DirectoryStore
from archive.errors import DiskError, StoreDown, UsageError
from archive.indexer import MAX_ARTIFACTS, MAX_DETAIL_BYTES
from archive.log import LogReader
from archive.memory import MemoryStore
from custody import canonical, keyspace
from custody.event import Ref
from custody.model import Json
from custody.record import MAX_BYTES, Record
from tests.archive.shelves import WatchedStore, forge, put, stored
from tests.custody.archive_builder import ArchiveBuilder, small

URL = "https://www.glimpse.example/p/1"


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "home" / "catalog.sqlite")
    yield opened
    opened.close()


def follow(catalog: Catalog, builder: ArchiveBuilder, store: MemoryStore | None = None) -> int:
    store = store or stored(builder)
    return catalog.advance(store, LogReader(store, builder.log))


def all_of(catalog: Catalog) -> list[tuple[Entry, list[str]]]:
    return [(each, [str(kept) for kept in catalog.artifacts(each.capture_id)]) for each in catalog.captures()]


def test_lists_captures_with_what_log_and_record_say(catalog: Catalog) -> None:
    builder = small()
    leaves = sum(map(len, builder.commits))
    assert follow(catalog, builder) == leaves
    post, listing, other = builder.captures
    entries = catalog.captures()
    assert [each.capture_id for each in entries] == [other.id, listing.id, post.id]
    entry = entries[1]
    assert (entry.unit, entry.parent, entry.status, entry.outcome, entry.origin) == (
        post.id, post.id, "complete", "ok", "not_public",
    )  # fmt: skip
    assert (entry.requested_url, entry.final_url, entry.title) == (URL, f"{URL}/", "Love bracelet")
    assert (entry.http_status, entry.trouble) == (200, None)
    assert listing.record_digest is not None
    assert entry.record_sha256 == listing.record_digest.hex
    assert entry.index is not None
    assert entry.started_index < entry.index < leaves
    reader = LogReader(stored(builder), builder.log)
    events = {each.index: each.event for each in reader.events()}
    assert events[entry.started_index].body["capture"] == events[entry.index].body["capture"] == listing.id
    assert (entry.started_at, entry.ended_at) == (
        events[entry.started_index].occurred_at,
        events[entry.index].occurred_at,
    )


def test_lists_the_artifacts_of_a_capture_with_their_keys(catalog: Catalog) -> None:
    builder = small()
    store = stored(builder)
    follow(catalog, builder, store)
    post = builder.captures[0]
    assert post.record is not None
    kept = catalog.artifacts(post.id)
    assert [each.name for each in kept] == [each.name for each in post.record.artifacts]
    for each in kept:
        assert len(store.read(each.key)) == each.bytes
    assert catalog.artifacts("nothing") == []


def test_shows_of_a_case_only_what_was_assigned_to_it(catalog: Catalog) -> None:
    builder = small()
    follow(catalog, builder)
    post, listing, other = (each.id for each in builder.captures)
    assert [each.capture_id for each in catalog.captures("Love v. Screw")] == [listing, post]
    assert [each.capture_id for each in catalog.captures("Another")] == [other]
    assert [each.capture_id for each in catalog.captures(limit=1)] == [other]
    with pytest.raises(UsageError, match=r"no case .Third.; there are 'Love v. Screw', 'Another'"):
        catalog.captures("Third")


def test_finds_a_capture_by_a_part_of_its_id(catalog: Catalog) -> None:
    builder = small()
    follow(catalog, builder)
    wanted = builder.captures[1].id
    for text in (wanted, wanted.upper(), wanted[-12:]):
        assert [each.capture_id for each in catalog.find(text)] == [wanted]
    assert len(catalog.find(wanted[:6])) == 3
    for text in ("", "%", "_", "xyz", "'; DROP TABLE captures; --"):
        assert catalog.find(text) == []


def test_says_when_an_address_was_captured_before(catalog: Catalog) -> None:
    builder = small()
    follow(catalog, builder)
    assert [each.capture_id for each in catalog.by_url(URL)] == [each.id for each in reversed(builder.captures)]
    assert len(catalog.by_url(URL, limit=2)) == 2
    assert catalog.by_url("https://www.glimpse.example/p/2") == []


def test_a_start_without_an_end_is_open_until_its_end_comes(catalog: Catalog) -> None:
    builder = small()
    run = builder.open_run()
    begun = builder.start(run)
    follow(catalog, builder)
    (entry,) = catalog.unended()
    assert (entry.capture_id, entry.status, entry.index, entry.record_sha256) == (begun.id, None, None, None)
    assert entry.requested_url == URL

    detail = builder.detail("detail.json", {"why": "the worker died"})
    body: dict[str, Json] = {"capture": begun.id, "reason": "worker_died"}
    ref = Ref(rel="started_by", payload_sha256=begun.started.make().payload_sha256)
    builder.commit(
        builder.draft(builder.event("capture.abandoned", f"item:{begun.unit}", detail, body, run=run, refs=(ref,)))
    )
    assert follow(catalog, builder) == 1
    assert catalog.unended() == []
    (entry,) = catalog.find(begun.id)
    assert (entry.status, entry.outcome, entry.record_sha256) == ("abandoned", None, None)


def test_an_end_that_refers_to_another_start_ends_nothing(catalog: Catalog) -> None:
    builder = small()
    run = builder.open_run()
    begun, other = builder.start(run), builder.start(run)
    record = builder.record(run, begun, {})
    subject = builder.blob("record.json", record.format())
    false = builder.end(run, begun, record, subject)
    assert false.refs[0].payload_sha256 == begun.started.make().payload_sha256
    astray = (Ref(rel="started_by", payload_sha256=other.started.make().payload_sha256),)
    builder.commit(builder.draft(replace(false, refs=astray)))
    follow(catalog, builder)
    assert {each.capture_id for each in catalog.unended()} == {begun.id, other.id}


def test_reads_on_from_where_it_was(catalog: Catalog) -> None:
    builder = small()
    store = WatchedStore(stored(builder))
    reader = LogReader(store, builder.log)
    assert catalog.advance(store, reader) > 0
    store.opened.clear()
    assert catalog.advance(store, reader) == 0
    assert store.opened == []
    run = builder.open_run()
    builder.capture(run)
    put(builder, store.inner)
    assert catalog.advance(store, reader) == 3
    assert len(store.opened) == 2  # the new job and the new record
    assert len(catalog.captures()) == 4


BUILDER = small()
BUILT = BUILDER.build().objects
COMMITS = len(BUILDER.commits)


def test_reads_no_further_than_it_is_told(catalog: Catalog) -> None:
    builder = small()
    store = stored(builder)
    reader = LogReader(store, builder.log)
    first = catalog.advance(store, reader, to=1)
    assert (first, catalog.position().n) == (len(builder.commits[0]), 1)
    assert catalog.advance(store, reader, to=1) == 0
    assert catalog.advance(store, reader) == sum(map(len, builder.commits[1:]))
    assert catalog.advance(store, reader, to=1) == 0, "one that is further already stays where it is"
    assert catalog.position().n == len(builder.commits)


@settings(max_examples=20)
@given(stops=st.lists(st.integers(1, COMMITS), max_size=4).map(sorted))
def test_a_catalogue_made_bit_by_bit_equals_one_made_at_once(
    stops: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, bit = (Catalog.open(tmp_path_factory.mktemp("catalog") / f"{name}.sqlite") for name in ("whole", "bit"))
    store = stored(BUILDER)
    reader = LogReader(store, BUILDER.log)
    last = [keyspace.commit(BUILDER.log, n) for n in range(1, COMMITS + 1)]
    for stop in stops:
        part = MemoryStore()
        part._objects = {key: data for key, data in BUILT.items() if key not in last[stop:]}
        bit.advance(part, LogReader(part, BUILDER.log))
    bit.advance(store, reader)
    whole.advance(store, reader)
    assert all_of(bit) == all_of(whole)
    assert len(all_of(whole)) == 3
    whole.close()
    bit.close()


@pytest.mark.parametrize("change", ["name", "first commit", "rolled back"])
def test_begins_anew_when_it_is_another_log(catalog: Catalog, change: str) -> None:
    builder = small()
    follow(catalog, builder)
    before = {each.capture_id for each in catalog.captures()}
    if change == "rolled back":
        store = stored(builder)
        for n in (COMMITS, COMMITS - 1):
            forge(store, keyspace.commit(builder.log, n), None)
        follow(catalog, builder, store)
        assert {each.capture_id for each in catalog.captures()} == before
        assert [each.capture_id for each in catalog.unended()] == [builder.captures[-1].id]
        return
    log = "other.example/log" if change == "name" else builder.log
    other = ArchiveBuilder(log=log).open_log()
    other._ticks += 1_000
    run = other.open_run()
    theirs = other.capture(run, scope=other.open_case("Theirs"))
    follow(catalog, other)
    assert theirs.id not in before
    assert [each.capture_id for each in catalog.captures()] == [theirs.id]
    assert catalog.artifacts(builder.captures[0].id) == []
    with pytest.raises(UsageError, match=r"there are 'Theirs'$"):
        catalog.captures("Love v. Screw")


@pytest.mark.parametrize("attack", ["missing", "altered", "too long", "no record", "of another capture"])
def test_a_record_that_cannot_be_read_is_the_trouble_of_its_capture_alone(catalog: Catalog, attack: str) -> None:
    builder = small()
    store = stored(builder)
    post, listing, _ = builder.captures
    assert post.record_digest is not None
    assert listing.record is not None
    key = keyspace.blob(post.record_digest)
    good = store.read(key)
    bad = {
        "missing": None,
        "altered": good[:-1] + b" ",
        "too long": good + b" " * MAX_BYTES,
        "no record": b'{"schema":1}',
        "of another capture": listing.record.format(),
    }[attack]
    if attack in ("no record", "of another capture"):
        # The log itself names these bytes: a worker's own doing.
        builder = ArchiveBuilder().open_log()
        run = builder.open_run()
        begun = builder.start(run)
        assert bad is not None
        subject = builder.blob("record.json", bad)
        builder.commit(builder.draft(builder.end(run, begun, builder.record(run, begun, {}), subject)))
        builder.capture(run)
        store, spoiled = stored(builder), begun.id
    else:
        forge(store, key, bad)
        spoiled = post.id
    follow(catalog, builder, store)
    (entry,) = catalog.find(spoiled)
    assert entry.trouble
    assert (entry.status, entry.outcome, entry.final_url) == ("complete", "ok", None)
    assert catalog.artifacts(spoiled) == []
    others = [each for each in catalog.captures() if each.capture_id != spoiled]
    assert others
    assert all(each.trouble is None and each.final_url for each in others)


@pytest.mark.parametrize(
    "job",
    [
        b"", b"[]", b"null", b'{"url": 7}', b'{"url": ["x"], "parent": {}}', b"\xff\xfe", b"[" * 5_000,
        b'{"url": "' + b"x" * MAX_DETAIL_BYTES + b'"}', b'{"url": "\\ud800"}',
    ],
    ids=lambda job: str(job[:12]),
)  # fmt: skip
def test_a_job_that_says_nothing_leaves_its_capture_listed(catalog: Catalog, job: bytes) -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    capture = builder.new_id()
    body: dict[str, Json] = {"capture": capture, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z"}
    subject = builder.blob("job.json", job)
    builder.commit(builder.draft(builder.event("capture.started", f"item:{capture}", subject, body, run=run)))
    follow(catalog, builder)
    (entry,) = catalog.captures()
    assert (entry.capture_id, entry.requested_url, entry.parent) == (capture, "", None)


def test_keeps_little_of_what_a_record_says_at_length(catalog: Catalog) -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()

    def swell(record: Record) -> Record:
        (artifact, *_) = record.artifacts
        many = tuple(replace(artifact, name=f"tile-{n}.png") for n in range(MAX_ARTIFACTS + 5))
        return replace(record, title="T" * 50_000, final_url=f"{URL}?{'q' * 50_000}", artifacts=many)

    swollen = builder.capture(run, change=swell)
    assert swollen.record is not None
    assert len(swollen.record.artifacts) > MAX_ARTIFACTS
    follow(catalog, builder)
    (entry,) = catalog.captures()
    assert entry.title == "T" * 1_000
    assert entry.final_url is not None
    assert len(entry.final_url) == 16_384
    assert len(catalog.artifacts(swollen.id)) == MAX_ARTIFACTS


def test_a_case_whose_name_is_gone_is_a_case_still(catalog: Catalog) -> None:
    builder = small()
    store = stored(builder)
    named = next(each.event for each in LogReader(store, builder.log).events("case.opened"))
    forge(store, keyspace.blob(named.subjects[0].digest), None)
    follow(catalog, builder, store)
    assert len(catalog.captures()) == 3
    with pytest.raises(UsageError, match=r"there are 'Another'$"):
        catalog.captures("Love v. Screw")


def test_a_case_blob_that_names_another_scope_names_nothing(catalog: Catalog) -> None:
    builder = ArchiveBuilder().open_log()
    scope = builder.new_id()
    lie = builder.detail("case.json", {"scope": builder.new_id(), "name": "Not theirs"})
    builder.commit(builder.draft(builder.event("case.opened", f"scope:{scope}", lie, {})))
    follow(catalog, builder)
    with pytest.raises(UsageError, match=r"no case .Not theirs'$"):
        catalog.captures("Not theirs")


def test_a_store_that_goes_away_costs_nothing_that_was_read(tmp_path: Path) -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    for _ in range(40):
        builder.capture(run)
    store = WatchedStore(stored(builder), dies_after=45)
    reader = LogReader(store, builder.log)
    catalog = Catalog.open(tmp_path / "catalog.sqlite")
    with pytest.raises(StoreDown):
        catalog.advance(store, reader)
    kept = len(catalog.captures())
    assert 0 < kept < 40
    store.dies_after = None
    catalog.advance(store, reader)
    assert len(catalog.captures()) == 40
    assert catalog.unended() == []
    catalog.close()


def test_others_read_and_write_while_one_waits_for_the_store(tmp_path: Path) -> None:
    builder = small()
    waiting, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> None:
        waiting.set()
        assert go_on.wait(30)

    slow = WatchedStore(stored(builder), before_open=wait)
    path = tmp_path / "catalog.sqlite"
    one, two = Catalog.open(path), Catalog.open(path)
    thread = threading.Thread(target=one.advance, args=(slow, LogReader(slow, builder.log)))
    thread.start()
    try:
        assert waiting.wait(30)
        assert one.captures() == []  # not held up
        assert follow(two, builder) > 0
        assert len(two.captures()) == 3
    finally:
        go_on.set()
        thread.join(30)
    assert not thread.is_alive()
    assert len(one.captures()) == 3
    assert all_of(one) == all_of(two)
    one.close()
    two.close()


def _advance(path: Path, root: Path, log: str, times: int) -> None:
    store = DirectoryStore(root)
    for _ in range(times):
        catalog = Catalog.open(path)
        catalog.advance(store, LogReader(store, log))
        catalog.close()


def test_processes_share_one_file(tmp_path: Path) -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    scope = builder.open_case()
    for _ in range(12):
        builder.capture(run, scope=scope)
    (tmp_path / "store").mkdir()
    put(builder, DirectoryStore(tmp_path / "store"))
    path = tmp_path / "catalog.sqlite"
    context = multiprocessing.get_context("fork")  # each opens the file itself
    arguments = (path, tmp_path / "store", builder.log, 2)
    processes = [context.Process(target=_advance, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    shared, alone = Catalog.open(path), Catalog.open(tmp_path / "alone.sqlite")
    follow(alone, builder)
    assert len(alone.captures()) == 12
    assert all_of(shared) == all_of(alone)
    shared.close()
    alone.close()


@pytest.mark.parametrize("state", ["no database", "other schema", "older version"])
def test_a_file_that_is_not_ours_is_made_anew(tmp_path: Path, state: str) -> None:
    path = tmp_path / "catalog.sqlite"
    if state == "no database":
        path.write_bytes(b"this is no database" * 500)
    else:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE captures (other TEXT)")
        connection.execute("CREATE TABLE followed (log TEXT)")
        if state == "older version":
            connection.execute("PRAGMA user_version = 1")
        connection.commit()
        connection.close()
    catalog = Catalog.open(path)
    assert follow(catalog, BUILDER) > 0
    assert len(catalog.captures()) == 3
    catalog.close()


def test_a_path_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").mkdir()
    with pytest.raises(DiskError, match=r"catalog\.sqlite cannot be used"):
        Catalog.open(tmp_path / "catalog.sqlite")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "catalog.sqlite"
    Catalog.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_entry_becomes_json_without_a_date(catalog: Catalog) -> None:
    follow(catalog, BUILDER)
    for entry in catalog.captures():
        assert canonical.loads(canonical.dumps(entry.to_json())) == entry.to_json()


def test_counts_what_was_reached_by_address_surface_and_day(catalog: Catalog) -> None:
    builder = small()
    follow(catalog, builder)
    post, listing, other = builder.captures
    entries = {each.capture_id: each for each in catalog.captures()}
    assert (entries[post.id].surface, entries[post.id].shown, entries[post.id].platform) == ("page", "content", None)
    found = catalog.reached()
    assert sum(each.times for each in found) == 3
    assert {each.surface for each in found} == {"page"}
    assert {each.day for each in found} == {entries[each].started_at.date().isoformat() for each in entries}
    with pytest.raises(UsageError, match="no case"):
        catalog.reached("another one")
    assert listing.id in entries
    assert other.id in entries


def test_keeps_the_surface_that_a_record_says(catalog: Catalog) -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    section: dict[str, Json] = {"name": "api", "shown": "wall", "platform": "glimpse"}
    builder.capture(
        run, scope=builder.open_case(), change=lambda made: replace(made, circumstances={"surface": section})
    )
    follow(catalog, builder)
    (entry,) = catalog.captures()
    assert (entry.surface, entry.shown, entry.platform) == ("api", "wall", "glimpse")
    (reached,) = catalog.reached()
    assert (reached.surface, reached.shown, reached.platform, reached.times) == ("api", "wall", "glimpse", 1)


def test_events_of_other_kinds_change_nothing(catalog: Catalog) -> None:
    builder = small()
    follow(catalog, builder)
    before = all_of(catalog)
    run = builder.open_run()
    builder.close_run(run, 0)
    assert follow(catalog, builder) == 2
    assert all_of(catalog) == before


def test_a_catalogue_in_a_file_does_without_the_client_of_postgresql() -> None:
    asked = "import sys, archive.catalog; print(sorted({'psycopg', 'psycopg_pool'} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["[]"]
