"""Whoever holds the log's key empties the inbox: each event on its own, the refused kept and told of, none twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archive.errors import LogError, StoreDenied, StoreDown, StoreError
from archive.log import LoggedEvent
from archive.memory import MemoryStore
from archive.sequencing import MAX_OBJECT_BYTES
from custody import canonical, keyspace
from custody.digest import Digest
from custody.event import Envelope, Event, Ref, event_id_of
from custody.keys import Ed25519Signer
from custody.model import Json
from tests.archive.deployment import Deployment, UnreliableStore, audit, ids
from tests.archive.shelves import forge
from tests.archive.workers import enrol, inbox_of, introduction, sequencing_of, waiting


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


@pytest.fixture
def worker(deployment: Deployment, tmp_path: Path) -> Deployment:
    return enrol(deployment, tmp_path / "worker")


def put(deployment: Deployment, name: str, data: bytes) -> str:
    """As anybody who may write into the inbox."""
    key = f"{keyspace.INBOX}2026/03/04/{name}.json"
    deployment.store.create(key, data, digest=Digest.of(data), retain_until=None)
    return key


def drop(deployment: Deployment, envelope: Envelope) -> str:
    return put(deployment, event_id_of(envelope.payload), envelope.format())


def rejections(events: list[LoggedEvent]) -> list[tuple[str, str]]:
    return [
        (str(each.event.body["reason"]), str(each.event.body["bytes_sha256"]))
        for each in events
        if each.event.type == "event.rejected"
    ]


def detail(deployment: Deployment, logged: LoggedEvent) -> dict[str, Any]:
    value: Any = canonical.loads(deployment.store.read(keyspace.blob(logged.event.subjects[0].digest)))
    return dict(value)


def signed_by_a_stranger(deployment: Deployment) -> Envelope:
    scribe = deployment.scribe(Ed25519Signer.generate())
    return scribe.event(
        "case.opened", chain=f"scope:{scribe.new_id()}", subject=scribe.detail("case.json", {}), body={}
    )


def altered(deployment: Deployment) -> Envelope:
    envelope = deployment.event()
    return replace(envelope, payload=envelope.payload.replace(b'"attempt":1', b'"attempt":2'))


def by_a_worker(deployment: Deployment) -> Envelope:
    """What only a root key may say."""
    made = introduction(deployment, Ed25519Signer.generate().public_key)
    signed = deployment.event()
    return replace(made, keyid=signed.keyid, sig=deployment.home.signers.worker.sign(_pae(made.payload)))


def _pae(payload: bytes) -> bytes:
    kind = b"application/vnd.in-toto+json"
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def of_another_log(deployment: Deployment) -> Envelope:
    scribe = deployment.scribe()
    return scribe.event(
        "storage.probed",
        chain="log:counterproof.example_other",
        subject=scribe.detail("probe.json", {}),
        body={"passed": True, "bypass": "no"},
    )


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (signed_by_a_stranger, "EVENT_KEY_UNKNOWN"),
        (altered, "EVENT_SIG"),
        (by_a_worker, "AUTHORITY_MISSING"),
        (of_another_log, "ENTRY_SCHEMA"),
    ],
)
def test_a_bad_event_is_kept_told_of_and_holds_up_no_other(
    deployment: Deployment, worker: Deployment, spoil: Callable[[Deployment], Envelope], reason: str
) -> None:
    inbox = inbox_of(worker, wait_s=0)
    good = [worker.event() for _ in range(3)]
    inbox.submit(good[:2])
    bad = spoil(deployment)
    key = drop(deployment, bad)
    inbox.submit(good[2:])
    done = sequencing_of(deployment).empty()
    assert (done.taken, done.rejected, done.waiting) == (3, 1, 0)
    digest = Digest.of(bad.format())
    assert deployment.store.read(keyspace.quarantine(digest)) == bad.format()
    events = audit(deployment)
    assert rejections(events) == [(reason, digest.hex)]
    assert ids(events)[5:8] == sorted(event_id_of(each.payload) for each in good)
    told = detail(deployment, events[-1])
    assert (told["key"], told["whole"]) == (key, True)
    assert told["reason"]
    assert waiting(deployment) == []


def opened_twice(worker: Deployment) -> list[Envelope]:
    scribe = worker.scribe()
    chain = f"scope:{scribe.new_id()}"
    return [
        scribe.event("case.opened", chain=chain, subject=scribe.detail("case.json", {"name": name}), body={})
        for name in ("Love v. Screw", "Slipped in")
    ]


def assigned_to_no_case(worker: Deployment) -> list[Envelope]:
    scribe = worker.scribe()
    item, subject = scribe.new_id(), scribe.detail("item.json", {})
    chain = f"scope:{scribe.new_id()}"
    return [worker.event(), scribe.event("item.assigned", chain=chain, subject=subject, body={"item": item})]


def run_closed_that_was_never_opened(worker: Deployment) -> list[Envelope]:
    scribe = worker.scribe()
    body: dict[str, Json] = dict.fromkeys(("captures", "complete", "partial", "failed", "lost"), 0)
    subject, run = scribe.detail("run-closed.json", {}), scribe.new_id()
    return [worker.event(), scribe.event("run.closed", chain=f"run:{run}", subject=subject, body=body, run=run)]


def end_of_what_was_never_started(worker: Deployment) -> list[Envelope]:
    scribe = worker.scribe()
    capture = scribe.new_id()
    end = scribe.event(
        "capture.abandoned",
        chain=f"item:{capture}",
        subject=scribe.detail("detail.json", {}),
        body={"capture": capture, "reason": "interrupted"},
        refs=(Ref(rel="started_by", payload_sha256=Digest.of(b"nothing")),),
    )
    return [worker.event(), end]


@pytest.mark.parametrize(
    "made", [opened_twice, assigned_to_no_case, run_closed_that_was_never_opened, end_of_what_was_never_started]
)
def test_an_event_out_of_its_place_does_not_sink_the_log(
    deployment: Deployment, worker: Deployment, made: Callable[[Deployment], list[Envelope]]
) -> None:
    """A worker's key alone would do: what it says once is in the log for good, and no verdict on it held again."""
    good, bad = made(worker)
    for each in (good, bad):
        drop(deployment, each)
        sequencing_of(deployment).empty()
    assert rejections(audit(deployment)) == [("ENTRY_SCHEMA", Digest.of(bad.format()).hex)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ENTRY_PARSE"),
        (b"\xff\xfe", "ENTRY_PARSE"),
        (b'{"payload":"e30=","payload":"e30="}', "ENTRY_PARSE"),
        (b"{}", "ENTRY_SCHEMA"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "ENTRY_PARSE"),
        (json.dumps({"payload": "e30=", "payloadType": "application/vnd.in-toto+json",
                     "signatures": [{"keyid": "0" * 64, "sig": "AA=="}]}).encode(), "ENTRY_SCHEMA"),
        (b"x" * (MAX_OBJECT_BYTES + 1), "ENTRY_PARSE"),
    ],
    ids=["empty", "not UTF-8", "a key twice", "no envelope", "nested", "no event", "too long"],
)  # fmt: skip
def test_what_is_no_event_at_all_is_refused(
    deployment: Deployment, worker: Deployment, data: bytes, reason: str
) -> None:
    put(deployment, "01956d3c-0000-7000-8000-000000000001", data)
    good = worker.event()
    drop(deployment, good)
    done = sequencing_of(deployment).empty()
    assert (done.taken, done.rejected, done.waiting) == (1, 1, 0)
    kept = data[:MAX_OBJECT_BYTES]
    assert deployment.store.read(keyspace.quarantine(Digest.of(kept))) == kept
    assert rejections(audit(deployment)) == [(reason, Digest.of(kept).hex)]


