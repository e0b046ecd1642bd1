"""Papers as other programs see them: qpdf finds nothing wrong, and Word's pages have numbers and whole rows."""

import shutil
import subprocess
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn

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


def test_chinese_words_get_a_font_that_has_them(tmp_path: Path) -> None:
    paper = Paper(name="one", title="One", mark="DRAFT", blocks=(Block("text", FOREIGN),))
    (tmp_path / "one.docx").write_bytes(to_docx(paper, now()))
    read = Document(str(tmp_path / "one.docx"))
    assert FOREIGN in [each.text for each in read.paragraphs]
    fonts = read.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == EAST_ASIAN
    assert fonts.get(qn("w:eastAsiaTheme")) is None
