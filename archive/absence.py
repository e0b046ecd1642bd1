"""Whether a thing is gone, as far as that was looked into: two looks, and a page of the same host that is there. Pure.

``removed`` or a 404 is what one look showed. That a thing is gone is a conclusion over time: a site that turns a
visitor away shows the same, so a page that is known to be public has to be shown in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from custody.model import Json, Outcome, Via
from custody.record import Record

AGAIN = "again"
"""``via.where`` of a second look at the same address."""
CONTROL = "control"
"""``via.where`` of a page of the same host that is known to be public."""
LEAST_APART = timedelta(seconds=10)
_WORDS = frozenset({Outcome.REMOVED, Outcome.UNAVAILABLE})
_STATUSES = frozenset({404, 410})  # RFC 9110 §15.5.5, §15.5.11


class Look(Protocol):
    """What is needed to know of one capture."""

    @property
    def capture_id(self) -> str: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def via(self) -> Via | None: ...
    @property
    def looked_at(self) -> datetime: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def http_status(self) -> int | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A ``Look``, from its record."""

    capture_id: str
    parent: str | None
    via: Via | None
    looked_at: datetime
    outcome: Outcome
    http_status: int | None

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(
            capture_id=record.capture_id,
            parent=record.parent,
            via=record.via,
            looked_at=record.times.get("requested_at", record.times["closed_at"]),
            outcome=record.outcome,
            http_status=record.http_status,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """Of one capture that showed that a thing is not there."""

    gone: bool
    looks: int
    """That showed it, this one included."""
    apart_s: int
    """Between the first of them and the last."""
    control: str
    """``shown``, ``not shown (OUTCOME)``, or ``no control``."""
    why: str

    def to_json(self) -> dict[str, Json]:
        return {
            "gone": self.gone,
            "looks": self.looks,
            "apart_s": self.apart_s,
            "control": self.control,
            "why": self.why,
        }


def is_absent(outcome: Outcome, http_status: int | None) -> bool:
    """Whether one look showed that what was asked for is not there."""
    return outcome in _WORDS or (outcome is Outcome.HTTP_ERROR and http_status in _STATUSES)


def is_follow_up(look: Look) -> bool:
    return look.via is not None and look.via.where in {AGAIN, CONTROL}


def absences(looks: Sequence[Look]) -> dict[str, Absence]:
    """By the id of each first look that showed nothing there. ``looks``: all captures of a unit, or of a run."""
    found = {}
    for each in looks:
        if is_absent(each.outcome, each.http_status) and not is_follow_up(each):
            found[each.capture_id] = _concluded(each, [other for other in looks if other.parent == each.capture_id])
    return found


def _concluded(first: Look, children: Iterable[Look]) -> Absence:
    again, controls = [], []
    for each in children:
        if each.via is not None and each.via.where == AGAIN:
            again.append(each)
        elif each.via is not None and each.via.where == CONTROL:
            controls.append(each)
    absent = [first, *(each for each in again if is_absent(each.outcome, each.http_status))]
    there = [each for each in again if not is_absent(each.outcome, each.http_status)]
    apart = max(each.looked_at for each in absent) - first.looked_at
    shown = any(each.outcome is Outcome.OK for each in controls)
    control = "no control"
    if controls:
        control = "shown" if shown else f"not shown ({controls[-1].outcome.value})"
    if there:
        why = f"a later look showed something else: {there[-1].outcome.value}"
    elif len(absent) == 1:
        why = "it was looked at once"
    elif apart < LEAST_APART:
        why = f"the looks are less than {LEAST_APART.total_seconds():.0f} s apart"
    elif not controls:
        why = "no page of the same host was named as a control"
    elif not shown:
        why = "the control page of the same host was not shown either"
    else:
        why = "the same host showed its control page"
    gone = shown and not there and len(absent) > 1 and apart >= LEAST_APART
    return Absence(gone=gone, looks=len(absent), apart_s=int(apart.total_seconds()), control=control, why=why)


def sentence(absence: Absence) -> str:
    """For people: what was seen and what was not, and no more than that."""
    looks = f"not there in {absence.looks} look{'s' if absence.looks > 1 else ''}"
    looks += f", {absence.apart_s} s apart" if absence.looks > 1 else ""
    return f"{'gone: ' if absence.gone else ''}{looks}; control: {absence.control}; {absence.why}"
