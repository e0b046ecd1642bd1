"""The catalogue's contract, over a file and over a server: rows, words, digests, days, neighbours; and who may see."""

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.catalog import Catalog
from archive.errors import Refused, StoreDown, UsageError
from archive.index import sqlite
from archive.index.history import Moment, Target, differences, history, targets
from archive.index.listing import Listed, Wanted, count_believed, count_unread, listed, place_of
from archive.index.neighbours import neighbours
from archive.index.tables import TABLES
from archive.index.tokens import phrases_of, tokens_of
from archive.index.whereabouts import whereabouts
from archive.log import LogReader
from archive.memory import MemoryStore
from archive.packs import Packs, decode
from archive.words import take_words
from custody import keyspace
from custody.digest import Digest
from custody.instant import parse_utc
from custody.model import Json, Outcome, Role
from custody.record import Record
from tests.archive.databases import postgres
from tests.archive.shelves import WatchedStore, forge, put, stored
from tests.custody.archive_builder import FILES, ArchiveBuilder, Captured, small

Open = Callable[[str], Catalog]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres() as dsn:
        yield dsn


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Catalogues by name, empty when they are asked for first."""
    made: list[Catalog] = []
    unique = secrets.token_hex(4)

    def opening(name: str = "one") -> Catalog:
        if request.param == "sqlite":
            made.append(Catalog.open(tmp_path / f"{name}.sqlite"))
        else:
            made.append(Catalog.open_shared(request.getfixturevalue("server"), f"{unique}/{name}"))
        return made[-1]

    yield opening
    for each in made:
        each.close()


@dataclass
class Told:
    """What a capture's page says, as its visit read it."""

    kind: str = "post"
    platform: str = "glimpse"
    fields: Mapping[str, Json] = field(default_factory=dict)
    text: str = "nothing much"
    url: str = "https://www.glimpse.example/p/1"
    outcome: Outcome = Outcome.OK
    shown: str = "content"


def capture(
    builder: ArchiveBuilder, run: str, told: Told, *, unit: str | None = None, scope: str | None = None
) -> Captured:
    reading = {"schema": 1, "reading": {"platform": told.platform, "kind": told.kind, "fields": dict(told.fields)}}
    files = {
        **{role: data + secrets.token_bytes(4) for role, data in FILES.items()},
        Role.TEXT: told.text.encode(),
        Role.READING: json.dumps(reading).encode(),
    }

    def change(record: Record) -> Record:
        derived = [{"role": "reading", "name": "reading.json", "platform": told.platform, "kind": told.kind}]
        sections: dict[str, Json] = {"session": {"derived": derived}, "surface": {"name": "page", "shown": told.shown}}
        return replace(record, circumstances=sections, outcome=told.outcome, final_url=told.url, title=None)

    begun = builder.start(run, unit=unit, scope=scope)
    record = change(builder.record(run, begun, files))
    subject = builder.blob("record.json", record.format())
    builder.commit(builder.draft(builder.end(run, begun, record, subject)))
    return replace(begun, record=record, record_digest=subject.digest)


def follow(catalog: Catalog, builder: ArchiveBuilder, store: MemoryStore | None = None) -> MemoryStore:
    store = store or stored(builder)
    catalog.advance(store, LogReader(store, builder.log))
    take_words(catalog.database, store)
    return store


def ids(page: Listed) -> list[str]:
    return [each.entry.capture_id for each in page.found]


@dataclass
class Matter:
    """Two cases of one archive, and what is in each."""

    builder: ArchiveBuilder
    ours: str
    theirs: str
    post: Captured
    listing: Captured
    foreign: Captured
    loose: Captured


