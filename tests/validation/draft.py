"""A page in the making: what is written into it is written into its truth in the same breath."""

import html
from dataclasses import dataclass, field
from random import Random

from tests.validation.marks import BAND, FORMS, Grid, Place, grid
from tests.validation.truth import Mark, flat


@dataclass(kw_only=True, slots=True)
class Draft:
    title: str
    language: str = "en"
    direction: str = "ltr"
    viewport: bool = True
    """Whether the page says that it is made for phones, too."""
    head: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    band: bool = True
    """Whether room is left for grids above the words."""

    def say(self, text: str, tag: str = "p", attributes: str = "", *, shown: str | None = None) -> None:
        """A block of plain text. ``shown``: what a reader sees of it, where that is something else."""
        self.put(
            f"<{tag}{' ' if attributes else ''}{attributes}>{html.escape(text)}</{tag}>",
            text if shown is None else shown,
        )

    def put(self, markup: str, *lines: str) -> None:
        """Markup as it is, and the lines that a reader sees of it."""
        self.body.append(markup)
        self.saw(*lines)

    def saw(self, *lines: str) -> None:
        self.lines += [flat(line) for line in lines if flat(line)]

    def link(self, text: str, href: str, attributes: str = "") -> None:
        self.put(
            f'<div><a href="{html.escape(href)}"{" " if attributes else ""}{attributes}>{html.escape(text)}</a></div>',
            text,
        )

    def button(self, text: str, attributes: str = "") -> None:
        self.put(
            f'<div><button type="button"{" " if attributes else ""}{attributes}>{html.escape(text)}</button></div>',
            text,
        )

    def show(self, form: str, made: Grid, place: Place) -> None:
        self.body.append(FORMS[form](made, place))
        self.marks += made.marks(form)

    def show_some(self, random: Random, place: Place, form: str | None = None) -> None:
        """A grid in the strip above the words."""
        chosen = form or random.choice([each for each in FORMS if each not in ("slow", "lazy")])
        self.show(chosen, grid(random, left=12 + 4 * random.randrange(20), top=12 + 4 * random.randrange(8)), place)

    def html(self) -> str:
        viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">' if self.viewport else ""
        above = BAND if self.band else 0
        head, body = "\n".join(self.head), "\n".join(self.body)
        return (
            f'<!doctype html>\n<html lang="{self.language}" dir="{self.direction}">\n<head><meta charset="utf-8">'
            f"{viewport}<title>{html.escape(self.title)}</title>\n"
            f"<style>body {{ margin: 0; padding: {above}px 12px 12px;"
            f" font: 16px/1.5 sans-serif; overflow-wrap: anywhere }}</style>\n{head}</head>\n<body>\n{body}\n</body>\n"
            "</html>\n"
        )
