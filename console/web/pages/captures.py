"""A capture's page, its verdict computed when it is asked for, and its custody events."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.appraisal import Appraisal
from archive.dating import NOT_DATED, Dating
from archive.log import LoggedEvent
from console.later import later_of
from console.web.captureview import view_of
from console.web.holdings import Holdings, HoldingsHere
from console.web.lanes import quick
from console.web.promotions import Promotions
from console.web.rendering import loose, render

router = APIRouter()
_SHOWN = ("asked", "shown", "title", "status", "origin")
"""Fields whose corrections stand beside them."""


@router.get("/captures/{capture_id}")
@quick
def capture(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    entry = holdings.entry(capture_id)
    cases = holdings.cases_of(entry.unit)
    view = view_of(holdings, entry)
    later = later_of(holdings.archive.reader, holdings.archive.catalog, entry)
    later = later.within({each.scope for each in cases}, lambda item: bool(holdings.cases_of(item)))
    lines = [line for name in _SHOWN for line in later.beside(name)]
    lines += [*later.elsewhere(), *later.held(), *later.allowed(), *later.handed_over()]
    return render(
        request,
        "capture.html",
        entry=entry,
        view=view,
        reading=loose(view.reading),
        tls=loose(view.tls),
        cases=cases,
        zone=holdings.zone(cases),
        unit=holdings.of_unit(entry.unit),
        later=lines,
        disposal=None if later.disposal is None else (later.disposal[0], loose(later.disposal[1])),
        events=[(each, _about(each)) for each in holdings.events(entry)],
    )


@router.get("/captures/{capture_id}/time")
def time(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """What proves when it was captured, each thing to be saved: its leaf, the proof, the checkpoint, the tokens."""
    entry = holdings.entry(capture_id)
    reader, catalog = holdings.archive.reader, holdings.archive.catalog
    trust = reader.trust
    dated = NOT_DATED if trust is None else Dating(reader.store, trust, catalog).of(entry.anchor, entry.index)
    cases = holdings.cases_of(entry.unit)
    return render(
        request,
        "time.html",
        entry=entry,
        dated=dated,
        has_trust=trust is not None,
        cases=cases,
        zone=holdings.zone(cases),
        tokens=list(zip(dated.after, dated.over, strict=True)),
    )


@router.get("/captures/{capture_id}/promotions")
def part_of(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """The promotions that it has a part in: a part of its page that may take some seconds."""
    entry = holdings.entry(capture_id)
    known: Promotions = request.app.state.promotions
    found = [
        (row, name, loose(record), part)
        for row in holdings.cases_of(entry.unit)
        for name, record in known.of(holdings, row.scope).records.items()
        if (part := _part(record, capture_id)) is not None
    ]
    is_part = request.headers.get("hx-request") == "true"
    template = "capture_promotions_part.html" if is_part else "capture_promotions.html"
    return render(request, template, entry=entry, found=found)


def _part(record: Mapping[str, Any], capture_id: str) -> str | None:
    if record["post"]["capture"] == capture_id:
        return "the post"
    if record["listing"]["capture"] == capture_id:
        return "the listing"
    return "on the way" if any(capture_id in {each["from"], each["to"]} for each in record["edges"]) else None


@router.get("/captures/{capture_id}/verdict")
def verdict(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """All of it read again now. A part of a page for htmx, a page of its own without scripts."""
    appraisal = appraise(holdings, capture_id)
    is_part = request.headers.get("hx-request") == "true"
    cases = holdings.cases_of(holdings.entry(capture_id).unit)
    return render(
        request,
        "verdict_part.html" if is_part else "verdict.html",
        capture_id=capture_id,
        appraisal=appraisal,
        zone=holdings.zone(cases),
    )


def appraise(holdings: Holdings, capture_id: str) -> Appraisal:
    entry = holdings.entry(capture_id)
    archive = holdings.archive
    return archive.appraiser.of(entry, at=archive.clock())


def _about(each: LoggedEvent) -> dict[str, str]:
    """What a leaf says beyond its type, as short texts."""
    body = {name: str(value) for name, value in each.event.body.items() if name not in {"capture", "item"}}
    anchor = each.event.anchor
    if anchor is not None:
        body["not older than"] = f"the token over {anchor.size} leaves"
    return body
