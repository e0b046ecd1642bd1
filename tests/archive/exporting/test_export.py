"""Exports: whole, sealed, silent about others, never over what is there."""

import base64
import json
import re
import resource
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.errors import DiskError, LogError, UsageError
from custody import keyspace
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.event import Event
from custody.instant import format_utc
from custody.leaf import Leaf
from custody.model import Role
from custody.proof import ConsistencyProof
from custody.record import Record
from custody.verify import verify
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import OURS, THEIRS, Office, judged, scopes_of, shared_item
from tests.archive.exporting.spoiling import artifact_in
from tests.custody.archive_builder import FILES


def codes(verdict: Any) -> list[str]:
    return [each.code for each in verdict.failures]


def everything(bag: Path) -> bytes:
    """Every byte of every file and name, with what is base64 in an entry decoded as well."""
    parts = []
    for path in sorted(bag.rglob("*")):
        parts.append(path.name.encode())
        if path.is_file():
            parts.append(path.read_bytes())
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                parts += [book.read(each) for each in book.namelist()]
        if path.parent.name == "custody" and path.name.startswith("entry-") and path.suffix == ".json":
            parts.append(base64.b64decode(json.loads(path.read_bytes())["event"]["payload"]))
    return b"\n".join(parts)


def test_a_good_export_holds(plain: HandedOver) -> None:
    verdict = judged(plain.bag, plain.office.trust)
    assert verdict.holds, [each.to_json() for each in verdict.findings]
    assert verdict.facts["captures"] == 3
    assert verdict.facts["time"] == "none"
    assert verdict.facts["origins"] == {"not_public": 3}


def test_with_an_authority_all_of_it_is_under_trusted_time(stamped: HandedOver) -> None:
    verdict = judged(stamped.bag, stamped.office.trust)
    assert verdict.holds, [each.to_json() for each in verdict.findings]
    assert verdict.facts["time"] == "trusted"
    assert stamped.made.tokens >= 2
    names = {each.name for each in (stamped.bag / "data/custody").iterdir()}
    assert "checkpoint.tsa-0.example.tsr" in names
    # The captures were stamped long before they were handed over, and the export can show that.
    assert any(name.startswith("checkpoint-") for name in names)


def test_it_holds_in_fifteen_years(stamped: HandedOver) -> None:
    assert judged(stamped.bag, stamped.office.trust, years=15).holds


def test_without_a_trust_file_it_is_only_consistent_in_itself(plain: HandedOver) -> None:
    verdict = judged(plain.bag, None)
    assert not verdict.holds
    assert verdict.word == "self-consistent only"


def test_nothing_of_the_other_case_is_in_it(plain: HandedOver) -> None:
    office = plain.office
    ours, theirs = office.items(office.cases[0]), office.items(office.cases[1])
    (shared,) = set(ours) & set(theirs)
    (other,) = set(theirs) - {shared}
    found = everything(plain.bag)
    assert OURS.encode() in found
    assert shared.encode() in found
    for secret in (THEIRS, office.cases[1], other):
        assert secret.encode() not in found
        assert not any(secret in path.as_posix() for path in plain.bag.rglob("*"))
    their_captures = [each for each in office.made.captures if each.unit == other]
    assert their_captures
    for each in their_captures:
        assert each.record_digest is not None
        assert each.record_digest.hex.encode() not in found