def test_an_event_under_the_name_of_another_is_refused(deployment: Deployment, worker: Deployment) -> None:
    put(deployment, "01956d3c-0000-7000-8000-000000000001", worker.event().format())
    put(deployment, "no-id-at-all", worker.event().format())
    assert sequencing_of(deployment).empty().rejected == 2
    assert [reason for reason, _ in rejections(audit(deployment))] == ["ENTRY_SCHEMA"] * 2


def test_an_id_that_the_log_has_with_other_bytes_is_a_duplicate(deployment: Deployment, worker: Deployment) -> None:
    first = worker.event()
    drop(deployment, first)
    sequencing_of(deployment).empty()
    scribe = worker.scribe()
    scribe.new_id = lambda: event_id_of(first.payload)  # type: ignore[method-assign]
    scope = worker.scribe().new_id()
    other = scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body={})
    drop(deployment, other)
    assert sequencing_of(deployment).empty().rejected == 1
    events = audit(deployment)
    assert rejections(events) == [("EVENT_DUPLICATE", Digest.of(other.format()).hex)]
    assert ids(events).count(event_id_of(first.payload)) == 1


def test_a_stream_without_an_end_is_read_as_far_as_an_event_goes(deployment: Deployment, worker: Deployment) -> None:
    read = 0

    class Endless(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal read
            assert size is not None
            assert 0 < size <= MAX_OBJECT_BYTES + 1, "never as much as there is"
            read += min(size, 1000)
            return b"x" * min(size, 1000)

    class EndlessStore(UnreliableStore):
        def open(self, key: str) -> BinaryIO:
            return Endless() if key.endswith("endless.json") else self.inner.open(key)

    put(deployment, "endless", b"x")
    drop(deployment, worker.event())
    done = sequencing_of(deployment, store=EndlessStore(deployment.store)).empty()
    assert (done.taken, done.rejected) == (1, 1)
    assert read == MAX_OBJECT_BYTES + 1


def test_an_object_that_cannot_be_read_stays_and_the_others_go(deployment: Deployment, worker: Deployment) -> None:
    bad, good = drop(deployment, worker.event()), worker.event()
    drop(deployment, good)

    class Broken(UnreliableStore):
        def open(self, key: str) -> BinaryIO:
            if key == bad:
                raise StoreError("the disk has a hole there")
            return self.inner.open(key)

    done = sequencing_of(deployment, store=Broken(deployment.store)).empty()
    assert (done.taken, done.rejected, done.waiting) == (1, 0, 1)
    assert done.troubles == (f"{bad} cannot be read and stays in the inbox: the disk has a hole there",)
    assert sequencing_of(deployment).empty().taken == 1
    assert len(audit(deployment)) == 7


def chained(worker: Deployment) -> list[Envelope]:
    """A case, an item in it, a run, a start and its end, in this order."""
    scribe = worker.scribe()
    scope, unit, run = scribe.new_id(), scribe.new_id(), scribe.new_id()
    started = worker.event(unit=unit)
    capture = str(Event.parse(started.payload).body["capture"])
    return [
        scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body={}),
        scribe.event("run.opened", chain=f"run:{run}", subject=scribe.detail("run.json", {}), run=run,
                     body={"purpose": "case"}),
        started,
        scribe.event("item.assigned", chain=f"scope:{scope}", subject=scribe.detail("item.json", {}),
                     body={"item": unit}),
        scribe.event("capture.abandoned", chain=f"item:{unit}", subject=scribe.detail("detail.json", {}),
                     body={"capture": capture, "reason": "interrupted"},
                     refs=(Ref(rel="started_by", payload_sha256=started.payload_sha256),)),
        scribe.event("run.closed", chain=f"run:{run}", subject=scribe.detail("run-closed.json", {}), run=run,
                     body={"captures": 0, "complete": 0, "partial": 0, "failed": 0, "lost": 0}),
    ]  # fmt: skip


