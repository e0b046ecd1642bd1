"""Tables as XLSX and DOCX. What strangers wrote is text in them, and never a formula, a link or a field."""

import io
import re
from datetime import datetime
from typing import Any

from docx.enum.section import WD_ORIENT
from docx.shared import Mm
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from console.papers.lettering import add_table, new_document, number_pages
from console.papers.pages import visible
from console.papers.schedule import Table

MAX_CELL = 32_767
"""Characters that a cell of XLSX holds."""
_BEGINS_FORMULA = re.compile(r"^[\t\r\n ]*[=+\-@]")
_WIDE, _NARROW = 42, 18
_WIDE_COLUMNS = frozenset({"asked for", "shown", "promoting post", "listing", "item", "record sha256"})
_A3 = 8
"""As spreadsheets number papers: fourteen columns with addresses."""
_LINE_PT, _MOST_LINES = 15, 25
"""Not every program finds out by itself how high a row with lines that break has to be."""


def harmless(value: str) -> str:
    """Text for a cell: what a spreadsheet, or one that gets it as CSV later, would take for a formula begins with '."""
    text = visible(value)[:MAX_CELL]
    return f"'{text}" if _BEGINS_FORMULA.match(text) else text


def to_xlsx(tables: list[Table], at: datetime) -> bytes:
    """One sheet for each."""
    book = Workbook(write_only=True)
    book.properties.creator = "Counterproof"
    book.properties.created = book.properties.modified = at.replace(tzinfo=None)
    for table in tables:
        sheet = book.create_sheet(_name(table.title))
        widths = [_WIDE if column in _WIDE_COLUMNS else _NARROW for column in table.columns]
        for n, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(n)].width = width
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = _A3
        head = len(table.notes) + 3
        sheet.print_title_rows = f"{head}:{head}"  # on each page
        sheet.page_setup.fitToHeight = 0  # as many pages as it takes, each as wide as the table
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        for line in (table.title, *table.notes):
            sheet.append([_cell(sheet, line, bold=line == table.title, wrap=False)])
        sheet.append([])
        sheet.append([_cell(sheet, each, bold=True) for each in table.columns])
        for n, row in enumerate(table.rows, len(table.notes) + 4):
            lines = max(-(-len(each) // width) + each.count("\n") for each, width in zip(row, widths, strict=True))
            sheet.row_dimensions[n].height = _LINE_PT * min(max(lines, 1), _MOST_LINES)
            sheet.append([_cell(sheet, each) for each in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def to_docx(table: Table, at: datetime) -> bytes:
    document = new_document()
    document.core_properties.author = "Counterproof"
    document.core_properties.title = table.title
    document.core_properties.created = document.core_properties.modified = at.replace(tzinfo=None)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(420), Mm(297)  # A3, too
    document.add_heading(visible(table.title), 1)
    for note in table.notes:
        document.add_paragraph(visible(note))
    add_table(document, table.columns, table.rows, 7)
    number_pages(section.footer.paragraphs[0])
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _cell(sheet: object, value: str, *, bold: bool = False, wrap: bool = True) -> Any:
    """``wrap``: in its column; else it runs on over the empty cells beside it."""
    cell = WriteOnlyCell(sheet, harmless(value))  # type: ignore[arg-type]  # a write-only sheet, as openpyxl's own page does
    cell.data_type = "s"  # a text, whatever it begins with
    cell.alignment = Alignment(wrap_text=wrap, vertical="top")
    if bold:
        cell.font = Font(bold=True)
    return cell


def _name(title: str) -> str:
    """A sheet's name has at most 31 characters, and not these."""
    return re.sub(r"[\\/*?:\[\]]", " ", title.partition(",")[0])[:31]
