"""``artifact.derived``: read back like every blob, and resting on an earlier end of its own item."""

import pytest

from custody import keyspace
from custody.digest import Digest
from tests.custody.archive_builder import ArchiveBuilder, small
from tests.custody.tampering import tell
from tests.custody.test_packages import NEXT


@pytest.fixture
def made() -> ArchiveBuilder:
    return small()


def test_it_holds_and_its_bytes_are_read_back(made: ArchiveBuilder) -> None:
    capture = made.captures[1]
    made.derived(capture, b"PNG black")
    source = made.build()
    told = tell(source, made.trust)
    assert (told.failures, told.notes) == ([], [])
    key = keyspace.blob(Digest.of(b"PNG black"))
    where = {"item": capture.unit, "capture": capture.id, "name": "redacted.png", "key": key, "index": NEXT}
    source.objects[key] = b"PNG blank"
    assert tell(source, made.trust).failures == [("BLOB_DIGEST", where)]


@pytest.mark.parametrize("what", ["nothing", "a start", "an end of another item"])
def test_one_that_rests_on_no_end_of_its_item_is_named(made: ArchiveBuilder, what: str) -> None:
    capture, _, other = made.captures
    rests_on = {"nothing": made.commits[0][0], "a start": capture.started, "an end of another item": other.ended}
    made.derived(capture, rests_on=rests_on[what])
    told = tell(made.build(), made.trust)
    assert told.failures == [("STATE_ORDER", {"item": capture.unit, "index": NEXT})]
