"""A capture in which secrets may be is handed over only where a person has decided so, in that case, and signed it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from archive.errors import KeyFileError, Refused, UsageError
from archive.exporting.exporter import Asked, Exported, Exporter
from archive.packaging.packer import pack
from archive.stewardship.decisions import allow, allows
from custody import keyspace
from custody.keys import keyid
from custody.model import Json
from tests.archive.exporting.office import judged
from tests.archive.stewardship.office import Office, failures

QUARANTINE: Mapping[str, Json] = {"quarantine": {"reason": "password_input", "since": "2026-11-03T12:00:00.000Z"}}


def export(office: Office, path: Path, *, scope: str | None, items: tuple[str, ...]) -> Exported:
    return Exporter(office.sequencer, office.store, office.scribe).export(Asked(scope=scope, items=items), path)


def events(office: Office) -> list[str]:
    return [each.event.type for each in office.reader.events()]


def test_it_is_handed_over_once_a_person_has_decided(office: Office, tmp_path: Path) -> None:
    scope = office.case("Love v. Screw")
    capture = office.capture(scope=scope, sections=QUARANTINE)
    fine = office.capture(scope=scope)
    before = events(office)
    for case, items in ((scope, (capture, fine)), (None, (capture,))):
        with pytest.raises(Refused, match=f"1 captures are quarantined .{capture}.*counterproof allow"):
            export(office, tmp_path / "bag", scope=case, items=items)
    assert not [each.name for each in tmp_path.iterdir() if "bag" in each.name], "nothing of it is left"
    assert events(office) == before, "and the log tells of no export"
    assert export(office, tmp_path / "fine", scope=None, items=(fine,)).entries

    index = allow(office.desk, office.survey, capture, scope=scope, why="our own test account")
    (told,) = office.reader.events("evidence.allowed")
    assert (told.index, told.leaf.event.keyid) == (
        index,
        keyid(office.deployment.home.signers.need_person().public_key),
    )
    assert b"test account" not in told.data
    assert scope.encode() not in told.data, "nor of which case"
    made = export(office, tmp_path / "bag", scope=scope, items=(capture, fine))
    verdict = judged(made.path, office.deployment.home.trust)
    assert {each.code for each in verdict.failures} == {"CHAIN_SHORT"}, "the runs of this office were never opened"
    assert made.quarantined == (capture,)
    assert "QUARANTINED: in 1 captures" in (made.path / "README.txt").read_text()
    assert (made.path / f"data/custody/entry-{index}.json").is_file(), "who gets it gets the decision"
    decision = office.desk.detail(told.event.subjects[0].digest)
    assert (decision["decision"], decision["why"]) == ("export", "our own test account")
    assert export(office, tmp_path / "unit", scope=None, items=(capture,)).entries
    assert failures(office.verdict()) == {}


def test_a_decision_of_one_case_is_none_of_another(shed: Office, tmp_path: Path) -> None:
    from archive.cases import assign

    scope, other = shed.case("Love v. Screw"), shed.case("Screw v. Love")
    capture = shed.capture(scope=scope, sections=QUARANTINE)
    shed.sequencer.append([assign(capture, other, shed.scribe)])
    allow(shed.desk, shed.survey, capture, scope=scope, why="w")
    assert allows(shed.desk, shed.survey, capture, scope=scope)
    assert not allows(shed.desk, shed.survey, capture, scope=other)
    with pytest.raises(Refused, match="this case holds no signed decision"):
        export(shed, tmp_path / "bag", scope=other, items=(capture,))


def test_a_decision_whose_words_are_gone_counts_for_nothing(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    capture = shed.capture(scope=scope, sections=QUARANTINE)
    allow(shed.desk, shed.survey, capture, scope=scope, why="w")
    (told,) = shed.reader.events("evidence.allowed")
    path = tmp_path / "archive" / keyspace.blob(told.event.subjects[0].digest)
    data = path.read_bytes()
    path.chmod(0o600)
    for spoiled in (data.replace(b"export", b"expert"), b"{}", None):
        path.unlink() if spoiled is None else path.write_bytes(spoiled)
        with pytest.raises(Refused, match="quarantined"):
            export(shed, tmp_path / "bag", scope=scope, items=(capture,))


def test_its_traffic_is_not_packed_either(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    capture = shed.capture(scope=scope, sections=QUARANTINE, files={"warc": b"traffic"})
    with pytest.raises(Refused, match="quarantined: secrets may be in its traffic"):
        pack(shed.desk, shed.survey, capture, tmp_path)


@pytest.mark.parametrize("which", ["fine", "unknown", "other case", "disposed"])
def test_what_cannot_be_allowed(shed: Office, which: str) -> None:
    scope, other = shed.case("Love v. Screw"), shed.case("Screw v. Love")
    capture = shed.capture(scope=scope, sections=None if which == "fine" else QUARANTINE)
    error: type[Exception] = UsageError
    if which == "unknown":
        capture = shed.scribe.new_id()
    elif which == "disposed":
        from tests.archive.stewardship.test_disposal import dispose

        dispose(shed, capture)
        error = Refused
    with pytest.raises(error):
        allow(shed.desk, shed.survey, capture, scope=other if which == "other case" else scope, why="w")
    assert list(shed.reader.events("evidence.allowed")) == []


def test_only_a_person_decides(shed: Office) -> None:
    from dataclasses import replace

    scope = shed.case("Love v. Screw")
    capture = shed.capture(scope=scope, sections=QUARANTINE)
    with pytest.raises(KeyFileError, match="signature of a person"):
        allow(replace(shed.desk, person=None), shed.survey, capture, scope=scope, why="w")


def test_what_was_decided_goes_with_what_it_was_about(shed: Office) -> None:
    from tests.archive.stewardship.test_disposal import dispose

    scope = shed.case("Love v. Screw")
    capture = shed.capture(scope=scope, sections=QUARANTINE)
    allow(shed.desk, shed.survey, capture, scope=scope, why="Jane's own account")
    (told,) = shed.reader.events("evidence.allowed")
    key = keyspace.blob(told.event.subjects[0].digest)
    assert b"Jane" in shed.store.read(key)
    dispose(shed, capture)
    assert key not in set(shed.store.keys(keyspace.BLOBS))


def test_the_catalogue_knows_it(shed: Office, tmp_path: Path) -> None:
    from archive.catalog import Catalog

    scope = shed.case("Love v. Screw")
    capture, fine = shed.capture(scope=scope, sections=QUARANTINE), shed.capture(scope=scope)
    index = allow(shed.desk, shed.survey, capture, scope=scope, why="w")
    catalog = Catalog.open(tmp_path / "catalog.sqlite")
    catalog.advance(shed.store, shed.reader)
    found = {each.capture_id: each.quarantine for each in catalog.captures()}
    assert found == {capture: "password_input", fine: None}
    assert [each.index for each in catalog.decisions(capture)] == [index]
    catalog.close()
