"""A witness: somebody opens the live page in the browser that is before them, compares, and states what they saw."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from archive.catalog import CaseRow, Entry
from archive.errors import UsageError
from archive.stewardship import witnessing as acts
from archive.stewardship.opening import open_desk
from archive.stewardship.witnessing import Statement
from console.later import later_of
from console.web.holdings import Archive, Forbidden, Holdings, HoldingsHere
from console.web.rendering import render
from console.web.viewer import Right
from custody.model import Role

router = APIRouter()
_MAX_ASKED = 1_000


@dataclass(slots=True)
class Asked:
    """When each page was put before somebody, by our clock. Safe for threads; forgotten when the console ends."""

    _at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, capture: str, at: datetime) -> None:
        with self._lock:
            self._at.pop((name, capture), None)
            while len(self._at) >= _MAX_ASKED:
                del self._at[next(iter(self._at))]
            self._at[name, capture] = at

    def taken(self, name: str, capture: str) -> datetime | None:
        with self._lock:
            return self._at.pop((name, capture), None)


@router.get("/captures/{capture_id}/witness")
def form(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    return _form(request, holdings, holdings.entry(capture_id))


@router.post("/captures/{capture_id}/witness")
def state(  # fields of a form
    request: Request,
    capture_id: str,
    holdings: HoldingsHere,
    *,
    name: Annotated[str, Form()] = "",
    case: Annotated[str, Form()] = "",
    word: Annotated[str, Form()] = "",
    differences: Annotated[str, Form()] = "",
    browser: Annotated[str, Form()] = "",
) -> Response:
    entry = holdings.entry(capture_id)
    asked: Asked = request.app.state.witnesses
    archive = holdings.archive
    now = archive.clock()
    opened_at = asked.taken(holdings.viewer.name, entry.capture_id) or now
    said = [line.strip() for line in differences.splitlines() if line.strip()]
    try:
        scope = _case(holdings, entry, case)
        _check(word, said)
        statement = Statement(
            name=name.strip(),
            differences=tuple(said),
            opened_at=opened_at,
            stated_at=now,
            browser=browser.strip()[:200] or None,
            way="console",
        )
        index = _record(archive, entry, scope, statement)
    except UsageError as error:
        typed = {"name": name, "case": case, "word": word, "differences": differences, "browser": browser}
        return _form(request, holdings, entry, typed=typed, trouble=str(error), opened_at=opened_at)
    archive.freshen(now=True)
    return RedirectResponse(f"/captures/{entry.capture_id}/witness?stated={index}", 303)


def _check(word: str, differences: Sequence[str]) -> None:
    if word not in {acts.FAIR, acts.DIFFERS}:
        raise UsageError("say whether the picture is fair and accurate, or what differs")
    if (word == acts.DIFFERS) != bool(differences):
        raise UsageError("say what differs, one thing a line; and nothing where the picture is fair and accurate")


def _record(archive: Archive, entry: Entry, scope: str, statement: Statement) -> int:
    """Signed by the operator's key alone: a browser has no key of the witness, and the record says so."""
    with open_desk(archive.config, clock=archive.clock, notify=lambda _: None, by_person=False) as opened:
        survey = opened.desk.survey()
        record = acts.subject_of(opened.desk, survey, entry.capture_id)
        scope = acts.scope_of(survey, entry.capture_id, scope)
        scribe = opened.vault.scribe_for(scope)
        made = acts.witness(opened.desk, scribe, survey, record, statement, scope=scope, signer=None)
        opened.stamp()
        return made.index


def _form(  # what a form shows
    request: Request,
    holdings: Holdings,
    entry: Entry,
    *,
    typed: dict[str, str] | None = None,
    trouble: str = "",
    opened_at: datetime | None = None,
) -> Response:
    seen = {each.scope for each in holdings.cases_of(entry.unit)}
    cases = _cases(holdings, entry)
    record = holdings.record(entry)
    if record is None or not record.requested_url.startswith(("http://", "https://")):
        raise UsageError("this capture has no record of a page that a browser opens: there is nothing to compare")
    asked: Asked = request.app.state.witnesses
    asked.note(holdings.viewer.name, entry.capture_id, opened_at or holdings.archive.clock())
    names = [each.name for each in record.artifacts if each.role in {Role.SCREENSHOT, Role.VIEWPORT}]
    later = later_of(holdings.archive.reader, holdings.archive.catalog, entry)
    return render(
        request,
        "witness.html",
        status=422 if trouble else 200,
        entry=entry,
        record=record,
        picture="screenshot.png" if "screenshot.png" in names else next(iter(names), None),
        cases=cases,
        typed=typed or dict.fromkeys(("name", "case", "word", "differences", "browser"), ""),
        taken=record.times.get("screenshot_at") or record.times.get("viewport_at"),
        trouble=trouble,
        statements=[
            (act, str(told.get("words", "")), bool(told.get("keyid")))
            for act, told in later.witnesses
            if told.get("scope") in seen
        ],
        zone=holdings.zone(holdings.cases_of(entry.unit)),
    )


def _cases(holdings: Holdings, entry: Entry) -> Sequence[CaseRow]:
    """Those in which this viewer may add to the record; others see what was stated, and no form."""
    return [each for each in holdings.cases_of(entry.unit) if holdings.viewer.may(each.scope, Right.INVESTIGATOR)]


def _case(holdings: Holdings, entry: Entry, scope: str) -> str:
    """Raises ``Forbidden`` where there is none, ``UsageError`` where it has to be said."""
    cases = [each.scope for each in _cases(holdings, entry)]
    if not cases:
        raise Forbidden(Right.INVESTIGATOR.word)
    if not scope and len(cases) == 1:
        return cases[0]
    if scope not in cases:
        raise UsageError("say in which case it is stated")
    return scope
