"""The follower: reads the log on to its newest commit, judges it, and never goes back.

With the log's key it finishes what a commit's maker has left; without, it waits for somebody who does.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from archive.confirmation import ReadBack, read_back
from archive.draft import Draft
from archive.errors import LogError, LogForeign, LogRollback, NotStored, StoreError
from archive.heads import Advance, Heads
from archive.log import LoggedCommit, LogReader, Position
from archive.publisher import Publisher
from archive.segments import SegmentLost
from archive.snapshots import EVERY, LEAVES, Snapshots
from archive.watermark import Watermark
from custody import keys, keyspace
from custody.checkpoint import Checkpoint
from custody.commit import Commit
from custody.digest import Digest
from custody.errors import CustodyError
from custody.keys import Signer
from custody.tiles import Edge, Growth
from custody.trust import Trust

_GRACE_TRIES = 8
_GRACE_SECONDS = 0.05


class _Moved(Exception):
    """Another process of this home was here first; what we hold is old."""


class _Unfinished(Exception):
    """The newest commit is not published yet, and publishing is not for us."""

    def __init__(self, position: Position, reason: StoreError) -> None:
        super().__init__(str(reason))
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Expected:
    """A commit that the store has taken from us."""

    n: int
    sha256: Digest
    draft: Draft
    given: bytes
    """What it gave back of it."""


class Follower:
    """Of one log, for one process. Not safe for threads: the sequencer holds a lock around it."""

    def __init__(
        self,
        reader: LogReader,
        *,
        trust: Trust,
        log_signer: Signer | None,
        state_dir: Path,
        retain_until: Callable[[], datetime],
        hook: Callable[[str], None],
        snapshot_every: int = EVERY,
        snapshot_leaves: int = LEAVES,
    ) -> None:
        """``log_signer`` None: nothing is ever written to the store."""
        self.reader = reader
        self.trust = trust
        self._snapshots = Snapshots(
            reader, vkey=trust.log, signer=log_signer, state_dir=state_dir, every=snapshot_every, leaves=snapshot_leaves
        )
        self.heads = Heads(state_dir / "heads.sqlite", self._snapshots.fetch)
        self.publisher = Publisher(
            reader.store,
            vkey=trust.log,
            signer=log_signer,
            lock=state_dir / "pointer.lock",
            retain_until=retain_until,
            hook=hook,
        )
        self.known: ReadBack | None = None
        """The commit that the last ``follow`` has published and read back, if there was a new one."""
        self.position = Position()
        self.edge = Edge()
        self._expected: _Expected | None = None
        self._keyid = keys.keyid(trust.log.public_key)
        self._publishes = log_signer is not None
        self._watermark = Watermark(state_dir / "head.json")
        self._hook = hook

    def begin(self) -> None:
        """Once a process: upload what a dead one left, and spare a machine without a memory what snapshots hold."""
        self._snapshots.upload()
        if self.heads.position().n == 0:
            self._snapshots.load(self.heads)

    def forget(self, lost: SegmentLost) -> None:
        """What rested on that snapshot is dropped; the next ``follow`` reads on from an older one, or all commits."""
        self._snapshots.refuse(lost)
        self.heads.forget()
        self._snapshots.load(self.heads)
        self.position, self.edge = Position(), Edge()

    def expect(self, n: int, sha256: Digest, draft: Draft, given: bytes) -> None:
        """The store has taken our commit and given this back of it: the next ``follow`` must find it so."""
        self._expected = _Expected(n, sha256, draft, given)

    def follow(self) -> None:
        """Read, judge and take over every commit after ours; publish the newest, as its maker may have died.

        Raises ``LogRollback`` when the store shows less than was seen before, and ``LogError`` when it holds what no
        sequencer would have written.
        """
        # Both are read before the commits are: what they tell of must be there by then.
        self.known = None
        expected, self._expected = self._expected, None
        seen = self._watermark.read()
        # What the pointer says to a commit that we have just made is looked at when it is to point there.
        newest = self.publisher.newest() if expected is None else None
        while True:
            try:
                self._load()
                published = self._read_on(expected)
            except _Moved:
                continue
            except _Unfinished as error:
                self._wait_for(error, newest)
                return
            break
        if expected is not None and self.position.n < expected.n:
            raise StoreError(
                f"{self.reader.store.name} said that it had stored commit {expected.n} of {self.reader.log}, and does "
                "not have it: nothing is recorded by this; run `counterproof doctor`"
            )
        if newest is not None and newest.size > self.position.size:
            raise LogRollback(
                f"{self.reader.log} has a signed checkpoint of {newest.size} leaves, and its commits give "
                f"{self.position.size}: commits were removed; {_UNTOUCHED}"
            )
        if self.position.n < seen.n:
            raise LogRollback(
                f"{self.reader.log} ends at commit {self.position.n}, and this machine has seen commit {seen.n}: "
                f"{_ELSEWHERE}; {_UNTOUCHED}"
            )
        self._watermark.rise(self.position)
        behind = newest is None or newest.size < self.position.size
        if self._publishes and self.position.n and not published and behind:
            self.publisher.point(Checkpoint(self.reader.log, self.position.size, self.edge.root))

    def is_at_end(self) -> bool:
        """Whether pointer and commits end where we have read to. A later commit that nobody has published is not seen.

        Enough to make the next commit upon: its place is free, or the store says that it is taken. What ``follow``
        refuses is not told apart here, it is only no end.
        """
        self.known = None
        if self.position.n == 0 or self._expected is not None or self.heads.position() != self.position:
            return False
        if self._watermark.read().n > self.position.n:
            return False
        newest = self.publisher.newest()
        if newest is None or (newest.size, newest.root) != (self.position.size, self.edge.root):
            return False
        return self._stored(self.position.n) == self.position.commit_sha256

    def _wait_for(self, unfinished: _Unfinished, newest: Checkpoint | None) -> None:
        """The log ends before that commit for us, unless its checkpoint is the newest one already."""
        if newest is not None and newest.size >= unfinished.position.size:
            raise unfinished.reason
        self._watermark.rise(self.position)

    def refuse_other_logs(self) -> None:
        """A store that holds somebody's log is not one to begin a second one in by mistake."""
        mine = keyspace.log_prefix(self.reader.log)
        other = next((key for key in self.reader.store.keys(keyspace.LOGS) if not key.startswith(mine)), None)
        if other is not None:
            slug = other.removeprefix(keyspace.LOGS).split("/")[0]
            raise LogForeign(
                f"{self.reader.store.name} holds the log {slug}, and this home has no key in it: use the home that "
                "made it (COUNTERPROOF_HOME), or another store or prefix (COUNTERPROOF_STORE_URL)"
            )

    def refuse_stranger(self, worker: str) -> None:
        known = self.heads.key(worker)
        if known is None:
            raise LogForeign(
                f"the worker key {worker[:16]}… of this home was never introduced in {self.reader.log}: have its "
                "request introduced (`counterproof keys enrol` makes it), put the right worker.key back from your "
                "backup, or use the home that made this log (COUNTERPROOF_HOME)"
            )
        if known.revoked:
            raise LogForeign(
                f"the worker key {worker[:16]}… of this home was revoked in {self.reader.log}, and that is never taken "
                "back: give this home a new one with `counterproof keys rotate worker`"
            )

    def refuse_removed(self) -> None:
        """A delete marker on the next commit makes room for a second one of that number, which would be a fork."""
        n = self.position.n + 1
        key = keyspace.commit(self.reader.log, n)
        if any(each.key == key for each in self.reader.store.versions(key)) and self._stored(n) is None:
            raise LogRollback(
                f"commit {n} of {self.reader.log} was removed, and its old version is still there: take its delete "
                f"marker away; {_UNTOUCHED}"
            )

    def _load(self) -> None:
        """What other processes of this home have taken over meanwhile."""
        if self.heads.position() != self.position:
            self.heads.recall()
            with self.heads.reading():
                self.position, self.edge = self.heads.position(), self.heads.edge()

    def _read_on(self, expected: "_Expected | None") -> bool:
        """Whether there was anything new, whose newest commit is now published."""
        before = self.position
        last: LoggedCommit | None = None
        # Of what came after ours, the next one who follows tells: who made it sees to it that it is published.
        to = expected.n if expected is not None and expected.n > before.n else None
        given = {} if expected is None else {expected.n: expected.given}
        for logged in self.reader.commits(before, to=to, given=given):
            if expected is not None and logged.commit.n == expected.n and logged.sha256 != expected.sha256:
                raise StoreError(
                    f"{self.reader.store.name} stored commit {expected.n} of {self.reader.log} as {expected.sha256}, "
                    f"and gives back {logged.sha256}: nothing is recorded by this; run `counterproof doctor`"
                )
            if last is not None:
                self._take(last, newest=False)  # whoever made the one after it has published it
            last = logged
        if last is not None:
            ours = expected is not None and last.commit.n == expected.n
            self._take(last, newest=True, ours=expected.draft if expected is not None and ours else None)
        elif before.n and (stored := self._stored(before.n)) != before.commit_sha256:
            raise LogRollback(
                f"commit {before.n} of {self.reader.log} was seen here as {before.commit_sha256}, and the store has "
                f"{stored or 'nothing'} there: {_ELSEWHERE}; {_UNTOUCHED}"
            )
        return last is not None

    def _take(self, logged: LoggedCommit, *, newest: bool, ours: Draft | None = None) -> None:
        """``ours``: what we have made this very commit of, so that it was judged already, leaf by leaf."""
        commit = logged.commit
        with self.heads.reading():
            if self.heads.position() != self.position:
                raise _Moved
            draft = ours
            if draft is None or not draft.follows(self.position) or tuple(draft.leaves) != commit.leaves:
                draft = self._judged(commit)
        growth = self.edge.grow(commit.leaves)
        if (commit.root, commit.key, commit.events) != (growth.root, self._keyid, draft.event_ids()):
            raise LogError(f"commit {commit.n} of {self.reader.log} does not say what its leaves say: {_STOP}")
        self._watermark.check(logged.position)
        advance = draft.advance(logged.sha256, growth)
        if newest:
            self.known = ReadBack(commit.n, self._publish(growth, advance, ours=ours is not None))
        with self.heads.advancing(self.position) as first:
            if first:
                self.heads.write(advance)
                self._snapshots.write(self.heads, advance.position, advance.root)
        self.position, self.edge = advance.position, growth.edge
        self._hook("advanced")
        self._snapshots.upload()

    def _judged(self, commit: Commit) -> Draft:
        draft = Draft(self.heads, self.trust, after=self.position)
        try:
            for data in commit.leaves:
                draft.follow(data)
        except CustodyError as error:
            raise LogError(
                f"commit {commit.n} of {self.reader.log} holds what it should not ({error}): {_STOP}"
            ) from error
        return draft

    def _publish(self, growth: Growth, advance: Advance, *, ours: bool) -> bytes:
        """What is derived from a commit is in the store, and read back; gives its checkpoint."""
        derived = self.publisher.derive(growth)
        leaves = {each.index: each.leaf_sha256 for each in advance.events}

        def look(given: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
            size = derived.checkpoint.size
            found = read_back(self.reader, self.trust.log, size, leaves, written=derived.written, given=given)
            if not self._publishes and (
                (newest := self.publisher.newest()) is None or newest.size < derived.checkpoint.size
            ):
                raise StoreError(f"the checkpoint of {self.reader.log} does not show commit {advance.position.n} yet")
            return found

        if not ours:
            # Its maker is most likely at it just now: two that write the same keys at once only slow each other down.
            for _ in range(_GRACE_TRIES):
                try:
                    checkpoint = look()
                except StoreError:
                    time.sleep(_GRACE_SECONDS)
                else:
                    if self._publishes:
                        self.publisher.point(derived.checkpoint)
                    return checkpoint
        if not self._publishes:
            try:
                return look()
            except StoreError as error:
                raise _Unfinished(advance.position, error) from error
        checkpoint = look(self.publisher.publish(derived))
        self._hook("read back")
        return checkpoint

    def _stored(self, n: int) -> Digest | None:
        key = keyspace.commit(self.reader.log, n)
        try:
            stored = self.reader.store.head(key)
            return stored.sha256 or Digest.of(self.reader.store.read(key))
        except NotStored:
            return None


_ELSEWHERE = (
    "either this is not the store that this home's log lies in (give another store a home of its own, "
    "COUNTERPROOF_HOME), or it was put back from an old copy"
)
_UNTOUCHED = "nothing was changed; run `counterproof verify`, and compare the store with a mirror"
_STOP = "it was not built on; run `counterproof verify`, and find out who can write to the store"
