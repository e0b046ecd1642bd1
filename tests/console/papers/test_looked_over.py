"""Papers as other programs see them: qpdf finds nothing wrong, and Word's pages have numbers and whole rows."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt

from console.papers.blocks import Block, Paper, to_docx
from console.papers.lettering import EAST_ASIAN, add_table, number_pages
from tests.archive.deployment import now
from tests.console.papers.office import CASE, FOREIGN, Office


def checked(path: Path) -> int:
    """0: nothing; 2: errors; 3: warnings."""
    return subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=False, timeout=60).returncode


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
def test_qpdf_finds_nothing_wrong_with_any_paper(own: Office, tmp_path: Path) -> None:
    own.ok("report", "--case", CASE, "-o", str(tmp_path / "report"), "--no-check")
    own.ok("exhibits", "freeze", "--case", CASE)
    own.ok("exhibits", "pages", "--case", CASE, "-o", str(tmp_path / "exhibits"))
    own.ok("certificates", "--case", CASE, "-o", str(tmp_path / "drafts"))
    papers = sorted(tmp_path.glob("*/*.pdf"))
    assert {each.parent.name for each in papers} == {"report", "exhibits", "drafts"}
    assert {each.name: checked(each) for each in papers} == dict.fromkeys((each.name for each in papers), 0)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(papers[0].read_bytes()[:-400])
    assert checked(broken) != 0


def test_rows_stay_together_under_a_head_that_comes_again_and_pages_are_numbered(tmp_path: Path) -> None:
    document = Document()
    add_table(document, ("file", "sha256"), [("page.html", "ab" * 32), ("=1+1", "cd" * 32)], 7)
    number_pages(document.sections[0].footer.paragraphs[0])
    document.save(str(tmp_path / "one.docx"))
    read = Document(str(tmp_path / "one.docx"))
    (table,) = read.tables
    xml = [row._tr.xml for row in table.rows]
    assert all("w:cantSplit" in each for each in xml)
    assert ["w:tblHeader" in each for each in xml] == [True, False, False]
    assert [cell.text for cell in table.rows[2].cells] == ["=1+1", "cd" * 32]
    assert table.columns[1].width > table.columns[0].width * 2
    footer = read.sections[0].footer.paragraphs[0]._p.xml
    assert footer.count("w:instrText>") == 4
    assert "PAGE" in footer
    assert "NUMPAGES" in footer


def test_no_short_word_is_broken_in_a_narrow_column() -> None:
    document = Document()
    where = "Berkeley Protocol, its chapter on preservation: point as worded by this program"
    fact = "; ".join(f"Ex. {n:03}: nothing was kept as headers" for n in range(8))
    add_table(document, ("source", "point", "met?", "fact"), [(where, "a second copy elsewhere", "NOT MET", fact)], 7)
    (table,) = document.tables
    section = document.sections[0]
    room = int(section.page_width or 0) - int(section.left_margin or 0) - int(section.right_margin or 0)
    widths = [int(each.width or 0) for each in table.columns]
    assert sum(widths) <= room
    assert widths[2] - Pt(10.8) >= Pt(4 * 7 * 0.7), "“met?” in bold stands in one line, beside Word's margins of a cell"
    assert widths[3] > widths[1] > widths[2], "and who has more to say has more room"
    narrow = [int(each.width or 0) for each in _of_many_columns().columns]
    assert sum(narrow) <= room, "where nothing fits, the page is not left"


def _of_many_columns() -> Any:
    document = Document()
    add_table(document, ["a column's name"] * 14, [["ab" * 32] * 14], 12)
    return document.tables[0]


def test_chinese_words_get_a_font_that_has_them(tmp_path: Path) -> None:
    paper = Paper(name="one", title="One", mark="DRAFT", blocks=(Block("text", FOREIGN),))
    (tmp_path / "one.docx").write_bytes(to_docx(paper, now()))
    read = Document(str(tmp_path / "one.docx"))
    assert FOREIGN in [each.text for each in read.paragraphs]
    fonts = read.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == EAST_ASIAN
    assert fonts.get(qn("w:eastAsiaTheme")) is None
