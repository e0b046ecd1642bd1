"""What one run came to: the JSON document of ``--json``, and the same for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from archive.absence import AGAIN, CONTROL, Absence, absences, sentence
from archive.reading import reading_line
from archive.result import Captured, Result, Target
from archive.surface import Shown, Surface
from archive.wrapping import Led, wrapper_line
from console import units
from console.exits import Exit
from console.units import Packing
from custody.instant import format_utc
from custody.model import Json, Status, Via

SCHEMA = 1
NOT_PACKED = Packing()


def document(result: Result, code: Exit, packing: Packing = NOT_PACKED) -> dict[str, Json]:
    """The public interface of ``capture --json`` (docs/cli.md)."""
    return {
        "schema": SCHEMA,
        "run": result.run,
        "case": {"id": result.case_id, "name": result.case_name},
        "store": result.store,
        "time": result.sealing.time,
        "time_detail": result.sealing.detail,
        "captures": [_capture(result, each, absences(result.captures)) for each in result.captures],
        "units": units.document(result, packing),
        **_looked_again(result),
        "lost": [
            {
                "id": each.capture_id,
                "capture_id": each.capture_id,
                "url": each.url,
                "stage": each.stage,
                "reason": each.reason,
            }
            for each in result.lost
        ],
        "unfinished": list(result.unfinished),
        "notices": list(result.notices),
        "control": {when: _control(each) for when, each in result.controls.items()},
        "exit_code": int(code),
    }


def _looked_again(result: Result) -> dict[str, Json]:
    """What looks at pages that were captured before came to; nothing where there were none."""
    if not (result.unchanged or result.changes or result.follow_ups or result.fresh or result.done_before):
        return {}
    return {
        "unchanged": [
            {
                "id": each.capture_id,
                "capture_id": each.capture_id,
                "url": each.url,
                "compared_with": each.compared_with,
                "looked_at": format_utc(each.looked_at),
                "outcome": each.outcome.value,
                "http_status": each.http_status,
                "look_id": each.look_id,
                "compared": [dict(one) for one in each.compared],
                "dropped_bytes": each.dropped_bytes,
                "detail_sha256": each.detail_sha256,
                "index": each.index,
            }
            for each in result.unchanged
        ],
        "changes": [
            {
                "id": each.capture_id,
                "capture_id": each.capture_id,
                "before": each.before,
                "url": each.url,
                "kinds": list(each.kinds),
                "sentences": list(each.sentences),
                "between": {"after": each.not_before, "before": each.not_after},
                "detail_sha256": each.detail_sha256,
                "index": each.index,
            }
            for each in result.changes
        ],
        "follow_ups": [_target(each) for each in result.follow_ups],
        "new_posts": [_target(each) for each in result.fresh],
        "done_before": list(result.done_before),
        "cost": result.cost.to_json(),
    }


def _target(target: Target) -> dict[str, Json]:
    return {"url": target.url, "why": target.why, "of": target.of, "at_once": target.at_once}


def _control(told: Any) -> dict[str, Json]:
    """Without the files: those are in the run's end."""
    return {name: told[name] for name in ("result", "why", "differences") if name in told}


def _capture(result: Result, capture: Captured, absent: Mapping[str, Absence]) -> dict[str, Json]:
    via, absence = capture.via, absent.get(capture.capture_id)
    return {
        "id": capture.capture_id,
        "capture_id": capture.capture_id,
        "unit": capture.unit,
        "parent": capture.parent,
        "via": None if via is None else {"href": via.href, "text": via.text, "where": via.where},
        "requested_url": capture.requested_url,
        "final_url": capture.final_url,
        "title": capture.title,
        "status": capture.status.value,
        "outcome": capture.outcome.value,
        "outcome_reason": capture.outcome_reason,
        "http_status": capture.http_status,
        "origin": capture.origin.value,
        "origin_reasons": list(capture.origin_reasons),
        "hops": [
            {
                "n": hop.n,
                "from": hop.from_url,
                "to": hop.to_url,
                "kind": hop.kind.value,
                "status": hop.status,
                "at": format_utc(hop.at),
            }
            for hop in capture.hops
        ],
        "artifacts": [
            {
                "role": each.role,
                "name": each.name,
                "sha256": each.sha256,
                "bytes": each.bytes,
                "media_type": each.media_type,
                "key": each.key,
            }
            for each in capture.artifacts
        ],
        "missing": [{"role": each.role.value, "reason": each.reason} for each in capture.missing],
        "links": [
            {
                "href": each.via.href,
                "text": each.via.text,
                "where": each.via.where,
                "follow": each.follow,
                "reason": each.reason,
            }
            for each in capture.candidates
        ],
        "surface": capture.surface,
        "shown": capture.shown,
        "quarantine": dict(capture.quarantine) or None,
        "reading": _reading(capture.reading),
        "wrappers": [dict(each) for each in capture.wrappers],
        "record_sha256": capture.record_sha256,
        "manifest": {
            "log": capture.log,
            "started_index": capture.started_index,
            "index": capture.index,
            "tree_size": capture.tree_size,
        },
        "state": result.state(capture),
        "absence": None if absence is None else absence.to_json(),
    }


