"""What was done with evidence later, as a released version wrote it: it verifies for ever, and a change is found."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from custody import keyspace, schema
from custody.digest import Digest
from custody.event import Event
from custody.leaf import Leaf
from custody.tiles import decode_bundle
from custody.trust import Trust
from tests.command import ROOT
from tests.test_golden import GOLDEN, judged

RELEASED = sorted(each.parent for each in GOLDEN.glob("*/events/archive"))
MAX_BYTES = 300_000
of_each = pytest.mark.parametrize("folder", RELEASED, ids=lambda each: each.parent.name)


def expected(folder: Path) -> Any:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def alone(archive: Path, trust: Path) -> tuple[int, Any]:
    """By the verifier that stands alone, in a process of its own."""
    command = [sys.executable, "-m", "custody", "verify", str(archive), "--trust", str(trust), "--json"]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_there_is_one() -> None:
    assert RELEASED


@of_each
@pytest.mark.parametrize("years", [0, 15])
def test_it_holds_today_and_in_fifteen_years(folder: Path, years: int) -> None:
    said, verdict = expected(folder), judged(folder, years=years)
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert verdict.size == said["size"]
    assert verdict.facts["time"] == "trusted"
    assert verdict.facts["events"] == said["events"]
    assert (verdict.facts["disposed"], verdict.facts["corrected"], verdict.facts["held"]) == (1, 1, 0)
    assert sorted({each.code for each in verdict.findings}) == said["notes"]
    trust = Trust.parse((folder / "trust.json").read_bytes())
    assert (trust.quorum, len(trust.authorities), trust.people_threshold) == (2, 2, 2)


@of_each
def test_it_has_every_event_that_a_command_writes(folder: Path) -> None:
    later = {
        "artifact.archived", "disposal.completed", "event.rejected", "evidence.disposed", "evidence.exported",
        "evidence.held", "evidence.released", "fixity.verified", "key.revoked", "record.corrected", "retention.set",
        "trust.changed",
    }  # fmt: skip
    assert later <= expected(folder)["events"].keys() <= schema.KINDS.keys()


@of_each
def test_the_verifier_that_stands_alone_says_the_same(folder: Path) -> None:
    code, document = alone(folder / "archive", folder / "trust.json")
    assert (code, document["verdict"]) == (0, "holds")
    assert sorted({each["code"] for each in document["findings"]}) == expected(folder)["notes"]
    assert document["facts"]["events"] == expected(folder)["events"]


@of_each
def test_it_is_small(folder: Path) -> None:
    assert sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) < MAX_BYTES


# Flips


def leaves(folder: Path) -> list[tuple[Leaf, Event]]:
    (newest,) = (folder / "archive").glob("v1/log/*/tile/entries/000.p/*")
    parsed = [Leaf.parse(each) for each in decode_bundle(newest.read_bytes(), int(newest.name))]
    return [(each, Event.parse(each.event.payload)) for each in parsed]


def blob_of(type_: str, archive: Path) -> Path:
    """What the last event of a type names."""
    found = [event for _, event in leaves(archive.parent) if event.type == type_]
    return archive / keyspace.blob(found[-1].subjects[0].digest)


def refused(archive: Path) -> Path:
    (found,) = [event for _, event in leaves(archive.parent) if event.type == "event.rejected"]
    return archive / keyspace.quarantine(Digest(str(found.body["bytes_sha256"])))


def nth(pattern: str, n: int, archive: Path) -> Path:
    return sorted(archive.glob(pattern))[n]


BLOBS = (
    "artifact.archived", "capture.completed", "disposal.completed", "event.rejected", "evidence.disposed",
    "evidence.exported", "evidence.held", "evidence.released", "fixity.verified", "key.introduced", "key.revoked",
    "log.timestamped", "record.corrected", "retention.set", "trust.changed",
)  # fmt: skip
CHANGES: dict[str, tuple[Callable[[Path], Path], str]] = {
    **{type_: (partial(blob_of, type_), "BLOB_DIGEST") for type_ in BLOBS},
    "what was refused": (refused, "QUARANTINE_DIGEST"),
    "first authority's token": (partial(nth, "v1/log/*/timestamps/*/*.tsr", 0), "TS_"),
    "other authority's token": (partial(nth, "v1/log/*/timestamps/*/*.tsr", 1), "TS_"),
    "query": (partial(nth, "v1/log/*/timestamps/*/*.tsq", 2), "TS_"),
    "commit": (partial(nth, "v1/log/*/commit/*", 20), "COMMIT_"),
    "newest commit": (partial(nth, "v1/log/*/commit/*", -1), "COMMIT_"),
    "checkpoint": (partial(nth, "v1/log/*/checkpoints/*", 5), "CP_"),
    "tile": (partial(nth, "v1/log/*/tile/0/000.p/*", -1), "TILE_HASH"),
    "bundle": (partial(nth, "v1/log/*/tile/entries/000.p/*", -1), "TILE_HASH"),
    "published key": (partial(nth, "v1/log/*/keys/*.pem", 0), "KEY_FILE"),
}


@of_each
@pytest.mark.parametrize("what", CHANGES)
def test_one_flipped_bit_is_found(folder: Path, what: str, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "golden")
    archive = tmp_path / "golden" / "archive"
    find, code = CHANGES[what]
    path = find(archive)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    verdict = judged(folder, archive=archive)
    assert not verdict.holds
    assert [each.code for each in verdict.failures if re.match(code, each.code)], [
        each.to_json() for each in verdict.failures
    ]


@of_each
def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "golden")
    archive = tmp_path / "golden" / "archive"
    code, document = alone(archive, folder / "trust.json")
    assert code == 0, document
    blob = blob_of("evidence.released", archive)
    blob.unlink()
    quarantined = refused(archive)
    quarantined.unlink()
    code, document = alone(archive, folder / "trust.json")
    assert code == 1
    failed = {each["code"]: each["locator"]["key"] for each in document["findings"] if each["severity"] == "fail"}
    assert failed == {
        "BLOB_MISSING": blob.relative_to(archive).as_posix(),
        "QUARANTINE_MISSING": quarantined.relative_to(archive).as_posix(),
    }
