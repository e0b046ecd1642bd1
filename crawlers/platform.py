"""What a platform's file says: whose pages it reads, how it knows them, what they say. Add one file, edit no list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from archive.reading import Kind, Reading, Seen, Source
from crawlers.outcome import PageFacts, judge
from crawlers.saved import Saved
from crawlers.surfaces import Official
from crawlers.text import scalar
from custody.model import Json, Outcome

MAX_TEXT = 100_000
"""Characters of one text; a longer one is cut, with a note."""
MAX_ITEMS = 5_000
"""Of one list."""
_SPACES = re.compile(r"[ \t\f\v\u00a0\u2000-\u200a\u202f\u3000]+")


class Platform:
    """One platform. Instances hold nothing: the same page gives the same reading."""

    name: ClassVar[str] = ""
    """By which readings call it; that of its file."""
    hosts: ClassVar[frozenset[str]] = frozenset()
    """Registered names; what is below them counts too."""
    rank: ClassVar[int] = 0
    """Where two know a page, the higher one reads it. Generic readers are below 0."""
    ready: ClassVar[str] = ""
    """CSS that matches once a page shows what we came for; empty: nothing tells."""

    def knows_url(self, url: str) -> bool:
        """By the address alone."""
        try:
            host = (urlsplit(url).hostname or "").rstrip(".")
        except ValueError:
            return False
        return any(host == each or host.endswith(f".{each}") for each in self.hosts)

    def knows(self, page: Saved) -> bool:
        """By what is in the page, where no address is given; never by a file's name. By default: its own addresses."""
        return any(self.knows_url(url) for url in page.own_urls)

    def canonical(self, url: str) -> str | None:
        """The platform's own id in an address of a post, profile or listing; None: there is none in it."""
        return None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """Where else the platform itself shows what the address names, in the order of asking; none where it does not.

        Only what its own documentation offers to everybody or to whoever has a token, and permits to be kept.
        """
        return ()

    def fill(self, page: Saved, draft: "Draft") -> None:
        """What it says, field by field, the surest source first. What is found before it raises is kept."""
        raise NotImplementedError

    def wall(self, page: Saved) -> Outcome | None:
        """What stands in place of what was asked for, where this platform has a wall of its own kind."""
        return None

    def is_walled(self, page: Saved) -> bool:
        """Whether a wall stands there: to be asked before fields are taken from little more than the page's address."""
        return (self.wall(page) or judged(page)) is not None

    def read(self, page: Saved) -> Reading:
        """The reading of a page. Never raises for what a page holds."""
        draft = Draft(platform=self.name)
        try:
            self.fill(page, draft)
        except Exception as error:  # noqa: BLE001  # a stranger's page must cost no more than the field it spoils
            draft.note(f"reading stopped early: {type(error).__name__}")
        if not draft.fields:
            try:
                outcome = self.wall(page) or judged(page)
            except Exception as error:  # noqa: BLE001  # as above
                draft.note(f"whether it is a wall could not be told: {type(error).__name__}")
                outcome = None
            if outcome is not None:
                draft.kind, draft.wall = Kind.WALL, outcome.value
        for each in page.notes:
            draft.note(each)
        return draft.reading()


@dataclass(slots=True)
class Draft:
    """A reading in the making: the first value of a field stays, and what is no value is none."""

    platform: str
    kind: Kind = Kind.OTHER
    wall: str | None = None
    fields: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, where: str, *, shown: bool = False) -> bool:
        """``where``: a selector or a path. An empty list is a value (there are none); None and empty text are not."""
        if name in self.fields:
            return False
        kept = self._cleaned(name, value)
        if kept is None or kept == "":
            return False
        self.fields[name] = kept
        self.sources[name] = Source(where=where, seen=Seen.SHOWN if shown else Seen.EMBEDDED)
        return True

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text[:500])

    def reading(self) -> Reading:
        return Reading(
            platform=self.platform,
            kind=self.kind,
            wall=self.wall,
            fields=self.fields,
            sources=self.sources,
            notes=tuple(self.notes),
        )

    def _cleaned(self, name: str, value: Any) -> Json:
        if isinstance(value, str):
            text = tidy(value)
            if len(text) > MAX_TEXT:
                self.note(f"{name}: its first {MAX_TEXT} of {len(text)} characters are kept")
            return text[:MAX_TEXT]
        if isinstance(value, Mapping):
            return {str(key): self._cleaned(name, each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            if len(value) > MAX_ITEMS:
                self.note(f"{name}: its first {MAX_ITEMS} of {len(value)} are kept")
            return [self._cleaned(name, each) for each in value[:MAX_ITEMS]]
        if isinstance(value, float):  # JSON of strangers has them; a record cannot hold one
            return str(int(value)) if value.is_integer() else repr(value)
        return value if isinstance(value, (bool, int)) else None


def judged(page: Saved) -> Outcome | None:
    """What the page shows in place of content, by the rules that a capture's outcome is decided by."""
    if "judged" not in page.known:
        page.known["judged"] = _judged(page)
    found: Outcome | None = page.known["judged"]
    return found


def _judged(page: Saved) -> Outcome | None:
    if page.json is not None:
        facts_html, media_type = page.text, "application/json"
    else:
        facts_html, media_type = page.text, "text/html"
    found = judge(
        PageFacts(
            url=page.url or "",
            requested_url=page.url or "",
            http_status=page.status,
            title=" ".join("".join(page.all("//head/title//text()")).split()) if page.json is None else "",
            visible_text=page.shown_text if page.json is None else "",
            dom_html=facts_html,
            media_type=media_type,
        )
    ).outcome
    return None if found is Outcome.OK else found


def tidy(text: str) -> str:
    """Whole characters; runs of spaces become one, line ends stay, nothing at either end."""
    lines = (_SPACES.sub(" ", line).strip() for line in scalar(text).replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
