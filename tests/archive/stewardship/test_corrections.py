"""What is said beside a record, by a person; the record itself is not touched."""

import pytest

from archive.errors import Refused, UsageError
from archive.stewardship.corrections import correct
from custody.keys import keyid
from tests.archive.stewardship.office import Office, failures


def test_a_correction_stands_beside_the_record(office: Office) -> None:
    capture = office.capture(scope=office.case("Love v. Screw"))
    (record,) = (each for each in office.survey.claims_of(capture) if each.is_record)
    before = office.store.read(record.key)
    made = correct(office.desk, office.survey, capture, field="title", value="Joan's shop", why="misread")
    assert (made.field, made.was) == ("target.title", "Jane's shop")
    assert office.store.read(record.key) == before
    (told,) = office.reader.events("record.corrected")
    (end,) = office.reader.events("capture.completed")
    assert told.event.refs[0].payload_sha256 == end.leaf.event.payload_sha256
    assert told.leaf.event.keyid == keyid(office.deployment.home.signers.need_person().public_key)
    assert b"Joan" not in told.data
    detail = office.desk.detail(told.event.subjects[0].digest)
    assert (detail["capture"], detail["field"], detail["was"], detail["is"], detail["why"]) == (
        capture,
        "target.title",
        "Jane's shop",
        "Joan's shop",
        "misread",
    )
    assert failures(office.verdict()) == {}


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("price", r"no field 'price'.*artifacts"),
        ("target.price", "final_url, requested_url, title"),
        ("hops.0", "nothing"),
        ("artifacts.7.name", "0 to 0"),
        ("title.x", "no field"),
    ],
)
def test_a_field_that_the_record_has_not_is_refused_and_what_there_is_is_named(
    shed: Office, field: str, reason: str
) -> None:
    capture = shed.capture(scope=shed.case("Love v. Screw"))
    with pytest.raises(UsageError, match=reason):
        correct(shed.desk, shed.survey, capture, field=field, value="x", why="y")
    assert list(shed.reader.events("record.corrected")) == []


def test_one_value_in_a_list_can_be_named(shed: Office) -> None:
    capture = shed.capture(scope=shed.case("Love v. Screw"))
    made = correct(shed.desk, shed.survey, capture, field="artifacts.0.media_type", value="text/html", why="sniffed")
    assert made.was == "application/octet-stream"


def test_what_has_no_record_cannot_be_corrected(shed: Office) -> None:
    from tests.archive.stewardship.test_disposal import dispose

    scope = shed.case("Love v. Screw")
    gone = shed.capture(scope=scope)
    dispose(shed, gone)
    with pytest.raises(Refused, match="disposed of"):
        correct(shed.desk, shed.survey, gone, field="title", value="x", why="y")
    begun, *_ = shed.start(scope=scope, run=shed.scribe.new_id())
    with pytest.raises(UsageError, match="no record"):
        correct(shed.desk, shed.survey, begun, field="title", value="x", why="y")
    with pytest.raises(UsageError, match="no record"):
        correct(shed.desk, shed.survey, shed.scribe.new_id(), field="title", value="x", why="y")
