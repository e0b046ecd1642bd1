"""A change: what one look showed and a later one did not, with the passages of both. What was seen, never why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from custody.instant import format_utc
from custody.model import Json
from findings.page import Page

MAX_PASSAGE = 2_000
"""Characters of one passage: all of it is in its capture."""


class Kind(StrEnum):
    """What became another. The log knows the same words (``custody.schema.CHANGES``)."""

    LINK_ADDED = "link_added"
    LINK_GONE = "link_gone"
    CAPTION_EDITED = "caption_edited"
    BIO_EDITED = "bio_edited"
    NAME_CHANGED = "name_changed"
    """The account's name or handle."""
    TITLE_CHANGED = "title_changed"
    PRICE_CHANGED = "price_changed"
    SELLER_CHANGED = "seller_changed"
    AVAILABILITY_CHANGED = "availability_changed"
    DISCLOSURE_ADDED = "disclosure_added"
    DISCLOSURE_REMOVED = "disclosure_removed"
    PICTURE_CHANGED = "picture_changed"
    REDIRECT_CHANGED = "redirect_changed"
    """The same address led elsewhere."""
    ACCOUNT_PRIVATE = "account_private"
    POST_REMOVED = "post_removed"
    """The site said that the post is not there: one look's word, and no conclusion."""
    LISTING_UNAVAILABLE = "listing_unavailable"
    PAGE_REMOVED = "page_removed"
    SHOWN_AGAIN = "shown_again"
    OUTCOME_CHANGED = "outcome_changed"
    """Something else stood in the page's place, such as a login, or no longer did."""
    WORDS_CHANGED = "words_changed"
    """Words that no field of the reading holds."""


ABSENCES = frozenset({Kind.POST_REMOVED, Kind.LISTING_UNAVAILABLE, Kind.PAGE_REMOVED, Kind.ACCOUNT_PRIVATE})
"""What was there is not shown to a visitor any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """What stood on one of the two pages."""

    capture: str
    words: str
    """The reading's field (``caption``), or ``outcome``, ``address``, ``pictures``, ``visible text``."""
    text: str
    where: str = ""
    """Where on the page, as its reading says."""

    def to_json(self) -> dict[str, Json]:
        return {"capture": self.capture, "words": self.words, "text": self.text, "where": self.where}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that is another than before."""

    kind: Kind
    sentence: str
    """For people, in the past tense of somebody who looked twice."""
    before: Passage | None
    """None: there it did not stand."""
    after: Passage | None
    doubts: tuple[str, ...] = ()
    """What else it may come of: clauses."""
    facts: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind.value,
            "sentence": self.sentence,
            "before": None if self.before is None else self.before.to_json(),
            "after": None if self.after is None else self.after.to_json(),
            "doubts": list(self.doubts),
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Incomparable:
    """Something that was not held against each other: it says nothing, for or against a change."""

    what: str
    """A field of the reading, ``pictures``, ``page``."""
    why: str

    def to_json(self) -> dict[str, Json]:
        return {"what": self.what, "why": self.why}


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Of two captures of one address."""

    before: Page
    after: Page
    changes: tuple[Change, ...]
    not_compared: tuple[Incomparable, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Each once, in the order of ``Kind``."""
        found = {each.kind for each in self.changes}
        return tuple(each for each in Kind if each in found)

    def to_json(self) -> dict[str, Json]:
        """The public form (docs/changes.md), and that of ``change.json``."""
        return {
            "before": _side(self.before),
            "after": _side(self.after),
            "changes": [each.to_json() for each in self.changes],
            "not_compared": [each.to_json() for each in self.not_compared],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Between:
    """When a change came about, as far as looks say: after one and not after another."""

    not_before: str
    """Instant of the last look that showed it as it was."""
    not_after: str
    """Instant of the first look that showed it otherwise."""

    @classmethod
    def of(cls, comparison: Comparison, *, last_same: str | None = None) -> Self:
        """``last_same``: of a later look than ``before``'s that found the page unchanged."""
        before = format_utc(comparison.before.looked_at)
        return cls(
            not_before=max(before, last_same or before),  # instants of one spelling sort as they follow each other
            not_after=format_utc(comparison.after.looked_at),
        )


def cut(text: str) -> str:
    return text if len(text) <= MAX_PASSAGE else f"{text[: MAX_PASSAGE - 1]}…"


def _side(page: Page) -> dict[str, Any]:
    return {
        "capture": page.capture,
        "record_sha256": page.record.hex,
        "url": page.url,
        "looked_at": format_utc(page.looked_at),
        "outcome": page.outcome.value,
        "kind": page.kind.value,
        "platform": page.reading.platform,
    }
