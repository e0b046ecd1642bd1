"""SIGKILL to a real process at every labelled step, then a new process: each event once, each start one end."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.acquisition import Acquisition
from archive.directory import DirectoryStore
from archive.home import Home
from archive.inbox import Inbox
from archive.ledger import Ledger
from archive.log import LoggedEvent
from archive.recovery import recover
from archive.spool import Spool
from custody import keyspace
from custody.digest import Digest
from custody.event import Envelope, event_id_of
from custody.keys import Ed25519Signer
from custody.model import Json
from tests.archive import runs
from tests.archive.deployment import Deployment, audit, ids, now
from tests.archive.workers import enrol, inbox_of, sequencing_of, waiting

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__])

# custody design 3.12, as far as an archive without a browser goes: what is durable when the process dies.
CAPTURE_STEPS = (
    "start journalled", "start submitted", "started", "spooled", "blob stored", "end journalled", "record stored",
    "end submitted", "end noted",
)  # fmt: skip
# 3.11 and the inbox: the sequencer's own steps between those of the one who empties it.
SEQUENCE_STEPS = (
    "inbox read", "built", "committed", "tiled", "checkpointed", "pointed", "read back", "advanced", "taken",
    "before removal", "removed", "quarantined", "rejected",
)  # fmt: skip


def some_slow(steps: tuple[str, ...], *fast: str) -> list[Any]:
    return [pytest.param(each, marks=() if each in fast else pytest.mark.slow) for each in steps]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(target: object, name: str, *, when: Callable[[int], bool] = lambda _: True) -> None:
    """Once this method has done its work, nothing more is done."""
    method = getattr(target, name)
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        result = method(*arguments, **named)
        calls += 1
        if when(calls):
            die()
        return result

    setattr(target, name, wrapped)


def place(home: Path, store: Path) -> Deployment:
    return Deployment(Home.open(home, clock=now), DirectoryStore(store))


def ledger_of(deployment: Deployment) -> Ledger:
    return inbox_of(deployment, wait_s=0) if deployment.home.signers.log is None else deployment.open()


def capture(home: Path, store: Path, scope: str, step: str, with_first: bool = False) -> None:
    """One capture, from its intent to the run's end, by a process that dies at a step."""
    deployment = place(home, store)
    ledger, scribe = ledger_of(deployment), deployment.scribe()
    run = scribe.new_id()
    acquisition = Acquisition(
        run=run, scope=scope, scribe=scribe, log=ledger, spool=Spool(deployment.home.spool, clock=now).run(run),
        advance_catalog=lambda: None, case_name="a case",
    )  # fmt: skip
    acquisition.open({}, with_first=with_first)
    journal = acquisition.spool.journal
    if step == "start journalled":
        dying(journal, "intent")
    if step == "start submitted":
        dying(ledger, "submit")
    if step == "started":
        dying(journal, "started")
    unit = scribe.new_id()
    started = runs.began(acquisition, unit)
    file = runs.spooled(acquisition, unit)
    if step == "spooled":
        die()
    artifact = runs.stored(acquisition, file)
    if step == "blob stored":
        die()
    if step == "end journalled":
        dying(journal, "end")
    if step == "record stored":
        dying(acquisition, "store_file")
    if step == "end submitted":
        dying(ledger, "submit")
    runs.recorded(acquisition, unit, started, artifact)
    die()  # whatever of it was noted


def recover_again(home: Path, store: Path) -> None:
    """What every command begins with."""
    deployment = place(home, store)
    found = recover(
        Spool(deployment.home.spool, clock=now), sequencer=ledger_of(deployment), scribe=deployment.scribe()
    )
    assert not found.problems


def take(home: Path, store: Path, step: str = "") -> None:
    """Empty the inbox, and die at a step."""

    def hook(reached: str) -> None:
        if opened and reached == step:
            die()

    opened = False
    sequencing = sequencing_of(place(home, store), hook=hook)
    opened = True
    done = sequencing.empty()
    assert done.waiting == 0


