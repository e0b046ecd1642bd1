"""A promotion, captured by the real command and packed by it: others accept the package, and it replays in theirs."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import film, orders
from tests.archive.exporting.spoiling import artifact_in
from tests.archive.packaging.traffic import Opened, unzipped
from tests.authority import LocalAuthority
from tests.command import Ran, run, through
from tests.replaying import Show, oracle, pywb, replayweb
from tests.site.host import Host
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

CASE = "Matter 12"


@dataclass(frozen=True, kw_only=True)
class Made:
    home: Path
    told: Ran
    """What the capture said."""
    packed: Ran
    wacz: Path
    post: str

    def command(self, *arguments: str) -> Ran:
        return run(*arguments, home=self.home)

    @property
    def opened(self) -> Opened:
        return unzipped(self.wacz)

    @property
    def pages(self) -> dict[str, Any]:
        """By the address that was asked for."""
        return {each["url"]: each for each in self.opened.pages[1:]}


def packed(folder: Path, url: str, host: Host) -> Path:
    """The package of one page of a host, made as the run ended."""
    made = Site()
    made.hosts[host.name] = host
    roots = folder / "roots.pem"
    with made as site, LocalAuthority(folder / "authority") as authority:
        roots.write_text(authority.roots_pem)
        told = run(
            "capture", url, "--case", CASE, "--no-follow", "--package", "--json",
            "--authority", authority.url, "--authority-roots", str(roots),
            *through(site.resolve, site.trust_spki), home=folder / "home",
        )  # fmt: skip
        assert told.code == 0, told.err
        assert told.document["time"] == "trusted", "of the packages, too"
        pending = run("seal", "--json", home=folder / "home")
        assert pending.code == 0, pending.out
        (unit,) = told.document["units"]
        assert unit["captures"] == [unit["id"]] == unit["package"]["captures"]
        ran = run("package", unit["id"], "-o", str(folder / "out"), "--json", home=folder / "home")
        assert ran.code == 0, ran.err
        (again,) = ran.document["packages"]
        assert (again["sha256"], again["index"]) == (unit["package"]["sha256"], None), "the log has it already"
        (wacz,) = (folder / "out").iterdir()
        return wacz


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a page with a film."""
    film.film()
    return packed(tmp_path_factory.mktemp("films"), film.URL, film.host())


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a page that asks by other means than ``GET``."""
    return packed(tmp_path_factory.mktemp("orders"), orders.URL, orders.host())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("packages")
    with Site() as site:
        told = run(
            "capture", site.url("post"), "--case", CASE, "--json", "--authority", "none",
            *through(site.resolve, site.trust_spki), home=folder / "home",
        )  # fmt: skip
        assert told.code == 0, told.err
        packed = run("package", "--case", CASE, "-o", str(folder / "out"), "--json", home=folder / "home")
        assert packed.code == 0, packed.err
        (wacz,) = (folder / "out").iterdir()
        yield Made(home=folder / "home", told=told, packed=packed, wacz=wacz, post=site.url("post"))


def test_the_promotion_is_one_package_with_a_page_for_each_capture(made: Made) -> None:
    (package,) = made.packed.document["packages"]
    root = made.told.capture_of(made.post)
    assert package["unit"] == root["id"]
    assert made.wacz.name == f"{root['id']}.wacz"
    assert set(package["captures"]) == {each["id"] for each in made.told.captures}
    opened = made.opened
    opened.check()
    assert {each["id"] for each in opened.pages[1:]} == set(package["captures"])
    assert {each["url"] for each in opened.pages[1:]} == {each["requested_url"] for each in made.told.captures}
    for capture in made.told.captures:
        kept = {each["role"]: each["sha256"] for each in capture["artifacts"]}
        listed = {each["path"]: each["hash"] for each in opened.description["resources"]}
        assert listed[f"archive/{capture['id']}.warc.gz"] == f"sha256:{kept['warc']}"
        assert {"id": capture["id"], "record_sha256": capture["record_sha256"], "traffic_sha256": kept["warc"]} in (
            opened.description["captures"]
        )
    assert CASE.encode() not in made.wacz.read_bytes()


def test_again_it_is_the_same_and_the_archive_verifies_with_it(made: Made, tmp_path: Path) -> None:
    again = made.command("package", made.told.captures[0]["unit"], "-o", str(tmp_path), "--json")
    assert again.code == 0
    assert again.document["packages"][0]["index"] is None
    assert (tmp_path / made.wacz.name).read_bytes() == made.wacz.read_bytes()
    assert "nothing new" in made.command("package", "--case", CASE).out
    verdict = made.command("verify", "--case", CASE, "--json")
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["events"]["package.made"] == 1


def test_an_export_hands_it_over(made: Made, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    assert made.command("export", "--case", CASE, "-o", str(bag)).code == 0
    (package,) = made.packed.document["packages"]
    assert artifact_in(bag, package["sha256"]).read_bytes() == made.wacz.read_bytes()
    checked = run("verify", "--export", str(bag), "--trust", str(made.home / "trust.json"), home=tmp_path / "none")
    assert checked.code == 0, checked.out
    script = ["sh", str(bag / "verify.sh"), str(bag), str(made.home / "trust.json")]
    judged = subprocess.run(script, check=False, capture_output=True, text=True, timeout=240)
    assert judged.returncode == 0, judged.stdout


def test_what_cannot_be_packed_is_a_sentence_and_a_code(made: Made, tmp_path: Path) -> None:
    assert made.command("package").code == 2
    assert made.command("package", "ffffffff").code == 2
    assert made.command("package", "--case", "another").code == 2
    (tmp_path / made.wacz.name).write_bytes(b"another file")
    taken = made.command("package", "--case", CASE, "-o", str(tmp_path))
    assert taken.code == 2
    assert "is there already and is another file" in taken.err


@pytest.mark.replay
def test_py_wacz_accepts_it_and_finds_the_same_in_the_warcs(made: Made, tmp_path: Path) -> None:
    tools = oracle("wacz") / "bin"
    ran = subprocess.run(
        [tools / "wacz", "validate", "-f", made.wacz], check=False, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "is valid" in ran.stdout
    warcs: list[Path] = []
    for name, data in made.opened.data.items():
        if name.startswith("archive/"):
            warcs.append(tmp_path / Path(name).name)
            warcs[-1].write_bytes(data)
    command = [str(tools / "cdxj-indexer"), "--records", "response", *map(str, warcs)]
    theirs = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.splitlines()
    ours = {
        (key, at, told["filename"], told["offset"], told["length"], told["status"], told["mime"], told["digest"])
        for key, at, told in made.opened.index
        if not key.startswith("urn:")
    }
    found = set()
    for key, at, text in (line.split(" ", 2) for line in theirs):
        told = json.loads(text)
        mime = told.get("mime", "unk").rstrip(";")
        found.add((key, at, told["filename"], told["offset"], told["length"], told["status"], mime, told["digest"]))
    assert ours == found


def replays(made: Made, show: Show) -> None:
    """Text, images, and hops of each kind, to where they led."""
    post = made.pages[made.post]
    shown = show(made.post, post["ts"])
    assert shown.url == made.post
    assert shown.title == post["title"]
    assert "my Love bracelet has not left my wrist" in shown.text
    assert len(shown.images) > 5
    assert all(shown.images)
    kinds = set()
    for capture in made.told.captures:
        if not capture["hops"]:
            continue
        kinds |= {each["kind"] for each in capture["hops"]}
        shown = show(capture["requested_url"], made.pages[capture["requested_url"]]["ts"])
        assert shown.title == capture["title"]
        assert all(shown.images)
        if {each["kind"] for each in capture["hops"]} == {"http"}:
            assert shown.url == capture["final_url"]
    assert {"http", "refresh", "script"} <= kinds


@pytest.mark.replay
def test_it_replays_in_pywb(made: Made, tmp_path: Path) -> None:
    with pywb(made.wacz, tmp_path) as show:
        replays(made, show)


def test_it_replays_in_replayweb_page(made: Made, tmp_path: Path) -> None:
    with replayweb(made.wacz, tmp_path) as show:
        replays(made, show)


def plays(wacz: Path, show: Show) -> None:
    (page,) = unzipped(wacz).pages[1:]
    assert show(film.URL, page["ts"]).videos == [(film.SIZE, True)]


@pytest.mark.replay
def test_a_film_plays_in_pywb(filmed: Path, tmp_path: Path) -> None:
    with pywb(filmed, tmp_path) as show:
        plays(filmed, show)


def test_a_film_plays_in_replayweb_page(filmed: Path, tmp_path: Path) -> None:
    with replayweb(filmed, tmp_path) as show:
        plays(filmed, show)


def says(wacz: Path, show: Show) -> None:
    (page,) = unzipped(wacz).pages[1:]
    text = show(orders.URL, page["ts"]).text
    assert [each for each in orders.SAID if each not in text] == []
    assert "the form was not sent" in text, "the answer to GET is its own"


@pytest.mark.replay
def test_answers_to_post_and_put_are_found_in_pywb(ordered: Path, tmp_path: Path) -> None:
    with pywb(ordered, tmp_path) as show:
        says(ordered, show)


def test_answers_to_post_and_put_are_found_in_replayweb_page(ordered: Path, tmp_path: Path) -> None:
    with replayweb(ordered, tmp_path) as show:
        says(ordered, show)
