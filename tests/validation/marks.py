"""Grids of known colours, and the ways in which a page can show one at a known place."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from tests.site.host import Answer
from tests.validation.network import Network
from tests.validation.truth import Colour, Mark

CELL = 24
"""CSS pixels along a side; a multiple of 8, so that no block of a JPEG holds two colours."""
BAND = 120
"""The upper strip of each page that grids lie in; the page's words begin below."""
PALETTE: tuple[Colour, ...] = (
    (208, 24, 24), (24, 144, 40), (24, 40, 208), (240, 200, 16), (136, 24, 168), (16, 168, 184),
    (240, 120, 16), (40, 40, 40), (240, 136, 184), (120, 80, 40),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    left: int
    top: int
    rows: tuple[tuple[Colour, ...], ...]

    @property
    def width(self) -> int:
        return CELL * len(self.rows[0])

    @property
    def height(self) -> int:
        return CELL * len(self.rows)

    @property
    def style(self) -> str:
        return f"position:absolute;left:{self.left}px;top:{self.top}px;width:{self.width}px;height:{self.height}px"

    def marks(self, form: str) -> tuple[Mark, ...]:
        return tuple(
            Mark(left=self.left + x * CELL, top=self.top + y * CELL, side=CELL, colour=colour, form=form)
            for y, row in enumerate(self.rows)
            for x, colour in enumerate(row)
        )

    def picture(self) -> Image.Image:
        made = Image.new("RGB", (self.width, self.height))
        draw = ImageDraw.Draw(made)
        for y, row in enumerate(self.rows):
            for x, colour in enumerate(row):
                draw.rectangle((x * CELL, y * CELL, (x + 1) * CELL - 1, (y + 1) * CELL - 1), fill=colour)
        return made


def grid(random: Random, *, left: int = 12, top: int = 24, columns: int = 5, rows: int = 2) -> Grid:
    """No cell has its neighbour's colour, so that a picture that is shifted by a cell is wrong."""
    made: list[list[Colour]] = []
    for y in range(rows):
        row: list[Colour] = []
        for x in range(columns):
            near = {row[x - 1] if x else None, made[y - 1][x] if y else None}
            row.append(random.choice([each for each in PALETTE if each not in near]))
        made.append(row)
    return Grid(left=left, top=top, rows=tuple(map(tuple, made)))


_OPTIONS: Mapping[str, Mapping[str, Any]] = {"webp": {"lossless": True}, "jpeg": {"quality": 97, "subsampling": 0}}


def encoded(made: Grid, kind: str) -> tuple[bytes, str]:
    """Bytes and media type. JPEG and GIF may change a colour by a little; the others do not."""
    stream = io.BytesIO()
    options: Mapping[str, Any] = _OPTIONS.get(kind, {})
    made.picture().save(stream, kind, **options)
    return stream.getvalue(), f"image/{kind}"


def svg(made: Grid, *, namespace: str = "") -> str:
    cells = "".join(
        f'<rect x="{x * CELL}" y="{y * CELL}" width="{CELL}" height="{CELL}" fill="rgb{colour}"/>'
        for y, row in enumerate(made.rows)
        for x, colour in enumerate(row)
    )
    return f'<svg{namespace} width="{made.width}" height="{made.height}" shape-rendering="crispEdges">{cells}</svg>'


def cells(made: Grid) -> str:
    """As boxes with a background, from the upper left corner of whatever they lie in."""
    return "".join(
        f'<div style="position:absolute;left:{x * CELL}px;top:{y * CELL}px;width:{CELL}px;height:{CELL}px;'
        f'background:rgb{colour}"></div>'
        for y, row in enumerate(made.rows)
        for x, colour in enumerate(row)
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where what a page refers to is put."""

    network: Network
    own: str
    """Address of a folder of the page's own site, without its last slash."""
    other: str
    """The same on another site."""

    def file(self, name: str, data: bytes, media_type: str, *, own: bool = True, delay_s: float = 0) -> str:
        url = f"{self.own if own else self.other}/{name}"
        return self.network.put(url, Answer(body=data, media_type=media_type, delay_s=delay_s))


Form = Callable[[Grid, Place], str]


def _image(kind: str, *, own: bool = True, attributes: str = "", delay_s: float = 0) -> Form:
    def make(made: Grid, place: Place) -> str:
        data, media_type = encoded(made, kind)
        url = place.file(f"grid-{made.top}-{made.left}.{kind}", data, media_type, own=own, delay_s=delay_s)
        return f'<img src="{url}" alt="" style="{made.style}"{attributes}>'

    return make


def _data(made: Grid, _: Place) -> str:
    data, media_type = encoded(made, "png")
    return f'<img src="data:{media_type};base64,{base64.b64encode(data).decode()}" alt="" style="{made.style}">'


def _background(made: Grid, place: Place) -> str:
    data, media_type = encoded(made, "png")
    url = place.file(f"back-{made.top}.png", data, media_type, own=False)
    return f'<div style="{made.style};background:url({url})"></div>'


def _inline_svg(made: Grid, _: Place) -> str:
    return f'<div style="{made.style}">{svg(made)}</div>'


def _svg_file(made: Grid, place: Place) -> str:
    data = svg(made, namespace=' xmlns="http://www.w3.org/2000/svg"').encode()
    return f'<img src="{place.file(f"grid-{made.top}.svg", data, "image/svg+xml")}" alt="" style="{made.style}">'


def _canvas(made: Grid, _: Place) -> str:
    rows = [[f"rgb{colour}" for colour in row] for row in made.rows]
    return (
        f'<canvas id="c{made.top}" width="{made.width}" height="{made.height}" style="{made.style}"></canvas><script>'
        f"{{const pen = document.getElementById('c{made.top}').getContext('2d');"
        f"{rows}.forEach((row, y) => row.forEach((colour, x) => {{ pen.fillStyle = colour;"
        f"pen.fillRect(x * {CELL}, y * {CELL}, {CELL}, {CELL}); }}));}}</script>"
    )


def _late(made: Grid, place: Place) -> str:
    data, media_type = encoded(made, "png")
    url = place.file(f"late-{made.top}.png", data, media_type)
    return (
        f'<img id="late{made.top}" alt="" style="{made.style}"><script>'
        f"setTimeout(() => {{ document.getElementById('late{made.top}').src = '{url}'; }}, 300)</script>"
    )


def _framed(own: bool) -> Form:
    def make(made: Grid, place: Place) -> str:
        html = f"<!doctype html><meta charset=utf-8><title>colours</title><body style='margin:0'>{cells(made)}"
        url = place.file(f"frame-{made.top}", html.encode(), "text/html; charset=utf-8", own=own)
        return f'<iframe src="{url}" style="{made.style};border:0" scrolling="no"></iframe>'

    return make


def _shadow(mode: str) -> Form:
    def make(made: Grid, _: Place) -> str:
        return (
            f'<div id="host{made.top}" style="{made.style}"></div><script>'
            f"document.getElementById('host{made.top}').attachShadow({{mode: '{mode}'}}).innerHTML = "
            f"`{cells(made)}`</script>"
        )

    return make


def _srcset(made: Grid, place: Place) -> str:
    data, media_type = encoded(made, "png")
    url = place.file(f"one-{made.top}.png", data, media_type)
    stream = io.BytesIO()
    made.picture().resize((made.width * 3, made.height * 3), Image.Resampling.NEAREST).save(stream, "png")
    larger = place.file(f"three-{made.top}.png", stream.getvalue(), "image/png", own=False)
    return f'<img src="{url}" srcset="{url} 1x, {larger} 3x" alt="" style="{made.style}">'


FORMS: Mapping[str, Form] = {
    "png": _image("png"),
    "gif": _image("gif"),
    "webp": _image("webp"),
    "jpeg": _image("jpeg"),
    "other-site": _image("png", own=False),
    "slow": _image("png", delay_s=1.2),
    "lazy": _image("png", attributes=' loading="lazy"'),
    "data": _data,
    "background": _background,
    "inline-svg": _inline_svg,
    "svg-file": _svg_file,
    "canvas": _canvas,
    "late": _late,
    "frame": _framed(own=True),
    "frame-other-site": _framed(own=False),
    "shadow-open": _shadow("open"),
    "shadow-closed": _shadow("closed"),
    "srcset": _srcset,
}
