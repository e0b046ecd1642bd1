"""Observations: what was seen, worded as such, with the passage or picture it rests on. Never a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from custody.model import Json
from findings.promotion import Quote
from findings.resembling import Match


class About(StrEnum):
    """What an observation is about."""

    TERM_ABSENT = "term_absent"
    """A term of the case stands in the post, and was not found in the listing."""
    TERM_ELSEWHERE = "term_elsewhere"
    """As before, but it stands on the listing's page outside of what the listing says of its goods."""
    TERM_DISGUISED = "term_disguised"
    """A term is spelt in a way that a search for it does not find."""
    COPY = "copy"
    HIDDEN_LINK = "hidden_link"
    SWAP = "swap"
    DISCLOSURE = "disclosure"
    """The author says that the post is paid for."""
    NO_DISCLOSURE = "no_disclosure"
    """A link of the promotion carries a tag by which somebody is paid, and no words that say so were found."""
    SAME_PICTURE = "same_picture"
    REFERENCE_PICTURE = "reference_picture"
    """A picture of the post or the listing looks like one that the case has given."""
    ADDRESS = "address"
    """The listing's address names something else than its title."""
    PRICE = "price"
    TIME = "time"
    """The page and the post's id say different times."""
    SHARED_SELLER = "shared_seller"
    SHARED_TAG = "shared_tag"
    SHARED_LISTING = "shared_listing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Searched:
    """One text that was looked through."""

    capture: str
    words: str
    characters: int
    """So many of its first were looked through."""
    of: int
    """So many it has, as far as it was taken."""

    def to_json(self) -> dict[str, Json]:
        return {"capture": self.capture, "text": self.words, "characters": self.characters, "of": self.of}


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One thing that was seen."""

    about: About
    sentence: str
    """For people, in the past tense of somebody who looked."""
    rests_on: tuple[Quote, ...] = ()
    pictures: tuple[Match, ...] = ()
    searched: tuple[Searched, ...] = ()
    """What was looked through where something was not found."""
    is_weak: bool = False
    """It may as well mean something else: for a person to look at."""
    facts: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {
            "about": self.about.value,
            "sentence": self.sentence,
            "weak": self.is_weak,
            "rests_on": [each.to_json() for each in self.rests_on],
            "pictures": [_match(each) for each in self.pictures],
            "searched": [each.to_json() for each in self.searched],
            "facts": dict(self.facts),
        }


def _match(match: Match) -> dict[str, Json]:
    return {
        "post": {"sha256": match.one.sha256, "url": match.one.url},
        "listing": {"sha256": match.other.sha256, "url": match.other.url},
        "distance": match.distance,
        "threshold": match.threshold,
        "mirrored": match.mirrored,
    }
