"""What a look brought home -> a Visit: outcome, origin, what is missing, where the links lead. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from archive.surface import Surface
from archive.wrapping import Wrapped
from crawlers import trimming
from crawlers.address import host_of
from crawlers.answers import answers
from crawlers.connection import Connection
from crawlers.origin import judge_origin
from crawlers.outcome import PageFacts, judge
from crawlers.resolving import numeric
from crawlers.session import Looking, Plan
from crawlers.sight import Seen
from crawlers.text import clean
from crawlers.wrapped import wrapped_in
from custody.artifact import OTHERS
from custody.model import Candidate, Json, Missing, Origin, Outcome, Role, Snapshot, Status, Visit

_EXPECTED = (Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY, Role.WARC)
"""What a whole capture of a page has."""
_ANSWER = (Role.HEADERS, Role.BODY)
"""What that of an answer for programs has, which no browser showed."""
MAX_CANDIDATES = 10_000
"""As many as the record's schema takes."""
_MANY = 1_000
MAX_REFUSED = 100

_TROUBLES: Mapping[str, Outcome] = {
    "timeout": Outcome.TIMEOUT,
    "busy": Outcome.TIMEOUT,
    "redirect_loop": Outcome.ERROR,
    "too_large": Outcome.ERROR,
    "left_the_web": Outcome.ERROR,
    "download": Outcome.NOT_A_PAGE,
    "no_content": Outcome.NOT_A_PAGE,
    "browser_died": Outcome.ERROR,
    "interrupted": Outcome.ERROR,
    "closed": Outcome.ERROR,
    "refused_by_policy": Outcome.REFUSED_BY_POLICY,
    "tls": Outcome.TLS_ERROR,
}
_CONNECTION_ERRORS: Mapping[str, tuple[Outcome, str]] = {
    "dns": (Outcome.DNS_ERROR, "the host name does not resolve"),
    "refused": (Outcome.ERROR, "the host refused the connection"),
    "timeout": (Outcome.TIMEOUT, "the host did not answer"),
    "unreachable": (Outcome.ERROR, "the host cannot be reached"),
    "reset": (Outcome.ERROR, "the connection was cut"),
    "policy": (Outcome.REFUSED_BY_POLICY, "the egress policy forbids it"),
    "proxy": (Outcome.ERROR, "the operator's proxy did not let us through"),
}
# Chromium's words, net/base/net_error_list.h.
_NET_ERRORS: Mapping[str, tuple[Outcome, str]] = {
    "net::ERR_NAME_NOT_RESOLVED": (Outcome.DNS_ERROR, "the host name does not resolve"),
    "net::ERR_TIMED_OUT": (Outcome.TIMEOUT, "the host did not answer"),
    "net::ERR_CONNECTION_TIMED_OUT": (Outcome.TIMEOUT, "the host did not answer"),
    "net::ERR_INVALID_AUTH_CREDENTIALS": (Outcome.LOGIN_WALL, "the site asks for a name and a password (HTTP 401)"),
    "net::ERR_UNSAFE_PORT": (
        Outcome.REFUSED_BY_POLICY,
        "the browser asks nothing of that port, which is not for the web",
    ),
    "net::ERR_EMPTY_RESPONSE": (Outcome.ERROR, "the host closed the connection without an answer"),
}
_NO_TLS = ("net::ERR_SSL", "net::ERR_CERT", "net::ERR_BAD_SSL", "net::ERR_TLS", "net::ERR_ECH")
_PAGES = frozenset({"", "text/html", "application/xhtml+xml", "text/plain"})


def outcome_of(seen: Seen, looking: Looking, connections: Sequence[Connection]) -> tuple[Outcome, str]:
    """What was shown, and why we say so."""
    if seen.trouble is not None and seen.trouble in _TROUBLES:
        return _TROUBLES[seen.trouble], seen.detail
    if seen.trouble is not None:
        return _no_connection(seen, looking.plan.url, connections)
    if not seen.reached:
        return Outcome.ERROR, "the browser showed no page, and did not say why"
    if seen.media_type not in _PAGES and "json" not in seen.media_type and (seen.http_status or 200) < 400:
        return Outcome.NOT_A_PAGE, f"the address shows {seen.media_type}, not a page"
    judged = judge(
        PageFacts(
            url=seen.final_url or looking.plan.url,
            requested_url=looking.plan.url,
            http_status=seen.http_status,
            title=seen.title or "",
            visible_text=seen.text,
            dom_html="\n".join([seen.dom, *(each.dom for each in seen.frames)]),
            media_type=seen.media_type,
        )
    )
    reason = judged.reason if judged.passage is None else f"{judged.reason}: {judged.passage}"
    return judged.outcome, reason


