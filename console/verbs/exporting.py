"""``counterproof export`` and ``proof``, and ``verify --export``: evidence in other people's hands."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, StoreError, UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody import canonical
from custody.errors import FormatError

if TYPE_CHECKING:
    from archive.exporting.exporter import Exported
    from archive.exporting.selection import Selection
    from archive.exporting.tables import Promotions
    from archive.reader import Reader
    from archive.receipt import Receipt
    from archive.vault import Vault
    from custody.checkpoint import Checkpoint
    from custody.digest import Digest
    from custody.model import Json
    from custody.trust import Trust
    from custody.verdict import Verdict

_MAX_RECIPIENT = 200
_THREADS = 16
"""They wait for the store; each holds one file."""


def export(
    context: typer.Context,
    *,
    case: Annotated[
        str | None, typer.Option("--case", metavar="NAME", help="All of a case, shown to be whole.")
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="ID", help="All that was made of one capture, by its id; names no case."),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR|FILE.zip", help="Must not be there yet; .zip makes one file of it."
        ),
    ],
    as_zip: Annotated[bool, typer.Option("--zip", help="One file, whatever its name.")] = False,
    since: Annotated[
        list[Path] | None,
        typer.Option(
            "--from-checkpoint",
            "--since",
            metavar="FILE",
            help="One that the recipient holds: proves that the log goes on from it. Repeatable.",
        ),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option(
            "--at", min=1, metavar="SIZE", help="As the log stood at this size: the same choice gives the same bytes."
        ),
    ] = None,
    package: Annotated[
        bool,
        typer.Option(
            "--package/--no-package", help="First pack each unit's traffic into a WACZ, where it has none yet."
        ),
    ] = True,
    recipient: Annotated[
        str | None, typer.Option("--for", metavar="WHOM", help="Who gets it; kept in a blob, never in the log.")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand evidence over: files, log entries, proofs, tokens and a script that checks them, in one BagIt bag.

    The log tells that it was done, what was in it, and no name. Whoever gets it needs your trust file too, by another
    way; docs/export.md says what to give and what to say.

    counterproof export --case NAME -o case.zip --for "counsel of the other side"

    Exit codes: 0 handed over and verified, 3 the log names something that the store does not have any more, 8 a capture
    is quarantined and nobody decided that it may be handed over.
    """
    with sentences(as_json=as_json):
        if (case is None) == (not unit):
            raise UsageError("say what to export: --case NAME, or --unit ID (repeatable)")
        if recipient is not None and len(recipient) > _MAX_RECIPIENT:
            raise UsageError(f"--for has at most {_MAX_RECIPIENT} characters")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        wanted = _Wanted(
            case=case,
            units=tuple(unit or ()),
            output=output.expanduser(),
            as_zip=as_zip or output.suffix.lower() == ".zip",
            since=tuple(since or ()),
            recipient=recipient,
            at=at,
            package=package and at is None,
            run=context.obj,
        )
        code = _export(config, wanted, as_json=as_json)
    raise typer.Exit(code)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    case: str | None
    units: tuple[str, ...]
    output: Path
    as_zip: bool
    since: tuple[Path, ...]
    recipient: str | None
    at: int | None
    package: bool
    run: Callable[[], ModuleType] | None
    """``crawlers.run``, for the readings that promotions rest on."""


def _export(config: ArchiveConfig, wanted: _Wanted, *, as_json: bool) -> Exit:
    from archive.exporting.exporter import Asked, Exporter
    from archive.reader import open_reader
    from archive.vault import Vault
    from console.verification import kept_checkpoint

    with open_reader(config):  # refuses where there is nothing to export, before a vault would make something
        pass
    if wanted.output.exists() or wanted.output.is_symlink():
        raise UsageError(f"{wanted.output} is there already, and nothing is overwritten: name another")
    with (
        Vault.open(config, clock=now, notify=say) as vault,
        ThreadPoolExecutor(_THREADS, "export") as threads,
    ):
        ledger = vault.sequencer
        scope = None if wanted.case is None else vault.cases.resolve(wanted.case)
        items = tuple(vault.cases.items(scope)) if scope is not None else _items(vault, wanted.units)
        asked = Asked(
            scope=scope,
            items=items,
            since=tuple(kept_checkpoint(each, ledger.trust) for each in wanted.since),
            recipient=wanted.recipient,
            as_zip=wanted.as_zip,
            at=wanted.at,
            looks_due=lambda until: _due(config, wanted.case, until),
        )
        if wanted.package:
            _pack(vault, items)

        def seal(receipt: "Receipt") -> None:
            try:
                vault.timekeeper.sealing.seal([receipt])
            except ArchiveError as error:
                say(f"no trusted time over the export: {error}")

        def promotions(chosen: "Selection") -> "Promotions":
            return _promotions(vault, wanted, chosen)

        exporter = Exporter(
            ledger,
            vault.store,
            vault.scribe,
            seal=seal,
            progress=say,
            map=threads.map,
            promotions=None if wanted.run is None else promotions,
        )
        made = exporter.export(asked, wanted.output)
        verdict = judge(wanted.output, ledger.trust)
    if as_json:
        print_json(_document(made, verdict))
    else:
        _tell(made, verdict)
    if made.lost:
        return Exit.PARTIAL
    return Exit.OK if verdict.holds else Exit.STORE


