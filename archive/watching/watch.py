"""A watch: one address that is looked at again and again for a case, how often, and how. A value, and its checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from archive.cases import case_name
from archive.errors import UsageError
from archive.watching.timing import Timing

LEAST_PRIORITY, MOST_PRIORITY = 0, 9
DEFAULT_PRIORITY = 5


class Kind(StrEnum):
    """What is at the address, as far as that decides what a look does."""

    PROFILE = "profile"
    """Its new posts are captured, each once."""
    POST = "post"
    HUB = "hub"
    LISTING = "listing"
    PAGE = "page"


class State(StrEnum):
    """Whether looks are released."""

    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


class Unfit(UsageError):
    """What was said of one part of a watch makes no sense."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What an option may be."""

    kind: type
    words: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    says: str = ""

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, self.kind) or (self.kind is int and isinstance(value, bool)):
            raise Unfit(name, f"{name} is {_NAMES[self.kind]}, got {value!r:.60}")
        if self.words and value not in self.words:
            raise Unfit(name, f"{name} is {' or '.join(self.words)}, got {value!r:.60}")
        if self.kind is int and not self.least <= int(str(value)) <= self.most:
            raise Unfit(name, f"{name} is {self.least} to {self.most}, got {value}")
        if self.kind is str and not self.words and not 0 < len(str(value)) <= 100:
            raise Unfit(name, f"{name} has 1 to 100 characters, got {len(str(value))}")


_NAMES = {str: "text", int: "a whole number", bool: "true or false"}
OPTIONS: Mapping[str, Choice] = {
    "follow": Choice(kind=bool, says="whether links are followed to where they end"),
    "max_links": Choice(kind=int, most=1000, says="links followed of each page"),
    "depth": Choice(kind=int, most=10, says="links in a row"),
    "device": Choice(kind=str, words=("desktop", "phone"), says="whose screen"),
    "locale": Choice(kind=str, says="the language asked for"),
    "timezone": Choice(kind=str, says="the browser's time zone"),
    "consent": Choice(kind=str, words=("as-found", "reject"), says="what is done about cookie banners"),
    "observers": Choice(kind=int, least=1, most=2, says="how many look at the same page at the same time"),
    "observer_device": Choice(kind=str, words=("desktop", "phone"), says="whose screen the second one has"),
    "full_every_days": Choice(kind=int, least=1, most=366, says="days after which a look is a full capture"),
    "max_new": Choice(kind=int, most=100, says="new posts of a profile captured in one look"),
}
"""Of a watch, beside address and time; each is left out where nothing was said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A watch as somebody asked for it."""

    case: str
    url: str
    key: str
    """The address for comparing only: of two that look alike, one is watched."""
    kind: Kind
    timing: Timing
    priority: int = DEFAULT_PRIORITY
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = "command"

    @property
    def host(self) -> str:
        return host_of(self.url)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch(Asked):
    """A watch as it is kept."""

    id: str
    state: State
    why: str
    """Why it is paused, or was removed."""
    created_at: datetime
    slot: datetime
    """The next one."""
    due_at: datetime
    """The slot with its jitter."""
    looked_at: datetime | None
    changed_at: datetime | None
    last_outcome: str | None
    last_unit: str | None
    looks: int
    failures: int
    """In a row, of looks that came to nothing."""


def asked(
    *,
    case: str,
    url: str,
    key: str,
    kind: str,
    timing: Timing,
    priority: int = DEFAULT_PRIORITY,
    options: Mapping[str, Any] | None = None,
    source: str = "command",
) -> Asked:
    """Checked. Raises ``UsageError`` with what is wrong."""
    if kind not in set(Kind):
        raise Unfit("kind", f"kind is {', '.join(Kind)}, got {kind!r:.40}")
    if isinstance(priority, bool) or not LEAST_PRIORITY <= priority <= MOST_PRIORITY:
        raise Unfit("priority", f"priority is {LEAST_PRIORITY} to {MOST_PRIORITY}, got {priority!r:.40}")
    chosen = {name: value for name, value in (options or {}).items() if value is not None}
    for name, value in chosen.items():
        if name not in OPTIONS:
            raise Unfit(name, f"a watch has no option {name!r:.40}; it has {', '.join(OPTIONS)}")
        OPTIONS[name].check(name, value)
    return Asked(
        case=case_name(case),
        url=url,
        key=key,
        kind=Kind(kind),
        timing=timing,
        priority=priority,
        options=chosen,
        source=source,
    )


def host_of(url: str) -> str:
    """As manners have it: what counts is whom the page is asked of."""
    return (urlsplit(url).hostname or "").rstrip(".").casefold()
