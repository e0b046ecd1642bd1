"""A reading made in the visit: kept with the capture, with boxes that are where the picture shows the words."""

import io
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops

from crawlers import camera
from crawlers.profile import Device, Profile
from crawlers.readers import Readers
from custody.model import Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HOST = "www.amazon.de"
"""Boxes need a reader that names selectors, and readers know pages by their address."""
ASIN = "B0COUNTER1"
WHERE = f"https://{HOST}/dp"
BY = {"software": "counterproof", "version": "0", "code_sha256": "0" * 64}
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 128, 0)
TITLE = "Armband aus Stahl"


def listing(*, style: str = "", above: str = "", below: str = "", title: str = TITLE, script: str = "") -> str:
    words = "<p>Ein Absatz mit so vielen Wörtern, dass die Seite als eine gilt, auf der etwas steht.</p>" * 3
    return f"""<!doctype html><html lang=de><meta charset=utf-8><title>{TITLE}</title>
<link rel=canonical href="{WHERE}/{ASIN}">
<style>body {{ margin: 0 }} #productTitle {{ background: #f00; color: #f00; font-size: 20px }}
#bylineInfo {{ background: #00f; color: #00f }} #availability {{ background: #008000 }} {style}</style>
{above}<h1><span id=productTitle>  {title} </span></h1><a id=bylineInfo href=/stores/x>Marke: Beispiel</a>
<input type=hidden id=ASIN value={ASIN}><div id=availability>Auf Lager</div>{words}{below}<script>{script}</script>"""


TALL = "<div style='height: 2500px'></div>"
PAGES = {
    "plain": listing(),
    "below": listing(above=TALL),
    "view": listing(above="<div style='height: 80vh'>Held</div>", below=TALL),
    "tiles": listing(above=TALL, below="<div style='height: 900px'></div>"),
    "hidden": listing(style="#productTitle { display: none }"),
    "cut": listing(style="h1 { height: 0; overflow: hidden; margin: 0 }"),
    "other": listing(script="document.querySelector('#productTitle').firstChild.data = 'Etwas anderes'", below=TALL),
    "moves": listing(
        below=TALL,
        script="addEventListener('resize', () => { document.body.style.paddingTop = '40px' })",
    ),
    "later": listing(
        below=TALL,
        script="let n = 0; addEventListener('scroll', () => { if (!n++) "
        "document.querySelector('#productTitle').firstChild.data = 'Etwas anderes' })",
    ),
    "liar": listing(
        below=TALL,
        script="""Element.prototype.getBoundingClientRect = () => new DOMRect(7, 7, 7, 7);
Element.prototype.getClientRects = () => [new DOMRect(7, 7, 7, 7)];
Document.prototype.querySelectorAll = () => []; Element.prototype.checkVisibility = () => false;""",
    ),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts[HOST] = Host(
        name=HOST, routes={f"/{name}/dp/{ASIN}": always(page(text)) for name, text in PAGES.items()}
    )
    with made:
        yield made


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("eye")) as made:
        yield made


def look(eye: Looker, name: str, **more: Any) -> Looked:
    async def looked() -> Looked:
        readers = Readers(BY)
        await readers.begin(b"<p>warm", None)  # as in a run, where it starts with the browser
        try:
            return await eye.look_at(f"https://{HOST}/{name}/dp/{ASIN}", readers=readers, **more)
        finally:
            await readers.end()

    found: Looked = eye.run(looked())
    return found


def kept(found: Looked) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(found.data("reading.json"))
    return value


def told(found: Looked) -> dict[str, Any]:
    session: Any = found.visit().circumstances["session"]
    (said,) = [each for each in session["derived"] if each["role"] == "reading"]
    return dict(said)


def coloured(found: Looked, colour: tuple[int, int, int], name: str = "screenshot.png") -> tuple[int, ...] | None:
    """Left, top, right and bottom of what has this colour in the picture."""
    picture = Image.open(io.BytesIO(found.data(name))).convert("RGB")
    bands = [band.point(lambda value, wanted=wanted: 255 if value == wanted else 0)
             for band, wanted in zip(picture.split(), colour, strict=True)]  # fmt: skip
    return ImageChops.darker(ImageChops.darker(bands[0], bands[1]), bands[2]).getbbox()


def edges(box: dict[str, int], scale: float = 1) -> tuple[float, ...]:
    x, y = box["x"], box["y"]
    return (x * scale, y * scale, (x + box["width"]) * scale, (y + box["height"]) * scale)


