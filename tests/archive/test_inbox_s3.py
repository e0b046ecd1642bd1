"""The inbox on the real server: with a worker's rights alone, through faults, and with everybody at it at once."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from archive.acquisition import Acquisition
from archive.embedded import Running
from archive.errors import ArchiveError, StoreError
from archive.home import Home
from archive.s3 import S3Store
from archive.spool import Spool
from custody import keyspace
from custody.event import event_id_of
from tests.archive import runs
from tests.archive.conftest import MakeS3
from tests.archive.deployment import Deployment, append_in_turn, audit, ids, now
from tests.archive.faulty import Cut, Delay, Fault, FaultyProxy, LoseAnswer, Refuse, Repeat
from tests.archive.test_sequencer_race import Place, s3_place
from tests.archive.workers import enrol, inbox_of, sequencing_of, waiting

pytestmark = pytest.mark.s3

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__])


def test_a_worker_needs_no_right_to_write_but_below_inbox_and_blobs(
    make_s3: MakeS3, proxy: FaultyProxy, tmp_path: Path
) -> None:
    direct: S3Store = make_s3()
    deployment = Deployment.make(tmp_path, direct)
    scribe = deployment.scribe()
    scope = scribe.new_id()
    subject = scribe.detail("case.json", {"scope": scope, "name": "a case"})
    deployment.open().append([scribe.event("case.opened", chain=f"scope:{scope}", subject=subject, body={})])
    worker = Deployment(enrol(deployment, tmp_path / "worker").home, make_s3(endpoint=proxy.endpoint))
    allowed = [f"{direct._objects.prefix}{each}" for each in (keyspace.INBOX, keyspace.BLOBS)]
    inbox = inbox_of(worker, wait_s=0)
    acquisition = Acquisition(
        run=worker.scribe().new_id(), scope=scope, scribe=worker.scribe(), log=inbox,
        spool=Spool(worker.home.spool, clock=now).run(worker.scribe().new_id()), advance_catalog=lambda: None,
        case_name="a case",
    )  # fmt: skip
    acquisition.open({})
    assert runs.captured(acquisition).index is None
    acquisition.close({"captures": 1, "complete": 1, "partial": 0, "failed": 0, "lost": 0}, {})
    assert acquisition.settle(0) == 1
    sequencing_of(deployment).empty()
    assert acquisition.settle(0) == 0
    (captured,) = acquisition.captured
    assert captured.index is not None
    assert acquisition.close_run()
    written = [each for each in proxy.seen if each.method not in {"GET", "HEAD"}]
    assert written
    assert [each for each in written if each.method != "PUT" or not any(part in each.path for part in allowed)] == []
    assert len(audit(deployment)) == 11


@pytest.mark.slow
@pytest.mark.parametrize("method", ["PUT", "HEAD", "GET"])
@pytest.mark.parametrize(
    "fault",
    [LoseAnswer(), Cut(), Refuse(503, "SlowDown"), Delay(0.4), Repeat()],
    ids=["lost", "cut", "busy", "slow", "repeated"],
)
def test_a_fault_that_passes_is_survived_by_worker_and_sequencing(
    make_s3: MakeS3, proxy: FaultyProxy, tmp_path: Path, method: str, fault: Fault
) -> None:
    deployment = Deployment.make(tmp_path, make_s3())
    worker = enrol(deployment, tmp_path / "worker")
    through = make_s3(endpoint=proxy.endpoint, patience_s=5.0, timeout_s=2.0)
    inbox = inbox_of(worker, store=through, wait_s=0)
    taking = sequencing_of(deployment, store=through)
    envelopes = [worker.event() for _ in range(3)]
    proxy.on(method, fault, within="/inbox/", times=2)
    inbox.submit(envelopes)
    proxy.on(method, fault, within="/inbox/", times=2)
    proxy.on("*", fault, within="inbox", times=2)  # the listing, whose prefix stands in the query
    proxy.on("DELETE", fault, within="/inbox/", times=2)
    taking.empty()
    assert any(planned.left == 0 for planned in proxy._plan), "the fault was met"
    proxy.heal()
    taking.empty()
    assert None not in inbox.wait(envelopes, 0)
    assert waiting(deployment) == []
    assert sorted(ids(audit(deployment))[5:]) == sorted(event_id_of(each.payload) for each in envelopes)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET", "HEAD"])
def test_a_fault_that_stays_claims_nothing_and_loses_nothing(
    make_s3: MakeS3, proxy: FaultyProxy, tmp_path: Path, method: str
) -> None:
    deployment = Deployment.make(tmp_path, make_s3())
    worker = enrol(deployment, tmp_path / "worker")
    through = make_s3(endpoint=proxy.endpoint, patience_s=1.0, timeout_s=1.0)
    inbox, taking = inbox_of(worker, store=through, wait_s=0), sequencing_of(deployment, store=through)
    envelope = worker.event()
    proxy.on(method, LoseAnswer(), within="/inbox/", times=None)
    if method in {"PUT", "HEAD"}:
        with pytest.raises(StoreError):
            inbox.submit([envelope])
    else:
        inbox.submit([envelope])
        with pytest.raises(ArchiveError):
            taking.empty()
    proxy.heal()
    inbox.submit([envelope])
    taking.empty()
    assert inbox.wait([envelope], 0)[0] is not None
    assert len(audit(deployment)) == 6
    assert waiting(deployment) == []


# Everybody at once


def write(home: Path, place: Place, done: Path, count: int, start: Barrier) -> None:
    """One by one, with the log's key or without; each is written down once it has its receipt."""
    deployment = Deployment(Home.open(home, clock=now), place.store())
    if deployment.home.signers.log is not None:
        start.wait(120)
        append_in_turn(deployment, done, count)
        return
    inbox = inbox_of(deployment, wait_s=120)
    start.wait(120)
    with done.open("w") as file:
        for _ in range(count):
            (receipt,) = inbox.append([deployment.event()])
            file.write(f"{receipt.payload_sha256.hex} {receipt.index}\n")
            file.flush()


