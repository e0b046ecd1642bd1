"""What watching and case work left behind, as a released version wrote it: events that came later than the first."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from archive import changes
from archive.directory import DirectoryStore
from archive.log import LogReader
from custody import canonical, schema
from custody.trust import Trust
from tests.test_golden import GOLDEN, judged
from tests.test_golden_events import alone, blob_of, expected

RELEASED = sorted(each.parent for each in GOLDEN.glob("*/watching/archive"))
MAX_BYTES = 450_000
of_each = pytest.mark.parametrize("folder", RELEASED, ids=lambda each: each.parent.name)
EVENTS = (
    "look.unchanged", "change.observed", "instruction.received", "looks.compared", "evidence.received",
    "capture.witnessed", "exhibits.frozen", "certificate.drafted", "artifact.derived", "evidence.accessed",
    "case.described", "findings.made",
)  # fmt: skip


def said(folder: Path, type_: str) -> Any:
    return json.loads(blob_of(type_, folder / "archive").read_bytes())


def test_there_is_one() -> None:
    assert RELEASED


@of_each
@pytest.mark.parametrize("years", [0, 15])
def test_it_holds_today_and_in_fifteen_years(folder: Path, years: int) -> None:
    told, verdict = expected(folder), judged(folder, years=years)
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert (verdict.size, verdict.facts["time"], verdict.facts["open"]) == (told["size"], "trusted", 0)
    assert verdict.facts["events"] == told["events"]
    assert set(EVENTS) <= told["events"].keys() <= schema.KINDS.keys()
    assert sorted({each.code for each in verdict.findings}) == told["notes"]


@of_each
def test_the_verifier_that_stands_alone_says_the_same(folder: Path) -> None:
    code, document = alone(folder / "archive", folder / "trust.json")
    assert (code, document["verdict"]) == (0, "holds")
    assert sorted({each["code"] for each in document["findings"]}) == expected(folder)["notes"]


@of_each
def test_what_changed_is_read_as_it_was_written(folder: Path) -> None:
    store = DirectoryStore(folder / "archive")
    log = LogReader(store, Trust.parse((folder / "trust.json").read_bytes()).log.name)
    (told,) = changes.observed(log)
    detail = changes.read(store, told.detail)
    assert detail is not None
    assert tuple(each["kind"] for each in detail["changes"]) == told.kinds
    assert "such a find" in detail["changes"][0]["after"]["text"]
    look = canonical.loads(blob_of("look.unchanged", folder / "archive").read_bytes(), max_bytes=1 << 20)
    assert isinstance(look, dict)
    assert {str(each["what"]) for each in look["compared"]} >= {"outcome", "reading", "words"}


@of_each
def test_the_other_blobs_say_what_was_done(folder: Path) -> None:
    assert b"https://www.golden.example/p/1" in blob_of("instruction.received", folder / "archive").read_bytes()
    both = said(folder, "looks.compared")
    assert both["operator"] == "same"
    assert both["first"]["worker"] != both["second"]["worker"]
    head, *accesses = blob_of("evidence.accessed", folder / "archive").read_bytes().splitlines()
    assert json.loads(head)["accesses"] == len(accesses) == 2


@of_each
def test_it_is_small(folder: Path) -> None:
    assert sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) < MAX_BYTES


@of_each
@pytest.mark.parametrize("type_", EVENTS)
def test_one_flipped_bit_is_found(folder: Path, type_: str, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "golden")
    path = blob_of(type_, tmp_path / "golden" / "archive")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    verdict = judged(folder, archive=tmp_path / "golden" / "archive")
    assert not verdict.holds
    assert "BLOB_DIGEST" in {each.code for each in verdict.failures}
