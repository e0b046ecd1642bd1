"""A worker without the log's key: its events are durable at once, in the log once, and claimed when read back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.draft import EventRefused
from archive.errors import LogError, LogForeign, LogRollback, NotTaken, StoreDown, StoreError
from archive.home import Home
from archive.inbox import key_of
from archive.memory import MemoryStore
from archive.sequencing import Sequencing
from archive.store import Stored
from custody import keyspace
from custody.digest import Digest
from custody.event import event_id_of
from tests.archive.deployment import Deployment, UnreliableStore, audit, ids, now
from tests.archive.shelves import forge
from tests.archive.workers import enrol, inbox_of, introduction, sequencing_of, waiting, worker_home


@pytest.fixture(params=["memory", pytest.param("directory", marks=pytest.mark.slow)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    store = MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")
    return Deployment.make(tmp_path, store)


@pytest.fixture
def worker(deployment: Deployment, tmp_path: Path) -> Deployment:
    return enrol(deployment, tmp_path / "worker")


@contextmanager
def sequencing(deployment: Deployment) -> Iterator[Sequencing]:
    """Somebody who empties the inbox meanwhile."""
    made = sequencing_of(deployment)
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.02):
            made.empty()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()


def test_an_event_is_durable_before_anybody_takes_it_and_not_claimed_as_recorded(
    deployment: Deployment, worker: Deployment
) -> None:
    inbox = inbox_of(worker, wait_s=0)
    envelope = worker.event()
    assert inbox.submit([envelope]) == (None,)
    (key,) = waiting(deployment)
    assert worker.store.read(key) == envelope.format()
    event_id = event_id_of(envelope.payload)
    assert inbox.holds(event_id)
    assert inbox.find(event_id) is None
    with pytest.raises(NotTaken, match=r"1 of 1 events wait in the inbox .* run `counterproof sequence`"):
        inbox.append([envelope])
    assert not inbox.holds(worker.scribe().new_id())
    assert len(audit(deployment)) == 5


def test_the_receipt_is_the_one_that_a_holder_of_the_key_gets(deployment: Deployment, worker: Deployment) -> None:
    inbox = inbox_of(worker)
    envelopes = [worker.event() for _ in range(5)]
    with sequencing(deployment):
        receipts = inbox.append(envelopes)
        again = inbox.append(list(reversed(envelopes)))
    assert receipts == deployment.open().append(envelopes)
    assert tuple(reversed(again)) == receipts
    assert inbox.find(event_id_of(envelopes[0].payload)) == receipts[0]
    assert len(audit(deployment)) == 10
    assert waiting(deployment) == []


def test_a_worker_writes_below_the_inbox_and_nowhere_else(deployment: Deployment, worker: Deployment) -> None:
    store = UnreliableStore(worker.store, matches=lambda key: not key.startswith(keyspace.INBOX), down=True)
    events = [worker.event() for _ in range(3)]
    inbox = inbox_of(worker, store=store, wait_s=0)
    inbox.submit(events)
    sequencing_of(deployment).empty()
    assert None not in inbox.wait(events, 0)
    inbox.refresh()
    assert store.triggered == 0, "it has not even tried"


def test_what_was_submitted_twice_is_in_the_log_once(deployment: Deployment, worker: Deployment) -> None:
    inbox, other = inbox_of(worker, wait_s=0), inbox_of(worker, wait_s=0)
    envelope = worker.event()
    inbox.submit([envelope, envelope])
    other.submit([envelope])
    assert len(waiting(deployment)) == 1
    sequencing_of(deployment).empty()
    assert other.submit([envelope])[0] is not None
    worker.store.create(key_of(event_id_of(envelope.payload)), envelope.format(), digest=Digest.of(envelope.format()),
                        retain_until=None)  # fmt: skip
    done = sequencing_of(deployment).empty()
    assert (done.taken, done.waiting) == (1, 0)
    assert ids(audit(deployment)).count(event_id_of(envelope.payload)) == 1


def test_other_bytes_under_an_id_are_refused(deployment: Deployment, worker: Deployment) -> None:
    inbox = inbox_of(worker, wait_s=0)
    envelope = worker.event()
    inbox.submit([envelope])
    with pytest.raises(EventRefused, match="other bytes wait in the inbox") as refused:
        inbox.submit([replace(envelope, sig=bytes(64))])
    assert refused.value.code == "EVENT_DUPLICATE"
    sequencing_of(deployment).empty()
    with pytest.raises(EventRefused, match="in the log with other bytes"):
        inbox.submit([replace(envelope, payload=envelope.payload.replace(b'"attempt":1', b'"attempt":2'))])


@pytest.mark.slow
def test_what_the_log_refused_is_not_waited_for(deployment: Deployment, worker: Deployment) -> None:
    inbox = inbox_of(worker)
    stranger = Deployment(worker_home(deployment, deployment.home.path.parent / "stranger"), deployment.store)
    envelope = stranger.event()
    with sequencing(deployment), pytest.raises(EventRefused, match="EVENT_KEY_UNKNOWN") as refused:
        inbox.append([envelope])
    assert refused.value.code == "EVENT_KEY_UNKNOWN"


def test_a_worker_that_was_not_introduced_is_told_so(deployment: Deployment, tmp_path: Path) -> None:
    deployment.open()
    home = worker_home(deployment, tmp_path / "new")
    with pytest.raises(LogForeign, match="was never introduced"):
        inbox_of(Deployment(home, deployment.store))
    deployment.open().append([introduction(deployment, home.signers.worker.public_key)])
    inbox_of(Deployment(home, deployment.store))


def test_without_the_key_no_log_is_begun(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, MemoryStore())
    home = worker_home(deployment, tmp_path / "worker")
    with pytest.raises(LogError, match="no log key to begin it with"):
        inbox_of(Deployment(home, deployment.store))
    assert list(deployment.store.keys("v1/")) == []


def test_a_commit_that_is_not_published_yet_is_not_there_yet(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, MemoryStore())
    worker = enrol(deployment, tmp_path / "worker")
    inbox = inbox_of(worker, wait_s=0)
    envelope = worker.event()
    inbox.submit([envelope])

    class Died(Exception):
        pass

    for step in ("committed", "tiled", "checkpointed"):

        def die(reached: str, at: str = step) -> None:
            if reached == at:
                raise Died

        with pytest.raises(Died):
            sequencing_of(deployment.twin(tmp_path / step), hook=die).empty()
        assert inbox.wait([envelope], 0) == (None,)
        assert inbox.holds(event_id_of(envelope.payload))
    sequencing_of(deployment).empty()
    assert inbox.wait([envelope], 0)[0] is not None
    assert len(audit(deployment)) == 6


def test_a_log_that_went_backwards_stops_a_worker_and_the_sequencing(tmp_path: Path) -> None:
    store = MemoryStore()
    deployment = Deployment.make(tmp_path, store)
    worker = enrol(deployment, tmp_path / "worker")
    before = store.read(keyspace.checkpoint(deployment.log))
    inbox, taking = inbox_of(worker), sequencing_of(deployment)
    with sequencing(deployment):
        inbox.append([worker.event()])
    taking.empty()
    newest = keyspace.commit(deployment.log, inbox.position.n)
    forge(store, newest, None)
    forge(store, keyspace.checkpoint(deployment.log), before)
    envelope = worker.event()
    with pytest.raises(LogRollback):
        inbox.submit([envelope])
    with pytest.raises(LogRollback):
        taking.empty()
    with pytest.raises(LogRollback):
        inbox_of(Deployment(Home.open(worker.home.path, clock=now), store))
    assert len(waiting(deployment)) == 1, "nothing was taken and nothing was removed"


def test_checkpoint_says_more_than_the_commits(tmp_path: Path) -> None:
    store = MemoryStore()
    deployment = Deployment.make(tmp_path, store)
    worker = enrol(deployment, tmp_path / "worker")
    deployment.open().append([deployment.event()])
    forge(store, keyspace.commit(deployment.log, 3), None)
    with pytest.raises(LogRollback, match="commits were removed"):
        inbox_of(worker)


@pytest.mark.parametrize("fault", ["loses", "swallows_answers", "down"])
def test_what_the_inbox_did_not_keep_is_not_durable_and_trying_again_is_right(tmp_path: Path, fault: str) -> None:
    deployment = Deployment.make(tmp_path, MemoryStore())
    worker = enrol(deployment, tmp_path / "worker")
    unreliable = UnreliableStore(worker.store, matches=lambda key: key.startswith(keyspace.INBOX))
    inbox = inbox_of(worker, store=unreliable, wait_s=0)
    envelope = worker.event()
    setattr(unreliable, fault, True)
    if fault == "loses":
        inbox.submit([envelope])  # this store lies; S3's is asked again by HEAD, which tests/archive/test_s3.py shows
    else:
        with pytest.raises(StoreDown):
            inbox.submit([envelope])
    unreliable.heal()
    assert inbox.submit([envelope]) == (None,)
    sequencing_of(deployment).empty()
    assert inbox.submit([envelope])[0] is not None
    assert len(audit(deployment)) == 6


def test_an_event_that_is_taken_while_it_is_read_back_is_found_in_the_log(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, MemoryStore())
    worker = enrol(deployment, tmp_path / "worker")

    class TakenAtOnce(UnreliableStore):
        def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
            super().create(key, data, digest=digest, retain_until=retain_until)
            sequencing_of(deployment).empty()
            raise StoreError(f"it took {key} and does not have it")

    inbox = inbox_of(worker, store=TakenAtOnce(worker.store), wait_s=0)
    assert inbox.submit([worker.event()])[0] is not None
    assert len(audit(deployment)) == 6


def test_the_same_event_has_the_same_place_on_any_day() -> None:
    assert key_of("01956d3c-0000-7000-8000-000000000001") == (
        "v1/inbox/2025/03/06/01956d3c-0000-7000-8000-000000000001.json"
    )
    with pytest.raises(EventRefused, match="no time that there is"):
        key_of("ffffffff-ffff-7fff-8000-000000000001")
