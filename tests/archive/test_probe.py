"""The probe lets a real store pass, refuses a pretender, and each of its checks can fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import werkzeug.serving
from moto.server import ThreadedMotoServer

from archive.directory import DirectoryStore
from archive.errors import StoreDenied, StoreDown, StoreError, StoreUnsafe
from archive.memory import MemoryStore
from archive.probe import Check, ProbeReport, examine, probe
from archive.s3 import Credentials, S3Store
from archive.store import ObjectStore, Stored
from custody import canonical
from custody.digest import Digest
from custody.instant import format_utc
from tests.archive.conftest import MakeS3
from tests.archive.faulty import Accept, AlterAnswer, Delay, Fault, FaultyProxy, LoseAnswer, Refuse, SetHeader

Clock = Callable[[], datetime]


def failed(report: ProbeReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


@pytest.fixture
def moto() -> Iterator[S3Store]:
    """The negative control: well known, widely used in tests, and no place for evidence."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    credentials = Credentials(access_key="moto", secret_key="moto")
    store = S3Store(bucket="pretender", endpoint=f"http://{host}:{port}", credentials=credentials)
    store.make_bucket()
    yield store
    store.close()
    server.stop()


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(werkzeug.serving.WSGIRequestHandler, "log", lambda *_: None)
    assert issubclass(werkzeug.serving.WSGIRequestHandler, BaseHTTPRequestHandler)


@pytest.mark.s3
def test_the_embedded_store_passes_and_its_governance_can_be_bypassed(make_s3: MakeS3, clock: Clock) -> None:
    store = make_s3()
    report = probe(store, clock=clock)
    assert report.passed
    assert (report.lock, report.bypass) == ("GOVERNANCE", "yes")
    assert [check.name for check in report.checks] == [
        "takes_locked",
        "created_once",
        "wrong_checksum_refused",
        "checksum_kept",
        "old_versions_stay",
        "lock_kept",
        "locked_delete_refused",
        "lock_shortening_refused",
    ]
    assert list(store.versions("")) == [], "nothing is left behind where it may be removed"


@pytest.mark.s3
def test_compliance_cannot_be_bypassed_and_what_is_left_is_soon_free(make_s3: MakeS3, clock: Clock) -> None:
    store = make_s3(lock_mode="COMPLIANCE")
    report = probe(store, clock=clock)
    assert (report.lock, report.bypass, report.checks[-1].name) == ("COMPLIANCE", "no", "compliance_holds")
    (left,) = store.versions("")
    lock = store.head(left.key).lock
    assert lock is not None
    assert lock.retain_until - report.at <= timedelta(minutes=2, seconds=1)


