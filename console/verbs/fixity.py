"""``counterproof fixity``: what is kept, read back and held against what was recorded."""

import os
import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences

if TYPE_CHECKING:
    from archive.stewardship.fixity import Fault, Report

PURPOSES = ("asked", "scheduled", "certification")
_SHOWN = 50
_SEED_BYTES = 32


def fixity(
    *,
    case: Annotated[
        str | None, typer.Option("--case", metavar="NAME", help="Only what belongs to this case. [everything]")
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="N|P%",
            help="Only so many blobs, or such a share of them, drawn at random; the seed is written down. [all]",
        ),
    ] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="|".join(PURPOSES), help="Why it is done; it stands in the log.")
    ] = "asked",
    record: Annotated[
        bool | None,
        typer.Option("--record/--no-record", help="Put the result into the log. [yes; not for a directory]"),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read blobs back from the store, hash them, and compare their locks and versions with the records.

    Everything that a capture left is read, byte for byte; what was disposed of is not looked for. The result goes into
    the log as fixity.verified, with the sample that was drawn, so that a year of checks can be shown later. Do it by a
    timer, on a part of everything:

      counterproof fixity --sample 5% --purpose scheduled

    Exit codes: 0 all of it is as recorded, 1 something is not (each blob is named, with the captures that name it),
    6 the store could not be asked, and nothing was recorded.
    """
    from archive.stewardship.fixity import sample_size

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        if purpose not in PURPOSES:
            raise UsageError(f"--purpose is one of {', '.join(PURPOSES)}, got {purpose[:40]!r}")
        if sample is not None:
            sample_size(sample, 100)  # a slip of the finger is told before anything is read
        if record is None and (config.store_url or "").startswith("file:"):
            say("the result is not recorded, since a directory may be a copy; --record if it is the archive itself")
            record = False
        document, faults = _checked(config, case, sample, purpose, record=record is not False)
    code = Exit.DOES_NOT_HOLD if faults else Exit.OK
    if as_json:
        print_json({**document, "exit_code": int(code)})
    else:
        _tell(document, faults)
    raise typer.Exit(code)


def _checked(
    config: ArchiveConfig, case: str | None, sample: str | None, purpose: str, *, record: bool
) -> tuple[dict[str, Any], list["Fault"]]:
    """The document, and what did not hold."""
    from concurrent.futures import ThreadPoolExecutor

    from archive.reader import open_reader
    from archive.stewardship import fixity as checks
    from archive.stewardship.desk import Shelf
    from archive.stewardship.opening import THREADS, open_desk

    def examine(shelf: Shelf, scope: str | None) -> "Report":
        survey = shelf.survey()
        return checks.examine(
            shelf,
            survey,
            scope=scope,
            sample=sample,
            seed=secrets.token_bytes(_SEED_BYTES),
            purpose=purpose,
            clock=now,
        )

    if not record:
        with open_reader(config) as reader, ThreadPoolExecutor(THREADS, "fixity") as threads:
            shelf = Shelf(store=reader.store, reader=reader.log, map=threads.map, tell=say)
            report = examine(shelf, None if case is None else reader.cases.resolve(case))
            return _document(report, case, reader.store.name, reader.log.log), report.faults
    with open_desk(config, clock=now, notify=say, by_person=False) as opened:
        report = examine(opened.desk, None if case is None else opened.scope(case))
        index = checks.record(opened.desk, report)
        time = opened.stamp()
        document = _document(report, case, opened.vault.store.name, opened.vault.sequencer.log)
        return {**document, "index": index, "time": time.time, "time_detail": time.detail}, report.faults


def _document(report: "Report", case: str | None, store: str, log: str) -> dict[str, Any]:
    told = {name: value for name, value in report.to_json().items() if name != "blobs"}
    return {"schema": 1, "store": store, "log": log, "case": case, **told, "index": None}


def _tell(document: dict[str, Any], faults: list["Fault"]) -> None:
    sample = document["sample"]
    drawn = f" (a sample of {sample['of']}, seed {sample['seed']})" if sample else ""
    out.print(Text(f"{document['checked']} blobs read, {document['bytes']} bytes{drawn}"))
    kept = f"{document['locks']['compared']} compared with the records"
    out.print(Text(f"locks: {kept if document['locks']['kept'] else 'this store keeps none'}"))
    if document["disposed"]:
        out.print(Text(f"{document['disposed']} blobs were disposed of by the log's own word and not looked for"))
    for each in faults[:_SHOWN]:
        out.print(Text(f"{each.kind.upper():<10} {each.digest.hex}", style="red"))
        out.print(Text(f"           recorded: {each.recorded}; found: {each.found}"))
        for claim in each.named_by[:10]:
            of = f"capture {claim.capture}" if claim.capture else claim.chain
            out.print(Text(f"           named by {of} as {claim.name} (leaf {claim.index})"))
    if len(faults) > _SHOWN:
        out.print(Text(f"… and {len(faults) - _SHOWN} more: --json lists them all"))
    index = document["index"]
    where = "not recorded" if index is None else f"recorded in leaf {index}"
    if faults:
        out.print(
            Text(f"DOES NOT HOLD: {document['failed']} of {document['checked']} blobs; {where}", style="bold red")
        )
    else:
        out.print(Text(f"AS RECORDED: {where}", style="bold green"))
