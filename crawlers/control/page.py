"""The page of the control capture, new for each look, and what a look at it must bring home."""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

HOST = "control.invalid"
"""Nobody's name (RFC 6761 §6.4): only the hole that is opened for the control leads anywhere under it."""
ENTRY, PAGE, PICTURE = "/", "/page", "/picture.png"
WORDS = (
    "The quick brown fox jumps over the lazy dog 0123456789",
    "Zażółć gęślą jaźń; Größe, œuvre, ångström",
    "Съешь ещё этих мягких французских булок",
    "中文手镯 日本語の腕輪 한국어 팔찌",
    "سوار ذهبي",
)
"""A line each, in the scripts that posts and listings are written in."""
SCRIPTED = "written by a script after the page had loaded,"
FIELD_PX = 64
COLUMNS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A square of one colour, its left upper corner from that of the page, in CSS pixels."""

    x: int
    y: int
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class ControlPage:
    """Made of a nonce, so that nothing that was kept from an earlier look can pass for this one."""

    nonce: str

    @property
    def entry(self) -> str:
        """The address that is asked for; it redirects to ``address``."""
        return f"http://{HOST}{ENTRY}"

    @property
    def address(self) -> str:
        return f"http://{HOST}{PAGE}?{self.nonce}"

    @property
    def title(self) -> str:
        return f"Control page {self.nonce}"

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Name and address; nobody follows them."""
        return tuple((f"link {n} {self.nonce}", f"https://{n}.invalid/{self.nonce}") for n in range(1, 4))

    @property
    def lines(self) -> tuple[str, ...]:
        """What a reader sees, from top to bottom."""
        return (self.title, *WORDS, f"{SCRIPTED} {self.nonce}", *(name for name, _ in self.links))

    @property
    def fields(self) -> tuple[Field, ...]:
        """A row that the page's style paints, and below it one that is a picture's."""
        return tuple(
            Field(x=column * FIELD_PX, y=row * FIELD_PX, rgb=self._colour(row, column))
            for row in range(2)
            for column in range(COLUMNS)
        )

    def _colour(self, row: int, column: int) -> tuple[int, int, int]:
        drawn = hashlib.sha256(f"{self.nonce} {row} {column}".encode()).digest()
        return drawn[0], drawn[1], drawn[2]

    @cached_property
    def picture(self) -> bytes:
        """A PNG of the lower row."""
        made = Image.new("RGB", (COLUMNS * FIELD_PX, FIELD_PX))
        for field in self.fields[COLUMNS:]:
            made.paste(field.rgb, (field.x, 0, field.x + FIELD_PX, FIELD_PX))
        with io.BytesIO() as file:
            made.save(file, "PNG")
            return file.getvalue()

    @cached_property
    def html(self) -> bytes:
        painted = "".join(
            f'<div style="left:{each.x}px;top:{each.y}px;background:rgb{each.rgb}"></div>'
            for each in self.fields[:COLUMNS]
        )
        said = "".join(f"<p>{each}</p>" for each in WORDS)
        links = "".join(f'<p><a href="{address}">{name}</a></p>' for name, address in self.links)
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{self.title}</title>'
            '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
            "<style>body{margin:0;background:#fff}p,h1{margin:8px;font:16px sans-serif}"
            f"#fields{{position:relative;height:{2 * FIELD_PX}px}}#fields div,img{{position:absolute}}"
            f"#fields div{{width:{FIELD_PX}px;height:{FIELD_PX}px}}img{{left:0;top:{FIELD_PX}px}}</style>"
            f'<div id="fields">{painted}<img src="{PICTURE}?{self.nonce}" alt=""></div>'
            f"<h1>{self.title}</h1>{said}<p id=later></p>{links}"
            "<script>addEventListener('load', () => { document.getElementById('later').textContent = "
            f"'{SCRIPTED} {self.nonce}' }})</script>"
        ).encode()
