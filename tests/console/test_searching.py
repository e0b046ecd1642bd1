"""``search``, ``whereis``, ``timeline`` and ``catalog``, by the real command on a released archive and on a new one."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.directory import DirectoryStore
from archive.packs import decode
from console.cli import app
from custody import keyspace
from tests.archive.stewardship.office import Office
from tests.command import ROOT, Ran

GOLDEN = ROOT / "tests" / "fixtures" / "golden" / "0.1"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
GONE, SHORT = EXPECTED["captures"][2], EXPECTED["captures"][1]


@dataclass
class Command:
    home: Path
    url: str

    def __call__(self, *arguments: str) -> Ran:
        told = CliRunner().invoke(app, [*arguments, "--home", str(self.home), "--store", self.url])
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        return Ran(code=told.exit_code, out=told.stdout, err=told.stderr)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Command:
    home = tmp_path_factory.mktemp("home")
    (home / "trust.json").write_bytes((GOLDEN / "trust.json").read_bytes())
    return Command(home, f"file:{GOLDEN / 'archive'}")


def test_search_finds_by_words_and_by_filters(golden: Command) -> None:
    found = golden("search", "bracelet", "--json").document
    assert [each["capture_id"] for each in found["captures"]] == [SHORT["id"]]
    assert found["captures"][0]["id"] == SHORT["id"], "by the name that `capture --json` gives it, too"
    assert "bracelet" in found["captures"][0]["passage"].lower()
    assert (found["next"], found["unread"]) == (None, 0)
    gone = golden("search", "--outcome", "unavailable", "--host", "www.bazaroo.example", "--json").document
    assert [each["capture_id"] for each in gone["captures"]] == [GONE["id"]]
    whole = golden("search", "--case", "golden", "--json").captures
    assert {each["capture_id"] for each in whole} == {each["id"] for each in EXPECTED["captures"]}
    assert [each["started_index"] for each in whole] == sorted((each["started_index"] for each in whole), reverse=True)
    pages = golden("search", "--limit", "2", "--json").document
    rest = golden("search", "--before", str(pages["next"]), "--json").document
    assert {each["capture_id"] for each in (*pages["captures"], *rest["captures"])} == {
        each["id"] for each in EXPECTED["captures"]
    }
    told = golden("search", "bracelet")
    assert SHORT["id"] in told.out
    assert golden("search", "no such word at all").err.strip().startswith("nothing was found")
    assert golden("search", "--since", "2026-11-25", "--until", "2026-11-26", "--json").captures != []
    assert golden("search", "--until", "2020-01-01", "--json").captures == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("search", "--since", "yesterday"), "a day is 2026-11-03"),
        (("search", "--case", "nobody's"), "there is no case"),
        (("whereis", "no/such/file"), "there is no file"),
        (("whereis", "1234"), "64 hex digits"),
        (("timeline", "@nobody"), "nothing captured is called"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(golden: Command, arguments: tuple[str, ...], says: str) -> None:
    told = golden(*arguments, "--json")
    assert told.code == 2
    assert says in told.document["error"]
    assert says in told.err


def test_whereis_tells_whether_these_bytes_are_here(golden: Command, tmp_path: Path) -> None:
    found = golden("whereis", GONE["record_sha256"], "--json")
    assert (found.code, [each["what"] for each in found.document["found"]]) == (0, ["record"])
    assert found.document["found"][0]["capture"]["capture_id"] == GONE["id"]
    shot = tmp_path / "shot.png"
    assert golden("get", SHORT["id"], "screenshot", "-o", str(shot)).code == 0
    told = golden("whereis", str(shot))
    assert told.code == 0
    assert told.out.startswith("artifact  screenshot screenshot.png")
    shot.write_bytes(shot.read_bytes() + b" ")
    missing = golden("whereis", str(shot), "--json")
    assert (missing.code, missing.document["found"]) == (4, [])
    assert "is not in this archive" in missing.err


def test_timeline_of_an_address_and_of_a_capture(golden: Command) -> None:
    by_url = golden("timeline", GONE["requested_url"], "--json").document
    assert [each["moment"] for each in by_url["moments"]] == ["gone"]
    by_id = golden("timeline", GONE["id"], "--json").document
    assert by_id == by_url
    told = golden("timeline", SHORT["requested_url"])
    assert "first seen" in told.out
    assert "1 moments in all" in told.err


def test_the_catalogue_is_made_again(golden: Command) -> None:
    before = golden("search", "bracelet", "--json").document
    made = golden("catalog", "rebuild", "--json").document
    assert (made["captures"], made["unread"]) == (3, 0)
    assert golden("catalog", "rebuild", "--from-log", "--no-words", "--json").document["unread"] > 0
    assert golden("search", "bracelet", "--json").document == before
    status = golden("catalog", "status", "--json").document
    assert (status["captures"], status["unread"], status["believed"]) == (3, 0, 0)
    assert "3 captures up to commit" in golden("catalog", "status").out


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Office, Command, str]]:
    made = Office.open(tmp_path, DirectoryStore(tmp_path / "archive"))
    with closing(made.sequencer):
        unit = made.capture(scope=made.case("acme"), files={"text": b"a very private word"})
        yield made, Command(made.deployment.home.path, f"file:{tmp_path / 'archive'}"), unit


def test_a_disposal_reaches_what_was_packed(office: tuple[Office, Command, str]) -> None:
    made, command, unit = office
    packed = command("catalog", "pack", "--json").document
    assert (packed["packs"], packed["made"]) == (1, 1)
    prefix = keyspace.index_prefix(made.deployment.log)

    def rows() -> str:
        packs = [key for key in made.store.keys(prefix) if "/packs/" in key]
        assert len(packs) == 1
        return json.dumps(decode(made.store.read(packs[0]))[0])

    (address,) = {each["requested_url"] for each in command("captures", "--json").captures}
    assert address in rows()
    assert command("search", "private", "--json").captures != []
    assert command("dispose", "--unit", unit, "--why", "asked for", "--yes").code == 0
    assert address not in rows()
    assert command("search", "private", "--json").captures == []
    assert command("catalog", "rebuild", "--json").document["captures"] == 1
    assert command("search", "private", "--json").captures == []


def test_packs_are_verified_around_and_not_mirrored(office: tuple[Office, Command, str], tmp_path: Path) -> None:
    made, command, _ = office
    before = command("verify", "--json").document["checks"]
    assert command("catalog", "pack").code == 0
    after = command("verify", "--json").document["checks"]
    assert [(each["n"], each["passed"]) for each in after] == [(each["n"], each["passed"]) for each in before]
    assert command("mirror", str(tmp_path / "copy"), "--no-record").code == 0
    copy = DirectoryStore(tmp_path / "copy")
    assert list(copy.keys(keyspace.index_prefix(made.deployment.log))) == []
    assert any(True for _ in made.store.keys(keyspace.index_prefix(made.deployment.log)))
