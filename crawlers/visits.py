"""What a look brought home -> a Visit: outcome, origin, what is missing, where the links lead. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from crawlers.browser import Seen
from crawlers.connection import Connection
from crawlers.origin import judge_origin
from crawlers.outcome import PageFacts, judge
from crawlers.session import Looking
from custody.model import Candidate, Json, Missing, Origin, Outcome, Role, Snapshot, Status, Visit

_EXPECTED = (Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY)
"""What a whole capture of a page has."""

_TROUBLES: Mapping[str, Outcome] = {
    "timeout": Outcome.TIMEOUT,
    "redirect_loop": Outcome.ERROR,
    "download": Outcome.NOT_A_PAGE,
    "no_content": Outcome.NOT_A_PAGE,
    "browser_died": Outcome.ERROR,
    "interrupted": Outcome.ERROR,
    "refused_by_policy": Outcome.REFUSED_BY_POLICY,
    "net::ERR_NAME_NOT_RESOLVED": Outcome.DNS_ERROR,
    "net::ERR_TIMED_OUT": Outcome.TIMEOUT,
    "net::ERR_CONNECTION_TIMED_OUT": Outcome.TIMEOUT,
}
_CONNECTION_ERRORS: Mapping[str, tuple[Outcome, str]] = {
    "dns": (Outcome.DNS_ERROR, "the host name does not resolve"),
    "refused": (Outcome.ERROR, "the host refused the connection"),
    "timeout": (Outcome.TIMEOUT, "the host did not answer"),
    "unreachable": (Outcome.ERROR, "the host cannot be reached"),
    "reset": (Outcome.ERROR, "the connection was cut"),
    "policy": (Outcome.REFUSED_BY_POLICY, "the egress policy forbids its address"),
}
_PAGES = ("text/html", "application/xhtml+xml", "text/plain", "")


def outcome_of(seen: Seen, looking: Looking, connections: Sequence[Connection]) -> tuple[Outcome, str]:
    """What was shown, and why we say so."""
    if seen.trouble == "timeout" and seen.reached:
        return Outcome.TIMEOUT, seen.detail
    if seen.trouble in _TROUBLES:
        return _TROUBLES[seen.trouble], seen.detail
    if seen.trouble is not None:
        host = urlsplit(seen.hops[-1].to_url if seen.hops else looking.plan.url).hostname
        failed = next((each for each in reversed(connections) if each.error is not None and each.host == host), None)
        if failed is not None and failed.error in _CONNECTION_ERRORS:
            outcome, why = _CONNECTION_ERRORS[failed.error]
            return outcome, f"{failed.host}: {why}"
        if seen.trouble.startswith(("net::ERR_SSL", "net::ERR_CERT", "net::ERR_BAD_SSL", "net::ERR_TLS")):
            return Outcome.TLS_ERROR, f"no page could be had over TLS ({seen.trouble})"
        return Outcome.ERROR, seen.detail or seen.trouble
    if not seen.media_type.startswith(_PAGES):
        return Outcome.NOT_A_PAGE, f"the address shows {seen.media_type}, not a page"
    judged = judge(
        PageFacts(
            url=seen.final_url or looking.plan.url,
            requested_url=looking.plan.url,
            http_status=seen.http_status,
            title=seen.title or "",
            visible_text=seen.text,
            dom_html=seen.dom,
            media_type=seen.media_type,
        )
    )
    reason = judged.reason if judged.passage is None else f"{judged.reason}: {judged.passage}"
    return judged.outcome, reason


def status_of(seen: Seen, outcome: Outcome, have: Sequence[Snapshot]) -> tuple[Status, tuple[Missing, ...]]:
    """Whether we got it, and what is missing of a whole capture."""
    roles = {snapshot.role for snapshot in have}
    named = {missing.role for missing in seen.missing}
    missing = list(seen.missing)
    if not seen.reached and outcome is not Outcome.NOT_A_PAGE:
        why = "no page was reached"
    elif outcome is Outcome.NOT_A_PAGE and not seen.reached:
        why = "there was no page to show"
    else:
        why = "the visit ended before it was taken"
    missing += [Missing(role=role, reason=why) for role in _EXPECTED if role not in roles | named]
    got_something = seen.reached or (outcome is Outcome.NOT_A_PAGE and seen.http_status is not None)
    if not got_something:
        return Status.FAILED, tuple(missing)
    if missing or seen.trouble is not None:
        return Status.PARTIAL, tuple(missing)
    return Status.COMPLETE, ()


def visit_of(
    seen: Seen,
    looking: Looking,
    *,
    run: str,
    scope: str,
    connections: Sequence[Connection],
    interventions: Sequence[str],
    candidates: Sequence[Candidate],
    environment: Mapping[str, Json],
    closed_at: datetime,
) -> Visit:
    """All that is known of one visit, ready for the pipelines."""
    plan = looking.plan
    outcome, reason = outcome_of(seen, looking, connections)
    status, missing = status_of(seen, outcome, looking.kept)
    urls = [hop.from_url for hop in seen.hops] + ([seen.final_url] if seen.final_url else [])
    origin, reasons = judge_origin(urls, connections, seen.certificates, interventions=interventions)
    circumstances: dict[str, Json] = {
        "network": {
            "connections": cast("list[Json]", [each.to_json() for each in connections]),
            "tls": cast("list[Json]", [each.to_json() for each in seen.certificates]),
        },
        "environment": {**environment, **seen.settings},
        "session": {
            "logged_in": False,
            "scripts": [],
            "consent": "left as found",
            "interactions": cast("list[Json]", seen.interactions),
        },
        "robots": looking.robots,
    }
    return Visit(
        capture_id=plan.capture_id,
        unit=plan.unit,
        parent=plan.parent,
        via=plan.via,
        depth=plan.depth + 1,
        run=run,
        scope=scope,
        started=looking.started,
        requested_url=plan.url,
        final_url=seen.final_url,
        title=seen.title,
        hops=seen.hops,
        http_status=seen.http_status,
        status=status,
        outcome=outcome,
        outcome_reason=reason,
        origin=origin if seen.reached or origin is Origin.NOT_PUBLIC else Origin.UNVERIFIED,
        origin_reasons=reasons,
        snapshots=tuple(looking.kept),
        missing=missing,
        candidates=tuple(candidates),
        times={**seen.times, "closed_at": closed_at},
        circumstances=circumstances,
        spool=looking.spool.path,
    )
