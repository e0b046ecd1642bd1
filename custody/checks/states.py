"""Check 8, states: every end has its start, a start has one end, and what opens a chain stands first in it."""

from dataclasses import dataclass, field

from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.event import Event
from custody.instant import parse_utc
from custody.verdict import depends

CHECK = 8
ENDS = frozenset({"capture.completed", "capture.failed", "capture.abandoned", "look.unchanged"})
RECORDED = frozenset({"capture.completed", "capture.failed"})
"""Those that have a record."""


def status_of(event: Event) -> str:
    """What an end says of its capture: ``complete``, ``partial``, ``failed``, ``abandoned`` or ``unchanged``."""
    if event.type == "look.unchanged":
        return "unchanged"
    return str(event.body.get("status", "abandoned"))


RESTING = {"package.made": "a package", "artifact.derived": "something derived"}
"""What is made of an item's captures, and has to rest on one of them."""
OPENERS = {"log": "log.opened", "run": "run.opened", "scope": "case.opened"}
"""By kind of chain: what stands first in it, and nowhere else."""


@dataclass(frozen=True, slots=True)
class _Start:
    index: int
    capture: str
    deadline: str


@dataclass(frozen=True, slots=True)
class _End:
    index: int
    capture: str
    started: Digest


@dataclass(slots=True)
class _Item:
    starts: dict[Digest, _Start] = field(default_factory=dict)
    """By the payload that their ends refer to."""
    ends: list[_End] = field(default_factory=list)
    recorded: set[Digest] = field(default_factory=set)
    """Payloads of the ends that have a record."""
    unfounded: list[tuple[int, str]] = field(default_factory=list)
    """Packages, and what was derived, that rest on none of the ends before them: index and what it is."""


class States:
    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._findings = inquiry.findings
        self._items: dict[str, _Item] = {}
        self._runs: dict[str, bool] = {}
        self._misplaced: list[tuple[int, str, str]] = []
        self._damaged: set[str] = set()
        self.captures = 0
        """Starts."""
        self.open = 0
        """Starts without an end."""

    def see(self, entry: Entry) -> None:
        event, leaf = entry.event, entry.leaf
        if leaf is None:
            return
        if event is None:
            self._damaged.add(leaf.chains[0].scope)
        elif event.kind is not None and not entry.repeated:
            kind, _, name = event.chain.partition(":")
            if kind == "item":
                self._see_item(entry.index, event, leaf.event.payload_sha256, name)
            elif kind in OPENERS:
                self._see_opening(entry.index, event, leaf.chains[0].seq, OPENERS[kind])

    def finish(self, broken: set[str]) -> None:
        """``broken``: scopes whose chain does not hold; what is missing there has been named."""
        damaged = self._damaged | broken
        for index, type_, chain in self._misplaced:
            if chain not in damaged:
                self._fail(f"leaf {index}, {type_}, is out of its place in {chain}", index=index, scope=chain)
        for name, item in self._items.items():
            if f"item:{name}" not in damaged:
                self._finish_item(name, item)
        for run, closed in self._runs.items():
            if not closed and f"run:{run}" not in damaged:
                self._findings.note(CHECK, "STATE_OPEN", f"run {run} is not closed", run=run)
        self._findings.detail(CHECK, f"{self.captures} captures, {self.open} open")
        if damaged:
            self._findings.detail(CHECK, f"{len(damaged)} chains not judged ({depends((5, 6, 7))})")

    def _see_item(self, index: int, event: Event, payload: Digest, name: str) -> None:
        item = self._items.setdefault(name, _Item())
        if (what := RESTING.get(event.type)) is not None:
            # What it rests on comes first, so a later end is none of it.
            if event.refs[0].payload_sha256 not in item.recorded:
                item.unfounded.append((index, what))
            return
        if "capture" not in event.body:
            return  # received from others: custody.checks.received
        capture = str(event.body["capture"])
        if event.type == "capture.started":
            self.captures += 1
            item.starts[payload] = _Start(index, capture, str(event.body["deadline"]))
        elif event.type in ENDS:
            item.ends.append(_End(index, capture, event.refs[0].payload_sha256))
            if event.type in RECORDED:
                item.recorded.add(payload)

    def _see_opening(self, index: int, event: Event, seq: int, opener: str) -> None:
        if (event.type == opener) != (seq == 0):
            self._misplaced.append((index, event.type, event.chain))
        run = event.chain.removeprefix("run:")
        if event.type == "run.opened":
            self._runs[run] = False
        elif event.type == "run.closed":
            if self._runs.get(run):
                self._misplaced.append((index, event.type, event.chain))
            self._runs[run] = True

    def _finish_item(self, name: str, item: _Item) -> None:
        ended: dict[Digest, int] = {}
        for end in item.ends:
            start = item.starts.get(end.started)
            if start is None or start.capture != end.capture:
                self._fail(f"leaf {end.index} ends a capture that was never started", item=name, index=end.index)
            elif end.started in ended:
                self._fail(
                    f"leaf {end.index} ends the capture of leaf {start.index}, as leaf {ended[end.started]} did before",
                    item=name,
                    index=end.index,
                )
            else:
                ended[end.started] = end.index
        for index, what in item.unfounded:
            self._fail(f"leaf {index} is of {what} that rests on no capture of its item", item=name, index=index)
        for payload, start in item.starts.items():
            if payload not in ended:
                self.open += 1
                due = "its time is up" if parse_utc(start.deadline) < self._inquiry.at else "it may still be under way"
                self._findings.note(
                    CHECK,
                    "STATE_OPEN",
                    f"capture {start.capture} was started and has no end: {due}",
                    item=name,
                    capture=start.capture,
                    index=start.index,
                )

    def _fail(self, message: str, **locator: str | int) -> None:
        self._findings.fail(CHECK, "STATE_ORDER", message, **locator)
