"""``exhibits``: numbers that never change, tables that are no formulas, labelled pages within a court's limits."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pikepdf
import pytest
from docx import Document
from PIL import Image

from archive.errors import UsageError
from archive.vault import Vault
from console.papers.tables import harmless
from console.papers.volumes import Profile, read_profile
from console.papers.zones import told
from crawlers.pictures.cropping import slices
from tests.archive.deployment import now
from tests.archive.exporting.test_export import everything
from tests.console.papers.office import CASE, Office, Plan, acquire
from tests.console.papers.reading_pdf import text_of


def numbers(office: Office) -> dict[int, str]:
    listed = office.ok("exhibits", "list", "--case", CASE, "--json").document
    return {each["number"]: each["capture"] for each in listed["exhibits"]}


def test_numbers_are_frozen_and_supplements_go_on(own: Office) -> None:
    unfrozen = own.run("exhibits", "list", "--case", CASE)
    assert unfrozen.code == 2
    assert "exhibits freeze" in unfrozen.err
    assert own.run("exhibits", "supplement", "--case", CASE).code == 2
    frozen = own.ok("exhibits", "freeze", "--case", CASE, "--prefix", "CARTIER-", "--first", "5", "--json").document
    assert [each["number"] for each in frozen["exhibits"]] == [5, 6]
    before = numbers(own)
    assert before == {5: own.post, 6: own.listing}
    reader = frozen["exhibits"][0]["reader"]
    assert reader == {"version": "0.1.0", "code_sha256": "ab" * 32}
    assert frozen["exhibits"][0]["record_sha256"] == _record(own, own.post)
    assert own.run("exhibits", "freeze", "--case", CASE).code == 2
    assert own.run("exhibits", "supplement", "--case", CASE).code == 2  # nothing is new

    with Vault.open(own.config, clock=now) as vault:
        acquire(vault, own, Plan(more_posts=1))
    own.ok("findings", CASE, "--no-pictures")
    taken = own.run("exhibits", "supplement", "--case", CASE, "--first", "6")
    assert taken.code == 8
    assert "the next one is 7" in taken.err
    own.ok("exhibits", "supplement", "--case", CASE)
    after = numbers(own)
    assert {n: after[n] for n in before} == before
    assert sorted(after) == [5, 6, 7, 8, 9, 10]
    assert len(set(after.values())) == 6
    assert own.run("verify", "--case", CASE).code == 0
    bag = own.ok("export", "--case", CASE, "-o", str(own.home.parent / "bag"))
    assert "holds" in bag.out
    assert not any("exhibits" in path.name for path in (own.home.parent / "bag").rglob("*"))


def test_a_list_that_was_altered_is_no_list(own: Office) -> None:
    own.ok("exhibits", "freeze", "--case", CASE)
    digest = own.ok("exhibits", "list", "--case", CASE, "--json").document["lists"][0]["sha256"]
    blob = own.blob(digest)
    blob.write_bytes(blob.read_bytes().replace(own.post.encode(), own.listing.encode(), 1))
    ran = own.run("exhibits", "list", "--case", CASE)
    assert ran.code == 6
    assert "not what its event names" in ran.err
    assert own.run("verify").code == 1


@pytest.mark.slow
def test_a_list_that_was_disposed_of_keeps_its_numbers(own: Office) -> None:
    own.ok("exhibits", "freeze", "--case", CASE)
    digest = own.ok("exhibits", "list", "--case", CASE, "--json").document["lists"][0]["sha256"]
    own.blob(digest).unlink()
    with Vault.open(own.config, clock=now) as vault:
        acquire(vault, own, Plan())
    own.ok("findings", CASE, "--no-pictures")
    refused = own.run("exhibits", "supplement", "--case", CASE)
    assert refused.code == 8
    assert "disposed of" in refused.err


@pytest.mark.slow
def test_an_exhibit_whose_record_is_gone_is_said(own: Office) -> None:
    own.ok("exhibits", "freeze", "--case", CASE)
    own.blob(_record(own, own.listing)).unlink()
    ran = own.run("exhibits", "list", "--case", CASE)
    assert ran.code == 1
    assert ran.out.count("NOT AS FROZEN") == 1


def test_tables_say_it_all_and_no_cell_is_a_formula(own: Office, tmp_path: Path) -> None:
    own.ok("exhibits", "freeze", "--case", CASE)
    own.ok("exhibits", "schedule", "--case", CASE, "-o", str(tmp_path / "s"))
    book = openpyxl.load_workbook(tmp_path / "s" / "exhibits.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert not any(str(cell.value).startswith(("=", "+", "-", "@")) for cell in cells)
    said = {str(cell.value) for cell in cells}
    for sheet in book.worksheets:
        fitting = sheet.sheet_properties.pageSetUpPr
        assert fitting is not None
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize, fitting.fitToPage) == ("landscape", 8, True)
        first, _, last = str(sheet.print_title_rows).replace("$", "").partition(":")
        assert first == last
        assert sheet[int(first)][0].value in {"exhibit", "no."}, "the head comes again on each page"
        assert sheet.row_dimensions[sheet.max_row].height >= 30, "a digest of 64 letters takes two lines"
    schedule = _rows(book.worksheets[1])
    (row,) = schedule
    assert row["defendant"] is None
    assert row["promoting account"] == "Ana"
    assert row["selling account"] == "'@Sunny Factory"
    assert row["item"] == "'=Screw bracelet"
    assert "12.90 EUR" in row["price as shown"]
    with own.casefile() as file:
        for name, capture in (("post", own.post), ("listing", own.listing)):
            assert row[f"{name} seen, first to last"] == told(file.looks[capture].entry.started_at, file.zone)
    assert row["exhibits"] == "Ex. 001, Ex. 002"
    assert _record(own, own.post) in said
    for name in ("index", "schedule"):
        document = Document(str(tmp_path / "s" / f"{name}.docx"))
        texts = {cell.text for table in document.tables for line in table.rows for cell in line.cells}
        assert ("=Screw bracelet" if name == "schedule" else _record(own, own.post)) in texts


@pytest.mark.slow
def test_no_export_of_evidence_has_our_numbers_our_findings_or_our_brief(own: Office, tmp_path: Path) -> None:
    own.ok("exhibits", "freeze", "--case", CASE)
    own.ok("export", "--case", CASE, "-o", str(tmp_path / "bag"))
    data = everything(tmp_path / "bag")
    assert own.post.encode() in data
    for ours in (b"Ex. 001", b"exhibits.frozen", b"findings.made", b"case.described", b"Europe/Paris"):
        assert ours not in data, ours


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0", "\r=1"])
def test_what_begins_like_a_formula_is_quoted(text: str) -> None:
    assert harmless(text).startswith("'")
    assert harmless("price = 1") == "price = 1"


@pytest.mark.browser
@pytest.mark.slow
def test_pages_bear_the_label_and_keep_to_the_limits(own: Office, tmp_path: Path) -> None:
    own.ok("exhibits", "freeze", "--case", CASE, "--prefix", "Ex. ")
    profile = tmp_path / "court.toml"
    profile.write_text('name = "a court"\nmax_pages = 2\nmax_mb = 30\npaper = "Letter"\n')
    made = own.ok(
        "exhibits", "pages", "--case", CASE, "--number", "1", "--profile", str(profile), "-o", str(tmp_path / "p"),
        "--json",
    ).document  # fmt: skip
    assert made["files"]
    for each in made["files"]:
        path = tmp_path / "p" / each["name"]
        with pikepdf.open(path) as pdf:
            assert len(pdf.pages) == each["pages"] <= 2
            assert pdf.Root.MarkInfo.Marked
            assert [float(n) for n in pdf.pages[0].MediaBox] == [0, 0, 612, 792]
        assert text_of(path).count("Ex. 001") >= each["pages"]
        assert path.stat().st_size == each["bytes"]
    original = own.artifact(own.post, "screenshot.png")
    assert any(original["sha256"] in text_of(tmp_path / "p" / each["name"]) for each in made["files"])
    profile.write_text("max_mb = 0.001\n")
    refused = own.run("exhibits", "pages", "--case", CASE, "--profile", str(profile), "-o", str(tmp_path / "q"))
    assert refused.code == 8
    assert "cannot be parted further" in refused.err
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize("text", ["max_mb = 'x'", "max_pages = 0", "paper = 'A5'", "other = 1", "= =", "max_mb = true"])
def test_a_profile_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    profile = tmp_path / "court.toml"
    profile.write_text(text)
    with pytest.raises(UsageError, match=r"court\.toml"):
        read_profile(profile)
    profile.write_text('max_mb = 2\npaper = "Letter"')
    assert read_profile(profile) == Profile(name="court", max_bytes=2 << 20, paper="Letter")


@pytest.mark.parametrize(("height", "parts"), [(100, 1), (1900, 1), (2000, 2), (5000, 3)])
def test_slices_are_all_of_the_picture(height: int, parts: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, height), "white").save(file, "PNG")
    cut = slices(file.getvalue(), height=1700, width=1000)
    assert len(cut) == parts
    assert sum(each.height for each in cut) == height


def _record(office: Office, capture: str) -> str:
    captures = office.ok("captures", "--json").document["captures"]
    return str(next(each["record_sha256"] for each in captures if each["capture_id"] == capture))


def _rows(sheet: Any) -> list[dict[str, Any]]:
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(n for n, row in enumerate(rows) if row[0] == "no.")
    return [dict(zip(rows[head], row, strict=False)) for row in rows[head + 1 :]]