def matter() -> Matter:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    ours, theirs = builder.open_case("Ours"), builder.open_case("Theirs")
    post = capture(
        builder, run,
        Told(fields={"handle": "Mirabelle.Finds", "caption": "My LÖVE bracelet"}, text="Link in bio, number fourteen"),
        scope=ours,
    )  # fmt: skip
    listing = capture(
        builder, run,
        Told(
            kind="listing", platform="bazaroo", url="https://www.bazaroo.example/item/4410",
            fields={"title": "Screw bracelet", "seller": "SunnyJewel Factory", "item_id": "4410", "price": "12.90"},
            text="Screw bracelets for women 不锈钢手镯 with screwdriver",
        ),
        unit=post.unit,
    )  # fmt: skip
    foreign = capture(
        builder, run,
        Told(
            kind="listing", platform="bazaroo", fields={"seller": "SunnyJewel Factory"}, text="Secret of another case",
            outcome=Outcome.REMOVED, shown="absent",
        ),
        scope=theirs,
    )  # fmt: skip
    loose = capture(builder, run, Told(text="In no case at all"))
    builder.close_run(run, 4)
    return Matter(builder, ours, theirs, post, listing, foreign, loose)


def test_words_handles_sellers_and_ids_are_found(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    follow(catalog, have.builder)
    wanted = {
        "bracelet": [have.listing, have.post],
        "love": [have.post],
        "LÖVE": [have.post],
        "mirabelle": [have.post],
        '"link in bio"': [have.post],
        '"bio in link"': [],
        "screw women": [have.listing],
        "手镯": [have.listing],
        "sunnyjewel": [have.foreign, have.listing],
        "4410": [have.listing],
        "bazaroo.example": [have.listing],
        "nothing-of-this": [],
        "'; DROP TABLE captures; --": [],
        '"*" OR NEAR(': [],
        "!!!": [],
    }
    for words, found in wanted.items():
        page = listed(catalog.database, Wanted(words=words), None)
        assert ids(page) == [each.id for each in found], words
        assert page.unread == 0
    (found_,) = listed(catalog.database, Wanted(words='"link in bio"'), None).found
    assert found_.passage == "Link in bio, number fourteen"
    (found_,) = listed(catalog.database, Wanted(words="love"), None).found
    assert found_.passage is not None
    assert "LÖVE" in found_.passage


def test_filters_are_the_rows_that_have_it(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    follow(catalog, have.builder)
    everything = listed(catalog.database, Wanted(), None)
    assert ids(everything) == [each.id for each in (have.loose, have.foreign, have.listing, have.post)]
    when = everything.found[2].entry.started_at
    cases = {
        "platform": (Wanted(platform="bazaroo"), [have.foreign, have.listing]),
        "kind": (Wanted(kind="post"), [have.loose, have.post]),
        "outcome": (Wanted(outcome="removed"), [have.foreign]),
        "origin": (Wanted(origin="not_public"), [have.loose, have.foreign, have.listing, have.post]),
        "host": (Wanted(host="WWW.bazaroo.example"), [have.listing]),
        "case": (Wanted(scope=have.ours), [have.listing, have.post]),
        "since": (Wanted(since=when), [have.loose, have.foreign, have.listing]),
        "until": (Wanted(until=when), [have.post]),
        "both": (Wanted(since=when, until=when + timedelta(milliseconds=1)), [have.listing]),
        "before all": (Wanted(until=when - timedelta(days=99)), []),
        "with words": (Wanted(words="bracelet", kind="listing", scope=have.ours), [have.listing]),
        "words of another": (Wanted(words="secret", scope=have.ours), []),
    }
    for name, (wanted, found) in cases.items():
        assert ids(listed(catalog.database, wanted, None)) == [each.id for each in found], name


def test_pages_hold_each_capture_once_whatever_comes_meanwhile(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    store = follow(catalog, have.builder)
    first = listed(catalog.database, Wanted(limit=2), None)
    assert (len(first.found), first.next) == (2, first.found[-1].entry.started_index)
    run = have.builder.open_run()
    capture(have.builder, run, Told())
    put(have.builder, store)
    follow(catalog, have.builder, store)
    second = listed(catalog.database, Wanted(limit=2, before=first.next), None)
    assert second.next is None
    assert ids(first) + ids(second) == [each.id for each in (have.loose, have.foreign, have.listing, have.post)]


def test_a_search_goes_on_from_one_part_of_the_log_to_the_next(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHUNK_LEAVES", 4)  # two captures in each part of the index of words
    builder = ArchiveBuilder().open_log()
    run, scope = builder.open_run(), builder.open_case()
    texts = ["common rare", "common", "nothing", "common", "other", "common rarely"]
    made = [
        capture(builder, run, Told(text=text, kind="post" if n % 2 else "listing"), scope=scope)
        for n, text in enumerate(texts)
    ]
    catalog = opened("one")
    store = follow(catalog, builder)

    def found(**wanted: Any) -> list[int]:
        """Page after page of one capture."""
        places, before = [], None
        while True:
            page = listed(catalog.database, Wanted(**wanted, limit=1, before=before), None)
            places += [next(n for n, each in enumerate(made) if each.id == one) for one in ids(page)]
            if page.next is None:
                return places
            before = page.next

    assert found(words="common") == [5, 3, 1, 0]
    assert found(words="common rar") == [5, 0]
    assert found(words="common", kind="listing") == [0]
    assert found(words="common", kind="listing", outcome="removed") == []
    begun = [catalog.database.rows("SELECT started_at FROM captures ORDER BY started_index")[n][0] for n in (1, 5)]
    since, until = (parse_utc(each) for each in begun)
    assert found(words="common", since=since, until=until) == [3, 1]
    dispose(builder, made[3].unit)
    put(builder, store)
    follow(catalog, builder, store)
    assert found(words="common") == [5, 1, 0]
    with catalog.database.transaction() as transaction:
        catalog.database.begin_anew(transaction)
    assert found(words="common") == []
    follow(catalog, builder, store)
    assert found(words="common") == [5, 1, 0]


def test_bytes_are_found_by_their_digest_and_by_no_other(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    store = follow(catalog, have.builder)
    record = have.post.record
    assert record is not None
    for artifact in record.artifacts:
        (found,) = whereabouts(catalog.database, artifact.digest, None)
        assert (found.what, found.role, found.name, found.bytes) == (
            "artifact", artifact.role, artifact.name, artifact.bytes,
        )  # fmt: skip
        assert found.entry is not None
        assert found.entry.capture_id == have.post.id
        twin = Digest(f"{artifact.digest.hex[:-1]}{'0' if artifact.digest.hex[-1] != '0' else '1'}")
        assert whereabouts(catalog.database, twin, None) == []  # the same first bytes are not the same digest
    assert have.post.record_digest is not None
    assert [each.what for each in whereabouts(catalog.database, have.post.record_digest, None)] == ["record"]
    assert [each.what for each in whereabouts(catalog.database, record.job_sha256, None)] == ["job"]
    told = {each.event.type: each for each in LogReader(store, have.builder.log).events("case.opened", "log.opened")}
    for type_, logged in told.items():
        (found,) = whereabouts(catalog.database, logged.event.subjects[0].digest, None)
        assert (found.what, found.index, found.chain) == (type_, logged.index, logged.event.chain)


def test_nobody_is_given_what_is_of_a_case_that_he_may_not_see(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    store = follow(catalog, have.builder)
    database, sight = catalog.database, {have.ours}
    allowed = {have.post.id, have.listing.id}
    assert set(ids(listed(database, Wanted(), sight))) == allowed
    for wanted in (Wanted(words="sunnyjewel"), Wanted(platform="bazaroo"), Wanted(kind="listing")):
        assert ids(listed(database, wanted, sight)) == [have.listing.id]
    for wanted in (Wanted(words="secret"), Wanted(words="case"), Wanted(scope=have.theirs)):
        assert ids(listed(database, wanted, sight)) == []
    for each in (have.foreign, have.loose):
        assert each.record is not None
        assert each.record_digest is not None
        own = [kept.digest for kept in each.record.artifacts if kept.role != Role.READING]
        for digest in (each.record_digest, each.record.job_sha256, *own):
            assert whereabouts(database, digest, None) != []
            assert whereabouts(database, digest, sight) == []
        assert not catalog.allowed(each.id, sight)
    assert catalog.allowed(have.post.id, sight)
    for logged in LogReader(store, have.builder.log).events("case.opened", "item.assigned", "log.opened", "run.opened"):
        digest = logged.event.subjects[0].digest
        assert whereabouts(database, digest, None) != []
        seen = whereabouts(database, digest, sight)
        assert bool(seen) == (logged.event.chain == f"scope:{have.ours}")
    told = history(database, Target(sort="seller", value="sunnyjewel factory"), sight)
    assert {each.entry.capture_id for each in told} <= allowed
    assert [count for _, count in targets(database, "SunnyJewel Factory", "", sight)] == [1]
    assert neighbours(database, have.theirs, sight).nodes == ()
    assert neighbours(database, have.theirs, None).nodes != ()
    for nothing in (set[str](), {"somebody else's"}):
        assert listed(database, Wanted(), nothing).found == ()
        assert whereabouts(database, have.post.record_digest or Digest("0" * 64), nothing) == []
    (only,) = listed(database, Wanted(words="fourteen"), {have.ours, have.theirs}).found
    assert only.scopes == (have.ours,)


def test_a_unit_that_comes_to_a_second_case_is_seen_in_both(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    builder = have.builder
    store = follow(catalog, builder)
    assert ids(listed(catalog.database, Wanted(), {have.theirs})) == [have.foreign.id]
    subject = builder.detail("item.json", {"item": have.post.unit, "scope": have.theirs})
    builder.commit(
        builder.draft(builder.event("item.assigned", f"scope:{have.theirs}", subject, {"item": have.post.unit}))
    )
    put(builder, store)
    follow(catalog, builder, store)
    assert ids(listed(catalog.database, Wanted(), {have.theirs})) == [have.foreign.id, have.listing.id, have.post.id]


def test_a_timeline_tells_what_captures_showed(opened: Open) -> None:
    builder, catalog = ArchiveBuilder().open_log(), opened("one")
    run, scope = builder.open_run(), builder.open_case()
    say: dict[str, Json] = {
        "handle": "Mirabelle.Finds",
        "bio": "finds & dupes",
        "outbound_links": ["https://a.example/"],
    }
    looks = [
        Told(kind="profile", fields=say),
        Told(kind="profile", fields=say),
        Told(kind="profile", fields={**say, "outbound_links": ["https://b.example/"], "likes": 3}),
        Told(kind="wall", outcome=Outcome.LOGIN_WALL, shown="wall"),
        Told(kind="wall", outcome=Outcome.PRIVATE, shown="wall"),
        Told(kind="profile", fields=say),
        Told(kind="other", outcome=Outcome.REMOVED, shown="absent"),
    ]
    made = [capture(builder, run, each, scope=scope) for each in looks]
    follow(catalog, builder)
    ((target, times),) = targets(catalog.database, "@mirabelle.finds", "", None)
    assert (target, times) == (Target(sort="account", value="mirabelle.finds"), 4)
    told = history(catalog.database, target, None)
    assert [each.entry.capture_id for each in told] == [each.id for each in made]
    assert [each.moment for each in told] == [
        Moment.FIRST_SEEN, Moment.UNCHANGED, Moment.CHANGED, Moment.NOT_SHOWN, Moment.PRIVATE, Moment.BACK, Moment.GONE,
    ]  # fmt: skip
    assert told[2].changed == {"outbound_links": (["https://a.example/"], ["https://b.example/"])}
    assert told[2].compared_with == made[1].id
    assert told[5].compared_with == made[2].id
    for each in told:
        assert json.loads(json.dumps(each.to_json())) == each.to_json()


def test_what_only_one_reading_has_is_no_change() -> None:
    assert differences({"bio": "a", "price": "1"}, {"bio": "b", "title": "t"}) == {"bio": ("a", "b")}


def test_neighbours_are_ranked_and_bounded(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    follow(catalog, have.builder)
    drawn = neighbours(catalog.database, have.ours, None)
    assert {(each.sort, each.label) for each in drawn.nodes} >= {
        ("account", "Mirabelle.Finds"),
        ("seller", "SunnyJewel Factory"),
    }
    assert {each.relation for each in drawn.edges} == {"shown_on", "sold_by"}
    assert (drawn.captures, drawn.whole, drawn.left_out) == (2, True, 0)
    few = neighbours(catalog.database, have.ours, None, limit=1)
    assert (len(few.nodes), few.left_out, few.edges) == (1, len(drawn.nodes) - 1, ())


def test_what_was_disposed_of_is_not_found_any_more(opened: Open) -> None:
    have, catalog = matter(), opened("one")
    builder = have.builder
    store = follow(catalog, builder)
    dispose(builder, have.post.unit)
    put(builder, store)
    follow(catalog, builder, store)
    for words in ("bracelet", "mirabelle", "fourteen", "4410"):
        assert ids(listed(catalog.database, Wanted(words=words), None)) == []
    assert have.post.record is not None
    assert whereabouts(catalog.database, have.post.record.artifacts[0].digest, None) == []
    assert have.post.record_digest is not None
    (named,) = whereabouts(catalog.database, have.post.record_digest, None)  # the log names it for ever
    assert named.entry is not None
    assert named.entry.disposed_at is not None
    assert targets(catalog.database, "mirabelle.finds", "", None) == []
    for table in ("kept", "readings", "names"):
        held = {row[0] for row in catalog.database.rows(f"SELECT started_index FROM {table}")}  # noqa: S608
        assert len(held) <= 2, table
    whole = listed(catalog.database, Wanted(scope=have.ours), None)
    assert [each.entry.requested_url for each in whole.found] == ["", ""]


def test_a_text_that_was_disposed_of_is_not_in_the_file(tmp_path: Path) -> None:
    have = matter()
    path = tmp_path / "catalog.sqlite"
    catalog = Catalog.open(path)
    store = follow(catalog, have.builder)
    catalog.database.rows("PRAGMA wal_checkpoint")
    assert b"mirabelle" in path.read_bytes() + path.with_name("catalog.sqlite-wal").read_bytes()
    dispose(have.builder, have.post.unit)
    put(have.builder, store)
    follow(catalog, have.builder, store)
    catalog.close()
    assert b"mirabelle" not in path.read_bytes().lower()
    assert b"fourteen" not in path.read_bytes()


def dispose(builder: ArchiveBuilder, unit: str) -> None:
    subject = builder.detail("disposal.json", {"item": unit, "blobs": [], "spared": [], "why": "asked for"})
    body: dict[str, Json] = {"item": unit, "blobs": 0, "bytes": 0}
    builder.commit(builder.draft(builder.event("evidence.disposed", f"work:{builder.new_id()}", subject, body)))


# Rebuilt and step by step


def content(catalog: Catalog) -> dict[str, list[Any]]:
    """All rows but how far it has come in packing, which is its own affair."""
    found: dict[str, list[Any]] = {}
    for table in sorted(TABLES.keys() - {"packed"}):
        columns = "started_index, facts, words, trouble" if table == "readings" else "*"
        found[table] = sorted(catalog.database.rows(f"SELECT {columns} FROM {table}"), key=repr)  # noqa: S608
    words = ("bracelet", "link", "glimpse", "4410", "手镯", "secret")
    found["search"] = [ids(listed(catalog.database, Wanted(words=each), None)) for each in words]
    return found


def packs(builder: ArchiveBuilder, store: Any, **more: Any) -> Packs:
    return Packs(LogReader(store, builder.log), vkey=builder.vkey, signer=builder.log_key, **more)


STEPS = st.lists(
    st.sampled_from(["post", "listing", "case", "assign", "dispose", "open", "words", "advance", "pack"]), max_size=14
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rebuilt_from_packs_or_from_the_log_it_is_what_it_was_step_by_step(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("catalogues")
    _rebuild(steps, lambda name: Catalog.open(folder / f"{name}.sqlite"))


def test_rebuilt_it_is_the_same_in_either_database(opened: Open) -> None:
    _rebuild(
        ["post", "listing", "case", "assign", "pack", "dispose", "post", "words", "open", "pack", "listing"], opened
    )


def _rebuild(steps: list[str], opened: Open) -> None:
    builder = ArchiveBuilder().open_log()
    run, scopes, units = builder.open_run(), [builder.open_case()], list[str]()
    store = stored(builder)
    step = opened("step")
    for each in steps:
        if each in {"post", "listing"}:
            told = Told(kind=each, fields={"handle": "one", "seller": "two"}, text=f"{each} bracelet {len(units)}")
            units.append(capture(builder, run, told, scope=scopes[-1]).unit)
        elif each == "open":
            builder.start(run, scope=scopes[0])
        elif each == "case":
            scopes.append(builder.open_case(f"case {len(scopes)}"))
        elif each == "assign" and units:
            subject = builder.detail("item.json", {"item": units[-1], "scope": scopes[0]})
            builder.commit(
                builder.draft(builder.event("item.assigned", f"scope:{scopes[0]}", subject, {"item": units[-1]}))
            )
        elif each == "dispose" and units:
            dispose(builder, units.pop(0))
        put(builder, store)
        if each == "words":
            follow(step, builder, store)
        elif each in {"advance", "pack"}:
            step.advance(store, LogReader(store, builder.log))
        if each == "pack":
            packs(builder, store).write(step.database)
    follow(step, builder, store)
    packs(builder, store).write(step.database)
    reader = LogReader(store, builder.log)
    from_log, from_packs = opened("log"), opened("packs")
    from_log.advance(store, reader)
    watched = WatchedStore(store)
    from_packs.advance(watched, LogReader(watched, builder.log), packs(builder, watched))
    blobs = [key for key in watched.opened if key.startswith(keyspace.BLOBS)]
    assert blobs == []  # not one record was asked for
    take_words(from_log.database, store)
    take_words(from_packs.database, store)
    expected = content(step)
    assert content(from_log) == expected
    assert content(from_packs) == expected
    assert count_unread(from_packs.database) == 0


def packed(tmp_path: Path) -> tuple[Matter, MemoryStore, dict[str, list[Any]]]:
    have = matter()
    catalog = Catalog.open(tmp_path / "first.sqlite")
    store = follow(catalog, have.builder)
    packs(have.builder, store).write(catalog.database)
    expected = content(catalog)
    catalog.close()
    return have, store, expected


@pytest.mark.parametrize(
    "attack", ["pack altered", "pack gone", "list altered", "other key", "other commit", "cut short"]
)
def test_packs_that_cannot_be_believed_are_passed_over(tmp_path: Path, attack: str) -> None:
    have, store, expected = packed(tmp_path)
    prefix = keyspace.index_prefix(have.builder.log)
    (pack,) = [key for key in store.keys(prefix) if "/packs/" in key]
    (list_,) = [key for key in store.keys(prefix) if "/packs/" not in key]
    asked = packs(have.builder, store)
    if attack == "pack altered":
        good = store.read(pack)
        forge(store, pack, good[:-1] + bytes([good[-1] ^ 1]))
    elif attack == "pack gone":
        forge(store, pack, None)
    elif attack == "list altered":
        forge(store, list_, store.read(list_).replace(b'"schema":', b'"schemb":'))
    elif attack == "cut short":
        forge(store, list_, store.read(list_)[:40])
    elif attack == "other key":
        asked = Packs(
            LogReader(store, have.builder.log),
            vkey=replace(have.builder.vkey, public_key=have.builder.worker.public_key),
        )
    else:
        last = len(have.builder.commits)
        store._objects[keyspace.index(have.builder.log, last)] = store.read(list_)
        forge(store, keyspace.commit(have.builder.log, last), None)
    catalog = Catalog.open(tmp_path / "second.sqlite")
    watched = WatchedStore(store)
    catalog.advance(watched, LogReader(watched, have.builder.log), asked)
    assert any(key.startswith(keyspace.BLOBS) for key in watched.opened)  # so the log was read
    take_words(catalog.database, store)
    if attack != "other commit":
        assert content(catalog) == expected
    assert catalog.count() == 4
    catalog.close()


def test_a_packed_row_that_its_record_belies_is_put_right_by_the_second_pass(tmp_path: Path) -> None:
    """The log's key could sign a false row; the record is asked all the same, by its digest."""
    have, store, expected = packed(tmp_path)
    lying = Catalog.open(tmp_path / "lying.sqlite")
    follow(lying, have.builder, store)
    with lying.database.transaction() as transaction:
        transaction.run("UPDATE captures SET final_url = 'https://innocent.example/', kind = 'other'")
        transaction.run("UPDATE kept SET artifacts = ''")
        transaction.run("DELETE FROM packed")
    packs(have.builder, store).write(lying.database)
    lying.close()
    catalog = Catalog.open(tmp_path / "second.sqlite")
    catalog.advance(store, LogReader(store, have.builder.log), packs(have.builder, store))
    assert ids(listed(catalog.database, Wanted(kind="other"), None)) != []  # the lie is there
    assert count_believed(catalog.database) == catalog.count()
    take_words(catalog.database, store)
    assert count_believed(catalog.database) == 0
    now = content(catalog)
    assert {name: rows for name, rows in now.items() if name != "digests"} == {
        name: rows for name, rows in expected.items() if name != "digests"
    }
    assert sorted(set(now["digests"])) == sorted(set(expected["digests"]))
    catalog.close()


def test_what_was_disposed_of_is_in_no_pack(tmp_path: Path) -> None:
    have, store, _ = packed(tmp_path)
    prefix = keyspace.index_prefix(have.builder.log)

    def held() -> bytes:
        return b"".join(json.dumps(decode(store.read(key))[0]).encode() for key in store.keys(f"{prefix}packs/"))

    assert b"bazaroo.example" in held()
    dispose(have.builder, have.post.unit)
    put(have.builder, store)
    catalog = Catalog.open(tmp_path / "first.sqlite")
    follow(catalog, have.builder, store)
    packs(have.builder, store).write(catalog.database)
    assert held()
    assert b"bazaroo.example" not in held()
    assert len(list(store.keys(prefix))) == 2  # one list and one pack: the old ones are gone
    catalog.close()


def test_packs_are_due_when_enough_has_come(tmp_path: Path) -> None:
    have = matter()
    catalog = Catalog.open(tmp_path / "one.sqlite")
    store = follow(catalog, have.builder)
    leaves = sum(map(len, have.builder.commits))
    assert not packs(have.builder, store, every=leaves + 1).is_due(catalog.database)
    due = packs(have.builder, store, every=leaves)
    assert due.is_due(catalog.database)
    assert due.write(catalog.database).packs == 1
    assert not due.is_due(catalog.database)
    keyless = Packs(LogReader(store, have.builder.log), vkey=have.builder.vkey)
    assert not keyless.is_due(catalog.database)
    with pytest.raises(Refused, match="where the log's key is"):
        keyless.write(catalog.database)
    catalog.close()


def test_a_server_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreDown, match="COUNTERPROOF_DSN"):
        Catalog.open_shared(f"host={tmp_path} dbname=none", "a/b")
    with pytest.raises(UsageError, match="COUNTERPROOF_DSN is"):
        Catalog.open_shared("no dsn at all", "a/b")


def test_many_machines_feed_one_catalogue(server: str) -> None:
    import threading

    have = matter()
    store = stored(have.builder)
    name = secrets.token_hex(4)
    made = [Catalog.open_shared(server, name) for _ in range(3)]
    failed: list[BaseException] = []

    def work(catalog: Catalog) -> None:
        try:
            catalog.advance(store, LogReader(store, have.builder.log))
            take_words(catalog.database, store)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({repr(content(each)) for each in made}) == 1
    assert made[0].count() == 4
    for each in made:
        each.close()


def test_another_version_of_the_tables_is_made_anew(server: str) -> None:
    have, name = matter(), secrets.token_hex(4)
    first = Catalog.open_shared(server, name)
    follow(first, have.builder)
    schema = first.database.name.rpartition(" ")[2]
    first.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"UPDATE {schema}.version SET n = 1".encode())  # noqa: S608
    second = Catalog.open_shared(server, name)
    assert second.count() == 0
    follow(second, have.builder)
    assert second.count() == 4
    second.close()


# Tokens


@given(st.text(alphabet="aAbB1_ .-é", max_size=30), st.text(alphabet="ab1", min_size=1, max_size=3))
def test_a_word_is_found_where_it_begins_whatever_its_case(text: str, word: str) -> None:
    """As an expression that goes letter by letter finds it."""
    found = re.search(rf"(?<![^\W_]){re.escape(word)}", text, re.IGNORECASE)
    assert place_of(word, text) == (None if found is None else found.start())


@given(st.text(max_size=80))
def test_tokens_are_letters_and_digits_and_stay_what_they_are(text: str) -> None:
    for token in tokens_of(text):
        assert token.isalnum()
        assert tokens_of(token) == [token]


def test_case_accents_width_and_scripts_without_spaces() -> None:
    assert tokens_of("Ｌove LÖVE-Armband №4") == ["love", "love", "armband", "no4"]
    assert tokens_of("不锈钢手镯 ok") == ["不", "锈", "钢", "手", "镯", "ok"]
    assert phrases_of('one "two three" "" --') == [["one"], ["two", "three"]]


def test_the_small_archive_lists_its_events(opened: Open) -> None:
    builder, catalog = small(), opened("one")
    store = stored(builder)
    catalog.advance(store, LogReader(store, builder.log))
    post = builder.captures[0]
    told = catalog.events_of(post.unit)
    logged = [
        each
        for each in LogReader(store, builder.log).events()
        if post.unit in (each.event.chain, str(each.event.body))
        or f"item:{post.unit}" == each.event.chain
        or each.event.body.get("item") == post.unit
    ]
    assert [(each.index, each.type) for each in told] == [(each.index, each.event.type) for each in logged]
    assert [each.type for each in catalog.events_typed("key.introduced")] == ["key.introduced"] * 3
    assert all(each.at.tzinfo is UTC for each in told)


def test_a_look_that_kept_nothing_is_a_moment_in_which_nothing_changed(opened: Open) -> None:
    builder, catalog = ArchiveBuilder().open_log(), opened("one")
    run, scope = builder.open_run(), builder.open_case()
    full = capture(builder, run, Told(kind="profile", fields={"handle": "one", "bio": "a"}), scope=scope)
    begun = builder.start(run, scope=scope)
    store = follow(catalog, builder)
    # As ``look.unchanged`` leaves the row; the event itself has tests of its own.
    with catalog.database.transaction() as transaction:
        transaction.run(
            "UPDATE captures SET status = 'unchanged', outcome = 'ok', ended_at = started_at, end_index = ?"
            " WHERE capture_id = ?",
            (999, begun.id),
        )
    later = capture(builder, run, Told(kind="profile", fields={"handle": "one", "bio": "b"}), scope=scope)
    put(builder, store)
    follow(catalog, builder, store)
    told = history(catalog.database, Target(sort="account", value="one"), None)
    assert [each.moment for each in told] == [Moment.FIRST_SEEN, Moment.UNCHANGED, Moment.CHANGED]
    assert [each.compared_with for each in told] == [None, full.id, full.id]
    assert later.id == told[2].entry.capture_id
