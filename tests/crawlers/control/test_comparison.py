"""What a control must notice: each kind of thing that a look could get wrong, planted one at a time."""

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from crawlers.control.comparison import MAX_SAID, Brought, differences
from crawlers.control.page import ENTRY, FIELD_PX, HOST, PAGE, PICTURE, ControlPage
from custody.model import HopKind

PAGE_OF_TODAY = ControlPage("a" * 32)
ASKED = (ENTRY, f"{PAGE}?{PAGE_OF_TODAY.nonce}", f"{PICTURE}?{PAGE_OF_TODAY.nonce}")


def shot(*, density: float = 1.0, spoiled: int | None = None, height: int = 400) -> bytes:
    made = Image.new("RGB", (round(400 * density), round(height * density)), "white")
    for n, field in enumerate(PAGE_OF_TODAY.fields):
        rgb = (field.rgb[0] ^ 0x40, *field.rgb[1:]) if n == spoiled else field.rgb
        box = [round(each * density) for each in (field.x, field.y, field.x + FIELD_PX, field.y + FIELD_PX)]
        made.paste(rgb, (box[0], box[1], box[2], box[3]))
    with io.BytesIO() as file:
        made.save(file, "PNG")
        return file.getvalue()


def faithful() -> Brought:
    page = PAGE_OF_TODAY
    return Brought(
        trouble=None,
        final_url=page.address,
        http_status=200,
        title=page.title,
        text="\n\n".join(page.lines),
        hops=((page.entry, page.address, HopKind.HTTP, 302),),
        links=[address for _, address in page.links],
        body=page.html,
        viewport=shot(),
        screenshot=shot(),
        traffic={
            f"http://{HOST}{ASKED[0]}": (302, b""),
            f"http://{HOST}{ASKED[1]}": (200, page.html),
            f"http://{HOST}{ASKED[2]}": (200, page.picture),
        },
        lacks=[],
        density=1.0,
    )


def test_a_faithful_look_passes() -> None:
    assert differences(PAGE_OF_TODAY, ASKED, faithful()) == ()


@pytest.mark.parametrize("density", [1.5, 2.0, 2.625])
def test_so_does_one_on_a_dense_screen(density: float) -> None:
    dense = replace(faithful(), viewport=shot(density=density), screenshot=shot(density=density), density=density)
    assert differences(PAGE_OF_TODAY, ASKED, dense) == ()


OTHER = ControlPage("b" * 32)
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a timeout": ({"trouble": "timeout"}, "trouble: timeout"),
    "something missing": ({"lacks": ["warc: nothing"]}, "missing: warc"),
    "another address": ({"final_url": OTHER.address}, "final address"),
    "no address": ({"final_url": None}, "final address"),
    "another status": ({"http_status": 404}, "HTTP status"),
    "a title that was kept from before": ({"title": OTHER.title}, "title"),
    "no hop": ({"hops": ()}, "hops"),
    "a hop of another kind": (
        {"hops": ((PAGE_OF_TODAY.entry, PAGE_OF_TODAY.address, HopKind.SCRIPT, 302),)},
        "hops",
    ),
    "a line that lacks": ({"text": "\n".join(PAGE_OF_TODAY.lines[:-1])}, "was not seen"),
    "a line too many": ({"text": "\n".join((*PAGE_OF_TODAY.lines, "Log in"))}, "'Log in' is not on the page"),
    "a line that was read wrong": ({"text": "\n".join(PAGE_OF_TODAY.lines).replace("手镯", "□□")}, "was not seen"),
    "lines in another order": ({"text": "\n".join(reversed(PAGE_OF_TODAY.lines))}, "another order"),
    "a link that lacks": ({"links": [address for _, address in PAGE_OF_TODAY.links[1:]]}, "links: https://1.invalid/"),
    "a link too many": (
        {"links": [*(address for _, address in PAGE_OF_TODAY.links), "https://x.example/"]},
        "links: https://x.example/ is not on the page",
    ),
    "a body cut short": ({"body": PAGE_OF_TODAY.html[:-1]}, "body"),
    "a wrong colour that the style painted": ({"viewport": shot(spoiled=1)}, "viewport: the field at 64, 0"),
    "a wrong colour of the picture": ({"screenshot": shot(spoiled=6)}, "screenshot: the field at 128, 64"),
    "a picture cut short": ({"viewport": shot(height=80)}, "viewport: it ends before the field at 0, 64"),
    "no picture": ({"viewport": b""}, "viewport: no picture"),
    "a picture that is none": ({"screenshot": b"\x89PNG\r\n\x1a\n" + b"\0" * 40}, "screenshot: no picture"),
    "no traffic": ({"traffic": {}}, "traffic"),
    "a body of traffic that differs": (
        {"traffic": {**faithful().traffic, f"http://{HOST}{ASKED[2]}": (200, b"GIF")}},
        f"traffic: http://{HOST}{PICTURE}",
    ),
    "traffic that was not served": (
        {"traffic": {**faithful().traffic, "http://tracker.example/": (200, b"")}},
        "traffic: http://tracker.example/ is in it",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named(fault: str) -> None:
    change, said = FAULTS[fault]
    found = differences(PAGE_OF_TODAY, ASKED, replace(faithful(), **change))
    assert any(said in each for each in found), found


def test_a_picture_that_was_never_asked_for_is_named() -> None:
    found = differences(PAGE_OF_TODAY, ASKED[:2], faithful())
    assert any("/picture.png" in each and "never asked for" in each for each in found)


def test_what_a_page_says_at_length_is_cut() -> None:
    (said,) = differences(PAGE_OF_TODAY, ASKED, replace(faithful(), title="x" * 100_000))
    assert len(said) < MAX_SAID + 50


def test_no_two_pages_are_alike() -> None:
    assert PAGE_OF_TODAY.html != OTHER.html
    assert PAGE_OF_TODAY.picture != OTHER.picture
    assert all(a.rgb != b.rgb for a, b in zip(PAGE_OF_TODAY.fields, OTHER.fields, strict=True))
