"""What DOCX papers share: tables whose rows stay together under a repeated head, and pages that have numbers."""

from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Pt

from console.papers.pages import visible

_LEAST, _WORD, _MOST, _LINE = 8, 14, 24, 260
"""Characters that a column is taken to want, for sharing out the width: at least, of one word, at most of many columns,
and of a line."""

_BROADEST = 0.75
"""Of a letter's height: capitals in bold."""
_MARGINS = int(Pt(11))
"""Left and right of what stands in a cell."""

EAST_ASIAN = "SimSun"
"""A font with simplified and traditional characters and kana that every Word has, and for which other programs have a
stand-in; what the theme names has Japanese letters alone, so that Chinese captions were rows of boxes."""


def new_document() -> Any:
    """One whose letters are there for whatever captions are written in."""
    document = Document()
    fonts = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), EAST_ASIAN)
    fonts.attrib.pop(qn("w:eastAsiaTheme"), None)
    return document


def add_table(document: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], size: float) -> None:
    """``size`` of the letters in points. The page's width is shared out by what the columns hold."""
    made = document.add_table(rows=1, cols=len(columns))
    made.style = "Table Grid"
    made.autofit = False
    section = document.sections[-1]
    room = section.page_width - section.left_margin - section.right_margin
    held = [[name, *(row[at] for row in rows)] for at, name in enumerate(columns)]
    widths = _shared(room, [_wanted(texts, len(columns)) for texts in held], [_least(texts, size) for texts in held])
    for column, width in zip(made.columns, widths, strict=True):
        column.width = width
    for at, line in enumerate((columns, *rows)):
        row = made.rows[0] if at == 0 else made.add_row()
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001  # python-docx has no other way to it
        properties.append(OxmlElement("w:cantSplit"))
        if at == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for cell, value, width in zip(row.cells, line, widths, strict=True):
            cell.width = width
            run = cell.paragraphs[0].add_run(visible(value))
            run.bold = at == 0
            run.font.size = Pt(size)


def _shared(room: int, wants: Sequence[int], least: Sequence[int]) -> list[Emu]:
    """Each what its longest word needs, and of the rest what it wants; where not even that fits, by what they want."""
    left = room - sum(least)
    if left < 0:
        return [Emu(room * want // sum(wants)) for want in wants]
    return [Emu(narrow + left * want // sum(wants)) for narrow, want in zip(least, wants, strict=True)]


def _least(texts: Sequence[str], size: float) -> int:
    """So wide, in EMU, that no ordinary word of these is broken, between the margins of a cell."""
    return int(Pt(min(_WORD, _longest(texts)) * size * _BROADEST)) + _MARGINS


def _longest(texts: Sequence[str]) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)


def _wanted(texts: Sequence[str], columns: int) -> int:
    words = _longest(texts)
    whole = max(len(text) for text in texts)
    return max(_LEAST, min(_WORD, words) + 6, min(max(_MOST, _LINE // columns), whole) + 2)


def number_pages(paragraph: Any, size: float = 9) -> None:
    """``n / m``, as whoever opens the file counts them."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for instruction in ("PAGE", None, "NUMPAGES"):
        run = paragraph.add_run() if instruction else paragraph.add_run(" / ")
        run.font.size = Pt(size)
        if instruction is None:
            continue
        for kind in ("begin", "separate", "end"):
            if kind == "separate":
                text = OxmlElement("w:instrText")
                text.text = instruction
                run._r.append(text)  # noqa: SLF001  # as above
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)  # noqa: SLF001
