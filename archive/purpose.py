"""Whether pages may go on being looked at for a case: what it says of its review, held against the day. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.brief import Brief


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Of one case on one day."""

    allowed: bool
    why: str
    """A sentence for people, in either case."""
    overdue_since: date | None = None
    """The day by which somebody was to ask whether it is still needed; None: it has not gone by."""
    lacks: tuple[str, ...] = ()
    """Of ``purpose``, ``legal_basis`` and ``review_by``: what nobody has written down."""


def may_look(brief: Brief | None, now: datetime) -> Standing:
    """``brief``: the newest; None: the case is not described. Only a review that is overdue stops looks.

    A page that a person asks for by hand is hers to decide; this is asked before looks that nobody is present at.
    """
    if brief is None:
        none = ("purpose", "legal_basis", "review_by")
        return Standing(allowed=True, why="nobody has written down what this case is for", lacks=none)
    lacks: tuple[str, ...] = tuple(
        name
        for name, value in (
            ("purpose", brief.purpose), ("legal_basis", brief.legal_basis), ("review_by", brief.review_by)
        )
        if not value
    )  # fmt: skip
    if brief.review_by is None:
        return Standing(allowed=True, why="no day is set for the review of this case", lacks=lacks)
    if now.astimezone(zone_of(brief)).date() > brief.review_by:
        return Standing(
            allowed=False,
            why=(
                f"the review of this case was due by {brief.review_by}: somebody asks whether it is still needed, "
                "and set the next day by `counterproof case edit NAME --review-by DAY`"
            ),
            overdue_since=brief.review_by,
            lacks=lacks,
        )
    return Standing(allowed=True, why=f"the review of this case is due by {brief.review_by}", lacks=lacks)


def zone_of(brief: Brief) -> ZoneInfo:
    """In which the day of the review is meant; UTC where the case names none, or one that nobody here knows."""
    try:
        return ZoneInfo(brief.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")  # a zone that this machine does not know any more moves the day by hours at most
