"""Which leaves an export has: whole chains of log, case, items and their runs; and what was done to the items later."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.errors import LogError, NotStored, UsageError
from archive.log import LoggedEvent, LogReader
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError

_SCOPE = re.compile(rb'"scope":"((?:item|scope|run|work|log):[a-z0-9._-]{1,200})"')
_TOLD_EVERY = 50_000

ABOUT_ITEMS = frozenset({"evidence.held", "evidence.released", "evidence.disposed", "disposal.completed"})
"""Working events that name an item. What else was done (other exports, fixity) may be about other matters too."""
ABOUT_CAPTURES = frozenset({"record.corrected", "evidence.allowed", "capture.witnessed"})
_HOLDS = frozenset({"evidence.held", "evidence.released"})
_OF_ONE_CASE = frozenset({"evidence.allowed", "capture.witnessed"})
"""Their blob names the case that they were said in."""
COMPARISONS = frozenset({"change.observed", "looks.compared"})
"""What became another between two looks: said in the working chain of the case, which names it."""


@dataclass(slots=True)
class Selection:
    """Of a log of ``size`` leaves."""

    log: str
    size: int
    scope: str | None
    """The id of the case; None where items were asked for."""
    items: tuple[str, ...]
    through: dict[str, int] = field(default_factory=dict)
    """The number of the last leaf in each chain that is taken whole."""
    events: list[LoggedEvent] = field(default_factory=list)
    """In log order."""

    @property
    def captures(self) -> frozenset[str]:
        return frozenset(str(each.event.body["capture"]) for each in self.events if "capture" in each.event.body)

    @property
    def runs(self) -> frozenset[str]:
        return frozenset(each.event.run for each in self.events if each.event.run is not None)


def select(
    reader: LogReader,
    *,
    size: int,
    scope: str | None,
    items: Iterable[str],
    progress: Callable[[str], None] = lambda _: None,
) -> Selection:
    """Reads the log once; of runs all leaves are kept till the end, for what wants one stands after its beginning.

    Raises ``UsageError``, ``LogError``.
    """
    wanted = tuple(dict.fromkeys(items))
    chosen = Selection(reader.log, size, scope, wanted)
    log_chain = f"log:{keyspace.slug(reader.log)}"
    chains = {log_chain, *(f"item:{each}" for each in wanted), *([f"scope:{scope}"] if scope else [])}
    work: list[LoggedEvent] = []
    runs: dict[str, list[LoggedEvent]] = {}
    for each in _walk(reader, size, lambda chain: chain in chains or chain.startswith(("work:", "run:")), progress):
        if each.event.chain.startswith("run:"):
            runs.setdefault(each.event.chain, []).append(each)
        else:
            (work if each.event.chain.startswith("work:") else chosen.events).append(each)
    wanted_runs = {f"run:{each.event.run}" for each in chosen.events if each.event.chain.startswith("item:")}
    wanted_runs &= runs.keys()
    chosen.events += [each for name in wanted_runs for each in runs[name]]
    captures = chosen.captures
    later = [each for each in work if _concerns(each, wanted, captures)]
    disposed = {str(each.event.body["item"]) for each in later if each.event.type == "evidence.disposed"}
    if scope is not None and not any(_is_disposal_of(each, scope) for each in work):
        later += [each for each in work if _compares(each, scope, captures)]
    chosen.events += [each for each in later if is_handed_over(reader.store, each, scope, disposed)]
    chosen.events.sort(key=lambda each: each.index)
    _close(chosen, chains | wanted_runs)
    return chosen


def _walk(
    reader: LogReader, size: int, wants: Callable[[str], bool], progress: Callable[[str], None]
) -> Iterable[LoggedEvent]:
    """Leaves of the wanted chains; the others are looked at no closer than their chain's name."""
    told = 0
    for logged in reader.commits():
        if logged.commit.old >= size:
            return
        for index, data in enumerate(logged.commit.leaves[: size - logged.commit.old], logged.commit.old):
            found = _SCOPE.search(data)
            # Our own leaves are canonical; one that is not is read in full.
            if found is None or wants(found[1].decode()):
                each = reader.parse(logged.commit.n, index, data)
                if wants(each.event.chain):
                    yield each
        if logged.commit.new - told >= _TOLD_EVERY:
            told = logged.commit.new
            progress(f"{told} of {size} leaves read")


def _concerns(each: LoggedEvent, items: tuple[str, ...], captures: frozenset[str]) -> bool:
    event = each.event
    if event.type in ABOUT_ITEMS:
        return event.body["item"] in items
    return event.type in ABOUT_CAPTURES and event.body["capture"] in captures


def _compares(each: LoggedEvent, scope: str, captures: frozenset[str]) -> bool:
    """The case's own word, about captures that are handed over. An observer's capture is in a log of its own."""
    event = each.event
    if event.type not in COMPARISONS or event.chain != f"work:{scope}":
        return False
    sides = {str(event.body["capture"])} | ({str(event.body["before"])} if "before" in event.body else set())
    return sides <= captures


def _is_disposal_of(each: LoggedEvent, scope: str) -> bool:
    """Of what was said of the case as a whole: its comparisons went with its briefs."""
    return each.event.type == "evidence.disposed" and each.event.body["item"] == scope


def is_handed_over(store: ObjectStore, each: LoggedEvent, scope: str | None, disposed: Collection[str]) -> bool:
    """Of a working event about an item or a capture: what is on hold, and for whom, is nobody's business, unless a
    disposal is judged by it; and what one case decided or had witnessed is not for another to hand over.
    """
    if each.event.type in _HOLDS:
        return each.event.body["item"] in disposed
    if each.event.type in _OF_ONE_CASE and scope is not None:
        return detail(store, each).get("scope") in {None, scope}
    return True


def detail(store: ObjectStore, event: LoggedEvent) -> Mapping[str, Any]:
    """The blob that says more, if it is what the signed event names; else nothing."""
    digest = event.event.subjects[0].digest
    try:
        data = store.read(keyspace.blob(digest))
        value: Any = canonical.loads(data)
    except (NotStored, FormatError):
        return {}
    return value if isinstance(value, Mapping) and Digest.of(data) == digest else {}


def _close(chosen: Selection, chains: set[str]) -> None:
    """Every chain from its beginning, without a gap; what does not hold here must not be handed over as evidence."""
    for each in chosen.events:
        if each.event.chain not in chains:
            continue
        (place,) = each.leaf.chains
        expected = chosen.through.get(place.scope, -1) + 1
        if place.seq != expected:
            raise LogError(
                f"leaf {each.index} is number {place.seq} of {place.scope}, expected {expected}: nothing was exported; "
                "run `counterproof verify`"
            )
        chosen.through[place.scope] = place.seq
    for item in chosen.items:
        if f"item:{item}" not in chosen.through and chosen.scope is None:
            raise UsageError(
                f"the log has no item {item}: name one by the id of its first capture (`captures` lists them)"
            )
