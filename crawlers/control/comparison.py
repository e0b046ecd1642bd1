"""What a look at the control page brought home against what it must: nothing said is nothing differing. Pure."""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from crawlers.control.page import ENTRY, FIELD_PX, HOST, PAGE, PICTURE, ControlPage
from crawlers.text import clean
from custody.model import HopKind

TOLERANCE = 3
"""Steps of a colour's 256: a screen's own profile may move it so far, an eye does not see it."""
MAX_SAID = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Brought:
    """What one look at the page brought home."""

    trouble: str | None
    final_url: str | None
    http_status: int | None
    title: str | None
    text: str = field(repr=False)
    hops: tuple[tuple[str, str, HopKind, int | None], ...]
    """From, to, how, and the status of what was left."""
    links: Collection[str]
    body: bytes = field(repr=False)
    viewport: bytes = field(repr=False)
    screenshot: bytes = field(repr=False)
    traffic: Mapping[str, tuple[int, bytes]] = field(repr=False)
    """Status and body of each exchange in the traffic's file, by address."""
    lacks: Sequence[str]
    """What the look itself says that it misses."""
    density: float
    """Pixels of a picture to one of the page, along a side."""


def differences(page: ControlPage, asked: Sequence[str], brought: Brought) -> tuple[str, ...]:
    """In words, each of bounded length; ``asked``: what the page's own site was asked for."""
    return tuple(clean(each, limit=MAX_SAID) for each in _differences(page, asked, brought))


def _differences(page: ControlPage, asked: Sequence[str], brought: Brought) -> Iterator[str]:
    if brought.trouble is not None:
        yield f"trouble: {brought.trouble}"
    yield from (f"missing: {each}" for each in brought.lacks)
    yield from _unlike("final address", brought.final_url, page.address)
    yield from _unlike("HTTP status", brought.http_status, 200)
    yield from _unlike("title", brought.title, page.title)
    yield from _unlike("hops", brought.hops, ((page.entry, page.address, HopKind.HTTP, 302),))
    seen = [line.strip() for line in brought.text.splitlines() if line.strip()]
    yield from (f"text: {line!r} was not seen" for line in page.lines if line not in seen)
    yield from (f"text: {line!r} is not on the page" for line in seen if line not in page.lines)
    if [line for line in seen if line in page.lines] != [line for line in page.lines if line in seen]:
        yield "text: its lines are in another order"
    links = {address for _, address in page.links}
    yield from (f"links: {each} was not seen" for each in sorted(links - set(brought.links)))
    yield from (f"links: {each} is not on the page" for each in sorted(set(brought.links) - links))
    if brought.body != page.html:
        yield "body: its bytes are not those that were sent"
    yield from _unlike_fields("viewport", brought.viewport, page, brought.density)
    yield from _unlike_fields("screenshot", brought.screenshot, page, brought.density)
    yield from _unlike_traffic(page, asked, brought.traffic)


def _unlike(what: str, seen: object, truth: object) -> Iterator[str]:
    if seen != truth:
        yield f"{what}: expected {truth}, got {seen}"


def _unlike_fields(what: str, data: bytes, page: ControlPage, density: float) -> Iterator[str]:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        yield f"{what}: no picture can be read from it ({type(error).__name__})"
        return
    for each in page.fields:
        at = int((each.x + FIELD_PX / 2) * density), int((each.y + FIELD_PX / 2) * density)
        if at[0] >= picture.width or at[1] >= picture.height:
            yield f"{what}: it ends before the field at {each.x}, {each.y}"
            continue
        got = picture.getpixel(at)
        if not isinstance(got, tuple) or any(abs(a - b) > TOLERANCE for a, b in zip(got, each.rgb, strict=True)):
            yield f"{what}: the field at {each.x}, {each.y} has the colour {got}, expected {each.rgb}"


def _unlike_traffic(page: ControlPage, asked: Sequence[str], traffic: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    served = {
        ENTRY: (302, b""),
        f"{PAGE}?{page.nonce}": (200, page.html),
        f"{PICTURE}?{page.nonce}": (200, page.picture),
    }
    for target in asked:
        status, body = served.get(target, (404, b""))
        address = f"http://{HOST}{target}"
        if address not in traffic:
            yield f"traffic: {address} was served, and is not in it"
        elif traffic[address] != (status, body):
            yield f"traffic: {address} is not in it as it was served"
    yield from (
        f"traffic: {address} is in it, and was not served"
        for address in traffic
        if address not in {f"http://{HOST}{target}" for target in asked}
    )
    yield from (f"the page's {target} was never asked for" for target in served if target not in asked)
