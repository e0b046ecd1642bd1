"""`recorded` on a real S3 server, with a proxy in between that loses, alters and delays its answers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.errors import ArchiveError, NotStored, StoreError
from archive.s3 import S3Store
from archive.sequencer import Sequencer
from custody import keyspace
from custody.event import Envelope, event_id_of
from tests.archive.conftest import MakeS3
from tests.archive.deployment import Deployment, audit, ids, now
from tests.archive.faulty import (
    Accept,
    AlterAnswer,
    Cut,
    Delay,
    Fault,
    FaultyProxy,
    LoseAnswer,
    Refuse,
    SetHeader,
)

pytestmark = pytest.mark.s3

# Parts of the keys that the third commit of a log with 5 leaves makes.
PARTS = {
    "commit": "/commit/00000000000000000003",
    "bundle": "/tile/entries/000.p/6",
    "tile": "/tile/0/000.p/6",
    "checkpoint": "/checkpoints/00000000000000000006",
}
EACH_PART = [pytest.param(part, marks=() if part == "commit" else pytest.mark.slow) for part in PARTS]


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if data else data


class Logged:
    """A log with 5 leaves in the real store, and a sequencer that reaches it through the proxy."""

    def __init__(self, path: Path, make_s3: MakeS3, proxy: FaultyProxy) -> None:
        self.direct: S3Store = make_s3()
        self.deployment = Deployment.make(path, self.direct)
        self.deployment.open().append([self.deployment.event()])
        self.proxy = proxy
        self._through = make_s3(endpoint=proxy.endpoint, patience_s=1.5, timeout_s=1.0)
        self.envelope = self.deployment.event()

    def sequencer(self) -> Sequencer:
        return self.deployment.open(store=self._through)

    def recorded(self, envelope: Envelope) -> bool:
        return event_id_of(envelope.payload) in ids(audit(self.deployment))


@pytest.fixture
def logged(tmp_path: Path, make_s3: MakeS3, proxy: FaultyProxy) -> Logged:
    return Logged(tmp_path, make_s3, proxy)


@pytest.mark.parametrize("part", EACH_PART)
@pytest.mark.parametrize(
    ("method", "fault"),
    [
        pytest.param("PUT", LoseAnswer(), id="answer lost"),
        pytest.param("PUT", Cut(), id="never arrives"),
        pytest.param("PUT", Refuse(503, "SlowDown"), id="busy"),
        pytest.param("PUT", Accept(headers=(("x-amz-version-id", "made-up"),)), id="said yes and did nothing"),
        pytest.param("GET", AlterAnswer(flip), id="reads back altered"),
        pytest.param("GET", Refuse(404, "NoSuchKey"), id="not found again"),
        pytest.param("GET", Cut(), id="cannot be read back"),
    ],
)
def test_without_a_read_back_there_is_no_receipt_and_later_there_is_one_event(
    logged: Logged, part: str, method: str, fault: Fault
) -> None:
    sequencer = logged.sequencer()
    before = len(logged.proxy.seen)
    logged.proxy.on(method, fault, within=PARTS[part], times=None)
    with pytest.raises(ArchiveError):
        sequencer.append([logged.envelope])
    assert any(PARTS[part] in each.path and each.method == method for each in logged.proxy.seen[before:])
    logged.proxy.heal()
    (receipt,) = sequencer.append([logged.envelope])
    assert receipt.index == 5
    assert len(audit(logged.deployment)) == 6


@pytest.mark.parametrize("part", EACH_PART)
@pytest.mark.parametrize(
    ("header", "value"), [("x-amz-checksum-sha256", None), ("x-amz-checksum-sha256", "A" * 43 + "=")]
)
def test_a_read_back_that_does_not_say_what_was_written_is_no_receipt(
    logged: Logged, part: str, header: str, value: str | None
) -> None:
    sequencer = logged.sequencer()
    logged.proxy.on("GET", SetHeader(header, value), within=PARTS[part], times=None)
    with pytest.raises(StoreError):
        sequencer.append([logged.envelope])
    logged.proxy.heal()
    assert sequencer.append([logged.envelope])[0].index == 5
    assert len(audit(logged.deployment)) == 6


def test_a_lock_that_is_shorter_than_asked_is_no_receipt(logged: Logged) -> None:
    sequencer = logged.sequencer()
    short = format(now(), "%Y-%m-%dT%H:%M:%SZ")
    logged.proxy.on("GET", SetHeader("x-amz-object-lock-retain-until-date", short), within=PARTS["commit"], times=None)
    with pytest.raises(StoreError, match="does not lock"):
        sequencer.append([logged.envelope])


def test_each_part_is_sent_once_and_read_back_once(logged: Logged) -> None:
    sequencer = logged.sequencer()
    sequencer.append([logged.envelope])
    before = len(logged.proxy.seen)
    sequencer.append([logged.deployment.event()])
    asked = [
        f"{each.method} {each.path.partition('?')[0].partition('/log/')[2]}" for each in logged.proxy.seen[before:]
    ]
    log = keyspace.log_prefix(logged.deployment.log).removeprefix("v1/log/")
    parts = (
        "commit/00000000000000000004",
        "tile/entries/000.p/7",
        "tile/0/000.p/7",
        "checkpoints/00000000000000000007",
    )
    once = [f"{method} {log}{part}" for part in parts for method in ("PUT", "GET")]
    # Whether the log still ends where we have read to; and the pointer, which others may overwrite.
    around = [f"HEAD {log}commit/00000000000000000003", *[f"GET {log}checkpoint"] * 3, f"PUT {log}checkpoint"]
    assert sorted(asked) == sorted([*once, *around])


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "fault", [LoseAnswer(), Cut(), Refuse(503, "SlowDown"), Delay(0.4)], ids=["lost", "cut", "busy", "slow"]
)
def test_a_fault_that_passes_is_survived_without_a_second_event(logged: Logged, part: str, fault: Fault) -> None:
    sequencer = logged.sequencer()
    logged.proxy.on("PUT", fault, within=PARTS[part])
    (receipt,) = sequencer.append([logged.envelope])
    assert receipt.index == 5
    assert len(audit(logged.deployment)) == 6


def test_a_commit_whose_answer_was_lost_is_ours_and_the_next_event_follows_it(logged: Logged) -> None:
    sequencer = logged.sequencer()
    logged.proxy.on("PUT", LoseAnswer(), within=PARTS["commit"], times=None)
    with pytest.raises(StoreError):
        sequencer.append([logged.envelope])
    with pytest.raises(NotStored):
        logged.direct.read(keyspace.checkpoint_at(logged.deployment.log, 6))
    logged.proxy.heal()
    other = logged.deployment.event()
    (receipt,) = sequencer.append([other])
    assert (receipt.n, receipt.index) == (4, 6)
    assert logged.recorded(logged.envelope)


def test_what_is_to_stay_is_locked_and_what_is_superseded_is_not(logged: Logged) -> None:
    deployment, log = logged.deployment, logged.deployment.log
    job = deployment.scribe().detail("job.json", {})
    deployment.open().append([deployment.event(subject=job) for _ in range(256)])
    locked: Callable[[str], bool] = lambda key: logged.direct.head(key).lock is not None  # noqa: E731
    keys = {key for key in logged.direct.keys(keyspace.log_prefix(log)) if "/keys/" not in key}
    cache = {keyspace.checkpoint(log)}
    partial = {key for key in keys if ".p/" in key}
    assert keyspace.tile(log, 0, 0) in keys - partial
    assert keyspace.entries(log, 0) in keys - partial
    assert {key for key in keys if not locked(key)} == partial | cache
    lock = logged.direct.head(keyspace.commit(log, 2)).lock
    assert lock is not None
    assert lock.retain_until > now()
