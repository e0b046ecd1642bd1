"""What a case says of itself: a brief is held against its event, and its pictures are there or disposed of."""

import pytest

from custody import keyspace
from custody.digest import Digest
from custody.event import Event
from custody.model import Json
from tests.custody.archive_builder import ArchiveBuilder, Draft, MemorySource, small
from tests.custody.stewarding import described, disposed, work
from tests.custody.tampering import resigned, tell

NEXT = 17
"""The index of the first leaf after ``small``."""


@pytest.fixture
def made() -> ArchiveBuilder:
    return small()


def scope_of(made: ArchiveBuilder, name: str = "Mine") -> str:
    """A case that was opened in leaf 17."""
    return made.open_case(name)


def brief_of(draft: Draft) -> Digest:
    return Event.parse(draft.make().payload).subjects[0].digest


def key(data: bytes) -> str:
    return keyspace.blob(Digest.of(data))


def test_a_brief_and_its_pictures_are_accounted_for(made: ArchiveBuilder) -> None:
    scope = scope_of(made)
    made.commit(described(made, scope, 1, b"front", b"back"))
    made.commit(described(made, scope, 2, b"front"))
    told = tell(made.build(), made.trust)
    assert told.verdict.findings == (), "and no picture is an orphan"
    assert "2 briefs" in told.verdict.checks[10].detail
    assert told.verdict.facts["disposed"] == 0


@pytest.mark.parametrize("scoped", [False, True])
def test_a_picture_that_is_gone_or_changed_is_named(made: ArchiveBuilder, *, scoped: bool) -> None:
    scope = scope_of(made)
    made.commit(described(made, scope, 1, b"front", b"back"))
    source = made.build()
    of = scope if scoped else None
    where = {"work": scope, "name": "picture", "index": NEXT + 1}
    told = tell(source.without(key(b"front")), made.trust, scope=of)
    assert told.failures == [("BLOB_MISSING", {**where, "key": key(b"front")})]
    told = tell(source.flip(key(b"back"), 1), made.trust, scope=of)
    assert told.failures == [("BLOB_DIGEST", {**where, "key": key(b"back")})]
    assert told.failed_checks == [10]


def test_a_brief_that_is_gone_or_changed_is_named_once(made: ArchiveBuilder) -> None:
    scope = scope_of(made)
    draft = described(made, scope, 1, b"front")
    made.commit(draft)
    source = made.build()
    where = {"work": scope, "name": "brief.json", "key": keyspace.blob(brief_of(draft)), "index": NEXT + 1}
    assert tell(source.without(str(where["key"])), made.trust).failures == [("BLOB_MISSING", where)]
    assert tell(source.flip(str(where["key"]), 40), made.trust).failures == [("BLOB_DIGEST", where)]


def test_of_one_case_only_its_own_briefs_are_looked_at(made: ArchiveBuilder) -> None:
    mine, other = scope_of(made), scope_of(made, "Another one")
    made.commit(described(made, mine, 1, b"front"))
    made.commit(described(made, other, 1, b"back"))
    source = made.build().without(key(b"back"))
    assert tell(source, made.trust, scope=mine).verdict.holds
    assert tell(source, made.trust, scope=other).codes == ["BLOB_MISSING"]


@pytest.mark.parametrize(
    ("says", "field"),
    [({"version": 2}, "version"), ({"scope": "0199c0e8-0000-7000-8000-000000000001"}, "scope")],
)
def test_a_brief_that_is_not_its_events(made: ArchiveBuilder, says: dict[str, Json], field: str) -> None:
    made.commit(described(made, scope_of(made), 1, b"front", says=says))
    told = tell(made.build(), made.trust)
    assert told.failures == [("RECORD_MISMATCH", {"name": "brief.json", "index": NEXT + 1, "field": field})]
    assert told.failed_checks == [11]


@pytest.mark.parametrize("data", [b"{}", b"not json", b"\xff", b'{"schema":1,"nonce":"' + b"0" * 32 + b'"}'])
def test_a_brief_that_is_none(made: ArchiveBuilder, data: bytes) -> None:
    subject = made.blob("brief.json", data)
    made.commit(work(made, "case.described", subject, {"version": 1}, made.root, chain=f"work:{scope_of(made)}"))
    told = tell(made.build(), made.trust)
    assert told.failures == [("RECORD_FORMAT", {"name": "brief.json", "index": NEXT + 1})]


def test_only_a_person_describes_a_case(made: ArchiveBuilder) -> None:
    draft = described(made, scope_of(made))
    made.commit(resigned(draft, made.worker))
    told = tell(made.build(), made.trust)
    assert told.failures == [("AUTHORITY_MISSING", {"index": NEXT + 1, "needed": 1, "got": 0})]


def dispose(made: ArchiveBuilder) -> tuple[str, MemorySource]:
    """A case of two versions whose brief and pictures were disposed of, by the log's word."""
    scope = scope_of(made)
    drafts = described(made, scope, 1, b"front"), described(made, scope, 2, b"back")
    made.commit(*drafts)
    gone = [*map(brief_of, drafts), Digest.of(b"front"), Digest.of(b"back")]
    made.commit(disposed(made, scope, gone))
    return scope, made.build().without(*map(keyspace.blob, gone))


@pytest.mark.parametrize("scoped", [False, True])
def test_what_was_disposed_of_is_a_note(made: ArchiveBuilder, *, scoped: bool) -> None:
    scope, source = dispose(made)
    told = tell(source, made.trust, scope=scope if scoped else None)
    assert told.verdict.holds
    assert sorted((code, where["index"], where["name"]) for code, where in told.notes) == [
        ("BLOB_DISPOSED", NEXT + 1, "brief.json"),
        ("BLOB_DISPOSED", NEXT + 2, "brief.json"),
    ]
    assert told.verdict.facts["disposed"] == 0, "no evidence was"


def test_pictures_alone_may_be_disposed_of(made: ArchiveBuilder) -> None:
    scope = scope_of(made)
    made.commit(described(made, scope, 1, b"front"))
    made.commit(disposed(made, scope, [Digest.of(b"front")]))
    told = tell(made.build().without(key(b"front")), made.trust)
    assert told.verdict.holds
    assert [(code, where["name"]) for code, where in told.notes] == [("BLOB_DISPOSED", "picture")]


def test_a_disposal_of_another_case_explains_nothing(made: ArchiveBuilder) -> None:
    mine, other = scope_of(made), scope_of(made, "Another one")
    made.commit(described(made, mine, 1, b"front"), described(made, other, 1))
    made.commit(disposed(made, other, [Digest.of(b"front")]))
    assert tell(made.build().without(key(b"front")), made.trust).codes == ["BLOB_MISSING"]