def _due(config: ArchiveConfig, case: str | None, until: datetime) -> tuple[str, ...] | None:
    """None: of single items that would speak of a case; and where there is no database of watches, or none answers."""
    from archive.cases import case_name
    from archive.errors import QueueDown
    from archive.watching.database import EMBEDDED, open_database
    from archive.watching.due import due

    if case is None or (config.dsn is None and not (config.home / EMBEDDED).is_dir()):
        return None
    try:
        with open_database(config) as database, database.transaction() as connection:
            return due(connection, case_name(case), until)
    except QueueDown as error:
        say(f"how many looks were due is not known: {error}")
        return None


def _pack(vault: "Vault", items: Sequence[str]) -> None:
    """A WACZ for each unit that has none of all its captures; what cannot be packed is said."""
    import tempfile

    from archive.errors import Refused
    from archive.packaging import packer
    from archive.stewardship.opening import desk_in

    with desk_in(vault, clock=now, notify=lambda _: None, by_person=False) as opened:
        survey = opened.desk.survey()
        due = [each for each in items if each in survey.items and packer.is_due(survey.items[each])]
        for n, unit in enumerate(due, 1):
            with tempfile.TemporaryDirectory(prefix="package-", dir=vault.home.cache) as folder:
                try:
                    packer.record(opened.desk, survey, packer.pack(opened.desk, survey, unit, Path(folder)))
                except (Refused, StoreError) as error:
                    say(f"no package of {unit}: {error}")
            say(f"{n} of {len(due)} units packed")


def _promotions(vault: "Vault", wanted: _Wanted, chosen: "Selection") -> "Promotions":
    """What the captures that are exported come to, whatever any case asks for: terms are nobody else's business."""
    from archive.reader import Reader
    from console.kept import Kept
    from console.promoting import of_items

    if wanted.run is None:
        return []
    vault.advance_catalog()
    reader = Reader(store=vault.store, trust=vault.sequencer.trust, log=vault.sequencer.reader)
    kept = Kept(reader=reader, catalog=vault.catalog)
    return of_items(kept, wanted.run(), vault.home.cache, chosen.items, chosen.size)


def _items(vault: "Vault", texts: Sequence[str]) -> tuple[str, ...]:
    from console.browsing import entry_named

    vault.advance_catalog()
    return tuple(dict.fromkeys(entry_named(vault.catalog, text).unit for text in texts))


def _document(made: "Exported", verdict: "Verdict") -> dict[str, "Json"]:
    return {
        "schema": 1,
        "path": str(made.path),
        "entries": made.entries,
        "blobs": made.blobs,
        "bytes": made.bytes,
        "size": made.size,
        "at": made.at,
        "again": made.again,
        "population": canonical.loads(made.population.format()),
        "index": made.index,
        "event_id": made.event_id,
        "trust_sha256": made.trust.hex,
        "tokens": made.tokens,
        "origins": dict(made.origins),
        "received": made.received,
        "quarantined": list(made.quarantined),
        "missing": [
            {"sha256": each.digest.hex, "name": each.name, "index": each.index, "reason": each.reason}
            for each in made.missing
        ],
        "verdict": verdict.word,
    }


def _tell(made: "Exported", verdict: "Verdict") -> None:
    out.print(
        f"{made.path}: {made.blobs} files ({made.bytes} bytes) and {made.entries} entries, proved in a tree of "
        f"{made.size}; recorded as entry {made.index}",
        markup=False,
    )
    said = "this is an earlier export, made again" if made.again else f"--at {made.at} makes the same again"
    out.print(f"the log was looked at up to {made.at} entries; {said}", markup=False)
    for line in made.population.lines():
        out.print(line, markup=False)
    for each in made.missing:
        out.print(f"not in it: {each.name} of entry {each.index} ({each.reason})", markup=False)
    if verdict.facts.get("time") != "trusted":
        out.print("NO TRUSTED TIME over all of it", markup=False)
    if not_public := made.origins.get("not_public"):
        out.print(f"NOT PUBLIC: {not_public} captures had something of our own between them and the site", markup=False)
    if made.received:
        out.print(f"RECEIVED: {made.received} files came from others; custody of them begins at receipt", markup=False)
    if made.quarantined:
        said = "secrets may be in them, and a person allowed it"
        out.print(f"QUARANTINED: {len(made.quarantined)} captures ({said})", markup=False)
    out.print(f"checked as its recipient will: {verdict.word}", markup=False)
    out.print(f"trust file (give it by another way): sha256 {made.trust.hex}", markup=False)


