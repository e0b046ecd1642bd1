"""``counterproof case``: what a case is about, from an empty folder to its disposal."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from archive.brief import Brief
from archive.errors import NotStored
from archive.reader import open_reader
from archive.vault import Vault
from console import briefsheet
from console.amending import Pictures, from_sheet
from custody.digest import Digest
from custody.verdict import Verdict
from custody.verify import verify
from tests.archive.deployment import now
from tests.archive.runs import captured
from tests.archive.test_brief import FULL, briefs
from tests.console.test_keys import Place, holder

OFFICE = "office"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with nothing in it."""
    return Place(tmp_path)


@pytest.fixture
def front(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 48), "red").save(tmp_path / "front.jpg", "PNG")
    return tmp_path / "front.jpg"


def words(said: str) -> str:
    return " ".join(said.split())


def shown(place: Place, name: str = "acme", *options: str) -> Any:
    return place.document("case", "show", name, *options, home=OFFICE)


def events(place: Place) -> list[str]:
    with open_reader(place.config(OFFICE)) as reader:
        return [each.event.type for each in reader.log.events()]


def judged(place: Place) -> Verdict:
    with open_reader(place.config(OFFICE)) as reader:
        return verify(reader.store, reader.trust, at=now(), absent=(NotStored,))


def capture(place: Place, case: str = "acme") -> str:
    with Vault.open(place.config(OFFICE), clock=now) as vault:
        acquisition = vault.begin(case, {}, None)
        captured(acquisition)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
        return acquisition.captured[0].capture_id


NEW = (
    "case", "new", "acme", "--title", "Copies  of the Love bracelet", "--matter", "2026/118", "--term", "Cartier",
    "--product", "Love bracelet", "--form", "Cartier=カルティエ", "--registration", "EUTM 000123456 CARTIER, class 14",
    "--authorised", "cartier.com", "--price", "Love bracelet=6900.00 eur", "--threshold", "picture_distance=31",
    "--threshold", "price_ratio=0.35", "--timezone", "Europe/Paris", "--purpose", "Find who promotes copies.\nNo more.",
    "--legal-basis", "Art. 6(1)(f) GDPR", "--review-by", "2027-01-31",
)  # fmt: skip


def test_a_case_begins_in_an_empty_folder_and_says_it_all(place: Place, front: Path) -> None:
    made = place.document(*NEW, "--picture", front, "--retention", "900", home=OFFICE)
    assert (made["case"], made["version"], made["changed"]) == ("acme", 1, True)
    assert made["retention"]["days"] == 900
    document = shown(place)
    picture = {
        "sha256": Digest.of(front.read_bytes()).hex, "bytes": front.stat().st_size, "media_type": "image/png",
        "name": "front.jpg", "note": "",
    }  # fmt: skip
    assert document["brief"] == FULL.to_json() | {
        "terms": [
            {"text": "Cartier", "kind": "brand", "forms": ["カルティエ"]},
            {"text": "Love bracelet", "kind": "product", "forms": []},
        ],
        "purpose": "Find who promotes copies.\nNo more.",
        "pictures": [picture],
    }
    assert (document["case_id"], document["units"], document["retention_days"]) == (made["case_id"], 0, 900)
    assert document["versions"] == [
        {"version": 1, "at": document["versions"][0]["at"], "index": made["index"], "sha256": made["sha256"]}
    ]
    said = place.say("case", "show", "acme", home=OFFICE)
    for text in (
        "Copies of the Love bracelet",
        "カルティエ",
        "6900.00 EUR",
        "front.jpg, image/png",
        "No more.",
        "900 days",
    ):
        assert text in said
    assert events(place)[-3:] == ["case.opened", "case.described", "retention.set"]
    assert "BLOB_ORPHAN" not in place.codes()


