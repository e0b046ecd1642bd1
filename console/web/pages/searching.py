"""Search by words and filters, and whether some bytes are in the archive. The same as JSON."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, File, Query, Request, UploadFile
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from archive.catalog import CaseRow
from archive.errors import ArchiveError, UsageError
from archive.index.listing import Listed, Wanted, count_unread, listed
from archive.index.whereabouts import Whereabouts, whereabouts
from archive.words import take_words
from console.web.found import choices, rows
from console.web.holdings import Archive, Holdings, HoldingsHere
from console.web.lanes import quick
from console.web.rendering import render
from custody.digest import Digest
from custody.errors import CustodyError
from custody.model import Json, Outcome

router = APIRouter()
api = APIRouter(tags=["search"])
PAGE = 25
"""Captures on a page: a screen or two, and there at once."""
_MAX_WORD, _MAX_DAY, _MAX_DIGITS = 200, 10, 19
_LONGEST = {"q": 2_000} | dict.fromkeys(("case", "platform", "kind", "outcome", "origin", "host"), _MAX_WORD)
_LONGEST |= {"since": _MAX_DAY, "until": _MAX_DAY}
"""Characters of each part of a question."""
_AT_ONCE = 64
"""Captures that are taken in while somebody waits; more go on beside."""
_CHUNK_BYTES = 1 << 20
_KINDS = ("post", "profile", "link_hub", "listing", "storefront", "wall", "other")
_OUTCOMES = tuple(each.value for each in Outcome)
_ORIGINS = ("public", "unverified", "not_public")
_taking = threading.Lock()

Words = Annotated[
    str,
    Query(
        max_length=2_000,
        description="All of them; in quotation marks, a phrase; or an address, of which the scheme,"
        " www and what counts clicks is left out.",
    ),
]
Word = Annotated[str, Query(max_length=200)]
Day = Annotated[str, Query(max_length=10, pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="In UTC.")]
Before = Annotated[int | None, Query(ge=0, le=1 << 62, description="`next` of the page before.")]


@router.get("/search")
@quick
def search(request: Request, holdings: HoldingsHere) -> Response:
    """Its question is read by hand: FastAPI's way of it would be a tenth of the page's time."""
    asked, before = _asked(request.query_params)
    q = asked["q"]
    digest = _digest(q)
    if digest is not None:
        return RedirectResponse(f"/whereis?sha256={digest.hex}", 303)
    page = _page(holdings, asked, before=before, limit=PAGE) if any(asked.values()) else None
    cases = holdings.cases()
    return render(
        request,
        "search.html",
        asked=asked,
        page=page,
        cases=cases,
        rows=_rows(holdings, page, cases),
        choices=choices,
        kinds=_KINDS,
        origins=_ORIGINS,
        outcomes=_OUTCOMES,
        unread=0 if page is None else page.unread,
    )


@router.get("/whereis")
@quick
def whereis(request: Request, holdings: HoldingsHere, sha256: Word = "", name: Word = "") -> Response:
    digest = _digest(sha256)
    found = [] if digest is None else where(holdings, digest)
    return render(
        request,
        "whereis.html",
        asked=sha256,
        name=name,
        digest=digest,
        found=found,
        zones={
            each.entry.unit: holdings.zone(holdings.cases_of(each.entry.unit))
            for each in found
            if each.entry is not None
        },
    )


@router.post("/whereis")
def whereis_file(file: Annotated[UploadFile, File()]) -> Response:
    """Hashed here, where the browser does not do it itself; the file is not kept."""
    digest, _ = Digest.of_stream(file.file)
    return RedirectResponse(f"/whereis?sha256={digest.hex}", 303)


@api.get("/search")
@quick
def search_api(  # noqa: PLR0917  # FastAPI gives them by name
    holdings: HoldingsHere,
    q: Words = "",
    case: Word = "",
    platform: Word = "",
    kind: Word = "",
    outcome: Word = "",
    origin: Word = "",
    host: Word = "",
    since: Day = "",
    until: Day = "",
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """Captures, newest in the log first. `case` is a case's id."""
    asked = {
        "q": q, "case": case, "platform": platform, "kind": kind, "outcome": outcome, "origin": origin, "host": host,
        "since": since, "until": until,
    }  # fmt: skip
    page = _page(holdings, asked, before=before, limit=limit)
    captures: list[Json] = [each.to_json() for each in page.found]
    return {"schema": 1, "captures": captures, "next": page.next, "unread": page.unread}


