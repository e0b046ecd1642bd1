"""What a case asks of its findings: terms and how else they are written, who is authorised, prices, thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Self

from archive.brief import TermKind
from archive.briefs import Described
from custody.instant import format_utc
from custody.model import Json
from findings.page import Shown

PRICE_RATIO = Decimal("0.3")
"""Of a reference price; a case may say otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A name that the case is about."""

    text: str
    forms: tuple[str, ...] = ()
    """The same in other scripts, or as buyers call it: what is found under them is found of the term."""
    is_product: bool = False
    """One thing's name, and not a brand's."""

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.text, *self.forms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """What a thing costs where it is sold under its name, as the case states it."""

    term: str
    amount: Decimal
    currency: str
    """ISO 4217."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """One version of a case's description; empty where it has none."""

    terms: tuple[Term, ...] = ()
    authorised: frozenset[str] = frozenset()
    """Hosts, seller ids and seller names, in lower case."""
    references: tuple[Reference, ...] = ()
    price_ratio: Decimal = PRICE_RATIO
    version: int = 0
    """0: the case was never described."""
    sha256: str | None = None
    described_at: datetime | None = None
    pictures: tuple[Shown, ...] = ()
    """Reference pictures; their ``url`` is the file's name."""
    picture_distance: int | None = None
    """Bits up to which two pictures count as alike, where the case says so."""
    _owner: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for term in self.terms:
            for each in term.spellings:
                self._owner.setdefault(each, term.text)

    @classmethod
    def of(cls, described: Described | None, pictures: tuple[Shown, ...] = ()) -> Self:
        """Empty for a case that nobody has described: then nothing is asked for by name."""
        if described is None:
            return cls()
        brief = described.brief
        distance = brief.thresholds.get("picture_distance")
        return cls(
            terms=tuple(
                Term(text=each.text, forms=each.forms, is_product=each.kind is TermKind.PRODUCT) for each in brief.terms
            ),
            authorised=frozenset(each.strip().lower() for each in brief.authorised),
            references=tuple(
                Reference(term=each.term, amount=each.amount, currency=each.currency) for each in brief.prices
            ),
            price_ratio=brief.thresholds.get("price_ratio", PRICE_RATIO),
            pictures=pictures,
            picture_distance=None if distance is None else int(distance),
            version=described.version,
            sha256=described.digest.hex,
            described_at=described.at,
        )

    @property
    def spellings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each for term in self.terms for each in term.spellings))

    def term_of(self, spelling: str) -> str:
        """The term that a spelling belongs to."""
        return self._owner.get(spelling, spelling)

    def is_product(self, term: str) -> bool:
        return any(each.text == term and each.is_product for each in self.terms)

    def authorises(self, names: Iterable[str]) -> str | None:
        """The first of these names that the case calls authorised. Of a host, those above it count too."""
        for name in names:
            low = name.strip().lower()
            if low and (low in self.authorised or any(low.endswith(f".{each}") for each in self.authorised)):
                return name
        return None

    def under(self, captured_at: datetime) -> dict[str, Json]:
        """What an observation says of the version that it was made under."""
        return {
            "version": self.version,
            "sha256": self.sha256,
            "described_at": format_utc(self.described_at) if self.described_at else None,
            "later_than_capture": self.described_at is not None and self.described_at > captured_at,
        }
