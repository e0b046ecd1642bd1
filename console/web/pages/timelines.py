"""The timeline of an account, a listing or an address, and two captures beside each other. The same as JSON."""

import difflib
from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from archive.catalog import Entry
from archive.errors import StoreError
from archive.index.history import Target, Told, history, lives, targets
from archive.recorded import documents, recorded
from console.web.captureview import own
from console.web.holdings import Holdings, HoldingsHere
from console.web.pages.searching import take_in
from console.web.rendering import loose, render
from console.web.watched import NotAnswering, watched
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
        lives=lives(told),
        recorded={index: loose(each.to_json()) for index, each in recorded(store, told).items()},
        zone=_zone(holdings, told),
    )


@router.get("/timeline/watched")
def intervals(request: Request, holdings: HoldingsHere, target: What = "", sort: Sort = "") -> Response:
    """The interval that was asked for beside the one achieved: a part of the page that asks another database."""
    target = target.strip()
    _, _, told = _told(holdings, target, sort)
    kept, trouble = None, None
    try:
        kept = watched(holdings, [each.url for each in lives(told)])
    except NotAnswering as error:
        trouble = str(error)
    is_part = request.headers.get("hx-request") == "true"
    return render(
        request,
        "watched_part.html" if is_part else "watched.html",
        target=target,
        sort=sort,
        kept=kept,
        trouble=trouble,
        zone=_zone(holdings, told),
    )


@api.get("/timeline")
def timeline_api(holdings: HoldingsHere, target: What, sort: Sort = "") -> dict[str, Any]:
    """What captures showed, oldest first; of the first thing that the target names, or of that sort.

    `watches`: the interval asked for beside the one achieved; null where nothing is watched from here, or the database
    of watches does not answer.
    """
    meant, chosen, told = _told(holdings, target.strip(), sort)
    found = lives(told)
    try:
        kept = watched(holdings, [each.url for each in found])
    except NotAnswering:
        kept = None
    return {
        "schema": 1,
        "target": None if chosen is None else {"sort": chosen.sort, "value": chosen.value},
        "targets": [{"sort": each.sort, "value": each.value, "captures": count} for each, count in meant],
        "lives": [each.to_json() for each in found],
        "watches": None if kept is None else [each.to_json() for each in kept],
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


def _zone(holdings: Holdings, told: Sequence[Told]) -> ZoneInfo | None:
    """Of the case that its newest capture is in."""
    return holdings.zone(holdings.cases_of(told[-1].entry.unit)) if told else None


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
        "zone": holdings.zone(holdings.cases_of(entry.unit)),
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
