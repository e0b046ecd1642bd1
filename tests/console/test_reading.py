"""``counterproof read``: files and captures, one line of JSON each, and sentences where it cannot."""

import gzip
import json
from pathlib import Path

from archive.reading import Kind, Reading, Seen, Source
from console.reading import Page, beside
from tests.command import run, within

PAGE = '<!doctype html><meta charset=utf-8><meta property="og:title" content="Żółta bransoletka"><h1>x</h1>'


def test_files_are_read_packed_or_not_a_line_each(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.html", tmp_path / "b.bin"
    plain.write_text(PAGE, encoding="utf-8")
    packed.write_bytes(gzip.compress(PAGE.encode()))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(PAGE.encode() + bytes(100_000))[:-30])
    ran = run("read", str(plain), str(packed), str(tmp_path / "cut.gz"), "--json", home=tmp_path / "home")
    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [Path(each["input"]).name for each in lines] == ["a.html", "b.bin", "cut.gz"]
    for each in lines:
        assert each.keys() == {
            "platform",
            "kind",
            "wall",
            "fields",
            "sources",
            "seen",
            "notes",
            "input",
            "kept",
            "link_tags",
        }
        assert each["fields"]["title"] == "Żółta bransoletka"
        assert each["kept"] is None
        assert each["sources"]["title"]
        assert each["seen"]["title"] in {"shown", "embedded"}
    assert not (tmp_path / "home").exists()  # nothing is begun for it


def test_for_a_person_each_field_has_its_place(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(PAGE, encoding="utf-8")
    ran = within("read", str(page), home=tmp_path / "home")
    assert "Żółta bransoletka" in ran.out
    assert "og:title" in ran.out


def test_what_makes_no_sense_is_a_sentence(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(PAGE, encoding="utf-8")
    home = tmp_path / "home"
    gone = within("read", str(tmp_path / "gone.html"), home=home)
    assert (gone.code, "there is no file" in gone.err) == (2, True)
    two = within("read", str(page), str(page), "--url", "https://a.example/", home=home)
    assert (two.code, "--url is one page" in two.err) == (2, True)
    empty = within("read", str(page), "--term", " ", home=home)
    assert (empty.code, "--term wants" in empty.err) == (2, True)


def test_reviews_that_name_a_term_are_read_when_somebody_asks(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(
        '<link rel=canonical href="https://www.amazon.de/dp/B0COUNTER1"><span id=productTitle>Ring</span>'
        "<input id=ASIN value=B0COUNTER1><div data-hook=review><span class=a-profile-name>Erika Muster</span>"
        "<span data-hook=review-body>Wie von Cartier.</span></div>",
        encoding="utf-8",
    )
    ran = within("read", str(page), "--term", "Cartier", "--term", "Gucci", "--json", home=tmp_path / "home")
    assert ran.code == 0, ran.err
    (review,) = json.loads(ran.out)["fields"]["reviews"]
    assert review["text"] == "Wie von Cartier."
    assert "Muster" not in ran.out
    assert "reviews" not in json.loads(within("read", str(page), "--json", home=tmp_path / "home").out)["fields"]


def test_where_todays_readers_say_something_else_than_the_kept_reading_it_is_named() -> None:
    source = Source(where="css h1", seen=Seen.SHOWN)
    today = Reading(
        platform="shop",
        kind=Kind.LISTING,
        fields={"title": "A", "price": "5"},
        sources={"title": source, "price": source},
    )
    before = {**today.to_json(), "kind": "other", "fields": {"title": "B", "price": "5", "brand": "C"}}
    by = {"software": "counterproof", "version": "0", "code_sha256": "0" * 64}

    def told(reading: object) -> object:
        return beside(Page(name="x", data=b"", url=None, kept={"by": by, "reading": reading}), today)

    assert told(before) == {"by": by, "differs": ["brand", "title", "kind"]}
    assert told(today.to_json()) == {"by": by, "differs": []}
    assert told("nonsense") == {"by": by, "differs": ["price", "title", "platform", "kind"]}
    assert beside(Page(name="x", data=b"", url=None), today) is None
