"""Whatever a run left when it died, each start gets one end, and what was signed is submitted as it was signed."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.errors import StoreDown
from archive.home import Home
from archive.journal import Journal, SpooledBlob, read_journal
from archive.log import LoggedEvent
from archive.recovery import Recovered, pending, recover
from archive.spool import JOURNAL, RunSpool, Spool
from custody import canonical, keyspace
from custody.digest import Digest
from custody.event import Envelope, Event, Ref, Subject
from custody.model import Json, Role
from tests.archive.deployment import Deployment, UnreliableStore, audit, now

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__])


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "store").mkdir()
    made = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    made.open()
    return made


def spool_of(deployment: Deployment) -> Spool:
    return Spool(deployment.home.spool, clock=now)


def run_recovery(deployment: Deployment) -> Recovered:
    return recover(spool_of(deployment), sequencer=deployment.open(), scribe=deployment.scribe())


def die(run: RunSpool) -> None:
    """What is left of a process when it is killed: its files, and a lock that nobody holds."""
    run.journal.close()
    os.close(run._lock)


def begin(deployment: Deployment) -> RunSpool:
    return spool_of(deployment).run(deployment.scribe().new_id())


def capture_of(envelope: Envelope) -> str:
    return str(Event.parse(envelope.payload).body["capture"])


def start(deployment: Deployment, run: RunSpool) -> Envelope:
    """A capture that was begun in the log, with one file in hand."""
    envelope = deployment.event()
    run.journal.intent(envelope)
    (receipt,) = deployment.open().append([envelope])
    run.journal.started(envelope, receipt)
    run.visit(capture_of(envelope)).write(Role.VIEWPORT, "viewport.png", "image/png", b"pixels")
    return envelope


def sign_end(deployment: Deployment, run: RunSpool, started: Envelope) -> tuple[Envelope, bytes]:
    """An end that was signed while the store was away: what it rests on lies in the spool."""
    capture = capture_of(started)
    detail = canonical.dumps({"schema": 1, "nonce": "0" * 32, "capture": capture, "reason": "interrupted"})
    spooled = run.visit(capture).write(Role.RECORD, "detail.json", "application/json", detail)
    envelope = deployment.scribe().event(
        "capture.abandoned",
        chain=f"item:{capture}",
        subject=Subject(name="detail.json", digest=spooled.digest, bytes=spooled.bytes),
        body={"capture": capture, "reason": "interrupted"},
        refs=(Ref(rel="started_by", payload_sha256=started.payload_sha256),),
    )
    run.journal.end(envelope, [SpooledBlob(digest=spooled.digest, path=spooled.path.relative_to(run.path))])
    return envelope, detail


def ends(deployment: Deployment, started: Envelope) -> list[LoggedEvent]:
    ref = Ref(rel="started_by", payload_sha256=started.payload_sha256)
    return [each for each in audit(deployment) if ref in each.event.refs]


def left(deployment: Deployment) -> list[str]:
    return sorted(each.name for each in deployment.home.spool.iterdir())


def test_nothing_to_recover(deployment: Deployment) -> None:
    assert run_recovery(deployment) == Recovered()
    assert pending(spool_of(deployment)) == []


def test_a_start_without_an_end_is_abandoned_and_what_was_in_hand_is_kept(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    die(run)
    (waiting,) = pending(spool_of(deployment))
    assert (waiting.run, waiting.unended, waiting.unsubmitted) == (run.run_id, 1, 0)
    assert run_recovery(deployment) == Recovered(abandoned=[capture_of(started)])
    (end,) = ends(deployment, started)
    assert (end.event.type, end.event.body["reason"]) == ("capture.abandoned", "worker_died")
    detail = canonical.loads(deployment.store.read(keyspace.blob(end.event.subjects[0].digest)))
    assert isinstance(detail, dict)
    assert detail["files"] == [{"name": "viewport.png", "bytes": 6, "sha256": Digest.of(b"pixels").hex}]
    assert deployment.store.read(keyspace.blob(Digest.of(b"pixels"))) == b"pixels"
    assert left(deployment) == []
    assert run_recovery(deployment) == Recovered()
    assert len(ends(deployment, started)) == 1


def test_a_run_that_was_told_to_stop_was_interrupted(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    run.journal.interrupted()
    die(run)
    run_recovery(deployment)
    (end,) = ends(deployment, started)
    assert end.event.body["reason"] == "interrupted"


def test_a_signed_end_is_submitted_as_it_was_signed_with_what_it_rests_on(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    envelope, detail = sign_end(deployment, run, started)
    die(run)
    (waiting,) = pending(spool_of(deployment))
    assert (waiting.unended, waiting.unsubmitted) == (0, 1)
    assert run_recovery(deployment) == Recovered(submitted=[capture_of(started)])
    (end,) = ends(deployment, started)
    assert end.leaf.event == envelope
    assert deployment.store.read(keyspace.blob(Digest.of(detail))) == detail
    assert left(deployment) == []


def test_an_end_that_the_log_has_already_is_not_submitted_twice(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    envelope, detail = sign_end(deployment, run, started)
    deployment.scribe().blob("detail.json", detail)
    deployment.open().append([envelope])
    die(run)
    run_recovery(deployment)
    assert [each.leaf.event for each in ends(deployment, started)] == [envelope]
    assert left(deployment) == []


@pytest.mark.parametrize("harm", ["removed", "changed", "linked away"])
def test_a_signed_end_whose_evidence_is_gone_is_not_claimed(deployment: Deployment, tmp_path: Path, harm: str) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    envelope, detail = sign_end(deployment, run, started)
    spooled = run.path / capture_of(started) / "detail.json"
    spooled.unlink()
    if harm == "changed":
        spooled.write_bytes(detail[:-1])
    elif harm == "linked away":
        (tmp_path / "elsewhere").write_bytes(detail)
        spooled.symlink_to(tmp_path / "elsewhere")
    die(run)
    recovered = run_recovery(deployment)
    assert recovered.submitted == []
    assert recovered.abandoned == [capture_of(started)]
    assert "a signed end cannot be submitted" in recovered.problems[0]
    (end,) = ends(deployment, started)
    assert end.leaf.event != envelope
    assert end.event.body["reason"] == "worker_died"
    assert left(deployment) == [f"kept-{run.path.name}"]
    assert run_recovery(deployment) == Recovered()


def test_an_intent_that_never_reached_the_log_owes_nothing(deployment: Deployment) -> None:
    run = begin(deployment)
    run.journal.intent(deployment.event())
    die(run)
    assert run_recovery(deployment) == Recovered()
    assert len(audit(deployment)) == 4
    assert left(deployment) == []


def test_an_intent_that_the_log_has_is_a_start_even_if_its_receipt_was_never_seen(deployment: Deployment) -> None:
    run = begin(deployment)
    envelope = deployment.event()
    run.journal.intent(envelope)
    deployment.open().append([envelope])
    die(run)
    assert run_recovery(deployment).abandoned == [capture_of(envelope)]
    assert len(ends(deployment, envelope)) == 1


def test_a_run_that_is_alive_is_left_alone(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    assert pending(spool_of(deployment)) == []
    assert run_recovery(deployment) == Recovered()
    assert ends(deployment, started) == []
    die(run)


def test_a_torn_last_line_is_what_a_crash_leaves(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    sign_end(deployment, run, started)
    die(run)
    path = run.path / JOURNAL
    path.write_bytes(path.read_bytes()[:-20])
    assert read_journal(path).torn
    assert run_recovery(deployment) == Recovered(abandoned=[capture_of(started)])
    assert len(ends(deployment, started)) == 1


def test_a_damaged_journal_is_reported_kept_and_gives_no_second_end(deployment: Deployment) -> None:
    run = begin(deployment)
    ended, unended = start(deployment, run), start(deployment, run)
    envelope, detail = sign_end(deployment, run, ended)
    deployment.scribe().blob("detail.json", detail)
    (receipt,) = deployment.open().append([envelope])
    run.journal.submitted(envelope, receipt)
    die(run)
    path = run.path / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(at for at, line in enumerate(lines) if b'"kind":"end"' in line)
    path.write_bytes(b"".join([*lines[:at], b"~" + lines[at][1:], *lines[at + 1 :]]))
    recovered = run_recovery(deployment)
    assert recovered.abandoned == [capture_of(unended)]
    assert "the journal is damaged" in recovered.problems[0]
    assert left(deployment) == [f"kept-{run.path.name}"]
    assert [each.leaf.event for each in ends(deployment, ended)] == [envelope]
    assert len(ends(deployment, unended)) == 1


def test_a_journal_that_points_out_of_its_run_reads_nothing_there(deployment: Deployment, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"a private key")
    run = begin(deployment)
    started = start(deployment, run)
    envelope, _ = sign_end(deployment, run, started)
    outside = SpooledBlob(digest=Digest.of(b"a private key"), path=Path("../../..") / secret.name)
    assert (run.path / outside.path).resolve() == secret.resolve(), "it would be found"
    run.journal.end(envelope, [outside])
    die(run)
    assert run_recovery(deployment).problems
    assert keyspace.blob(outside.digest) not in set(deployment.store.keys("v1/blobs/"))


def test_a_store_that_is_down_leaves_everything_for_the_next_time(deployment: Deployment) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    sign_end(deployment, run, started)
    die(run)
    store = UnreliableStore(deployment.store, matches=lambda key: key.startswith(keyspace.BLOBS), down=True)
    scribe = deployment.scribe()
    scribe.store = store
    with pytest.raises(StoreDown):
        recover(spool_of(deployment), sequencer=deployment.open(), scribe=scribe)
    assert store.triggered
    assert left(deployment) == [run.path.name]
    assert run_recovery(deployment).submitted == [capture_of(started)]


# Killed while it recovers


def recover_and_die(home: Path, store: Path, step: str) -> None:
    deployment = Deployment(Home.open(home, clock=now), DirectoryStore(store))
    armed = False

    def hook(reached: str) -> None:
        if armed and reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sequencer = deployment.open(hook=hook)
    armed = True
    if step == "journalled":
        sign = Journal.end

        def end(journal: Journal, envelope: Envelope, blobs: tuple[SpooledBlob, ...] = ()) -> None:
            sign(journal, envelope, blobs)
            os.kill(os.getpid(), signal.SIGKILL)

        Journal.end = end  # type: ignore[method-assign,assignment]
    recover(spool_of(deployment), sequencer=sequencer, scribe=deployment.scribe())


@pytest.mark.parametrize("step", ["journalled", "built", "committed", "pointed", "advanced"])
def test_a_recovery_that_is_killed_and_begun_again_comes_to_the_same(
    deployment: Deployment, tmp_path: Path, step: str
) -> None:
    run = begin(deployment)
    started = start(deployment, run)
    die(run)
    process = FRESH.Process(target=recover_and_die, args=(deployment.home.path, tmp_path / "store", step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert left(deployment) == [run.path.name]
    recovered = run_recovery(deployment)
    assert recovered.problems == []
    assert [*recovered.submitted, *recovered.abandoned] == [capture_of(started)]
    assert len(ends(deployment, started)) == 1
    assert left(deployment) == []


def test_what_is_signed_but_no_end_is_submitted_too(deployment: Deployment) -> None:
    run = begin(deployment)
    scribe = deployment.scribe()
    counts: dict[str, Json] = dict.fromkeys(("captures", "complete", "partial", "failed", "lost"), 0)
    opened = scribe.event(
        "run.opened", chain=f"run:{run.run_id}", run=run.run_id, subject=scribe.detail("run.json", {}),
        body={"purpose": "case"},
    )  # fmt: skip
    deployment.open().append([opened])
    closed = scribe.event(
        "run.closed", chain=f"run:{run.run_id}", run=run.run_id, subject=scribe.detail("run-closed.json", {}),
        body=counts,
    )  # fmt: skip
    run.journal.end(closed)
    die(run)
    run_recovery(deployment)
    assert audit(deployment)[-1].leaf.event == closed