def test_a_name_that_is_there_is_not_taken_again(place: Place) -> None:
    place.say("case", "new", "acme", home=OFFICE)
    before = events(place)
    said = words(place.say("case", "new", " acme ", "--term", "Cartier", home=OFFICE, code=2))
    assert "there is a case 'acme' already" in said
    assert "case edit" in said
    assert events(place) == before


def test_a_case_that_a_capture_opened_says_nothing_yet_and_how_to(place: Place) -> None:
    capture(place)
    document = shown(place)
    assert (document["version"], document["brief"], document["versions"], document["units"]) == (None, None, [], 1)
    assert "nothing is described yet: counterproof case edit 'acme'" in place.say("case", "show", "acme", home=OFFICE)
    assert "not described" in place.say("case", "list", home=OFFICE)
    assert "there is a case 'acme' already" in words(place.say("case", "new", "acme", home=OFFICE, code=2))
    assert "nothing is described yet" in words(place.say("case", "show", "acme", "--version", "1", home=OFFICE, code=2))
    place.say("case", "edit", "acme", "--term", "Cartier", home=OFFICE)
    assert shown(place)["version"] == 1
    capture(place)
    assert shown(place)["units"] == 2, "and captures go on into the same case"


def test_what_is_not_named_stays_and_what_was_said_before_can_be_shown(place: Place, front: Path) -> None:
    place.say(*NEW, "--picture", front, home=OFFICE)
    place.say(
        "case", "edit", "acme", "--title", "", "--review-by", "", "--remove-form", "Cartier=カルティエ", "--form",
        "Cartier=卡地亚", "--remove-threshold", "price_ratio", "--price", "Love bracelet=7100 EUR", "--price",
        "Love bracelet=7500 USD", "--authorised", "seller 12", "--remove-authorised", "cartier.com",
        "--remove-picture", "front.jpg", "--product", "Juste un Clou", home=OFFICE,
    )  # fmt: skip
    now_, before = shown(place)["brief"], shown(place, "acme", "--version", "1")["brief"]
    assert (now_["title"], before["title"]) == ("", "Copies of the Love bracelet")
    assert (now_["review_by"], before["review_by"]) == (None, "2027-01-31")
    assert now_["terms"][0]["forms"] == ["卡地亚"]
    assert [each["text"] for each in now_["terms"]] == ["Cartier", "Love bracelet", "Juste un Clou"]
    assert [(each["amount"], each["currency"]) for each in now_["prices"]] == [("7100", "EUR"), ("7500", "USD")]
    assert now_["thresholds"] == {"picture_distance": "31"}
    assert now_["authorised"] == ["seller 12"]
    assert (len(now_["pictures"]), len(before["pictures"])) == (0, 1)
    assert now_["purpose"] == before["purpose"]
    place.say("case", "edit", "acme", "--remove-term", "Love bracelet", home=OFFICE)
    assert shown(place)["brief"]["prices"] == []
    assert [each["version"] for each in shown(place)["versions"]] == [1, 2, 3]
    assert "SHOWN     version 1" in place.say("case", "show", "acme", "--version", "1", home=OFFICE)
    assert place.codes().count("BLOB_MISSING") == 0


