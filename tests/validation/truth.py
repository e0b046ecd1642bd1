"""What is known beforehand of a page that is captured: what it shows, where it leads, what it is."""

from dataclasses import dataclass, field
from enum import StrEnum

from custody.model import HopKind, Outcome

Colour = tuple[int, int, int]


class Kind(StrEnum):
    """Of an error."""

    TEXT = "text"
    IMAGE = "image"
    LINK = "link"
    TIME = "time"
    HOP = "hop"
    OUTCOME = "outcome"
    LOST = "lost"
    """Asked for, and not in the archive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A place of one colour, in CSS pixels from the upper left corner of the page."""

    left: int
    top: int
    side: int
    colour: Colour
    form: str
    """How the page shows it: ``png``, ``canvas``, ``frame``…"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One hop, as the site makes the browser take it."""

    kind: HopKind
    status: int | None
    """HTTP status of the page that is left."""
    to_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page that is asked for."""

    name: str
    family: str
    variant: str
    url: str
    outcome: Outcome = Outcome.OK
    title: str | None = None
    """None: no page is shown."""
    lines: tuple[str, ...] | None = field(default=(), repr=False)
    """All that a reader gets to see, block by block, white space collapsed. None: not judged (the browser's own words).
    """
    phone_lines: tuple[str, ...] | None = field(default=None, repr=False)
    """The same on a phone, where the page shows something else there."""
    marks: tuple[Mark, ...] = field(default=(), repr=False)
    follow: tuple[str, ...] | None = None
    """Addresses that a reader would call the author's own links, as they stand in the page. None: not judged."""
    hops: tuple[Step, ...] = ()
    final_url: str | None = None
    """None: neither a page nor a file is reached."""
    stamps: tuple[str, ...] = ()
    """Times as the page gives them to machines or to readers; each has to be in the document or the text that is kept.
    """
    clock: str | None = None
    """Begins the line in which the page says what time it is by its own clock."""

    def lines_on(self, device: str) -> tuple[str, ...] | None:
        return self.phone_lines if device == "phone" and self.phone_lines is not None else self.lines

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "family": self.family,
            "variant": self.variant,
            "url": self.url,
            "outcome": self.outcome.value,
            "title": self.title,
            "lines": self.lines,
            "phone_lines": self.phone_lines,
            "marks": [
                {"left": each.left, "top": each.top, "side": each.side, "colour": each.colour, "form": each.form}
                for each in self.marks
            ],
            "follow": self.follow,
            "hops": [{"kind": each.kind.value, "status": each.status, "to": each.to_url} for each in self.hops],
            "final_url": self.final_url,
            "stamps": self.stamps,
            "clock": self.clock,
        }


def flat(text: str) -> str:
    """White space collapsed, as a browser shows it."""
    return " ".join(text.split())
