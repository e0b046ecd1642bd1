"""Holds, releases, disposals, corrections: what a verification says of evidence that people acted on."""

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import pytest

from custody import canonical, keyspace
from custody.digest import Digest
from custody.event import Event
from custody.keys import Ed25519Signer, keyid
from custody.model import Json
from custody.tiles import MAX_LEAF_BYTES
from custody.verdict import Severity
from custody.verify import verify
from tests.custody.archive_builder import START, ArchiveBuilder, Captured, Draft, MemorySource, small
from tests.custody.stewarding import blobs_of, completed, corrected, disposed, held, released, work
from tests.custody.tampering import Told, resigned, tell

JANE = Ed25519Signer(b"\x71" * 32)
JOHN = Ed25519Signer(b"\x72" * 32)
NEXT = 17
"""The index of the first leaf after ``small``."""


@pytest.fixture
def made() -> ArchiveBuilder:
    return small()


def last(made: ArchiveBuilder) -> Captured:
    """Of an item of one capture."""
    return made.captures[2]


def without(source: MemorySource, *digests: Digest) -> MemorySource:
    return source.without(*(keyspace.blob(each) for each in digests))


def facts(told: Told) -> tuple[Json, ...]:
    return tuple(told.verdict.facts[name] for name in ("held", "disposed", "corrected"))


# Disposals


def dispose(made: ArchiveBuilder) -> tuple[Captured, list[Digest], Draft]:
    capture = last(made)
    blobs = blobs_of(capture)
    draft = disposed(made, capture.unit, blobs)
    made.commit(draft)
    return capture, blobs, draft


def test_what_was_disposed_of_is_a_note(made: ArchiveBuilder) -> None:
    capture, blobs, draft = dispose(made)
    made.commit(completed(made, capture.unit, draft, len(blobs)))
    gone = without(made.build(), *blobs)
    told = tell(gone, made.trust)
    assert told.verdict.holds
    where = {"item": capture.unit, "capture": capture.id, "role": "record", "name": "record.json", "index": 15}
    # Its artifacts are in the record alone, which is gone with them.
    assert told.notes == [("BLOB_DISPOSED", {**where, "key": keyspace.blob(blobs[0])})]
    assert facts(told) == (0, 1, 0)


def test_artifacts_alone_may_be_disposed_of(made: ArchiveBuilder) -> None:
    capture = last(made)
    blobs = blobs_of(capture)[1:]
    made.commit(disposed(made, capture.unit, blobs))
    told = tell(without(made.build(), *blobs), made.trust)
    assert told.verdict.holds
    assert sorted(str(where["key"]) for _, where in told.notes) == sorted(map(keyspace.blob, blobs))
    assert {code for code, _ in told.notes} == {"BLOB_DISPOSED"}


def test_until_it_is_done_nothing_is_said(made: ArchiveBuilder) -> None:
    dispose(made)
    told = tell(made.build(), made.trust)
    assert told.verdict.findings == ()
    assert facts(told) == (0, 1, 0)


def test_what_is_not_on_the_list_is_missing(made: ArchiveBuilder) -> None:
    capture = last(made)
    _, screenshot, *others = blobs_of(capture)
    made.commit(disposed(made, capture.unit, others))
    told = tell(without(made.build(), screenshot, *others), made.trust)
    assert [(code, where["key"]) for code, where in told.failures] == [("BLOB_MISSING", keyspace.blob(screenshot))]


def test_a_disposal_of_another_item_explains_nothing(made: ArchiveBuilder) -> None:
    other, blobs = made.captures[0], blobs_of(last(made))
    made.commit(disposed(made, other.unit, blobs))
    told = tell(without(made.build(), blobs[1]), made.trust)
    assert told.codes == ["BLOB_MISSING"]


def test_a_blob_that_another_item_names_is_missing_there(made: ArchiveBuilder) -> None:
    capture = last(made)
    assert capture.record is not None
    text = next(each.digest for each in capture.record.artifacts if each.role == "text")
    made.commit(disposed(made, capture.unit, [text]))
    told = tell(without(made.build(), text), made.trust)
    assert [(code, where["index"]) for code, where in told.failures] == [("BLOB_MISSING", 9), ("BLOB_MISSING", 11)]
    assert [(code, where["index"]) for code, where in told.notes] == [("BLOB_DISPOSED", 15)]