@api.get("/whereis/{sha256}")
@quick
def whereis_api(holdings: HoldingsHere, sha256: str) -> dict[str, Any]:
    """Whether these very bytes are in what you may see of the archive, and of what they are."""
    digest = _digest(sha256)
    if digest is None:
        raise UsageError("a SHA-256 is 64 hex digits")
    return {"schema": 1, "sha256": digest.hex, "found": [each.to_json() for each in where(holdings, digest)]}


def where(holdings: Holdings, digest: Digest) -> list[Whereabouts]:
    return whereabouts(holdings.archive.catalog.database, digest, holdings.scopes)


def take_in(archive: Archive) -> None:
    """Some new captures' texts now, the rest beside. What the store refuses now, another request asks again."""
    database, store = archive.catalog.database, archive.reader.store
    waiting = count_unread(database)
    if not waiting or not _taking.acquire(blocking=False):
        return

    def go_on() -> None:
        try:
            take_words(database, store)
        except ArchiveError:
            return  # the page says how many are left; the next search tries again
        finally:
            _taking.release()

    if waiting > _AT_ONCE:
        threading.Thread(target=go_on, name="words", daemon=True).start()
        return
    try:
        take_words(database, store)
    finally:
        _taking.release()


def _asked(given: QueryParams) -> tuple[dict[str, str], int | None]:
    """What a page was asked for, each part a text. Raises ``UsageError``."""
    asked = {name: given.get(name, "") for name in _LONGEST}
    for name, text in asked.items():
        if len(text) > _LONGEST[name]:
            raise UsageError(f"{name} has at most {_LONGEST[name]} characters, got {len(text)}")
    before = given.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < _MAX_DIGITS):
        raise UsageError(f"before is a number, as the page before had it; got {before[:40]!r}")
    return asked, int(before) if before else None


def _rows(holdings: Holdings, page: Listed | None, cases: Sequence[CaseRow]) -> Markup:
    if page is None:
        return Markup()
    shown = {scope for each in page.found for scope in each.scopes}
    mine = [each for each in cases if each.scope in shown]
    return rows(page.found, {each.scope: each.name for each in mine}, holdings.zones(mine))


def _page(holdings: Holdings, asked: dict[str, str], *, before: int | None, limit: int) -> Listed:
    if asked["case"]:
        holdings.case(asked["case"])
    if asked["q"]:
        take_in(holdings.archive)
    wanted = Wanted(
        words=_words(holdings.archive, asked["q"]),
        scope=asked["case"] or None,
        platform=asked["platform"] or None,
        kind=asked["kind"] or None,
        outcome=asked["outcome"] or None,
        origin=asked["origin"] or None,
        host=asked["host"] or None,
        since=_day(asked["since"]),
        until=_day(asked["until"], after=1),
        before=before,
        limit=limit,
    )
    return listed(holdings.archive.catalog.database, wanted, holdings.scopes)


def _words(archive: Archive, asked: str) -> str:
    """Of an address, what stands in every spelling of it; else what was asked for."""
    asked = asked.strip()
    if not asked.lower().startswith(("http://", "https://")) or len(asked.split()) != 1:
        return asked
    try:
        parts = urlsplit(str(archive.run().dedupe_key(asked)))
    except ValueError:
        return asked  # it only begins as an address does
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    phrases = [f"{host}{parts.path}", *parts.query.split("&"), parts.fragment]
    return " ".join(f'"{each}"' for each in (one.replace('"', " ") for one in phrases) if each)


def _day(text: str, *, after: int = 0) -> datetime | None:
    """Midnight, UTC; the last day counts as a whole."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"a day is 2026-11-03, got {text!r}") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _digest(text: str) -> Digest | None:
    try:
        return Digest(text.strip().lower().removeprefix("sha256:"))
    except (CustodyError, ValueError):
        return None
