"""A case's brief: what a case says of itself, as a value, and its canonical JSON. Pure.

Brand terms, registrations, sellers and purposes name people and their matters: a brief lies in a blob, never in a leaf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from custody import canonical, schema
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json

MAX_BYTES = 4 * 1024 * 1024
"""Of one version, as it is stored."""
MAX_PICTURE_BYTES = 20 * 1024 * 1024
MAX_TERM = 80
"""Characters of one term or form."""

_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_LINE = rf"[^\s{_CONTROLS}](?:[^{_CONTROLS}]*[^\s{_CONTROLS}])?"
_DECIMAL = r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,4})?"


def _line(most: int, *, least: int = 1) -> schema.Schema:
    """One line of text with no room around it."""
    return {"type": "string", "maxLength": most, "pattern": f"^{_LINE}$" if least else f"^(?:{_LINE})?$"}


def _prose(most: int) -> schema.Schema:
    """Text of several lines."""
    return {
        "type": "string",
        "maxLength": most,
        "pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$",
    }


class TermKind(StrEnum):
    """What a term is the name of."""

    BRAND = "brand"
    PRODUCT = "product"


_NUMBER: schema.Schema = {"type": "string", "pattern": f"^{_DECIMAL}$"}
_TERM = schema.fields(text=_line(MAX_TERM), kind=schema.enum(*TermKind), forms=schema.array(_line(MAX_TERM), 0, 50))
_PRICE = schema.fields(term=_line(MAX_TERM), amount=_NUMBER, currency={"type": "string", "pattern": "^[A-Z]{3}$"})
_PICTURE = schema.fields(
    sha256=schema.HEX64,
    bytes={"type": "integer", "minimum": 1, "maximum": MAX_PICTURE_BYTES},
    media_type={"type": "string", "pattern": "^image/[a-z0-9.+-]{1,60}$"},
    name={"type": "string", "maxLength": 200, "pattern": rf"^[^/{_CONTROLS}]+$"},
    note=_line(500, least=0),
)
SCHEMA = schema.fields(
    title=_line(300, least=0),
    matter=_line(200, least=0),
    terms=schema.array(_TERM, 0, 200),
    registrations=schema.array(_line(500), 0, 200),
    authorised=schema.array(_line(300), 0, 1000),
    thresholds={"type": "object", "maxProperties": 20, "additionalProperties": _NUMBER},
    prices=schema.array(_PRICE, 0, 1000),
    pictures=schema.array(_PICTURE, 0, 200),
    timezone={"type": "string", "pattern": "^(?:[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3})?$"},
    purpose=_prose(4000),
    legal_basis=_prose(4000),
    review_by=schema.nullable({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
    retention_days=schema.nullable({"type": "integer", "minimum": 1, "maximum": 36_500}),
)
"""Of the brief alone; ``archive.briefs`` adds which version it is, and of what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """What a threshold may be: ``least`` to ``most``."""

    most: int
    whole: bool
    """A whole number."""
    says: str
    """What it decides, in words."""
    least: int = 0


