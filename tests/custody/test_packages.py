"""``package.made``: read back like every blob, and resting on an earlier end of its own item."""

import pytest

from custody import keyspace
from custody.digest import Digest
from tests.custody.archive_builder import ArchiveBuilder, small
from tests.custody.tampering import tell

NEXT = 17
"""The first leaf after those of ``small``."""


@pytest.fixture
def made() -> ArchiveBuilder:
    return small()


def test_a_package_of_an_item_holds(made: ArchiveBuilder) -> None:
    made.package(made.captures[1])
    told = tell(made.build(), made.trust)
    assert (told.failures, told.notes) == ([], [])
    assert told.verdict.facts["events"]["package.made"] == 1  # type: ignore[index, call-overload]


def test_its_bytes_are_read_back(made: ArchiveBuilder) -> None:
    made.package(made.captures[0], b"PK a package")
    source = made.build()
    key = keyspace.blob(Digest.of(b"PK a package"))
    where = {"item": made.captures[0].unit, "name": "package.wacz", "key": key, "index": NEXT}
    source.objects[key] = b"PK b package"
    assert tell(source, made.trust).failures == [("BLOB_DIGEST", where)]
    del source.objects[key]
    assert tell(source, made.trust).failures == [("BLOB_MISSING", where)]


@pytest.mark.parametrize("what", ["nothing", "a start", "an end of another item"])
def test_one_that_rests_on_no_end_of_its_item_is_named(made: ArchiveBuilder, what: str) -> None:
    capture, _, other = made.captures
    rests_on = {"nothing": made.commits[0][0], "a start": capture.started, "an end of another item": other.ended}
    made.package(capture, rests_on=rests_on[what])
    told = tell(made.build(), made.trust)
    assert told.failures == [("STATE_ORDER", {"item": capture.unit, "index": NEXT})]
    assert told.failed_checks == [8]


def test_what_it_rests_on_comes_first(made: ArchiveBuilder) -> None:
    capture = made.captures[0]
    made.package(capture)
    made.commits.insert(5, made.commits.pop())
    assert tell(made.build(), made.trust).failures == [("STATE_ORDER", {"item": capture.unit, "index": 9})]
