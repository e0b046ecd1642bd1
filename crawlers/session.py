"""One run of the crawler: what was asked for, and everything the looking needs, opened once and shared."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from archive.acquisition import Acquisition
from archive.errors import DiskError, KeyFileError, LogError, StoreError
from archive.result import Lost
from archive.surface import Surface
from archive.tally import TALLY, Count
from archive.vault import Vault
from crawlers.attending.hand import Hand
from crawlers.control.look import ControlLook
from crawlers.egress import Egress, Resolve
from crawlers.keeping import Keeping
from crawlers.launching import Launch
from crawlers.light import Basis
from crawlers.manners import Mannered
from crawlers.profile import Profile
from crawlers.readers import Readers
from crawlers.recording.desk import Limits
from crawlers.robots import RobotsKeeper
from crawlers.special import Network
from crawlers.surfaces import Official, Tokens
from crawlers.upstream import Upstream
from custody.model import Json, Started, Via
from findings.pointing import Pointing

NO_WAY_TO_LEARN = "no setting says how to learn it (COUNTERPROOF_EGRESS_ADDRESS_URL)"
_RECORDS = {"counterproof": "version", "playwright": "playwright", "warcio": "warcio"}
Progress = Callable[[str, Mapping[str, Json]], None]
"""Told each step: its name and what it concerns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """A link of a page that an earlier run has captured, to be followed in that page's unit."""

    via: Via
    parent: str
    depth: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a person asked for."""

    urls: tuple[str, ...]
    case: str
    follow: bool = True
    max_links: int = 20
    """Of each page that was captured."""
    depth: int = 3
    """Captures between the one asked for and the last one followed: post, profile, hub, listing is 3."""
    robots: str = "record"
    """``record``: fetched, kept, and a person's request proceeds. ``obey``: a page it forbids is not looked at."""
    robots_overrides: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """By host, where ``obey`` does not hold: who decided it, by what authority, and why."""
    look_ids: Mapping[str, str] = field(default_factory=dict)
    """By URL, as in ``urls``: the scheduled look that it is. What is captured behind it is part of that look."""
    attempt: int = 1
    """The how manieth of these looks."""
    unit: str | None = None
    """Of an earlier run, which goes on with ``leftover``; ``followed`` are its pages that have a capture."""
    leftover: tuple[Leftover, ...] = ()
    followed: tuple[str, ...] = ()
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
    look_again_s: float = 20.0
    """After a look that found nothing there: so long until the second; 0: none."""
    control_pages: tuple[str, ...] = ()
    """Pages that are known to be public: where nothing is found at one's host, it is looked at too."""
    upstream: Upstream | None = None
    """The operator's proxy that public addresses are reached through."""
    consent: str = "as-found"
    """``as-found``: banners are left alone. ``reject``: refused, once the page was kept as it was found."""
    control: bool = True
    """The program's own page is looked at as the run begins and as it ends, and compared with what it must show."""

    media: bool = False
    """The video of each page that was asked for is fetched a second time, by yt-dlp, once the page was captured."""
    light: bool = False
    """A page that shows what an earlier capture of this case has ends as ``look.unchanged``, and is not kept again."""
    full_every_days: int = 30
    """A light look keeps all of it where the last capture that did is older; 0: never for its age."""
    max_new: int = 0
    """New posts of each profile that was asked for that are named; 0: none are looked for."""
    other_surfaces: bool = True
    """Where a platform's page does not show what was asked for, its official embeds and answers are asked."""

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
            "look_again_s": int(self.look_again_s),
            "control_pages": list(self.control_pages),
            "proxy": None if self.upstream is None else str(self.upstream),
            "consent": self.consent,
            "media": self.media,
            "control": self.control,
            "light": self.light,
            "full_every_days": self.full_every_days,
            "other_surfaces": self.other_surfaces,
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
    """``root`` (asked for), ``author`` (the author's own page), ``link`` (anything else that was followed), ``again``
    (a second look) or ``control`` (a page of the same host that is known to be public)."""
    official: Official | None = None
    """Which further surface of the platform it is; None: the page."""
    thing: str = ""
    """The address that this surface is looked at in place of; empty where it is the page."""
    basis: Basis | None = field(default=None, repr=False)
    """What a light look is held against; None: all of it is kept."""

    @property
    def surface(self) -> Surface:
        return Surface.PAGE if self.official is None else self.official.surface


@dataclass(kw_only=True, slots=True)
class Looking(Keeping):
    """The state of one plan while it is being carried out."""

    plan: Plan
    started: Started
    robots: Mapping[str, Json]