THRESHOLDS: Mapping[str, Bound] = {
    "picture_distance": Bound(
        most=256, whole=True, says="bits of 256 by which two pictures may differ and still count as alike"
    ),
    "price_ratio": Bound(
        most=1, whole=False, says="share of the reference price below which a price is worth looking at"
    ),
    "unchanged_days": Bound(
        least=1, most=36_500, whole=True, says="days that a scheduled look which found nothing new is locked"
    ),
    "shown_nothing_days": Bound(
        least=1, most=36_500, whole=True, says="days that a scheduled capture of a wall or an error is locked"
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A name that the case looks for, as it is written."""

    text: str
    kind: TermKind = TermKind.BRAND
    forms: tuple[str, ...] = ()
    """Other spellings and scripts that a person gave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferencePrice:
    """What the genuine thing costs."""

    term: str
    """The text of one of the brief's terms."""
    amount: Decimal
    currency: str
    """ISO 4217, such as EUR."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A reference picture; its bytes are a blob of the archive."""

    digest: Digest
    bytes: int
    media_type: str
    """By its content."""
    name: str
    """Of the file that it came from."""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """What a case is about. An empty text, and None, say that nobody has said."""

    title: str = ""
    matter: str = ""
    """The matter's number, as the office counts."""
    terms: tuple[Term, ...] = ()
    registrations: tuple[str, ...] = ()
    authorised: tuple[str, ...] = ()
    """Hosts or seller ids that may sell, as a person wrote them."""
    thresholds: Mapping[str, Decimal] = field(default_factory=dict)
    """By name, of ``THRESHOLDS``; what is not there is left to whoever compares."""
    prices: tuple[ReferencePrice, ...] = ()
    pictures: tuple[Picture, ...] = ()
    timezone: str = ""
    """IANA, such as Europe/Paris."""
    purpose: str = ""
    legal_basis: str = ""
    review_by: date | None = None
    retention_days: int | None = None

    def to_json(self) -> dict[str, Json]:
        """Raises ``FormatError`` for what has no place in a brief, so that nothing is written that cannot be read."""
        value: dict[str, Json] = {
            "title": self.title,
            "matter": self.matter,
            "terms": [{"text": each.text, "kind": each.kind.value, "forms": list(each.forms)} for each in self.terms],
            "registrations": list(self.registrations),
            "authorised": list(self.authorised),
            "thresholds": {name: format(number, "f") for name, number in self.thresholds.items()},
            "prices": [
                {"term": each.term, "amount": format(each.amount, "f"), "currency": each.currency}
                for each in self.prices
            ],
            "pictures": [
                {
                    "sha256": each.digest.hex,
                    "bytes": each.bytes,
                    "media_type": each.media_type,
                    "name": each.name,
                    "note": each.note,
                }
                for each in self.pictures
            ],
            "timezone": self.timezone,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "review_by": None if self.review_by is None else self.review_by.isoformat(),
            "retention_days": self.retention_days,
        }
        self.of(value)
        return value

    @classmethod
    def of(cls, value: Any) -> Self:
        """Read what ``to_json`` gave. ``FormatError`` names the first place that is not as it must be."""
        schema.check(SCHEMA, value, code="RECORD_FORMAT")
        found = cls(
            title=value["title"],
            matter=value["matter"],
            terms=tuple(
                Term(text=each["text"], kind=TermKind(each["kind"]), forms=tuple(each["forms"]))
                for each in value["terms"]
            ),
            registrations=tuple(value["registrations"]),
            authorised=tuple(value["authorised"]),
            thresholds={name: Decimal(number) for name, number in value["thresholds"].items()},
            prices=tuple(
                ReferencePrice(term=each["term"], amount=Decimal(each["amount"]), currency=each["currency"])
                for each in value["prices"]
            ),
            pictures=tuple(
                Picture(
                    digest=Digest(each["sha256"]),
                    bytes=each["bytes"],
                    media_type=each["media_type"],
                    name=each["name"],
                    note=each["note"],
                )
                for each in value["pictures"]
            ),
            timezone=value["timezone"],
            purpose=value["purpose"],
            legal_basis=value["legal_basis"],
            review_by=None if value["review_by"] is None else _date(value["review_by"]),
            retention_days=value["retention_days"],
        )
        found._check()
        return found

    def format(self, head: Mapping[str, Json]) -> bytes:
        """Canonical bytes, after what stands before it in its blob."""
        data = canonical.dumps({**head, **self.to_json()})
        if len(data) > MAX_BYTES:
            raise _refused(f"a brief has at most {MAX_BYTES} bytes, got {len(data)}")
        return data

    def _check(self) -> None:
        """What a schema cannot say."""
        _once("term", [each.text for each in self.terms])
        _once("registration", self.registrations)
        _once("authorised seller", self.authorised)
        _once("price", [f"{each.term} in {each.currency}" for each in self.prices])
        _once("picture", [each.digest.hex for each in self.pictures])
        for each in self.terms:
            _once(f"form of {each.text!r}", [each.text, *each.forms])
        known = {each.text for each in self.terms}
        if (lost := next((each.term for each in self.prices if each.term not in known), None)) is not None:
            raise _refused(f"a reference price is of one of the terms, {lost!r} is none")
        for name, number in self.thresholds.items():
            if (bound := THRESHOLDS.get(name)) is None:
                raise _refused(f"there is no threshold {name[:80]!r}; there are {', '.join(THRESHOLDS)}")
            if not bound.least <= number <= bound.most or (bound.whole and number != int(number)):
                kind = "a whole number" if bound.whole else "a number"
                raise _refused(f"{name} is {kind} from {bound.least} to {bound.most}, got {number}")


def _once(what: str, texts: Sequence[str]) -> None:
    seen: set[str] = set()
    for each in texts:
        if each in seen:
            raise _refused(f"the {what} {each[:80]!r} is there twice")
        seen.add(each)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _refused(f"there is no day {text}") from error


def _refused(reason: str) -> FormatError:
    return FormatError(reason, code="RECORD_FORMAT")
