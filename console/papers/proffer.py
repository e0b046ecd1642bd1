"""What a certification may say: exhibits, their files hashed again just now, their runs, the verdict, what lacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.errors import NotStored, StoreError
from archive.exhibits import Exhibit, Register
from archive.stewardship.decisions import allows
from console.kept import Kept
from console.papers.casefile import CaseFile, Deed, Look
from console.papers.numbering import check
from custody.artifact import Artifact
from custody.digest import Digest
from custody.model import Origin, Role
from custody.record import Record, quarantine_of
from custody.verdict import Verdict

FAIR = "fair_and_accurate"
MAX_OFFSET_MS = 2_000
"""Beyond it, a clock wants an explanation before anything is certified."""
MINIMUM: Mapping[Role, str] = {
    Role.SCREENSHOT: "a picture of the whole page",
    Role.DOM: "the document (HTML)",
    Role.WARC: "the traffic",
}
"""Of a capture that is to be certified: the original beside the picture of it."""

_PROGRAM = {"version": "version", "build": "build", "code digest": "code_sha256", "browser": "browser_version"}
"""What a draft says of the program: its name there, and in the record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hashed:
    """One file, read from the store and hashed again."""

    artifact: Artifact
    found: Digest | None
    """None: it is not there."""

    @property
    def is_same(self) -> bool:
        return self.found == self.artifact.digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One exhibit."""

    exhibit: Exhibit
    label: str
    look: Look | None
    wrong: str
    """Why it is not what was frozen; empty where it is."""
    files: tuple[Hashed, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of the program."""

    id: str
    opened: Mapping[str, Any] = field(repr=False)
    """``run.json``; empty where it is gone."""
    closed: Mapping[str, Any] = field(repr=False)

    def control(self, when: str) -> str:
        """``passed``, or what came of it instead."""
        told = (self.closed.get("control") or {}).get(when) or {}
        return str(told.get("result") or "not recorded")

    @property
    def clocks(self) -> list[Mapping[str, Any]]:
        return [each for each in (self.opened.get("clock"), self.closed.get("clock")) if isinstance(each, Mapping)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proffer:
    """All of it, for the exhibits of one case."""

    file: CaseFile
    register: Register
    pieces: tuple[Piece, ...]
    runs: tuple[Run, ...]
    verdict: Verdict

    @property
    def deeds(self) -> list[Deed]:
        """The events about the exhibits: of their captures, units and runs, and what was done with them later."""
        captures = {each.exhibit.capture for each in self.pieces}
        units = {each.exhibit.unit for each in self.pieces}
        runs = {f"run:{each.id}" for each in self.runs}
        return [
            each
            for each in self.file.deeds
            if each.logged.event.chain in runs
            or each.capture in captures
            or (each.capture is None and str(each.logged.event.body.get("item")) in units)
            or each.logged.event.type == "evidence.exported"
        ]

    @property
    def statements(self) -> dict[str, list[str]]:
        """What witnesses said of each capture, by the words of the event."""
        found: dict[str, list[str]] = {}
        for each in self.deeds:
            if each.logged.event.type == "capture.witnessed" and each.capture is not None:
                found.setdefault(each.capture, []).append(str(each.logged.event.body["statement"]))
        return found

    def environments(self, *path: str) -> list[str]:
        """What the records say of one thing of their making, each once."""
        found = []
        for each in self.pieces:
            value: Any = None if each.look is None or each.look.record is None else each.look.record.circumstances
            for step in ("environment", *path):
                value = value.get(step) if isinstance(value, Mapping) else None
            found.append("" if value is None else str(value))
        return list(dict.fromkeys(found))


def proffered(file: CaseFile, register: Register, verdict: Verdict) -> Proffer:
    """Reads every file of every exhibit."""
    pieces = tuple(_piece(file, register, each, wrong) for each, wrong in check(file, register))
    records = [each.look.record for each in pieces if each.look is not None and each.look.record is not None]
    runs = tuple(_run(file, each) for each in dict.fromkeys(record.run for record in records))
    return Proffer(file=file, register=register, pieces=pieces, runs=runs, verdict=verdict)


def lacking(said: Proffer) -> Iterator[str]:
    """What a certification needs and the record does not have, a sentence each; nothing: it may be drafted."""
    if not said.verdict.holds:
        yield f"the archive does not hold: {said.verdict.word} (`counterproof verify` names what is wrong)"
    for each in said.pieces:
        yield from _lacking_of(said, each)
    for run in said.runs:
        yield from _lacking_of_run(run)
    for name, path in _PROGRAM.items():
        if "" in said.environments(path):
            yield f"the {name} of the program that made a capture is not recorded"


def _lacking_of(said: Proffer, piece: Piece) -> Iterator[str]:
    label, look = piece.label, piece.look
    if piece.wrong or look is None or look.record is None:
        yield f"{label}: {piece.wrong or 'its capture is not at hand'}"
        return
    record, bracket = look.record, look.dated.bracket
    if bracket.not_after is None:
        yield f"{label}: no trusted time says when it was made at the latest"
    if bracket.not_before is None:
        yield f"{label}: no trusted time says when it was begun at the earliest"
    if record.origin is Origin.NOT_PUBLIC:
        yield f"{label}: origin not_public: {'; '.join(record.origin_reasons[:3])}"
    for role, what in MINIMUM.items():
        if look.artifact(role) is None:
            yield f"{label}: {what} is not among what was kept"
    for file in piece.files:
        if not file.is_same:
            state = "is not there" if file.found is None else f"has the digest {file.found.hex} now"
            yield f"{label}: {file.artifact.name} {state}, and was recorded with {file.artifact.digest.hex}"
    for figure in _blank(record):
        yield f"{label}: {figure} is not recorded, and would be blank in a draft"
    if _may_be_signed_in(record):
        yield f"{label}: the record does not say that nobody was signed in"
    if quarantine_of(record.circumstances) and not allows(
        said.file.shelf, said.file.survey, look.id, scope=said.file.scope
    ):
        yield f"{label}: it is quarantined, and nobody has allowed that it is handed over"


def _blank(record: Record) -> Iterator[str]:
    """Figures of a draft that this record does not have. Where the program itself says that it did not know, it is the
    same: nobody can sign a blank.
    """
    environment, network = (_section(record, each) for each in ("environment", "network"))
    egress = environment.get("egress")
    address = egress.get("address") if isinstance(egress, Mapping) else None
    if address in {None, "", "unknown"}:
        yield "the address that sites saw (COUNTERPROOF_EGRESS_ADDRESS_URL names who tells it)"
    figures: Mapping[str, object] = {
        "the address that was asked for": record.requested_url,
        "the address that was shown": record.final_url,
        "the HTTP status": record.http_status,
        "why it is taken for what was shown": record.outcome_reason.strip(),
        "when it was asked for and left": {"requested_at", "closed_at"} <= record.times.keys(),
        "as whom the browser asked": environment.get("user_agent"),
        "its language": environment.get("languages"),
    }
    yield from (name for name, value in figures.items() if not value)
    if network.get("refusals") is None:
        yield "the number of connections that the program refused"


def _may_be_signed_in(record: Record) -> bool:
    """Or says nothing of it. None is a person's own window, of which the draft says what is known."""
    return _section(record, "session").get("logged_in", True) not in {False, None}


def _section(record: Record, name: str) -> Mapping[str, Any]:
    found: Any = record.circumstances.get(name)
    return found if isinstance(found, Mapping) else {}


def _lacking_of_run(run: Run) -> Iterator[str]:
    if not run.opened:
        yield f"run {run.id}: what it was begun with is not at hand"
    if not run.closed:
        yield f"run {run.id}: it has no end, or its end is not at hand"
    if run.opened and not run.opened.get("operator"):
        yield f"run {run.id}: who began it is not recorded"
    if run.opened and run.closed and not run.clocks:
        yield f"run {run.id}: the machine's clock is not recorded"
    for when in ("start", "end"):
        if run.control(when) != "passed":
            yield f"run {run.id}: no control capture passed at its {when} ({run.control(when)})"
    for clock in run.clocks:
        offset = clock.get("offset_ms")
        if isinstance(offset, int) and abs(offset) > MAX_OFFSET_MS:
            yield f"run {run.id}: the clock was {offset} ms off, which wants an explanation"


def _piece(file: CaseFile, register: Register, exhibit: Exhibit, wrong: str) -> Piece:
    look = file.looks.get(exhibit.capture)
    artifacts = () if look is None or look.record is None else look.record.artifacts
    return Piece(
        exhibit=exhibit,
        label=register.label(exhibit),
        look=look,
        wrong=wrong,
        files=tuple(Hashed(artifact=each, found=_hash(file.kept, each)) for each in artifacts),
    )


def _hash(kept: Kept, artifact: Artifact) -> Digest | None:
    try:
        with kept.reader.store.open(artifact.key) as stream:
            return Digest.of_stream(stream)[0]
    except NotStored:
        return None


def _run(file: CaseFile, run: str) -> Run:
    found: dict[str, Mapping[str, Any]] = {}
    for each in file.deeds:
        if each.logged.event.chain == f"run:{run}":
            try:
                found[each.logged.event.type] = file.detail(each)
            except StoreError:
                continue  # it stays empty, and is told as lacking
    return Run(id=run, opened=found.get("run.opened", {}), closed=found.get("run.closed", {}))
