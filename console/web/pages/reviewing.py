"""The review queue: candidates of a case, one after the other, decided by one key each."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from archive.accounts import Right
from archive.reviews import Review, Reviews, Word
from console.web.captureview import thumbnail
from console.web.holdings import Holdings, HoldingsHere, Missing
from console.web.pages.files import disposition
from console.web.promotions import Promotions
from console.web.rendering import loose, render
from custody.instant import format_utc

router = APIRouter()
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text for something to compute."""


@router.get("/cases/{scope}/review")
def queue(request: Request, scope: str, holdings: HoldingsHere, lead: str = "") -> Response:
    """The candidate that is asked for, or the first that nobody has decided on."""
    row = holdings.require(scope, Right.REVIEWER)
    leads, decided = _leads(request, holdings, scope), _reviews(request).of(scope)
    open_ = [each for each in leads if each["id"] not in decided]
    shown = next((each for each in leads if each["id"] == lead), None) if lead else next(iter(open_), None)
    if lead and shown is None:
        raise Missing("candidate")
    after = _after(open_, shown)
    return render(
        request,
        "review.html",
        case=row,
        zone=holdings.zone([row]),
        lead=None if shown is None else _shown(holdings, shown),
        decided=None if shown is None else decided.get(shown["id"]),
        done=len(leads) - len(open_),
        total=len(leads),
        reviews=[(each, decided[each["id"]]) for each in leads if each["id"] in decided],
        skip=after["id"] if after is not None else "",
    )


@router.post("/cases/{scope}/review")
def decide(
    request: Request,
    scope: str,
    holdings: HoldingsHere,
    *,
    lead: Annotated[str, Form()],
    word: Annotated[Word, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """And on to the next."""
    record(request, holdings, scope, lead=lead, word=word, note=note)
    return RedirectResponse(f"/cases/{scope}/review", 303)


@router.get("/cases/{scope}/review/decisions.csv")
def decisions(request: Request, scope: str, holdings: HoldingsHere) -> Response:
    """All decisions that were ever made on candidates of the case, as a table."""
    holdings.require(scope, Right.REVIEWER)
    leads = {each["id"]: each for each in _leads(request, holdings, scope)}
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["at", "by", "decision", "note", "candidate", "post", "link", "leads to capture"])
    for each in _reviews(request).all(scope):
        lead = leads.get(each.candidate, {})
        values = [format_utc(each.at), each.by, each.word.value, each.note, each.candidate]
        values += [str(lead.get(name) or "") for name in ("post", "href", "capture")]
        table.writerow([f"'{value}" if value.startswith(_FORMULA) else value for value in values])
    headers = {"Content-Disposition": disposition("decisions.csv", inline=False)}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def record(request: Request, holdings: Holdings, scope: str, *, lead: str, word: Word, note: str) -> Review:
    """A decision on a candidate that there is. Raises ``Missing``, ``Forbidden`` and ``UsageError``."""
    holdings.require(scope, Right.REVIEWER)
    if not any(each["id"] == lead for each in _leads(request, holdings, scope)):
        raise Missing("candidate")
    made = Review(
        scope=scope,
        candidate=lead,
        word=word,
        note=note.strip(),
        by=holdings.viewer.name,
        at=holdings.archive.clock(),
    )
    _reviews(request).decide(made)
    return made


def _leads(request: Request, holdings: Holdings, scope: str) -> Sequence[Mapping[str, Any]]:
    promotions: Promotions = request.app.state.promotions
    return promotions.of(holdings, scope).leads


def _reviews(request: Request) -> Reviews:
    found: Reviews = request.app.state.reviews
    return found


def _after(open_: Sequence[Mapping[str, Any]], shown: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The next that is not decided, for who would rather look at this one later."""
    if shown is None or len(open_) < 2:
        return None
    places = [n for n, each in enumerate(open_) if each["id"] == shown["id"]]
    return open_[(places[0] + 1) % len(open_)] if places else open_[0]


def _shown(holdings: Holdings, lead: Mapping[str, Any]) -> Any:
    """With the pictures of the post and of what the link leads to, where that was looked at."""
    sides = []
    for name in ("post", "capture"):
        entry, picture = None, None
        if lead[name] is not None:
            entry = holdings.entry(lead[name])
            found = holdings.record(entry)
            picture = None if found is None else thumbnail(found)
        sides.append({"entry": entry, "picture": picture})
    return loose({**lead, "sides": []}) | {"sides": sides}
