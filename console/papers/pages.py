"""Papers as HTML: one self-contained document, in which what strangers wrote is text and nothing else."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).with_name("templates")
# What turns a line around or hides in it is shown as such (Unicode UAX #9; BIDI isolation keeps the rest apart), and so
# is what no font has a sign for. The joiner of emoji, U+200D, and line breaks stay.
_HIDDEN = {
    **dict.fromkeys(
        (
            0x061C,
            0x200B,
            0x200E,
            0x200F,
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2065),
            *range(0x2066, 0x206A),
            0xFEFF,
        ),
        "\ufffd",
    ),
    **dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def visible(value: object) -> str:
    """As it is, but that nothing in it acts on what stands around it, or is not seen."""
    return str(value).translate(_HIDDEN)


def render(template: str, **values: Any) -> bytes:
    """A whole HTML document, UTF-8. Every value is escaped."""
    css = Markup((_TEMPLATES / "paper.css").read_text(encoding="utf-8"))  # noqa: S704  # ours, not a page's
    return _environment().get_template(template).render(css=css, **values).encode("utf-8")


@lru_cache(1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["visible"] = visible
    return made
