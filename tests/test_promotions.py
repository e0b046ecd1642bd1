"""Every kind of link of the make-believe network, captured for real: each leads to its promotion, with all hops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

POSTS = ("post", "post_direct", "post_chinese", "post_arabic", "post_leaving", "post_unlinked", "post_gone")
SHOP = "https://www.bazaroo.example/"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("promotions") / "home"


@pytest.fixture(scope="module")
def found(home: Path) -> Iterator[Any]:
    with Site() as site:
        terms = ("--term", "Cartier", "--term", "Love bracelet", "--term", "LOVE 手镯", "--price", "Cartier=7000 EUR")
        assert run("case", "new", "finds", *terms, home=home).code == 0
        captured = run(
            "capture", *(site.url(each) for each in POSTS), "--case", "finds", "--delay", "0", "--no-control",
            "--look-again", "0", "--authority", "none", "--json", *through(site.resolve, site.trust_spki),
            home=home, timeout_s=600,
        )  # fmt: skip
        assert captured.code in (0, 4), captured.err
        told = run("findings", "finds", "--json", "--candidates", home=home)
        assert told.code == 0, told.err
        yield told.document


def of(found: Any, name: str) -> list[Any]:
    with Site() as site:
        return [each for each in found["promotions"] if each["post"]["url"] == site.url(name)]


@pytest.mark.parametrize(
    ("name", "by", "hops", "end"),
    [
        ("post", ["only_link", "number"], ["http", "http"], "listing"),
        ("post_direct", ["in_text"], ["http", "http"], "listing"),
        ("post_chinese", ["in_text"], ["refresh"], "listing"),
        ("post_arabic", ["in_text"], ["script"], "storefront"),
        ("post_leaving", ["in_text"], ["click"], "listing"),
    ],
)
def test_each_kind_of_link_gives_its_promotion(found: Any, name: str, by: list[str], hops: list[str], end: str) -> None:
    promotions = of(found, name)
    told = [[edge["by"] for edge in each["edges"] if edge["chosen"] != "author"] for each in promotions]
    assert by in told
    mine = promotions[told.index(by)]
    assert mine["listing"]["kind"] == end
    assert mine["listing"]["url"].startswith(SHOP)
    assert mine["state"] == "listing_seen"
    assert [hop["kind"] for hop in mine["edges"][-1]["hops"]] == hops


def test_a_listing_that_is_gone_was_not_seen(found: Any) -> None:
    promotions = of(found, "post_gone")
    linked = [each for each in promotions if each["edges"][-1]["by"] == "in_text"]
    assert len(linked) == 2
    assert {each["state"] for each in linked} == {"listing_not_seen"}
    assert not any(each["about"] == "term_absent" for one in linked for each in one["observations"])


def test_a_button_that_shows_the_posts_picture_is_pointed_at(found: Any) -> None:
    """The hub's button to the whole shop has the parcel on it that the post shows."""
    (shop,) = [each for each in of(found, "post_gone") if each["edges"][-1]["by"] == "picture"]
    assert shop["listing"]["kind"] == "storefront"
    assert shop["edges"][-1]["where"] == "page"


def test_what_the_case_asks_for_is_observed_with_its_passage(found: Any) -> None:
    (promotion,) = of(found, "post")
    absent = [each for each in promotion["observations"] if each["about"] == "term_absent"]
    assert {each["facts"]["term"] for each in absent} == {"Cartier", "Love bracelet"}
    assert all(each["rests_on"] and each["searched"] for each in absent)
    shared = [each["about"] for each in promotion["observations"] if each["about"].startswith("shared")]
    assert "shared_listing" in shared
    assert promotion["under"]["version"] == 1


def test_the_same_again_is_nothing_new_and_the_archive_verifies(found: Any, home: Path) -> None:
    assert found["recorded"]["new"] == len(found["promotions"])
    again = run("findings", "finds", "--json", home=home).document
    assert again["recorded"] == {**found["recorded"], "new": 0, "changed": 0, "gone": 0}
    verdict = run("verify", "--case", "finds", home=home)
    assert verdict.code == 0, verdict.out
    changed = run("case", "edit", "finds", "--term", "seven thousand", home=home)
    assert changed.code == 0, changed.err
    later = run("findings", "finds", "--json", home=home).document
    assert later["recorded"]["changed"] >= 1
    filed = [each["filed"] for each in later["promotions"] if each["filed"]["replaces"]]
    assert {tuple(each["why"]) for each in filed} == {("case",)}


@pytest.mark.usefixtures("found")
def test_the_graph_is_drawn_in_each_form(home: Path, tmp_path: Path) -> None:
    for form in ("json", "graphml", "csv"):
        ran: Ran = run("graph", "finds", "--format", form, "-o", str(tmp_path / form), home=home)
        assert ran.code == 0, ran.err
        assert (tmp_path / form).stat().st_size > 1000
    assert b"SunnyJewel" in (tmp_path / "csv").read_bytes()


@pytest.mark.usefixtures("found")
def test_an_export_carries_nothing_of_it(home: Path, tmp_path: Path) -> None:
    ran = run("export", "--case", "finds", "-o", str(tmp_path / "bag"), home=home)
    assert ran.code == 0, ran.err
    names = {path.name for path in (tmp_path / "bag").rglob("*")}
    assert not any("findings" in name for name in names)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "bag").rglob("*.json*") if path.is_file())
    assert b"was not found; its pictures" not in kept
