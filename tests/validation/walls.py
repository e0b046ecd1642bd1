"""Family ``outcomes``: what sites show in place of a page, worded as they word it, and pages that only sound like it.

What they say is in ``walls.toml``; here is how it is shown, and what the network can do in place of an answer.
"""

import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from custody.model import HopKind, Outcome
from tests.site.host import Answer, Door, Ending
from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.languages import LANGUAGES
from tests.validation.truth import Page, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Wall:
    """One entry of ``walls.toml``, which says what its members mean."""

    outcome: Outcome
    title: str
    blocks: tuple[str, ...]
    status: int = 200
    language: str = "english"
    fields: tuple[str, ...] = ()
    shape: str = "page"
    prose: int = 0
    markup: str = ""
    sent_to: str | None = None
    nav: bool = True


def _walls() -> dict[str, Wall]:
    book = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: Wall(**{**each, "outcome": Outcome(each["outcome"]), "blocks": tuple(each["blocks"])})
        for name, each in book.items()
    }


def _write(wall: Wall, making: Making, draft: Draft) -> None:
    making.prose(draft, paragraphs=wall.prose, sentences=4)
    if wall.shape == "dialog":
        style = "position:fixed;inset:10% 10%;background:#fff;border:1px solid"
        draft.put(f'<div role="dialog" aria-modal="true" style="{style}">')
    for n, block in enumerate(wall.blocks):
        if block.startswith("["):
            draft.button(block.strip("[]"))
        else:
            draft.say(block, "h1" if n == 0 else "p")
    if wall.shape == "dialog":
        draft.put("</div>")
    if wall.fields:
        kinds = {each: "password" if each == "password" else "text" for each in wall.fields}
        inputs = "".join(
            f'<div><input name="{each}" type="{kind}" placeholder="{each}"></div>' for each, kind in kinds.items()
        )
        draft.put(f"<form method=post action=/submit>{inputs}<div><button>Go</button></div></form>", "Go")
    draft.put(wall.markup)


_NAV = '<nav><ul><li><a href="/">Murmuro</a></li><li><a href="/explore">Explore</a></li></ul></nav>'


def _wall(wall: Wall, making: Making) -> Page:
    language = LANGUAGES[wall.language]
    draft = Draft(title=wall.title, language=language.tag, direction=language.direction)
    draft.show_some(making.random, making.place(), "png")
    if wall.nav:
        draft.put(_NAV, "Murmuro", "Explore")
    _write(wall, making, draft)
    if wall.nav:
        draft.put("<footer><div>© Murmuro Ltd.</div></footer>", "© Murmuro Ltd.")
    if wall.sent_to is None:
        return making.publish(draft, outcome=wall.outcome, status=wall.status)
    asked = making.url
    end = f"https://{making.social}{wall.sent_to}/{making.name}"
    making.network.lead(asked, 302, end)
    step = Step(kind=HopKind.HTTP, status=302, to_url=end)
    return making.publish(draft, url=end, asked=asked, outcome=wall.outcome, status=wall.status, hops=[step])


def _at_door(door: Door, outcome: Outcome, making: Making) -> Page:
    host = f"{making.name}.doors.example"
    making.network.door(host, door)
    return making.page(url=f"https://{host}/item", outcome=outcome, lines=())


def _no_such_host(making: Making) -> Page:
    """RFC 6761: a name under ``invalid`` never resolves."""
    return making.page(url=f"https://{making.name}.never-there.invalid/", outcome=Outcome.DNS_ERROR)


def _bad_certificate(making: Making) -> Page:
    """The page is shown, and what is wrong with its certificate is in the record."""
    host = f"{making.name}.doors.example"
    making.network.door(host, Door.BAD_CERTIFICATE)
    draft = making.draft("Crumbly shop")
    making.prose(draft, paragraphs=3)
    return making.publish(draft, url=f"https://{host}/item")


def _file(media_type: str, headers: tuple[tuple[str, str], ...], data: bytes, making: Making) -> Page:
    making.network.put(making.url, Answer(body=data, media_type=media_type, headers=headers))
    return making.page(url=making.url, outcome=Outcome.NOT_A_PAGE, lines=None, final_url=making.url)


def _nothing(making: Making) -> Page:
    making.network.put(making.url, Answer(status=204, media_type=None))
    return making.page(url=making.url, outcome=Outcome.NOT_A_PAGE)


def _hung_up(making: Making) -> Page:
    making.network.put(making.url, Answer(ending=Ending.EMPTY))
    return making.page(url=making.url, outcome=Outcome.ERROR)


def _circle(making: Making) -> Page:
    """Two addresses that redirect to each other: an error. Chromium asks twenty times, so it follows 19 redirects."""
    there = f"{making.url}/there"
    making.network.lead(making.url, 302, there)
    making.network.lead(there, 302, making.url)
    hops = [Step(kind=HopKind.HTTP, status=302, to_url=making.url if n % 2 else there) for n in range(19)]
    return making.page(url=making.url, outcome=Outcome.ERROR, hops=tuple(hops), lines=())


_ZIP = b"PK\x05\x06" + bytes(18)  # an archive of nothing
_GIF = bytes.fromhex("47494638396101000100800000ff000000000021f90400000000002c00000000010001000002024401003b")
_SAVED = (("Content-Disposition", 'attachment; filename="a.zip"'),)
_NET: Family = {
    "dns": _no_such_host,
    "tls-garbage": partial(_at_door, Door.GARBAGE, Outcome.TLS_ERROR),
    "silent": partial(_at_door, Door.SILENT, Outcome.TIMEOUT),
    "refused": partial(_at_door, Door.REFUSED, Outcome.ERROR),
    "bad-certificate": _bad_certificate,
    "download": partial(_file, "application/zip", _SAVED, _ZIP),
    "picture": partial(_file, "image/gif", (), _GIF),
    "no-content": _nothing,
    "hung-up": _hung_up,
    "circle": _circle,
}
FAMILY: Family = {**{name: partial(_wall, wall) for name, wall in _walls().items()}, **_NET}
