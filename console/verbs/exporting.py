"""``counterproof export`` and ``proof``, and ``verify --export``: evidence in other people's hands."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.errors import TrustError

if TYPE_CHECKING:
    from archive.exporting.exporter import Exported
    from archive.reader import Reader
    from archive.receipt import Receipt
    from archive.vault import Vault
    from custody.checkpoint import Checkpoint
    from custody.model import Json
    from custody.trust import Trust
    from custody.verdict import Verdict

_MAX_RECIPIENT = 200


def export(
    *,
    case: Annotated[
        str | None, typer.Option("--case", metavar="NAME", help="All of a case, shown to be whole.")
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="ID", help="All that was made of one capture, by its id; names no case."),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Must not be there yet.")],
    as_zip: Annotated[bool, typer.Option("--zip", help="One file instead of a folder.")] = False,
    since: Annotated[
        list[Path] | None,
        typer.Option(
            "--since", metavar="FILE", help="A checkpoint the recipient holds: proves that the log goes on from it."
        ),
    ] = None,
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

    counterproof export --case NAME -o bag --for "counsel of the other side"
    """
    with sentences(as_json=as_json):
        if (case is None) == (not unit):
            raise UsageError("say what to export: --case NAME, or --unit ID (repeatable)")
        if recipient is not None and len(recipient) > _MAX_RECIPIENT:
            raise UsageError(f"--for has at most {_MAX_RECIPIENT} characters")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = _export(config, case, unit or [], output.expanduser(), as_zip, since or [], recipient, as_json)
    raise typer.Exit(code)


def _export(  # noqa: PLR0917  # one call, named there
    config: ArchiveConfig,
    case: str | None,
    units: Sequence[str],
    output: Path,
    as_zip: bool,
    since: Sequence[Path],
    recipient: str | None,
    as_json: bool,
) -> Exit:
    from archive.exporting.exporter import Asked, Exporter
    from archive.reader import open_reader
    from archive.vault import Vault
    from console.verification import kept_checkpoint

    with open_reader(config):  # refuses where there is nothing to export, before a vault would make something
        pass
    if output.exists() or output.is_symlink():
        raise UsageError(f"{output} is there already, and nothing is overwritten: name another")
    with Vault.open(config, clock=now, notify=say) as vault:
        ledger = vault.sequencer
        scope = None if case is None else vault.cases.resolve(case)
        items = tuple(vault.cases.items(scope)) if scope is not None else _items(vault, units)
        asked = Asked(
            scope=scope,
            items=items,
            since=tuple(kept_checkpoint(each, ledger.trust) for each in since),
            recipient=recipient,
            as_zip=as_zip,
        )

        def seal(receipt: "Receipt") -> None:
            try:
                vault.timekeeper.sealing.seal([receipt])
            except ArchiveError as error:
                say(f"no trusted time over the export: {error}")

        exporter = Exporter(ledger, vault.store, vault.scribe, seal=seal, progress=say)
        made = exporter.export(asked, output)
        verdict = judge(output, ledger.trust)
    if as_json:
        print_json(_document(made, verdict))
    else:
        _tell(made, verdict)
    if made.lost:
        return Exit.PARTIAL
    return Exit.OK if verdict.holds else Exit.STORE


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
        "index": made.index,
        "event_id": made.event_id,
        "trust_sha256": made.trust.hex,
        "tokens": made.tokens,
        "origins": dict(made.origins),
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
    for each in made.missing:
        out.print(f"not in it: {each.name} of entry {each.index} ({each.reason})", markup=False)
    if verdict.facts.get("time") != "trusted":
        out.print("NO TRUSTED TIME over all of it", markup=False)
    if not_public := made.origins.get("not_public"):
        out.print(f"NOT PUBLIC: {not_public} captures had something of our own between them and the site", markup=False)
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


def judge(path: Path, trust: "Trust | None", kept: Sequence["Checkpoint"] = ()) -> "Verdict":
    """Raises ``UsageError`` for what is no export at all."""
    from archive.opinion import ask_openssl
    from custody.bundle.package import Gone, open_package
    from custody.bundle.verify import verify

    try:
        package = open_package(path)
    except Gone as error:
        raise UsageError(str(error)) from error
    with closing(package):
        return verify(package, trust, at=now(), kept=kept, second_opinion=ask_openssl)


def verify_export(path: Path, *, trust_file: Path | None, checkpoints: Sequence[Path], as_json: bool) -> Exit:
    """0 only if every check holds, under the trust file that was given: the home's is not taken for the recipient's."""
    from console.verification import kept_checkpoint
    from custody.trust import Trust
    from custody.wording import tell

    trust = None
    if trust_file is not None:
        try:
            trust = Trust.parse(trust_file.read_bytes())
        except OSError as error:
            raise UsageError(f"{trust_file} cannot be read ({error.strerror}): name the one you were given") from error
        except TrustError as error:
            raise UsageError(f"{trust_file} is not a trust file that can be believed: {error}") from error
    kept = {each: kept_checkpoint(each, trust) for each in checkpoints}
    verdict = judge(path, trust, tuple(kept.values()))
    if as_json:
        print_json({**verdict.to_json(), "export": str(path)})
    else:
        for line in tell(verdict, str(path), {str(each): checkpoint for each, checkpoint in kept.items()}):
            out.print(str(line), markup=False)
    if verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


def refuse_store(**given: Any) -> None:
    """An export is verified by itself: options about stores make no sense beside it."""
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name} is about a store, and --export is not in one: leave it out")
