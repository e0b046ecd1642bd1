"""The survey: the whole log read once, for what it says of items, cases, holds, disposals and corrections."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archive.log import LoggedEvent
from custody import keyspace
from custody.artifact import Lock
from custody.checks.briefs import OF_CASES
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.instant import parse_utc


class Events(Protocol):
    """``archive.log.LogReader``."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A blob, and the event or record that names it."""

    digest: Digest
    bytes: int
    name: str
    chain: str
    """Of the event."""
    index: int
    """Of the event's leaf."""
    at: datetime
    """When the event was made."""
    run: str | None = None
    capture: str | None = None
    item: str | None = None
    """What a working event is about, where it is about one item; of a brief, the case."""
    role: str | None = None
    lock: Lock | None = None
    """As the record has it."""
    version_id: str | None = None

    @property
    def key(self) -> str:
        return keyspace.blob(self.digest)

    @property
    def is_record(self) -> bool:
        return self.name == "record.json" and self.chain.startswith("item:")

    @property
    def is_receipt(self) -> bool:
        return self.name == "received.json" and self.chain.startswith("item:")

    @property
    def is_brief(self) -> bool:
        return self.name == "brief.json" and self.chain.startswith("work:")


@dataclass(slots=True)
class Captured:
    """One capture of an item."""

    deadline: datetime
    end: LoggedEvent | None = None


@dataclass(slots=True)
class Item:
    """A unit and its captures."""

    unit: str
    claims: list[Claim] = field(default_factory=list)
    """What the events of its chain name; what its records name is read from them."""
    captures: dict[str, Captured] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """A working event about an item or a capture."""

    event: LoggedEvent

    @property
    def payload_sha256(self) -> Digest:
        return self.event.leaf.event.payload_sha256

    @property
    def chain(self) -> str:
        return self.event.event.chain

    @property
    def index(self) -> int:
        return self.event.index

    @property
    def at(self) -> datetime:
        return self.event.event.occurred_at

    @property
    def item(self) -> str:
        return str(self.event.event.body["item"])

    @property
    def detail(self) -> Digest:
        """The blob that says more."""
        return self.event.event.subjects[0].digest


