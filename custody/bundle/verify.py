"""verify(package, trust) -> Verdict: an export held against what was signed, by checks with the numbers of a store's.

The package comes from anybody: nothing is unpacked, reads have limits, and every fault becomes a finding with a code.
"""

import builtins
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from custody import keyspace
from custody.bundle import layout
from custody.bundle.claims import Claims
from custody.bundle.findings import EXPORT, PACKAGE, ExportFindings, export_depends
from custody.bundle.history import History
from custody.bundle.leaves import Leaves, Read, WholeChains
from custody.bundle.members import Members
from custody.bundle.package import Gone, Package
from custody.bundle.places import Places
from custody.bundle.source import BagReader, BagSource
from custody.bundle.trustees import key_files, own_trust
from custody.checkpoint import Checkpoint
from custody.checks.blobs import Blobs
from custody.checks.entries import Entries, Entry
from custody.checks.inquiry import Inquiry, Map, Progress, SecondOpinion, silent
from custody.checks.locks import Locks
from custody.checks.records import Records
from custody.checks.registry import Registry
from custody.checks.stamps import Stamps
from custody.checks.states import States
from custody.checks.stewardship import Stewardship
from custody.checks.trust import MAX_TRUST_BYTES
from custody.digest import Digest
from custody.errors import FormatError, TrustError
from custody.event import Event
from custody.instant import format_utc
from custody.model import Json
from custody.trust import Trust
from custody.verdict import Verdict


def verify(
    package: Package,
    trust: Trust | None,
    *,
    at: datetime,
    trust_digest: Digest | None = None,
    kept: Sequence[Checkpoint] = (),
    second_opinion: SecondOpinion | None = None,
    map: Map = builtins.map,  # noqa: A002  # it is one
    progress: Progress | None = None,
) -> Verdict:
    """Never raises for what it finds. ``trust`` None: the export's own, and the verdict is ``self-consistent only``;
    but for one that has the ``trust_digest`` that its reader was given, which is as good as the file.

    ``kept``: checkpoints of earlier days, opened with the key of ``trust``; the export must prove that its log goes on
    from each of them.
    """
    if trust is None and trust_digest is not None:
        trust = own_trust(package, trust_digest)
    run = _Run(package, trust, at, kept, second_opinion, map, progress or silent, trust_digest)
    return run.verdict()


