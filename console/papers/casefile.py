"""A case as its papers tell it: captures with their records, what was found, and what the log says was done.

Read from the archive alone; each blob is hashed before it is believed. Nothing is written, or fetched.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from archive import filing
from archive.briefs import Described
from archive.catalog import Entry
from archive.config import ArchiveConfig
from archive.dating import NOT_DATED, Dated, Dating
from archive.errors import NotStored, StoreError, UsageError
from archive.exporting.selection import ABOUT_CAPTURES, ABOUT_ITEMS, is_handed_over
from archive.filing import File, Filed
from archive.log import LoggedEvent
from archive.stewardship.desk import Shelf
from archive.stewardship.survey import Survey
from console.kept import Kept, firsthand, open_kept
from console.papers.population import Population, count
from console.papers.zones import zone_of
from custody.artifact import OTHERS, Artifact
from custody.digest import Digest
from custody.errors import FormatError
from custody.keys import keyid
from custody.model import Role
from custody.received import MAX_BYTES as MAX_RECEIPT_BYTES
from custody.received import Received
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record
from custody.trust import Trust

MAX_CAPTURES = 1_000_000
MAX_PICTURE_BYTES = 64 << 20
MAX_TEXT_BYTES = 4 << 20
_UNCHANGED = "it showed what an earlier capture had shown, and nothing of it was kept"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One capture."""

    entry: Entry
    record: Record | None
    """None: it has no end yet, was abandoned or disposed of, or its record is damaged, as ``trouble`` says."""
    dated: Dated
    reading: Mapping[str, Any] | None = field(repr=False)
    """As it was made in the visit."""
    trouble: str = ""

    @property
    def id(self) -> str:
        return self.entry.capture_id

    def artifact(self, role: Role) -> Artifact | None:
        """The page's own, not that of a page in between."""
        found = () if self.record is None else self.record.artifacts
        return next((each for each in found if each.role == role and not each.name.startswith(OTHERS)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One event of the log that concerns the case."""

    logged: LoggedEvent
    by: str
    """The role under which its key was introduced; ``unknown`` where the log does not say."""

    @property
    def keyid(self) -> str:
        return self.logged.leaf.event.keyid

    @property
    def capture(self) -> str | None:
        found = self.logged.event.body.get("capture")
        return str(found) if found is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """Files that somebody handed over for the case."""

    index: int
    """Of the log's entry."""
    digest: Digest
    """Of ``received.json``."""
    received: Received | None
    """None: it cannot be read."""


@dataclass(kw_only=True, slots=True)
class CaseFile:
    """Of one case, as far as the log was read."""

    name: str
    scope: str
    kept: Kept
    trust: Trust
    described: Described | None
    zone: ZoneInfo | None
    looks: Mapping[str, Look]
    """By capture, oldest first."""
    findings: File | None
    deeds: tuple[Deed, ...]
    size: int
    """Leaves of the log."""
    survey: Survey = field(repr=False)
    at: datetime
    """When it was read."""

    @property
    def promotions(self) -> list[Filed]:
        """In the order in which their posts were looked at."""
        found = () if self.findings is None else self.findings.records.values()
        return sorted(found, key=lambda each: (str(_post(each)["looked_at"]), each.id))

    @property
    def receipts(self) -> list[Receipt]:
        """What others handed over for the case, in log order, without what was disposed of."""
        members, found = self.survey.members.get(self.scope, ()), []
        for each in self.survey.received:
            item = each.chain.partition(":")[2]
            if item not in members or not self.survey.is_live(item):
                continue
            try:
                received = Received.parse(self.shelf.read(each.detail, MAX_RECEIPT_BYTES))
            except (NotStored, FormatError):
                received = None
            found.append(Receipt(index=each.index, digest=each.detail, received=received))
        return found

    @property
    def shelf(self) -> Shelf:
        return Shelf(store=self.kept.reader.store, reader=self.kept.reader.log)

    def blob(self, artifact: Artifact, most: int) -> bytes | None:
        """None where it is gone or too long. Raises ``StoreError`` where it is not what was recorded."""
        if artifact.bytes > most:
            return None
        try:
            return self.kept.blob(artifact.digest, most)
        except NotStored:
            return None

    def text(self, capture: str, name: str) -> str | None:
        """A text of a page by the name that observations call it: a field of its reading, or ``visible text``."""
        look = self.looks.get(capture)
        if look is None or look.record is None:
            return None
        if name == "visible text":
            artifact = look.artifact(Role.TEXT)
            data = None if artifact is None else self.blob(artifact, MAX_TEXT_BYTES)
            return None if data is None else data.decode("utf-8", "replace")
        if name == "page title":
            return look.record.title
        fields = (look.reading or {}).get("reading", {}).get("fields", {})
        value = fields.get(name) if isinstance(fields, Mapping) else None
        return value if isinstance(value, str) else None

    def population(self, shown: int) -> Population:
        candidates = 0 if self.findings is None else int(str(self.findings.head.get("candidates", 0)))
        return count(
            [each.entry for each in self.looks.values()],
            [each.record for each in self.looks.values() if each.record is not None],
            [each.record for each in self.promotions],
            due=sum("look_id" in each.logged.event.body for each in self.deeds),
            candidates=candidates,
            shown=shown,
        )

    def witnesses(self, capture: str) -> list[str]:
        """What people stated in this case who held the live page against the capture, a sentence each."""
        found = []
        for each in self.survey.witnessed.get(capture, ()):
            said = self.shelf.detail(each.detail)
            if not said:
                found.append(f"Entry {each.index}: a statement of a witness, whose words are gone.")
                continue
            if said.get("scope") != self.scope:
                continue  # what another case had witnessed is not for this one to tell
            whose = "signed by a key of theirs" if said.get("keyid") else "not signed by a key of theirs"
            found.append(
                f"{said.get('name')} stated on {said.get('stated_at')}, {whose} (entry {each.index}): "
                f"“{said.get('words')}”"
            )
        return found

    def detail(self, deed: Deed) -> dict[str, Any]:
        """The JSON that an event rests on; empty where it is gone."""
        return self.shelf.detail(deed.logged.event.subjects[0].digest)


@contextmanager
def open_casefile(config: ArchiveConfig, case: str, *, at: datetime) -> Iterator[CaseFile]:
    """Raises ``UsageError`` where there is no such case, or nothing says what to believe."""
    with open_kept(config) as kept:
        yield read_casefile(kept, case, at=at)


def read_casefile(kept: Kept, case: str, *, at: datetime) -> CaseFile:
    trust = kept.reader.trust
    if trust is None:
        raise UsageError("papers are made where the home's trust file is: this home has none")
    scope = kept.reader.cases.resolve(case)
    entries = list(reversed(kept.catalog.captures(case=case, limit=MAX_CAPTURES)))
    dating = Dating(kept.reader.store, trust, kept.catalog)
    version = None if kept.catalog.brief_disposed(scope) else kept.catalog.brief_of(scope)
    described = None if version is None else kept.reader.briefs.read(version)
    survey = Survey.of(kept.reader.log)
    return CaseFile(
        name=case,
        scope=scope,
        kept=kept,
        trust=trust,
        described=described,
        zone=None if described is None else zone_of(described.brief.timezone),
        looks={each.capture_id: _look(kept, each, dating) for each in entries},
        findings=filing.newest(kept.reader.log, kept.reader.store, scope),
        deeds=tuple(_deeds(kept, scope, survey, trust)),
        size=survey.size,
        survey=survey,
        at=at,
    )


def _look(kept: Kept, entry: Entry, dating: Dating) -> Look:
    record, trouble = None, ""
    if entry.disposed_at is not None:
        trouble = "it was disposed of"
    elif entry.record_sha256 is None:
        trouble = _UNCHANGED if entry.status == "unchanged" else "it has no end yet, or was abandoned"
    else:
        try:
            record = Record.parse(kept.blob(Digest(entry.record_sha256), MAX_RECORD_BYTES))
        except (NotStored, StoreError, FormatError) as error:
            trouble = f"its record cannot be read ({error})"
    dated = dating.of(entry.anchor, entry.index) if entry.disposed_at is None else NOT_DATED
    reading: Mapping[str, Any] | None = None
    if record is not None:
        try:
            reading = firsthand(kept, record)
        except StoreError as error:
            trouble = f"the reading made in the visit cannot be read ({error})"
    return Look(entry=entry, record=record, dated=dated, reading=reading, trouble=trouble)


def _deeds(kept: Kept, scope: str, survey: Survey, trust: Trust) -> Iterator[Deed]:
    """The case's own chain, its items', their runs, and what was done with them or said of the case later.

    Of items that other cases have too, what an export of this case would have: not their holds and decisions.
    """
    members = set(survey.members.get(scope, ()))
    chains = {f"scope:{scope}", f"work:{scope}", *(f"item:{unit}" for unit in members)}
    runs = {f"run:{each.run}" for each in survey.claims if each.chain in chains and each.run}
    about = {each.index for each in survey.claims if survey.about(each) in members}
    disposed = members & survey.disposals.keys()
    roles = {keyid(each): "root" for each in trust.root_keys}
    for logged in kept.reader.log.events():
        event = logged.event
        if event.type == "key.introduced":
            roles.setdefault(str(event.body["keyid"]), str(event.body["role"]))
        is_said_here = event.chain in chains | runs or (
            logged.index in about
            and event.type in ABOUT_ITEMS | ABOUT_CAPTURES
            and is_handed_over(kept.reader.store, logged, scope, disposed)
        )
        if is_said_here or _exports(kept, logged, scope):
            yield Deed(logged=logged, by=roles.get(logged.leaf.event.keyid, "unknown"))


def _exports(kept: Kept, logged: LoggedEvent, scope: str) -> bool:
    """Whether it tells of an export of the whole case."""
    if logged.event.type != "evidence.exported":
        return False
    shelf = Shelf(store=kept.reader.store, reader=kept.reader.log)
    chains = shelf.detail(logged.event.subjects[0].digest).get("chains")
    return f"scope:{scope}" in str(chains)


def _post(filed: Filed) -> Mapping[str, Any]:
    post = filed.record["post"]
    return post if isinstance(post, Mapping) else {}


def captures_of(record: Mapping[str, Any]) -> Sequence[str]:
    """Of a promotion: the post first, then each page on the way, then the listing; each once."""
    way = [name for edge in record["edges"] for name in (edge["from"], edge["to"]) if name]
    return list(dict.fromkeys([record["post"]["capture"], *way, record["listing"]["capture"]]))
