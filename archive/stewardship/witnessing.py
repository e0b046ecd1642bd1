"""Witnessing: a named person looked at the live page and at the capture, and states whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.errors import KeyFileError, Refused, UsageError
from archive.scribe import NONCE_BYTES, Scribe
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from custody import canonical, event, keys
from custody.event import Ref
from custody.instant import format_utc
from custody.keys import Signer
from custody.model import Json, Role
from custody.record import MAX_BYTES, Record

FAIR = "fair_and_accurate"
DIFFERS = "differs"
_MAX_TEXT = 2_000
_MAX_DIFFERENCES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What the person says. Their own browser is theirs: nothing of it is recorded."""

    name: str
    differences: tuple[str, ...]
    """Empty: fair and accurate."""
    opened_at: datetime
    """When the live page was opened, or when they were asked."""
    stated_at: datetime
    browser: str | None
    """As they say."""
    way: str
    """``terminal``, ``options`` or ``console``."""

    @property
    def word(self) -> str:
        return DIFFERS if self.differences else FAIR

    def words(self, capture: str, url: str) -> str:
        """The sentence that is stated."""
        looked = (
            f"I, {self.name}, looked at {url} in a browser of my own between {format_utc(self.opened_at)} and "
            f"{format_utc(self.stated_at)}, and at the picture that capture {capture} kept of it."
        )
        if not self.differences:
            return f"{looked} The picture is a fair and accurate picture of what I saw."
        listed = "; ".join(self.differences)
        return f"{looked} The picture differs from what I saw in this: {listed}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Witnessed:
    capture: str
    words: str
    statement: str
    keyid: str | None
    """Of the witness's own key; None: the operator's key alone vouches that it was said."""
    index: int


def subject_of(desk: Desk, survey: Survey, capture: str) -> Record:
    """The record of what is to be witnessed. Raises ``UsageError``, ``Refused``."""
    unit = survey.unit_of.get(capture, "")
    item = survey.items.get(unit)
    end = item.captures[capture].end if item is not None else None
    if item is None or end is None or end.event.type not in {"capture.completed", "capture.failed"}:
        raise UsageError(f"capture {capture} has no record that anybody could compare with the page")
    if not survey.is_live(unit):
        raise Refused(f"capture {capture} was disposed of: there is nothing left to compare")
    record = Record.parse(desk.read(end.event.subjects[0].digest, MAX_BYTES))
    if not record.requested_url.startswith(("http://", "https://")):
        raise UsageError(f"capture {capture} is of no page that a browser opens")
    return record


def scope_of(survey: Survey, capture: str, wanted: str | None) -> str:
    """The case that it is said in: of several, the one that is named."""
    scopes = list(dict.fromkeys(survey.items[survey.unit_of[capture]].scopes))
    if wanted is not None and wanted not in scopes:
        raise UsageError(f"capture {capture} does not belong to this case")
    if wanted is None and len(scopes) != 1:
        raise UsageError(f"capture {capture} belongs to {len(scopes)} cases: say in which one by --case NAME")
    return wanted or scopes[0]


def witness(
    desk: Desk,
    scribe: Scribe,
    survey: Survey,
    record: Record,
    statement: Statement,
    *,
    scope: str,
    signer: Signer | None,
) -> Witnessed:
    """``capture.witnessed``. ``signer``: the witness's own key, introduced as a person's; None: they have none here.

    Raises ``UsageError``, and ``LogError`` where the key is not a person's.
    """
    _check(statement)
    end = survey.items[record.unit].captures[record.capture_id].end
    if end is None:
        raise UsageError(f"capture {record.capture_id} has not ended")
    keyid = None if signer is None else keys.keyid(signer.public_key)
    words = statement.words(record.capture_id, record.requested_url)
    picture = next((each for each in record.artifacts if each.role == Role.SCREENSHOT.value), None)
    differences: list[Json] = list(statement.differences)
    value: dict[str, Json] = {
        "schema": 1,
        "nonce": scribe.random(NONCE_BYTES).hex(),
        "capture": record.capture_id,
        "scope": scope,
        "name": statement.name,
        "statement": statement.word,
        "differences": differences,
        "words": words,
        "url": record.requested_url,
        "picture_sha256": None if picture is None else picture.digest.hex,
        "opened_at": format_utc(statement.opened_at),
        "stated_at": format_utc(statement.stated_at),
        "browser": statement.browser,
        "way": statement.way,
        "keyid": keyid,
    }
    envelope = scribe.event(
        "capture.witnessed",
        chain=desk.new_chain(),
        subject=scribe.blob("statement.json", canonical.dumps(value)),
        body={"capture": record.capture_id, "statement": statement.word, "keyid": keyid},
        refs=(Ref(rel="about", payload_sha256=end.leaf.event.payload_sha256),),
    )
    if signer is not None and keyid not in {each.keyid for each in envelope.signatures}:
        envelope = event.cosign(envelope, signer)
    (receipt,) = desk.log.append([envelope])
    return Witnessed(capture=record.capture_id, words=words, statement=statement.word, keyid=keyid, index=receipt.index)


def need_person(known: Sequence[str], signer: Signer) -> None:
    """Raises ``KeyFileError`` where the log does not know the key as a person's; ``known``: ids of such keys."""
    if keys.keyid(signer.public_key) not in known:
        raise KeyFileError(
            "the log does not know this key as a person's: `counterproof keys request` and `keys introduce` make it "
            "known; or state without it, and the record says that no key of yours signed"
        )


def _check(statement: Statement) -> None:
    if not statement.name.strip() or len(statement.name) > 200:
        raise UsageError("a witness has a name: --name TEXT, at most 200 characters")
    if len(statement.differences) > _MAX_DIFFERENCES or any(
        not each.strip() or len(each) > _MAX_TEXT for each in statement.differences
    ):
        raise UsageError(f"differences are at most {_MAX_DIFFERENCES}, each in 1 to {_MAX_TEXT} characters")
