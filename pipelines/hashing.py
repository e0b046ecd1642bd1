"""Visit -> Hashed: what was spooled is read again and compared with the digest taken while it was written."""

import asyncio
from pathlib import Path

from archive.acquisition import acquisition_of
from archive.errors import DiskError
from custody.digest import Digest
from custody.model import Snapshot, Visit
from pipelines.stages import Hashed


class Hashing:
    async def process_item(self, item: Visit) -> Hashed:
        acquisition_of(item.run).enter(item.capture_id, "hashing")
        for snapshot in item.snapshots:
            await asyncio.to_thread(check, snapshot)
        return Hashed(visit=item)


def check(snapshot: Snapshot) -> None:
    """Raises DiskError when the file is gone or is not what was written."""
    digest, length = _digest(snapshot.path)
    if (digest, length) != (snapshot.digest, snapshot.bytes):
        raise DiskError(
            f"{snapshot.name} changed in the spool after it was written: expected {snapshot.digest} "
            f"({snapshot.bytes} bytes), got {digest} ({length} bytes). Check the disk; the capture is not recorded."
        )


def _digest(path: Path) -> tuple[Digest, int]:
    try:
        with path.open("rb") as stream:
            return Digest.of_stream(stream)
    except OSError as error:
        raise DiskError(f"{path.name} could not be read back from the spool: {error.strerror}.") from error
