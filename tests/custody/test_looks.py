"""Looks that found nothing new, and changes that were seen: what a verification says of them."""

import pytest

from custody.digest import Digest
from custody.event import Event, Ref
from custody.instant import format_utc
from custody.model import Json, Outcome
from custody.schema import CHANGES
from tests.custody.archive_builder import ArchiveBuilder, Captured, Draft, small
from tests.custody.tampering import tell


@pytest.fixture
def made() -> ArchiveBuilder:
    return small()


def unchanged(
    made: ArchiveBuilder, base: Captured, *, says: dict[str, Json] | None = None, scope: str | None = None
) -> tuple[Captured, Draft]:
    """A look that ends so; ``says``: other values of its blob than its event has."""
    run = made.open_run()
    begun = made.start(run, scope=scope)
    assert base.record_digest is not None
    side: Json = {"capture": base.id, "record_sha256": base.record_digest.hex}
    body: dict[str, Json] = {
        "capture": begun.id,
        "compared_with": base.id,
        "outcome": Outcome.OK,
        "http_status": 200,
        "started_at": format_utc(made.now()),
        "ended_at": format_utc(made.now()),
    }
    value: dict[str, Json] = {
        "capture": begun.id, "unit": begun.unit, "run": run, "compared_with": side, "outcome": "ok",
        "http_status": 200, "compared": [], **(says or {}),
    }  # fmt: skip
    subject = made.detail("look.json", value)
    ref = Ref(rel="started_by", payload_sha256=begun.started.make().payload_sha256)
    draft = made.draft(made.event("look.unchanged", f"item:{begun.unit}", subject, body, run=run, refs=(ref,)))
    made.commit(draft)
    made.close_run(run, 0)
    return begun, draft


def observed(
    made: ArchiveBuilder,
    before: Captured,
    after: Captured,
    *kinds: str,
    about: Draft | None = None,
    says: dict[str, Json] | None = None,
    scope: str | None = None,
) -> Draft:
    scope = scope or made.open_case("Mine")
    assert before.record_digest is not None
    assert after.record_digest is not None
    value: dict[str, Json] = {
        "scope": scope,
        "before": {"capture": before.id, "record_sha256": before.record_digest.hex},
        "after": {"capture": after.id, "record_sha256": after.record_digest.hex},
        "changes": [{"kind": each, "sentence": "On …"} for each in kinds],
        **(says or {}),
    }
    body: dict[str, Json] = {
        "capture": after.id,
        "before": before.id,
        "changes": len(kinds),
        "kinds": [each for each in CHANGES if each in kinds],
    }
    end = about or after.ended
    assert end is not None
    ref = Ref(rel="about", payload_sha256=end.make().payload_sha256)
    draft = made.draft(
        made.event("change.observed", f"work:{scope}", made.detail("change.json", value), body, refs=(ref,))
    )
    made.commit(draft)
    return draft


def blob_of(draft: Draft) -> Digest:
    return Event.parse(draft.make().payload).subjects[0].digest


def test_a_look_that_found_nothing_new_is_an_end(made: ArchiveBuilder) -> None:
    unchanged(made, made.captures[0])
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.verdict.findings == ()
    assert "1 looks that found nothing new" in told.verdict.checks[10].detail


def test_it_ends_one_look_and_no_second_time(made: ArchiveBuilder) -> None:
    begun, draft = unchanged(made, made.captures[0])
    event = Event.parse(draft.make().payload)
    again = made.event(event.type, event.chain, event.subjects[0], event.body, run=event.run, refs=event.refs)
    made.commit(made.draft(again))
    told = tell(made.build(), made.trust)
    assert [code for code, _ in told.failures] == ["STATE_ORDER"]
    assert told.failures[0][1]["item"] == begun.unit


@pytest.mark.parametrize(
    ("says", "field"),
    [
        ({"outcome": "private"}, "outcome"),
        ({"http_status": 404}, "http_status"),
        ({"compared_with": {"capture": "019cb6e1-1a2b-7000-8000-000000000001", "record_sha256": "0" * 64}},
         "compared_with"),
        ({"unit": "019cb6e1-1a2b-7000-8000-000000000001"}, "unit"),
    ],
)  # fmt: skip
def test_its_blob_says_what_its_event_says(made: ArchiveBuilder, says: dict[str, Json], field: str) -> None:
    begun, _ = unchanged(made, made.captures[0], says=says)
    told = tell(made.build(), made.trust)
    assert [(code, where["field"], where["capture"]) for code, where in told.failures] == [
        ("RECORD_MISMATCH", field, begun.id)
    ]


def test_a_blob_that_is_no_look(made: ArchiveBuilder) -> None:
    unchanged(made, made.captures[0], says={"outcome": "wonderful"})
    assert [code for code, _ in tell(made.build(), made.trust).failures] == ["RECORD_FORMAT"]


def test_a_change_is_accounted_for(made: ArchiveBuilder) -> None:
    observed(made, made.captures[0], made.captures[1], "price_changed", "link_added", "link_added")
    told = tell(made.build(), made.trust)
    assert told.verdict.holds
    assert told.verdict.findings == ()
    assert "1 comparisons" in told.verdict.checks[10].detail


def test_a_change_that_is_altered_or_gone_is_named(made: ArchiveBuilder) -> None:
    draft = observed(made, made.captures[0], made.captures[1], "price_changed")
    source = made.build()
    key = f"v1/blobs/sha256/{blob_of(draft).hex[:2]}/{blob_of(draft).hex}"
    assert [code for code, _ in tell(source.flip(key, 20), made.trust).failures] == ["BLOB_DIGEST"]
    assert [code for code, _ in tell(source.without(key), made.trust).failures] == ["BLOB_MISSING"]


def test_a_change_refers_to_the_end_of_its_capture(made: ArchiveBuilder) -> None:
    observed(made, made.captures[0], made.captures[1], "price_changed", about=made.captures[0].ended)
    told = tell(made.build(), made.trust)
    assert [(code, where["capture"]) for code, where in told.failures] == [("STATE_ORDER", made.captures[1].id)]


def test_it_compares_with_a_capture_that_had_ended(made: ArchiveBuilder) -> None:
    later = made.captures[1]
    begun = made.start(made.open_run())
    never = Captured(
        id=begun.id, unit=begun.unit, started=begun.started, ended=None, record=None, record_digest=Digest("1" * 64)
    )
    observed(made, never, later, "price_changed")
    told = tell(made.build(), made.trust)
    assert [(code, where["capture"]) for code, where in told.failures] == [("STATE_ORDER", begun.id)]


@pytest.mark.parametrize(
    ("says", "fields"),
    [
        ({"changes": [{"kind": "price_changed"}, {"kind": "price_changed"}]}, {"changes"}),
        ({"changes": [{"kind": "link_gone"}]}, {"kinds"}),
        ({"scope": "019cb6e1-1a2b-7000-8000-000000000001"}, {"scope"}),
    ],
)
def test_a_changes_blob_says_what_its_event_says(made: ArchiveBuilder, says: dict[str, Json], fields: set[str]) -> None:
    observed(made, made.captures[0], made.captures[1], "price_changed", says=says)
    told = tell(made.build(), made.trust)
    assert {(code, where["field"]) for code, where in told.failures} == {("RECORD_MISMATCH", each) for each in fields}
