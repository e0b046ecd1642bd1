"""The timeline of an account, a listing or an address, and two captures beside each other. The same as JSON."""

import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from archive.catalog import Entry
from archive.errors import StoreError
from archive.index.history import Target, Told, history, targets
from archive.recorded import documents, recorded
from console.web.captureview import own
from console.web.holdings import Holdings, HoldingsHere
from console.web.pages.searching import take_in
from console.web.rendering import loose, render
from custody.model import Role
from custody.record import Record

router = APIRouter()
api = APIRouter(tags=["timeline"])
MAX_TEXT_BYTES = 200_000
_MAX_LINES = 4_000
_ROUND = 3
"""Lines that are the same, shown round those that are not."""

What = Annotated[str, Query(max_length=2_000, description="A handle, an address, an item's id, or a capture's id.")]
Sort = Annotated[str, Query(max_length=20, description="address, account, seller, item or post.")]


@router.get("/timeline")
def timeline(request: Request, holdings: HoldingsHere, target: What = "", sort: Sort = "") -> Response:
    target = target.strip()
    meant, chosen, told = _told(holdings, target, sort) if target else ([], None, [])
    store = holdings.archive.reader.store
    return render(
        request,
        "timeline.html",
        target=target,
        meant=meant,
        chosen=chosen,
        told=told,
        recorded={index: loose(each.to_json()) for index, each in recorded(store, told).items()},
        zone=holdings.zone(holdings.cases()),
    )


@api.get("/timeline")
def timeline_api(holdings: HoldingsHere, target: What, sort: Sort = "") -> dict[str, Any]:
    """What captures showed, oldest first; of the first thing that the target names, or of that sort."""
    meant, chosen, told = _told(holdings, target.strip(), sort)
    return {
        "schema": 1,
        "target": None if chosen is None else {"sort": chosen.sort, "value": chosen.value},
        "targets": [{"sort": each.sort, "value": each.value, "captures": count} for each, count in meant],
        "moments": list(documents(holdings.archive.reader.store, told)),
    }


@router.get("/compare")
def compare(
    request: Request,
    holdings: HoldingsHere,
    before: Annotated[str, Query(max_length=64)],
    after: Annotated[str, Query(max_length=64)],
) -> Response:
    sides = [_side(holdings, holdings.entry(each)) for each in (before, after)]
    texts = [side["text"] for side in sides]
    lines, is_cut = ([], False) if None in texts else _difference(*texts)
    return render(
        request,
        "compare.html",
        sides=sides,
        lines=lines,
        is_cut=is_cut or any(side["is_cut"] for side in sides),
        is_same=None not in texts and texts[0] == texts[1],
        zone=holdings.zone(holdings.cases()),
    )


def _told(holdings: Holdings, target: str, sort: str) -> tuple[list[tuple[Target, int]], Target | None, list[Told]]:
    catalog = holdings.archive.catalog
    take_in(holdings.archive)
    key = target
    entry = catalog.entry(target.lower())
    if entry is not None and catalog.allowed(entry.capture_id, holdings.scopes):
        key = catalog.url_key(entry.capture_id) or target
    elif target.lower().startswith(("http://", "https://")):
        key = str(holdings.archive.run().dedupe_key(target))
    meant = targets(catalog.database, target, key, holdings.scopes)
    chosen = next((each for each, _ in meant if not sort or each.sort == sort), None)
    return meant, chosen, [] if chosen is None else history(catalog.database, chosen, holdings.scopes)


def _side(holdings: Holdings, entry: Entry) -> dict[str, Any]:
    """One capture: its picture and its text, checked against their digests as they are read."""
    record: Record | None = holdings.record(entry)
    kept = [] if record is None else own(record)
    by_role = {each.role: each for each in reversed(kept)}
    picture = by_role.get(Role.SCREENSHOT) or by_role.get(Role.VIEWPORT)
    text, is_cut, trouble = None, False, None
    if (artifact := by_role.get(Role.TEXT)) is not None:
        try:
            with holdings.archive.kept.file(artifact.digest) as file:
                data = file.read(MAX_TEXT_BYTES + 1)
            text, is_cut = data[:MAX_TEXT_BYTES].decode("utf-8", "replace"), len(data) > MAX_TEXT_BYTES
        except StoreError as error:
            trouble = str(error)
    return {
        "entry": entry,
        "picture": None if picture is None else picture.name,
        "text": text,
        "is_cut": is_cut,
        "trouble": trouble,
    }


def _difference(before: str, after: str) -> tuple[list[tuple[str, str]], bool]:
    """Lines with ``same``, ``gone``, ``new`` or ``skip``; white space at a line's ends does not count."""
    old, new = ([line.strip() for line in text.splitlines() if line.strip()] for text in (before, after))
    is_cut = len(old) > _MAX_LINES or len(new) > _MAX_LINES
    old, new = old[:_MAX_LINES], new[:_MAX_LINES]
    found: list[tuple[str, str]] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=True).get_grouped_opcodes(_ROUND):
        if found:
            found.append(("skip", "…"))
        for tag, first, last, start, end in group:
            if tag == "equal":
                found += [("same", line) for line in old[first:last]]
                continue
            found += [("gone", line) for line in old[first:last]]
            found += [("new", line) for line in new[start:end]]
    return found, is_cut
