"""A verdict in words, for people: the same on a terminal, in a log and from the wheel that checks without us."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from custody.checkpoint import Checkpoint
from custody.model import Json
from custody.verdict import Check, Finding, Severity, Verdict

_SHOWN = 50
_NOTES_OF_A_CODE = 3


class Tone(Enum):
    """How loud a line is; whoever has colours gives it one."""

    PLAIN = auto()
    GOOD = auto()
    WARNING = auto()
    BAD = auto()


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    tone: Tone = Tone.PLAIN
    mark: str = ""
    """Before the text; only it has the tone then."""

    def __str__(self) -> str:
        return f"{self.mark}{self.text}"


_MARKS = {True: ("OK  ", Tone.GOOD), False: ("FAIL", Tone.BAD), None: ("--  ", Tone.WARNING)}


def tell(verdict: Verdict, what: str, kept: Mapping[str, Checkpoint] = MappingProxyType({})) -> Iterator[Line]:
    """``what`` was verified: a store, a case in it, a folder. ``kept``: checkpoints of the reader's, by their files."""
    yield Line(f"verifying {shown(what)}, log {shown(verdict.log) or 'none'}, {verdict.size} leaves")
    for check in verdict.checks:
        yield _check(check)
    findings = [each for each in verdict.findings if each.severity is not Severity.NOTE]
    for finding in findings[:_SHOWN]:
        yield from _finding(finding)
    if len(findings) > _SHOWN:
        yield Line(f"… and {len(findings) - _SHOWN} more: --json lists them all")
    yield from _notes(verdict.notes)
    yield from _kept(verdict, kept)
    yield from _facts(verdict.facts)
    yield Line(f"VERDICT: {verdict.word}", Tone.GOOD if verdict.holds else Tone.BAD)


def shown(text: str) -> str:
    """What a stranger wrote, without what could move the cursor, turn the line around or hide in it (UAX #9)."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _check(check: Check) -> Line:
    mark, tone = _MARKS[check.passed]
    return Line(f"  {check.n:2d} {check.name:<11}{shown(check.detail)}", tone, mark)


def _finding(finding: Finding) -> Iterator[Line]:
    yield Line(f"{finding.code}: {shown(finding.message)}", Tone.BAD)
    where = ", ".join(f"{name} {value}" for name, value in finding.locator.items() if value is not None)
    if where:
        yield Line(f"    at {shown(where)}")


def _notes(notes: Sequence[Finding]) -> Iterator[Line]:
    """A few of each code: a hundred captures that were disposed of are one thing worth knowing."""
    told: Counter[str] = Counter()
    for note in notes:
        told[note.code] += 1
        if told[note.code] <= _NOTES_OF_A_CODE:
            yield Line(f"note  {note.code}: {shown(note.message)}", Tone.WARNING)
    for code, count in told.items():
        if count > _NOTES_OF_A_CODE:
            yield Line(f"note  {code}: {count - _NOTES_OF_A_CODE} more of these, --json lists them", Tone.WARNING)


def _kept(verdict: Verdict, kept: Mapping[str, Checkpoint]) -> Iterator[Line]:
    said: Any = verdict.facts.get("kept") or ()
    extended = {(each["size"], each["root"]): each["extended"] for each in said}
    words = {
        True: f"today's log of {verdict.size} leaves extends it",
        False: "today's log does NOT extend it",
        None: "could not be compared with today's log",
    }
    for file, each in kept.items():
        word = words[extended.get((each.size, each.root.hex()))]
        yield Line(f"checkpoint {shown(file)}, {each.size} leaves: {word}")


def _facts(facts: Mapping[str, Json]) -> Iterator[Line]:
    origins: Any = facts.get("origins") or {}
    if origins:
        yield Line("origin: " + ", ".join(f"{count} {origin}" for origin, count in origins.items()))
    if not_public := origins.get("not_public"):
        yield Line(f"NOT PUBLIC: {not_public} captures had something of the operator's own between them and the site")
    if received := facts.get("received"):
        yield Line(f"RECEIVED: {received} files came from others; custody of them begins when they were received")
    if witnessed := facts.get("witnessed"):
        yield Line(f"witnessed: {witnessed} captures, by people who looked at the live page as well")
    time = facts.get("time")
    if time != "trusted":
        yield Line(f"NO TRUSTED TIME: {time}")
    if seconds := facts.get("second_opinions"):
        yield Line(f"time: {seconds} tokens were read by openssl, not by this verifier")
    if held := facts.get("held"):
        yield Line(f"on hold: {held} items")
    if disposed := facts.get("disposed"):
        yield Line(
            f"disposed of: {disposed} items; what they were is in the log, the bytes are gone where notes say so"
        )
    if corrected := facts.get("corrected"):
        yield Line(f"corrected: the records of {corrected} captures; they stay as they are, the corrections beside")
    if waiting := facts.get("waiting"):
        yield Line(f"NOT IN THE LOG YET: {waiting} events wait in the inbox")
    if facts.get("lock_bypass") == "yes":
        yield Line("locks: the writer's own credentials can release them (GOVERNANCE); the log does not rest on them")