def test_what_rests_on_something_comes_after_it_whatever_the_clocks_said(
    deployment: Deployment, worker: Deployment
) -> None:
    envelopes = chained(worker)
    for at, envelope in enumerate(reversed(envelopes)):
        data = envelope.format()
        key = f"{keyspace.INBOX}2026/03/{at + 1:02d}/{event_id_of(envelope.payload)}.json"  # as if made in this order
        deployment.store.create(key, data, digest=Digest.of(data), retain_until=None)
    assert sequencing_of(deployment).empty().taken == 6
    audit(deployment)  # no state is out of its order


def test_a_start_that_a_first_listing_missed_comes_before_its_end(deployment: Deployment, worker: Deployment) -> None:
    envelopes = chained(worker)
    listings = 0

    class Behind(UnreliableStore):
        """Its first listing is a page behind: what begins things is written just then, and listed next time."""

        def keys(self, prefix: str):  # type: ignore[no-untyped-def]
            nonlocal listings
            listings += prefix == keyspace.INBOX
            if prefix == keyspace.INBOX and listings == 1:
                for each in envelopes:
                    drop(deployment, each)
                return iter([key for key in self.inner.keys(prefix) if key not in begin])
            return self.inner.keys(prefix)

    begin = {f"{keyspace.INBOX}2026/03/04/{event_id_of(each.payload)}.json" for each in (envelopes[0], *envelopes[1:3])}
    done = sequencing_of(deployment, store=Behind(deployment.store)).empty()
    assert done.taken == 6
    audit(deployment)