@dataclass(slots=True)
class Survey:
    """As far as the log was read."""

    size: int = 0
    items: dict[str, Item] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    """Of all events, items' and others'."""
    members: dict[str, list[str]] = field(default_factory=dict)
    """The items of each scope."""
    holds: dict[Digest, Told] = field(default_factory=dict)
    """Those that nothing has released, by the payload that a release refers to."""
    releases: list[Told] = field(default_factory=list)
    disposals: dict[str, list[Told]] = field(default_factory=dict)
    """By item, in log order. The first one that nothing held counts."""
    settled: set[Digest] = field(default_factory=set)
    """Disposals, by their payload, after which the store had refused nothing."""
    days: dict[str, int] = field(default_factory=dict)
    """The longest retention that was set, by scope."""
    corrections: dict[str, list[Told]] = field(default_factory=dict)
    """By capture."""
    allowed: dict[str, list[Told]] = field(default_factory=dict)
    """Decisions that a quarantined capture may be handed over, by capture."""
    received: list[Told] = field(default_factory=list)
    """What others handed over, each an item of its own."""
    witnessed: dict[str, list[Told]] = field(default_factory=dict)
    """What people stated who saw the page as well, by capture."""
    briefs: dict[str, list[Claim]] = field(default_factory=dict)
    """What each case says of itself, by scope: its versions, in log order."""
    unit_of: dict[str, str] = field(default_factory=dict)
    """By capture."""

    @classmethod
    def of(cls, log: Events, *, progress: Callable[[int], None] = lambda _: None) -> "Survey":
        """Reads all leaves: whoever acts on evidence looks at all that was said of it."""
        found = cls()
        for each in log.events():
            found.see(each)
            if not found.size % 10_000:
                progress(found.size)
        return found

    def see(self, each: LoggedEvent) -> None:
        event = each.event
        body: Any = event.body
        kind, _, name = event.chain.partition(":")
        self.size = max(self.size, each.index + 1)
        told = Told(each)
        item = self.items.setdefault(name, Item(name)) if kind == "item" else None
        for subject in event.subjects:
            claim = Claim(
                digest=subject.digest,
                bytes=subject.bytes,
                name=subject.name,
                chain=event.chain,
                index=each.index,
                at=event.occurred_at,
                run=event.run,
                capture=body.get("capture"),
                item=name if event.type in OF_CASES else body.get("item"),
            )
            self.claims.append(claim)
            if event.type in OF_CASES:
                self.briefs.setdefault(name, []).append(claim)
            if item is not None:
                item.claims.append(claim)
        if event.type == "evidence.received":
            self.received.append(told)
        elif item is not None:
            self._see_capture(item, each)
        elif event.type == "item.assigned":
            unit = str(body["item"])
            self.members.setdefault(name, []).append(unit)
            self.items.setdefault(unit, Item(unit)).scopes.append(name)
        elif event.type == "retention.set":
            self.days[name] = max(self.days.get(name, 0), int(body["days"]))
        elif event.type == "evidence.held":
            self.holds[told.payload_sha256] = told
        elif event.type == "evidence.released":
            self.holds.pop(event.refs[0].payload_sha256, None)
            self.releases.append(told)
        elif event.type == "evidence.disposed":
            if not self.held(told.item):  # a hold that came first wins; what was said against it counts for nothing
                self.disposals.setdefault(told.item, []).append(told)
        elif event.type == "disposal.completed":
            if not body["refused"]:
                self.settled.add(event.refs[0].payload_sha256)
        elif event.type == "record.corrected":
            self.corrections.setdefault(str(body["capture"]), []).append(told)
        elif event.type == "capture.witnessed":
            self.witnessed.setdefault(str(body["capture"]), []).append(told)
        elif event.type == "evidence.allowed":
            self.allowed.setdefault(str(body["capture"]), []).append(told)

    def _see_capture(self, item: Item, each: LoggedEvent) -> None:
        body: Any = each.event.body
        if each.event.type == "capture.started":
            item.captures.setdefault(body["capture"], Captured(deadline=parse_utc(body["deadline"])))
            self.unit_of.setdefault(body["capture"], item.unit)
        elif each.event.type in ENDS and (started := item.captures.get(body["capture"])) is not None:
            started.end = started.end or each

    def held(self, unit: str) -> list[Told]:
        """The holds on an item, in log order."""
        return [each for each in self.holds.values() if each.item == unit]

    def disposal(self, unit: str) -> Told | None:
        found = self.disposals.get(unit)
        return found[0] if found else None

    def is_live(self, unit: str) -> bool:
        return unit not in self.disposals

    def claims_of(self, unit: str) -> list[Claim]:
        """What its events name, and what was said of its records by people. Artifacts are in its records.

        Of a case: its briefs, and no item. Their pictures are in them.
        """
        item = self.items.get(unit)
        if item is None:
            return list(self.briefs.get(unit, ()))
        said = {
            told.index
            for capture in item.captures
            for said_of in (self.corrections, self.allowed, self.witnessed)
            for told in said_of.get(capture, ())
        }
        return [*item.claims, *(each for each in self.claims if said and each.index in said)]

    def of_case(self, scope: str) -> list[Claim]:
        """All that belongs to a case: its own chain and briefs, its items, their runs, what was done about them."""
        units = {scope, *self.members.get(scope, ())}
        chains = {f"scope:{scope}", *(f"item:{unit}" for unit in units)}
        runs = {f"run:{each.run}" for each in self.claims if each.chain in chains and each.run}
        return [each for each in self.claims if each.chain in chains | runs or self.about(each) in units]

    def about(self, claim: Claim) -> str | None:
        """The item that a claim is about; of a brief, the case."""
        if claim.chain.startswith("item:"):
            return claim.chain.removeprefix("item:")
        if claim.chain.startswith("work:"):
            return claim.item or self.unit_of.get(claim.capture or "")
        return None

    def find(self, text: str) -> list[str]:
        """Units whose id is, begins with or ends with the text."""
        wanted = text.lower()
        if wanted in self.items:
            return [wanted]
        return [each for each in self.items if each.startswith(wanted) or each.endswith(wanted)]


def distinct(claims: Iterable[Claim]) -> dict[Digest, list[Claim]]:
    """By digest, in the order of their first mention."""
    found: dict[Digest, list[Claim]] = {}
    for each in claims:
        found.setdefault(each.digest, []).append(each)
    return found
