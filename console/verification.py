"""``counterproof verify``: the verdict as a table of numbered checks, and what was found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, NotStored, StoreError, UsageError
from archive.opinion import ask_openssl
from archive.reader import open_reader
from console.exits import Exit
from console.screen import now, out, print_json
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.errors import CustodyError
from custody.model import Json
from custody.note import MAX_BYTES
from custody.trust import Trust
from custody.verify import Check, Finding, Severity, Verdict
from custody.verify import verify as judge

_THREADS = 8  # reads wait for the store more than for the processor
_SHOWN = 50
_NOTES_OF_A_CODE = 3


def code_of(error: ArchiveError | CustodyError) -> Exit:
    """Whatever keeps us from checking is "could not check"; a wrong option stays a wrong option."""
    return Exit.USAGE if isinstance(error, UsageError) else Exit.STORE


def verify(
    config: ArchiveConfig,
    *,
    trust_file: Path | None,
    case: str | None,
    as_json: bool,
    checkpoints: Sequence[Path] = (),
) -> Exit:
    """0 only if every check holds; 6 when something could not be looked at."""
    with open_reader(config, trust_file=trust_file) as reader, ThreadPoolExecutor(_THREADS, "verify") as threads:
        kept = {path: _kept(path, reader.trust) for path in checkpoints}
        scope = None if case is None else reader.cases.resolve(case)
        verdict = judge(
            reader.store,
            reader.trust,
            at=now(),
            scope=scope,
            kept=tuple(kept.values()),
            second_opinion=ask_openssl,
            map=threads.map,
            absent=(NotStored,),
            unreachable=(StoreError, OSError),
        )
        name = reader.store.name
    if as_json:
        print_json({**verdict.to_json(), "store": name, "case": case})
    else:
        _tell(verdict, name, case, kept)
    if verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


_MARKS = {True: ("OK  ", "green"), False: ("FAIL", "bold red"), None: ("--  ", "yellow")}


def _kept(path: Path, trust: Trust | None) -> Checkpoint:
    """A checkpoint that the reader has from earlier. One that the log's key did not sign says nothing of the log."""
    if trust is None:
        raise UsageError("--checkpoint needs the key that signed it: add --trust FILE")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): name a file with a checkpoint") from error
    try:
        return open_checkpoint(data, trust.log)
    except CustodyError as error:
        raise UsageError(
            f"{path} is not a checkpoint that the log {trust.log.name} signed ({error}): name the one you kept, "
            "and the trust file that goes with it"
        ) from error


def _tell(verdict: Verdict, store: str, case: str | None, kept: Mapping[Path, Checkpoint]) -> None:
    about = f"case {case} in {store}" if case else store
    out.print(Text(f"verifying {about}, log {verdict.log or 'none'}, {verdict.size} leaves"))
    for check in verdict.checks:
        _tell_check(check)
    shown = [each for each in verdict.findings if each.severity is not Severity.NOTE]
    for finding in shown[:_SHOWN]:
        _tell_finding(finding)
    if len(shown) > _SHOWN:
        out.print(Text(f"… and {len(shown) - _SHOWN} more: --json lists them all"))
    _tell_notes(verdict.notes)
    for line in (*_kept_lines(verdict, kept), *_facts(verdict.facts)):
        out.print(Text(line))
    style = "bold green" if verdict.holds else "bold red"
    out.print(Text(f"VERDICT: {verdict.word}", style=style))


def _tell_check(check: Check) -> None:
    mark, style = _MARKS[check.passed]
    out.print(Text.assemble((mark, style), f"  {check.n:2d} {check.name:<11}", check.detail))


def _tell_finding(finding: Finding) -> None:
    where = ", ".join(f"{name} {value}" for name, value in finding.locator.items() if value is not None)
    out.print(Text(f"{finding.code}: {finding.message}", style="red"))
    if where:
        out.print(Text(f"    at {where}"))


def _tell_notes(notes: Sequence[Finding]) -> None:
    """A few of each code: a hundred captures that were disposed of are one thing worth knowing."""
    told: Counter[str] = Counter()
    for note in notes:
        told[note.code] += 1
        if told[note.code] <= _NOTES_OF_A_CODE:
            out.print(Text(f"note  {note.code}: {note.message}", style="yellow"))
    for code, count in told.items():
        if count > _NOTES_OF_A_CODE:
            out.print(
                Text(f"note  {code}: {count - _NOTES_OF_A_CODE} more of these, --json lists them", style="yellow")
            )


def _kept_lines(verdict: Verdict, kept: Mapping[Path, Checkpoint]) -> list[str]:
    said: Any = verdict.facts.get("kept") or ()
    extended = {(each["size"], each["root"]): each["extended"] for each in said}
    words = {
        True: f"today's log of {verdict.size} leaves extends it",
        False: "today's log does NOT extend it",
        None: "could not be compared with today's log",
    }
    return [
        f"checkpoint {path}, {each.size} leaves: {words[extended.get((each.size, each.root.hex()))]}"
        for path, each in kept.items()
    ]


def _facts(facts: Mapping[str, Json]) -> list[str]:
    lines = []
    origins: Any = facts.get("origins") or {}
    if origins:
        lines.append("origin: " + ", ".join(f"{count} {origin}" for origin, count in origins.items()))
    if not_public := origins.get("not_public"):
        lines.append(f"NOT PUBLIC: {not_public} captures had something of the operator's own between them and the site")
    time = facts.get("time")
    if time != "trusted":
        lines.append(f"NO TRUSTED TIME: {time}")
    if seconds := facts.get("second_opinions"):
        lines.append(f"time: {seconds} tokens were read by openssl, not by this verifier")
    if held := facts.get("held"):
        lines.append(f"on hold: {held} items")
    if disposed := facts.get("disposed"):
        lines.append(
            f"disposed of: {disposed} items; what they were is in the log, the bytes are gone where notes say so"
        )
    if corrected := facts.get("corrected"):
        lines.append(
            f"corrected: the records of {corrected} captures; the records stay as they are, the corrections beside"
        )
    if waiting := facts.get("waiting"):
        lines.append(f"NOT IN THE LOG YET: {waiting} events wait in the inbox")
    if facts.get("lock_bypass") == "yes":
        lines.append("locks: the writer's own credentials can release them (GOVERNANCE); the log does not rest on them")
    return lines
