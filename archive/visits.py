"""Our own visits, link by link: they count as clicks where clicks are counted, and may be argued about later. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from custody.model import Hop, HopKind

TAGS = frozenset({
    "aff", "aff_fcid", "aff_id", "aff_platform", "aff_short_key", "aff_trace_key", "affid", "affiliate", "affiliate_id",
    "afftrack", "aid", "campaign", "campid", "cid", "clickid", "coupon", "creator", "discount", "irclickid", "pid",
    "pp_id", "ref", "ref_id", "referral", "refid", "sid", "sub_id", "subid", "tag", "utm_campaign", "utm_content",
    "utm_medium", "utm_source", "utm_term",
})  # fmt: skip
"""Parameters by which networks and shops count for whom a click was."""
COLUMNS = ("at", "capture", "how", "host", "url", "status", "tags")
Row = tuple[str, str, str, str, str, int | None, str]


def visits(
    capture: str, requested_url: str, at: datetime, http_status: int | None, hops: tuple[Hop, ...]
) -> Iterator[Row]:
    """Each address that one capture asked for, in the order of asking, as ``COLUMNS`` name it.

    ``how``: ``asked`` for the first, else the kind of the hop that led there. ``status``: of the answer there.
    """
    yield _row(at, capture, "asked", requested_url, hops[0].status if hops else http_status)
    for n, hop in enumerate(hops):
        status = hops[n + 1].status if n + 1 < len(hops) else http_status
        yield _row(hop.at, capture, hop.kind.value, hop.to_url, status)


def visits_of_look(capture: str, requested_url: str, at: datetime, look: Any) -> Iterator[Row]:
    """The same of a look that found nothing new: its ``look.json`` has the hops, which are all as of its beginning.

    Raises ``LookupError``, ``TypeError`` or ``ValueError`` for what is no such document.
    """
    hops = tuple(
        Hop(
            n=each["n"],
            from_url=each["from"],
            to_url=each["to"],
            kind=HopKind(each["kind"]),
            status=each["status"],
            at=at,
        )
        for each in look["hops"]
    )
    yield from visits(capture, requested_url, at, look["http_status"], hops)


def visit_begun(capture: str, requested_url: str, at: datetime) -> Row:
    """Of a capture that was begun and has no end of its own: it may have asked for this, and nobody knows what came."""
    return _row(at, capture, "begun", requested_url, None)


def tags(url: str) -> str:
    """What of an address says for whom the click counts, as ``name=value`` with spaces between."""
    try:
        found = parse_qsl(urlsplit(url).query, keep_blank_values=False)
    except ValueError:
        return ""
    return " ".join(f"{name}={value}" for name, value in found if name.casefold() in TAGS)


def _row(at: datetime, capture: str, how: str, url: str, status: int | None) -> Row:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return at.isoformat(timespec="milliseconds"), capture, how, host, url, status, tags(url)