def _reading(told: Mapping[str, Json]) -> dict[str, Json] | None:
    """Without what it is made of, and by what: those are in the record and in the file."""
    return {name: each for name, each in told.items() if name not in {"role", "by", "of"}} or None


_LED = {Led.DISAGREES.value: "bold yellow", Led.NOT_FOLLOWED.value: "yellow"}
_FURTHER = frozenset({Surface.EMBED.value, Surface.OEMBED.value, Surface.API.value})
_COLOURS = {Status.COMPLETE: "green", Status.PARTIAL: "yellow", Status.FAILED: "red"}


def lines(result: Result, code: Exit, packing: Packing = NOT_PACKED) -> Iterator[Text | Table | str]:
    """The same for a person: what was seen, where, and what was not."""
    for unit in dict.fromkeys(each.unit for each in result.captures):
        members = _in_order([each for each in result.captures if each.unit == unit])
        for depth, capture in members:
            yield from _told(result, capture, depth)
        if (made := packing.made.get(unit)) is not None:
            yield Text(f"  packed   sha256:{made.packed.digest.hex}, {made.packed.bytes} bytes, by unit {unit}")
    for unit, why in packing.refused.items():
        yield Text.from_markup(f"[yellow]not packed[/yellow] unit {unit}: {escape(why)}")
    yield from _again(result)
    for lost in result.lost:
        yield Text.from_markup(f"[red]LOST[/red] {escape(lost.url)} in {lost.stage}: {escape(lost.reason)}")
    for url in result.unfinished:
        yield Text.from_markup(f"[yellow]not looked at[/yellow] {escape(url)}")
    yield from _controls(result)
    for notice in result.notices:
        yield Text.from_markup(f"[yellow]note[/yellow] {escape(notice)}")
    yield ""
    yield Text(_closing(result, code))


def _again(result: Result) -> Iterator[Text]:
    for look in result.unchanged:
        yield Text(look.url, style="bold")
        where = "waits in the inbox" if look.index is None else f"manifest index {look.index}"
        yield Text(f"  unchanged since capture {look.compared_with}; {where}, id {look.capture_id}")
    for change in result.changes:
        yield Text(f"changed    {change.url}", style="bold")
        for sentence_ in change.sentences:
            yield Text(f"  {sentence_}")
        yield Text(f"  between {change.not_before} and {change.not_after}; compared with {change.before}")
    for target in result.follow_ups:
        yield Text(f"look at once more, at once: {target.url} ({target.why.replace('_', ' ')})", style="yellow")
    for target in result.fresh:
        yield Text(f"new post   {target.url}")


def _controls(result: Result) -> Iterator[Text]:
    """The program's own page: a line where both looks at it passed, each difference where one did not."""
    controls: dict[str, Any] = {when: _control(each) for when, each in result.controls.items()}
    if not controls:
        return
    said = ", ".join(f"{when} {each['result'].replace('_', ' ')}" for when, each in controls.items())
    passed = all(each["result"] in {"passed", "off"} for each in controls.values())
    yield Text(f"control captures of the program's own page: {said}", style="dim" if passed else "bold yellow")
    for when, each in controls.items():
        for why in (*each.get("differences", ()), *([each["why"]] if "why" in each else ())):
            yield Text(f"   {when}: {why}", style="yellow")


