"""Retention by case: the locks of all that a case holds are lengthened, and what is captured for it later starts so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.errors import NotStored, Refused, StoreError
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Claim, Survey, distinct
from custody import keyspace
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json


@dataclass(kw_only=True, slots=True)
class Kept:
    """What came of it."""

    days: int
    index: int
    """Of ``retention.set``; -1 when the log said so already, and the locks alone were looked at again."""
    blobs: int = 0
    lengthened_to: datetime | None = None
    """The latest end of a lock, as read back; None where the store keeps no locks."""
    unlocked: int = 0
    """Blobs on which the store keeps no lock at all."""
    missing: int = 0
    unread: int = 0


def refuse_shorter(survey: Survey, scope: str, days: int, *, setting: int) -> None:
    """Raises ``Refused``: locks are never shortened, so a shorter retention would say what is not so."""
    before = survey.days.get(scope, 0)
    if days < before:
        raise Refused(f"this case is kept for {before} days already: a retention is never shortened, got {days}")
    if days < setting:
        raise Refused(
            f"the setting already keeps everything for {setting} days (COUNTERPROOF_RETENTION_DAYS), got {days}: a "
            "case can be kept longer, not shorter"
        )


def retain(desk: Desk, survey: Survey, scope: str, days: int, *, why: str) -> Kept:
    """The log first, so that captures that begin now are kept as long; then every lock, lengthened and read back.

    Counted from the event that names a blob. To do it again after an interruption is right.
    """
    kept = Kept(days=days, index=-1)
    if survey.days.get(scope, 0) < days:
        subject = desk.worker.detail("retention.json", {"scope": scope, "days": days, "why": why})
        body: dict[str, Json] = {"days": days}
        envelope = desk.worker.event("retention.set", chain=f"scope:{scope}", subject=subject, body=body)
        kept.index = desk.log.append([envelope])[0].index
    claims = [each for each in survey.of_case(scope) if (about := survey.about(each)) is None or survey.is_live(about)]
    unread: list[Claim] = []
    wanted = distinct([*claims, *desk.artifacts(claims, unread=unread)])
    kept.unread = len(unread)
    work = [(digest, _until(named, days)) for digest, named in wanted.items()]
    for number, (found, locked) in enumerate(desk.mapped(lambda each: _lengthen(desk, *each), work), 1):
        kept.blobs += found
        kept.missing += not found
        kept.unlocked += found and locked is None
        if locked is not None:
            kept.lengthened_to = max(locked, kept.lengthened_to or locked)
        if number % 500 == 0:
            desk.tell(f"{number} of {len(work)} locks looked at")
    return kept


def _until(named: Sequence[Claim], days: int) -> datetime:
    return max(each.at for each in named) + timedelta(days=days)


def _lengthen(desk: Desk, digest: Digest, until: datetime) -> tuple[bool, datetime | None]:
    """In whatever thread the map uses: whether the blob is there, and its lock as read back."""
    key = keyspace.blob(digest)
    try:
        lock = desk.keeper.lengthen(key, until)
    except NotStored:
        return False, None
    if lock is not None and lock.retain_until < until.replace(microsecond=0):
        raise StoreError(f"{desk.store.name} keeps {key} until {format_utc(lock.retain_until)} only: look at its locks")
    return True, None if lock is None else lock.retain_until
