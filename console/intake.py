"""``counterproof intake``: a list that was handed over, row by row: what is new, what is there, what is no address."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from archive import disk, instruction
from archive.catalog import Catalog, Entry
from archive.errors import UsageError
from archive.exporting.sheets import Cell, Table, to_csv, to_xlsx
from archive.instruction import Instruction
from archive.result import Result
from archive.vault import Vault
from console.screen import now
from custody.instant import format_utc

ADDED = ("intake", "capture", "outcome", "time added", "note")
"""Columns of the sheet that is returned, after its own."""


class State(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    """To be captured."""
    CAPTURED = "captured"
    """For this list."""
    THERE = "already there"
    """The case had a capture of the address before the list was handed in."""
    REPEATED = "repeated"
    """An earlier row names the same page."""
    BAD = "bad"
    """No address that can be looked at."""
    NOT_CAPTURED = "not captured"
    """It was tried, or the run was interrupted before it: the same command again goes on with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One row."""

    n: int
    cells: tuple[str, ...]
    state: State
    url: str = ""
    key: str = ""
    note: str = ""
    entry: Entry | None = None
    """The capture of its address."""

    def to_json(self) -> dict[str, Any]:
        return {
            "row": self.n,
            "state": self.state.value,
            "url": self.url or None,
            "note": self.note or None,
            "capture": None if self.entry is None else self.entry.capture_id,
            "outcome": None if self.entry is None else self.entry.outcome,
            "captured_at": None if self.entry is None else format_utc(self.entry.started_at),
        }


def read(path: Path, run: ModuleType) -> tuple[bytes, Any]:
    """The file, and its rows. ``run`` is ``crawlers.run``. Raises ``UsageError``."""
    with disk.trouble(path):
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        with path.open("rb") as file:
            data = file.read(run.MAX_LIST_BYTES + 1)
    return data, run.read_sheet(data, name=path.name)


def mapped(sheet: Any, wishes: Sequence[str]) -> int:
    """The column of addresses. ``wishes``: ``url=COLUMN``, at most one. Raises ``UsageError``."""
    for wish in wishes:
        name, sign, _ = wish.partition("=")
        if name.strip().casefold() != "url" or not sign:
            raise UsageError(f"--map is url=COLUMN, by the column's name or letter; got {wish[:80]!r}")
    if len(wishes) > 1:
        raise UsageError("--map url=COLUMN is said once: one column holds the addresses")
    at: int = sheet.addresses() if not wishes else sheet.column(wishes[0].partition("=")[2])
    return at


def judge(sheet: Any, column: int, run: ModuleType) -> list[Judged]:
    """Each row by itself and against those above it; what is there already, nobody has looked for yet."""
    first: dict[str, int] = {}
    found = []
    for row in sheet.rows:
        text = row.cells[column].strip()
        if not text:
            found.append(Judged(n=row.n, cells=row.cells, state=State.BAD, note="it names no address"))
            continue
        try:
            (target,) = run.parse_arguments([text])
            url, key = target.url, run.dedupe_key(target.url)
        except UsageError as error:
            why = str(error).removeprefix("argument 1: ")
            found.append(Judged(n=row.n, cells=row.cells, state=State.BAD, note=why))
            continue
        if key in first:
            note = f"the same page as row {first[key]}"
            found.append(Judged(n=row.n, cells=row.cells, state=State.REPEATED, url=url, key=key, note=note))
        else:
            first[key] = row.n
            found.append(Judged(n=row.n, cells=row.cells, state=State.NEW, url=url, key=key))
    return found


def looked_up(rows: Sequence[Judged], catalog: Catalog, scope: str, received: Instruction | None) -> list[Judged]:
    """With the captures that the case has. ``received``: when the list was handed in; None: it is not yet."""
    found = []
    for row in rows:
        newest = next(iter(catalog.recorded_at(row.key, scope, limit=1)), None) if row.key else None
        if newest is None:
            found.append(row)
        elif row.state is State.REPEATED:
            found.append(replace(row, entry=newest))
        else:
            later = received is not None and newest.started_at >= received.at
            found.append(replace(row, entry=newest, state=State.CAPTURED if later else State.THERE))
    return found


def carry_out(
    rows: Sequence[Judged],
    data: bytes,
    vault: Vault,
    run: ModuleType,
    *,
    case: str,
    options: Mapping[str, Any],
    conduct: Any,
) -> tuple[list[Judged], Instruction, bool, Result | None]:
    """Record the list, capture what is new, and say what became of each row. ``conduct`` runs a job to its result."""
    scope = vault.open_case(case)
    vault.advance_catalog()
    log = vault.timekeeper if vault.sequencer.orders else vault.sequencer
    received, is_new = instruction.receive(
        data,
        rows=sum(each.state is not State.BAD for each in rows),
        scope=scope,
        scribe=vault.scribe_for(scope),
        log=log,
        reader=vault.sequencer,
    )
    known = looked_up(rows, vault.catalog, scope, received)
    urls = tuple(each.url for each in known if each.state is State.NEW)
    result: Result | None = None
    if urls:
        result = conduct(run.Job(urls=urls, case=case, **options))
        vault.advance_catalog()
    told = {each.url: each.reason for each in result.lost} if result is not None else {}
    done = []
    for row in looked_up(known, vault.catalog, scope, received):
        if row.state is State.NEW:
            done.append(replace(row, state=State.NOT_CAPTURED, note=told.get(row.url, "it was not looked at yet")))
        else:
            done.append(row)
    return done, received, is_new, result


def returned(sheet: Any, rows: Sequence[Judged]) -> Table:
    """The sheet as it came, with what became of each row; every text is neutral to a spreadsheet."""
    made: list[tuple[Cell, ...]] = []
    for row in rows:
        entry = row.entry
        what: tuple[Cell, ...] = (
            row.state.value,
            None if entry is None else entry.capture_id,
            None if entry is None else entry.outcome,
            None if entry is None else format_utc(entry.started_at),
            row.note or None,
        )
        made.append((*row.cells, *what))
    return Table(columns=(*(_unlike(each) for each in sheet.columns), *ADDED), rows=made)


def write(path: Path, table: Table) -> None:
    """As XLSX or CSV, by the name of the file."""
    data = to_xlsx({"intake": table}, now()) if path.suffix.lower() == ".xlsx" else to_csv(table)
    with disk.trouble(path):
        path.write_bytes(data)


def place_of(path: Path, form: str) -> Path:
    """Beside the list, where nobody says otherwise."""
    return path.with_name(f"{path.stem}.intake.{'xlsx' if form == 'xlsx' else 'csv'}")


def counts(rows: Sequence[Judged]) -> Iterator[tuple[str, int]]:
    for state in State:
        if number := sum(each.state is state for each in rows):
            yield state.value, number


def _unlike(column: str) -> str:
    """A column of theirs is not taken for one of ours."""
    return f"{column} (as it came)" if column in ADDED else column
