"""A home and a store for tests: real keys, real events, and a store that can be made to fail."""

import base64
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from archive.errors import NotStored, StoreDenied, StoreDown
from archive.genesis import open_log
from archive.home import Home
from archive.log import LoggedEvent, LogReader
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from archive.store import ObjectStore, Stored, Version
from custody import merkle
from custody.checkpoint import open_checkpoint
from custody.digest import Digest
from custody.event import Envelope, Subject, open_event
from custody.keys import Signer, keyid
from custody.model import Json
from custody.verdict import Severity
from custody.verify import verify


def now() -> datetime:
    return datetime.now(UTC)


def tomorrow() -> datetime:
    return now().replace(microsecond=0) + timedelta(days=1)


@dataclass
class Deployment:
    """One home on one store."""

    home: Home
    store: ObjectStore

    @classmethod
    def make(cls, path: Path, store: ObjectStore) -> "Deployment":
        return cls(Home.open(path / "home", clock=now), store)

    @property
    def log(self) -> str:
        return self.home.trust.log.name

    def open(
        self,
        *,
        hook: Callable[[str], None] = lambda _: None,
        snapshot_every: int = 1024,
        store: ObjectStore | None = None,
    ) -> Sequencer:
        return open_log(
            self.home,
            store or self.store,
            clock=now,
            retain_until=tomorrow,
            hook=hook,
            snapshot_every=snapshot_every,
        )

    def scribe(self, signer: Signer | None = None) -> Scribe:
        return Scribe(self.store, signer or self.home.signers.worker, clock=now, retain_until=tomorrow)

    def event(self, *, unit: str | None = None, subject: Subject | None = None) -> Envelope:
        """A ``capture.started`` of a unit; of a new one when none is given. Its job is stored unless one is given."""
        scribe = self.scribe()
        capture = scribe.new_id()
        subject = subject or scribe.detail("job.json", {"capture_id": capture})
        body: dict[str, Json] = {"capture": capture, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z"}
        return scribe.event("capture.started", chain=f"item:{unit or capture}", subject=subject, body=body)

    def twin(self, path: Path) -> "Deployment":
        """The same keys on another machine: nothing of what this one remembers."""
        for name in ("keys", "trust.json", "home.json"):
            source, target = self.home.path / name, path / "home" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)
        return Deployment.make(path, self.store)


def audit(deployment: Deployment, store: ObjectStore | None = None) -> list[LoggedEvent]:
    """Read the whole log as a stranger would: one line of commits, every leaf's place, every root and signature.

    Then ask the verifier, which was written by other hands.
    """
    reader = LogReader(store or deployment.store, deployment.log)
    vkey = deployment.home.trust.log
    frontier = merkle.Frontier()
    heads: dict[str, tuple[int, str]] = {}
    signers = deployment.home.signers
    keys = {
        keyid(each.public_key): each.public_key for each in (signers.need_root(), signers.need_log(), signers.worker)
    }
    events: list[LoggedEvent] = []
    for logged in reader.commits():
        hashes: dict[int, Digest] = {}
        for index, data in enumerate(logged.commit.leaves, logged.commit.old):
            each = reader.parse(logged.commit.n, index, data)
            open_event(each.leaf.event, keys[each.leaf.event.keyid])
            if each.event.type == "key.introduced":
                keys[str(each.event.body["keyid"])] = base64.b64decode(str(each.event.body["public_key"]))
            (chain,) = each.leaf.chains
            assert chain.scope == each.event.chain
            seq, prev = heads.get(chain.scope, (-1, None))
            assert (chain.seq, chain.prev) == (seq + 1, prev)
            heads[chain.scope] = (chain.seq, each.leaf_sha256.hex)
            frontier.append(each.leaf_sha256.raw)
            hashes[index] = each.leaf_sha256
            events.append(each)
        assert frontier.root() == logged.commit.root
        checkpoint = reader.store.read(f"{_prefix(deployment)}checkpoints/{logged.commit.new:020d}")
        signed = reader.confirm(vkey, checkpoint, hashes)
        assert (signed.size, signed.root) == (logged.commit.new, logged.commit.root)
    newest = open_checkpoint(reader.store.read(f"{_prefix(deployment)}checkpoint"), vkey)
    assert newest.size == frontier.size
    ids = [each.event.event_id for each in events]
    assert len(set(ids)) == len(ids), "an event is in the log twice"
    verdict = verify(
        reader.store, deployment.home.trust, at=now(), absent=(NotStored,), unreachable=(StoreDown, StoreDenied)
    )
    assert verdict.holds, [each for each in verdict.findings if each.severity is Severity.FAIL]
    return events


def _prefix(deployment: Deployment) -> str:
    return f"v1/log/{deployment.log.replace('/', '_')}/"


def append_in_turn(deployment: Deployment, done: Path, count: int) -> None:
    """One by one; each is written down once it has its receipt."""
    sequencer = deployment.open()
    with done.open("w") as file:
        for _ in range(count):
            envelope = deployment.event()
            (receipt,) = sequencer.append([envelope])
            file.write(f"{receipt.payload_sha256.hex} {receipt.index}\n")
            file.flush()


@dataclass
class UnreliableStore:
    """A store in front of the real one that loses, alters, hides or fails what is asked of it, for keys that match."""

    inner: ObjectStore
    matches: Callable[[str], bool] = lambda _: False
    loses: bool = False
    """Says that it has stored it, and has not."""
    alters: bool = False
    """Gives back other bytes."""
    hides: bool = False
    """Does not find it."""
    swallows_answers: bool = False
    """Does it, and its answer never arrives."""
    down: bool = False
    """Does nothing and says so."""
    triggered: int = 0
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        return f"unreliable {self.inner.name}"

    def heal(self) -> None:
        self.loses = self.alters = self.hides = self.swallows_answers = self.down = False

    def _hit(self, key: str, *, when: bool) -> bool:
        with self.lock:
            self.asked.append(key)
            hit = when and self.matches(key)
            self.triggered += hit
        return hit

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        if self._hit(key, when=self.down):
            raise StoreDown("the store does not answer")
        if self._hit(key, when=self.loses):
            length = data.stat().st_size if isinstance(data, Path) else len(data)
            return Stored(key=key, bytes=length, sha256=digest, version_id=None, lock=None, created=True)
        stored = self.inner.create(key, data, digest=digest, retain_until=retain_until)
        if self._hit(key, when=self.swallows_answers):
            raise StoreDown("the answer of the store did not arrive")
        return stored

    def replace(self, key: str, data: bytes) -> None:
        if self._hit(key, when=self.down):
            raise StoreDown("the store does not answer")
        if self._hit(key, when=self.loses):
            return
        self.inner.replace(key, data)
        if self._hit(key, when=self.swallows_answers):
            raise StoreDown("the answer of the store did not arrive")

    def read(self, key: str) -> bytes:
        data = self.inner.read(key)
        if self._hit(key, when=self.hides):
            raise NotStored(f"there is nothing under {key}")
        if self._hit(key, when=self.alters):
            return data[:-1] + bytes([data[-1] ^ 1])
        return data

    def open(self, key: str) -> BinaryIO:
        return self.inner.open(key)

    def head(self, key: str) -> Stored:
        return self.inner.head(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self.inner.keys(prefix)

    def versions(self, prefix: str) -> Iterator[Version]:
        return self.inner.versions(prefix)

    def remove_unlocked(self, key: str) -> None:
        self.inner.remove_unlocked(key)


def ids(events: Sequence[LoggedEvent]) -> list[str]:
    return [each.event.event_id for each in events]
