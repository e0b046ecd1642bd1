"""Describing a case: a person writes down, or changes, what it is about; every change is a version of its own."""

from collections.abc import Mapping

from archive.brief import MAX_PICTURE_BYTES, Brief, Picture
from archive.briefs import DESCRIBED, SUBJECT, Briefs, Version, Written
from archive.errors import NotStored, Refused, UsageError
from archive.scribe import NONCE_BYTES, Scribe
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from custody import keyspace
from custody.digest import Digest
from custody.model import Json


def refuse_disposed(survey: Survey, scope: str) -> None:
    """Raises ``Refused``: what was disposed of does not begin again under the same id."""
    if (told := survey.disposal(scope)) is not None:
        raise Refused(
            f"what this case says of itself was disposed of (leaf {told.index}): open another case for a new matter"
        )


def describe(
    desk: Desk,
    briefs: Briefs,
    scope: str,
    brief: Brief,
    *,
    previous: Version | None,
    scribe: Scribe,
    pictures: Mapping[Digest, bytes],
) -> Version:
    """``case.described``, signed by a person: the version after ``previous``. Raises ``Refused`` where it came second.

    ``scribe`` is the person's, and keeps blobs for as long as this case is kept. ``pictures``: the bytes of those that
    the archive may not have yet; they are stored before the event that names them is made.
    """
    for each in brief.pictures:
        _keep(desk, scribe, each, pictures.get(each.digest))
    number = 1 if previous is None else previous.version + 1
    written = Written(scope=scope, version=number, previous=None if previous is None else previous.digest, brief=brief)
    subject = scribe.blob(SUBJECT, written.format(scribe.random(NONCE_BYTES).hex()))
    body: dict[str, Json] = {"version": number}
    envelope = scribe.event(DESCRIBED, chain=f"work:{scope}", subject=subject, body=body)
    (receipt,) = desk.log.append([envelope])
    made = next(iter(briefs.versions(scope)[number - 1 :]), None)
    if made is None or made.index != receipt.index:
        raise Refused(
            f"somebody else has described this case at the same time, and their version {number} came first: yours is "
            f"kept in leaf {receipt.index}, and counts for nothing; look at theirs with `counterproof case show`, then "
            "try again"
        )
    return made


def _keep(desk: Desk, scribe: Scribe, picture: Picture, data: bytes | None) -> None:
    """Stored, or locked for as long again, before a version names it."""
    if data is None:
        try:
            desk.keeper.lengthen(keyspace.blob(picture.digest), scribe.retain_until())
        except NotStored as error:
            raise UsageError(
                f"the picture {picture.name} is not in the archive any more: give its file again by --picture, or take "
                "it away by --remove-picture"
            ) from error
        return
    if not 0 < len(data) <= MAX_PICTURE_BYTES:
        raise UsageError(f"{picture.name} has {len(data)} bytes, a reference picture 1 to {MAX_PICTURE_BYTES}")
    scribe.blob("picture", data)
