"""An export, made: everything that is known is written first, the log is told, and the proofs come last.

So the event binds what is handed over, and a proof under a checkpoint that holds the event binds the event. The bag
appears under its name when it is whole, or not at all.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from archive import disk
from archive.dating import Dating, Range, ToldTokens
from archive.errors import DiskError, UsageError
from archive.exporting import plain, times, wrapping
from archive.exporting.blobs import Blobs, write
from archive.exporting.proofs import Prover
from archive.exporting.quarantine import refuse_quarantined
from archive.exporting.selection import Selection, select
from archive.exporting.times import Stamped
from archive.ledger import Ledger
from archive.receipt import Receipt
from archive.scribe import NONCE_BYTES, Scribe
from archive.store import ObjectStore
from custody import canonical
from custody.bundle import layout
from custody.bundle.lists import format_list
from custody.bundle.statement import WITHHELD, MissingBlob, Scopes, format_missing
from custody.bundle.trustees import key_files
from custody.checkpoint import Checkpoint
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.model import Json

SCRIPT = Path(__file__).with_name("verify.sh")
FOLDERS = (layout.ARTIFACTS, layout.CUSTODY, layout.TRUST)
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
    index: int
    """Of the leaf that tells of the export."""
    event_id: str
    trust: Digest
    tokens: int
    origins: dict[str, int] = field(default_factory=dict)
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
    ) -> None:
        """``seal`` asks for trusted time over a leaf; it is no fault when there is none."""
        self._ledger = ledger
        self._store = store
        self._scribe = scribe
        self._seal = seal
        self._progress = progress

    def export(self, asked: Asked, target: Path) -> Exported:
        """Raises ``UsageError`` when the target is there; ``Refused``, ``DiskError``, ``StoreError``, ``LogError``."""
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target} is there already, and nothing is overwritten: name another")
        beside = target.with_name(f".{target.name}.{self._scribe.random(_RANDOM_BYTES).hex()}")
        bag = beside / (target.stem if asked.as_zip else target.name)
        with disk.trouble(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            bag.mkdir(parents=True)
        try:
            made = self._make(asked, bag, target)
            if asked.as_zip:
                packed = beside / "bag.zip"
                wrapping.pack(bag, packed, self._scribe.clock())
                _appear(packed, target)
            else:
                _appear(bag, target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return made

    def _make(self, asked: Asked, bag: Path, target: Path) -> Exported:
        for each in FOLDERS:
            with disk.trouble(bag):
                (bag / each).mkdir(parents=True)
        size = self._ledger.refresh().size
        chosen = select(self._ledger.reader, size=size, scope=asked.scope, items=asked.items, progress=self._progress)
        known = self._write_known(chosen, bag)
        blobs = Blobs(self._store, bag, self._progress)
        blobs.take(chosen)
        refuse_quarantined(self._store, chosen, blobs.quarantined)
        receipt, event_id = self._tell(asked, chosen, known, blobs, bag)
        self._seal(receipt)
        prover, stamped = self._time(receipt.index)
        self._prove(chosen, receipt.index, prover, bag)
        tokens = self._connect(asked.since, prover, stamped, bag)
        made = Exported(
            path=target,
            entries=len(chosen.events) + 1,
            blobs=len(blobs.digests),
            bytes=blobs.length,
            missing=tuple(blobs.missing),
            size=prover.signed.size,
            index=receipt.index,
            event_id=event_id,
            trust=self._ledger.trust.digest,
            tokens=tokens,
            origins=dict(sorted(blobs.origins.items())),
            quarantined=tuple(blobs.quarantined),
        )
        self._wrap(made, chosen, bag)
        return made

    def _write_known(self, chosen: Selection, bag: Path) -> dict[str, Digest]:
        """What is there before the log is told, but for the blobs."""
        trust, known = self._ledger.trust, dict[str, Digest]()
        told = [each for each in chosen.events if each.event.type == "log.timestamped"]
        ends = [each.index for each in chosen.events if each.event.type in ENDS]
        stamped = times.fetch(self._store, chosen.log, times.nearest(times.sizes_of(told), ends))
        files = {
            layout.TRUST_FILE: trust.format(),
            layout.SCRIPT: SCRIPT.read_bytes(),
            **key_files(trust),
            **{path: data for each in stamped for path, data in _stamped(each, layout.earlier(each.size)).items()},
        }
        for each in chosen.events:
            files[layout.entry(each.index)] = each.data
        for path, data in files.items():
            write(bag / path, data)
            known[path] = Digest.of(data)
        return known

    def _tell(
        self, asked: Asked, chosen: Selection, known: dict[str, Digest], blobs: Blobs, bag: Path
    ) -> tuple[Receipt, str]:
        """``evidence.exported``: the log holds what is handed over to its last byte, and no name."""
        scopes = Scopes(
            log=chosen.log, size=chosen.size, scope=chosen.scope, items=chosen.items, through=chosen.through
        )
        stated = {layout.SCOPES: scopes.format(), layout.MISSING: format_missing(blobs.missing)}
        listed = {**known, **blobs.digests, **{path: Digest.of(data) for path, data in stated.items()}}
        contents = format_list(listed)
        for path, data in {**stated, layout.CONTENTS: contents}.items():
            write(bag / path, data)
        counts: dict[str, Json] = {
            "entries": len(chosen.events),
            "blobs": len(blobs.digests),
            "bytes": blobs.length,
        }
        data = canonical.dumps(
            {
                "schema": 1,
                "nonce": self._scribe.random(NONCE_BYTES).hex(),
                "scopes_sha256": Digest.of(stated[layout.SCOPES]).hex,
                "contents_sha256": Digest.of(contents).hex,
                "chains": scopes.chains_json(),
                "recipient": asked.recipient,
                "missing": len(blobs.missing),
                **counts,
            }
        )
        subject = self._scribe.blob("export.json", data)
        work = self._scribe.new_id()
        envelope = self._scribe.event("evidence.exported", chain=f"work:{work}", subject=subject, body=counts)
        (receipt,) = self._ledger.append([envelope])
        leaf = self._ledger.reader.leaf(receipt.index, self._ledger.refresh().size)
        write(bag / layout.entry(receipt.index), leaf)
        blobs.put(subject.digest, data)
        return receipt, self._ledger.reader.parse(0, receipt.index, leaf).event.event_id

    def _time(self, index: int) -> tuple[Prover, list[Stamped]]:
        """The checkpoint that all proofs lead to, stamped if any is that holds the export; and further stamped ones."""
        newest, checkpoint = self._ledger.checkpoint()
        sizes = times.sizes_of(self._ledger.events("log.timestamped"))
        wanted = {size: names for size, names in times.nearest(sizes, [index]).items() if size <= newest}
        stamped = times.fetch(self._store, self._ledger.log, wanted)
        if stamped:
            checkpoint = stamped[-1].checkpoint
        return Prover(self._ledger.reader, self._ledger.trust.log, checkpoint), stamped

    def _prove(self, chosen: Selection, index: int, prover: Prover, bag: Path) -> None:
        """Of every entry, the one that tells of the export last."""
        for done, each in enumerate(chosen.events, 1):
            write(bag / layout.proof(each.index), prover.inclusion(each.index, each.data).format())
            if done % 1000 == 0:
                self._progress(f"{done} of {len(chosen.events)} proofs")
        leaf = self._ledger.reader.leaf(index, prover.signed.size)
        write(bag / layout.proof(index), prover.inclusion(index, leaf).format())

    def _connect(self, since: tuple[Checkpoint, ...], prover: Prover, stamped: list[Stamped], bag: Path) -> int:
        """The checkpoint, what was stamped, and proofs from every earlier one. How many tokens the export has."""
        write(bag / layout.CHECKPOINT, prover.checkpoint)
        for each in stamped:
            here = layout.CHECKPOINT if each.size == prover.signed.size else layout.earlier(each.size)
            for path, data in _stamped(each, here).items():
                if not (bag / path).exists():
                    write(bag / path, data)
        names = [each.name for each in (bag / layout.CUSTODY).iterdir()]
        vkey = self._ledger.trust.log
        earlier = [Prover.at(self._ledger.reader, vkey, size).signed for name in names if (size := _earlier(name))]
        for old in (*earlier, *since):
            target = bag / layout.consistency(old.size)
            proof = prover.consistency(old).format()
            if not target.exists():
                write(target, proof)
        return sum(name.endswith(".tsr") for name in names)

    def _wrap(self, made: Exported, chosen: Selection, bag: Path) -> None:
        at = self._scribe.clock()
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
            index=made.index,
            trust=made.trust,
            tokens=made.tokens,
            authorities=sum(bool(each.roots_pem) for each in self._ledger.trust.authorities),
            origins=made.origins,
            quarantined=len(made.quarantined),
            times=self._times(chosen),
            at=at,
        )
        write(bag / layout.README, plain.readme(facts).encode())
        wrapping.seal_bag(bag, identifier=made.event_id, at=at)

    def _times(self, chosen: Selection) -> Range:
        """When the captures happened, by tokens that are judged here and lie in the export for others to judge."""
        dating = Dating(self._store, self._ledger.trust, ToldTokens(self._ledger.events("log.timestamped")))
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
