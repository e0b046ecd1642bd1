"""``counterproof verify``: the verdict as a table of numbered checks, and what was found."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, NotStored, StoreError, UsageError
from archive.reader import open_reader
from console.exits import Exit
from console.screen import now, out, print_json
from custody.errors import CustodyError
from custody.model import Json
from custody.verify import Check, Finding, Severity, Verdict
from custody.verify import verify as judge

_THREADS = 8  # reads wait for the store more than for the processor
_SHOWN = 50


def code_of(error: ArchiveError | CustodyError) -> Exit:
    """Whatever keeps us from checking is "could not check"; a wrong option stays a wrong option."""
    return Exit.USAGE if isinstance(error, UsageError) else Exit.STORE


def verify(config: ArchiveConfig, *, trust_file: Path | None, case: str | None, as_json: bool) -> Exit:
    """0 only if every check holds; 6 when something could not be looked at."""
    with open_reader(config, trust_file=trust_file) as reader, ThreadPoolExecutor(_THREADS, "verify") as threads:
        scope = None if case is None else reader.cases.resolve(case)
        verdict = judge(
            reader.store,
            reader.trust,
            at=now(),
            scope=scope,
            map=threads.map,
            absent=(NotStored,),
            unreachable=(StoreError, OSError),
        )
        name = reader.store.name
    if as_json:
        print_json({**verdict.to_json(), "store": name, "case": case})
    else:
        _tell(verdict, name, case)
    if verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


_MARKS = {True: ("OK  ", "green"), False: ("FAIL", "bold red"), None: ("--  ", "yellow")}


def _tell(verdict: Verdict, store: str, case: str | None) -> None:
    about = f"case {case} in {store}" if case else store
    out.print(Text(f"verifying {about}, log {verdict.log or 'none'}, {verdict.size} leaves"))
    for check in verdict.checks:
        _tell_check(check)
    shown = [each for each in verdict.findings if each.severity is not Severity.NOTE]
    for finding in shown[:_SHOWN]:
        _tell_finding(finding)
    if len(shown) > _SHOWN:
        out.print(Text(f"… and {len(shown) - _SHOWN} more: --json lists them all"))
    for note in verdict.notes[:_SHOWN]:
        out.print(Text(f"note  {note.code}: {note.message}", style="yellow"))
    for line in _facts(verdict.facts):
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
    if facts.get("lock_bypass") == "yes":
        lines.append("locks: the writer's own credentials can release them (GOVERNANCE); the log does not rest on them")
    return lines