def test_an_item_alone_names_no_case_at_all(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    item = office.items(office.cases[0])[0]
    office.export(case=None, items=(item,))
    verdict = judged(tmp_path / "bag", office.trust)
    assert verdict.holds
    assert verdict.facts["scope"] is None
    found = everything(tmp_path / "bag")
    for secret in (*office.cases, OURS, THEIRS, office.items(office.cases[0])[1]):
        assert secret.encode() not in found


def test_an_item_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    with pytest.raises(UsageError, match="no item"):
        office.export(case=None, items=("019cb73d-4405-7000-8000-0000000000ff",))
    assert not (tmp_path / "bag").exists()


def test_the_log_holds_what_was_handed_over_and_to_whom_not(plain: HandedOver) -> None:
    leaf = json.loads((plain.bag / f"data/custody/entry-{plain.made.index}.json").read_bytes())
    payload = json.loads(base64.b64decode(leaf["event"]["payload"]))
    assert payload["predicateType"].endswith("/custody/evidence.exported/v1")
    body = payload["predicate"]["body"]
    assert body == {"entries": plain.made.entries - 1, "blobs": plain.made.blobs - 1, "bytes": body["bytes"]}
    blob = artifact_in(plain.bag, payload["subject"][0]["digest"]["sha256"])
    told = json.loads(blob.read_bytes())
    assert told["recipient"] == "the other side"
    assert told["scopes_sha256"] == Digest.of((plain.bag / "data/custody/scopes.json").read_bytes()).hex
    assert b"the other side" not in json.dumps(leaf).encode()
    assert OURS.encode() not in json.dumps(payload).encode()


def test_the_page_says_what_must_not_be_overlooked(plain: HandedOver, stamped: HandedOver) -> None:
    page = (plain.bag / "README.txt").read_text()
    assert "NO TRUSTED TIME" in page
    assert "NOT PUBLIC: 3 captures" in page
    assert plain.office.trust.digest.hex in page
    page = (stamped.bag / "README.txt").read_text()
    assert "NO TRUSTED TIME" not in page
    assert "No token lies before the captures" in page
    (not_after,) = re.findall(r"every capture had ended by (20\S+Z)\.", page)
    brackets = verify(stamped.office.store, stamped.office.trust, at=datetime.now(UTC), brackets=True).brackets
    leaves = [Leaf.parse(each.read_bytes()) for each in (stamped.bag / "data/custody").glob("entry-*.json")]
    ends = [brackets[each.index].not_after for each in leaves if Event.parse(each.event.payload).type in ENDS]
    assert len(ends) == 3
    assert not_after == format_utc(max(each for each in ends if each is not None))


def test_nothing_is_overwritten(plain: HandedOver) -> None:
    before = sorted(plain.bag.rglob("*"))
    with pytest.raises(UsageError, match="there already"):
        plain.office.export()
    assert sorted(plain.bag.rglob("*")) == before


def test_a_zip_holds_as_its_folder_does(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    office.export("evidence.zip", as_zip=True)
    assert judged(tmp_path / "evidence.zip", office.trust).holds
    assert sorted(each.name for each in tmp_path.iterdir()) == ["evidence.zip", "state"]
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"evidence"}
        archive.extractall(tmp_path / "unpacked")
    assert judged(tmp_path / "unpacked" / "evidence", office.trust).holds


@pytest.mark.parametrize("name", ["bag", "bag.zip"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path, shared_item())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(DiskError, match="disk is full"):
            office.export(name, as_zip=name.endswith(".zip"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state"]
    assert not list(office.ledger.reader.events("evidence.exported"))
    office.export(name, as_zip=name.endswith(".zip"))
    assert judged(tmp_path / name, office.trust).holds


@pytest.mark.parametrize("name", ["bag", "bag.zip"])
def test_what_the_store_lost_is_said_and_does_not_hold(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path, shared_item())
    record = office.made.captures[0].record
    assert record is not None
    lost, spoiled = record.artifacts[0], record.artifacts[2]
    del office.store._objects[keyspace.blob(lost.digest)]
    office.store._objects[keyspace.blob(spoiled.digest)] += b"!"
    made = office.export(name, as_zip=name.endswith(".zip"))
    assert sorted(each.reason for each in made.lost) == ["absent", "altered"]
    bag = unpacked(tmp_path / name)
    stated = json.loads((bag / "data/custody/missing.json").read_bytes())["blobs"]
    assert {each["sha256"] for each in stated} == {lost.digest.hex, spoiled.digest.hex}
    assert "MISSING: 2 files" in (bag / "README.txt").read_text()
    verdict = judged(tmp_path / name, office.trust)
    assert sorted(codes(verdict)) == ["BLOB_MISSING", "BLOB_MISSING"]
    assert {each.locator["name"] for each in verdict.failures} == {lost.name, spoiled.name}


@pytest.mark.parametrize("name", ["bag", "bag.zip"])
@pytest.mark.parametrize("more", [-1, 1])
def test_a_file_that_is_not_as_long_as_its_record_says_is_handed_over_as_it_is(
    tmp_path: Path, name: str, more: int
) -> None:
    made = shared_item()

    def other(record: Record) -> Record:
        first, *rest = record.artifacts
        return replace(record, artifacts=(replace(first, bytes=first.bytes + more), *rest))

    run = made.open_run()
    files = {**FILES, Role.SCREENSHOT: b"a picture of another length"}
    odd = made.capture(run, scope=scopes_of(made)[0], files=files, change=other)
    made.close_run(run, 1)
    office = Office(tmp_path, made)
    office.export(name, as_zip=name.endswith(".zip"))
    verdict = judged(tmp_path / name, office.trust)
    assert "BLOB_SIZE" in codes(verdict)
    assert set(codes(verdict)) <= {"BLOB_SIZE", "BLOB_DIGEST"}
    assert odd.record is not None
    kept = artifact_in(unpacked(tmp_path / name), odd.record.artifacts[0].digest.hex)
    assert len(kept.read_bytes()) == odd.record.artifacts[0].bytes - more


def unpacked(path: Path) -> Path:
    if path.is_dir():
        return path
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.with_suffix(""))
    return path.with_suffix("") / path.stem


def test_whoever_kept_a_checkpoint_sees_that_the_log_goes_on(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    office.export("first")
    kept = office.checkpoint()
    office.export("second", since=(kept,))
    proof = ConsistencyProof.parse((tmp_path / f"second/data/custody/consistency-{kept.size}.txt").read_bytes())
    assert proof.check(kept, office.trust.log).size > kept.size
    verdict = judged(tmp_path / "second", office.trust, kept=(kept,))
    assert verdict.holds
    assert verdict.facts["kept"] == [{"size": kept.size, "root": kept.root.hex(), "extended": True}]


def test_it_goes_on_from_any_checkpoint_that_the_log_ever_signed(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    log, newest = office.trust.log, office.checkpoint().size
    keys = {size: keyspace.checkpoint_at(log.name, size) for size in range(newest + 1)}
    signed = [open_checkpoint(office.store.read(key), log) for key in keys.values() if key in office.store._objects]
    assert len(signed) > 5
    office.export(since=tuple(signed))
    verdict = judged(tmp_path / "bag", office.trust, kept=signed)
    assert verdict.holds
    assert verdict.facts["kept"] == [{"size": each.size, "root": each.root.hex(), "extended": True} for each in signed]


def test_without_that_proof_the_question_stays_open(plain: HandedOver) -> None:
    verdict = judged(plain.bag, plain.office.trust, kept=(Checkpoint(plain.office.trust.log.name, 5, b"\x01" * 32),))
    assert verdict.word == "could not check"


def test_a_checkpoint_of_another_log_is_refused_when_exporting(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    with pytest.raises(LogError, match="LOG_INCONSISTENT"):
        office.export(since=(Checkpoint(office.trust.log.name, 5, b"\x01" * 32),))
    with pytest.raises(LogError, match="LOG_TRUNCATED"):
        office.export(since=(Checkpoint(office.trust.log.name, 5000, b"\x01" * 32),))
    assert not (tmp_path / "bag").exists()
