"""The JSON API: what the pages show and do, for programs. docs/api.md; the OpenAPI document is at /api/openapi.json."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from archive.catalog import CaseRow, Entry
from archive.reviews import MAX_NOTE, Review, Reviews, Word
from console.web.holdings import Holdings, HoldingsHere, Missing
from console.web.jobs import MAX_URL, MAX_URLS, Jobs, Wanted
from console.web.lanes import quick
from console.web.pages import capturing, reviewing
from console.web.pages.captures import appraise
from console.web.pages.files import file as hand_out
from console.web.pages.files import record as hand_out_record
from console.web.promotions import Promotions
from console.web.rendering import render
from console.web.viewer import Right
from custody.instant import format_utc
from custody.model import Json

router = APIRouter()


class Problem(BaseModel):
    """Of every answer that is no success."""

    error: str
    """One sentence for a person."""
    kind: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No session and no token, or one that is over."},
    403: {"model": Problem, "description": "It may be seen; this needs another right, or the form's word."},
    404: {"model": Problem, "description": "It is not there, or in a case that may not be seen."},
    409: {"model": Problem, "description": "A rule or the state of things forbids it now."},
    422: {"model": Problem, "description": "The request has not the form that is asked for."},
    500: {"model": Problem, "description": "What is stored is not what was recorded, or the store does not answer."},
}
api = APIRouter(tags=["archive"])


class Case(BaseModel):
    case_id: str
    name: str | None
    units: int
    captures: int
    open: int = Field(description="Captures without an end in the log.")
    newest: str | None = Field(description="When the newest capture began, UTC.")
    title: str
    terms: list[str]
    timezone: str


class Cases(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    cases: list[Case]


class Captures(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    captures: list[dict[str, Any]] = Field(description="As `counterproof captures --json`, without `time`.")


class CaptureOf(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    capture: dict[str, Any]
    record: dict[str, Any] | None = Field(description="docs/manifest.md, record.json; null where there is none.")
    cases: list[str]


class Promoted(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    promotions: list[dict[str, Any]] = Field(description="docs/findings.md")
    filed_as: int | None
    older: bool = Field(description="Captures came or went since they were filed.")
    unread: dict[str, str]


class Candidates(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    candidates: list[dict[str, Any]] = Field(description="docs/findings.md; `review` is the newest decision.")


class Verdict(BaseModel):
    model_config = ConfigDict(extra="allow")
    schema_: Literal[1] = Field(alias="schema")
    capture_id: str
    at: str
    verdict: Literal["holds", "does not hold", "could not check"]
    why: str
    checks: list[dict[str, Any]]
    time: dict[str, Any]


class Events(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    events: list[dict[str, Any]]


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")
    word: Word
    note: str = Field(default="", max_length=MAX_NOTE)


class Reviewed(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    reviews: list[dict[str, str]]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    urls: list[Annotated[str, Field(max_length=MAX_URL)]] = Field(min_length=1, max_length=MAX_URLS)
    case_id: str
    follow: bool = True
    device: Literal["desktop", "phone"] = "desktop"


class JobOf(BaseModel):
    model_config = ConfigDict(extra="allow")
    schema_: Literal[1] = Field(alias="schema")
    id: str
    state: Literal["waiting", "running", "ended"]
    exit_code: int | None


@api.get("/cases", response_model=Cases)
@quick
def cases(holdings: HoldingsHere) -> Any:
    """Those that may be seen, newest captures first."""
    return {"schema": 1, "cases": [_case(holdings, each) for each in holdings.cases()]}


@api.get("/cases/{scope}", response_model=Case)
@quick
def case(scope: str, holdings: HoldingsHere) -> Any:
    """One of them."""
    return _case(holdings, holdings.case(scope))


@api.get("/cases/{scope}/captures", response_model=Captures)
@quick
def captures(scope: str, holdings: HoldingsHere, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Any:
    """Newest first."""
    return {"schema": 1, "captures": [_entry(each) for each in holdings.entries(scope, limit=limit)]}


@api.get("/cases/{scope}/promotions", response_model=Promoted)
def promotions(request: Request, scope: str, holdings: HoldingsHere) -> Any:
    """As they were filed, or as they are found in the captures now."""
    known: Promotions = request.app.state.promotions
    told = known.of(holdings, scope)
    return {
        "schema": 1,
        "promotions": [*told.records.values()],
        "filed_as": told.filed_as,
        "older": told.is_older,
        "unread": dict(told.unread),
    }


@api.get("/cases/{scope}/candidates", response_model=Candidates)
def candidates(request: Request, scope: str, holdings: HoldingsHere) -> Any:
    """With the newest decision. Of a large case there are none: counterproof findings CASE --candidates has them."""
    known: Promotions = request.app.state.promotions
    holdings.require(scope, Right.REVIEWER)
    decided = _reviews(request).of(scope)
    found = [{**each, "review": _review(decided.get(each["id"]))} for each in known.of(holdings, scope).leads]
    return {"schema": 1, "candidates": found}


@api.get("/cases/{scope}/reviews", response_model=Reviewed)
def reviews(request: Request, scope: str, holdings: HoldingsHere) -> Any:
    """All decisions that were made, oldest first."""
    holdings.require(scope, Right.REVIEWER)
    return {"schema": 1, "reviews": [_review(each) for each in _reviews(request).all(scope)]}


@api.post("/cases/{scope}/candidates/{candidate}/reviews", response_model=Reviewed, status_code=201)
def decide(request: Request, scope: str, candidate: str, decision: Decision, holdings: HoldingsHere) -> Any:
    """Decides on a candidate; an earlier decision stays beside it."""
    made = reviewing.record(request, holdings, scope, lead=candidate, word=decision.word, note=decision.note)
    return {"schema": 1, "reviews": [_review(made)]}


@api.get("/captures/{capture_id}", response_model=CaptureOf)
@quick
def capture(capture_id: str, holdings: HoldingsHere) -> Any:
    """A capture, its record, and the cases that it is in."""
    entry = holdings.entry(capture_id)
    return {
        "schema": 1,
        "capture": _entry(entry),
        "record": holdings.record_json(entry),
        "cases": [each.scope for each in holdings.cases_of(entry.unit)],
    }


@api.get("/captures/{capture_id}/verdict", response_model=Verdict)
def verdict(capture_id: str, holdings: HoldingsHere) -> Any:
    """Worked out now, by reading all of it again."""
    return appraise(holdings, capture_id).to_json()


@api.get("/captures/{capture_id}/events", response_model=Events)
def events(capture_id: str, holdings: HoldingsHere) -> Any:
    """What the log says of it, in order."""
    found: list[dict[str, Json]] = [
        {
            "index": each.index,
            "type": each.event.type,
            "at": format_utc(each.event.occurred_at),
            "chain": each.event.chain,
            "key": each.leaf.event.keyid,
            "leaf_sha256": each.leaf_sha256.hex,
            "body": dict(each.event.body),
        }
        for each in holdings.events(holdings.entry(capture_id))
    ]
    return {"schema": 1, "events": found}


@api.get("/captures/{capture_id}/files/{name}", response_class=Response)
def file(capture_id: str, name: str, holdings: HoldingsHere) -> Response:
    """Its bytes, compared with their digest first."""
    return hand_out(capture_id, name, holdings, download=True)


@api.get("/captures/{capture_id}/record", response_class=Response)
def record(capture_id: str, holdings: HoldingsHere) -> Response:
    """The record, byte for byte."""
    return hand_out_record(capture_id, holdings)


@api.post("/jobs", response_model=JobOf, status_code=202)
def begin(request: Request, order: Order, holdings: HoldingsHere) -> Any:
    """Has pages captured, as the command does."""
    row = holdings.require(order.case_id, Right.INVESTIGATOR)
    if row.name is None:
        raise Missing("case")
    wanted = Wanted(
        urls=tuple(dict.fromkeys(order.urls)),
        case=row.name,
        by=holdings.viewer.name,
        follow=order.follow,
        device=order.device,
    )
    jobs: Jobs = request.app.state.jobs
    return jobs.begin(wanted).to_json()


@api.get("/jobs/{job_id}", response_model=JobOf)
def job(request: Request, job_id: str, holdings: HoldingsHere) -> Any:
    """How far a capture is that was asked for, and how it ended."""
    return capturing.job_seen(request, holdings, job_id).to_json()


@router.get("/api/openapi.json")
def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/api")
def document(request: Request, holdings: HoldingsHere) -> Response:
    """The same for people."""
    paths = request.app.openapi()["paths"]
    rows = [(method.upper(), path, told) for path, methods in paths.items() for method, told in methods.items()]
    return render(request, "api.html", rows=rows, name=holdings.viewer.name)


def _case(holdings: Holdings, row: CaseRow) -> dict[str, Json]:
    described = holdings.brief(row.scope)
    return {
        "case_id": row.scope,
        "name": row.name,
        "units": row.units,
        "captures": row.captures,
        "open": row.unfinished,
        "newest": None if row.newest is None else format_utc(row.newest),
        "title": "" if described is None else described.brief.title,
        "terms": [] if described is None else [each.text for each in described.brief.terms],
        "timezone": "" if described is None else described.brief.timezone,
    }


def _entry(entry: Entry) -> dict[str, Json]:
    return entry.to_json()


def _review(review: Review | None) -> dict[str, str] | None:
    if review is None:
        return None
    return {
        "candidate": review.candidate,
        "word": review.word.value,
        "note": review.note,
        "by": review.by,
        "at": format_utc(review.at),
    }


def _reviews(request: Request) -> Reviews:
    found: Reviews = request.app.state.reviews
    return found