class Concludes(Protocol):
    """Says what became another, when all is recorded."""

    async def conclude(self) -> None: ...


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
    manners: Mannered
    robots: RobotsKeeper | None = None
    """Set by the spider, which fetches through Scrapy."""
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a person interrupts: looks under way end now, with what they have."""
    posts: dict[str, list[str]] = field(default_factory=dict)
    """By capture, the posts that a profile showed which was asked for."""
    bases: dict[str, Basis] = field(default_factory=dict)
    """By URL, what its light look is held against."""
    pictures: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a whole page is painted: one at a time."""
    looking: dict[str, Looking] = field(default_factory=dict)
    followed: dict[str, int] = field(default_factory=dict)
    """Links followed so far in each unit."""
    pointing: dict[str, Pointing] = field(default_factory=dict)
    """What each unit's post says of where its link is."""
    readers: Readers | None = None
    """Who reads each page in its visit; None: nobody does."""
    readers_are_lent: bool = False
    """Another run has them after this one."""
    looking_again: Concludes | None = None
    """Who compares with what was captured before; None: nobody does."""
    counted: Count = field(default_factory=TALLY.read)
    """What this process had asked of stores when the session was opened."""
    hand: Hand | None = None
    """Set where a person attends: what she asks for at the terminal."""
    seen: dict[str, set[str]] = field(default_factory=dict)
    """Addresses already looked at, or about to be, in each unit."""
    choosing: dict[str, asyncio.Lock] = field(default_factory=dict)
    """One for each unit."""
    planned: list[Plan] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    browser_file: Mapping[str, Json] = field(default_factory=dict)
    """Name, bytes and SHA-256 of the program that the running browser is."""
    exit: Mapping[str, Json] = field(default_factory=lambda: {"address": "unknown", "why": NO_WAY_TO_LEARN})
    """The address that sites see us come from, as far as anybody told."""
    controls: list[ControlLook] = field(default_factory=list)
    """Those begun so far."""
    tokens: Tokens = field(default_factory=Tokens, repr=False)
    """The user's own, for the interfaces that want one."""
    further: dict[str, int] = field(default_factory=dict)
    """Further surfaces so far in each unit."""
    again: dict[str, int] = field(default_factory=dict)
    """Second looks so far in each unit."""
    later: set[asyncio.Task[None]] = field(default_factory=set)
    """Looks that are due in a while."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    """Work that has to be done before the session is closed."""

    @property
    def surface(self) -> str:
        """``attended``: a person acts in the window. ``automatic``: the program looks by itself."""
        return "automatic" if self.hand is None else "attended"

    @property
    def surroundings(self) -> Mapping[str, Json]:
        """The record's section on what looked, with what is known by now of the run's control capture."""
        start = next((each for each in self.controls if each.when == "start"), None)
        known = "not made" if start is None else str(start.result.get("result", "under way"))
        return {**self.environment, "browser_file": self.browser_file, "control": {"start": known}, "egress": self.exit}

    @property
    def software(self) -> tuple[tuple[str, str], ...]:
        """Name and version of what records the traffic; the browser names itself."""
        return tuple((name, str(self.environment[key])) for name, key in _RECORDS.items() if key in self.environment)

    @property
    def limits(self) -> Limits:
        """What is kept of a visit's traffic."""
        config = self.vault.config
        return Limits(each=config.traffic_body_mib << 20, visit=config.traffic_mib << 20)

    def override_of(self, plan: Plan) -> Mapping[str, Json] | None:
        """Of robots.txt, for the host that the page is asked of."""
        if self.job.robots != "obey" or not self.job.robots_overrides:
            return None
        return self.job.robots_overrides.get((urlsplit(plan.url).hostname or "").rstrip(".").casefold())

    def look_of(self, plan: Plan) -> str | None:
        """The scheduled look that a page belongs to: that of its unit's first."""
        if plan.unit == self.job.unit:
            return next(iter(self.job.look_ids.values()), None)
        root = next((each.url for each in self.planned if each.capture_id == plan.unit), plan.url)
        return self.job.look_ids.get(root)

    def lose(self, plan: Plan, stage: str, error: BaseException | str) -> None:
        """Evidence did not reach the log: said at once, and in the result."""
        of_store = isinstance(error, (StoreError, DiskError, KeyFileError, LogError))
        reason = str(error)[:1000] or type(error).__name__
        self.lost.append(Lost(capture_id=plan.capture_id, url=plan.url, stage=stage, reason=reason, of_store=of_store))
        self.progress("lost", {"capture": plan.capture_id, "url": plan.url, "stage": stage, "reason": reason})

    def vanished(self) -> list[Looking]:
        """Looks that are neither recorded nor lost: there must be none, and if there are, it is said."""
        known = {each.capture_id for each in self.acquisition.captured}
        known |= {each.capture_id for each in self.acquisition.unchanged} | {each.capture_id for each in self.lost}
        return [each for capture_id, each in self.looking.items() if capture_id not in known]

    def unfinished(self) -> tuple[str, ...]:
        """What was asked for, or was to be followed, and was never looked at."""
        done = self.looking.keys() | {each.capture_id for each in self.lost}
        return tuple(plan.url for plan in self.planned if plan.capture_id not in done)
