"""What looks left behind, as a released version wrote it: sections, roles and events that came later than the first."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from custody import keyspace, schema
from custody.digest import Digest
from custody.record import Record, quarantine_of
from tests.crawlers.attending.acting import SECRET
from tests.golden_looks import SAID
from tests.test_golden import GOLDEN, judged
from tests.test_golden_events import alone, blob_of, expected, leaves

RELEASED = sorted(each.parent for each in GOLDEN.glob("*/looks/archive"))
MAX_BYTES = 400_000
of_each = pytest.mark.parametrize("folder", RELEASED, ids=lambda each: each.parent.name)


def record(folder: Path, surface: str) -> Record:
    (found,) = [each for each in expected(folder)["captures"] if each["surface"] == surface]
    data = (folder / "archive" / keyspace.blob(Digest(found["record_sha256"]))).read_bytes()
    made = Record.parse(data)
    assert (made.capture_id, made.status, made.outcome) == (found["id"], found["status"], found["outcome"])
    assert made.requested_url == found["requested_url"]
    return made


def kept(folder: Path, made: Record, name: str) -> bytes:
    (found,) = [each for each in made.artifacts if each.name == name]
    return (folder / "archive" / keyspace.blob(found.digest)).read_bytes()


def told(made: Record, section: str) -> Any:
    return made.circumstances[section]


def test_there_is_one() -> None:
    assert RELEASED


@of_each
@pytest.mark.parametrize("years", [0, 15])
def test_it_holds_today_and_in_fifteen_years(folder: Path, years: int) -> None:
    said, verdict = expected(folder), judged(folder, years=years)
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert (verdict.size, verdict.facts["time"]) == (said["size"], "trusted")
    assert verdict.facts["events"] == said["events"]
    assert {"package.made", "evidence.allowed"} <= said["events"].keys() <= schema.KINDS.keys()
    assert sorted({each.code for each in verdict.findings}) == said["notes"]
    assert "RECORD_QUARANTINED" in said["notes"]


@of_each
def test_the_verifier_that_stands_alone_says_the_same(folder: Path) -> None:
    code, document = alone(folder / "archive", folder / "trust.json")
    assert (code, document["verdict"]) == (0, "holds")
    assert sorted({each["code"] for each in document["findings"]}) == expected(folder)["notes"]


@of_each
def test_a_look_has_traffic_tiles_and_their_composite(folder: Path) -> None:
    made = record(folder, "automatic")
    assert told(made, "traffic")["socket_messages"] == 3
    (whole,) = told(made, "session")["derived"]
    tiles = {each.name: each.digest.hex for each in made.artifacts if each.role == "screenshot"}
    assert len(tiles) > 1
    assert {each["name"]: each["sha256"] for each in whole["of"]} == tiles
    assert [each.name for each in made.artifacts if each.role == "composite"] == [whole["name"]]
    assert told(made, "environment")["control"] == {"start": "passed"}


@of_each
def test_what_was_said_over_a_socket_is_read_again(folder: Path) -> None:
    traffic = io.BytesIO(kept(folder, record(folder, "automatic"), "traffic.warc.gz"))
    said = [
        json.loads(line)
        for each in ArchiveIterator(traffic, check_digests="raise")
        if str(each.rec_headers.get_header("WARC-Target-URI")).startswith("wss://")
        for line in each.content_stream().read().splitlines()
    ]
    assert [(each["type"], each["payloadData"]) for each in said] == [
        ("recv", SAID[0]),
        ("send", SAID[1]),
        ("recv", SAID[1]),
    ]


@of_each
def test_a_person_attended_and_the_secret_is_nowhere(folder: Path) -> None:
    made = record(folder, "attended")
    assert told(made, "session")["surface"] == "attended"
    assert {"key", "click"} <= {each["kind"] for each in told(made, "session")["inputs"]}
    assert quarantine_of(made.circumstances)["reason"] == "password_input"
    for each in (folder / "archive").rglob("*"):
        assert not each.is_file() or SECRET.encode() not in each.read_bytes()
    decision = json.loads(blob_of("evidence.allowed", folder / "archive").read_bytes())
    assert decision["decision"] == "export"


@of_each
def test_the_package_has_the_traffic_and_finds_what_was_posted(folder: Path) -> None:
    made = record(folder, "automatic")
    with zipfile.ZipFile(blob_of("package.made", folder / "archive")) as package:
        assert package.testzip() is None
        traffic = package.read(f"archive/{made.capture_id}.warc.gz")
        index = package.read("indexes/index.cdx").decode()
    assert traffic == kept(folder, made, "traffic.warc.gz")
    assert "example,golden)/price?__wb_method=post&of=bracelet " in index


@of_each
def test_the_runs_end_has_the_programs_own_page(folder: Path) -> None:
    ends = [event for _, event in leaves(folder) if event.type == "run.closed" and event.run == expected(folder)["run"]]
    (blob,) = [each for event in ends for each in event.subjects if each.name == "run-closed.json"]
    controls = json.loads((folder / "archive" / keyspace.blob(blob.digest)).read_bytes())["control"]
    assert {when: each["result"] for when, each in controls.items()} == {"start": "passed", "end": "passed"}


@of_each
def test_it_is_small(folder: Path) -> None:
    assert sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) < MAX_BYTES


@of_each
@pytest.mark.parametrize("type_", ["package.made", "evidence.allowed", "run.closed", "capture.completed"])
def test_one_flipped_bit_is_found(folder: Path, type_: str, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "golden")
    path = blob_of(type_, tmp_path / "golden" / "archive")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    verdict = judged(folder, archive=tmp_path / "golden" / "archive")
    assert [each.code for each in verdict.failures] == ["BLOB_DIGEST"]
