"""Lists that others wrote: what is taken from them, and what is refused before it costs anything."""

import io
import zipfile

import openpyxl
import pytest

from archive.errors import UsageError
from crawlers import sheets
from crawlers.sheets import Sheet, read


def book(*rows: tuple[object, ...], link: tuple[str, str] | None = None) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if link is not None:
        sheet[link[0]].hyperlink = link[1]
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def packed(**parts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/"), part)
    return data.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(UsageError) as error:
        read(data, name="list")
    return str(error.value)


def test_lines() -> None:
    found = read(b"\xef\xbb\xbfurl\n# ours\nhttps://a.example/1\n\nb.example/2\n", name="list.txt")
    assert (found.form, found.columns) == ("lines", ("url",))
    assert [(row.n, row.cells) for row in found.rows] == [(3, ("https://a.example/1",)), (5, ("b.example/2",))]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_keeps_all_columns_and_the_numbers_of_rows(mark: str) -> None:
    text = f"Nr{mark}Post link{mark}Remark\n1{mark}https://a.example/1{mark}first\n\n2{mark}https://b.example/2\n"
    found = read(text.encode(), name="list.csv")
    assert found.columns == ("Nr", "Post link", "Remark")
    assert [(row.n, row.cells) for row in found.rows] == [
        (2, ("1", "https://a.example/1", "first")),
        (4, ("2", "https://b.example/2", "")),
    ]
    assert found.addresses() == 1
    assert found.column("remark") == 2
    assert found.column("B") == 1
    with pytest.raises(UsageError, match="there is no column 'web'"):
        found.column("web")


def test_the_column_is_told_by_what_stands_in_it() -> None:
    found = read(b"a,b\nx,https://a.example/1\ny,https://b.example/2\n", name="list.csv")
    assert found.addresses() == 1
    with pytest.raises(UsageError, match="--map url=COLUMN"):
        read(b"a,b\nx,y\n", name="list.csv").addresses()


def test_without_names_no_row_is_lost() -> None:
    found = read(b"1,https://a.example/1\n2,https://b.example/2\n", name="list.csv")
    assert len(found.rows) == 2
    assert found.notes


def test_a_spreadsheet_with_links_under_words_and_in_formulas() -> None:
    data = book(
        ("Nr", "Link"), (1, "https://a.example/1"), (2, "the post"), (3, '=HYPERLINK("https://c.example/3","see")'),
        (4, "=1+1"), link=("B3", "https://b.example/2"),
    )  # fmt: skip
    found = read(data, name="list.xlsx")
    assert [row.cells[1] for row in found.rows] == [
        "https://a.example/1", "https://b.example/2", "https://c.example/3", "=1+1",
    ]  # fmt: skip
    assert [row.n for row in found.rows] == [2, 3, 4, 5]


def test_what_is_no_list_is_refused() -> None:
    assert "no spreadsheet" in refused(packed(a=b"x"))
    assert "save it as XLSX or CSV" in refused(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert "it is no list" in refused(b"\x7fELF" + bytes(600))
    assert "UTF-8" in refused("Straße".encode("latin-1"))
    assert "holds no row" in refused(b"url\n")
    assert "cannot be read" in refused(packed(**{"[Content_Types].xml": b"<Types/>"}))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert "packed more tightly" in refused(packed(**{"[Content_Types].xml": b"<T/>", "xl__a.xml": bytes(30 << 20)}))
    many = packed(**{f"p{n}": b"" for n in range(sheets.MAX_PARTS + 1)})
    assert "parts" in refused(many)


def test_entities_of_its_own_are_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><Types>&b;</Types>'
    assert "entities" in refused(packed(**{"[Content_Types].xml": bomb}))


def test_more_rows_and_columns_than_are_taken() -> None:
    assert "at most" in refused(b"url\n" + b"https://a.example/1\n" * (sheets.MAX_ROWS + 1))
    assert "columns" in refused((",".join(f"c{n}" for n in range(200)) + "\n" + "x," * 199 + "x\n").encode())
    assert "MiB" in refused(b"x" * (sheets.MAX_BYTES + 1))


def test_what_a_sheet_says_survives_the_way_out_of_its_process() -> None:
    found = read(b"url\nhttps://a.example/1\n", name="list.txt")
    assert Sheet.of_json(found.to_json()) == found
