"""Our own visits, link by link: they count as clicks where clicks are counted, and may be argued about later. Pure."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from custody.model import Hop

TAGS = frozenset({
    "aff", "aff_fcid", "aff_id", "aff_platform", "aff_short_key", "aff_trace_key", "affid", "affiliate", "affiliate_id",
    "afftrack", "aid", "campaign", "campid", "cid", "clickid", "coupon", "creator", "discount", "irclickid", "pid",
    "pp_id", "ref", "ref_id", "referral", "refid", "sid", "sub_id", "subid", "tag", "utm_campaign", "utm_content",
    "utm_medium", "utm_source", "utm_term",
})  # fmt: skip
"""Parameters by which networks and shops count for whom a click was."""
COLUMNS = ("at", "capture", "how", "host", "url", "status", "tags")


def visits(
    capture: str, requested_url: str, at: datetime, http_status: int | None, hops: tuple[Hop, ...]
) -> Iterator[tuple[str, str, str, str, str, int | None, str]]:
    """Each address that one capture asked for, in the order of asking, as ``COLUMNS`` name it.

    ``how``: ``asked`` for the first, else the kind of the hop that led there. ``status``: of the answer there.
    """
    yield _row(at, capture, "asked", requested_url, hops[0].status if hops else http_status)
    for n, hop in enumerate(hops):
        status = hops[n + 1].status if n + 1 < len(hops) else http_status
        yield _row(hop.at, capture, hop.kind.value, hop.to_url, status)


def tags(url: str) -> str:
    """What of an address says for whom the click counts, as ``name=value`` with spaces between."""
    try:
        found = parse_qsl(urlsplit(url).query, keep_blank_values=False)
    except ValueError:
        return ""
    return " ".join(f"{name}={value}" for name, value in found if name.casefold() in TAGS)


def _row(
    at: datetime, capture: str, how: str, url: str, status: int | None
) -> tuple[str, str, str, str, str, int | None, str]:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return at.isoformat(timespec="milliseconds"), capture, how, host, url, status, tags(url)
