"""What was made of an artifact and is kept beside it: stored, and named in the item's chain; never in place of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.errors import Refused, StoreError, UsageError
from archive.packaging.packer import scribe_for
from archive.reading import Box
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from custody import keyspace
from custody.artifact import Artifact
from custody.digest import Digest
from custody.event import Ref, Subject
from custody.model import Json
from custody.schema import MAX_BOXES

DERIVED = "artifact.derived"
SUBJECT = "redacted.png"


@dataclass(frozen=True, kw_only=True, slots=True)
class Derived:
    digest: Digest
    bytes: int
    index: int | None
    """Of the event. None: the log had these very bytes from this capture, and nothing was recorded."""


def record(
    desk: Desk, survey: Survey, capture: str, *, original: Artifact, data: bytes, boxes: Sequence[Box]
) -> Derived:
    """Stored and read back first, then in the log; kept, held and disposed of with the capture's item.

    Raises ``Refused`` for what was disposed of, ``UsageError`` for more boxes than an event has room for.
    """
    unit = survey.unit_of.get(capture, "")
    item = survey.items.get(unit)
    end = item.captures[capture].end if item is not None and capture in item.captures else None
    if item is None or end is None or end.event.type == "capture.abandoned":
        raise UsageError(f"capture {capture} has no record, so nothing can be made of it")
    if not survey.is_live(unit):
        raise Refused(f"capture {capture} was disposed of: there is nothing left to derive from")
    if not 1 <= len(boxes) <= MAX_BOXES:
        raise UsageError(f"1 to {MAX_BOXES} boxes, got {len(boxes)}: draw fewer and larger ones")
    digest = Digest.of(data)
    if any(each.digest == digest and each.name == SUBJECT for each in item.claims):
        return Derived(digest=digest, bytes=len(data), index=None)
    scribe, key = scribe_for(desk, survey, unit), keyspace.blob(digest)
    desk.store.create(key, data, digest=digest, retain_until=scribe.retain_until())
    if Digest.of(desk.store.read(key)) != digest:
        raise StoreError(f"{desk.store.name} gave back other bytes than were written: nothing was recorded")
    if survey.held(unit):
        desk.keeper.set_hold(key, on=True)
    body: dict[str, Json] = {
        "purpose": "redaction",
        "capture": capture,
        "of_sha256": original.digest.hex,
        "boxes": [each.to_json() for each in boxes],
    }
    envelope = scribe.event(
        DERIVED,
        chain=f"item:{unit}",
        subject=Subject(name=SUBJECT, digest=digest, bytes=len(data)),
        body=body,
        refs=(Ref(rel="derived_from", payload_sha256=end.leaf.event.payload_sha256),),
    )
    return Derived(digest=digest, bytes=len(data), index=desk.log.append([envelope])[0].index)