def test_67_a_disposal_with_one_signature_of_two(made: ArchiveBuilder) -> None:
    made.commit(made.introduce("person", JANE), made.introduce("person", JOHN))
    trust = replace(made.trust, people_threshold=2)
    capture, blobs = last(made), blobs_of(last(made))
    made.commit(disposed(made, capture.unit, blobs, JANE))
    told = tell(made.build(), trust)
    assert told.failures == [("AUTHORITY_MISSING", {"index": NEXT + 2, "needed": 2, "got": 1})]
    assert told.failed_checks == [6]
    # And it explains nothing.
    assert "BLOB_MISSING" in tell(without(made.build(), blobs[0]), trust).codes
    made.commits.pop()
    made.commit(disposed(made, capture.unit, blobs, JANE, JOHN))
    assert tell(without(made.build(), *blobs), trust).verdict.holds


def test_a_disposal_by_a_worker_explains_nothing(made: ArchiveBuilder) -> None:
    capture, blobs = last(made), blobs_of(last(made))
    made.commit(resigned(disposed(made, capture.unit, blobs), made.worker))
    assert tell(made.build(), made.trust).failures == [("AUTHORITY_MISSING", {"index": NEXT, "needed": 1, "got": 0})]


def test_a_delete_marker_on_what_was_disposed_of_hides_nothing(made: ArchiveBuilder) -> None:
    _, blobs, _ = dispose(made)
    hidden = made.build()
    hidden.markers[keyspace.blob(blobs[0])] = "m1"
    told = tell(hidden, made.trust)
    assert told.verdict.holds
    assert [code for code, _ in told.notes] == ["BLOB_DISPOSED"]


def test_a_list_that_is_gone_leaves_its_blobs_open(made: ArchiveBuilder) -> None:
    capture, blobs, draft = dispose(made)
    name = keyspace.blob(subject_of(draft))
    told = tell(without(made.build(), *blobs).without(name), made.trust)
    assert [(code, where["name"]) for code, where in told.failures] == [("BLOB_MISSING", "disposal.json")]
    assert "record.json of leaf 15 not judged" in told.verdict.checks[9].detail
    assert capture.unit


def subject_of(draft: Draft) -> Digest:
    return Event.parse(draft.make().payload).subjects[0].digest


@pytest.mark.parametrize(("field", "value"), [("blobs", 1), ("bytes", 1)])
def test_a_list_that_is_not_its_events(made: ArchiveBuilder, field: str, value: int) -> None:
    capture = last(made)
    made.commit(disposed(made, capture.unit, blobs_of(capture), says={field: value}))
    told = tell(made.build(), made.trust)
    assert told.failures == [("RECORD_MISMATCH", {"name": "disposal.json", "index": NEXT, "field": field})]
    assert told.failed_checks == [11]


@pytest.mark.parametrize("data", [b"{}", b"not json", b"\xff", b'{"schema":1,"nonce":"' + b"0" * 32 + b'","item":5}'])
def test_a_list_that_is_none(made: ArchiveBuilder, data: bytes) -> None:
    capture = last(made)
    body: dict[str, Json] = {"item": capture.unit, "blobs": 0, "bytes": 0}
    made.commit(work(made, "evidence.disposed", made.blob("disposal.json", data), body, made.root))
    told = tell(made.build(), made.trust)
    assert told.failures == [("RECORD_FORMAT", {"name": "disposal.json", "index": NEXT})]


def test_keys_of_a_later_version_are_passed_over(made: ArchiveBuilder) -> None:
    capture = last(made)
    known: dict[str, Json] = {"schema": 1, "nonce": "0" * 32, "item": capture.unit, "blobs": [], "spared": []}
    more: dict[str, Json] = {**known, "more": {"a": "b"}}
    body: dict[str, Json] = {"item": capture.unit, "blobs": 0, "bytes": 0}
    detail = made.blob("disposal.json", canonical.dumps(more))
    made.commit(work(made, "evidence.disposed", detail, body, made.root))
    assert tell(made.build(), made.trust).verdict.findings == ()


# Holds


def test_66_a_blob_that_went_under_a_hold(made: ArchiveBuilder) -> None:
    capture = last(made)
    made.commit(held(made, capture.unit))
    source = made.build()
    told = tell(source, made.trust)
    assert told.verdict.findings == ()
    assert facts(told) == (1, 0, 0)
    screenshot = blobs_of(capture)[1]
    told = tell(without(source, screenshot), made.trust)
    assert told.failures == [("HOLD_VIOLATION", {"item": capture.unit, "key": keyspace.blob(screenshot)})]
    assert told.failed_checks == [10]


def test_66_a_disposal_of_what_is_held(made: ArchiveBuilder) -> None:
    capture = last(made)
    made.commit(held(made, capture.unit))
    _, blobs, _ = dispose(made)
    told = tell(without(made.build(), *blobs), made.trust)
    assert told.failures == [("HOLD_VIOLATION", {"item": capture.unit, "index": NEXT + 1})]
    assert told.failed_checks == [8]
    # Two people acted at once, the hold was first, and nothing was removed: worth knowing, and no harm done.
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.notes == [("HOLD_VIOLATION", {"item": capture.unit, "index": NEXT + 1})]
    assert facts(told) == (1, 0, 0)


