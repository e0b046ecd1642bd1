"""One look: what is ordered, and what it brings home."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archive.reading import Reading
from crawlers.egress import Pass
from crawlers.exchange import Exchange
from crawlers.recording.desk import Desk
from crawlers.tls import Certificate
from custody.instant import format_utc
from custody.model import Hop, Json, Missing, Role, Snapshot

MAX_INTERACTIONS = 200
ALLOWANCE_S = 20.0
"""What is kept of a page may take this much longer than ``timeout_s``; then the look ends with what it has."""


class Reads(Protocol):
    """Has what pages say read, beside the visit."""

    @property
    def by(self) -> Mapping[str, Json]:
        """What reads: software, version, digest of its code."""

    def begin(self, data: bytes, url: str | None) -> "asyncio.Future[Reading]":
        """The reading of a page, in a while; it never raises."""


class Keep(Protocol):
    """Writes bytes into the visit's spool."""

    def __call__(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot: ...


class Compares(Protocol):
    """Knows what an earlier capture of the page has."""

    async def is_unchanged(
        self,
        seen: "Seen",
        *,
        http_status: int | None,
        media_type: str,
        hops: tuple[Hop, ...],
        picture: bytes | None,
        reading: Reading,
    ) -> bool:
        """Whether there is nothing new to keep; what was compared is put into ``seen.held``. Never raises."""
        ...


_ADDRESS = re.compile(r"""\bhref\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be looked at, and with what."""

    url: str
    keep: Keep
    clock: Callable[[], datetime]
    timeout_s: float
    """From navigation to a page that is ready to be shot; keeping it may take ``ALLOWANCE_S`` more."""
    trust_spki: tuple[str, ...]
    progress: Callable[[str, Mapping[str, Json]], None]
    admitted: Pass | None = None
    """What the page's context shows the egress; None: it needs to show nothing."""
    desk: Desk | None = None
    """Where the traffic is recorded; without one it is not."""
    cut: asyncio.Event | None = None
    """Set by whoever interrupts: the look ends at once, with what it has."""
    pictures: asyncio.Lock | None = None
    """Shared by all looks with one browser: held while it paints a whole page, which takes a hundred MB and more."""
    screen: Mapping[str, Any] | None = None
    """DevTools' words for a phone's; None for the browser's own."""
    density: float = 1.0
    """Pixels of the screen to one of the page, along a side: pictures are taken in those of the screen."""
    readers: Reads | None = None
    """Who reads the page as it was kept; None: nobody does now."""
    light: Compares | None = None
    """The look ends early where the page shows nothing new; None: all of it is kept, whatever it shows."""
    consent: str = "as-found"
    """What is done about a consent banner: one of ``crawlers.banners.POLICIES``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Framed:
    """A document inside the page's own that is what a reader sees of it."""

    url: str
    text: str = field(repr=False)
    dom: str = field(repr=False)


@dataclass(kw_only=True, slots=True)
class Seen:
    """What one look brought home; nothing in it is judged yet."""

    final_url: str | None = None
    title: str | None = None
    http_status: int | None = None
    media_type: str = ""
    dom: str = field(default="", repr=False)
    scrolled_dom: str = field(default="", repr=False)
    """What the document had become after scrolling; empty where it was the same, or was not scrolled."""
    refused_dom: str = field(default="", repr=False)
    """What the document had become once a consent banner was refused; empty where it was the same, or none was."""
    text: str = field(default="", repr=False)
    """What is said on the page, its frames included."""
    frames: tuple[Framed, ...] = ()
    hops: tuple[Hop, ...] = ()
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    """The answers to the main document's requests, redirects included."""
    snapshots: list[Snapshot] = field(default_factory=list, repr=False)
    done: list[str] = field(default_factory=list)
    """What was done to the page that is shown, in order: ``consent_refused``, ``scrolled``."""
    pictures: list[Mapping[str, Json]] = field(default_factory=list)
    """Each picture's name, and what was done before it."""
    derived: list[Mapping[str, Json]] = field(default_factory=list)
    """What was made of other files of the visit, and of which; or why it was not."""
    missing: list[Missing] = field(default_factory=list)
    certificates: tuple[Certificate, ...] = ()
    times: dict[str, datetime] = field(default_factory=dict)
    interactions: list[dict[str, Json]] = field(default_factory=list)
    """What we did to the page, and what it tried to do to us; at most ``MAX_INTERACTIONS``, the rest is counted."""
    more_interactions: int = 0
    scripts: list[Mapping[str, Json]] = field(default_factory=list)
    """What was run in the page beyond reading it: name, version, digest, world."""
    consent: Mapping[str, Json] | None = None
    """What was done about a consent banner; None: it was left as found."""
    media: Mapping[str, Json] | None = None
    """The account of a second fetch; None: there was none."""
    answer: Exchange | None = field(default=None, repr=False)
    """The answer that was kept, where refusing a banner led to another; else None."""
    settings: dict[str, Json] = field(default_factory=dict)
    traffic: Mapping[str, Json] = field(default_factory=dict)
    """How much was recorded of it, and what is missing."""
    quarantine: Mapping[str, Json] = field(default_factory=dict)
    """Why and since when secrets may be in what was kept, and what was withheld; empty where none was under way."""
    asked: Mapping[str, Json] = field(default_factory=dict)
    """How an answer for programs was asked for; empty where a browser looked."""
    attended: Mapping[str, Json] = field(default_factory=dict)
    """What a person did, and the pages that were seen; empty where none attended."""
    held: Any = None
    """What the page was compared with, and what came of it (``crawlers.light.Held``); None: nothing was compared."""
    unchanged: bool = False
    """It shows what the earlier capture has, so no more of it was kept."""
    reached: bool = False
    """A page of the site was shown."""
    trouble: str | None = None
    """``timeout``, ``busy``, ``redirect_loop``, ``too_large``, ``download``, ``no_content``, ``left_the_web``,
    ``browser_died``, ``interrupted``, ``closed``, ``error``, or Chromium's ``net::ERR_…``; without a browser ``tls``
    and ``no_answer`` too."""
    detail: str = ""

    def documents(self, asked: str) -> list[tuple[str, str]]:
        """The page and what is framed in it, each with its address; what has none of its own has the page's."""
        url = self.final_url or asked
        framed = [(each.url if each.url.startswith("http") else url, each.dom) for each in self.frames]
        known, later = _addresses(self.dom), []
        for each in (self.refused_dom, self.scrolled_dom):
            if _addresses(each) - known:
                later.append((url, each))
                known |= _addresses(each)
        return [(url, self.dom), *later, *framed]

    def add_picture(self, snapshot: Snapshot) -> None:
        """One of the page, with what had been done to it by then."""
        self.snapshots.append(snapshot)
        self.pictures.append({"name": snapshot.name, "after": list(self.done)})

    def note(self, kind: str, at: datetime, **facts: Json) -> None:
        """A page may open windows by the thousand: the first are told one by one, the rest are counted."""
        if len(self.interactions) < MAX_INTERACTIONS:
            self.interactions.append({"kind": kind, "at": format_utc(at), **facts})
        else:
            self.more_interactions += 1

    def lacks(self, role: Role, reason: str) -> None:
        """Two may notice the same; it is said once."""
        missing = Missing(role=role, reason=reason)
        if missing not in self.missing:
            self.missing.append(missing)

    def fail(self, trouble: str, detail: str) -> None:
        self.trouble, self.detail = trouble, detail


def _addresses(markup: str) -> frozenset[str]:
    """Roughly: to tell whether a document has links that another has not, before it is read for them."""
    return frozenset(_ADDRESS.findall(markup))