def _no_connection(seen: Seen, asked: str, connections: Sequence[Connection]) -> tuple[Outcome, str]:
    """The browser knows the egress's answer only; the egress knows what the host did."""
    trouble = seen.trouble or ""
    host = host_of(seen.hops[-1].to_url if seen.hops else asked)
    hosts = {host, numeric(host)}
    failed = next((each for each in reversed(connections) if each.error is not None and each.host in hosts), None)
    if failed is not None and failed.error is not None:
        outcome, why = _CONNECTION_ERRORS[failed.error]
        kept_out = f" ({'; '.join(str(each) for each in failed.refused)})" if failed.error == "policy" else ""
        return outcome, f"{failed.host}: {why}{kept_out}"
    if trouble.startswith(_NO_TLS):
        return Outcome.TLS_ERROR, f"{host}: no page could be had over TLS ({trouble})"
    if trouble in _NET_ERRORS:
        outcome, why = _NET_ERRORS[trouble]
        return outcome, f"{host}: {why}"
    return Outcome.ERROR, seen.detail or trouble


def status_of(
    seen: Seen, outcome: Outcome, have: Sequence[Snapshot], expected: Sequence[Role] = _EXPECTED
) -> tuple[Status, tuple[Missing, ...]]:
    """Whether we got it, and what is missing of a whole capture."""
    roles = {snapshot.role for snapshot in have if not snapshot.name.startswith(OTHERS)}
    named = {missing.role for missing in seen.missing}
    missing = list(seen.missing)
    if seen.reached:
        why = "the visit ended before it was taken"
    elif outcome is Outcome.NOT_A_PAGE:
        why = "there was no page to show"
    else:
        why = "no page was reached"
    missing += [Missing(role=role, reason=why) for role in expected if role not in roles | named]
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
    surface: str = "automatic",
) -> Visit:
    """All that is known of one visit, ready for the pipelines, and of a size that a record has room for."""
    plan = looking.plan
    outcome, reason = outcome_of(seen, looking, connections)
    is_asked = plan.official is not None and plan.official.is_asked
    status, missing = status_of(seen, outcome, looking.kept, _ANSWER if is_asked else _EXPECTED)
    urls = [hop.from_url for hop in seen.hops] + ([seen.final_url] if seen.final_url else [])
    origin, reasons = judge_origin(urls, connections, seen.certificates, interventions=interventions)
    if status is Status.FAILED and origin is Origin.PUBLIC:
        origin, reasons = Origin.UNVERIFIED, ("nothing of the site was shown",)
    kept = trimming.some(
        [trimming.candidate(each) for each in candidates[:MAX_CANDIDATES]],
        budget=trimming.CANDIDATES,
        size=trimming.candidate_size,
    )
    hops = tuple(
        trimming.some([trimming.hop(each) for each in seen.hops], budget=trimming.HOPS, size=trimming.hop_size)
    )
    return Visit(
        capture_id=plan.capture_id,
        unit=plan.unit,
        parent=plan.parent,
        via=trimming.via(plan.via) if plan.via else None,
        depth=plan.depth + 1,
        run=run,
        scope=scope,
        started=looking.started,
        requested_url=trimming.url(plan.url),
        final_url=trimming.url(seen.final_url) if seen.final_url else None,
        title=clean(seen.title, limit=trimming.TITLE) if seen.title else None,
        hops=hops,
        http_status=trimming.status(seen.http_status),
        status=status,
        outcome=outcome,
        outcome_reason=clean(reason, limit=trimming.REASON),
        origin=origin,
        origin_reasons=tuple(clean(each, limit=trimming.REASON) for each in reasons),
        snapshots=tuple(looking.kept),
        missing=tuple(trimming.missing(each) for each in missing),
        candidates=tuple(kept),
        times={**seen.times, "closed_at": closed_at},
        circumstances={
            "network": _network(seen, connections),
            "environment": trimming.fact({**environment, **seen.settings}),
            "session": _session(
                seen,
                surface,
                wrapped=wrapped_in(_chain(seen, plan.url)),
                found=len(candidates),
                listed=len(kept),
                hops=len(hops),
            ),
            "robots": trimming.fact(looking.robots),
            "traffic": trimming.fact(seen.traffic),
            "quarantine": trimming.fact(seen.quarantine),
            "surface": _surface(seen, plan, surface),
        },
        spool=looking.spool.path,
    )


