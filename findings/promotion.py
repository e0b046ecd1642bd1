"""The promotion: one post, the link it shows, every hop, and the listing at the end; and what may be one and is not."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import cast

from archive.reading import Kind
from custody.instant import format_utc
from custody.model import Hop, Json
from findings.page import Page
from findings.pointing import By, Passage

SCHEMA = 1
MAX_SUMMARY = 1_000
"""Characters of one field in a promotion's record."""


class Chosen(StrEnum):
    """How it is known that a link is the post's."""

    POINTED = "pointed"
    REACHABLE = "reachable"
    """One of several that a reader of the post could press: for a person to decide."""
    AUTHOR = "author"
    """From a post to its author's profile: no link is chosen by it."""


class Mutable(StrEnum):
    """Why an edge may have led elsewhere when the post was new."""

    PROFILE = "profile"
    """It stands in a profile, which its owner changes at will."""
    COMMENT = "comment"
    """It stands in a comment, which can be written or changed at any time."""
    HUB = "hub"
    """It stands on a page of links."""
    SHORT_LINK = "short_link"
    """It leads over another host, which decides where to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A passage of a page's text."""

    capture: str
    words: str
    """Name of the text: ``caption``."""
    passage: Passage

    def to_json(self) -> dict[str, Json]:
        place: dict[str, Json] = {"start": self.passage.start, "end": self.passage.end, "raw": self.passage.raw}
        return {"capture": self.capture, "text": self.words, **place}


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """When a post was made public, as far as it is known. Both ends may be equal, or a day apart."""

    earliest: datetime
    latest: datetime
    basis: str
    """``page`` (as the page says), ``id`` (as the post's id says), ``page and id``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """One link, from the page that shows it to the one it leads to."""

    from_capture: str
    to_capture: str | None
    """None: it was not followed."""
    href: str
    """As the page has it."""
    text: str
    where: str
    chosen: Chosen
    by: By | None
    rests_on: Quote | None
    """The words that point; None where no words do."""
    mutable: tuple[Mutable, ...]
    """Empty: intrinsic, in the post itself."""
    seen_at: datetime
    """When the page that shows it was looked at."""
    hops: tuple[Hop, ...]

    def to_json(self, published: Published | None) -> dict[str, Json]:
        return {
            "from": self.from_capture,
            "to": self.to_capture,
            "href": self.href,
            "text": self.text,
            "where": self.where,
            "chosen": self.chosen.value,
            "by": self.by.value if self.by else None,
            "rests_on": self.rests_on.to_json() if self.rests_on else None,
            "permanence": "mutable" if self.mutable else "intrinsic",
            "mutable_by": [each.value for each in self.mutable],
            "seen_at": format_utc(self.seen_at),
            "gap": self._gap(published),
            "hops": [
                {"n": hop.n, "from": hop.from_url, "to": hop.to_url, "kind": hop.kind.value, "status": hop.status}
                for hop in self.hops
            ],
        }

    def _gap(self, published: Published | None) -> Json:
        """Of a mutable edge: how long after the post it was looked at. In between it may have led elsewhere."""
        if not self.mutable:
            return None
        if published is None:
            return {"seconds": None, "why": "when the post was published is not known"}
        return {"seconds": max(0, int((self.seen_at - published.earliest).total_seconds())), "why": published.basis}


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """A post that points at a listing by the links on the way; or at an address where none was shown when we looked."""

    post: Page
    edges: tuple[Edge, ...]
    end: Page
    published: Published | None
    also: tuple[Page, ...] = field(default=(), repr=False)
    """The same post on other surfaces, where it was looked at there too."""

    @property
    def id(self) -> str:
        """The same whenever it is found again in the same captures."""
        return path_id(self.post, self.edges)

    @property
    def has_listing(self) -> bool:
        return self.end.was_seen and self.end.kind in (Kind.LISTING, Kind.STOREFRONT)

    @property
    def posts(self) -> tuple[Page, ...]:
        return (self.post, *self.also)

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": SCHEMA,
            "id": self.id,
            "unit": self.post.unit,
            "post": _summary(self.post, *_POST, published=self.published),
            "edges": [each.to_json(self.published) for each in self.edges],
            "listing": _summary(self.end, *_LISTING),
            "state": "listing_seen" if self.has_listing else "listing_not_seen",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """A link that may be the post's and was not shown to be: a candidate, for a person to decide."""

    post: Page
    edges: tuple[Edge, ...]
    end: Page | None
    reason: str
    """``reachable``, ``not_followed: over_limit`` …, ``no_listing`` (what it leads to was read as no listing)."""

    @property
    def id(self) -> str:
        return path_id(self.post, self.edges)

    def to_json(self) -> dict[str, Json]:
        last = self.edges[-1]
        return {
            "id": self.id,
            "unit": self.post.unit,
            "post": self.post.capture,
            "on": last.from_capture,
            "href": last.href,
            "text": last.text,
            "capture": self.end.capture if self.end else None,
            "kind": self.end.kind.value if self.end else None,
            "chosen": "pointed" if is_pointed(self.edges) else "reachable",
            "reason": self.reason,
        }


_POST = (
    "author",
    "handle",
    "account_id",
    "post_id",
    "title",
    "caption",
    "text",
    "published_shown",
    "published",
    "published_from_id",
)
_LISTING = (
    "title",
    "brand",
    "seller",
    "seller_id",
    "item_id",
    "asin",
    "price",
    "currency",
    "price_shown",
    "availability",
)


_UNIQUE = (By.NUMBER, By.CODE, By.PICTURE)


def path_id(post: Page, edges: Sequence[Edge]) -> str:
    path = (post.capture, *(f"{each.from_capture} {each.href} {each.to_capture or ''}" for each in edges))
    return hashlib.sha256("\n".join(path).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def is_pointed(edges: Sequence[Edge]) -> bool:
    """Whether the post says which way is meant. What stands on one button alone says so for the way to it as well."""
    unique = [n for n, each in enumerate(edges) if each.by in _UNIQUE]
    rest = edges[unique[-1] :] if unique else edges
    return all(each.chosen is not Chosen.REACHABLE for each in rest) and any(
        each.chosen is Chosen.POINTED for each in rest
    )


def _summary(page: Page, *names: str, published: Published | None = None) -> dict[str, Json]:
    fields = {name: _cut(page.reading.fields[name]) for name in names if name in page.reading.fields}
    told: dict[str, Json] = {
        "capture": page.capture,
        "record_sha256": page.record.hex,
        "url": page.url,
        "platform": page.reading.platform,
        "kind": page.kind.value,
        "surface": page.surface,
        "outcome": page.outcome.value,
        "origin": page.origin.value,
        "looked_at": format_utc(page.looked_at),
        "vantage": cast("Json", dict(page.vantage)),
        "fields": fields,
    }
    if published is not None:
        told["published"] = {
            "earliest": format_utc(published.earliest),
            "latest": format_utc(published.latest),
            "basis": published.basis,
        }
    return told


def _cut(value: Json) -> Json:
    """Of a long text its beginning: all of it is in the capture, and each passage that matters is quoted."""
    return value[:MAX_SUMMARY] if isinstance(value, str) else value
