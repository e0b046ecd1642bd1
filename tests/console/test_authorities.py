"""Who tells the time is chosen at the command line, in the trust file, and told by the log."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.config import ArchiveConfig
from archive.reader import open_reader
from console.cli import app
from console.doctor import diagnose
from tests.authority import LocalAuthority, Mood, make_authority, make_root
from tests.command import Ran


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directories = [tmp_path_factory.mktemp(f"authority{n}") for n in range(2)]
    for directory in directories:
        LocalAuthority(directory)
    return directories


@pytest.fixture
def served(made: list[Path]) -> Iterator[list[LocalAuthority]]:
    with ExitStack() as stack:
        yield [stack.enter_context(LocalAuthority(directory)) for directory in made]


def run(*arguments: str, home: Path) -> Ran:
    """In this process, which spares a second of starting each time; nothing else differs."""
    came = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    assert came.exception is None or isinstance(came.exception, SystemExit), came.exception
    return Ran(code=came.exit_code, out=came.stdout, err=came.stderr)


class House:
    """A home and a directory store."""

    def __init__(self, path: Path) -> None:
        self.home = path / "home"
        self.store = f"file:{path / 'files'}"

    def run(self, *arguments: str) -> Ran:
        return run(*arguments, "--store", self.store, home=self.home)

    def add(self, each: LocalAuthority) -> Ran:
        return self.run("authorities", "add", each.url, "--roots", str(each.directory / "root.pem"), "--json")

    def told(self) -> Sequence[list[str]]:
        """What the log says of whom to believe, in its order."""
        with open_reader(ArchiveConfig(home=self.home, store_url=self.store)) as reader:
            return [
                [str(each) for each in event.event.body["authorities"]]  # type: ignore[union-attr]
                for event in reader.log.events("trust.changed")
            ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_two_of_two_from_the_choice_to_the_seal(house: House, served: list[LocalAuthority]) -> None:
    first = house.run("seal", "--json")
    assert (first.code, first.document["time"], first.document["exit_code"]) == (7, "not_configured", 7)
    assert house.told() == []
    added = house.add(served[0])
    assert (added.code, added.document["logged"], added.document["quorum"]) == (0, True, 1)
    second = house.add(served[1]).document
    ids = [each["id"] for each in second["authorities"]]
    assert house.run("authorities", "quorum", "2", "--json").document["quorum"] == 2
    assert house.told() == [ids[:1], ids, ids]
    served[1].mood = Mood.DOWN
    part = house.run("seal", "--json")
    assert (part.code, part.document["time"], part.document["sealed_size"]) == (3, "unavailable", 0)
    assert {each["authority"]: each["state"] for each in part.document["stamps"]} == {
        ids[0]: "trusted",
        ids[1]: "unavailable",
    }
    served[1].mood = Mood.HONEST
    whole = house.run("seal", "--json")
    assert (whole.code, whole.document["time"], whole.document["quorum"]) == (0, "trusted", 2)
    assert 0 < whole.document["sealed_size"] < whole.document["size"], "tokens' own leaves wait for the next"
    assert len(served[0].queries) == 1
    verified = house.run("verify", "--json")
    assert verified.code == 0
    listed = run("authorities", "list", "--json", home=house.home).document["authorities"]
    assert all(each["signer_ends"] and not each["warnings"] for each in listed)
    assert house.run("seal").out.startswith("trusted")
    assert "SEALED:" in house.run("seal").out
    assert len(served[0].queries) == 1, "there is nothing new to seal"


def test_before_the_log_is_begun_the_change_waits_for_it(house: House, served: list[LocalAuthority]) -> None:
    added = house.add(served[0])
    assert (added.code, added.document["logged"]) == (0, False)
    assert "not begun yet" in added.err
    assert house.run("seal").code == 0
    assert len(house.told()) == 1


def test_without_its_store_the_change_is_made_and_told_later(house: House, served: list[LocalAuthority]) -> None:
    house.run("seal")
    files = Path(house.store.removeprefix("file:"))
    files.rename(files.with_name("away"))
    files.write_text("in its place")
    added = house.add(served[0])
    assert (added.code, added.document["logged"]) == (0, False)
    assert "now it could not" in added.err
    files.unlink()
    files.with_name("away").rename(files)
    assert house.run("seal").code == 0
    assert len(house.told()) == 1


def test_remove_takes_it_away_and_tells(house: House, served: list[LocalAuthority]) -> None:
    house.run("seal")
    house.add(served[0])
    removed = house.run("authorities", "remove", served[0].url, "--json")
    assert (removed.code, removed.document["authorities"], removed.document["quorum"]) == (0, [], 0)
    assert house.told()[-1] == []
    assert house.run("authorities", "remove", served[0].url).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "none"],
        ["add", "ftp://time.example/"],
        ["add", "freetsa"],
        ["add", "digicert", "sectigo", "--pin", "ab" * 32],
        ["add", "digicert", "--pin", "nonsense"],
        ["add", "digicert", "--roots", "/nonexistent"],
        ["remove", "digicert"],
        ["quorum", "2"],
        ["quorum", "0"],
        ["try", "none"],
        ["try", "time.example"],
    ],
)
def test_what_makes_no_sense_is_a_sentence(house: House, arguments: list[str]) -> None:
    ran = run("authorities", *arguments, "--json", home=house.home)
    assert ran.code in {2, 6}
    if arguments != ["quorum", "0"]:  # that one is said by the parser of options
        assert ran.document["exit_code"] == ran.code
        assert ran.document["error"]


def test_presets_are_listed_and_none_is_used() -> None:
    listed = CliRunner().invoke(app, ["authorities", "presets"]).stdout
    assert "http://timestamp.digicert.com" in listed
    assert "15 s or more between requests" in listed
    assert "None is used until you say so" in listed
    rows = json.loads(CliRunner().invoke(app, ["authorities", "presets", "--json"]).stdout)["presets"]
    assert {each["name"] for each in rows} >= {"digicert", "sectigo", "globalsign", "certum", "freetsa"}
    assert all("Not tried from here" in each["note"] for each in rows)


def test_a_preset_is_added_by_its_name(house: House) -> None:
    ran = run("authorities", "add", "digicert", "sectigo", home=house.home)
    assert ran.code == 0
    assert "CN=DigiCert Trusted Root G4" in ran.out
    assert "1 of 2 have to stamp" in ran.out
    assert "quorum 2" in ran.out


def test_try_asks_judges_and_records_nothing(house: House, served: list[LocalAuthority]) -> None:
    roots = str(served[0].directory / "root.pem")
    ran = run("authorities", "try", served[0].url, "--roots", roots, "--json", home=house.home)
    assert (ran.code, ran.document["holds"], ran.document["reason"]) == (0, True, "")
    assert ran.document["signer"]["subject"] == "CN=Test signer,O=Nobody"
    assert abs(ran.document["clock_ahead_ms"]) < 60_000
    assert not house.home.exists(), "a trial makes no home"
    without = run("authorities", "try", served[0].url, home=house.home)
    assert without.code == 1
    assert "DOES NOT HOLD" in without.out
    assert "TS_TRUST" in without.out
    house.add(served[0])
    known = run("authorities", "try", served[0].url, home=house.home)
    assert known.code == 0
    assert "HOLDS" in known.out
    served[0].mood = Mood.DOWN
    down = run("authorities", "try", served[0].url, home=house.home)
    assert down.code == 6
    assert "NO ANSWER" in down.out


def test_doctor_and_list_speak_of_a_root_that_ends_soon(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_authority(tmp_path / "short")
    make_root(tmp_path / "short", "soon", days=20)
    added = run(
        "authorities", "add", "https://time.example/", "--roots", str(tmp_path / "short" / "soon.pem"),
        home=house.home,
    )  # fmt: skip
    assert "WARNING" in added.out
    diagnose(ArchiveConfig(home=house.home, store_url=house.store), lambda _: [], as_json=True)
    (said,) = [each for each in json.loads(capsys.readouterr().out)["checks"] if each["name"] == "trusted time"]
    assert said["state"] == "warning"
    assert "ends on" in said["detail"]
