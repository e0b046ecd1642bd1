"""Replays: from an origin of their own, of a package that was compared, in the add-on where there is one."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.web.player import MAX_OPEN, Player, playing
from tests.console.web.opened import Console, serving
from tests.replaying import oracle

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden" / "0.1" / "looks"


@pytest.fixture
def addon(tmp_path: Path) -> Path:
    folder = tmp_path / "addon"
    folder.mkdir()
    for name in ("index.html", "ui.js", "sw.js"):
        (folder / name).write_text(f"<!-- {name} -->")
    return folder


@pytest.fixture
def player(addon: Path) -> Iterator[Player]:
    with playing(addon) as made:
        yield made


def home(tmp_path: Path) -> ArchiveConfig:
    """A copy of a released archive, in which units were packed."""
    folder, store = tmp_path / "home", tmp_path / "store"
    folder.mkdir()
    shutil.copy(GOLDEN / "trust.json", folder / "trust.json")
    shutil.copytree(GOLDEN / "archive", store)
    return ArchiveConfig.load(
        {"COUNTERPROOF_HOME": str(folder), "COUNTERPROOF_STORE_URL": f"file:{store}"}, settings={}
    )


def packed(console: Console) -> str:
    """A capture whose unit has a package."""
    catalog = console.app.state.archive.catalog
    for each in json.loads((GOLDEN / "expected.json").read_text())["captures"]:
        entry = catalog.entry(each["id"])
        if entry is not None and any(one.type == "package.made" for one in catalog.events_of(entry.unit)):
            return str(each["id"])
    pytest.fail("nothing in there was packed")


def source_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parse_qs(parts.query)['source'][0]}"


def test_a_package_is_handed_to_the_player_byte_for_byte_and_by_ranges(tmp_path: Path, player: Player) -> None:
    with serving(home(tmp_path), player=player) as console, console.client() as client:
        found = client.get(f"/captures/{packed(console)}/replay")
        assert found.status_code == 303
        address = found.headers["location"]
        assert urlsplit(address).hostname == "localhost", "another host than the console's, so no cookie goes there"
        assert urlsplit(address).fragment.startswith("view=pages&url=http")
        whole = httpx.get(source_of(address), trust_env=False)
        assert whole.content.startswith(b"PK")
        part = httpx.get(source_of(address), headers={"Range": "bytes=2-9"}, trust_env=False)
        assert (part.status_code, part.content) == (206, whole.content[2:10])


def test_the_player_has_the_addon_and_what_was_asked_for_and_nothing_else(player: Player) -> None:
    for path, status in (("/index.html", 200), ("/sw.js", 200), ("/package/guessed.wacz", 404), ("/../x", 404)):
        answer = httpx.get(f"{player.base}{path}", trust_env=False)
        assert answer.status_code == status, path
        assert "connect-src 'self' data: blob:" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
    port = urlsplit(player.base).port
    assert httpx.get(f"http://127.0.0.1:{port}/index.html", trust_env=False).status_code == 421


def test_of_many_packages_the_oldest_makes_room(tmp_path: Path, player: Player) -> None:
    package = tmp_path / "x.wacz"
    package.write_bytes(b"PK")
    sources = []
    for _ in range(MAX_OPEN + 1):
        with package.open("rb") as stream:
            sources.append(source_of(player.open(stream, url="https://a.example/", at="20260101000000")))
    codes = [httpx.get(each, trust_env=False).status_code for each in sources]
    assert codes == [404] + [200] * MAX_OPEN


def test_a_package_that_was_altered_is_not_replayed(tmp_path: Path, player: Player) -> None:
    config = home(tmp_path)
    with serving(config, player=player) as console, console.client() as client:
        capture = packed(console)
        address = client.get(f"/captures/{capture}/replay").headers["location"]
        digest = hashlib.sha256(httpx.get(source_of(address), trust_env=False).content).hexdigest()
        blob = next((tmp_path / "store").rglob(digest))
        blob.chmod(0o600)
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.write_bytes(data)
        answer = client.get(f"/captures/{capture}/replay")
        assert answer.status_code == 500
        assert "is not what was recorded" in answer.text


def test_what_is_lacking_is_said_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with serving(home(tmp_path)) as console, console.client() as client:
        said = client.get(f"/captures/{packed(console)}/replay")
        assert said.status_code == 200
        assert "counterproof browse --replay" in said.text
        assert client.get("/captures/01a00000-0000-7000-8000-000000000000/replay").status_code == 404


def test_a_folder_without_the_addon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no index\.html, ui\.js, sw\.js"), playing(tmp_path):
        pass


@pytest.mark.slow
def test_replayweb_page_shows_the_captured_page_and_nothing_leaves(tmp_path: Path, browser: Browser) -> None:
    with (
        playing(oracle("replaywebpage")) as player,
        serving(home(tmp_path), player=player) as console,
        console.client() as client,
    ):
        address = client.get(f"/captures/{packed(console)}/replay").headers["location"]
        page = browser.new_context().new_page()
        outside: list[str] = []
        page.context.on(
            "request",
            lambda each: None if each.url.startswith((player.base, "data:", "blob:")) else outside.append(each.url),
        )
        page.goto(address)
        for _ in range(120):
            page.wait_for_timeout(500)
            frames = [each for each in page.frames if "mp_/http" in each.url]
            if frames and len(frames[0].evaluate("document.body ? document.body.innerText : ''")) > 20:
                break
        else:
            pytest.fail(f"{address} shows nothing")
        assert [each for each in outside if not each.startswith("chrome-extension:")] == []
