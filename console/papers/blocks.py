"""A paper as a list of blocks, written as DOCX, and as HTML for the printer. DRAFT or SPECIMEN stands on each page."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt, RGBColor

from console.papers import pages
from console.papers.lettering import add_table, new_document, number_pages
from console.papers.pages import visible

Kind = Literal["heading", "text", "numbered", "point", "warning", "blank"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph. ``numbered`` ones are counted through the paper; ``blank`` is a line for a person to fill in."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """One document."""

    name: str
    """Of its files, without what stands behind the dot."""
    title: str
    mark: str
    """``DRAFT`` or ``SPECIMEN``."""
    blocks: tuple[Block | Rows, ...] = field(repr=False)

    @property
    def text(self) -> str:
        """All of it, a line each."""
        return "\n".join(
            each.text if isinstance(each, Block) else "\n".join(" ".join(row) for row in each.rows)
            for each in self.blocks
        )


def to_html(paper: Paper) -> bytes:
    return pages.render("certificate.html", paper=paper, blocks=_counted(paper.blocks))


def to_docx(paper: Paper, at: datetime) -> bytes:
    document = new_document()
    document.core_properties.author = "Counterproof"
    document.core_properties.title = f"{paper.mark}: {paper.title}"
    document.core_properties.created = document.core_properties.modified = at.replace(tzinfo=None)
    section = document.sections[0]
    section.left_margin = section.right_margin = Mm(22)
    for place in (section.header, section.footer):
        line = place.paragraphs[0]
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = line.add_run(f"{paper.mark} · {paper.title}")
        run.bold = True
        run.font.size = Pt(9)
        run.font.color.rgb = RGBColor(0x8A, 0x1C, 0x1C)
    number_pages(section.footer.add_paragraph())
    document.add_heading(visible(paper.title), 1)
    for number, each in _counted(paper.blocks):
        if isinstance(each, Rows):
            add_table(document, each.columns, each.rows, 7.5)
        elif each.kind == "heading":
            document.add_heading(visible(each.text), 2)
        elif each.kind == "blank":
            line = document.add_paragraph(f"{visible(each.text)}: ______________________________")
            line.paragraph_format.keep_with_next = True
        else:
            before = f"{number}.  " if number else ""
            style = "List Bullet" if each.kind == "point" else None
            run = document.add_paragraph(style=style).add_run(before + visible(each.text))
            run.bold = each.kind == "warning"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _counted(blocks: Sequence[Block | Rows]) -> list[tuple[int, Block | Rows]]:
    """Each with its number, 0 where it has none."""
    count, found = 0, []
    for each in blocks:
        is_numbered = isinstance(each, Block) and each.kind == "numbered"
        count += is_numbered
        found.append((count if is_numbered else 0, each))
    return found
