"""A very tall page as one picture besides its tiles: made of them, said so, and no less whole without it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops

from crawlers import camera, mosaic
from custody.model import Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://www.tall.example"
TALL = """<!doctype html><meta charset=utf-8><title>Tall</title><style>body { margin: 0; padding: 1px 0; height: 2948px;
background: linear-gradient(#f00, #0f0 40%, #00f) }</style><h1>A tall page</h1><p>It has words enough to be a page."""
SHORT = "<!doctype html><meta charset=utf-8><title>Short</title><h1>Short</h1><p>It has words enough to be a page."


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    site = Site()
    routes = {"/tall": always(page(TALL)), "/short": always(page(SHORT))}
    site.hosts["www.tall.example"] = Host(name="www.tall.example", routes=routes)
    with site, looker(site, tmp_path_factory.mktemp("eye")) as made:
        yield made


def picture(found: Looked, name: str) -> Image.Image:
    return Image.open(io.BytesIO(found.data(name))).convert("RGB")


def derived(found: Looked) -> list[Any]:
    session = found.visit().circumstances["session"]
    assert isinstance(session, dict)
    said = session["derived"]
    assert isinstance(said, list)
    return said


def test_tiles_become_one_picture_too(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_SIDE_PX", 1366)
    found = eye.look(f"{HERE}/tall")
    names = ["screenshot.png", "screenshot-2.png", "screenshot-3.png"]
    whole = picture(found, "screenshot-whole.png")
    assert whole.size == (1366, 2950)
    top = 0
    for name in names:
        tile = picture(found, name)
        assert ImageChops.difference(whole.crop((0, top, tile.width, top + tile.height)), tile).getbbox() is None
        top += tile.height
    assert top == whole.height
    (said,) = derived(found)
    assert said["name"] == "screenshot-whole.png"
    assert said["size_px"] == {"width": 1366, "height": 2950}
    assert said["of"] == [{"name": each, "sha256": found.kept(each).digest.hex} for each in names]
    assert said["by"].startswith("counterproof ")
    assert found.kept("screenshot-whole.png").role is Role.COMPOSITE
    assert found.visit().status is Status.COMPLETE


@pytest.mark.slow
def test_where_it_is_too_large_the_tiles_are_enough_and_it_is_said(
    eye: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "MAX_SIDE_PX", 1366)
    monkeypatch.setattr(mosaic, "MAX_PX", 1_000_000)
    found = eye.look(f"{HERE}/tall")
    (said,) = derived(found)
    assert (said["name"], said["why"]) == (None, "1366 x 2950 px is more than the 1000000 px of one picture")
    assert "screenshot-whole.png" not in found.names
    assert not (found.looking.spool.path / "screenshot-whole.png").exists()
    assert found.visit().status is Status.COMPLETE


def test_a_page_of_one_picture_has_no_other(eye: Looker) -> None:
    found = eye.look(f"{HERE}/short")
    assert derived(found) == []
    assert [each.name for each in found.looking.kept if each.role is Role.COMPOSITE] == []