def test_moto_is_refused_and_told_why(moto: S3Store, clock: Clock) -> None:
    report = examine(moto, clock=clock)
    assert failed(report) == ["wrong_checksum_refused", "checksum_kept", "lock_shortening_refused"]
    with pytest.raises(
        StoreUnsafe,
        match=r"^STORE_UNSAFE: s3://pretender fails the check wrong_checksum_refused \(and checksum_kept, "
        r"lock_shortening_refused\): bytes with a wrong SHA-256 were answered 200; it needs additional checksums",
    ):
        probe(moto, clock=clock)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One request of the probe that meets a fault."""

    method: str
    fault: Fault
    within: str = ""
    after: int = 0
    """How many such requests go through before it."""


ELSE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # SHA-256 of nothing


@pytest.mark.s3
@pytest.mark.parametrize(
    ("spoilt", "check"),
    [
        (Spoilt("PUT", Refuse(400, "InvalidRequest")), "takes_locked"),
        (Spoilt("PUT", Accept(), after=1), "created_once"),
        (Spoilt("PUT", Refuse(400, "InvalidRequest"), after=1), "created_once"),
        (Spoilt("PUT", Accept(), within="-damaged"), "wrong_checksum_refused"),
        (Spoilt("HEAD", SetHeader("x-amz-checksum-sha256", ELSE)), "checksum_kept"),
        (Spoilt("HEAD", SetHeader("x-amz-checksum-sha256", None)), "checksum_kept"),
        (Spoilt("HEAD", SetHeader("x-amz-checksum-type", "COMPOSITE")), "checksum_kept"),
        (Spoilt("HEAD", SetHeader("x-amz-version-id", None)), "old_versions_stay"),
        (Spoilt("PUT", Accept(), after=3), "old_versions_stay"),
        (Spoilt("HEAD", SetHeader("x-amz-object-lock-mode", None)), "lock_kept"),
        (Spoilt("HEAD", SetHeader("x-amz-object-lock-mode", "COMPLIANCE")), "lock_kept"),
        (Spoilt("HEAD", SetHeader("x-amz-object-lock-retain-until-date", "2026-01-01T00:00:00Z")), "lock_kept"),
        (Spoilt("DELETE", Accept(204), after=1), "locked_delete_refused"),
        (Spoilt("GET", AlterAnswer(lambda _: b"other"), within="versionId"), "old_versions_stay"),
        (Spoilt("PUT", Accept(), within="retention"), "lock_shortening_refused"),
    ],
)
def test_each_check_can_fail(make_s3: MakeS3, proxy: FaultyProxy, clock: Clock, spoilt: Spoilt, check: str) -> None:
    if spoilt.after:
        proxy.on(spoilt.method, Fault(), within=spoilt.within, times=spoilt.after)
    proxy.on(spoilt.method, spoilt.fault, within=spoilt.within)
    report = examine(make_s3(endpoint=proxy.endpoint), clock=clock)
    assert failed(report)[0] == check
    with pytest.raises(StoreUnsafe, match=f"^STORE_UNSAFE: .* fails the check {check}"):
        report.require()


@pytest.mark.s3
def test_a_compliance_lock_that_gives_way_is_no_lock(make_s3: MakeS3, proxy: FaultyProxy, clock: Clock) -> None:
    proxy.on("DELETE", Fault(), times=2)
    proxy.on("DELETE", Accept(204))
    report = examine(make_s3(endpoint=proxy.endpoint, lock_mode="COMPLIANCE"), clock=clock)
    assert (failed(report), report.bypass) == (["compliance_holds"], "yes")


@pytest.mark.s3
@pytest.mark.parametrize(("fault", "bypass"), [(Refuse(403, "AccessDenied"), "no"), (Refuse(501), "unknown")])
def test_whether_our_own_credentials_can_bypass_is_said(
    make_s3: MakeS3, proxy: FaultyProxy, clock: Clock, fault: Fault, bypass: str
) -> None:
    proxy.on("DELETE", Fault(), times=2)
    proxy.on("DELETE", fault, times=None)
    store = make_s3(endpoint=proxy.endpoint, patience_s=0.5)
    if bypass == "unknown":
        with pytest.raises(StoreError):
            probe(store, clock=clock)
    else:
        assert probe(store, clock=clock).bypass == bypass


@pytest.mark.s3
def test_a_lost_answer_is_not_held_against_the_store(make_s3: MakeS3, proxy: FaultyProxy, clock: Clock) -> None:
    proxy.on("PUT", LoseAnswer())
    assert probe(make_s3(endpoint=proxy.endpoint), clock=clock).passed
    assert proxy.statuses("PUT")[:2] == [200, 412]


@pytest.mark.s3
def test_credentials_that_may_not_write_are_no_fault_of_the_store(
    make_s3: MakeS3, proxy: FaultyProxy, clock: Clock
) -> None:
    proxy.on("PUT", Refuse(403, "AccessDenied"), times=None)
    with pytest.raises(StoreDenied, match=r"said 403 AccessDenied to a new object below v1/probe/"):
        examine(make_s3(endpoint=proxy.endpoint), clock=clock)


@pytest.mark.s3
def test_no_answer_is_no_verdict(make_s3: MakeS3, proxy: FaultyProxy, clock: Clock) -> None:
    proxy.on("*", Delay(1.0), times=None)
    with pytest.raises(StoreDown):
        examine(make_s3(endpoint=proxy.endpoint, patience_s=0.2, timeout_s=0.3), clock=clock)


@pytest.mark.s3
def test_the_probe_touches_nothing_but_its_own(make_s3: MakeS3) -> None:
    raw = make_s3().raw()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: raw.put("v1/blobs/x", b"x", once=False),
        lambda: raw.delete("v1/blobs/x", "1", bypass=True),
        lambda: raw.retain("v1/blobs/x", "1", mode="GOVERNANCE", until=datetime.fromisoformat("2030-01-01T00:00:00Z")),
    )
    for attempt in attempts:
        with pytest.raises(StoreError, match="no key of the probe"):
            attempt()


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_store_without_locks_says_so(kind: str, tmp_path: Path, clock: Clock) -> None:
    store: ObjectStore = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path)
    report = probe(store, clock=clock)
    assert (report.passed, report.lock, report.bypass) == (True, "none", "yes")
    assert [check.name for check in report.checks] == ["created_once", "wrong_checksum_refused", "reads_back"]
    assert list(store.keys("")) == []


def test_a_directory_that_overwrites_is_unsafe(clock: Clock) -> None:
    class Careless(MemoryStore):
        def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
            assert isinstance(data, bytes)
            self.replace(key, data)
            return self.head(key)

    report = examine(Careless(), clock=clock)
    assert failed(report) == ["created_once", "wrong_checksum_refused", "reads_back"]


def test_the_report_is_a_blob_with_a_nonce_that_guesses_nothing(clock: Clock) -> None:
    at = clock()
    report = examine(MemoryStore(), clock=lambda: at)
    again = examine(MemoryStore(), clock=lambda: at)
    assert report.nonce != again.nonce
    assert Digest.of(canonical.dumps(report.to_json())) != Digest.of(canonical.dumps(again.to_json()))
    assert canonical.loads(canonical.dumps(report.to_json())) == {
        "schema": 1,
        "nonce": report.nonce,
        "at": format_utc(at),
        "store": "memory:",
        "lock": "none",
        "bypass": "yes",
        "passed": True,
        "checks": [{"name": each.name, "passed": True, "detail": each.detail} for each in report.checks],
    }


def test_a_report_names_all_that_failed(clock: Clock) -> None:
    checks = (
        Check(name="created_once", passed=False, detail="the second writer of a key was answered 200"),
        Check(name="checksum_kept", passed=True, detail=""),
        Check(name="lock_kept", passed=False, detail="the lock reads back as none"),
    )
    report = ProbeReport(store="s3://b", at=clock(), nonce="00" * 16, lock="GOVERNANCE", bypass="no", checks=checks)
    assert not report.passed
    with pytest.raises(StoreUnsafe, match=r"created_once \(and lock_kept\).*If-None-Match"):
        report.require()
