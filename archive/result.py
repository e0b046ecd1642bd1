"""What came of one run, as the command and the console tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from custody.model import Candidate, Hop, Json, Missing, Origin, Outcome, Status, Via


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An artifact that the store has, by its digest."""

    role: str
    name: str
    sha256: str
    bytes: int
    media_type: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Captured:
    """A capture whose record and end were read back, the end from the log or, without the log key, from the inbox."""

    capture_id: str
    unit: str
    parent: str | None
    via: Via | None
    looked_at: datetime
    requested_url: str
    final_url: str | None
    title: str | None
    status: Status
    outcome: Outcome
    outcome_reason: str
    http_status: int | None
    origin: Origin
    origin_reasons: tuple[str, ...]
    hops: tuple[Hop, ...]
    artifacts: tuple[Kept, ...] = field(repr=False)
    missing: tuple[Missing, ...]
    candidates: tuple[Candidate, ...] = field(repr=False)
    surface: str
    """One of ``archive.surface.Surface``."""
    shown: str
    """One of ``archive.surface.Shown``."""
    quarantine: Mapping[str, Json]
    """As the record has it; empty where it is not quarantined."""
    reading: Mapping[str, Json]
    """What was derived of it in the visit, as the record tells; empty where nobody read."""
    wrappers: tuple[Mapping[str, Json], ...]
    """Links of the chain that name their destination, and whether they led there, as the record tells."""
    record_sha256: str
    log: str
    started_index: int | None
    index: int | None
    """None: its end waits in the inbox."""
    tree_size: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """A look that showed what an earlier capture had shown: it ended as ``look.unchanged``, its files were dropped."""

    capture_id: str
    url: str
    compared_with: str
    """The capture."""
    looked_at: datetime
    outcome: Outcome
    http_status: int | None
    look_id: str | None
    compared: tuple[Mapping[str, Json], ...] = field(repr=False)
    not_compared: tuple[Mapping[str, Json], ...] = field(repr=False)
    dropped_bytes: int
    detail_sha256: str
    started_index: int | None
    index: int | None
    """None: its end waits in the inbox."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """What became another between two captures, as the log tells of it."""

    capture_id: str
    """The later one."""
    before: str
    url: str
    kinds: tuple[str, ...]
    """Words of ``custody.schema.CHANGES``."""
    sentences: tuple[str, ...] = field(repr=False)
    """They quote the pages: evidence, and not for alerts."""
    not_before: str
    """Instant of the last look that showed it as it was."""
    not_after: str
    index: int | None
    detail_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A page that is worth a look because of what this run saw."""

    url: str
    case: str
    why: str
    """``listing_of_vanishing_post`` or ``new_post``."""
    of: str
    """The capture that it comes from."""
    at_once: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a run asked of the store, while it lasted, by the count of its process (``archive.tally``)."""

    looks: int = 0
    requests: int = 0
    sent_bytes: int = 0

    def to_json(self) -> dict[str, Json]:
        return {"looks": self.looks, "store_requests": self.requests, "sent_bytes": self.sent_bytes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A capture whose evidence did not reach the log."""

    capture_id: str
    url: str
    stage: str
    """``start`` (the intent could not be recorded, so nothing was looked at) or the pipeline stage."""
    reason: str
    of_store: bool
    """The store, the disk or a key was the cause, not the item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealing:
    """Whether trusted time stands over what was recorded."""

    time: str
    """``trusted``, ``not_configured``, ``unverified`` (a token came, and cannot be judged) or ``unavailable``."""
    sealed_size: int
    """Leaves below this index are under a checkpoint that enough accepted tokens stamp; 0: none."""
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One run."""

    run: str
    case_id: str
    case_name: str
    store: str
    log: str
    sealing: Sealing
    captures: tuple[Captured, ...] = field(repr=False)
    lost: tuple[Lost, ...]
    unfinished: tuple[str, ...]
    """URLs that were asked for and not looked at, because the run was interrupted."""
    interrupted: bool
    notices: tuple[str, ...]
    trouble: str = ""
    """What of store, disk or key gave out as the run ended, after all this was recorded; empty: nothing did."""
    controls: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """What came of the program's own page, by ``start`` and ``end``, as the run's end has it; empty: not asked for."""

    unchanged: tuple[Unchanged, ...] = field(default=(), repr=False)
    changes: tuple[Changed, ...] = field(default=(), repr=False)
    follow_ups: tuple[Target, ...] = ()
    """Pages to look at again, at once."""
    fresh: tuple[Target, ...] = ()
    """New posts of watched profiles."""
    done_before: tuple[str, ...] = ()
    """URLs whose look has its end already."""
    cost: Cost = field(default_factory=Cost)

    @property
    def controlled(self) -> bool:
        """Whether every control capture that was asked for passed."""
        results = [each.get("result") for each in self.controls.values() if isinstance(each, Mapping)]
        return all(each in {"passed", "off"} for each in results)

    @property
    def submitted(self) -> int:
        """Captures that wait in the inbox."""
        return sum(each.index is None for each in self.captures)

    def state(self, capture: Captured) -> str:
        """``sealed`` only where an accepted token stamps a checkpoint that includes the capture's end."""
        if capture.index is None:
            return "submitted"
        return "sealed" if capture.index < self.sealing.sealed_size else "recorded"
