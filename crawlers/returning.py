"""What a look that found nothing there leads to: a control page of the same host, and a second look. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archive.absence import AGAIN, CONTROL, is_absent
from crawlers.address import dedupe_key, host_of, parse_target
from crawlers.session import Job, Plan
from custody.model import Json, Outcome, Via

VARIABLE = "COUNTERPROOF_CONTROL_PAGES"
MAX_AGAIN = 5
"""Second looks in one unit: a hub may list any number of dead links."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUp:
    plan: Plan
    after_s: float


def wants_follow_up(plan: Plan, outcome: Outcome, http_status: int | None) -> bool:
    """Not of a further surface: what that says of a page is weighed with the page."""
    return plan.official is None and plan.position not in {AGAIN, CONTROL} and is_absent(outcome, http_status)


def control_pages(option: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The option's, or those of the environment with spaces between them. Raises UsageError for what is no URL."""
    return tuple(parse_target(each) for each in option or environment.get(VARIABLE, "").split())


def control_page(url: str, pages: Sequence[str]) -> str | None:
    """The first of the pages that is another one of the same host."""
    host, key = host_of(url), dedupe_key(url)
    return next((page for page in pages if host_of(page) == host and dedupe_key(page) != key), None)


def follow_ups(plan: Plan, job: Job, new_id: Callable[[], str], *, already: int) -> Iterator[FollowUp]:
    """The control at once, the second look after the job's time. ``already``: second looks of the unit so far."""
    if (page := control_page(plan.url, job.control_pages)) is not None:
        yield FollowUp(plan=_plan(plan, page, CONTROL, new_id), after_s=0)
    if job.look_again_s and already < MAX_AGAIN:
        yield FollowUp(plan=_plan(plan, plan.url, AGAIN, new_id), after_s=job.look_again_s)


def _plan(plan: Plan, url: str, where: str, new_id: Callable[[], str]) -> Plan:
    return Plan(
        url=url,
        capture_id=new_id(),
        unit=plan.unit,
        parent=plan.capture_id,
        via=Via(href=url, text="", where=where),
        depth=plan.depth + 1,
        position=where,
    )


def told(plan: Plan, job: Job, *, already: int) -> dict[str, Json]:
    """For the first look's record: what is to be done about it."""
    again = int(job.look_again_s) if job.look_again_s and already < MAX_AGAIN else None
    return {"control_page": control_page(plan.url, job.control_pages) or "no control", "look_again_s": again}
