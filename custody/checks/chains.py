"""Check 7, chains: in every scope the leaves are numbered without a gap, and each names the one before it."""

from bisect import bisect_right
from dataclasses import dataclass, field

from custody.checks.entries import CHECK_CHAINS as CHECK
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.leaf import Chain


@dataclass(frozen=True, slots=True)
class _Link:
    index: int
    hashes: tuple[bytes, bytes]
    prev: str | None


@dataclass(slots=True)
class _Scope:
    next: int = 0
    last: _Link | None = None
    early: dict[int, _Link] = field(default_factory=dict)
    """Leaves whose number is not up yet."""


class Chains:
    def __init__(self, inquiry: Inquiry) -> None:
        self._findings = inquiry.findings
        self._scopes: dict[str, _Scope] = {}
        self._unread: list[int] = []
        self.broken: set[str] = set()
        """Scopes of which the order is not to be relied on."""

    def see(self, entry: Entry) -> None:
        if entry.leaf is None:
            self._unread.append(entry.index)
            return
        for chain in entry.leaf.chains:
            self._see(chain, _Link(entry.index, (entry.hash, entry.tile_hash), chain.prev))

    def finish(self) -> None:
        for name, scope in self._scopes.items():
            while scope.early:
                self._report_gap(name, scope)
        self._findings.detail(CHECK, f"{len(self._scopes)} chains")

    def _see(self, chain: Chain, link: _Link) -> None:
        scope = self._scopes.setdefault(chain.scope, _Scope())
        if chain.seq < scope.next or chain.seq in scope.early:
            self._fail("CHAIN_ORDER", f"number {chain.seq} is there twice", chain.scope, chain.seq, index=link.index)
        elif chain.seq > scope.next:
            scope.early[chain.seq] = link
        else:
            self._accept(chain.scope, scope, link)
            while early := scope.early.pop(scope.next, None):
                seq = scope.next
                self._fail("CHAIN_ORDER", f"number {seq} comes before {seq - 1}", chain.scope, seq, index=early.index)
                self._accept(chain.scope, scope, early)

    def _accept(self, name: str, scope: _Scope, link: _Link) -> None:
        # The tile's hash counts too: if the leaf before was altered in its commit, check 3 or 4 has named it.
        before = scope.last
        if before is not None and link.prev not in {each.hex() for each in before.hashes}:
            self._fail(
                "CHAIN_LINK",
                f"number {scope.next} names another leaf before it than leaf {before.index}",
                name,
                scope.next,
                index=link.index,
            )
        scope.last = link
        scope.next += 1

    def _report_gap(self, name: str, scope: _Scope) -> None:
        first, seq = scope.next, min(scope.early)
        link = scope.early.pop(seq)
        after = -1 if scope.last is None else scope.last.index
        unread = bisect_right(self._unread, link.index) - bisect_right(self._unread, after)
        if unread < seq - first:
            missing = {} if seq - first == 1 else {"until": seq - 1}
            self._fail("CHAIN_GAP", f"number {first} is missing before leaf {link.index}", name, first, **missing)
        self.broken.add(name)
        scope.next = seq + 1
        # What it should name is what is missing: nothing to compare with.
        scope.last = link
        while early := scope.early.pop(scope.next, None):
            self._accept(name, scope, early)

    def _fail(self, code: str, message: str, scope: str, seq: int, **more: int) -> None:
        self.broken.add(scope)
        self._findings.fail(CHECK, code, f"chain {scope}: {message}", scope=scope, seq=seq, **more)
