"""Details that say another thing than their events, in an export: both verifiers name them, each by the same code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from custody.event import Ref
from custody.model import Json
from tests.archive.exporting.conftest import handed_over
from tests.archive.exporting.office import Office, scopes_of, shared_item
from tests.archive.exporting.test_script import agree
from tests.custody import stewarding
from tests.custody.archive_builder import ArchiveBuilder
from tests.custody.test_looks import observed, unchanged

OTHER = "019cb6e1-1a2b-7000-8000-000000000001"
Says = dict[str, Json]


def agreed(made: ArchiveBuilder, says: Says) -> None:
    """``looks.compared``: the first two captures, by two observers; ``says``: other values than the event has."""
    scope, (first, second) = scopes_of(made)[0], made.captures[:2]
    assert first.ended is not None
    assert first.record_digest is not None
    assert second.record_digest is not None
    value: Says = {
        "scope": scope,
        "first": {"capture": first.id, "record_sha256": first.record_digest.hex},
        "second": {"capture": second.id, "record_sha256": second.record_digest.hex, "log": "theirs", "worker": "them"},
        "operator": "other",
        "differences": [{"kind": "price_changed"}],
        "apart_s": 12,
        **says,
    }
    body: Says = {
        "capture": first.id, "other": second.id, "other_sha256": second.record_digest.hex, "operator": "other",
        "differences": 1, "apart_s": 12,
    }  # fmt: skip
    detail = made.detail("agreement.json", value)
    about = Ref(rel="about", payload_sha256=first.ended.make().payload_sha256)
    made.commit(made.draft(made.event("looks.compared", f"work:{scope}", detail, body, refs=(about,))))


def stated(made: ArchiveBuilder, says: Says) -> None:
    first = made.captures[0]
    assert first.ended is not None
    body: Says = {"capture": first.id, "statement": "differs", "keyid": None}
    detail = made.detail("statement.json", {**body, "scope": scopes_of(made)[0], **says})
    about = Ref(rel="about", payload_sha256=first.ended.make().payload_sha256)
    made.commit(made.draft(made.event("capture.witnessed", f"work:{made.new_id()}", detail, body, refs=(about,))))


def looked(made: ArchiveBuilder, says: Says) -> None:
    unchanged(made, made.captures[0], says=says, scope=scopes_of(made)[0])


def changed(made: ArchiveBuilder, says: Says) -> None:
    observed(made, made.captures[0], made.captures[1], "price_changed", scope=scopes_of(made)[0], says=says)


def corrected(made: ArchiveBuilder, says: Says) -> None:
    first = made.captures[0]
    assert first.ended is not None
    value: Says = {"capture": first.id, "field": "title", "was": "Love", "is": "Like", "why": "seen", **says}
    detail, body = made.detail("correction.json", value), {"capture": first.id}
    made.commit(stewarding.work(made, "record.corrected", detail, body, made.root, ref=("corrects", first.ended)))


LIES: dict[str, tuple[Callable[[ArchiveBuilder, Says], None], Says, str]] = {
    "a look of another outcome": (looked, {"outcome": "private"}, "RECORD_MISMATCH"),
    "a look against another capture": (
        looked,
        {"compared_with": {"capture": OTHER, "record_sha256": "0" * 64}},
        "RECORD_MISMATCH",
    ),
    "a look that is none": (looked, {"compared_with": "nothing"}, "RECORD_FORMAT"),
    "a change of another kind": (changed, {"changes": [{"kind": "link_gone"}]}, "RECORD_MISMATCH"),
    "a change too many": (
        changed,
        {"changes": [{"kind": "price_changed"}, {"kind": "price_changed"}]},
        "RECORD_MISMATCH",
    ),
    "a change that is none": (changed, {"changes": "many"}, "RECORD_FORMAT"),
    "an agreement where there was none": (agreed, {"differences": []}, "RECORD_MISMATCH"),
    "an agreement with another record": (
        agreed,
        {"second": {"capture": OTHER, "record_sha256": "0" * 64}},
        "RECORD_MISMATCH",
    ),
    "another operator": (agreed, {"operator": "same"}, "RECORD_MISMATCH"),
    "another statement": (stated, {"statement": "fair_and_accurate"}, "RECORD_MISMATCH"),
    "a statement of another capture": (stated, {"capture": OTHER}, "RECORD_MISMATCH"),
    "a statement by a key": (stated, {"keyid": "0" * 64}, "RECORD_MISMATCH"),
    "a statement without one": (stated, {"schema": 2}, "RECORD_FORMAT"),
    "a correction of another record": (corrected, {"capture": OTHER}, "RECORD_MISMATCH"),
}
KEPT_BACK = {"a statement of another capture", "a correction of another record"}
"""They name an id that is not of this export, so they stay behind, and nothing is left to be compared."""


@pytest.mark.slow
@pytest.mark.parametrize("honest", [agreed, corrected])
def test_a_detail_that_says_what_its_event_says_holds(
    tmp_path: Path, honest: Callable[[ArchiveBuilder, Says], None]
) -> None:
    made = shared_item()
    honest(made, {})
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == set()


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_a_detail_that_says_another_thing_is_named_by_both(tmp_path: Path, lie: str) -> None:
    tell, says, code = LIES[lie]
    made = shared_item()
    tell(made, says)
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == (set() if lie in KEPT_BACK else {code})


@pytest.mark.parametrize("lie", ["a change of another kind", "another statement"])
def test_both_name_a_change_and_a_statement_that_say_another_thing(tmp_path: Path, lie: str) -> None:
    test_a_detail_that_says_another_thing_is_named_by_both(tmp_path, lie)


@pytest.mark.slow
def test_a_change_about_another_capture_than_it_names_is_named_by_both(tmp_path: Path) -> None:
    made = shared_item()
    first, second = made.captures[:2]
    observed(made, first, second, "price_changed", about=first.ended, scope=scopes_of(made)[0])
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == {"STATE_ORDER"}
