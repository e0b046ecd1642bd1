"""What a person finds in an export: names, tables, the population, and the same export again."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.exporting.sheets import Table, to_csv, to_xlsx
from archive.filename import plain_name
from custody import canonical
from custody.bundle import layout
from custody.digest import Digest
from custody.event import Ref
from custody.instant import format_utc
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.test_export import everything
from tests.custody.archive_builder import ArchiveBuilder
from tests.custody.stewarding import held

FORMULAS = ("=cmd|'/C calc'!A1", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\x00=1")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_file_has_a_name_for_people_and_the_index_says_its_digest(plain: HandedOver) -> None:
    index = rows(plain.bag / "data/index.csv")
    files = {
        each.relative_to(plain.bag).as_posix() for each in (plain.bag / "data/artifacts").rglob("*") if each.is_file()
    }
    assert {each["path"] for each in index} == files - {"data/artifacts/export.json"}
    for each in index:
        assert Digest.of((plain.bag / each["path"]).read_bytes()).hex == each["sha256"]
    for name in files:
        assert PurePosixPath(name).suffix, name
        assert not re.search("[0-9a-f]{64}", name), name
    assert "data/artifacts/item-001/01-www.glimpse.example/record.json" in files


def test_a_file_that_captures_share_is_there_once_and_in_the_index_for_each(plain: HandedOver) -> None:
    shared = [each for each in rows(plain.bag / "data/index.csv") if each["what"] == "dom"]
    captures = {each["capture"] for each in shared}
    assert len(captures) == len(shared) == 3
    by_digest = {each["sha256"]: each["path"] for each in shared}
    assert all(by_digest[each["sha256"]] == each["path"] for each in shared)


@given(st.text(max_size=300), st.sampled_from([None, "image/png", "text/html; charset=utf-8", "odd/odd"]))
def test_no_name_is_anything_but_a_name(text: str, media_type: str | None) -> None:
    name = plain_name(text, media_type)
    assert layout.NAMED.fullmatch(f"{layout.ARTIFACTS}item-001/01-host/{name}")
    assert not layout.ARTIFACT.fullmatch(f"{layout.ARTIFACTS}{name}")
    assert "." in name
    assert not name.endswith(".")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "passwd.bin"),
        ("C:\\Users\\x\\IMG 1234.JPG", "img-1234.jpg"),
        ("CON.txt", "file-con.txt"),
        ("-rf", "rf.bin"),
        (".htaccess", "htaccess.bin"),
        ("…", "file.bin"),
        ("traffic.warc.gz", "traffic.warc.gz"),
        ("tls-www.glimpsegram.example.pem", "tls-www.glimpsegram.example.pem"),
        ("aux.tar.gz", "file-aux.tar.gz"),
        ("a\u202egpj.exe", "a-gpj.exe"),
    ],
)
def test_names_that_mean_something_elsewhere(text: str, name: str) -> None:
    assert plain_name(text) == name


def test_no_cell_is_a_formula() -> None:
    table = Table(("text", "number"), [(each, -5) for each in FORMULAS])
    for row in list(csv.reader(io.StringIO(to_csv(table).decode(), newline="")))[1:]:
        assert row[0].startswith("'")
        assert row[1] == "-5"
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx({"one": table}, datetime(2026, 3, 4, tzinfo=UTC)))).worksheets[0]
    for text, number in sheet.iter_rows(min_row=2):
        assert text.data_type == "s"
        assert str(text.value).startswith("'")
        assert (number.data_type, number.value) == ("n", -5)


def test_the_same_rows_give_the_same_bytes() -> None:
    table = Table(("a",), [("x",)])
    at = datetime(2026, 3, 4, tzinfo=UTC)
    first = to_xlsx({"one": table}, at)
    assert first == to_xlsx({"one": table}, at)
    with zipfile.ZipFile(io.BytesIO(first)) as book:
        assert b"2026-03-04T00:00:00Z" in book.read("docProps/core.xml")
        assert {each.compress_type for each in book.infolist()} == {zipfile.ZIP_STORED}


def test_a_title_that_is_a_formula_is_none_in_the_tables(tmp_path: Path) -> None:
    made = ArchiveBuilder(locked=False).open_log()
    scope, run = made.open_case(), made.open_run()
    capture = made.capture(
        run, scope=scope, change=lambda one: replace(one, title='=HYPERLINK("https://evil.example")')
    )
    made.close_run(run, 1)
    assert capture.record is not None
    office = Office(tmp_path, made)
    office.export()
    (row,) = rows(tmp_path / "bag/data/tables/captures.csv")
    assert row["title"] == "'" + '=HYPERLINK("https://evil.example")'
    book = openpyxl.load_workbook(tmp_path / "bag/data/tables/tables.xlsx")
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert any(str(cell.value).startswith("'=HYPERLINK") for cell in cells)


def test_the_population_is_in_every_export(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    made = office.export()
    said: Any = canonical.loads((tmp_path / "bag/data/tables/population.json").read_bytes())
    assert (said["captures"], said["complete"], said["items_seen"], said["items_exported"]) == (3, 3, 2, 2)
    assert (said["looks_due"], said["looks_due_begun"]) == (None, None)
    assert said["until"] < format_utc(office.now())
    assert made.population.captures == 3
    page = (tmp_path / "bag/README.txt").read_text()
    assert "Captures begun: 3. Complete: 3." in page
    assert "Items that the case has: 2. Items in this export: 2." in page
    office.export("one", case=None, items=office.items(office.cases[0])[:1])
    assert "They were picked: of how many, it does not say." in (tmp_path / "one/README.txt").read_text()


def test_looks_that_were_due_are_held_against_those_that_the_log_has(tmp_path: Path) -> None:
    made = ArchiveBuilder(locked=False).open_log()
    scope, run = made.open_case(), made.open_run()
    kept, lost = made.new_id(), made.new_id()
    made.start(run, scope=scope, look_id=kept)
    made.close_run(run, 0)
    office = Office(tmp_path, made)
    asked: list[datetime] = []

    def due(until: datetime) -> tuple[str, ...]:
        asked.append(until)
        return kept, lost

    office.export(due=due)
    said: Any = canonical.loads((tmp_path / "bag/data/tables/population.json").read_bytes())
    assert (said["looks_due"], said["looks_due_begun"], said["looks_begun"]) == (2, 1, 1)
    assert said["until"] == format_utc(asked[0])
    page = (tmp_path / "bag/README.txt").read_text()
    assert "as the operator's database of watches says: 2." in page
    assert "a begun capture for 1, and none for 1." in page
    office.export("untold")
    assert "How many looks were due by a schedule is not known" in (tmp_path / "untold/README.txt").read_text()


def same(one: Path, other: Path) -> bool:
    def listed(bag: Path) -> dict[str, bytes]:
        return {each.relative_to(bag).as_posix(): each.read_bytes() for each in bag.rglob("*") if each.is_file()}

    return listed(one) == listed(other)


def test_the_same_choice_at_the_same_size_gives_the_same_bytes(stamped: HandedOver, tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item(stamped.office.authorities), stamped.office.authorities)
    first = office.export()
    before = office.ledger.refresh().size
    again = office.export("again/bag", at=first.at)
    assert (first.again, again.again) == (False, True)
    assert same(tmp_path / "bag", tmp_path / "again/bag")
    assert office.ledger.refresh().size > before, "that it was handed over again is told, too"
    for name in ("one", "two"):
        office.export(f"{name}/case.zip", at=first.at, as_zip=True)
    assert (tmp_path / "one/case.zip").read_bytes() == (tmp_path / "two/case.zip").read_bytes()
    assert judged(tmp_path / "one/case.zip", office.trust).holds


def test_another_choice_is_another_export(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    first = office.export()
    item = office.items(office.cases[0])[:1]
    other = office.export("other", case=None, items=item, at=first.at)
    assert not other.again
    assert judged(tmp_path / "other", office.trust).holds


def test_at_a_size_before_a_capture_it_is_not_there(tmp_path: Path) -> None:
    made = ArchiveBuilder(locked=False).open_log()
    scope, run = made.open_case(), made.open_run()
    made.capture(run, scope=scope)
    size = sum(map(len, made.commits))
    made.capture(run, scope=scope)
    made.close_run(run, 2)
    office = Office(tmp_path, made)
    office.export(at=size, items=office.items(office.cases[0])[:1])
    verdict = judged(tmp_path / "bag", office.trust)
    assert verdict.holds, [each.to_json() for each in verdict.findings]
    assert verdict.facts["captures"] == 1
    with pytest.raises(UsageError, match="signed no checkpoint of 99999 leaves"):
        office.export("later", at=99_999)


def test_what_the_other_case_holds_and_decided_is_not_in_it(tmp_path: Path) -> None:
    """The shared item is on hold for the other matter, and the other case allowed that it be handed over."""
    made = shared_item()
    ours, theirs = dict.fromkeys(
        each.chain.removeprefix("scope:") for drafts in made.commits for each in drafts if each.chain[:6] == "scope:"
    )
    shared = made.captures[0]
    assert shared.ended is not None
    made.commit(held(made, shared.unit))
    about = Ref(rel="about", payload_sha256=shared.ended.make().payload_sha256)
    for scope in (ours, theirs):
        said = {"capture": shared.id, "scope": scope, "decision": "export", "why": f"decided in {scope}"}
        detail = made.detail("decision.json", said)
        event = made.event("evidence.allowed", f"work:{made.new_id()}", detail, {"capture": shared.id}, refs=(about,))
        made.commit(made.root_draft(event))
    office = Office(tmp_path, made)
    office.export()
    verdict = judged(tmp_path / "bag", office.trust)
    assert verdict.holds, [each.to_json() for each in verdict.findings]
    found = everything(tmp_path / "bag")
    assert b"custody/evidence.held/v1" not in found
    assert found.count(b"custody/evidence.allowed/v1") == 1
    assert f"decided in {ours}".encode() in found
    assert theirs.encode() not in found
