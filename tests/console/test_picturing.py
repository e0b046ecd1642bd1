"""``counterproof pictures``: files and captures, one line of JSON each, and sentences where it cannot."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.vault import Vault
from custody.digest import Digest
from custody.model import Role
from tests.archive.deployment import now
from tests.archive.packaging.traffic import warc
from tests.archive.runs import began, recorded, stored
from tests.command import run, within
from tests.crawlers.pictures.drawing import LINK, file_of, poster, with_code

PICTURE = file_of(with_code(poster(), LINK, (200, 100)))
PLAIN = file_of(poster())
FROM = "https://cdn.example/story.png"
KEYS = {
    "input",
    "sha256",
    "where",
    "derived",
    "format",
    "width",
    "height",
    "engines",
    "codes",
    "text",
    "links",
    "notes",
}


@pytest.fixture
def archive(tmp_path: Path) -> tuple[Path, str, str]:
    """A home, a capture with pictures in its traffic, and one with a screenshot."""
    home = tmp_path / "home"
    config = ArchiveConfig.load({}, home=home, store_url=f"file:{tmp_path / 'store'}")
    traffic = warc(
        ("GET", "https://a.example/", "200 OK", b"<img src=story.png>"),
        ("GET", FROM, "200 OK", PICTURE),
        ("GET", f"{FROM}?again", "200 OK", PICTURE),
        ("GET", "https://cdn.example/gone.png", "404 Not Found", PICTURE),
        ("GET", "https://cdn.example/plain.png", "200 OK", PLAIN),
    )
    with Vault.open(config, clock=now) as vault:
        acquisition = vault.begin("Matter 12", {}, None)
        made = []
        for role, name, kind, data in (
            (Role.WARC, "traffic.warc.gz", "application/warc", traffic),
            (Role.VIEWPORT, "viewport.png", "image/png", PICTURE),
        ):
            unit = acquisition.new_id()
            started = began(acquisition, unit)
            file = acquisition.visit_spool(unit).write(role, name, kind, data)
            recorded(acquisition, unit, started, stored(acquisition, file))
            made.append(unit)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
    return home, made[0], made[1]


def test_files_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    (tmp_path / "b.png").write_bytes(b"no picture")
    ran = run("pictures", "a.png", "b.png", "--only", "codes", "--json", home=tmp_path / "home")
    assert ran.code == 0, ran.err
    good, bad = (json.loads(line) for line in ran.out.splitlines())
    assert good.keys() == bad.keys() == KEYS
    assert good["sha256"] == Digest.of(PICTURE).hex
    assert good["derived"] is True
    assert good["engines"]["codes"]["name"] == "zxing-cpp"
    assert [each["text"] for each in good["codes"]] == [LINK]
    assert good["links"] == [{"href": LINK, "kind": "qr", "code": 0, "follow": False, "reason": "in_picture"}]
    assert (bad["codes"], bad["format"]) == ([], None)
    assert "no picture" in bad["notes"][0]
    assert not (tmp_path / "home").exists()  # nothing is begun for it


def test_every_picture_that_a_capture_kept_once_with_all_its_places(archive: tuple[Path, str, str]) -> None:
    home, traffic, screenshot = archive
    store = {"COUNTERPROOF_STORE_URL": f"file:{home.parent / 'store'}"}
    ran = run("pictures", traffic, screenshot, "--only", "codes", "--json", home=home, env=store)
    assert ran.code == 0, ran.err
    story, plain, viewport = (json.loads(line) for line in ran.out.splitlines())
    assert [each["url"] for each in story["where"]] == [FROM, f"{FROM}?again"]
    assert {each["capture"] for each in story["where"]} == {traffic}
    assert all(each["record"].startswith("<urn:uuid:") for each in story["where"])
    assert [each["href"] for each in story["links"]] == [LINK]
    assert (plain["codes"], plain["links"]) == ([], [])
    assert viewport["where"] == [
        {"capture": screenshot, "page": "https://a.example/", "role": "viewport", "artifact": "viewport.png"}
    ]
    assert viewport["sha256"] == story["sha256"]


def test_for_a_person_a_link_is_said_to_be_in_the_picture_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    ran = run("pictures", "a.png", "--only", "codes", home=tmp_path / "home")
    assert LINK in ran.out
    assert "not followed" in ran.out


def test_what_cannot_be_done_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    home = tmp_path / "home"
    gone = within("pictures", "gone.png", home=home)
    assert (gone.code, "there is no file" in gone.err) == (2, True)
    other = within("pictures", "a.png", "--only", "faces", home=home)
    assert (other.code, "codes or text" in other.err) == (2, True)
    # A folder before all others in which the module is not to be found, as where the extra is not installed.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nf = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('zxingcpp', 'rapidocr') else f(name, *rest)\n"
    )
    without = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent.parent}"}
    bare = run("pictures", "a.png", "--json", home=home, env=without)
    assert bare.code == 7
    assert json.loads(bare.out)["kind"] == "SetupMissing"
    assert ".venv/bin/pip install 'zxing-cpp" in bare.err
    text = run("pictures", "a.png", "--only", "text", home=home, env=without)
    assert (text.code, "make ocr" in text.err) == (7, True)


@pytest.mark.skipif(find_spec("rapidocr") is not None, reason="RapidOCR is installed here")
def test_without_the_engine_for_text_codes_alone_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    ran = run("pictures", "a.png", home=tmp_path / "home")
    assert ran.code == 7
    assert "--only codes" in ran.err
