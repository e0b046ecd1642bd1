"""Lists that somebody else has written: CSV, XLSX or plain lines, read as rows of text, within limits of every kind."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from archive.errors import UsageError
from crawlers.confined import Confined, Lost, OutOfTime
from crawlers.pictures.viewing import shut_in

MAX_BYTES = 20 << 20
"""Of the file."""
MAX_UNPACKED = 200 << 20
"""Of all parts of a spreadsheet together."""
MAX_RATIO = 200
"""How many times smaller a part may be packed: no sheet of links comes near."""
MAX_PARTS = 2_000
MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_CELL = 4_096
SECONDS = 60.0
MEMORY_BYTES = 2 << 30
_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"
_LINK = re.compile(r"""^=\s*HYPERLINK\s*\(\s*"((?:[^"]|"")*)\"""", re.IGNORECASE)
_WORDS = ("url", "urls", "link", "links", "href", "address", "target", "web address", "post url", "post", "post link")
_ADDRESS = re.compile(r"^(?:https?://|www\.)\S+$|^[\w-]+(?:\.[\w-]+)+/\S*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    n: int
    """Its number in the file, from 1, as a person counts."""
    cells: tuple[str, ...]
    """As text; of a cell that is a link, where the link leads, if its words are no address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Rows below the names of their columns."""

    form: str
    """``csv``, ``xlsx`` or ``lines``."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> int:
        """By its name, or by its letter. Raises UsageError."""
        wanted = " ".join(name.split()).casefold()
        names = [" ".join(each.split()).casefold() for each in self.columns]
        if wanted in names:
            return names.index(wanted)
        if re.fullmatch("[a-z]", wanted) and ord(wanted) - ord("a") < len(names):
            return ord(wanted) - ord("a")
        there = ", ".join(repr(each[:40]) for each in self.columns[:20])
        raise UsageError(f"there is no column {name[:80]!r}; there are {there}")

    def addresses(self) -> int:
        """The column that holds the addresses: by its name, else by what stands in it. Raises UsageError."""
        names = [" ".join(each.split()).casefold() for each in self.columns]
        for word in _WORDS:
            if word in names:
                return names.index(word)
        counts = [
            sum(_ADDRESS.match(row.cells[at].strip()) is not None for row in self.rows if at < len(row.cells))
            for at in range(len(self.columns))
        ]
        best = max(counts, default=0)
        if not best:
            raise UsageError("no column holds web addresses: say which by --map url=COLUMN")
        return counts.index(best)

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "columns": self.columns,
            "rows": [[each.n, each.cells] for each in self.rows],
            "notes": self.notes,
        }

    @classmethod
    def of_json(cls, value: Any) -> Self:
        return cls(
            form=str(value["form"]),
            columns=tuple(str(each) for each in value["columns"]),
            rows=tuple(Row(n=int(n), cells=tuple(str(each) for each in cells)) for n, cells in value["rows"]),
            notes=tuple(str(each) for each in value["notes"]),
        )


class _Refused(Exception):
    """A sentence for whoever handed the file over."""


def read(data: bytes, *, name: str) -> Sheet:
    """In a process of its own. Raises ``UsageError`` for what is none of these, too large, or made to hurt."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} has more than {MAX_BYTES >> 20} MiB: split it")
    confined = Confined[bytes, Any](_prepared, seconds=SECONDS, memory_bytes=MEMORY_BYTES, name="sheet")
    with confined as reader:
        try:
            answer = reader.ask(data)
        except Lost as lost:
            raise UsageError(f"{name} was not read: the process that read it {lost}") from lost
    if "refused" in answer:
        raise UsageError(f"{name}: {answer['refused']}")
    return Sheet.of_json(answer)


def _prepared() -> Callable[[bytes], Any]:
    import openpyxl  # noqa: PLC0415  # before memory is limited

    openpyxl.Workbook()
    shut_in()
    return _worked


def _worked(data: bytes) -> Any:
    try:
        return _sheet(data).to_json()
    except _Refused as why:
        return {"refused": str(why)}
    except (OutOfTime, MemoryError):
        return {"refused": "it takes too long, or too much memory, to read: save the sheet alone, or as CSV"}
    except Exception as error:  # noqa: BLE001  # a stranger's file: whatever is wrong with it, it is refused
        return {"refused": f"it cannot be read ({type(error).__name__}); save it as CSV or XLSX"}


def _sheet(data: bytes) -> Sheet:
    if data.startswith(_ZIP):
        _check_parts(data)
        return _named("xlsx", list(_cells(data)))
    if data.startswith(_OLD):
        raise _Refused("it is an old or an encrypted spreadsheet (XLS): save it as XLSX or CSV, without a password")
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Refused("it is no list: CSV, XLSX, or a text with one address a line")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _Refused(f"it is no text in UTF-8 (byte {error.start}): save it as UTF-8") from error
    return _text(text)


def _check_parts(data: bytes) -> None:
    """Before anything is unpacked: how much there is, and that nothing is packed as no program packs it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS:
            raise _Refused(f"it has {len(parts)} parts; a spreadsheet has at most {MAX_PARTS} here")
        if len({each.filename for each in parts}) != len(parts):
            raise _Refused("two of its parts have one name")
        if sum(each.file_size for each in parts) > MAX_UNPACKED or sum(each.compress_size for each in parts) > len(
            data
        ):
            raise _Refused(f"its parts unpack to more than {MAX_UNPACKED >> 20} MiB, or lie one in another")
        for each in parts:
            if each.flag_bits & 1:
                raise _Refused("it is encrypted: save it without a password")
            if each.file_size > 1 << 20 and each.file_size > MAX_RATIO * max(1, each.compress_size):
                raise _Refused("a part of it is packed more tightly than any spreadsheet is")
            if each.filename.endswith((".xml", ".rels")):
                with archive.open(each) as part:
                    if b"<!DOCTYPE" in part.read(64 << 10).upper():
                        raise _Refused("it declares entities of its own, which no spreadsheet does")
        if not any(each.filename == "[Content_Types].xml" for each in parts):
            raise _Refused("it is a ZIP, and no spreadsheet")