def assert_at(box: dict[str, int], pictured: tuple[int, ...] | None, scale: float = 1) -> None:
    """To a pixel of the page, and one of the picture: boxes are whole pixels, and edges are drawn where they fall."""
    assert pictured is not None
    assert all(abs(a - b) <= scale + 1 for a, b in zip(edges(box, scale), pictured, strict=True)), (box, pictured)


def test_the_reading_is_kept_with_the_capture_and_says_what_made_it_of_what(eye: Looker) -> None:
    found = look(eye, "plain")
    value = kept(found)
    assert value["schema"] == 1
    assert value["derived"] is True
    assert value["by"] == BY
    assert value["of"]["sha256"] == found.kept("dom.html").digest.hex
    assert value["reading"]["platform"] == "amazon"
    assert value["reading"]["fields"]["title"] == TITLE
    assert found.kept("reading.json").role is Role.READING
    said = told(found)
    assert (said["name"], said["platform"], said["kind"], said["boxes"]) == ("reading.json", "amazon", "listing", 2)
    assert said["of"] == [{"name": "dom.html", "sha256": found.kept("dom.html").digest.hex}]
    assert found.visit().status is Status.COMPLETE


@pytest.mark.parametrize("name", ["plain", "below", "view"])
def test_boxes_are_where_the_picture_shows_the_words(eye: Looker, name: str) -> None:
    found = look(eye, name)
    value = kept(found)
    (title,), (brand,) = value["boxes"]["title"], value["boxes"]["brand"]
    assert_at(title, coloured(found, RED))
    assert_at(brand, coloured(found, BLUE))
    assert value["picture"]["files"][0]["name"] == "screenshot.png"
    assert value["picture"]["scale"] == "1"
    assert "availability" not in value["boxes"]  # the reading has schema.org's word for it, and not the page's
    assert "not in the reading" in value["without_box"]["availability"]


def test_on_a_page_in_tiles_boxes_count_from_the_top_of_the_page(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_SIDE_PX", 1366)
    found = look(eye, "tiles")
    value = kept(found)
    files = value["picture"]["files"]
    assert [each["top"] for each in files] == [0, 1366, 2732]
    (title,) = value["boxes"]["title"]
    tile = next(each for each in files if each["top"] <= title["y"] < each["top"] + each["height"])
    assert_at({**title, "y": title["y"] - tile["top"]}, coloured(found, RED, tile["name"]))


@pytest.mark.slow
def test_on_a_phone_the_scale_leads_from_the_page_to_the_picture(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with looker(site, tmp_path_factory.mktemp("phone"), profile=Profile(device=Device.PHONE)) as phone:
        found = look(phone, "plain")
    value = kept(found)
    scale = float(value["picture"]["scale"])
    assert scale == 2.625
    (title,) = value["boxes"]["title"]
    assert_at(title, coloured(found, RED), scale)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hidden", "not drawn"),
        ("cut", "cut off"),
        ("later", "says something else"),
        ("moves", "laid out otherwise"),
    ],
)
def test_what_the_picture_does_not_show_so_has_no_box_and_a_reason(eye: Looker, name: str, reason: str) -> None:
    found = look(eye, name)
    value = kept(found)
    assert value["reading"]["fields"]["title"] == TITLE
    assert "title" not in value["boxes"]
    assert reason in value["without_box"]["title"]
    assert found.visit().status is Status.COMPLETE


def test_a_page_that_lies_about_places_is_not_asked(eye: Looker) -> None:
    found = look(eye, "liar")
    (title,) = kept(found)["boxes"]["title"]
    assert_at(title, coloured(found, RED))


def test_a_reader_that_dies_costs_the_reading_and_nothing_else(eye: Looker) -> None:
    async def looked() -> Looked:
        readers = Readers(BY)
        await readers.begin(b"<p>warm", None)
        held = readers._bounded.pid  # nobody else may stop it
        assert held is not None
        os.kill(held, signal.SIGSTOP)
        try:
            return await eye.look_at(f"https://{HOST}/plain/dp/{ASIN}", readers=readers)
        finally:
            os.kill(held, signal.SIGKILL)
            await readers.end()

    found: Looked = eye.run(looked())
    assert "reading.json" not in found.names
    said = told(found)
    assert said["name"] is None
    assert "had not ended" in said["why"]
    assert found.visit().status is Status.COMPLETE


def test_without_readers_nothing_is_read(eye: Looker) -> None:
    found = eye.look(f"https://{HOST}/plain/dp/{ASIN}")
    assert "reading.json" not in found.names
    session: Any = found.visit().circumstances["session"]
    assert session["derived"] == []
