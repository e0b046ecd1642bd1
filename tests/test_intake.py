"""The command takes a spreadsheet in: each row is told apart, the file is kept, and the sheet comes back."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from custody import keyspace
from custody.digest import Digest
from tests.command import Ran, run, through
from tests.site.host import Host, Request, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]

HOST = "www.first.example"
UNIQUE, ROWS = 60, 400


@pytest.fixture
def site() -> Iterator[Site]:
    def item(asked: Request) -> Any:
        words = f"<p>Item {asked.path}: it has words on it, so that it is a page as others are.</p>"
        return page(f"<!doctype html><meta charset=utf-8><title>{asked.path}</title><h1>Item</h1>{words}")

    made = Site()
    made.hosts[HOST] = Host(name=HOST, routes={"*": item})
    with made as running:
        yield running


def intake(site: Site, home: Path, file: Path, *options: str, code: int = 0) -> Ran:
    ran = run(
        "intake", str(file), "--case", "V-1", "--authority", "none", "--json", "--no-control", "--no-follow",
        "--concurrency", "4", *through(site.resolve, site.trust_spki), *options, home=home, timeout_s=800,
    )  # fmt: skip
    assert ran.code == code, ran.err[-3000:]
    return ran


def states(document: Any) -> list[tuple[int, str]]:
    return [(each["row"], each["state"]) for each in document["rows"]]


@pytest.mark.slow
@pytest.mark.timeout(900)  # eight commands, each with a browser and a store of its own
def test_a_sheet_goes_in_and_comes_back(site: Site, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "vendor.csv"
    text = (
        "Nr,Post link,Remark\n"
        f"1,https://{HOST}/a,=cmd|' /C calc'!A0\n"
        f"2,https://{HOST}/a?utm_source=x,twice\n"
        "3,ftp://files.example/x,\n"
        "4,,nothing\n"
        f"5,https://{HOST}/b,@SUM(A1)\n"
    )
    file.write_text(text, encoding="utf-8")
    dry = intake(site, home, file, "--dry-run").document
    assert states(dry) == [(2, "new"), (3, "repeated"), (4, "bad"), (5, "bad"), (6, "new")]
    assert not (home / "trust.json").exists(), "nothing was begun"

    done = intake(site, home, file, code=3).document
    assert states(done) == [(2, "captured"), (3, "repeated"), (4, "bad"), (5, "bad"), (6, "captured")]
    assert done["instruction"]["new"] is True
    back = list(csv.DictReader(io.StringIO((tmp_path / "vendor.intake.csv").read_text(encoding="utf-8"))))
    assert [each["intake"] for each in back] == ["captured", "repeated", "bad", "bad", "captured"]
    assert back[0]["capture"] == done["rows"][0]["capture"] == back[1]["capture"]
    assert back[0]["outcome"] == "ok"
    assert back[0]["Remark"].startswith("'="), "no cell is a formula on the way out"
    assert back[4]["Remark"].startswith("'@")
    assert back[0]["time added"].endswith("Z")

    again = intake(site, home, file, "-o", str(tmp_path / "again.xlsx"), code=3).document
    assert again["instruction"] == {**done["instruction"], "new": False}
    assert states(again) == states(done), "the same list again goes on where it stopped"
    sheet = openpyxl.load_workbook(tmp_path / "again.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]][-5:] == ["intake", "capture", "outcome", "time added", "note"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)

    other = tmp_path / "more.csv"
    other.write_text(f"url\nhttps://{HOST}/a\nhttps://{HOST}/c\n", encoding="utf-8")
    more = intake(site, home, other).document
    assert states(more) == [(2, "already there"), (3, "captured")]

    assert run("verify", home=home).code == 0
    assert run("verify", "--case", "V-1", home=home).code == 0
    copy = tmp_path / "copy"
    assert run("mirror", str(copy), home=home).code == 0
    assert (copy / keyspace.blob(Digest(done["instruction"]["sha256"]))).read_text(encoding="utf-8") == text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_four_hundred_rows_unattended(site: Site, tmp_path: Path) -> None:
    """Sixty pages, each several times as lists have them, with rows between that are no addresses."""
    home, file = tmp_path / "home", tmp_path / "vendor.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Nr", "Link"])
    for n in range(ROWS):
        sheet.append([n + 1, "to be found" if n % 10 == 9 else f"https://{HOST}/item/{n % UNIQUE}"])
    book.save(file)
    done = intake(site, home, file, code=3).document
    bad = ROWS // 10
    captured = len({n % UNIQUE for n in range(ROWS) if n % 10 != 9})
    assert done["counts"] == {"captured": captured, "repeated": ROWS - bad - captured, "bad": bad}
    back = openpyxl.load_workbook(tmp_path / "vendor.intake.xlsx").worksheets[0]
    assert back.max_row == ROWS + 1
    assert sum(row[3].value is not None for row in back.iter_rows(min_row=2)) == ROWS - bad
