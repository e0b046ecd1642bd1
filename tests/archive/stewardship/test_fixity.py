"""Reading back what is kept: every fault found, and nothing else called one."""

import os
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.directory import DirectoryStore
from archive.errors import StoreDown, UsageError
from archive.stewardship import fixity
from archive.stewardship.desk import Shelf
from archive.stewardship.fixity import Report, Sample, sample_size
from custody import keyspace
from custody.artifact import Lock
from custody.checks import locks
from custody.digest import Digest
from tests.archive.deployment import now
from tests.archive.shelves import WatchedStore
from tests.archive.stewardship.office import Office, failures


def examine(office: Office, *, scope: str | None = None, sample: str | None = None, seed: bytes = b"x" * 32) -> Report:
    desk = office.desk
    return fixity.examine(desk, desk.survey(), scope=scope, sample=sample, seed=seed, purpose="asked", clock=now)


def path_of(office: Office, data: bytes) -> Path:
    assert isinstance(office.store, DirectoryStore)
    path = office.store.root / keyspace.blob(Digest.of(data))
    assert path.read_bytes() == data
    path.chmod(0o644)
    return path


def test_what_is_whole_holds_and_is_recorded(office: Office) -> None:
    scope = office.case("Love v. Screw")
    office.capture(scope=scope, files={"dom": b"<p>", "text": b"words"})
    report = examine(office)
    assert report.faults == []
    names = {each.digest for each in office.survey.claims}
    assert report.read.keys() == names | {Digest.of(b"<p>"), Digest.of(b"words")}
    fixity.record(office.desk, report)
    (told,) = office.reader.events("fixity.verified")
    assert told.event.body == {
        "purpose": "asked", "method": "download", "checked": len(report.read), "failed": 0, "bytes": report.bytes,
    }  # fmt: skip
    detail = office.desk.detail(told.event.subjects[0].digest)
    assert {each["sha256"]: each["bytes"] for each in detail["blobs"]} == {d.hex: n for d, n in report.read.items()}
    listed = "".join(f"{each}\n" for each in sorted(each["sha256"] for each in detail["blobs"]))
    assert detail["list_sha256"] == sha256(listed.encode()).hexdigest()
    assert failures(office.verdict()) == {}


def test_each_fault_is_named_with_the_captures_that_name_the_blob(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    shared = b"a logo"
    first = shed.capture(scope=scope, files={"dom": b"altered", "body": shared})
    second = shed.capture(scope=scope, files={"dom": b"shortened", "text": b"gone", "body": shared})
    path_of(shed, b"altered").write_bytes(b"Altered")
    path_of(shed, b"shortened").write_bytes(b"short")
    path_of(shed, b"gone").unlink()
    path_of(shed, shared).write_bytes(b"A logo")
    report = examine(shed)
    found = {(each.digest, each.kind): {claim.capture for claim in each.named_by} for each in report.faults}
    assert found == {
        (Digest.of(b"altered"), "bytes"): {first},
        (Digest.of(b"shortened"), "size"): {second},
        (Digest.of(b"shortened"), "bytes"): {second},
        (Digest.of(b"gone"), "missing"): {second},
        (Digest.of(shared), "bytes"): {first, second},
    }
    assert report.failed == 4


def test_a_link_in_place_of_a_blob_is_a_missing_blob(shed: Office, tmp_path: Path) -> None:
    shed.capture(scope=shed.case("Love v. Screw"), files={"dom": b"page"})
    path = path_of(shed, b"page")
    (tmp_path / "elsewhere").write_bytes(b"page")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert path.read_bytes() == b"page", "whoever follows it is deceived"
    (fault,) = examine(shed).faults
    assert (fault.digest, fault.kind) == (Digest.of(b"page"), "missing")


def test_a_case_is_looked_at_alone(shed: Office) -> None:
    mine, other = shed.case("Mine"), shed.case("Other")
    shed.capture(scope=mine, files={"dom": b"mine"})
    shed.capture(scope=other, files={"dom": b"other"})
    path_of(shed, b"other").write_bytes(b"Other")
    assert examine(shed).failed == 1
    report = examine(shed, scope=mine)
    assert report.faults == []
    assert Digest.of(b"mine") in report.read
    assert Digest.of(b"other") not in report.read


def test_a_sample_can_be_drawn_again_by_anybody(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    for n in range(10):
        shed.capture(scope=scope, files={"dom": b"page %d" % n})
    whole = examine(shed)
    report = examine(shed, sample="5")
    told = report.to_json()["sample"]
    assert told == {"seed": (b"x" * 32).hex(), "count": 5, "of": len(whole.read), "order": "SHA-256(seed || digest)"}
    again = sorted(whole.read, key=lambda each: sha256(b"x" * 32 + each.raw).digest())[:5]
    assert list(report.read) == again
    assert examine(shed, sample="5", seed=b"y" * 32).read.keys() != report.read.keys()


@given(st.sets(st.binary(min_size=1, max_size=4), min_size=1), st.binary(min_size=32, max_size=32), st.integers(1, 40))
def test_a_sample_is_part_of_what_there_is_and_no_order_of_arguments_changes_it(
    given_: set[bytes], seed: bytes, count: int
) -> None:
    digests = [Digest.of(each) for each in given_]
    drawn = Sample(seed=seed, count=count, of=len(digests)).draw(digests)
    assert drawn == Sample(seed=seed, count=count, of=len(digests)).draw(reversed(digests))
    assert len(drawn) == len(set(drawn)) == min(count, len(digests))
    assert set(drawn) <= set(digests)


@pytest.mark.parametrize(
    ("text", "of", "size"),
    [("5", 100, 5), ("500", 100, 100), ("5%", 100, 5), ("1%", 10, 1), ("100%", 7, 7), ("33%", 10, 4), ("5%", 0, 0)],
)
def test_a_sample_is_a_number_or_a_share(text: str, of: int, size: int) -> None:
    assert sample_size(text, of) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "101%", "5 %", "five", "1e3", "٣"])
