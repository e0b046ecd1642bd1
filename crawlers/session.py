"""One run of the crawler: what was asked for, and everything the looking needs, opened once and shared."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from archive.acquisition import Acquisition
from archive.errors import DiskError, KeyFileError, LogError, StoreError
from archive.result import Lost
from archive.spool import SpoolFile, VisitSpool
from archive.vault import Vault
from crawlers.attending.hand import Hand
from crawlers.egress import Egress, Resolve
from crawlers.launching import Launch
from crawlers.manners import Manners
from crawlers.profile import Profile
from crawlers.recording.desk import Limits
from crawlers.robots import RobotsKeeper
from crawlers.special import Network
from custody.model import Json, Role, Snapshot, Started, Via

_RECORDS = {"counterproof": "version", "playwright": "playwright", "warcio": "warcio"}
Progress = Callable[[str, Mapping[str, Json]], None]
"""Told each step: its name and what it concerns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a person asked for."""

    urls: tuple[str, ...]
    case: str
    follow: bool = True
    max_links: int = 20
    depth: int = 3
    """Captures between the one asked for and the last one followed: post, profile, hub, listing is 3."""
    robots: str = "record"
    """``record``: fetched, kept, and a person's request proceeds. ``obey``: a page it forbids is not looked at."""
    operator: str | None = None
    resolve: tuple[Resolve, ...] = ()
    allow_network: tuple[Network, ...] = ()
    """Where the egress may connect though no public site is there."""
    trust_spki: tuple[str, ...] = ()
    timeout_s: float = 45.0
    concurrency: int = 2
    delay_s: float = 1.0
    """Between two visits at one host, from the end of one to the beginning of the next."""
    per_host: int = 1
    """Visits at one host at a time."""
    profile: Profile = field(default_factory=Profile)

    @property
    def interventions(self) -> tuple[str, ...]:
        """What stands between the program and the public network because this job said so."""
        named = []
        if self.resolve:
            named.append("--resolve")
        named += [f"--allow-network {each}" for each in self.allow_network]
        if self.trust_spki:
            named.append("--trust-spki")
        return tuple(named)

    def to_json(self) -> dict[str, Json]:
        """The settings of the run, as its `run.opened` blob keeps them; neither case nor URL is among them."""
        return {
            "follow": self.follow,
            "max_links": self.max_links,
            "depth": self.depth,
            "robots": self.robots,
            "resolve": [str(each) for each in self.resolve],
            "allow_network": [str(each) for each in self.allow_network],
            "trust_spki": list(self.trust_spki),
            "timeout_s": int(self.timeout_s),
            "concurrency": self.concurrency,
            "delay_ms": round(self.delay_s * 1000),
            "per_host": self.per_host,
            "profile": self.profile.to_json(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One page to look at, and how we came to it."""

    url: str
    capture_id: str
    unit: str
    parent: str | None = None
    via: Via | None = None
    depth: int = 0
    position: str = "root"
    """``root`` (asked for), ``author`` (the author's own page), ``link`` (anything else that was followed)."""


@dataclass(kw_only=True, slots=True)
class Looking:
    """The state of one plan while it is being carried out."""

    plan: Plan
    spool: VisitSpool
    started: Started
    robots: Mapping[str, Json]
    kept: list[Snapshot] = field(default_factory=list)

    def rename(self, old: str, new: str) -> Snapshot:
        """The same file by another name in the record. In the spool it stays what it was."""
        place = next(n for n, each in enumerate(self.kept) if each.name == old)
        assert all(each.name != new for each in self.kept), "a name is used once"
        self.kept[place] = snapshot = replace(self.kept[place], name=new)
        return snapshot

    def keep(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        """Write bytes into the spool, hashed on the way. A name used before gets a number."""
        return self.fill(role, name, media_type, lambda file: file.write(data))

    def fill(self, role: Role, name: str, media_type: str, write: Callable[[SpoolFile], object]) -> Snapshot:
        """The same for what is too large to be held in memory: ``write`` is handed the open file."""
        taken = {snapshot.name for snapshot in self.kept}
        stem, dot, suffix = name.rpartition(".")
        number = 2
        while name in taken:
            name = f"{stem}-{number}{dot}{suffix}" if dot else f"{suffix}-{number}"
            number += 1
        with self.spool.writer(role, name, media_type) as file:
            write(file)
            snapshot = file.finish()
        self.kept.append(snapshot)
        return snapshot


@dataclass(kw_only=True, slots=True)
class Session:
    """Everything that the spider, its middleware and its download handler share."""

    job: Job
    vault: Vault
    acquisition: Acquisition
    egress: Egress
    launch: Launch
    environment: Mapping[str, Json]
    """The record's section: software, browser, flags, isolation."""
    clock: Callable[[], datetime]
    progress: Progress
    manners: Manners
    robots: RobotsKeeper | None = None
    """Set by the spider, which fetches through Scrapy."""
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a person interrupts: looks under way end now, with what they have."""
    looking: dict[str, Looking] = field(default_factory=dict)
    followed: dict[str, int] = field(default_factory=dict)
    """Links followed so far in each unit."""
    hand: Hand | None = None
    """Set where a person attends: what she asks for at the terminal."""
    seen: dict[str, set[str]] = field(default_factory=dict)
    """Addresses already looked at, or about to be, in each unit."""
    choosing: dict[str, asyncio.Lock] = field(default_factory=dict)
    """One for each unit."""
    planned: list[Plan] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    """Work that has to be done before the session is closed."""

    @property
    def surface(self) -> str:
        """``attended``: a person acts in the window. ``automatic``: the program looks by itself."""
        return "automatic" if self.hand is None else "attended"

    @property
    def software(self) -> tuple[tuple[str, str], ...]:
        """Name and version of what records the traffic; the browser names itself."""
        return tuple((name, str(self.environment[key])) for name, key in _RECORDS.items() if key in self.environment)

    @property
    def limits(self) -> Limits:
        """What is kept of a visit's traffic."""
        config = self.vault.config
        return Limits(each=config.traffic_body_mib << 20, visit=config.traffic_mib << 20)

    def lose(self, plan: Plan, stage: str, error: BaseException | str) -> None:
        """Evidence did not reach the log: said at once, and in the result."""
        of_store = isinstance(error, (StoreError, DiskError, KeyFileError, LogError))
        reason = str(error)[:1000] or type(error).__name__
        self.lost.append(Lost(capture_id=plan.capture_id, url=plan.url, stage=stage, reason=reason, of_store=of_store))
        self.progress("lost", {"capture": plan.capture_id, "url": plan.url, "stage": stage, "reason": reason})

    def vanished(self) -> list[Looking]:
        """Looks that are neither recorded nor lost: there must be none, and if there are, it is said."""
        known = {each.capture_id for each in self.acquisition.captured} | {each.capture_id for each in self.lost}
        return [each for capture_id, each in self.looking.items() if capture_id not in known]

    def unfinished(self) -> tuple[str, ...]:
        """What was asked for, or was to be followed, and was never looked at."""
        done = self.looking.keys() | {each.capture_id for each in self.lost}
        return tuple(plan.url for plan in self.planned if plan.capture_id not in done)
