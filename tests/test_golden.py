"""Evidence made by a released version verifies for ever: by today's verifier, and at a date far ahead."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.directory import DirectoryStore
from archive.errors import NotStored, StoreError
from custody import keyspace
from custody.digest import Digest
from custody.record import Record
from custody.trust import Trust
from custody.verify import Verdict, verify

GOLDEN = Path(__file__).parent / "fixtures" / "golden"
VERSIONS = sorted(each.name for each in GOLDEN.iterdir())


def judged(folder: Path, *, archive: Path | None = None, years: int = 0) -> Verdict:
    return verify(
        DirectoryStore(archive or folder / "archive"),
        Trust.parse((folder / "trust.json").read_bytes()),
        at=datetime.now(UTC) + timedelta(days=365 * years),
        absent=(NotStored,),
        unreachable=(StoreError,),
    )


def expected(folder: Path) -> Any:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_there_is_one_for_the_first_release() -> None:
    assert "0.1" in VERSIONS


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("years", [0, 15])
def test_it_holds_today_and_in_fifteen_years(name: str, years: int) -> None:
    verdict = judged(GOLDEN / name, years=years)
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert verdict.facts["time"] == "trusted"
    assert verdict.facts["captures"] == len(expected(GOLDEN / name)["captures"])
    assert verdict.facts["origins"] == {"not_public": len(expected(GOLDEN / name)["captures"])}


@pytest.mark.parametrize("name", VERSIONS)
def test_its_records_are_read_as_they_were_written(name: str) -> None:
    for each in expected(GOLDEN / name)["captures"]:
        data = (GOLDEN / name / "archive" / keyspace.blob(Digest(each["record_sha256"]))).read_bytes()
        record = Record.parse(data)
        assert record.capture_id == each["id"]
        assert record.requested_url == each["requested_url"]
        assert (record.status, record.outcome) == (each["status"], each["outcome"])


@pytest.mark.parametrize("name", VERSIONS)
def test_every_blob_is_what_sha256sum_says(name: str) -> None:
    blobs = list((GOLDEN / name / "archive" / keyspace.BLOBS).rglob("*"))
    files = [each for each in blobs if each.is_file()]
    assert files
    for each in files:
        assert hashlib.sha256(each.read_bytes()).hexdigest() == each.name


@pytest.mark.parametrize("name", VERSIONS)
def test_one_flipped_bit_in_it_is_found(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(GOLDEN / name / "archive", copy)
    digest = expected(GOLDEN / name)["captures"][0]["record_sha256"]
    path = copy / keyspace.blob(Digest(digest))
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    verdict = judged(GOLDEN / name, archive=copy)
    assert not verdict.holds
    assert "BLOB_DIGEST" in {each.code for each in verdict.failures}