def sequence(home: Path, place: Place, over: Path, start: Barrier) -> None:
    taking = sequencing_of(Deployment(Home.open(home, clock=now), place.store()))
    start.wait(120)
    while not over.exists():
        taking.empty()
        time.sleep(0.05)


def started(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = FRESH.Process(target=target, args=arguments)
    process.start()
    return process


def raced(
    deployment: Deployment, place: Place, tmp_path: Path, *, key: int, keyless: int, sequences: int, count: int
) -> None:
    twin = deployment.twin(tmp_path / "twin")
    homes = [(deployment if at % 2 == 0 else twin).home.path for at in range(key)]
    homes += [enrol(deployment, tmp_path / f"worker-{at}").home.path for at in range(keyless)]
    before = len(audit(deployment))
    barrier, over = FRESH.Barrier(key + keyless + sequences), tmp_path / "over"
    outputs = [tmp_path / f"receipts-{at}" for at in range(len(homes))]
    takers = [
        started(sequence, (twin if at % 2 == 0 else deployment).home.path, place, over, barrier)
        for at in range(sequences)
    ]
    writers = [started(write, home, place, done, count, barrier) for home, done in zip(homes, outputs, strict=True)]
    try:
        for each in writers:
            each.join(400)
        assert [each.exitcode for each in writers] == [0] * len(writers)
    finally:
        over.touch()
        for each in takers:
            each.join(60)
    assert [each.exitcode for each in takers] == [0] * sequences
    receipts = dict(line.split() for output in outputs for line in output.read_text().splitlines())
    events = audit(deployment)  # one line of commits, no event twice, and `verify` holds
    logged = {each.leaf.event.payload_sha256.hex: str(each.index) for each in events[before:]}
    assert logged == receipts, "each event once, where its receipt says"
    assert len(receipts) == (key + keyless) * count
    assert waiting(deployment) == []
    assert not any(each.event.type == "event.rejected" for each in events)


def test_a_worker_without_the_key_and_one_with_it_write_at_once(
    make_s3: MakeS3, seaweed: Running, tmp_path: Path
) -> None:
    store = make_s3()
    raced(Deployment.make(tmp_path, store), s3_place(store, seaweed), tmp_path, key=1, keyless=1, sequences=1, count=3)


@pytest.mark.slow
def test_eight_processes_race_and_every_event_is_in_the_log_once(
    make_s3: MakeS3, seaweed: Running, tmp_path: Path
) -> None:
    store = make_s3()
    deployment = Deployment.make(tmp_path, store)
    raced(deployment, s3_place(store, seaweed), tmp_path, key=2, keyless=4, sequences=2, count=10)
