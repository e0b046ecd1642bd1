"""What was spooled is read again: a file that changed on the disk never becomes evidence."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.errors import DiskError
from custody.digest import Digest
from custody.model import Role, Snapshot
from pipelines.hashing import check

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def spooled(path: Path, data: bytes = b"what the browser gave") -> Snapshot:
    path.write_bytes(data)
    return Snapshot(
        role=Role.DOM,
        name=path.name,
        media_type="text/html",
        path=path,
        digest=Digest.of(data),
        bytes=len(data),
        made_at=AT,
    )


def test_an_untouched_file_passes(tmp_path: Path) -> None:
    check(spooled(tmp_path / "dom.html"))


def test_one_changed_byte_of_equal_length_is_found(tmp_path: Path) -> None:
    snapshot = spooled(tmp_path / "dom.html")
    data = bytearray(snapshot.path.read_bytes())
    data[0] ^= 1
    snapshot.path.write_bytes(data)
    assert snapshot.path.stat().st_size == snapshot.bytes  # the size alone would not tell
    with pytest.raises(DiskError, match=r"dom\.html changed in the spool"):
        check(snapshot)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    snapshot = spooled(tmp_path / "dom.html")
    snapshot.path.unlink()
    with pytest.raises(DiskError, match=r"dom\.html"):
        check(snapshot)