def proof(
    what: Annotated[
        str | None, typer.Argument(metavar="[INDEX|ID]", help="A leaf's index, or a capture's id: its end is meant.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="- is stdout.")],
    consistency: Annotated[
        Path | None,
        typer.Option("--consistency", metavar="FILE", help="Instead: that the log goes on from this checkpoint."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="Keys and authorities to believe. [the home's]")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Write the proof that a leaf is in the log (C2SP .tlog-proof), up to the newest signed checkpoint.

    counterproof proof 303 -o entry-303.tlog-proof
    """
    from archive import disk
    from archive.reader import open_reader

    with sentences(as_json=False):
        if (what is None) == (consistency is None):
            raise UsageError("say what to prove: an index or a capture's id, or --consistency CHECKPOINT")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_reader(config, trust_file=trust) as reader:
            data, told = _proved(config, reader, what, consistency)
        if str(output) == "-":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            if output.exists() and not force:
                raise UsageError(f"{output} is there already: name another file, or add --force")
            with disk.trouble(output):
                output.write_bytes(data)
        say(f"{output}: {told}")


def _proved(config: ArchiveConfig, reader: "Reader", what: str | None, consistency: Path | None) -> tuple[bytes, str]:
    from archive.exporting.proofs import Prover
    from archive.reader import open_catalog
    from console.browsing import entry_named
    from console.verification import kept_checkpoint
    from custody import keyspace

    if reader.trust is None:
        raise UsageError("a proof leads to a checkpoint, whose key must be known: add --trust FILE")
    checkpoint = reader.store.read(keyspace.checkpoint(reader.log.log))
    prover = Prover(reader.log, reader.trust.log, checkpoint)
    size = prover.signed.size
    if consistency is not None:
        old = kept_checkpoint(consistency, reader.trust)
        return prover.consistency(old).format(), f"the log of {size} leaves goes on from the one of {old.size}"
    text = str(what)
    if text.isdecimal() and text.isascii() and (text == "0" or not text.startswith("0")):
        index = int(text)
    else:
        with open_catalog(config, reader) as catalog:
            entry = entry_named(catalog, text)
        index = entry.started_index if entry.index is None else entry.index
    if index >= size:
        raise UsageError(f"the newest checkpoint has {size} leaves, from 0 to {size - 1}: there is no leaf {index} yet")
    return prover.inclusion(index, reader.log.leaf(index, size)).format(), f"leaf {index} is in the tree of {size}"


def judge(
    path: Path,
    trust: "Trust | None",
    kept: Sequence["Checkpoint"] = (),
    *,
    trust_digest: "Digest | None" = None,
) -> "Verdict":
    """Raises ``UsageError`` for what is no export at all."""
    from archive.opinion import ask_openssl
    from custody.bundle.package import Gone, open_package
    from custody.bundle.verify import verify
    from custody.files import THREADS

    try:
        package = open_package(path)
    except Gone as error:
        raise UsageError(str(error)) from error
    with closing(package), ThreadPoolExecutor(THREADS, "verify") as threads:
        return verify(
            package,
            trust,
            at=now(),
            trust_digest=trust_digest,
            kept=kept,
            second_opinion=ask_openssl,
            map=threads.map,
        )


def verify_export(
    path: Path, *, trust_file: Path | None, trust_digest: str | None, checkpoints: Sequence[Path], as_json: bool
) -> Exit:
    """0 only if every check holds, under the trust file that was given: the home's is not taken for the recipient's."""
    from archive.keyring.making import read_trust
    from console.verification import kept_checkpoint
    from custody.digest import Digest
    from custody.wording import tell

    trust, digest = None, None
    if trust_digest is not None:
        if trust_file is not None:
            raise UsageError("give --trust FILE or --trust-digest SHA256, not both: the file's digest is its digest")
        try:
            digest = Digest(trust_digest.strip().lower().removeprefix("sha256:"))
        except FormatError as error:
            raise UsageError(f"--trust-digest: {error}") from error
        trust = _own_trust(path, digest) if checkpoints else None
    if trust_file is not None:
        trust = read_trust(trust_file)
    kept = {each: kept_checkpoint(each, trust) for each in checkpoints}
    verdict = judge(path, trust, tuple(kept.values()), trust_digest=digest)
    if as_json:
        print_json({**verdict.to_json(), "export": str(path)})
    else:
        for line in tell(verdict, str(path), {str(each): checkpoint for each, checkpoint in kept.items()}):
            out.print(str(line), markup=False)
    if verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


def _own_trust(path: Path, digest: "Digest") -> "Trust":
    """To open kept checkpoints by. Raises ``UsageError`` where the export brings another."""
    from custody.bundle.package import Gone, open_package
    from custody.bundle.trustees import own_trust

    try:
        package = open_package(path)
    except Gone as error:
        raise UsageError(str(error)) from error
    with closing(package):
        found = own_trust(package, digest)
    if found is None:
        raise UsageError(f"{path} brings no trust file with the digest {digest}: no checkpoint can be held against it")
    return found


def refuse_store(**given: Any) -> None:
    """An export is verified by itself: options about stores make no sense beside it."""
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name} is about a store, and --export is not in one: leave it out")
