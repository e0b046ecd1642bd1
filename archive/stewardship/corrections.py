"""Corrections: what a person says is wrong in a record, beside it. The record stays as it was written."""

from dataclasses import dataclass
from typing import Any

from archive.errors import Refused, UsageError
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from custody import canonical
from custody.checks.states import RECORDED
from custody.event import Ref
from custody.model import Json
from custody.record import MAX_BYTES

FIELDS = {
    "asked": "target.requested_url",
    "shown": "target.final_url",
    "title": "target.title",
    "reason": "outcome_reason",
}
"""What `show` calls them, and where they stand in record.json."""
_MAX_WAS = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    field: str
    was: Json
    index: int


def path_of(field: str) -> str:
    return FIELDS.get(field, field)


def value_at(record: Any, path: str) -> Any:
    """What stands in a record under a dotted path. Raises ``UsageError`` that names what there is."""
    here = record
    for step in path.split("."):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isascii() and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            there = (
                ", ".join(sorted(here)) if isinstance(here, dict) else f"0 to {len(here) - 1}" if here else "nothing"
            )
            raise UsageError(f"the record has no field {path!r}: at {step!r} there is {there}"[:600])
    return here


def correct(desk: Desk, survey: Survey, capture: str, *, field: str, value: str, why: str) -> Corrected:
    """``record.corrected``, signed by a person."""
    unit = survey.unit_of.get(capture, "")
    item = survey.items.get(unit)
    end = item.captures[capture].end if item is not None else None
    if item is None or end is None or end.event.type not in RECORDED:
        raise UsageError(f"capture {capture} has no record that could be corrected")
    if not survey.is_live(unit):
        raise Refused(f"capture {capture} was disposed of: there is no record left to correct")
    digest = end.event.subjects[0].digest
    record = desk.detail(digest)
    if not record:
        raise UsageError(f"the record of {capture} cannot be read: run `counterproof verify`")
    path = path_of(field)
    was = value_at(record, path)
    if len(canonical.dumps(was)) > min(_MAX_WAS, MAX_BYTES):
        raise UsageError(f"{path!r} is a whole part of the record: name one value in it, such as {path}.…")
    subject = desk.acting.detail(
        "correction.json", {"capture": capture, "field": path, "was": was, "is": value, "why": why}
    )
    envelope = desk.acting.event(
        "record.corrected",
        chain=desk.new_chain(),
        subject=subject,
        body={"capture": capture},
        refs=(Ref(rel="corrects", payload_sha256=end.leaf.event.payload_sha256),),
    )
    return Corrected(field=path, was=was, index=desk.log.append([envelope])[0].index)
