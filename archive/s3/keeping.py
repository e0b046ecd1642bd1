"""What happens to stored versions later: legal holds on and off, and the removal of what no lock holds any more."""

from collections.abc import Sequence

from archive.errors import NotStored, StoreError
from archive.s3.objects import Objects
from archive.s3.raw import Answer, answered
from archive.store import HoldState, Removal, Version


def set_hold(objects: Objects, key: str, versions: Sequence[Version], *, on: bool) -> HoldState:
    """Holds stand on versions, never on a name: a delete marker put over them takes nothing off."""
    kept = [each.version_id for each in versions if not each.is_delete_marker]
    if not kept:
        raise NotStored(f"there is nothing under {key} in {objects.name}")
    status = "ON" if on else "OFF"
    for version in kept:
        answer = answered(
            objects,
            "set the legal hold of",
            objects.client.put_object_legal_hold,
            key,
            version_id=version,
            LegalHold={"Status": status},
        )
        if not answer.accepted:
            return _declined(objects, key, answer)
        # HEAD tells of a hold only to those who may see it, and not in every store: it is asked for by its own name.
        if _holds(objects, key, version) is not on:
            raise StoreError(
                f"{objects.name} took the legal hold of {key} and does not show it as {status.lower()}: look at what "
                "these credentials may do (s3:GetObjectLegalHold)"
            )
    return "on" if on else "off"


def _declined(objects: Objects, key: str, answer: Answer) -> HoldState:
    if answer.status in {400, 404, 405, 501}:  # no Object Lock in this bucket, or no such request in this service
        return "unsupported"
    raise StoreError(
        f"{objects.name} said {answer} to a legal hold of {key}: let these credentials set it (s3:PutObjectLegalHold)"
    )


def _holds(objects: Objects, key: str, version: str) -> bool:
    def look() -> str:
        found = objects.client.get_object_legal_hold(**objects.at(key, version))
        return str(found.get("LegalHold", {}).get("Status", ""))

    try:
        return objects.ask("look at the legal hold of", key, look) == "ON"
    except NotStored:  # "no such hold", as some stores put it
        return False


def remove(objects: Objects, key: str, versions: Sequence[Version]) -> tuple[Removal, ...]:
    """The bytes before the markers over them, so that an interruption leaves nothing that is hidden and there."""
    removals = []
    for each in sorted(versions, key=lambda version: version.is_delete_marker):
        answer = answered(objects, "remove", objects.client.delete_object, key, version_id=each.version_id)
        removals.append(Removal(version_id=each.version_id, removed=answer.accepted, answer=str(answer)))
    return tuple(removals)
