"""An export, made: everything that is known is written first, the log is told, and the proofs come last.

So the event binds what is handed over, and a proof under a checkpoint that holds the event binds the event. The bag
appears under its name when it is whole, or not at all.
"""

import shutil
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from archive import disk
from archive.dating import Dating, Range, ToldTokens
from archive.errors import DiskError, NotStored, UsageError
from archive.exporting import again, caseuco, plain, tables, times, wrapping
from archive.exporting.bag import Bag, Folder
from archive.exporting.blobs import Blobs
from archive.exporting.population import Population
from archive.exporting.proofs import Prover
from archive.exporting.quarantine import refuse_quarantined
from archive.exporting.selection import Selection, select
from archive.exporting.times import Stamped
from archive.exporting.zipping import Zip
from archive.ledger import Ledger
from archive.receipt import Receipt
from archive.scribe import NONCE_BYTES, Scribe
from archive.stewardship.desk import Map
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.bundle import layout
from custody.bundle.lists import format_list
from custody.bundle.statement import WITHHELD, MissingBlob, Scopes, format_missing
from custody.bundle.trustees import key_files
from custody.checkpoint import Checkpoint
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.model import Json

SCRIPT = Path(__file__).with_name("verify.sh")
BY_HAND = Path(__file__).with_name("VERIFY.md")
EXPORT_BLOB = f"{layout.ARTIFACTS}export.json"
_RANDOM_BYTES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is to be handed over."""

    scope: str | None
    """The id of the case; None: single items."""
    items: tuple[str, ...]
    since: tuple[Checkpoint, ...] = ()
    """Checkpoints that the recipient holds."""
    recipient: str | None = None
    """Kept in a blob, never in the log."""
    as_zip: bool = False
    at: int | None = None
    """Leaves of the log that are looked at: one of its signed sizes. None: all there are."""
    looks_due: Callable[[datetime], Collection[str] | None] = lambda _: None
    """Ids of the looks that schedules had asked for by then, from whoever keeps them; None: nobody can be asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was handed over."""

    path: Path
    entries: int
    blobs: int
    bytes: int
    missing: tuple[MissingBlob, ...]
    size: int
    """Leaves under the checkpoint that all proofs lead to."""
    at: int
    """Leaves of the log that were looked at: the same choice at this size is the same export."""
    again: bool
    """It was recorded before, and is the same to its last byte."""
    population: Population
    index: int
    """Of the leaf that tells of the export."""
    event_id: str
    trust: Digest
    tokens: int
    origins: dict[str, int] = field(default_factory=dict)
    received: int = 0
    """Files that others handed over."""
    quarantined: tuple[str, ...] = ()
    """Captures in which secrets may be, and that a person allowed to be handed over."""

    @property
    def lost(self) -> tuple[MissingBlob, ...]:
        """Without what was kept back on purpose."""
        return tuple(each for each in self.missing if each.reason != WITHHELD)


class Exporter:
    """Of one log."""

    def __init__(
        self,
        ledger: Ledger,
        store: ObjectStore,
        scribe: Scribe,
        *,
        seal: Callable[[Receipt], object] = lambda _: None,
        progress: Callable[[str], None] = lambda _: None,
        map: Map = map,  # noqa: A002  # it is one
        promotions: Callable[[Selection], tables.Promotions] | None = None,
    ) -> None:
        """``seal`` asks for trusted time over a leaf; it is no fault when there is none.

        ``map`` fetches blobs, by as many threads as it has. ``promotions`` says what the chosen captures come to.
        """
        self._ledger = ledger
        self._store = store
        self._scribe = scribe
        self._seal = seal
        self._progress = progress
        self._map = map
        self._promotions = promotions

    def export(self, asked: Asked, target: Path) -> Exported:
        """Raises ``UsageError`` when the target is there; ``Refused``, ``DiskError``, ``StoreError``, ``LogError``."""
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target} is there already, and nothing is overwritten: name another")
        beside = target.with_name(f".{target.name}.{self._scribe.random(_RANDOM_BYTES).hex()}")
        with disk.trouble(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.mkdir()
        made = beside / target.name
        try:
            size = self._size(asked.at)
            until = self._until(size)
            with closing(Zip(made, target.stem, until) if asked.as_zip else Folder(made)) as place:
                exported = self._make(asked, size, until, Bag(place), target)
                place.finish()
            _appear(made, target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return exported

    def _make(self, asked: Asked, size: int, until: datetime, bag: Bag, target: Path) -> Exported:
        chosen = select(self._ledger.reader, size=size, scope=asked.scope, items=asked.items, progress=self._progress)
        self._write_known(chosen, bag)
        blobs = Blobs(self._store, bag, self._progress, self._map)
        blobs.look(chosen)
        refuse_quarantined(self._store, chosen, blobs.quarantined)
        blobs.take(chosen)
        population = Population.of(chosen, until=until, due=asked.looks_due(until))
        self._write_derived(chosen, blobs, population, bag)
        told = self._tell(asked, chosen, blobs, bag)
        prover, stamped = self._time(told)
        self._prove(chosen, told.event.index, prover, bag)
        tokens = self._connect(asked.since, prover, stamped, bag)
        made = Exported(
            path=target,
            entries=len(chosen.events) + 1,
            blobs=len(blobs.digests),
            bytes=blobs.length,
            missing=tuple(blobs.missing),
            size=prover.signed.size,
            at=size,
            again=told.again,
            population=population,
            index=told.event.index,
            event_id=told.event.event.event_id,
            trust=self._ledger.trust.digest,
            tokens=tokens,
            origins=blobs.origins,
            received=sum(len(each.files) for _, each in blobs.receipts.values()),
            quarantined=tuple(blobs.quarantined),
        )
        self._wrap(made, chosen, stamped, bag, told.event.event.occurred_at)
        return made

    def _size(self, at: int | None) -> int:
        newest = self._ledger.refresh().size
        if at is None:
            return newest
        try:
            self._store.read(keyspace.checkpoint_at(self._ledger.log, at))
        except NotStored as error:
            raise UsageError(
                f"{self._ledger.log} has signed no checkpoint of {at} leaves (the newest has {newest}): take the size "
                "that an export or a checkpoint states"
            ) from error
        return at

    def _until(self, size: int) -> datetime:
        """When the last entry was made that is looked at: what follows from the size alone."""
        last = self._ledger.reader.parse(0, size - 1, self._ledger.reader.leaf(size - 1, size))
        return last.event.occurred_at

    def _write_derived(self, chosen: Selection, blobs: Blobs, population: Population, bag: Bag) -> None:
        """What is made of the evidence for people and for other programs."""
        promotions = None if self._promotions is None else self._promotions(chosen)
        at = max(each.event.occurred_at for each in chosen.events)
        derived = tables.files(chosen, blobs, promotions, population, at)
        derived[f"{layout.TABLES}case.jsonld"] = caseuco.graph(chosen, blobs, at)
        for path, data in derived.items():
            bag.write(path, data)

    def _write_known(self, chosen: Selection, bag: Bag) -> None:
        """What is there before the log is told, but for the blobs."""
        trust = self._ledger.trust
        told = [each for each in chosen.events if each.event.type == "log.timestamped"]
        ends = [each.index for each in chosen.events if each.event.type in ENDS]
        stamped = times.fetch(self._store, chosen.log, times.nearest(times.sizes_of(told), ends))
        files = {
            layout.TRUST_FILE: trust.format(),
            layout.SCRIPT: SCRIPT.read_bytes(),
            layout.BY_HAND: BY_HAND.read_bytes(),
            **key_files(trust),
            **{path: data for each in stamped for path, data in _stamped(each, layout.earlier(each.size)).items()},
        }
        for each in chosen.events:
            files[layout.entry(each.index)] = each.data
        for path, data in files.items():
            bag.write(path, data)

    def _tell(self, asked: Asked, chosen: Selection, blobs: Blobs, bag: Bag) -> again.Told:
        """``evidence.exported``: the log holds what is handed over to its last byte, and no name.

        Where it holds that already, by an earlier export of the same choice, that entry is handed over; and this time
        is told of all the same.
        """
        scopes = Scopes(
            log=chosen.log, size=chosen.size, scope=chosen.scope, items=chosen.items, through=chosen.through
        )
        stated = bag.write(layout.SCOPES, scopes.format())
        bag.write(layout.MISSING, format_missing(blobs.missing))
        contents = bag.write(layout.CONTENTS, format_list(bag.digests))
        binding: dict[str, Json] = {
            "scopes_sha256": stated.hex,
            "contents_sha256": contents.hex,
            "recipient": asked.recipient,
        }
        found = None if asked.at is None else again.find(self._ledger.reader, self._store, asked.at, binding)
        counts: dict[str, Json] = {
            "entries": len(chosen.events),
            "blobs": len(blobs.digests),
            "bytes": blobs.length,
        }
        data = canonical.dumps(
            {
                "schema": 1,
                "nonce": self._scribe.random(NONCE_BYTES).hex(),
                "chains": scopes.chains_json(),
                "missing": len(blobs.missing),
                **binding,
                **counts,
            }
        )
        subject = self._scribe.blob("export.json", data)
        work = self._scribe.new_id()
        envelope = self._scribe.event("evidence.exported", chain=f"work:{work}", subject=subject, body=counts)
        (receipt,) = self._ledger.append([envelope])
        self._seal(receipt)
        if found is None:
            leaf = self._ledger.reader.leaf(receipt.index, self._ledger.refresh().size)
            event = self._ledger.reader.parse(receipt.n, receipt.index, leaf)
            found = again.Told(event=event, size=receipt.tree_size, data=data, again=False)
        bag.write(layout.entry(found.event.index), found.event.data)
        blobs.put(EXPORT_BLOB, found.data)
        return found

    def _time(self, told: again.Told) -> tuple[Prover, list[Stamped]]:
        """The checkpoint that all proofs lead to: the first stamped one over the export, else the first over it."""
        newest, _ = self._ledger.checkpoint()
        sizes = times.sizes_of(self._ledger.events("log.timestamped"))
        wanted = {size: names for size, names in times.nearest(sizes, [told.event.index]).items() if size <= newest}
        stamped = times.fetch(self._store, self._ledger.log, wanted)
        if stamped:
            checkpoint = stamped[-1].checkpoint
        else:
            checkpoint = self._store.read(keyspace.checkpoint_at(self._ledger.log, told.size))
        return Prover(self._ledger.reader, self._ledger.trust.log, checkpoint), stamped

    def _prove(self, chosen: Selection, index: int, prover: Prover, bag: Bag) -> None:
        """Of every entry, the one that tells of the export last."""
        for done, each in enumerate(chosen.events, 1):
            bag.write(layout.proof(each.index), prover.inclusion(each.index, each.data).format())
            if done % 1000 == 0:
                self._progress(f"{done} of {len(chosen.events)} proofs")
        leaf = self._ledger.reader.leaf(index, prover.signed.size)
        bag.write(layout.proof(index), prover.inclusion(index, leaf).format())

    def _connect(self, since: tuple[Checkpoint, ...], prover: Prover, stamped: list[Stamped], bag: Bag) -> int:
        """The checkpoint, what was stamped, and proofs from every earlier one. How many tokens the export has."""
        bag.write(layout.CHECKPOINT, prover.checkpoint)
        for each in stamped:
            here = layout.CHECKPOINT if each.size == prover.signed.size else layout.earlier(each.size)
            for path, data in _stamped(each, here).items():
                if path not in bag.sizes:
                    bag.write(path, data)
        names = [each.removeprefix(layout.CUSTODY) for each in bag.sizes if each.startswith(layout.CUSTODY)]
        vkey = self._ledger.trust.log
        earlier = [Prover.at(self._ledger.reader, vkey, size).signed for name in names if (size := _earlier(name))]
        for old in (*earlier, *since):
            path = layout.consistency(old.size)
            proof = prover.consistency(old).format()
            if path not in bag.sizes:
                bag.write(path, proof)
        return sum(name.endswith(".tsr") for name in names)

    def _wrap(self, made: Exported, chosen: Selection, stamped: list[Stamped], bag: Bag, at: datetime) -> None:
        facts = plain.Facts(
            log=chosen.log,
            scope=chosen.scope,
            items=len(chosen.items),
            captures=len(chosen.captures),
            entries=made.entries,
            blobs=made.blobs,
            bytes=made.bytes,
            missing=made.missing,
            size=made.size,
            seen=made.at,
            population=made.population,
            index=made.index,
            trust=made.trust,
            tokens=made.tokens,
            authorities=sum(bool(each.roots_pem) for each in self._ledger.trust.authorities),
            origins=made.origins,
            received=made.received,
            quarantined=len(made.quarantined),
            times=self._times(chosen, stamped),
            at=at,
        )
        bag.write(layout.README, plain.readme(facts).encode())
        wrapping.seal_bag(bag, identifier=made.event_id, at=at)

    def _times(self, chosen: Selection, stamped: list[Stamped]) -> Range:
        """When the captures happened, by tokens that are judged here and lie in the export for others to judge."""
        here = {(each.size, authority) for each in stamped for authority in each.answers}
        told = [
            each
            for each in self._ledger.events("log.timestamped")
            if each.index < chosen.size or (each.event.body["size"], each.event.body["authority"]) in here
        ]
        dating = Dating(self._store, self._ledger.trust, ToldTokens(told))
        ends = {str(each.event.body["capture"]): each.index for each in chosen.events if each.event.type in ENDS}
        starts = [each.event for each in chosen.events if each.event.type == "capture.started"]
        return Range.of([dating.of(each.anchor, ends.get(str(each.body["capture"]))) for each in starts])


def _stamped(stamped: Stamped, path: str) -> dict[str, bytes]:
    files = {path: stamped.checkpoint}
    for authority, (query, answer) in stamped.answers.items():
        files[layout.query(path, authority)] = query
        files[layout.token(path, authority)] = answer
    return files


def _earlier(name: str) -> int | None:
    match = layout.EARLIER.fullmatch(f"{layout.CUSTODY}{name}")
    return int(match[1]) if match else None


def _appear(made: Path, target: Path) -> None:
    """Under its name, whole; what has come there meanwhile stays."""
    with disk.trouble(target):
        if target.exists() or target.is_symlink():
            raise DiskError(f"{target} was made by somebody else meanwhile, and nothing is overwritten: name another")
        made.rename(target)
    disk.sync_directory(target.parent)