@dataclass(slots=True)
class _Run:
    package: Package
    given: Trust | None
    at: datetime
    kept: Sequence[Checkpoint]
    second_opinion: SecondOpinion | None
    map: Map
    progress: Progress
    digest: Digest | None = None
    findings: ExportFindings = field(default_factory=ExportFindings)
    facts: dict[str, Json] = field(default_factory=lambda: dict[str, Json](time="none", origins={}))
    signed: Checkpoint | None = None
    trust: Trust | None = None
    events: Counter[str] = field(default_factory=Counter)

    def verdict(self) -> Verdict:
        self.facts |= {
            "key": "self-consistent" if self.given is None else "trusted",
            "verified_at": format_utc(self.at),
        }
        self._stage(PACKAGE, self._check)
        return Verdict(
            log=self.trust.log.name if self.trust is not None else "",
            size=self.signed.size if self.signed is not None else 0,
            root=self.signed.root.hex() if self.signed is not None else "",
            checks=self.findings.checks(),
            findings=self.findings.findings(),
            facts=self.facts,
        )

    def _check(self) -> None:
        members = Members(self.package, self.findings)
        if members.refuse_unsafe():
            self.findings.skip_all(export_depends(PACKAGE), but=PACKAGE)
            return
        trust = self.trust = self._choose()
        if trust is None:
            self.findings.skip_all(export_depends(1), but=1)
            return
        history = History(self.package, self.findings, trust)
        self.signed = history.open()
        claims = Claims(self.package, self.findings)
        claims.read(trust.log.name)
        if claims.later:
            self.findings.skip_all("it is of a later version", but=EXPORT)
            return
        places = claims.places = Places(self.package, (claims.contents, members.payload))
        self.findings.place = places.path
        read = Leaves(self.package, self.findings, history.checkpoint, self.signed).read()
        chains = WholeChains(self.findings, claims.scopes.through if claims.scopes is not None else {})
        chains.check(read)
        entries = self._examine(trust, read, chains, claims, history, places)
        claims.check(unread=any(each.event is None for each in entries.values()))
        history.judge(self.kept)
        self._tell(claims, members, chains, history, places)

    def _choose(self) -> Trust | None:
        """The reader's, or the export's own, which proves nothing but order."""
        try:
            data = self.package.read(layout.TRUST_FILE, MAX_TRUST_BYTES)
            own = Trust.parse(data)
        except (Gone, FormatError, TrustError) as error:
            data, own = b"", None
            if self.digest is not None and self.given is None:
                message = f"{layout.TRUST_FILE} cannot be believed: {error}"
                self.findings.fail(1, "TRUST_DIGEST", message, file=layout.TRUST_FILE)
                return None
            if self.given is None:
                message = f"{layout.TRUST_FILE} cannot be believed, and no other was given: {error}"
                self.findings.fail(1, "TRUST_DIGEST", message, file=layout.TRUST_FILE)
                return None
        if self.digest is not None and self.given is None:
            self.findings.fail(
                1,
                "TRUST_DIGEST",
                f"the export brings another trust file ({Digest.of(data)}) than the one whose digest was given "
                f"({self.digest}): nothing in it can be judged",
                file=layout.TRUST_FILE,
            )
            return None
        for path, right in (key_files(own) if own is not None else {}).items():
            if path in self.package.sizes and self.package.digest(path)[0] != Digest.of(right):
                self.findings.fail(1, "KEY_FILE", f"{path} is not what the trust file beside it says", file=path)
        if self.given is None:
            self.findings.note(
                1,
                "TRUST_NONE",
                "no trust file was given, so the keys are those that the export brings itself, and whoever made it may "
                f"have made them too; ask the operator for the trust file, or whether its digest is {Digest.of(data)}",
                log=own.log.name if own is not None else "",
            )
            self.findings.skip(1, "self-consistent only")
            return own
        if self.given.format() != data:
            self.findings.fail(
                1,
                "TRUST_DIGEST",
                f"the export brings another trust file ({Digest.of(data)}) than was given ({self.given.digest}); what "
                "follows is judged by the one that was given",
                file=layout.TRUST_FILE,
            )
        threshold, holders = self.given.root_threshold, len(self.given.root_keys)
        self.findings.detail(1, f"trust file {self.given.digest}, {threshold} of {holders} root keys")
        return self.given

    def _examine(  # noqa: PLR0917  # one call
        self,
        trust: Trust,
        read: Sequence[Read],
        chains: WholeChains,
        claims: Claims,
        history: History,
        places: Places,
    ) -> dict[int, Entry]:
        """Checks 5, 6 and 8 to 11."""
        source = BagSource(self.package, trust.log.name, history.paths, places)
        inquiry = Inquiry(
            reader=BagReader(source, self.package),
            trust=trust,
            findings=self.findings,
            at=min(self.at, _made_at(read, places) or self.at),
            scope=None,
            map=self.map,
            progress=self.progress,
            second_opinion=self.second_opinion,
        )
        self.findings.tokens |= history.tokens()
        registry, log_chain = Registry(trust), f"log:{keyspace.slug(trust.log.name)}"
        examiner, states, records = Entries(inquiry, registry), States(inquiry), Records(inquiry)
        stamps, stewardship = Stamps(inquiry, history.as_signed()), Stewardship(inquiry)
        stamps.collect()
        needed: dict[str, None] = {log_chain: None}
        found: dict[int, Entry] = {}
        watchers: tuple[Callable[[Entry], None], ...] = (
            states.see, records.see, stewardship.see, claims.see, self._count,
        )  # fmt: skip
        for each in read:
            if log_chain in chains.gap and each.index > chains.gap[log_chain] and registry.doubtful is None:
                registry.doubtful = each.index  # a leaf that is not here may have introduced any key
            entry = examiner.examine(each.index, each.data, (each.hash, each.hash))
            found[each.index] = entry
            for watch in watchers:
                watch(entry)
            if entry.event is not None and entry.event.type != "evidence.exported":
                stamps.see(entry)  # of its own anchor the log may tell only after what is handed over
            needed |= dict.fromkeys(_needs(entry))
        for scope in needed if claims.scopes is not None and not claims.mismatched else ():
            chains.need(scope)
        examiner.finish()
        states.finish(chains.broken)
        stewardship.finish()
        stamps.finish(_Any())
        self._look(inquiry, records, stewardship, claims, found)
        self.facts |= stamps.facts(None) | stewardship.facts() | {"captures": states.captures, "open": states.open}
        self.facts |= {"leaves": len(found), "events": dict(sorted(self.events.items()))}
        return found

    def _look(
        self,
        inquiry: Inquiry,
        records: Records,
        stewardship: Stewardship,
        claims: Claims,
        found: dict[int, Entry],
    ) -> None:
        kept_back = {keyspace.blob(digest): digest for digest in claims.excused(found)}
        stewardship.read(None)
        blobs = Blobs(inquiry, kept_back, stewardship.excuse)
        records.finish(blobs, Locks(inquiry))
        stewardship.conclude()
        self.facts |= {
            "blobs": blobs.count,
            "bytes": blobs.bytes,
            "origins": dict(sorted(records.origins.items())),
            "statuses": dict(sorted(records.statuses.items())),
            "received": records.received,
        }

    def _count(self, entry: Entry) -> None:
        if entry.event is not None:
            self.events[entry.event.type] += 1
            if entry.event.type == "storage.probed":
                self.facts["lock_bypass"] = entry.event.body["bypass"]

    def _tell(self, claims: Claims, members: Members, chains: WholeChains, history: History, places: Places) -> None:
        listed = claims.contents or {}
        gone = {path for path in listed if layout.ENTRY.fullmatch(path) and path not in self.package.sizes}
        explained = gone if claims.mismatched or len(gone) <= sum(chains.missing.values()) else set()
        explained |= {path.removesuffix(".json") + ".tlog-proof" for path in explained}
        blob = None if claims.blob is None else places.path(claims.blob.hex)
        exported = (claims.entry.index, blob) if claims.entry is not None and blob is not None else None
        members.check(claims.contents, explained=explained, exported=exported)
        self.facts |= claims.facts()
        if self.kept:
            self.facts["kept"] = history.told

    def _stage(self, check: int, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever a bag does to us, it must not pass, nor look like a crash
            message = f"the verifier itself failed, so it says nothing: {type(error).__name__}: {error}"
            self.findings.unchecked(check, "VERIFIER_FAULT", message[:1000], stage=check)


def _needs(entry: Entry) -> Sequence[str]:
    """The chains without which an entry is not shown whole."""
    event = entry.event
    if event is None:
        return ()
    if event.type == "item.assigned":
        return (event.chain, f"item:{event.body['item']}")
    if event.chain.startswith("item:"):
        return (event.chain, *([f"run:{event.run}"] if event.run is not None else ()))
    return () if event.chain.startswith("work:") else (event.chain,)


def _made_at(read: Sequence[Read], places: Places) -> datetime | None:
    """When the export was made, by its own word: what was open or not stamped then says nothing about today."""
    for each in read:
        try:
            event = Event.parse(each.leaf.event.payload) if each.leaf is not None else None
        except FormatError:
            continue
        told = event is not None and event.type == "evidence.exported"
        if event is not None and told and places.holds(event.subjects[0].digest.hex):
            return event.occurred_at
    return None


class _Any:
    """Holds every size: of which commits end where an export says nothing."""

    def __contains__(self, size: object) -> bool:
        return True