def test_a_sample_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"a sample is|a share is"):
        sample_size(text, 100)


def test_a_store_that_is_down_is_no_word_on_any_blob(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    for n in range(12):
        shed.capture(scope=scope, files={"dom": b"page %d" % n})
    survey = shed.survey
    store = WatchedStore(shed.store)
    shelf = Shelf(store=store, reader=shed.reader)
    list(shelf.artifacts(survey.claims, unread=[]))
    store.dies_after = len(store.opened) + 20
    with pytest.raises(StoreDown):
        fixity.examine(shelf, survey, scope=None, sample=None, seed=b"", purpose="asked", clock=now)


@pytest.mark.s3
def test_locks_and_versions_are_held_against_the_record(vault: Office) -> None:
    scope = vault.case("Love v. Screw")
    capture = vault.capture(scope=scope, files={"dom": b"page", "text": b"words"})
    report = examine(vault)
    assert (report.faults, report.locks, report.keeps_locks) == ([], 2, True)
    key = keyspace.blob(Digest.of(b"page"))
    vault.store.replace(key, b"page")
    assert len(list(vault.store.versions(key))) == 2
    report = examine(vault)
    found = {(each.digest, each.kind) for each in report.faults}
    page = Digest.of(b"page")
    assert found == {(page, "versions"), (page, "version"), (page, "lock")}
    assert {claim.capture for each in report.faults for claim in each.named_by} == {capture}
    assert examine(vault, sample="100%").failed == 1, "a few are listed one by one"


def test_a_lock_is_weak_when_it_ends_sooner_or_can_be_got_round() -> None:
    at: datetime = now()
    recorded = Lock(mode="GOVERNANCE", retain_until=at)
    assert locks.is_weaker(recorded, None)
    assert locks.is_weaker(recorded, Lock(mode="GOVERNANCE", retain_until=at - timedelta(seconds=1)))
    assert not locks.is_weaker(recorded, Lock(mode="COMPLIANCE", retain_until=at + timedelta(days=1)))
    longer = Lock(mode="GOVERNANCE", retain_until=at + timedelta(days=1))
    assert not locks.is_weaker(recorded, longer)
    assert locks.is_weaker(Lock(mode="COMPLIANCE", retain_until=at), longer)


def test_tells_how_far_it_is(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    shed.capture(scope=scope, files={f"tile{n}": os.urandom(8) for n in range(600)})
    assert examine(shed).failed == 0
    assert [each for each in shed.told if each.startswith("500 of")]
