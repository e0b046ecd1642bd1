"""Holds: an item that a matter needs is not disposed of until the hold is released, whatever its locks say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from archive.errors import NotStored, Refused
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Claim, Survey, Told
from archive.store import HoldState
from custody import keyspace
from custody.digest import Digest
from custody.event import Envelope, Ref
from custody.instant import format_utc
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the store did with one blob."""

    digest: Digest
    state: HoldState | None
    """None: the blob is not there."""
    until: datetime | None = None
    """The lock as read back, where it was lengthened because the store takes no hold."""

    def to_json(self) -> dict[str, Json]:
        until = None if self.until is None else format_utc(self.until)
        return {"sha256": self.digest.hex, "hold": self.state or "absent", "retain_until": until}


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of holding or releasing some items."""

    items: dict[str, int] = field(default_factory=dict)
    """Items and the index of the event about each."""
    answers: dict[Digest, Answer] = field(default_factory=dict)
    unread: list[Claim] = field(default_factory=list)
    """Records that could not be read: what they name is not known."""

    @property
    def counted(self) -> dict[str, int]:
        """Blobs by what the store did."""
        return dict(Counter(each.state or "absent" for each in self.answers.values()))


def blobs_of(desk: Desk, survey: Survey, units: Sequence[str], *, unread: list[Claim]) -> dict[str, dict[Digest, int]]:
    """Everything of each item: jobs, records, artifacts, and what was corrected; digests and lengths."""
    found: dict[str, dict[Digest, int]] = {}
    for unit in units:
        claims = survey.claims_of(unit)
        found[unit] = {each.digest: each.bytes for each in (*claims, *desk.artifacts(claims, unread=unread))}
    return found


def hold(desk: Desk, survey: Survey, units: Sequence[str], *, matter: str, why: str) -> Outcome:
    """The store first, then the log: what the log calls held is held. Again after an interruption does no harm."""
    if gone := [unit for unit in units if not survey.is_live(unit)]:
        raise Refused(f"{len(gone)} of these items were disposed of ({gone[0]}): there is nothing left to hold")
    outcome = Outcome()
    blobs = blobs_of(desk, survey, units, unread=outcome.unread)
    _ask(desk, outcome, (digest for each in blobs.values() for digest in each), on=True)
    chain = desk.new_chain()
    made: list[Envelope] = []
    for unit in units:
        answers = [outcome.answers[digest].to_json() for digest in blobs[unit]]
        subject = desk.acting.detail("hold.json", {"item": unit, "matter": matter, "why": why, "blobs": answers})
        made.append(desk.acting.event("evidence.held", chain=chain, subject=subject, body={"item": unit}))
    receipts = desk.log.append(made)
    outcome.items = {unit: each.index for unit, each in zip(units, receipts, strict=True)}
    return outcome


def releases(desk: Desk, survey: Survey, units: Sequence[str], *, matter: str | None, why: str) -> list[Envelope]:
    """One ``evidence.released`` for each open hold on these items; of one matter only, when one is named."""
    chain = desk.new_chain()
    made = []
    for unit in units:
        for each in matching(desk, survey.held(unit), matter):
            subject = desk.acting.detail("release.json", {"item": unit, "why": why})
            ref = Ref(rel="releases", payload_sha256=each.payload_sha256)
            made.append(
                desk.acting.event("evidence.released", chain=chain, subject=subject, body={"item": unit}, refs=(ref,))
            )
    return made


def matching(desk: Desk, holds: Iterable[Told], matter: str | None) -> list[Told]:
    """Those for this matter; all when none is named."""
    return [each for each in holds if matter is None or desk.detail(each.detail).get("matter") == matter]


def let_go(desk: Desk, survey: Survey, units: Sequence[str]) -> Outcome:
    """Take the store's hold off what no held item names any more; ``survey`` already knows of the releases.

    Doing it again is right: after an interruption, or once a release that needed more signatures is in the log.
    """
    outcome = Outcome()
    free = [unit for unit in units if not survey.held(unit) and survey.is_live(unit)]
    held = list(dict.fromkeys(each.item for each in survey.holds.values()))
    blobs = blobs_of(desk, survey, free, unread=outcome.unread)
    kept = _needed(blobs_of(desk, survey, held, unread=outcome.unread)) if free else set()
    _ask(desk, outcome, (d for each in blobs.values() for d in each if d not in kept), on=False)
    outcome.items = dict.fromkeys(free, -1)
    return outcome


def _needed(blobs: Mapping[str, Mapping[Digest, int]]) -> set[Digest]:
    return {digest for each in blobs.values() for digest in each}


def _ask(desk: Desk, outcome: Outcome, digests: Iterable[Digest], *, on: bool) -> None:
    wanted = list(dict.fromkeys(digests))
    for number, answer in enumerate(desk.mapped(lambda each: _one(desk, each, on=on), wanted), 1):
        outcome.answers[answer.digest] = answer
        if number % 500 == 0:
            desk.tell(f"{number} of {len(wanted)} blobs {'held' if on else 'let go'}")


def _one(desk: Desk, digest: Digest, *, on: bool) -> Answer:
    """In whatever thread the map uses."""
    key = keyspace.blob(digest)
    try:
        state = desk.keeper.set_hold(key, on=on)
        if state == "unsupported" and on:  # the next best: held at least as long as something captured today
            lock = desk.keeper.lengthen(key, desk.worker.retain_until())
            return Answer(digest=digest, state=state, until=None if lock is None else lock.retain_until)
    except NotStored:
        return Answer(digest=digest, state=None)
    return Answer(digest=digest, state=state)