def _told(result: Result, capture: Captured, depth: int) -> Iterator[Text | Table | str]:
    indent = "   " * depth
    colour = _COLOURS[capture.status]
    via = _came_by(capture.via) if capture.via else ""
    yield Text.from_markup(f"{indent}[bold]{escape(capture.requested_url)}[/bold]{escape(via)}")
    http = f", HTTP {capture.http_status}" if capture.http_status else ""
    yield Text.from_markup(
        f"{indent}  [{colour}]{capture.status}[/{colour}], shown: {capture.outcome}{http} "
        f"({escape(capture.outcome_reason[:160])})"
    )
    if capture.surface != Surface.PAGE or capture.shown == Shown.SHELL:
        yield Text(f"{indent}  surface  {capture.surface}: {capture.shown}")
    if (absence := absences(result.captures).get(capture.capture_id)) is not None:
        yield Text(f"{indent}  absence  {sentence(absence)}")
    for hop in capture.hops:
        status = f" {hop.status}" if hop.status else ""
        yield Text.from_markup(f"{indent}    hop {hop.n} {hop.kind}{status} -> {escape(hop.to_url)}")
    for each in capture.wrappers:
        yield Text(f"{indent}    {wrapper_line(each)}", style=_LED.get(str(each["result"]), ""))
    if capture.final_url and capture.final_url != capture.requested_url and not capture.hops:
        yield Text(f"{indent}    shown as {capture.final_url}")
    if capture.title:
        yield Text(f"{indent}  title    {capture.title[:100]}")
    yield Text(f"{indent}  origin   {capture.origin} ({capture.origin_reasons[0] if capture.origin_reasons else ''})")
    if capture.reading:
        yield Text(f"{indent}  reading  {reading_line(capture.reading)}")
    if capture.quarantine:
        yield Text(
            f"{indent}  QUARANTINED since {capture.quarantine['since']} ({capture.quarantine['reason']}): secrets may "
            "be in it, so no export has it until a person allows it (`counterproof allow`)",
            style="bold red",
        )
    names = ", ".join(f"{each.name}" for each in capture.artifacts)
    yield Text(f"{indent}  kept     {names}")
    for missing in capture.missing:
        yield Text(f"{indent}  missing  {missing.role}: {missing.reason}")
    yield Text(f"{indent}  record   sha256:{capture.record_sha256}")
    state = result.state(capture)
    word = state if state == "sealed" or result.sealing.time == "trusted" else f"{state}, no trusted time"
    where = "not yet in the manifest" if capture.index is None else f"manifest index {capture.index}"
    yield Text(f"{indent}  {word}, {where}, id {capture.capture_id}")


def _came_by(via: Via) -> str:
    if via.where == AGAIN:
        return "  looked at again"
    if via.where == CONTROL:
        return "  control page of the same host"
    if via.where in _FURTHER:
        return f"  in its place, the platform's {via.where}"
    return f'  via "{via.text[:60]}" ({via.where})'


def _in_order(members: list[Captured]) -> Iterator[tuple[int, Captured]]:
    """Parents before children, with the depth of each."""
    known = {each.capture_id for each in members}
    children: dict[str | None, list[Captured]] = {}
    for each in members:
        children.setdefault(each.parent if each.parent in known else None, []).append(each)
    stack = [(0, each) for each in reversed(children.get(None, []))]
    while stack:
        depth, each = stack.pop()
        yield depth, each
        stack.extend((depth + 1, child) for child in reversed(children.get(each.capture_id, [])))


def _closing(result: Result, code: Exit) -> str:
    total = len(result.captures)
    sealed = sum(result.state(each) == "sealed" for each in result.captures)
    counts = ", ".join(
        f"{number} {status}" for status in Status if (number := sum(each.status is status for each in result.captures))
    )
    time = {
        "trusted": "under trusted time",
        "not_configured": "NO TRUSTED TIME",
        "unverified": "NO TRUSTED TIME: the token could not be judged",
        "unavailable": "NO TRUSTED TIME yet: not enough authorities have answered",
    }[result.sealing.time]
    if sealed and result.sealing.time != "trusted":
        time = "the rest without trusted time yet (`counterproof seal`)"
    unchanged = f", {len(result.unchanged)} looks unchanged" if result.unchanged else ""
    recorded = total - sealed - result.submitted
    waiting = f", {result.submitted} submitted" if result.submitted else ""
    return (
        f"case {result.case_name}: {total} captured ({counts or 'none'}){unchanged}, {sealed} sealed, "
        f"{recorded} recorded{waiting}; {time}; {len(result.lost)} lost; exit {int(code)}"
    )