def test_what_changes_nothing_is_no_version(place: Place) -> None:
    place.say(*NEW, home=OFFICE)
    before = events(place)
    made = place.document(
        "case", "edit", "acme", "--term", "Cartier", "--title", "Copies of the Love bracelet", home=OFFICE
    )
    assert (made["changed"], made["version"]) == (False, 1)
    assert "case edit --help" in words(place.say("case", "edit", "acme", home=OFFICE, code=2))
    assert events(place) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--form", "Rolex=劳力士"), "'Cartier', 'Love bracelet'"),
        (("--price", "Love bracelet=cheap"), "expected a price such as"),
        (("--price", "Love bracelet=1e9 EUR"), "expected a price such as"),
        (("--threshold", "mood=1"), "picture_distance=N"),
        (("--threshold", "price_ratio=1.5"), "from 0 to 1, got 1.5"),
        (("--threshold", "picture_distance=1.5"), "whole number"),
        (("--timezone", "Europe/Nowhere"), "no time zone"),
        (("--timezone", "../../etc/passwd"), "timezone"),
        (("--review-by", "tomorrow"), "a day such as"),
        (("--title", "\x1b[2J"), "title"),
        (("--remove-term", "Rolex"), "no term 'Rolex'"),
        (("--remove-picture", "back.jpg"), "no picture 'back.jpg'; there is none"),
        (("--retention", "1"), "never shortened"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_not_right_is_said_and_changes_nothing(place: Place, options: tuple[str, ...], says: str) -> None:
    place.say(*NEW, "--retention", "400", home=OFFICE)
    before = events(place)
    code = 8 if "--retention" in options else 2
    assert says in words(place.say("case", "edit", "acme", *options, home=OFFICE, code=code))
    assert events(place) == before


@pytest.mark.parametrize("options", [("--threshold", "mood=1"), ("--picture", "nothing.png"), ("--retention", "1")])
def test_a_case_that_is_not_right_is_not_opened(place: Place, options: tuple[str, ...]) -> None:
    place.say("case", "new", "other", home=OFFICE)
    before = events(place)
    place.say(
        "case",
        "new",
        "acme",
        *options,
        home=OFFICE,
        code={"--threshold": 2, "--picture": 6, "--retention": 8}[options[0]],
    )
    assert events(place) == before


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_by_its_content(place: Place, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "front.png").write_bytes(data)
    said = words(place.say("case", "new", "acme", "--picture", tmp_path / "front.png", home=OFFICE, code=2))
    assert "front.png: this is no picture to compare with" in said


def test_a_picture_has_a_limit(place: Place, front: Path) -> None:
    with front.open("ab") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    said = words(place.say("case", "new", "acme", "--picture", front, home=OFFICE, code=2))
    assert "has more than 20971520 bytes" in said


def test_a_file_goes_out_and_comes_back(place: Place, front: Path, tmp_path: Path) -> None:
    place.say(*NEW, "--picture", front, home=OFFICE)
    sheet = tmp_path / "acme.toml"
    sheet.write_text(place.say("case", "show", "acme", "--toml", home=OFFICE), encoding="utf-8")
    assert not place.document("case", "edit", "acme", "--from", sheet, home=OFFICE)["changed"]
    Image.new("RGB", (64, 48), "blue").save(tmp_path / "back.png")
    text = sheet.read_text(encoding="utf-8").replace('"2026/118"', '"2026/119"').replace('note = ""', 'note = "clasp"')
    sheet.write_text(text + '[[pictures]]\nfile = "back.png"\n', encoding="utf-8")
    assert place.document("case", "edit", "acme", "--from", sheet, home=OFFICE)["version"] == 2
    brief = shown(place)["brief"]
    assert brief["matter"] == "2026/119"
    assert [(each["name"], each["note"]) for each in brief["pictures"]] == [("front.jpg", "clasp"), ("back.png", "")]
    said = words(place.say("case", "edit", "acme", "--from", sheet, home=OFFICE, code=8))
    assert "was written from version 1, and this case has 2" in said
    other = tmp_path / "other.toml"
    other.write_text('terms = ["Cartier", {text = "Love", kind = "product"}]\n[thresholds]\nprice_ratio = 0.35\n')
    place.say("case", "new", "other", "--from", other, "--title", "More", home=OFFICE)
    made = shown(place, "other")["brief"]
    assert [each["text"] for each in made["terms"]] == ["Cartier", "Love"]
    assert (made["thresholds"], made["title"]) == ({"price_ratio": "0.35"}, "More")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = ", "acme.toml: Invalid value"),
        ('mood = "good"', "mood"),
        ("title = 5", "title"),
        ("terms = 5", "terms is a list"),
        ("prices = [5]", "prices is a list of tables"),
        ('[[pictures]]\nnote = "x"', "named by its file"),
        ('[[pictures]]\nfile = "a"\nsha256 = "b"', "named by its file"),
        ("[[pictures]]\nfile = 5", "all of them text"),
        (f'[[pictures]]\nsha256 = "{"0" * 64}"', "has no picture"),
        ("version = 0", "version"),
        ("version = true", "version"),
        ("[thresholds]\nprice_ratio = nan", "price_ratio"),
        ("[thresholds]\nprice_ratio = 1e999999999", "price_ratio"),
        ("review_by = 2027-02-30", "line 1"),
        ("\xff", "acme.toml"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_is_named(place: Place, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "acme.toml").write_bytes(text.encode("latin-1"))
    place.say("case", "new", "acme", home=OFFICE)
    before = events(place)
    said = words(place.say("case", "edit", "acme", "--from", tmp_path / "acme.toml", home=OFFICE, code=2))
    assert says in said
    assert events(place) == before


@given(briefs(), st.text(max_size=20), st.none() | st.integers(1, 99))
def test_any_brief_is_read_back_from_its_file(brief: Brief, case: str, version: int | None) -> None:
    text = briefsheet.write(brief, case=case, version=version)
    tomllib.loads(text)
    sheet = briefsheet.parse(text, Path("nowhere"))
    assert sheet.version == version
    assert [(each.sha256, each.note) for each in sheet.pictures] == [
        (each.digest.hex, each.note) for each in brief.pictures
    ]
    assert from_sheet(brief, sheet, Pictures(type_of=lambda _: "", data={})) == brief


def test_the_list_says_what_is_there_and_what_is_overdue(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.say(*NEW, "--retention", "900", home=OFFICE)
    capture(place)
    capture(place, "bare")
    rows = {each["case"]: each for each in place.document("case", "list", home=OFFICE)["cases"]}
    assert (rows["bare"]["version"], rows["bare"]["units"], rows["bare"]["overdue"]) == (None, 1, False)
    row = rows["acme"]
    assert (row["version"], row["units"], row["retention_days"], row["review_by"]) == (1, 1, 900, "2027-01-31")
    # In Paris it is the first of February an hour before it is so in Greenwich.
    for at, overdue in (
        (datetime(2027, 1, 31, 22, 59, tzinfo=UTC), False),
        (datetime(2027, 1, 31, 23, 1, tzinfo=UTC), True),
    ):
        monkeypatch.setattr("console.caseview.now", lambda at=at: at)
        assert shown(place)["overdue"] == overdue
        said = place.say("case", "list", home=OFFICE)
        assert ("OVERDUE" in said) == overdue
        assert "900 days" in said


def test_where_nobody_is_a_person_nothing_is_described(place: Place) -> None:
    made = ("--make", "1", "--threshold", "1", "--into", place.folder / "holders")
    place.say("keys", "ceremony", *made, home=OFFICE)
    place.say("keys", "submit", place.home(OFFICE) / "opening.json", home=OFFICE)
    place.enrol("jane", "--role", "person")
    place.say("keys", "introduce", *place.requests(), "--key", holder(place, 1), home=OFFICE)
    assert "needs the signature of a person" in words(place.say("case", "new", "acme", home=OFFICE, code=6))
    assert not {"case.opened", "case.described"} & set(events(place))


def test_what_was_described_is_disposed_of_by_its_own(place: Place, front: Path) -> None:
    place.say(*NEW, "--picture", front, home=OFFICE)
    capture(place)
    place.say("case", "edit", "acme", "--title", "Other", home=OFFICE)
    blobs = place.folder / "store" / "v1" / "blobs"

    def with_term() -> list[Path]:
        return [each for each in blobs.rglob("*") if each.is_file() and b"Cartier" in each.read_bytes()]

    assert len(with_term()) == 2
    whole = ("dispose", "--case", "acme", "--why", "w", "--dry-run")
    assert "dispose --brief" in words(place.say(*whole, home=OFFICE))
    dispose = ("dispose", "--brief", "acme", "--why", "the matter is closed")
    document = place.document(*dispose, "--dry-run", home=OFFICE)
    assert (document["units"][0]["blobs"], document["done"]) == (3, [])
    assert "add --yes" in words(place.say(*dispose, home=OFFICE, code=2))
    place.say(*dispose, "--yes", home=OFFICE)
    assert "dispose --brief" not in words(place.say(*whole, home=OFFICE))
    assert with_term() == []
    document = shown(place)
    assert document["brief"] is None
    assert "was disposed of (leaf " in document["trouble"]
    assert "TROUBLE" in place.say("case", "show", "acme", home=OFFICE)
    place.say("case", "show", "acme", "--toml", home=OFFICE, code=2)
    assert "was disposed of" in place.say("case", "list", home=OFFICE)
    said = words(place.say("case", "edit", "acme", "--title", "x", home=OFFICE, code=8))
    assert "was disposed of" in said
    verdict = judged(place)
    assert verdict.holds
    assert "BLOB_DISPOSED" in {each.code for each in verdict.findings}
    assert place.document("captures", "--case", "acme", home=OFFICE)["captures"], "the evidence stays"
    assert "name one of them" in words(place.say(*dispose, "--unit", "9f3c", home=OFFICE, code=2))


def test_a_brief_that_is_gone_is_written_anew_from_a_file_alone(place: Place, tmp_path: Path) -> None:
    made = place.document("case", "new", "acme", "--term", "Cartier", home=OFFICE)
    sheet = tmp_path / "acme.toml"
    sheet.write_text(place.say("case", "show", "acme", "--toml", home=OFFICE), encoding="utf-8")
    path = place.folder / "store" / "v1" / "blobs" / "sha256" / made["sha256"][:2] / made["sha256"]
    path.chmod(0o600)
    path.unlink()
    said = words(place.say("case", "edit", "acme", "--title", "x", home=OFFICE, code=6))
    assert "`counterproof verify` misses it" in said
    place.say("case", "edit", "acme", "--from", sheet, home=OFFICE)
    assert shown(place)["brief"]["terms"][0]["text"] == "Cartier"
    assert [each.code for each in judged(place).failures] == ["BLOB_MISSING"]


def test_an_export_carries_no_term(place: Place, front: Path) -> None:
    place.say(*NEW, "--picture", front, "--retention", "900", home=OFFICE)
    capture(place)
    place.say("export", "--case", "acme", "-o", place.folder / "bag", home=OFFICE)
    for each in (place.folder / "bag").rglob("*"):
        data = each.read_bytes() if each.is_file() else b""
        for secret in ("Cartier", "Love bracelet", "2026/118", "GDPR", "front.jpg", "brief.json"):
            assert secret.encode() not in data, each
        assert data != front.read_bytes(), each


def test_by_a_person_without_the_log_key_it_waits_in_the_inbox(place: Place) -> None:
    place.say("keys", "ceremony", "--make", "1", "--threshold", "1", "--into", place.folder / "holders", home=OFFICE)
    place.say("keys", "submit", place.home(OFFICE) / "opening.json", home=OFFICE)
    place.enrol("jane", "--role", "person")
    place.say("keys", "introduce", *place.requests(), "--key", holder(place, 1), home=OFFICE)
    place.say("case", "new", "acme", "--term", "Cartier", home="jane", code=3)
    place.say("sequence", "--once", home=OFFICE)
    assert (shown(place)["version"], shown(place)["brief"]["terms"][0]["text"]) == (1, "Cartier")
    place.say("case", "edit", "acme", "--title", "Love", home="jane", code=3)
    assert shown(place)["version"] == 1, "it waits"
    place.say("sequence", "--once", home=OFFICE)
    assert (shown(place)["version"], shown(place)["title"]) == (2, "Love")
    assert judged(place).holds
