"""A case's page, and that of one of its promotions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.errors import StoreError
from console.telling import WHY, gap_words
from console.web.captureview import read_from, thumbnail
from console.web.holdings import Holdings, HoldingsHere, Missing
from console.web.promotions import Promotions, Told
from console.web.rendering import loose, render
from console.web.viewer import Right

router = APIRouter()
_MAX_LISTED = 200
_ROUND = 80
"""Characters of context around a passage."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A passage, and the words around it where they are at hand."""

    capture: str
    text: str
    """Name of the text that it stands in."""
    before: str
    raw: str
    after: str


@router.get("/cases/{scope}")
def case(request: Request, scope: str, holdings: HoldingsHere, wait: bool = False) -> Response:
    """At once; promotions that are not at hand come by themselves, or where somebody said that he waits."""
    promotions: Promotions = request.app.state.promotions
    holdings.case(scope)
    told = promotions.of(holdings, scope) if wait else promotions.at_hand(holdings, scope)
    return render(
        request,
        "case.html",
        described=holdings.brief(scope),
        entries=holdings.entries(scope, limit=_MAX_LISTED),
        most=_MAX_LISTED,
        **_promoted(holdings, scope, told),
    )


@router.get("/cases/{scope}/promotions")
def promoted(request: Request, scope: str, holdings: HoldingsHere) -> Response:
    """The part of the page that may take some seconds."""
    promotions: Promotions = request.app.state.promotions
    return render(request, "promotions_part.html", **_promoted(holdings, scope, promotions.of(holdings, scope)))


def _promoted(holdings: Holdings, scope: str, told: Told | None) -> dict[str, Any]:
    row = holdings.case(scope)
    return {
        "case": row,
        "zone": holdings.zone([row]),
        "told": told,
        "records": {} if told is None else {name: loose(each) for name, each in told.records.items()},
        "may_review": holdings.viewer.may(scope, Right.REVIEWER),
        "may_capture": holdings.viewer.may(scope, Right.INVESTIGATOR),
    }


@router.get("/cases/{scope}/promotions/{promotion}")
def promotion(request: Request, scope: str, promotion: str, holdings: HoldingsHere) -> Response:
    row = holdings.case(scope)
    promotions: Promotions = request.app.state.promotions
    told = promotions.of(holdings, scope)
    record = told.records.get(promotion)
    if record is None:
        raise Missing("promotion")
    record = loose(record)
    for digest in told.files:
        holdings.archive.kept.check(digest)
    sides = [loose(_side(holdings, record[name])) for name in ("post", "listing")]
    record = loose({**record, "post": sides[0], "listing": sides[1]})
    changed = {each["capture"] for each in sides if each["is_changed"]}
    observations = [
        {**each, "quotes": [_quote(record, q) for q in each["rests_on"]]}
        for each in record["observations"]
        if not any(one["capture"] in changed for one in (*each["rests_on"], *each["searched"]))
    ]
    return render(
        request,
        "promotion.html",
        case=row,
        zone=holdings.zone([row]),
        told=told,
        record=record,
        sides=sides,
        edges=[
            {**each, "gap_words": gap_words(each), "quote": None if each["from"] in changed else _maybe(record, each)}
            for each in record["edges"]
        ],
        left_out=len(record["observations"]) - len(observations),
        observations=observations,
        why=WHY,
    )


def _side(holdings: Holdings, told: Mapping[str, Any]) -> dict[str, Any]:
    """The post or the listing, with its picture, as far as it may be seen and is there.

    What was read of it is at hand from an earlier page. It is shown where the file that it was read from is still what
    was recorded.
    """
    picture, trouble, is_changed = None, None, False
    try:
        found = holdings.record(holdings.entry(told["capture"]))
        if found is not None:
            picture = thumbnail(found)
            for each in read_from(found):
                holdings.archive.kept.check(each.digest)
    except Missing:
        trouble = "its capture is not in a case that you may see"
    except StoreError as error:
        is_changed, trouble = True, f"what was read of it is not shown: {error}"
    fields = {} if is_changed else told["fields"]
    return {**told, "fields": fields, "picture": picture, "trouble": trouble, "is_changed": is_changed}


def _maybe(record: Mapping[str, Any], edge: Mapping[str, Any]) -> Quote | None:
    return None if edge["rests_on"] is None else _quote(record, edge["rests_on"])


def _quote(record: Mapping[str, Any], quoted: Mapping[str, Any]) -> Quote:
    """Context where the field is in the record and has these very words at that place."""
    raw, start, end = str(quoted["raw"]), int(quoted["start"]), int(quoted["end"])
    for text in _texts(record, quoted):
        if text[start:end] == raw:
            before, after = text[max(0, start - _ROUND) : start], text[end : end + _ROUND]
            before = f"…{before}" if start > _ROUND else before
            after = f"{after}…" if end + _ROUND < len(text) else after
            return Quote(capture=quoted["capture"], text=quoted["text"], before=before, raw=raw, after=after)
    return Quote(capture=quoted["capture"], text=quoted["text"], before="", raw=raw, after="")


def _texts(record: Mapping[str, Any], quoted: Mapping[str, Any]) -> Iterator[str]:
    for side in (record["post"], record["listing"]):
        value = side["fields"].get(quoted["text"])
        if side["capture"] == quoted["capture"] and isinstance(value, str):
            yield value
