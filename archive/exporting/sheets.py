"""Tables for spreadsheets: CSV and XLSX, in which no cell is a formula and the same rows give the same bytes."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties

Cell = str | int | None

# What Excel, LibreOffice or Sheets take for a formula or for the end of a cell (owasp.org, CSV injection); and the
# wide forms that East Asian editions take for the same.
_FORMULA = re.compile(r"^[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
_MAX_CELL = 32_000  # Excel has at most 32,767 characters in one
_WIDEST, _LOOKED_AT = 40, 200
"""Characters of a column, and rows by which its width is chosen."""
_MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms)")


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def neutral(value: Cell) -> Cell:
    """Text that a spreadsheet shows as it is: an apostrophe before what it would work out. Numbers stay numbers."""
    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
    text = text.encode("utf-8", "replace").decode()
    if len(text) > _MAX_CELL:
        text = f"{text[:_MAX_CELL]} … (cut)"
    return f"'{text}" if _FORMULA.match(value) else text


def to_csv(table: Table) -> bytes:
    """UTF-8, a comma between, one line a row but for line breaks inside quotes (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # a lone CR would end a row
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow(["" if each is None else neutral(each) for each in row])
    return text.getvalue().encode()


def to_xlsx(tables: Mapping[str, Table], at: datetime) -> bytes:
    """A sheet for each. ``at`` stands for the time of its making, so that it does not differ each time."""
    book = Workbook(write_only=True)
    for name, table in tables.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0  # as many pages as it takes, each as wide as the table
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        for n, column in enumerate(table.columns):
            longest = max((len(str(row[n])) for row in table.rows[:_LOOKED_AT] if row[n] is not None), default=0)
            width = min(_WIDEST, max(len(column), longest) + 2)
            sheet.column_dimensions[get_column_letter(n + 1)].width = width
        heads = [WriteOnlyCell(sheet, value=each) for each in table.columns]
        for head in heads:
            head.font = Font(bold=True)
        sheet.append(heads)
        for row in table.rows:
            sheet.append([_cell(sheet, each) for each in row])
    raw = io.BytesIO()
    book.save(raw)
    return _settled(raw, at)


def _cell(sheet: WriteOnlyWorksheet, value: Cell) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=neutral(value))
    cell.data_type = "s"  # whatever the text looks like
    return cell


def _settled(raw: io.BytesIO, at: datetime) -> bytes:
    """The same members, dated by ``at``, not by the clock; stored, as a compressor's bytes depend on its version."""
    made = io.BytesIO()
    moment = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)
    stated = at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as target:
        for each in sorted(source.infolist(), key=lambda member: member.filename != "[Content_Types].xml"):
            data = source.read(each)
            if each.filename == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>" + stated + rb"\g<2>", data)
            member = zipfile.ZipInfo(each.filename, moment)
            member.compress_type = zipfile.ZIP_STORED
            target.writestr(member, data)
    return made.getvalue()