def in_a_process(target: Callable[..., None], *arguments: Any, dies: bool = False) -> None:
    process = FRESH.Process(target=target, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode == (-signal.SIGKILL if dies else 0)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def deployment(tmp_path: Path, store: Path) -> Deployment:
    return Deployment.make(tmp_path, DirectoryStore(store))


def opened_case(deployment: Deployment) -> str:
    scribe = deployment.scribe()
    scope = scribe.new_id()
    subject = scribe.detail("case.json", {"scope": scope, "name": "a case"})
    deployment.open().append([scribe.event("case.opened", chain=f"scope:{scope}", subject=subject, body={})])
    return scope


def of_items(events: list[LoggedEvent]) -> list[str]:
    return [each.event.type for each in events if each.event.chain.startswith("item:")]


@pytest.mark.parametrize("step", some_slow(CAPTURE_STEPS, "start submitted", "record stored"))
@pytest.mark.parametrize("who", ["with the log key", "without"])
def test_whatever_a_killed_capture_left_comes_to_one_end(
    deployment: Deployment, store: Path, tmp_path: Path, step: str, who: str
) -> None:
    scope = opened_case(deployment)
    worker = deployment if who == "with the log key" else enrol(deployment, tmp_path / "worker")
    in_a_process(capture, worker.home.path, store, scope, step, dies=True)
    if who == "without":
        assert of_items(audit(deployment)) == [], "nothing is claimed that nobody has taken"
    in_a_process(recover_again, worker.home.path, store)
    in_a_process(take, deployment.home.path, store)
    in_a_process(recover_again, worker.home.path, store)
    events = audit(deployment)
    ended = "capture.completed" if CAPTURE_STEPS.index(step) >= CAPTURE_STEPS.index("end journalled") else (
        "capture.abandoned"
    )  # fmt: skip
    wanted = [] if step == "start journalled" else ["capture.started", ended]
    assert of_items(events) == wanted
    assert [each.event.type for each in events if each.event.type == "item.assigned"] == (
        ["item.assigned"] if wanted else []
    )
    assert list(worker.home.spool.iterdir()) == [], "nothing is left to do"
    in_a_process(recover_again, worker.home.path, store)
    assert len(audit(deployment)) == len(events)
    assert waiting(deployment) == []


@pytest.mark.slow
@pytest.mark.parametrize(("step", "begun"), [("start journalled", False), ("start submitted", True), ("started", True)])
def test_a_run_that_opens_with_its_first_start_is_there_with_it_or_not_at_all(
    deployment: Deployment, store: Path, step: str, begun: bool
) -> None:
    in_a_process(capture, deployment.home.path, store, opened_case(deployment), step, True, dies=True)
    in_a_process(recover_again, deployment.home.path, store)
    types = [each.event.type for each in audit(deployment) if each.event.type.startswith(("run.", "capture."))]
    assert types == (["run.opened", "capture.started", "capture.abandoned"] if begun else [])


@pytest.mark.parametrize("begins", [True, False], ids=["begins", "begins nothing"])
def test_the_opening_that_waits_is_one_commit_with_the_first_start_or_with_the_end(
    deployment: Deployment, begins: bool
) -> None:
    scribe, ledger = deployment.scribe(), deployment.open()
    run, scope = scribe.new_id(), opened_case(deployment)
    acquisition = Acquisition(
        run=run, scope=scope, scribe=scribe, log=ledger, spool=Spool(deployment.home.spool, clock=now).run(run),
        advance_catalog=lambda: None, case_name="a case",
    )  # fmt: skip
    before = ledger.refresh().n
    acquisition.open({}, with_first=True)
    assert ledger.refresh().n == before
    if begins:
        runs.captured(acquisition)
    acquisition.close({"captures": 0, "complete": 0, "partial": 0, "failed": 0, "lost": 0}, {})
    acquisition.close_run()
    of_run = [each for each in audit(deployment) if each.event.run == run or each.event.chain == f"run:{run}"]
    assert [each.event.type for each in of_run if not each.event.type.startswith("item.")] == (
        ["run.opened", "capture.started", "capture.completed", "run.closed"] if begins else ["run.opened", "run.closed"]
    )
    assert ledger.refresh().n == before + (3 if begins else 1)


def stranger(deployment: Deployment) -> Envelope:
    scribe = deployment.scribe(Ed25519Signer.generate())
    scope, body = scribe.new_id(), dict[str, Json]()
    return scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body=body)


@pytest.mark.parametrize("step", some_slow(SEQUENCE_STEPS, "committed", "before removal", "quarantined"))
@pytest.mark.parametrize("heir", ["the same machine", pytest.param("another machine", marks=pytest.mark.slow)])
def test_whoever_empties_the_inbox_next_finishes_what_a_killed_one_left(
    deployment: Deployment, store: Path, tmp_path: Path, step: str, heir: str
) -> None:
    worker = enrol(deployment, tmp_path / "worker")
    inbox = inbox_of(worker, wait_s=0)
    good, bad = [worker.event() for _ in range(3)], stranger(deployment)
    inbox.submit(good)
    data = bad.format()
    key = f"{keyspace.INBOX}2026/03/04/{event_id_of(bad.payload)}.json"
    deployment.store.create(key, data, digest=Digest.of(data), retain_until=None)
    in_a_process(take, deployment.home.path, store, step, dies=True)
    found = set(waiting(deployment))
    if step in {
        "inbox read",
        "built",
        "committed",
        "tiled",
        "checkpointed",
        "pointed",
        "read back",
        "advanced",
        "taken",
    }:
        assert len(found) == 4, "nothing has left the inbox before its time"
    claimed = [each for each in inbox.wait(good, 0) if each is not None]
    assert len(claimed) == (0 if SEQUENCE_STEPS.index(step) < SEQUENCE_STEPS.index("pointed") else 3)
    successor = deployment if heir == "the same machine" else deployment.twin(tmp_path / "heir")
    in_a_process(take, successor.home.path, store)
    events = audit(deployment)
    assert sorted(ids(events)[5:8]) == sorted(event_id_of(each.payload) for each in good)
    rejected = [each for each in events if each.event.type == "event.rejected"]
    assert [each.event.body["bytes_sha256"] for each in rejected] == [Digest.of(data).hex]
    assert deployment.store.read(keyspace.quarantine(Digest.of(data))) == data
    assert len(events) == 9
    assert waiting(deployment) == []
    assert None not in inbox.wait(good, 0)


def submit_and_die(home: Path, store: Path, envelope: bytes) -> None:
    deployment = place(home, store)

    def hook(reached: str) -> None:
        if reached == "submitted":
            die()

    inbox: Inbox = inbox_of(deployment, wait_s=0, hook=hook)
    inbox.submit([Envelope.parse(envelope)])


def test_what_a_killed_worker_submitted_is_taken_and_submitting_it_again_is_right(
    deployment: Deployment, store: Path, tmp_path: Path
) -> None:
    worker = enrol(deployment, tmp_path / "worker")
    envelope = worker.event()
    in_a_process(submit_and_die, worker.home.path, store, envelope.format(), dies=True)
    in_a_process(take, deployment.home.path, store)
    (receipt,) = inbox_of(worker, wait_s=0).submit([envelope])
    assert receipt is not None
    assert len(audit(deployment)) == 6
