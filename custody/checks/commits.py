"""Check 3, commits: one chain from the first on, none lost, each with its checkpoint. The leaves come from here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from custody import keys, keyspace
from custody.checkpoint import open_checkpoint
from custody.checks import checkpoint
from custody.checks.checkpoint import Signed
from custody.checks.inquiry import Inquiry
from custody.checks.registry import Registry
from custody.checks.shelf import Shelf
from custody.commit import MAX_BYTES, Commit
from custody.digest import Digest
from custody.errors import FormatError, SignatureError
from custody.model import Json
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.source import Absent, TooLong

CHECK = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Leaves that follow each other."""

    first: int
    """Index of the first."""
    leaves: tuple[bytes, ...]
    commit: Commit | None
    """None: the commit is lost, and these are from the bundles."""


class Commits:
    def __init__(self, inquiry: Inquiry, signed: Signed, shelf: Shelf) -> None:
        self._inquiry = inquiry
        self._findings = inquiry.findings
        self._signed = signed
        self._shelf = shelf
        self._numbers = self._list()
        self.size = 0
        """Leaves so far."""
        self.last = 0
        """The number of the newest commit."""
        self.ends: dict[int, int] = {}
        """The size that each commit gives the tree, and the commit's number."""
        self.unpublished: list[int] = []
        self.cut = False
        """There are leaves that could not be had: what follows them is not looked at."""
        self._before: tuple[int, Digest] | None = None
        self._unlinked: set[int] = set()
        self._recovered: list[range] = []
        self._by: dict[str, int] = {}
        self._headers: dict[tuple[int, str], str] = {}

    def walk(self) -> Iterator[Batch]:
        lost = False
        objects = self._inquiry.fetched((keyspace.commit(self._inquiry.log, n) for n in self._numbers), MAX_BYTES)
        for done, (n, data) in enumerate(zip(self._numbers, objects, strict=True)):
            self._inquiry.progress("commits", done, len(self._numbers))
            lost |= self._missing(n)
            self.last = n
            commit = self._read(n, data)
            if commit is None:
                lost = True
                continue
            if commit.n != n:
                self._fail("COMMIT_CHAIN", f"the commit under number {n} says it is {commit.n}", n=n)
            if lost and commit.old > self.size:
                yield from self._recover(commit.old)
                if self.cut:
                    return
            elif commit.old != self.size:
                self._fail("COMMIT_CHAIN", f"commit {n} stands on {commit.old} leaves, there are {self.size}", n=n)
            lost = False
            self.ends[self.size + len(commit.leaves)] = n
            yield Batch(self.size, commit.leaves, commit)
            self.size += len(commit.leaves)
        newest = self._signed.newest
        if newest is not None and newest.size > self.size:
            if not lost:
                self._fail(
                    "LOG_ROLLBACK",
                    f"the commits end with number {self.last} at {self.size} leaves, and the log has signed "
                    f"{newest.size}: the newest commits are gone",
                    n=self.last + 1,
                    size=self.size,
                    signed=newest.size,
                )
            yield from self._recover(newest.size)

    def check_event(self, commit: Commit, at: int, event_id: str) -> None:
        if commit.events[at] != event_id:
            self.check_header(commit.n, "events", f"commit {commit.n} lists another event than its leaf {at} holds")

    def check_signer(self, commit: Commit, registry: Registry) -> None:
        """The keys in the header, once the leaves up to and in this commit are known."""
        log_key = keys.keyid(self._inquiry.trust.log.public_key)
        revoked = registry.revoked.get(log_key)
        if commit.key != log_key:
            self.check_header(commit.n, "key", f"commit {commit.n} names another log key, {commit.key}")
        elif revoked is not None and revoked < commit.old:
            self.check_header(commit.n, "key", f"commit {commit.n} names the log's key, revoked by leaf {revoked}")
        self._by.setdefault(commit.by, commit.n)

    def finish(self, registry: Registry) -> None:
        """Links, headers and checkpoints, when all is read."""
        self._check_links()
        if registry.doubtful is None:
            for by, n in self._by.items():
                if by not in registry.introduced:
                    self.check_header(n, "by", f"commit {n} is by key {by}, which no leaf introduces")
        self._check_published()
        self._findings.detail(CHECK, f"{len(self.ends)} commits, {self.size} leaves")

    def check_header(self, n: int, field: str, message: str) -> None:
        """A header that does not fit its leaves; told at the end, unless the commit is named for another reason."""
        self._headers.setdefault((n, field), message)

    def report_headers(self) -> None:
        for (n, field), message in self._headers.items():
            if not self._findings.has("COMMIT_CHAIN", n=n):
                self._fail("COMMIT_HEADER", message, n=n, field=field)

    def _list(self) -> list[int]:
        prefix = f"{self._inquiry.prefix}commit/"
        pattern = re.compile(re.escape(prefix) + "([0-9]{20})")
        numbers = []
        for key in self._inquiry.reader.keys(prefix):
            if (match := pattern.fullmatch(key)) and int(match[1]) > 0:
                numbers.append(int(match[1]))
            else:
                self._findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that a log has", key=key[:300])
        return sorted(numbers)

    def _missing(self, n: int) -> bool:
        """Report the commits between the last one and this."""
        first, last = self.last + 1, n - 1
        if first > last:
            return False
        more = {} if first == last else {"until": last}
        what = f"commit {first} is" if first == last else f"commits {first} to {last} are"
        self._fail("COMMIT_MISSING", f"{what} not there, and later ones are", n=first, **more)
        return True

    def _read(self, n: int, data: bytes | Absent | TooLong) -> Commit | None:
        if isinstance(data, Absent):
            self._fail("COMMIT_MISSING", f"commit {n} is listed and not there", n=n)
            return None
        if isinstance(data, TooLong):
            self._fail("COMMIT_FORMAT", f"commit {n}: {data}", n=n)
            return None
        before, self._before = self._before, (n, Digest.of(data))
        try:
            commit = Commit.parse(data)
        except FormatError as error:
            self._fail("COMMIT_FORMAT", f"commit {n}: {error}", n=n)
            return None
        if before is not None and before[0] == n - 1 and before[1] != commit.prev:
            self._unlinked.add(n)
        return commit

    def _recover(self, until: int) -> Iterator[Batch]:
        """Leaves of commits that are gone, from the bundles. Without all of them nothing after them has a place."""
        begin = self.size
        leaves = self._shelf.leaves(begin, until)
        for leaf in leaves:
            yield Batch(self.size, (leaf,), None)
            self.size += 1
        self._recovered.append(range(begin, until + 1))
        self.cut = self.size < until

    def _check_links(self) -> None:
        for n in sorted(self._unlinked):
            # One that fits neither neighbour was changed itself; else it is the one that the next does not know again.
            blamed = n if n + 1 in self._unlinked else n - 1
            if not self._findings.has("COMMIT_FORMAT", n=blamed):
                self._fail("COMMIT_CHAIN", f"commit {blamed} is not the one that commit {blamed + 1} follows", n=blamed)

    def _check_published(self) -> None:
        newest = self._signed.newest
        for size, n in self.ends.items():
            if size in self._signed.listed:
                continue
            if newest is not None and size > newest.size:
                self.unpublished.append(n)
            else:
                self._findings.fail(
                    checkpoint.CHECK, "CP_MISSING", f"commit {n} has no checkpoint of {size} leaves", n=n, size=size
                )
        for size in self._signed.by_size:
            known = size > self.size or size in self.ends or any(size in gap for gap in self._recovered)
            if not known and size in self._signed.listed:
                self._findings.fail(
                    checkpoint.CHECK, "CP_FOREIGN", f"no commit ends at the checkpoint of {size} leaves", size=size
                )
        if newest is not None:
            self._check_unpublished(newest.size)

    def _check_unpublished(self, signed: int) -> None:
        """One may wait: a sequencer signs its last commit before it makes another. More, if the log grew just now."""
        sizes = {n: size for size, n in self.ends.items() if size > signed}
        waiting = [n for n in self.unpublished if not self._signed_meanwhile(sizes[n])]
        if waiting in ([], [self.last]):
            for n in waiting:
                self._findings.note(
                    CHECK,
                    "LOG_UNPUBLISHED",
                    f"commit {n} is not under a checkpoint yet; the next command that records will sign it",
                    n=n,
                )
            return
        self._findings.fail(
            checkpoint.CHECK,
            "LOG_TRUNCATED",
            f"the log has signed {signed} leaves, and its commits hold {self.size}",
            shown=signed,
            committed=self.size,
            n=waiting[0],
        )

    def _signed_meanwhile(self, size: int) -> bool:
        try:
            data = self._inquiry.reader.read(keyspace.checkpoint_at(self._inquiry.log, size), MAX_NOTE_BYTES)
            return open_checkpoint(data, self._inquiry.trust.log).size == size
        except (Absent, TooLong, FormatError, SignatureError):
            return False

    def _fail(self, code: str, message: str, **locator: Json) -> None:
        self._findings.fail(CHECK, code, message, **locator)