def test_after_the_release_it_may_be_disposed_of(made: ArchiveBuilder) -> None:
    capture = last(made)
    first, second = held(made, capture.unit), held(made, capture.unit)
    made.commit(first, second)
    made.commit(released(made, capture.unit, first))
    assert facts(tell(made.build(), made.trust)) == (1, 0, 0)
    made.commit(released(made, capture.unit, second))
    _, blobs, _ = dispose(made)
    told = tell(without(made.build(), *blobs), made.trust)
    assert told.verdict.holds
    assert facts(told) == (0, 1, 0)


def test_a_hold_after_the_disposal_forbids_nothing_that_was_done(made: ArchiveBuilder) -> None:
    capture, blobs, _ = dispose(made)
    made.commit(held(made, capture.unit))
    assert tell(without(made.build(), *blobs), made.trust).verdict.holds


def test_a_release_that_comes_too_late(made: ArchiveBuilder) -> None:
    capture = last(made)
    hold = held(made, capture.unit)
    made.commit(hold)
    _, blobs, _ = dispose(made)
    made.commit(released(made, capture.unit, hold))
    told = tell(without(made.build(), *blobs), made.trust)
    assert told.failures == [("HOLD_VIOLATION", {"item": capture.unit, "index": NEXT + 1})]


def test_a_hold_by_a_worker_is_none(made: ArchiveBuilder) -> None:
    made.commit(held(made, last(made).unit, made.worker))
    assert tell(made.build(), made.trust).failures == [("AUTHORITY_MISSING", {"index": NEXT, "needed": 1, "got": 0})]


def test_a_hold_of_one_item_in_the_log_and_of_another_in_words(made: ArchiveBuilder) -> None:
    made.commit(held(made, last(made).unit, says=made.captures[0].unit))
    told = tell(made.build(), made.trust)
    assert told.failures == [("RECORD_MISMATCH", {"name": "hold.json", "index": NEXT, "field": "item"})]


# References


def release_of_another(made: ArchiveBuilder) -> Draft:
    hold = held(made, made.captures[0].unit)
    made.commit(hold)
    return released(made, last(made).unit, hold)


def release_of_nothing(made: ArchiveBuilder) -> Draft:
    made.commit(held(made, last(made).unit))
    return released(made, last(made).unit, made.commits[0][0])


def report_of_nothing(made: ArchiveBuilder) -> Draft:
    made.commit(held(made, last(made).unit))
    return completed(made, last(made).unit, made.commits[-1][0], 0)


@pytest.mark.parametrize("draft", [release_of_another, release_of_nothing, report_of_nothing])
def test_24_a_reference_to_what_it_cannot_be_about(
    made: ArchiveBuilder, draft: Callable[[ArchiveBuilder], Draft]
) -> None:
    made.commit(draft(made))
    told = tell(made.build(), made.trust)
    assert told.failures == [("STATE_ORDER", {"item": last(made).unit, "index": NEXT + 1})]
    assert told.failed_checks == [8]


def test_a_correction_is_a_note(made: ArchiveBuilder) -> None:
    capture = last(made)
    assert capture.ended is not None
    made.commit(corrected(made, capture.id, capture.ended))
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.notes == [("RECORD_CORRECTED", {"capture": capture.id, "index": NEXT})]
    assert facts(told) == (0, 0, 1)


@pytest.mark.parametrize("which", ["start", "another"])
def test_a_correction_of_what_is_not_its_end(made: ArchiveBuilder, which: str) -> None:
    capture, other = last(made), made.captures[0]
    assert other.ended is not None
    made.commit(corrected(made, capture.id, capture.started if which == "start" else other.ended))
    told = tell(made.build(), made.trust)
    assert told.failures == [("STATE_ORDER", {"capture": capture.id, "index": NEXT})]


def test_a_reference_into_a_leaf_that_cannot_be_read_is_not_judged(made: ArchiveBuilder) -> None:
    capture = last(made)
    hold = resigned(held(made, capture.unit), Ed25519Signer(b"\x66" * 32))
    made.commit(hold)
    made.commit(released(made, capture.unit, hold))
    told = tell(made.build(), made.trust)
    unknown = keyid(Ed25519Signer(b"\x66" * 32).public_key)
    assert told.failures == [("EVENT_KEY_UNKNOWN", {"index": NEXT, "keyid": unknown})]
    assert "not judged (depends on 5 leaves, 6 signatures)" in told.verdict.checks[7].detail


# Of one case


