"""What is derived from a commit, for readers: bundles, tiles, the signed checkpoint. Written as often as needed."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive import disk
from archive.errors import LogError, NotStored, StoreError
from archive.store import ObjectStore, create_and_read
from custody import keyspace
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.digest import Digest
from custody.errors import CustodyError
from custody.keys import Signer
from custody.note import VerifierKey
from custody.tiles import WIDTH, Growth

_THREADS = 4
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Derived:
    """All that is to be written for one commit, by its keys."""

    checkpoint: Checkpoint
    full: Mapping[str, bytes]
    """Bundles and tiles that will never change."""
    partial: Mapping[str, bytes]
    """Those that are not full. The full one supersedes them (C2SP tlog-tiles), so they carry no lock."""

    @property
    def written(self) -> Mapping[str, bytes]:
        return {**self.full, **self.partial}


class Publisher:
    """Gives the same bytes for the same commit, whoever publishes it and however often."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        vkey: VerifierKey,
        signer: Signer | None,
        lock: Path,
        retain_until: Callable[[], datetime],
        hook: Callable[[str], None],
    ) -> None:
        self._store = store
        self._vkey = vkey
        self._log = vkey.name
        self._signer = signer
        self._lock = lock
        self._retain_until = retain_until
        self._hook = hook

    def derive(self, growth: Growth) -> Derived:
        log = self._log
        bundles = [(each.width, keyspace.entries(log, each.index, each.width), data) for each, data in growth.bundles]
        tiles = [
            (each.width, keyspace.tile(log, each.level, each.index, each.width), data) for each, data in growth.tiles
        ]
        return Derived(
            Checkpoint(log, growth.edge.size, growth.root),
            {key: data for width, key, data in (*bundles, *tiles) if width == WIDTH},
            {key: data for width, key, data in (*bundles, *tiles) if width < WIDTH},
        )

    def publish(self, derived: Derived) -> Mapping[str, bytes]:
        """Bundles and tiles, then the checkpoint that signs them, then the pointer to it.

        Gives what the store gave back of each once it had taken it, but for the pointer. Raises ``Collision`` when
        other bytes lie where these belong: then the store is not to be built on.
        """
        if self._signer is None:
            raise ValueError("without the log's key nothing is published")
        until = self._retain_until()
        with ThreadPoolExecutor(_THREADS, "publisher") as threads:
            writes = {key: threads.submit(self._create, key, data, until) for key, data in derived.full.items()}
            writes |= {key: threads.submit(self._create, key, data, None) for key, data in derived.partial.items()}
            given = {key: each.result() for key, each in writes.items()}
        self._hook("tiled")
        checkpoint = derived.checkpoint
        key = keyspace.checkpoint_at(self._log, checkpoint.size)
        given[key] = self._create(key, checkpoint.sign(self._signer), until)
        self._hook("checkpointed")
        self.point(checkpoint)
        self._hook("pointed")
        return given

    def newest(self) -> Checkpoint | None:
        """What the pointer says; None when it says nothing that the log signed, as before the first commit."""
        try:
            return open_checkpoint(self._store.read(keyspace.checkpoint(self._log)), self._vkey)
        except NotStored:
            return None
        except CustodyError:
            return None  # a cache: what it should say stands in checkpoints/, and it is written again

    def point(self, mine: Checkpoint) -> None:
        """The pointer says this checkpoint or a newer one; an older one never for long, whoever races us."""
        if self._signer is None:
            raise ValueError("without the log's key nothing is pointed to")
        # Processes of one home take turns; those of other machines may overwrite us, so we look again.
        with disk.exclusive(self._lock):
            for _ in range(_TRIES):
                newest = self.newest()
                if newest is not None and newest.size == mine.size and newest.root != mine.root:
                    raise LogError(
                        f"two trees of {mine.size} leaves are signed as {self._log}: the log has forked; stop using "
                        "this key, run `counterproof verify`, and compare the store with a mirror"
                    )
                if newest is not None and newest.size >= mine.size:
                    return
                self._store.replace(keyspace.checkpoint(self._log), mine.sign(self._signer))
        raise StoreError(f"{self._store.name} does not keep the newest checkpoint: check that it can be overwritten")

    def _create(self, key: str, data: bytes, until: datetime | None) -> bytes:
        return create_and_read(self._store, key, data, digest=Digest.of(data), retain_until=until)