def _cells(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Of the first sheet that has any. Nothing in it is worked out, and nothing is asked of the network."""
    import openpyxl  # noqa: PLC0415  # in the process that reads, and nowhere else

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=False, keep_links=False, keep_vba=False)
    for sheet in book.worksheets:
        if sheet.max_row and sheet.max_row > MAX_ROWS + 1:
            raise _Refused(f"its sheet goes down to row {sheet.max_row}; at most {MAX_ROWS} are taken")
        if sheet.max_column and sheet.max_column > MAX_COLUMNS:
            raise _Refused(f"its sheet has {sheet.max_column} columns; at most {MAX_COLUMNS} are taken")
        rows = [(n, [_words(cell) for cell in row]) for n, row in enumerate(sheet.iter_rows(), 1)]
        if any(any(each.strip() for each in cells) for _, cells in rows):
            yield from rows
            return


def _words(cell: Any) -> str:
    value = cell.value
    text = "" if value is None else str(value)
    if (match := _LINK.match(text)) is not None:
        return match[1].replace('""', '"')[:MAX_CELL]
    link = getattr(cell.hyperlink, "target", None) if cell.hyperlink is not None else None
    if isinstance(link, str) and not _ADDRESS.match(text.strip()):
        return link[:MAX_CELL]
    return text[:MAX_CELL]


def _text(text: str) -> Sheet:
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    separator = next((mark for mark in ("\t", ";", ",") if mark in first), None)
    if separator is None or _ADDRESS.match(first.strip()):
        rows = [
            Row(n=n, cells=(line.strip()[:MAX_CELL],))
            for n, line in enumerate(lines, 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
        if rows and rows[0].cells[0].casefold() in _WORDS:
            rows = rows[1:]
        return _limited(Sheet(form="lines", columns=("url",), rows=tuple(rows)))
    csv.field_size_limit(1 << 20)
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    last = 0
    try:
        for cells in reader:
            found.append((last + 1, [each[:MAX_CELL] for each in cells]))
            last = reader.line_num
            if len(found) > MAX_ROWS + 1:
                raise _Refused(f"it has more than {MAX_ROWS} rows: split it")
    except csv.Error as error:
        raise _Refused(f"line {reader.line_num} is not CSV ({error})") from error
    return _named("csv", found)


def _named(form: str, rows: Sequence[tuple[int, list[str]]]) -> Sheet:
    """The first row that has anything names the columns, unless an address stands in it."""
    full = [(n, cells) for n, cells in rows if any(each.strip() for each in cells)]
    width = max((len(cells) for _, cells in full), default=0)
    if width > MAX_COLUMNS:
        raise _Refused(f"it has {width} columns; at most {MAX_COLUMNS} are taken")
    letters = [f"column {n}" for n in range(1, width + 1)]
    notes: tuple[str, ...] = ()
    if full and not any(_ADDRESS.match(each.strip()) for each in full[0][1]):
        head = [each.strip() for each in full[0][1]]
        columns = [each or letters[n] for n, each in enumerate([*head, *[""] * (width - len(head))])]
        full = full[1:]
    else:
        columns, notes = letters, ("its first row holds an address, so no row was taken for names of columns",)
    made = tuple(Row(n=n, cells=(*cells, *[""] * (width - len(cells)))) for n, cells in full)
    return _limited(Sheet(form=form, columns=tuple(columns), rows=made, notes=notes))


def _limited(sheet: Sheet) -> Sheet:
    if len(sheet.rows) > MAX_ROWS:
        raise _Refused(f"it has {len(sheet.rows)} rows; at most {MAX_ROWS} are taken: split it")
    if not sheet.rows:
        raise _Refused("it holds no row")
    return sheet
