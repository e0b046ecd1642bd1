"""What the log has of a look; and that a start gets one end, whoever writes it: here, elsewhere, late or twice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import breakoff
from archive.draft import EventRefused
from archive.looked import Looked, abandon
from archive.lookid import end_id, look_id
from archive.memory import MemoryStore
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from custody.digest import Digest
from custody.event import Envelope, Ref
from custody.ids import is_uuid7, made_at
from custody.model import Json, Origin, Outcome, Started, Status, Visit
from custody.record import Record
from tests.archive.deployment import Deployment, audit, now, tomorrow

WATCH = "01a2296c-9ffc-7f30-afe5-802952023968"
DUE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@dataclass
class Begun:
    """A start in the log, and its worker's own end for it, signed and not submitted."""

    capture: str
    start: Envelope
    end: Envelope


def begin(deployment: Deployment, sequencer: Sequencer, look: str, *, attempt: int = 1) -> Begun:
    scribe = deployment.scribe()
    capture = scribe.new_id()
    body: dict[str, Json] = {
        "capture": capture,
        "attempt": attempt,
        "deadline": "2030-01-01T00:00:00.000Z",
        "look_id": look,
    }
    start = scribe.event(
        "capture.started",
        chain=f"item:{capture}",
        subject=scribe.detail("job.json", {"capture_id": capture}),
        body=body,
    )
    sequencer.append([start])
    end = scribe.event(
        "capture.abandoned",
        chain=f"item:{capture}",
        subject=scribe.detail("detail.json", {"capture": capture, "reason": "interrupted", "files": []}),
        body={"capture": capture, "reason": "interrupted"},
        refs=(Ref(rel="started_by", payload_sha256=start.payload_sha256),),
        event_id=end_id(start.payload_sha256, capture),
    )
    return Begun(capture, start, end)


def failed(begun: Begun, outcome: Outcome, reason: str) -> Record:
    at = now()
    started = Started(payload_sha256=begun.start.payload_sha256, index=1, job_sha256=Digest.of(b"job"))
    visit = Visit(
        capture_id=begun.capture, unit=begun.capture, parent=None, via=None, depth=1, run=begun.capture, scope="case:x",
        started=started, requested_url="https://shop.example/", final_url=None, title=None, hops=(), http_status=None,
        status=Status.FAILED, outcome=outcome, outcome_reason=reason, origin=Origin.UNVERIFIED,
        origin_reasons=("nothing of the site was shown",), snapshots=(), missing=(), candidates=(),
        times={"requested_at": at, "closed_at": at}, circumstances={}, spool=Path(),
    )  # fmt: skip
    return Record.of(visit, artifacts=(), nonce="0" * 32)


def scribe_of(deployment: Deployment) -> Scribe:
    return Scribe(deployment.store, deployment.home.signers.worker, clock=now, retain_until=tomorrow)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def test_the_id_of_a_look_is_the_same_for_everybody_and_of_no_other() -> None:
    one = look_id(WATCH, DUE)
    assert is_uuid7(one)
    assert made_at(one) == DUE
    assert one == look_id(WATCH.upper(), DUE.astimezone())
    assert len({one, look_id(WATCH, DUE + timedelta(seconds=1)), look_id(WATCH[:-1] + "9", DUE)}) == 3
    assert one == "01a19b7c-a680-7ea7-97c9-9704fb2a4ead"  # docs/manifest.md has it as an example


def test_the_end_of_a_start_has_one_id() -> None:
    digest, capture = Digest.of(b"start"), look_id(WATCH, DUE)
    assert is_uuid7(end_id(digest, capture))
    assert end_id(digest, capture) == end_id(digest, capture) != end_id(Digest.of(b"other"), capture)


def test_a_look_that_was_never_begun_is_open_for_anybody(deployment: Deployment) -> None:
    sequencer = deployment.open()
    before = Looked(sequencer.reader, sequencer.refresh).before(look_id(WATCH, DUE), since=now())
    assert (before.begun, before.open, before.done) == ((), (), None)


