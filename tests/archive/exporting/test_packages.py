"""A package goes with its item, and what it rests on is judged alike by verifier and script."""

from pathlib import Path

import pytest

from custody.digest import Digest
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.spoiling import artifact_in
from tests.archive.exporting.test_script import faults, run

WACZ = b"PK a package"


@pytest.mark.parametrize("rests_on", ["its end", "another item's end", "nothing"])
def test_what_a_package_rests_on(tmp_path: Path, rests_on: str) -> None:
    made = shared_item()
    shared, other = made.captures[0], made.captures[1]
    events = {"its end": shared.ended, "another item's end": other.ended, "nothing": made.commits[0][0]}
    made.package(shared, WACZ, rests_on=events[rests_on])
    office = Office(tmp_path, made)
    office.export()
    bag, trust = tmp_path / "bag", tmp_path / "trust.json"
    trust.write_bytes(office.trust.format())
    assert (artifact_in(bag, Digest.of(WACZ).hex)).read_bytes() == WACZ
    verdict, done = judged(bag, office.trust), run(bag, trust)
    expected = set() if rests_on == "its end" else {"STATE_ORDER"}
    assert {each.code for each in verdict.failures} == expected
    assert faults(done) == expected, done.stdout


def test_one_that_was_altered_is_named(tmp_path: Path) -> None:
    made = shared_item()
    made.package(made.captures[0], WACZ)
    office = Office(tmp_path, made)
    office.export()
    (artifact_in(tmp_path / "bag", Digest.of(WACZ).hex)).write_bytes(b"PK b package")
    assert "BLOB_DIGEST" in {each.code for each in judged(tmp_path / "bag", office.trust).failures}
