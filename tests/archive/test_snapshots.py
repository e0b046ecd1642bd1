"""A machine that knows nothing learns from snapshots what it needs; they are a cache, and not believed blindly."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.directory import DirectoryStore
from archive.draft import EventRefused
from archive.known import ChainHead, SeenEvent
from archive.memory import MemoryStore
from archive.segments import Segment, SegmentLost, Segments, encode, is_lasting
from archive.sequencer import Sequencer
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope, event_id_of
from custody.keys import Ed25519Signer
from tests.archive.deployment import Deployment, UnreliableStore, audit
from tests.archive.shelves import forge
from tests.archive.workers import enrol, inbox_of, sequencing_of


def case_opened(deployment: Deployment) -> Envelope:
    scribe = deployment.scribe()
    subject = scribe.detail("case.json", {})
    return scribe.event("case.opened", chain=f"scope:{scribe.new_id()}", subject=subject, body={})


def knows(sequencer: Sequencer) -> list[Any]:
    """Everything that can be asked for."""
    heads = sequencer._heads
    leaves = [each for logged in sequencer.reader.commits() for each in logged.commit.leaves]
    events = [sequencer.reader.parse(0, index, data).event for index, data in enumerate(leaves)]
    return [
        heads.position(), heads.edge(), list(heads.all_keys()), list(heads.lasting_chains()),
        [heads.event(each.event_id) for each in events], [heads.chain(each.chain) for each in events],
        [list(heads.typed("case.opened", "key.introduced", newest_first=way)) for way in (True, False)],
    ]  # fmt: skip


def grow(deployment: Deployment, sequencer: Sequencer, unit: str, commits: int) -> list[Envelope]:
    made: list[Envelope] = []
    for at in range(commits):
        envelopes = [deployment.event(), deployment.event(unit=unit)]
        if at % 5 == 0:
            envelopes.append(case_opened(deployment))
        sequencer.append(envelopes)
        made += envelopes
    return made


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def snapshots(deployment: Deployment) -> list[int]:
    return [int(each[-20:]) for each in deployment.store.keys(f"{keyspace.log_prefix(deployment.log)}snapshots/")]


def test_a_fresh_machine_knows_the_same_and_reads_only_what_came_after(deployment: Deployment, tmp_path: Path) -> None:
    sequencer = deployment.open(snapshot_every=8)
    unit = deployment.scribe().new_id()
    made = grow(deployment, sequencer, unit, 20)
    assert snapshots(deployment) == [8, 16]
    watching = UnreliableStore(deployment.store)
    twin = deployment.twin(tmp_path / "twin")
    fresh = twin.open(snapshot_every=8, store=watching)
    assert fresh.position == sequencer.position
    read = {each for each in watching.asked if "/commit/" in each}
    assert keyspace.commit(deployment.log, 17) in read
    assert keyspace.commit(deployment.log, 15) not in read
    assert knows(fresh) == knows(sequencer)
    assert fresh.append([made[0]]) == sequencer.append([made[0]]), "an event of long ago has the receipt it had"
    fresh.append([twin.event(unit=unit), twin.event()])
    audit(deployment)


def test_a_machine_that_came_from_a_snapshot_makes_the_next_ones_alike(deployment: Deployment, tmp_path: Path) -> None:
    sequencer = deployment.open(snapshot_every=4)
    unit = deployment.scribe().new_id()
    grow(deployment, sequencer, unit, 6)
    twin = deployment.twin(tmp_path / "twin")
    second = twin.open(snapshot_every=4)
    grow(twin, second, unit, 6)
    assert snapshots(deployment) == [4, 8, 12]
    sequencer.refresh()  # and makes the same ones itself: other bytes would have been a collision
    third = deployment.twin(tmp_path / "third").open(snapshot_every=4)
    assert knows(third) == knows(sequencer) == knows(second)
    audit(deployment)


def test_one_is_due_by_leaves_too(deployment: Deployment) -> None:
    from archive.genesis import open_log
    from tests.archive.deployment import now, tomorrow

    job = deployment.scribe().detail("job.json", {})
    sequencer = open_log(deployment.home, deployment.store, clock=now, retain_until=tomorrow)
    sequencer._follower._snapshots._leaves = 50
    for count in (40, 5, 5, 60, 1):
        sequencer.append([deployment.event(subject=job) for _ in range(count)])
    assert snapshots(deployment) == [4, 5]


def test_a_worker_without_the_key_learns_from_them_and_makes_none(deployment: Deployment, tmp_path: Path) -> None:
    worker = enrol(deployment, tmp_path / "worker")
    unit = deployment.scribe().new_id()
    grow(deployment, deployment.open(snapshot_every=4), unit, 9)
    watching = UnreliableStore(deployment.store)
    inbox = inbox_of(worker, store=watching, wait_s=0)
    assert keyspace.commit(deployment.log, 5) not in watching.asked
    before = snapshots(deployment)
    envelope = worker.event(unit=unit)
    inbox.submit([envelope])
    sequencing_of(deployment).empty()
    assert inbox.wait([envelope], 0)[0] is not None
    assert snapshots(deployment) == before


def test_an_id_of_long_ago_is_not_taken_a_second_time(deployment: Deployment, tmp_path: Path) -> None:
    made = grow(deployment, deployment.open(snapshot_every=4), deployment.scribe().new_id(), 9)
    twin = deployment.twin(tmp_path / "twin")
    fresh = twin.open(snapshot_every=4)
    scribe = twin.scribe()
    scribe.new_id = lambda: event_id_of(made[0].payload)  # type: ignore[method-assign]
    scope = twin.scribe().new_id()
    other = scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body={})
    with pytest.raises(EventRefused, match="with other bytes"):
        fresh.append([other])


@pytest.mark.parametrize("damage", ["manifest", "signature", "cut", "of another key", "missing", "of another log"])
def test_one_that_cannot_be_believed_is_passed_over(tmp_path: Path, damage: str) -> None:
    store = MemoryStore()
    deployment = Deployment.make(tmp_path, store)
    sequencer = deployment.open(snapshot_every=4)
    grow(deployment, sequencer, deployment.scribe().new_id(), 9)
    key = keyspace.snapshot(deployment.log, 8)
    data = store.read(key)
    manifest, signature, body = data.split(b"\n", 2)
    stranger = Ed25519Signer.generate()
    other = canonical.dumps({"sig": _base64(stranger.sign(b"counterproof snapshot v2\n" + manifest))})
    forged = {
        "manifest": manifest.replace(b'"seq"', b'"seq"')[:-5] + b"xxxxx\n" + signature + b"\n" + body,
        "signature": manifest + b"\n" + canonical.dumps({"sig": "A" * 86 + "=="}) + b"\n" + body,
        "cut": data[: len(manifest) // 2],
        "of another key": manifest + b"\n" + other + b"\n" + body,
        "missing": None,
        "of another log": _of_another_log(deployment, manifest) + body,
    }[damage]
    forge(store, key, forged)
    watching = UnreliableStore(store)
    fresh = deployment.twin(tmp_path / "twin").open(snapshot_every=4, store=watching)
    assert keyspace.commit(deployment.log, 5) in watching.asked, "it had to read on from the one before"
    assert keyspace.commit(deployment.log, 3) not in watching.asked
    assert knows(fresh) == knows(sequencer)


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def _of_another_log(deployment: Deployment, manifest: bytes) -> bytes:
    """Well signed, by a key that signs for two logs."""
    value: Any = canonical.loads(manifest)
    changed = canonical.dumps({**value, "log": "evidence.example/other"})
    sig = deployment.home.signers.need_log().sign(b"counterproof snapshot v2\n" + changed)
    return changed + b"\n" + canonical.dumps({"sig": _base64(sig)}) + b"\n"


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
@pytest.mark.parametrize("segment", [4, 8])
def test_a_segment_that_is_lost_is_noticed_and_the_commits_are_read(tmp_path: Path, damage: str, segment: int) -> None:
    store = MemoryStore()
    deployment = Deployment.make(tmp_path, store)
    sequencer = deployment.open(snapshot_every=4)
    unit = deployment.scribe().new_id()
    made = grow(deployment, sequencer, unit, 9)
    key = keyspace.snapshot(deployment.log, segment)
    data = store.read(key)
    forge(store, key, {"flipped": data[:-1] + bytes([data[-1] ^ 1]), "cut": data[:-1], "missing": None}[damage])
    twin = deployment.twin(tmp_path / "twin")
    fresh = twin.open(snapshot_every=4)
    old = made[0] if segment == 4 else made[10]
    attempts = 0
    while True:
        attempts += 1
        try:
            (receipt,) = fresh.append([old])
            break
        except SegmentLost:
            assert attempts < 3
    assert (receipt,) == sequencer.append([old])
    assert attempts == (1 if segment == 8 else 2), "what was lost while reading on is made good at once"
    assert knows(fresh) == knows(sequencer)
    again = twin.open(snapshot_every=4)
    assert again.append([old]) == (receipt,), "a new process remembers not to believe it"
    again.append([twin.event(unit=unit)])
    audit(deployment)


def test_a_lost_segment_is_noticed_when_events_are_listed(tmp_path: Path) -> None:
    store = MemoryStore()
    deployment = Deployment.make(tmp_path, store)
    sequencer = deployment.open(snapshot_every=4)
    grow(deployment, sequencer, deployment.scribe().new_id(), 9)
    data = store.read(keyspace.snapshot(deployment.log, 4))
    forge(store, keyspace.snapshot(deployment.log, 4), data[:-1])
    fresh = deployment.twin(tmp_path / "twin").open(snapshot_every=4)
    with pytest.raises(SegmentLost, match="run the command again"):
        list(fresh.events("case.opened"))
    fresh.refresh()
    assert len(list(fresh.events("case.opened"))) == 2


def test_two_processes_of_a_home_learn_from_each_other(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    sequencer = deployment.open(snapshot_every=4)
    unit = deployment.scribe().new_id()
    made = grow(deployment, sequencer, unit, 9)
    twin = deployment.twin(tmp_path / "twin")
    first = twin.open(snapshot_every=4)
    second = twin.open(snapshot_every=4)
    first._follower.forget(SegmentLost(8, "for the test"))
    assert second.append([made[0]]) == sequencer.append([made[0]])
    assert knows(second) == knows(sequencer) == knows(first)


# Segments by themselves


def seen(number: int, event_id: str, type_: str = "capture.started") -> SeenEvent:
    return SeenEvent(
        event_id=event_id,
        payload_sha256=Digest.of(b"p" + struct.pack(">Q", number)),
        leaf_sha256=Digest.of(b"l" + struct.pack(">Q", number)),
        n=number // 3 + 1,
        index=number,
        tree_size=number + 5,
        type=type_,
    )


ids = st.uuids(version=4).map(str)


@settings(max_examples=60, deadline=None)
@given(
    chosen=st.lists(ids, min_size=1, max_size=40, unique=True),
    types=st.lists(st.sampled_from(["case.opened", "capture.started", "x.y/v2"]), min_size=40, max_size=40),
    kinds=st.lists(st.sampled_from(["item", "run", "work"]), min_size=40, max_size=40),
    strangers=st.lists(ids, max_size=5),
)
def test_a_segment_gives_back_what_was_put_in(
    *, chosen: list[str], types: list[str], kinds: list[str], strangers: list[str]
) -> None:
    events = [seen(at, each, types[at]) for at, each in enumerate(chosen)]
    chains = {f"{kinds[at]}:{each}": ChainHead(at, Digest.of(each.encode())) for at, each in enumerate(chosen)}
    span, data = encode(7, 100, events, chains.items())
    assert type(span).parse(canonical.loads(canonical.dumps(span.to_json()))) == span
    segment = Segment(data, span)
    several = Segments([span], lambda _: data)
    for each in events:
        assert segment.event(each.event_id) == each == several.event(each.event_id)
    for scope, head in chains.items():
        assert segment.chain(scope) == head == several.chain(scope)
    for stranger in set(strangers) - set(chosen):
        assert several.event(stranger) is None
        assert several.chain(f"item:{stranger}") is None
    wanted = {"case.opened", "x.y/v2"}
    assert list(several.typed(wanted, newest_first=False)) == [each for each in events if each.type in wanted]
    with pytest.raises(FormatError):
        Segment(data[:-1] + bytes([data[-1] ^ 1]), span)


def test_the_newest_word_on_a_chain_counts() -> None:
    name = "01956d3c-0000-7000-8000-000000000001"
    older, newer = ChainHead(3, Digest.of(b"a")), ChainHead(4, Digest.of(b"b"))
    made = [
        encode(n, n, [seen(n, f"01956d3c-0000-7000-8000-00000000001{n}")], [(f"item:{name}", head)])
        for n, head in ((1, older), (2, newer))
    ]
    bodies = {span.n: data for span, data in made}
    assert Segments([span for span, _ in made], lambda span: bodies[span.n]).chain(f"item:{name}") == newer


def test_what_is_newer_than_all_of_them_needs_none() -> None:
    span, _ = encode(1, 1, [seen(0, "01956d3c-0000-7000-8000-000000000001")], [])

    def never(_: object) -> bytes:
        raise AssertionError

    several = Segments([span], never)
    assert several.event("01956d3c-0000-7000-8000-000000000002") is None
    assert several.chain("item:01956d3c-0000-7000-8000-000000000001") is None
    assert several.chain("log:a") is None
    assert not is_lasting("item:x")
    assert is_lasting("log:x")
    assert is_lasting("scope:x")
