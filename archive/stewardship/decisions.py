"""Decisions: a person allows that a capture in which secrets may be is handed over, in one case."""

from archive.errors import Refused, UsageError
from archive.stewardship.desk import Desk, Shelf
from archive.stewardship.survey import Survey
from custody.checks.states import RECORDED
from custody.event import Ref
from custody.model import Json
from custody.record import quarantine_of


def allow(desk: Desk, survey: Survey, capture: str, *, scope: str, why: str) -> int:
    """``evidence.allowed``, signed by a person; the index of its leaf. Its case is in a blob, never in the log."""
    unit = survey.unit_of.get(capture, "")
    item = survey.items.get(unit)
    end = item.captures[capture].end if item is not None else None
    if item is None or end is None or end.event.type not in RECORDED:
        raise UsageError(f"capture {capture} has no record that could be allowed")
    if not survey.is_live(unit):
        raise Refused(f"capture {capture} was disposed of: there is nothing left to hand over")
    if scope not in item.scopes:
        raise UsageError(f"capture {capture} does not belong to this case")
    record = desk.detail(end.event.subjects[0].digest)
    if not record:
        raise UsageError(f"the record of {capture} cannot be read: run `counterproof verify`")
    if not quarantine_of(record):
        raise UsageError(f"capture {capture} is not quarantined: it may be handed over as it is")
    said: dict[str, Json] = {"capture": capture, "scope": scope, "decision": "export", "why": why}
    envelope = desk.acting.event(
        "evidence.allowed",
        chain=desk.new_chain(),
        subject=desk.acting.detail("decision.json", said),
        body={"capture": capture},
        refs=(Ref(rel="about", payload_sha256=end.leaf.event.payload_sha256),),
    )
    return desk.log.append([envelope])[0].index


def allows(shelf: Shelf, survey: Survey, capture: str, *, scope: str | None) -> bool:
    """Whether this case holds a decision; without a case, whether any does."""
    details = (shelf.detail(told.detail) for told in survey.allowed.get(capture, ()))
    return any(each.get("decision") == "export" and scope in {None, each.get("scope")} for each in details)
