"""Capture now: pages and a case, then progress while the capture command works."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from archive.cases import case_name
from archive.errors import UsageError
from console.web.holdings import Forbidden, Holdings, HoldingsHere, Missing
from console.web.jobs import Job, Jobs, Wanted
from console.web.rendering import loose, render
from console.web.viewer import Right

router = APIRouter()


@router.get("/capture-now")
def form(request: Request, holdings: HoldingsHere, case: str = "") -> Response:
    return _form(request, holdings, case=case)


@router.post("/capture-now")
def begin(
    request: Request,
    holdings: HoldingsHere,
    *,
    urls: Annotated[str, Form()],
    case: Annotated[str, Form()] = "",
    new_case: Annotated[str, Form()] = "",
    follow: Annotated[str, Form()] = "",
    device: Annotated[str, Form()] = "desktop",
) -> Response:
    try:
        wanted = Wanted(
            urls=tuple(dict.fromkeys(urls.split())),
            case=_case(holdings, case, new_case),
            by=holdings.viewer.name,
            follow=bool(follow),
            device=device,
        )
    except UsageError as error:
        return _form(request, holdings, case=case, urls=urls, new_case=new_case, trouble=str(error))
    jobs: Jobs = request.app.state.jobs
    return RedirectResponse(f"/jobs/{jobs.begin(wanted).id}", 303)


@router.get("/jobs/{job_id}")
def job(request: Request, job_id: str, holdings: HoldingsHere) -> Response:
    return _show(request, holdings, job_id, "job.html")


@router.get("/jobs/{job_id}/progress")
def progress(request: Request, job_id: str, holdings: HoldingsHere) -> Response:
    """The part of the page that changes."""
    return _show(request, holdings, job_id, "job_part.html")


def job_seen(request: Request, holdings: Holdings, job_id: str) -> Job:
    """By whom asked for it, and by all who may see its case."""
    jobs: Jobs = request.app.state.jobs
    found = jobs.find(job_id)
    if found is None:
        raise Missing("job")
    if found.wanted.by != holdings.viewer.name:
        holdings.case_named(found.wanted.case)
    return found


def _show(request: Request, holdings: Holdings, job_id: str, template: str) -> Response:
    found = job_seen(request, holdings, job_id)
    if found.has_ended:
        holdings.archive.freshen(now=True)
    try:
        row = holdings.case_named(found.wanted.case)
    except Missing:
        row = None  # it is not in the log yet
    return render(request, template, job=found, result=loose(found.result or {}), steps=loose(found.steps), case=row)


def _form(
    request: Request, holdings: Holdings, *, case: str, urls: str = "", new_case: str = "", trouble: str = ""
) -> Response:
    cases = [each for each in holdings.cases() if each.name and holdings.viewer.may(each.scope, Right.INVESTIGATOR)]
    may_open = holdings.viewer.may_everywhere(Right.INVESTIGATOR)
    if not cases and not may_open:
        raise Forbidden(Right.INVESTIGATOR.word)
    return render(
        request,
        "capture_now.html",
        status=422 if trouble else 200,
        cases=cases,
        may_open=may_open,
        chosen=case,
        urls=urls,
        new_case=new_case,
        trouble=trouble,
        jobs=[each for each in request.app.state.jobs.all() if _is_mine(holdings, each)],
    )


def _is_mine(holdings: Holdings, job: Job) -> bool:
    return holdings.scopes is None or job.wanted.by == holdings.viewer.name


def _case(holdings: Holdings, scope: str, new_case: str) -> str:
    """The name of the case: one that may be worked in, or a new one, for who may in all."""
    if new_case.strip():
        name = case_name(new_case)
        if not holdings.viewer.may_everywhere(Right.INVESTIGATOR):
            raise Forbidden(Right.INVESTIGATOR.word)
        if name.startswith("-"):
            raise UsageError("a case's name does not begin with -")
        return name
    if not scope:
        raise UsageError("choose a case, or name a new one")
    row = holdings.require(scope, Right.INVESTIGATOR)
    if row.name is None or row.name.startswith("-"):
        raise UsageError("this case has no name that the capture command can be given")
    return row.name
