"""The tables that go with exhibits: an index of them, and a schedule of who showed what and where it led. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.exhibits import Exhibit, Register
from archive.filing import Filed
from console.papers.casefile import CaseFile, Look, captures_of
from console.papers.seen import Seen, seen_of
from console.papers.spreads import published
from console.papers.zones import told

INDEX = (
    "exhibit", "what", "asked for", "shown", "outcome", "origin", "not before", "not after", "by our clock", "capture",
    "record sha256", "picture sha256", "reader", "promotions",
)  # fmt: skip
SCHEDULE = (
    "no.", "defendant", "promoting account", "account id", "promoting post", "published", "selling account",
    "seller id", "item", "item id", "price as shown", "listing", "listing looked at", "post seen, first to last",
    "listing seen, first to last", "exhibits",
)  # fmt: skip
BLANK = ""
"""Who is a defendant is for people to say: the column is there, and empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table, with what stands above it."""

    title: str
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def index_of(file: CaseFile, register: Register) -> Table:
    return Table(
        title=f"Index of exhibits, case {file.name}",
        notes=_notes(file, register),
        columns=INDEX,
        rows=tuple(_index_row(file, register, each) for each in register.exhibits),
    )


def schedule_of(file: CaseFile, register: Register) -> Table:
    shown = [each for each in file.promotions if set(captures_of(each.record)) & register.labels.keys()]
    pages = seen_of(file)
    notes = (
        (
            "The column “defendant” is left blank: who answers for an account is for people to say. Everything else is "
            "as pages showed it, read by a program (derived); prices as shown. First and last seen: by our clock, by "
            "the looks of this case that showed the page at the address that was asked for."
        ),
        *_notes(file, register),
    )
    return Table(
        title=f"Schedule, case {file.name}",
        notes=notes,
        columns=SCHEDULE,
        rows=tuple(_schedule_row(n, file, register, each, pages) for n, each in enumerate(shown, 1)),
    )


def price_of(fields: Mapping[str, Any]) -> str:
    """As it was shown; where the page only told machines, its number, which says so."""
    if fields.get("price_shown"):
        return str(fields["price_shown"])
    if fields.get("price"):
        return f"{fields['price']} {fields.get('currency') or ''}".strip() + " (as the page tells programs)"
    return ""


def _notes(file: CaseFile, register: Register) -> tuple[str, ...]:
    lists = ", ".join(f"list {each.version} (entry {each.index}, sha256 {each.digest.hex})" for each in register.lists)
    made = f"Made {told(file.at, file.zone)} from {lists}. Derived; the captures are the evidence."
    return (made, *_warnings(file))


def _warnings(file: CaseFile) -> Iterator[str]:
    from console.papers.report import warnings  # noqa: PLC0415  # the report shows these tables' exhibits too

    yield from warnings(file)


def _index_row(file: CaseFile, register: Register, exhibit: Exhibit) -> tuple[str, ...]:
    look = file.looks.get(exhibit.capture)
    label = register.label(exhibit)
    if look is None or look.record is None:
        why = "not in this case any more" if look is None else look.trouble
        blank = (BLANK,) * (len(INDEX) - 4)
        return (label, f"not to be had: {why}", *blank, exhibit.capture, exhibit.record.hex)
    record, bracket = look.record, look.dated.bracket
    picture = next((each for each in record.artifacts if each.name == "screenshot.png"), None)
    reader = exhibit.reader
    return (
        label,
        what_of(file, exhibit),
        look.entry.requested_url,
        record.final_url or "",
        record.outcome.value,
        record.origin.value,
        told(bracket.not_before, file.zone) if bracket.not_before else "no authority says",
        told(bracket.not_after, file.zone) if bracket.not_after else "NO TRUSTED TIME",
        told(look.entry.started_at, file.zone),
        exhibit.capture,
        exhibit.record.hex,
        "" if picture is None else picture.digest.hex,
        "" if reader is None else f"{reader['version']}, code sha256 {reader['code_sha256']}",
        ", ".join(each[:8] for each in exhibit.promotions),
    )


def what_of(file: CaseFile, exhibit: Exhibit) -> str:
    """What an exhibit is in the promotions as they were found last."""
    for each in file.promotions:
        if each.record["post"]["capture"] == exhibit.capture:  # type: ignore[index, call-overload]
            return "post"
        if each.record["listing"]["capture"] == exhibit.capture:  # type: ignore[index, call-overload]
            return "where a link led"
    return "page on the way"


def _schedule_row(
    n: int, file: CaseFile, register: Register, filed: Filed, pages: Mapping[str, Seen]
) -> tuple[str, ...]:
    record: Any = filed.record
    post, listing, labels = record["post"], record["listing"], register.labels
    said, sold = post["fields"], listing["fields"]
    seen = record["state"] == "listing_seen"
    look = file.looks.get(listing["capture"])
    exhibits = [labels[each] for each in captures_of(record) if each in labels]
    return (
        str(n),
        BLANK,
        str(said.get("handle") or said.get("author") or ""),
        str(said.get("account_id") or ""),
        post["url"],
        published(post, file.zone),
        str(sold.get("seller") or "") if seen else "no listing was shown",
        str(sold.get("seller_id") or ""),
        str(sold.get("title") or ""),
        str(sold.get("item_id") or sold.get("asin") or ""),
        price_of(sold),
        listing["url"],
        "" if look is None else told(look.entry.started_at, file.zone),
        _seen(file, pages, file.looks.get(post["capture"])),
        _seen(file, pages, look),
        _ranges(exhibits),
    )


def _seen(file: CaseFile, pages: Mapping[str, Seen], look: Look | None) -> str:
    found = None if look is None else pages.get(look.entry.requested_url)
    return "" if found is None else found.span(file.zone)


def _ranges(labels: Sequence[str]) -> str:
    return ", ".join(labels)