def test_in_another_case_it_is_nobodys_matter(made: ArchiveBuilder) -> None:
    capture, blobs, draft = dispose(made)
    gone = without(made.build(), *blobs)
    first, second = (each.chain.removeprefix("scope:") for each in scopes(made))
    told = tell(gone, made.trust, scope=first)
    assert told.verdict.findings == ()
    assert facts(told) == (0, 0, 0)
    told = tell(gone, made.trust, scope=second)
    assert told.verdict.holds
    assert facts(told) == (0, 1, 0)
    assert [code for code, _ in told.notes] == ["BLOB_DISPOSED"]
    # The list belongs to the case too.
    lost = gone.without(keyspace.blob(subject_of(draft)))
    assert tell(lost, made.trust, scope=first).verdict.holds
    assert tell(lost, made.trust, scope=second).codes == ["BLOB_MISSING"]
    assert capture.unit


def scopes(made: ArchiveBuilder) -> list[Draft]:
    drafts = [each for drafts in made.commits for each in drafts if each.chain.startswith("scope:")]
    return [drafts[0], drafts[-1]]


# What else is worth knowing


def test_a_fixity_check_that_found_something(made: ArchiveBuilder) -> None:
    body: dict[str, Json] = {"purpose": "asked", "method": "download", "checked": 9, "failed": 2, "bytes": 100}
    made.commit(work(made, "fixity.verified", made.detail("fixity.json", {}), body, made.worker))
    made.commit(work(made, "fixity.verified", made.detail("fixity.json", {}), {**body, "failed": 0}, made.worker))
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.notes == [("FIXITY_FAILED", {"index": NEXT, "failed": 2})]


def test_29_an_event_that_was_refused(made: ArchiveBuilder) -> None:
    refuse(made, b"{}")
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.notes == [("EVENT_REJECTED", {"index": NEXT, "reason": "ENTRY_SCHEMA"})]


def test_what_was_refused_stays_byte_for_byte(made: ArchiveBuilder) -> None:
    key = refuse(made, b'{"a": 1}')
    assert refuse(made, b'{"a": 1}') == key, "again, and told of again"
    other = refuse(made, b"x" * MAX_LEAF_BYTES)
    source = made.build()
    assert tell(source, made.trust).verdict.holds
    where = {"key": key, "index": NEXT}
    assert tell(source.without(key), made.trust).failures == [("QUARANTINE_MISSING", where)]
    for spoiled in (source.flip(key, 3), source.with_object(key, b""), source.with_object(key, b"y" * 10**6)):
        assert tell(spoiled, made.trust).failures == [("QUARANTINE_DIGEST", where)]
    hidden = source.copy()
    hidden.markers[other] = "m1"
    assert tell(hidden, made.trust).failures == [("QUARANTINE_MISSING", {"key": other, "index": NEXT + 2})]
    scope = scopes(made)[0].chain.removeprefix("scope:")
    assert not verify(source.without(key), made.trust, at=START, scope=scope).holds, "whatever the case"


def test_what_was_refused_and_cannot_be_reached_says_nothing(made: ArchiveBuilder) -> None:
    key = refuse(made, b"{}")
    source = made.build()

    class Down(MemorySource):
        def open(self, asked: str) -> BinaryIO:
            if asked == key:
                raise OSError("the store does not answer")
            return super().open(asked)

    verdict = verify(Down(source.objects, source.locks), made.trust, at=START)
    assert verdict.word == "could not check"
    assert [(each.code, each.locator["key"]) for each in verdict.findings if each.severity is Severity.UNCHECKED] == [
        ("STORE_UNREACHABLE", key)
    ]


def refuse(made: ArchiveBuilder, data: bytes) -> str:
    digest = Digest.of(data)
    made.blobs[keyspace.quarantine(digest)] = data
    detail = made.detail("rejected.json", {"key": "v1/inbox/x", "reason": "no event", "bytes": len(data)})
    body = {"reason": "ENTRY_SCHEMA", "bytes_sha256": digest.hex}
    made.commit(work(made, "event.rejected", detail, body, made.worker, chain=made.log_chain))
    return keyspace.quarantine(digest)


def test_what_waits_in_the_inbox_is_counted(made: ArchiveBuilder) -> None:
    source = made.build()
    waiting = [keyspace.inbox(made.new_id(), made.now()) for _ in range(3)]
    for key in waiting:
        source = source.with_object(key, b"{}")
    source = source.with_object(keyspace.quarantine(Digest("0" * 64)), b"{}")
    told = tell(source, made.trust)
    assert told.verdict.holds
    assert told.notes == [("INBOX_WAITING", {"count": 3})]
    odd = source.with_object("v1/inbox/notes.txt", b"").without(*waiting)
    assert tell(odd, made.trust).notes == [("KEY_UNKNOWN", {"key": "v1/inbox/notes.txt"})]
