"""Real processes on one store: they race, they are killed at every step, and the log is one line with nothing lost."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.embedded import BUCKET, Running
from archive.errors import LogRollback, NotStored
from archive.home import Home
from archive.s3 import Credentials, S3Store
from archive.store import ObjectStore
from custody import keyspace
from custody.event import Envelope
from tests.archive.conftest import MakeS3
from tests.archive.deployment import Deployment, append_in_turn, audit, now

STEPS = ("built", "committed", "tiled", "checkpointed", "pointed", "read back", "advanced")
# Fresh processes, as spawned ones are, but for the imports, which are most of a short life.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Place:
    """Where a store is, in words that another process understands."""

    directory: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    credentials: Credentials | None = None

    def store(self) -> ObjectStore:
        if self.directory is not None:
            return DirectoryStore(self.directory)
        return S3Store(
            bucket=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            credentials=self.credentials,
            patience_s=60.0,
        )


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "directory":
        (tmp_path / "store").mkdir()
        return Place(directory=tmp_path / "store")
    return s3_place(request.getfixturevalue("make_s3")(), request.getfixturevalue("seaweed"))


def s3_place(store: S3Store, running: Running) -> Place:
    prefix = store._objects.prefix
    return Place(bucket=BUCKET, prefix=prefix, endpoint=running.endpoint, credentials=running.credentials)


def run(home: Path, place: Place, done: Path, count: int, start: Barrier) -> None:
    deployment = Deployment(Home.open(home, clock=now), place.store())
    start.wait(120)
    append_in_turn(deployment, done, count)


def race(homes: list[Path], place: Place, tmp_path: Path, count: int) -> dict[str, int]:
    """Receipts of all processes: payload digest and index."""
    barrier = FRESH.Barrier(len(homes))
    outputs = [tmp_path / f"receipts-{at}" for at in range(len(homes))]
    processes = [
        FRESH.Process(target=run, args=(home, place, done, count, barrier))
        for home, done in zip(homes, outputs, strict=True)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join(300)
    assert [each.exitcode for each in processes] == [0] * len(processes)
    receipts: dict[str, int] = {}
    for output in outputs:
        lines = [line.split() for line in output.read_text().splitlines()]
        assert len(lines) == count
        receipts |= {payload: int(index) for payload, index in lines}
    return receipts


def check(deployment: Deployment, receipts: dict[str, int], expected: int) -> None:
    logged = {
        each.leaf.event.payload_sha256.hex: each.index
        for each in audit(deployment)
        if each.event.type == "capture.started"
    }
    assert len(receipts) == expected
    assert logged == receipts, "each event once, where its receipt says"


def test_two_processes_of_one_home_append_at_once(place: Place, tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, place.store())
    receipts = race([deployment.home.path] * 2, place, tmp_path, 8)
    check(deployment, receipts, 16)


def test_two_machines_race_for_every_commit(place: Place, tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, place.store())
    twin = deployment.twin(tmp_path / "twin")
    receipts = race([deployment.home.path, twin.home.path], place, tmp_path, 8)
    check(deployment, receipts, 16)


def test_a_log_that_six_processes_begin_at_once_is_begun_once(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    place = Place(directory=tmp_path / "store")
    deployment = Deployment.make(tmp_path, place.store())
    check(deployment, race([deployment.home.path] * 6, place, tmp_path, 1), 6)
    assert sum(each.event.type == "log.opened" for each in audit(deployment)) == 1


@pytest.mark.slow
def test_eight_processes_on_four_machines(place: Place, tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, place.store())
    homes = [deployment.home.path, *(deployment.twin(tmp_path / f"twin-{at}").home.path for at in range(3))]
    receipts = race(homes * 2, place, tmp_path, 12)
    check(deployment, receipts, 96)


# Killed at every step


def append_and_die(home: Path, place: Place, envelope: bytes | None, step: str) -> None:
    """Open the log, append, and be gone by SIGKILL at a step; the first time when there is nothing to append."""
    deployment = Deployment(Home.open(home, clock=now), place.store())
    opened = envelope is None

    def die(reached: str) -> None:
        if opened and reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sequencer = deployment.open(hook=die)
    opened = True
    if envelope is not None:
        sequencer.append([Envelope.parse(envelope)])


def killed(place: Place, home: Path, envelope: Envelope | None, step: str) -> BaseProcess:
    process = FRESH.Process(
        target=append_and_die, args=(home, place, None if envelope is None else envelope.format(), step)
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, "it was killed at that step, and not before"
    return process


def contents(store: ObjectStore) -> dict[str, bytes]:
    return {key: store.read(key) for key in store.keys("v1/")}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("heir", ["the same machine", "another machine"])
def test_whoever_comes_after_a_killed_process_finishes_what_it_left(tmp_path: Path, step: str, heir: str) -> None:
    (tmp_path / "store").mkdir()
    place = Place(directory=tmp_path / "store")
    deployment = Deployment.make(tmp_path, place.store())
    deployment.open().append([deployment.event()])
    envelope = deployment.event()
    before = set(contents(deployment.store))
    killed(place, deployment.home.path, envelope, step)
    left = contents(deployment.store)
    committed = keyspace.commit(deployment.log, 3)
    assert (committed in left) == (step != "built")
    successor = deployment if heir == "the same machine" else deployment.twin(tmp_path / "heir")
    sequencer = successor.open()
    assert sequencer.position.size == (5 if step == "built" else 6), "nothing half claimed, nothing lost"
    (receipt,) = sequencer.append([envelope])
    assert receipt.index == 5
    found = contents(deployment.store)
    pointer = keyspace.checkpoint(deployment.log)
    assert {key: found[key] for key in left if key != pointer} == {key: left[key] for key in left if key != pointer}
    assert before < set(found)
    assert len(audit(deployment)) == 6


@pytest.mark.parametrize("step", STEPS)
def test_a_beginning_that_was_killed_is_made_good(tmp_path: Path, step: str) -> None:
    (tmp_path / "store").mkdir()
    place = Place(directory=tmp_path / "store")
    deployment = Deployment.make(tmp_path, place.store())
    killed(place, deployment.home.path, None, step)
    deployment.open().append([deployment.event()])
    assert len(audit(deployment)) == 5


@pytest.mark.s3
def test_a_process_killed_between_commit_and_checkpoint_is_finished_on_s3(
    seaweed: Running, make_s3: MakeS3, tmp_path: Path
) -> None:
    store = make_s3()
    place = s3_place(store, seaweed)
    deployment = Deployment.make(tmp_path, store)
    deployment.open()
    envelope = deployment.event()
    killed(place, deployment.home.path, envelope, "committed")
    (receipt,) = deployment.twin(tmp_path / "heir").open().append([envelope])
    assert receipt.index == 4
    assert len(audit(deployment)) == 5


def wiped(path: Path, keys: Callable[[str], bool], store: ObjectStore) -> dict[str, bytes]:
    gone = {key: store.read(key) for key in store.keys("v1/log/") if keys(key)}
    for key in gone:
        (path / key).unlink()
    return gone


def test_what_was_derived_is_written_again_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    deployment.open().append([deployment.event(), deployment.event()])
    newest = {
        keyspace.checkpoint(deployment.log), keyspace.checkpoint_at(deployment.log, 6),
        keyspace.tile(deployment.log, 0, 0, 6), keyspace.entries(deployment.log, 0, 6),
    }  # fmt: skip
    gone = wiped(tmp_path / "store", newest.__contains__, deployment.store)
    assert gone.keys() == newest
    deployment.twin(tmp_path / "heir").open()
    assert {key: deployment.store.read(key) for key in newest} == gone


@pytest.mark.s3
def test_a_commit_under_a_delete_marker_is_not_committed_anew(make_s3: MakeS3, tmp_path: Path) -> None:
    store = make_s3()
    deployment = Deployment.make(tmp_path, store)
    deployment.open()
    first = store.read(keyspace.checkpoint(deployment.log))
    heir = deployment.twin(tmp_path / "heir")
    heir.open()
    deployment.open().append([deployment.event()])
    # Who has the store's credentials hides the newest commit, and points to the checkpoint before it.
    key = keyspace.commit(deployment.log, 2)
    store._objects.client.delete_object(Bucket=BUCKET, Key=store._objects.prefix + key)
    store.replace(keyspace.checkpoint(deployment.log), first)
    with pytest.raises(NotStored):
        store.read(key)
    with pytest.raises(LogRollback, match=r"commit 2 .* was removed"):
        heir.open()
    with pytest.raises(NotStored):
        store.read(key)