def test_an_open_start_is_found_and_given_up_and_its_own_worker_comes_too_late(
    deployment: Deployment, tmp_path: Path
) -> None:
    look, sequencer = look_id(WATCH, DUE), deployment.open()
    begun = begin(deployment, sequencer, look)
    elsewhere = deployment.twin(tmp_path / "elsewhere")
    other = elsewhere.open()
    looked = Looked(other.reader, other.refresh)
    (found,) = looked.before(look, since=now()).open
    assert (found.capture, found.attempt) == (begun.capture, 1)
    assert abandon(found, scribe=scribe_of(elsewhere), ledger=other)
    assert looked.before(look, since=now()).open == ()
    with pytest.raises(EventRefused) as late:
        sequencer.append([begun.end])
    assert late.value.code == "EVENT_DUPLICATE"
    assert sum(each.event.type == "capture.abandoned" for each in audit(deployment)) == 1


def test_who_gives_up_a_capture_that_has_its_end_is_told_so(deployment: Deployment, tmp_path: Path) -> None:
    look, sequencer = look_id(WATCH, DUE), deployment.open()
    begun = begin(deployment, sequencer, look)
    elsewhere = deployment.twin(tmp_path / "elsewhere")
    other = elsewhere.open()
    (found,) = Looked(other.reader, other.refresh).before(look, since=now()).open
    sequencer.append([begun.end])
    assert not abandon(found, scribe=scribe_of(elsewhere), ledger=other)
    assert sum(each.event.type == "capture.abandoned" for each in audit(deployment)) == 1


@pytest.mark.parametrize(
    ("outcome", "stage", "reason", "counts"),
    [
        ("timeout", "visit", "the page did not load in time", True),
        ("error", "archiving", "lost in archiving: no room", True),  # what it saw is kept
        ("error", "visit", "shop.example: the host refused the connection", True),  # that is what came of asking it
        ("error", "visit", "the address redirects more than 20 times", True),
        ("error", "visit", breakoff.INTERRUPTED, False),  # as by a worker that was told to stop
        ("error", "visit", f"{breakoff.DIED}: Target crashed", False),
        ("error", "visit", "lost in visit: ValueError()", False),
        ("error", "visit", None, False),  # nobody can say: looked at once more
    ],
)
def test_only_what_was_not_given_up_or_broken_off_counts_as_done(
    deployment: Deployment, outcome: str, stage: str, reason: str | None, counts: bool
) -> None:
    look, sequencer = look_id(WATCH, DUE), deployment.open()
    looked = Looked(sequencer.reader, sequencer.refresh)
    sequencer.append([begin(deployment, sequencer, look).end])
    second = begin(deployment, sequencer, look, attempt=2)
    before = looked.before(look, since=now())
    assert (before.done, [each.capture for each in before.open]) == (None, [second.capture])
    scribe = deployment.scribe()
    record = scribe.detail("record.json", {"capture": second.capture})
    if reason is not None:
        record = scribe.blob("record.json", failed(second, Outcome(outcome), reason).format())
    at = "2026-11-02T09:00:00.000Z"
    completed = scribe.event(
        "capture.failed",
        chain=f"item:{second.capture}",
        subject=record,
        body={
            "capture": second.capture, "status": "failed", "outcome": outcome, "http_status": None, "started_at": at,
            "ended_at": at, "stage": stage,
        },
        refs=(Ref(rel="started_by", payload_sha256=second.start.payload_sha256),),
        event_id=end_id(second.start.payload_sha256, second.capture),
    )  # fmt: skip
    sequencer.append([completed])
    before = looked.before(look, since=now())
    assert [each.capture for each in before.roots] == ([second.capture] if counts else [])
    assert before.open == ()


def test_reading_begins_where_the_look_was_due_and_not_where_the_log_does(deployment: Deployment) -> None:
    """Commits of long ago are not read; one that was asked for with an earlier time is found all the same."""
    sequencer = deployment.open()
    look = look_id(WATCH, DUE)
    begun = begin(deployment, sequencer, look)
    for _ in range(20):
        sequencer.append([deployment.event()])
    read: list[int] = []
    original = sequencer.reader.parse

    def counting(n: int, index: int, data: bytes):  # type: ignore[no-untyped-def]
        read.append(index)
        return original(n, index, data)

    sequencer.reader.parse = counting  # type: ignore[method-assign]
    looked = Looked(sequencer.reader, sequencer.refresh)
    assert looked.before(look, since=now() + timedelta(hours=2)).begun == ()
    assert len(read) <= 2
    assert [each.capture for each in looked.before(look, since=now()).begun] == [begun.capture]
