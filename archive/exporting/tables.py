"""What is in an export, as tables: which file is what, the captures, the hops, the promotions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from archive.exporting import sightings
from archive.exporting.blobs import Blobs
from archive.exporting.population import Population
from archive.exporting.selection import Selection
from archive.exporting.sheets import Cell, Table, to_csv, to_xlsx
from archive.log import LoggedEvent
from archive.surface import platform_of, shown_of, surface_of
from custody.bundle import layout
from custody.bundle.statement import WITHHELD
from custody.checks.states import ENDS, status_of
from custody.instant import format_utc
from custody.record import Record

INDEX = ("path", "sha256", "bytes", "what", "name", "media_type", "item", "capture", "page", "entry", "missing")
CAPTURES = (
    "item", "capture", "parent", "requested_url", "final_url", "title", "status", "outcome", "outcome_reason",
    "http_status", "origin", "surface", "shown", "platform", "started_at", "ended_at", "reached_by", "link_text",
    "folder", "files", "lacks", "record_sha256", "entry",
)  # fmt: skip
RECEIVED = (
    "item", "file", "given_name", "kind", "media_type", "bytes", "sha256", "from", "how", "received_at",
    "about_capture", "about_item", "note", "custody", "path", "entry",
)  # fmt: skip
HOPS = ("item", "capture", "n", "kind", "from", "to", "status", "at")
PROMOTIONS = (
    "promotion", "item", "state", "post_capture", "post_url", "platform", "author", "handle", "published_from",
    "published_to", "published_by", "permanence", "way", "listing_capture", "listing_url", "title", "brand", "seller",
    "item_id", "price", "currency", "price_shown",
)  # fmt: skip

Promotions = Sequence[Mapping[str, Any]]
"""Records of promotions, as ``findings.promotion`` writes them."""


def tables(chosen: Selection, blobs: Blobs, promotions: Promotions | None) -> dict[str, Table]:
    """``promotions`` None: nobody has looked for them."""
    found = {
        "captures": Table(CAPTURES, list(_captures(chosen, blobs))),
        "hops": Table(HOPS, list(_hops(blobs))),
    }
    if pages := list(sightings.seen(chosen, blobs)):
        found["seen"] = Table(sightings.SEEN, pages)
    if changed := list(sightings.changes(chosen, blobs)):
        found["changes"] = Table(sightings.CHANGES, changed)
    if blobs.receipts:
        found["received"] = Table(RECEIVED, list(_received(blobs)))
    if promotions is not None:
        found["promotions"] = Table(PROMOTIONS, [_promotion(each) for each in promotions])
    return found


def files(
    chosen: Selection, blobs: Blobs, promotions: Promotions | None, population: Population, at: datetime
) -> dict[str, bytes]:
    """By their path in the bag."""
    index, others = Table(INDEX, list(_index(blobs))), tables(chosen, blobs, promotions)
    made = {layout.INDEX: to_csv(index), f"{layout.TABLES}population.json": population.format()}
    made |= {f"{layout.TABLES}{name}.csv": to_csv(table) for name, table in others.items()}
    made[f"{layout.TABLES}tables.xlsx"] = to_xlsx(others, at)
    return made


def _index(blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    """Every naming: a file that several captures share stands there for each of them."""
    lost = {(each.digest, each.index, each.name): each.reason for each in blobs.missing}
    for each in blobs.named:
        _, record = blobs.records.get(each.capture or "", (0, None))
        kind, _, item = each.chain.partition(":")
        yield (
            blobs.paths.get(each.digest),
            each.digest.hex,
            each.bytes,
            each.role or each.name.partition(".")[0],
            each.name,
            each.media_type,
            item if kind == "item" else None,
            each.capture,
            None if record is None else record.final_url or record.requested_url,
            each.index,
            lost.get((each.digest, each.index, each.name)),
        )
    for gone in blobs.missing:
        if gone.reason == WITHHELD:
            what = gone.name.partition(".")[0]
            yield (None, gone.digest.hex, gone.bytes, what, gone.name, None, None, None, None, gone.index, gone.reason)


def _captures(chosen: Selection, blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    """One row a start, also of what was never brought to an end."""
    ends = {str(each.event.body["capture"]): each for each in chosen.events if each.event.type in ENDS}
    for each in chosen.events:
        if each.event.type != "capture.started":
            continue
        capture = str(each.event.body["capture"])
        end = ends.get(capture)
        item, started = each.event.chain.removeprefix("item:"), format_utc(each.event.occurred_at)
        _, record = blobs.records.get(capture, (0, None))
        if record is None:
            status = "open" if end is None else status_of(end.event)
            outcome = None if end is None else str(end.event.body.get("outcome", end.event.body.get("reason")))
            ended = None if end is None else format_utc(end.event.occurred_at)
            found = dict(zip(("item", "capture", "status", "outcome"), (item, capture, status, outcome), strict=True))
            found |= {"started_at": started, "ended_at": ended}
            yield tuple(found.get(name) for name in CAPTURES)
        elif end is not None:
            yield _captured(item, started, record, blobs, end)


def _captured(item: str, started: str, record: Record, blobs: Blobs, end: LoggedEvent) -> tuple[Cell, ...]:
    sections, digest = record.circumstances, end.event.subjects[0].digest
    return (
        item,
        record.capture_id,
        record.parent,
        record.requested_url,
        record.final_url,
        record.title,
        record.status.value,
        record.outcome.value,
        record.outcome_reason,
        record.http_status,
        record.origin.value,
        surface_of(sections),
        shown_of(sections, record.outcome, record.http_status),
        platform_of(sections),
        started,
        format_utc(max(record.times.values())) if record.times else None,
        None if record.via is None else record.via.where,
        None if record.via is None else record.via.text,
        blobs.paths[digest].rpartition("/")[0],
        len(record.artifacts),
        ", ".join(each.role.value for each in record.missing),
        digest.hex,
        end.index,
    )


def _received(blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    for index, each in blobs.receipts.values():
        unit, capture = each.about or (None, None)
        for file in each.files:
            kept = file.artifact
            yield (
                each.item, kept.name, file.given_name, file.kind, kept.media_type, kept.bytes, kept.digest.hex,
                each.from_whom, each.how, format_utc(each.received_at), capture, unit, each.note,
                "begins at receipt; nothing before it is vouched for", blobs.paths.get(kept.digest), index,
            )  # fmt: skip


def _hops(blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    for capture, (_, record) in blobs.records.items():
        for hop in record.hops:
            yield (
                record.unit, capture, hop.n, hop.kind.value, hop.from_url, hop.to_url, hop.status, format_utc(hop.at),
            )  # fmt: skip


def _promotion(record: Mapping[str, Any]) -> tuple[Cell, ...]:
    post, listing = record["post"], record["listing"]
    said, offered, published = post["fields"], listing["fields"], post.get("published", {})
    steps = (
        f"{edge['text'] or edge['href']} ({edge['where']}, {edge['chosen']}, {len(edge['hops'])} hops)"
        for edge in record["edges"]
    )
    return (
        record["id"], record["unit"], record["state"], post["capture"], post["url"], post["platform"],
        _cell(said.get("author")), _cell(said.get("handle")), published.get("earliest"), published.get("latest"),
        published.get("basis"), ", ".join(sorted({edge["permanence"] for edge in record["edges"]})), " → ".join(steps),
        listing["capture"], listing["url"],
        *(_cell(offered.get(name)) for name in (
            "title", "brand", "seller", "item_id", "price", "currency", "price_shown",
        )),
    )  # fmt: skip


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, (str, int)):
        return value
    return json.dumps(value, ensure_ascii=False)