def test_a_key_is_introduced_before_what_it_signed(deployment: Deployment) -> None:
    deployment.open()
    second = Ed25519Signer.generate()
    scribe = deployment.scribe(second)
    early = scribe.event(
        "case.opened", chain=f"scope:{scribe.new_id()}", subject=scribe.detail("case.json", {}), body={}
    )
    drop(deployment, early)
    drop(deployment, introduction(deployment, second.public_key))
    assert sequencing_of(deployment).empty().taken == 2
    audit(deployment)


def test_nothing_leaves_the_inbox_before_the_log_was_read_back(deployment: Deployment, worker: Deployment) -> None:
    key = drop(deployment, worker.event())
    fault = UnreliableStore(deployment.store, matches=lambda key: "/checkpoints/" in key)
    taking = sequencing_of(deployment, store=fault)
    fault.hides = True
    with pytest.raises(StoreError):
        taking.empty()
    assert waiting(deployment) == [key]
    fault.heal()
    assert taking.empty().taken == 1
    assert len(audit(deployment)) == 6


def test_what_cannot_be_removed_is_taken_once(deployment: Deployment, worker: Deployment) -> None:
    key = drop(deployment, worker.event())

    class Kept(UnreliableStore):
        def remove_unlocked(self, key: str) -> None:
            raise StoreDenied("these credentials may not delete")

    for _ in range(2):
        with pytest.raises(StoreDenied):
            sequencing_of(deployment, store=Kept(deployment.store)).empty()
    assert waiting(deployment) == [key]
    assert sequencing_of(deployment).empty().taken == 1
    assert len(audit(deployment)) == 6


@pytest.mark.parametrize("step", ["quarantined", "rejected"])
def test_a_refusal_that_was_cut_short_is_told_of_once(deployment: Deployment, step: str) -> None:
    deployment.open()
    bad = signed_by_a_stranger(deployment)
    drop(deployment, bad)

    def die(reached: str) -> None:
        if reached == step:
            raise StoreDown("gone")

    with pytest.raises(StoreDown):
        sequencing_of(deployment, hook=die).empty()
    assert len(waiting(deployment)) == 1
    assert sequencing_of(deployment).empty().rejected == 1
    assert len(rejections(audit(deployment))) == 1
    assert waiting(deployment) == []


def test_more_than_one_commit_holds_is_taken_in_several(
    deployment: Deployment, worker: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.sequencing._BATCH", 8)
    monkeypatch.setattr("archive.sequencing._ROUND", 20)
    envelopes = [worker.event() for _ in range(30)]
    for each in envelopes:
        drop(deployment, each)
    taking = sequencing_of(deployment)
    rounds = [taking.empty(), taking.empty(), taking.empty()]
    assert [(each.taken, each.waiting) for each in rounds] == [(20, 10), (10, 0), (0, 0)]
    assert ids(audit(deployment))[5:] == sorted(event_id_of(each.payload) for each in envelopes)


def test_an_empty_inbox_is_no_commit_but_what_a_dead_one_left_is_finished(
    deployment: Deployment, worker: Deployment, tmp_path: Path
) -> None:
    taking = sequencing_of(deployment)
    before = taking.empty()
    assert (before.taken, before.rejected, before.waiting) == (0, 0, 0)

    def die(reached: str) -> None:
        if reached == "committed":
            raise StoreDown("gone")

    drop(deployment, worker.event())
    with pytest.raises(StoreDown):
        sequencing_of(deployment.twin(tmp_path / "twin"), hook=die).empty()
    for key in waiting(deployment):
        assert isinstance(deployment.store, MemoryStore)
        forge(deployment.store, key, None)
    taking.empty()
    assert len(audit(deployment)) == 6


def test_a_log_that_is_not_begun_is_told_so(deployment: Deployment, tmp_path: Path) -> None:
    from archive.sequencer import Sequencer
    from archive.sequencing import Sequencing
    from custody import keys
    from tests.archive.deployment import now, tomorrow

    home = deployment.home
    sequencer = Sequencer(
        deployment.store, trust=home.trust, log_signer=home.signers.need_log(),
        worker=keys.keyid(home.signers.worker.public_key), state_dir=tmp_path / "state", clock=now,
        retain_until=tomorrow,
    )  # fmt: skip
    sequencer.open()
    drop(deployment, deployment.event())
    with pytest.raises(LogError, match="is not begun"):
        Sequencing(sequencer, deployment.scribe()).empty()
    assert len(waiting(deployment)) == 1