def _network(seen: Seen, connections: Sequence[Connection]) -> dict[str, Json]:
    """Connections that failed come first where not all have room: they explain what is not there."""
    ordered = sorted(connections, key=lambda each: each.error is None)
    facts = [each.to_json() for each in (ordered if len(connections) > _MANY else connections)]
    return {
        **trimming.listed("connections", facts, budget=trimming.CONNECTIONS),
        **trimming.listed("answers", answers(seen.exchanges, connections), budget=trimming.ANSWERS),
        **_refusals(connections),
        **trimming.listed("tls", [each.to_json() for each in seen.certificates], budget=trimming.CERTIFICATES),
    }


def _refusals(connections: Sequence[Connection]) -> dict[str, Json]:
    """How often the policy kept something out, and what: each host, port and address once, the first first."""
    times = Counter(
        (each.host, each.port, refusal.address, refusal.reason) for each in connections for refusal in each.refused
    )
    facts = [
        {"host": host, "port": port, "address": address, "reason": reason, "times": count}
        for (host, port, address, reason), count in times.items()
    ]
    return {
        "refusals": times.total(),
        **trimming.listed("refused", facts[:MAX_REFUSED], budget=trimming.REFUSALS, total=len(facts)),
    }


def _chain(seen: Seen, asked: str) -> list[str]:
    """What was asked for, and every address that it led to."""
    chain = [asked, *(hop.to_url for hop in seen.hops)]
    return chain if seen.final_url in {None, chain[-1]} else [*chain, str(seen.final_url)]


def _surface(seen: Seen, plan: Plan, session: str) -> Json:
    if session == Surface.ATTENDED:
        return {"name": Surface.ATTENDED.value}
    said: dict[str, Json] = {"name": plan.surface.value}
    if plan.official is not None:
        said["documented"] = plan.official.documented
    if seen.asked:
        said["asked"] = seen.asked
    return trimming.fact(said)


def _session(
    seen: Seen, surface: str, *, wrapped: Sequence[Wrapped], found: int, listed: int, hops: int
) -> dict[str, Json]:
    total = len(seen.interactions) + seen.more_interactions
    said: dict[str, Json] = {
        "surface": surface,
        "logged_in": None if surface == "attended" else False,
        "scripts": trimming.fact(seen.scripts),
        "consent": "left as found" if seen.consent is None else str(seen.consent["result"]),
        "pictures": trimming.fact(seen.pictures),
        "derived": trimming.fact(seen.derived),
        **trimming.listed("interactions", seen.interactions, budget=trimming.INTERACTIONS, total=total),
    }
    if wrapped:
        said |= trimming.listed("wrappers", [each.to_json() for each in wrapped], budget=trimming.WRAPPERS)
    if seen.consent is not None:
        said["consent_handling"] = trimming.fact(seen.consent)
    if seen.media is not None:
        connections = cast("Sequence[Mapping[str, Json]]", seen.media["connections"])
        fetched = {name: value for name, value in seen.media.items() if name != "connections"}
        listed_of = trimming.listed("connections", connections, budget=trimming.MEDIA)
        said["media"] = {**cast("Mapping[str, Json]", trimming.fact(fetched)), **listed_of}
    if seen.attended:
        said |= _attended(seen.attended)
    if len(seen.hops) > hops:
        said["hops_total"] = len(seen.hops)
    if found > listed:
        said["candidates_total"] = found
    return said


def _attended(attended: Mapping[str, Any]) -> dict[str, Json]:
    """What a person did, and which pages were seen, as far as there is room."""
    said: dict[str, Json] = {"scripts": [attended["script"]], "consent": "as the person left it"}
    more = attended.get("inputs_more", {})
    total = len(attended["inputs"]) + sum(more.values())
    said |= trimming.listed("inputs", attended["inputs"], budget=trimming.INPUTS, total=total)
    said |= trimming.listed("pages", attended["pages"], budget=trimming.PAGES, total=attended.get("pages_total"))
    return said | {
        name: value for name, value in attended.items() if name not in {"script", "inputs", "pages", "pages_total"}
    }
