"""Disposal: an item's blobs go, and the log says so before the first of them does. The log itself stays.

What a live item, or anything else in the log, still names is spared. No lock is ever got round: what the store will not
give up stays, and the report says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archive.errors import NotStored, Refused, StoreError
from archive.stewardship.desk import Desk
from archive.stewardship.holds import blobs_of
from archive.stewardship.survey import Claim, Survey, Told
from archive.store import Removal
from custody import keyspace
from custody.digest import Digest
from custody.errors import CustodyError
from custody.event import Envelope, Event, Ref
from custody.instant import format_utc
from custody.model import Json
from custody.tiles import MAX_LEAF_BYTES

_SAID = frozenset(
    ("brief.json", "findings.jsonl", "change.json", "agreement.json", "instruction", "correction.json", "decision.json",
     "statement.json")
)  # fmt: skip
"""What people said of a capture goes with it, and so do a case's briefs and findings with their case."""


@dataclass(kw_only=True, slots=True)
class Plan:
    """What disposing of one item would do."""

    unit: str
    goes: dict[Digest, int]
    """Digests and lengths of the blobs that would be removed."""
    spared: dict[Digest, int] = field(default_factory=dict)
    named_by: dict[Digest, Claim] = field(default_factory=dict)
    """Of what is spared: who else names it."""
    told: Told | None = None
    """The disposal that the log has already, and that was not carried out to its end."""
    locked: int = 0
    locked_until: datetime | None = None
    held: int = 0
    """Blobs under the store's own legal hold."""

    @property
    def bytes(self) -> int:
        return sum(self.goes.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What came of it."""

    unit: str
    removed: int
    refused: int
    index: int
    """Of ``disposal.completed``."""
    answers: tuple[str, ...]
    """What the store said where it refused."""


def plans(desk: Desk, survey: Survey, units: Sequence[str]) -> list[Plan]:
    """Of those that are not disposed of to their end. Raises ``Refused`` where a hold or an open capture forbids it.

    The store is asked for every lock: the log says what was meant to be held, the store what it would give up.
    """
    wanted = [unit for unit in units if (told := survey.disposal(unit)) is None or not _is_settled(survey, told)]
    _refuse_held(desk, survey, wanted)
    _refuse_open(survey, wanted, desk.clock())
    _refuse_unseen(desk, survey)
    unread: list[Claim] = []
    fresh = [unit for unit in wanted if survey.is_live(unit)]
    blobs = blobs_of(desk, survey, fresh, unread=unread)
    if unread:
        raise Refused(
            f"{len(unread)} records of these items cannot be read (leaf {unread[0].index}), so nobody knows what else "
            "is theirs: run `counterproof verify`, and put back what is missing from a copy"
        )
    for unit in wanted:
        if (told := survey.disposal(unit)) is not None:
            blobs[unit] = _listed(desk, told)
    elsewhere = _named_elsewhere(desk, survey, set(wanted))
    found = []
    for unit in wanted:
        shared = {digest: length for digest, length in blobs[unit].items() if digest in elsewhere}
        plan = Plan(
            unit=unit,
            goes={digest: length for digest, length in blobs[unit].items() if digest not in shared},
            spared=shared,
            named_by={digest: elsewhere[digest] for digest in shared},
            told=survey.disposal(unit),
        )
        _look_at_locks(desk, plan)
        found.append(plan)
    return found


def refuse_locked(made: Sequence[Plan], now: datetime) -> None:
    """Raises ``Refused`` while the store still holds anything of them, and says until when."""
    held = sum(plan.held for plan in made)
    if held:
        raise Refused(
            f"{held} blobs are under a legal hold in the store that no hold in the log accounts for: look who set it; "
            "if a release or a hold was cut short, run it again (and release what was held)"
        )
    until = max((plan.locked_until for plan in made if plan.locked_until is not None), default=None)
    if until is not None and until > now:
        count = sum(plan.locked for plan in made)
        raise Refused(
            f"{count} blobs are locked in the store, the last until {format_utc(until)}: nothing was disposed of; run "
            "this again after that, since a lock is never got round"
        )


def disposals(desk: Desk, made: Sequence[Plan], *, why: str) -> list[Envelope]:
    """One ``evidence.disposed`` for each item that has none in the log, to be appended before anything is removed."""
    chain = desk.new_chain()
    envelopes = []
    for plan in made:
        if plan.told is not None:
            continue
        value: dict[str, Json] = {
            "item": plan.unit,
            "blobs": _spelled(plan.goes),
            "spared": _spelled(plan.spared),
            "why": why,
        }
        body: dict[str, Json] = {"item": plan.unit, "blobs": len(plan.goes), "bytes": plan.bytes}
        subject = desk.acting.detail("disposal.json", value)
        envelopes.append(desk.acting.event("evidence.disposed", chain=chain, subject=subject, body=body))
    return envelopes


def carry_out(desk: Desk, survey: Survey, units: Sequence[str]) -> list[Done]:
    """Remove what the log says is disposed of; ``survey`` must have been read after it said so.

    Asked again from the log, not from what was planned: a hold that got in first stops it, and so is a blob spared
    that something has begun to name since.
    """
    _refuse_held(desk, survey, units)
    _refuse_unseen(desk, survey)
    elsewhere = _named_elsewhere(desk, survey, set(units))
    done = []
    for unit in units:
        told = survey.disposal(unit)
        if told is None:
            raise Refused(f"the log does not say that {unit} is disposed of, so nothing of it was removed")
        done.append(_carry_out(desk, told, elsewhere))
    return done


def _carry_out(desk: Desk, told: Told, elsewhere: Mapping[Digest, Claim]) -> Done:
    listed = _listed(desk, told)
    spared = [digest for digest in listed if digest in elsewhere]
    answers: dict[Digest, tuple[Removal, ...]] = {}
    going = [digest for digest in listed if digest not in elsewhere]
    for number, (digest, removals) in enumerate(desk.mapped(lambda each: _remove(desk, each), going), 1):
        answers[digest] = removals
        if number % 500 == 0:
            desk.tell(f"{number} of {len(going)} blobs removed")
    refused = [digest for digest, removals in answers.items() if not all(each.removed for each in removals)]
    value: dict[str, Json] = {
        "item": told.item,
        "blobs": [_answered(digest, removals) for digest, removals in answers.items()],
        "spared": [digest.hex for digest in spared],
    }
    subject = desk.worker.detail("disposal-report.json", value)
    body: dict[str, Json] = {"item": told.item, "removed": len(answers) - len(refused), "refused": len(refused)}
    envelope = desk.worker.event(
        "disposal.completed",
        chain=told.chain,
        subject=subject,
        body=body,
        refs=(Ref(rel="about", payload_sha256=told.payload_sha256),),
    )
    words = dict.fromkeys(each.answer for digest in refused for each in answers[digest] if not each.removed)
    return Done(
        unit=told.item,
        removed=len(answers) - len(refused),
        refused=len(refused),
        index=desk.log.append([envelope])[0].index,
        answers=tuple(words),
    )


def _remove(desk: Desk, digest: Digest) -> tuple[Digest, tuple[Removal, ...]]:
    """In whatever thread the map uses. An answer that says yes is checked: what is still listed was refused."""
    key = keyspace.blob(digest)
    removals = desk.keeper.remove(key)
    if all(each.removed for each in removals):
        try:
            desk.keeper.open(key).close()
        except NotStored:
            return digest, removals
        return digest, (*removals, Removal(version_id=None, removed=False, answer="still there"))
    return digest, removals


def _answered(digest: Digest, removals: tuple[Removal, ...]) -> dict[str, Json]:
    """No versions: there was nothing any more, as after an interruption."""
    return {
        "sha256": digest.hex,
        "versions": [
            {"version_id": each.version_id, "removed": each.removed, "answer": each.answer} for each in removals
        ],
    }


def _listed(desk: Desk, told: Told) -> dict[Digest, int]:
    value: Any = desk.detail(told.detail)
    try:
        found = {Digest(each["sha256"]): int(each["bytes"]) for each in value["blobs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"disposal.json of leaf {told.index} cannot be read, so nobody knows what was to go: put the blob "
            f"{told.detail.hex} back from a copy"
        ) from error
    return found


def _is_settled(survey: Survey, told: Told) -> bool:
    return told.payload_sha256 in survey.settled


def _refuse_held(desk: Desk, survey: Survey, units: Sequence[str]) -> None:
    for unit in units:
        # What a case says of itself is needed for as long as anything of the case is.
        if holds := [held for each in (unit, *survey.members.get(unit, ())) for held in survey.held(each)]:
            matter = desk.detail(holds[0].detail).get("matter")
            raise Refused(
                f"{holds[0].item} is held for {matter or 'a matter that cannot be read'} (leaf {holds[0].index}): "
                "release it first with `counterproof release`; nothing was disposed of"
            )


def _refuse_open(survey: Survey, units: Sequence[str], now: datetime) -> None:
    for unit in units:
        item = survey.items.get(unit)
        for capture, each in (item.captures if item is not None else {}).items():
            if each.end is None and each.deadline > now:
                raise Refused(
                    f"capture {capture} of {unit} is still going on: wait for its end; nothing was disposed of"
                )


def _refuse_unseen(desk: Desk, survey: Survey) -> None:
    """Where the store keeps no locks: captures that may name a blob and that the log does not show yet.

    Elsewhere, whoever is about to name a blob that is there already has lengthened its lock first.
    """
    if next(iter(desk.store.versions(keyspace.LOGS)), None) is not None:
        return
    waiting = sum(desk.mapped(lambda key: _is_of_item(desk, key), desk.store.keys(keyspace.INBOX)))
    if waiting:
        raise Refused(
            f"{waiting} events of captures wait in the inbox and may name what is to go, which no lock protects here: "
            "run `counterproof sequence` where the log key is, then this again; nothing more was disposed of"
        )
    now = desk.clock()
    captures = ((name, each) for item in survey.items.values() for name, each in item.captures.items())
    going = (name for name, each in captures if each.end is None and each.deadline > now)
    if (capture := next(going, None)) is not None:
        raise Refused(
            f"capture {capture} is going on and may name what is to go, which no lock protects here: wait for its end; "
            "nothing more was disposed of"
        )


def _is_of_item(desk: Desk, key: str) -> bool:
    """In whatever thread the map uses. What is no event will be refused by the log, and names nothing."""
    try:
        with desk.store.open(key) as stream:
            event = Event.parse(Envelope.parse(stream.read(MAX_LEAF_BYTES)).payload)
    except (NotStored, CustodyError):
        return False
    return event.chain.startswith("item:")


def _named_elsewhere(desk: Desk, survey: Survey, going: set[str]) -> dict[Digest, Claim]:
    """What anything but these items names: other items and briefs that are live, cases, runs, the log's own chain."""
    found: dict[Digest, Claim] = {}
    live = []
    for claim in survey.claims:
        about = survey.about(claim) if claim.chain.startswith("item:") or claim.name in _SAID else None
        if about is not None and (about in going or not survey.is_live(about)):
            continue
        live.append(claim)
        found.setdefault(claim.digest, claim)
    unread: list[Claim] = []
    for each in desk.artifacts(live, unread=unread):
        found.setdefault(each.digest, each)
    if unread:
        raise Refused(
            f"{unread[0].name} of leaf {unread[0].index} ({unread[0].chain}) cannot be read, so nobody knows whether "
            "it shares a blob with what is to go: run `counterproof verify`, and put it back from a copy"
        )
    return found


def _look_at_locks(desk: Desk, plan: Plan) -> None:
    for head in desk.mapped(lambda digest: _head(desk, digest), plan.goes):
        if head is None:
            continue
        lock, held = head
        plan.held += held
        if lock is not None and lock > desk.clock():
            plan.locked += 1
            plan.locked_until = max(lock, plan.locked_until or lock)


def _head(desk: Desk, digest: Digest) -> tuple[datetime | None, bool] | None:
    """In whatever thread the map uses: the end of the lock, and whether there is a hold."""
    key = keyspace.blob(digest)
    if next(iter(desk.store.versions(key)), None) is None:
        return None  # no versions, no locks: a directory would hash the file again to answer
    try:
        head = desk.store.head(key)
    except NotStored:
        return None
    return (None if head.lock is None else head.lock.retain_until), head.held


def _spelled(blobs: Mapping[Digest, int]) -> list[Json]:
    return [{"sha256": digest.hex, "bytes": length} for digest, length in blobs.items()]
