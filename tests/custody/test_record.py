"""record.json: what is known of a capture, and that it is read as it was written."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody import canonical, record
from custody.artifact import Artifact, Lock
from custody.errors import FormatError
from custody.instant import format_utc
from custody.model import Candidate, Hop, HopKind, Json, Missing, Origin, Outcome, Role, Started, Status, Via, Visit
from custody.record import Record
from tests.custody.archive_builder import ArchiveBuilder, small
from tests.custody.strategies import COUNTS, DIGESTS, JSON, MILLISECONDS, NONCES, TEXTS, UUIDS

WORDS = st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True)
HTTP = st.none() | st.integers(100, 999)
VIAS = st.builds(Via, href=TEXTS, text=TEXTS, where=WORDS)
HOPS = st.builds(
    Hop,
    n=st.integers(1, 1000),
    from_url=TEXTS,
    to_url=TEXTS,
    kind=st.sampled_from(HopKind),
    status=HTTP,
    at=MILLISECONDS,
)
ARTIFACTS = st.builds(
    Artifact,
    role=st.sampled_from(Role).map(lambda role: role.value) | WORDS,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", fullmatch=True),
    media_type=TEXTS,
    bytes=COUNTS,
    digest=DIGESTS,
    version_id=st.none() | TEXTS,
    lock=st.none() | st.builds(Lock, mode=st.sampled_from(["GOVERNANCE", "COMPLIANCE"]), retain_until=MILLISECONDS),
    made_at=MILLISECONDS,
)
NAMED = ("quarantine", "surface")
"""Sections that have keys of their own."""
RECORDS = st.builds(
    Record,
    nonce=NONCES,
    capture_id=UUIDS,
    unit=UUIDS,
    parent=st.none() | UUIDS,
    via=st.none() | VIAS,
    depth=st.integers(1, 1000),
    run=UUIDS,
    job_sha256=DIGESTS,
    started_sha256=DIGESTS,
    requested_url=TEXTS,
    final_url=st.none() | TEXTS,
    title=st.none() | TEXTS,
    hops=st.lists(HOPS, max_size=2).map(tuple),
    times=st.dictionaries(WORDS, MILLISECONDS, max_size=3),
    circumstances=st.builds(
        lambda sections, quarantine, surface: sections | quarantine | surface,
        st.dictionaries(
            st.sampled_from([each for each in (*record.SECTIONS, *record.LATER) if each not in NAMED]),
            st.dictionaries(TEXTS, JSON, max_size=2),
            max_size=5,
        ),
        st.just({})
        | st.builds(
            lambda reason, at: {"quarantine": {"reason": reason, "since": format_utc(at)}}, WORDS, MILLISECONDS
        ),
        st.just({}) | st.builds(lambda name, shown: {"surface": {"name": name, "shown": shown}}, WORDS, WORDS),
    ),
    origin=st.sampled_from(Origin),
    origin_reasons=st.lists(TEXTS, max_size=2).map(tuple),
    status=st.sampled_from(Status),
    outcome=st.sampled_from(Outcome),
    outcome_reason=TEXTS,
    http_status=HTTP,
    artifacts=st.lists(ARTIFACTS, max_size=3).map(tuple),
    missing=st.lists(st.builds(Missing, role=st.sampled_from(Role), reason=TEXTS), max_size=2).map(tuple),
    candidates=st.lists(st.builds(Candidate, via=VIAS, follow=st.booleans(), reason=TEXTS), max_size=2).map(tuple),
)


def example() -> Record:
    builder = small()
    made = builder.capture(builder.open_run()).record
    assert made is not None
    return made


def value() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(example().format())
    return read


@settings(max_examples=40)
@given(RECORDS)
def test_reads_what_it_writes(made: Record) -> None:
    data = made.format()
    assert Record.parse(data) == made
    assert Record.parse(data).format() == data


def test_the_schema_is_a_json_schema_that_the_example_keeps() -> None:
    jsonschema.Draft202012Validator.check_schema(record.RECORD)
    jsonschema.validate(value(), record.RECORD)


def test_the_keys_are_those_of_the_specification() -> None:
    assert set(value()) == {
        "schema", "nonce", "capture_id", "unit", "parent", "via", "depth", "run", "job_sha256", "started_sha256",
        "target", "hops", "times", "network", "environment", "session", "robots", "origin", "origin_reasons", "status",
        "outcome", "outcome_reason", "http_status", "artifacts", "missing", "candidates",
    }  # fmt: skip


def test_a_later_version_may_add_keys() -> None:
    later = value()
    later["weather"] = "rain"
    later["artifacts"][0]["pixels"] = 1
    later["artifacts"][0]["role"] = "hologram"
    later["target"]["relation"] = "post"
    read = Record.parse(canonical.dumps(later))
    assert read.artifacts[0].role == "hologram"


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"nonce": "0"},
        {"capture_id": "1"},
        {"depth": 0},
        {"target": {"requested_url": "x"}},
        {"times": {"at": "yesterday"}},
        {"times": {"Jane Doe": "2026-03-04T05:06:07.000Z"}},
        {"network": []},
        {"origin": "instagram"},
        {"status": "good"},
        {"outcome": "fine"},
        {"http_status": 99},
        {"http_status": True},
        {"hops": [{"n": 1}]},
        {"candidates": [{"href": "x", "text": "", "where": "page", "follow": "yes", "reason": ""}]},
        {"missing": [{"role": "soul", "reason": ""}]},
    ],
)
def test_refuses_a_changed_field(change: dict[str, Any]) -> None:
    assert Record.parse(canonical.dumps(value()))
    with pytest.raises(FormatError) as caught:
        Record.parse(canonical.dumps({**value(), **change}))
    assert caught.value.code == "RECORD_FORMAT"


@pytest.mark.parametrize("key", sorted(value()))
def test_refuses_a_record_without(key: str) -> None:
    less = value()
    del less[key]
    with pytest.raises(FormatError, match=key):
        Record.parse(canonical.dumps(less))


@pytest.mark.parametrize("key", ["../../etc/passwd", "v1/blobs/sha256/aa/" + "a" * 64, "", "/", "v1/log/x/checkpoint"])
def test_a_key_is_that_of_its_digest(key: str) -> None:
    other = value()
    assert other["artifacts"][0]["key"] != key
    other["artifacts"][0]["key"] = key
    with pytest.raises(FormatError, match="not the key of its digest"):
        Record.parse(canonical.dumps(other))


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "a\n"])
def test_a_name_is_no_path(name: str) -> None:
    other = value()
    other["artifacts"][0]["name"] = name
    with pytest.raises(FormatError):
        Record.parse(canonical.dumps(other))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"schema":1,"schema":1}', b" " * (5 << 20)])
def test_refuses_what_is_no_record(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        Record.parse(data)
    assert caught.value.code == "RECORD_FORMAT"


def test_a_writer_is_held_to_the_same() -> None:
    made = example()
    for wrong in (
        replace(made, nonce=""),
        replace(made, title="\ud800"),
        replace(made, circumstances={"network": {"ratio": 1.5}}),  # type: ignore[dict-item]
        replace(made, title="x" * (5 << 20)),
    ):
        with pytest.raises(FormatError):
            wrong.format()
    with pytest.raises(FormatError, match="expected the sections"):
        replace(made, circumstances={"weather": {}})


def test_a_section_that_is_not_given_is_empty() -> None:
    made = replace(example(), circumstances={"robots": {"allowed": True}})
    read: dict[str, Any] = json.loads(made.format())
    assert (read["robots"], read["network"]) == ({"allowed": True}, {})


def test_a_later_section_is_not_there_where_it_was_not_given() -> None:
    before = json.loads(example().format())
    assert "traffic" not in before
    made = replace(example(), circumstances={"traffic": {"exchanges": 3}})
    assert json.loads(made.format())["traffic"] == {"exchanges": 3}
    assert Record.parse(made.format()) == made


def test_a_quarantine_has_a_reason_and_a_moment_and_room_for_more() -> None:
    assert "quarantine" not in json.loads(example().format())
    section: dict[str, Json] = {
        "reason": "password_input",
        "since": "2026-11-03T12:00:00.000Z",
        "withheld": {"query": 2},
    }
    made = replace(example(), circumstances={"quarantine": section})
    assert record.quarantine_of(Record.parse(made.format()).circumstances) == section
    for wrong in ({"reason": "password_input"}, {**section, "since": "yesterday"}, {**section, "reason": "Jane's"}):
        with pytest.raises(FormatError, match="quarantine"):
            replace(example(), circumstances={"quarantine": wrong}).format()


def test_a_surface_has_a_name_and_room_for_more() -> None:
    assert "surface" not in json.loads(example().format())
    section: dict[str, Json] = {"name": "embed", "shown": "content", "documented": "https://platform.example/embeds"}
    made = replace(example(), circumstances={"surface": section})
    assert Record.parse(made.format()).circumstances["surface"] == section
    for wrong in ({"shown": "content"}, {"name": "An Embed"}, {**section, "shown": "Jane's"}):
        with pytest.raises(FormatError, match="surface"):
            replace(example(), circumstances={"surface": wrong}).format()


def test_a_record_is_that_of_its_visit() -> None:
    builder = ArchiveBuilder().open_log()
    run = builder.open_run()
    expected = example()
    visit = Visit(
        capture_id=expected.capture_id,
        unit=expected.unit,
        parent=None,
        via=None,
        depth=1,
        run=run,
        scope=builder.open_case(),
        started=Started(payload_sha256=expected.started_sha256, index=7, job_sha256=expected.job_sha256),
        requested_url=expected.requested_url,
        final_url=None,
        title=None,
        hops=(),
        http_status=None,
        status=Status.FAILED,
        outcome=Outcome.DNS_ERROR,
        outcome_reason="no such host",
        origin=Origin.PUBLIC,
        origin_reasons=(),
        snapshots=(),
        missing=(Missing(role=Role.SCREENSHOT, reason="no page"),),
        candidates=(),
        times={"requested_at": builder.now().replace(microsecond=0) + timedelta(seconds=1)},
        circumstances={"network": {"dns": []}},
        spool=Path("nowhere"),
    )
    made = Record.of(visit, artifacts=expected.artifacts, nonce="0" * 32)
    read = Record.parse(made.format())
    assert read == made
    assert (read.run, read.outcome, read.started_sha256) == (run, Outcome.DNS_ERROR, expected.started_sha256)
    assert read.job_sha256 == expected.job_sha256
    assert b"nowhere" not in made.format()
