"""Where on the picture of the whole page the shown fields of a reading stand: asked of the page as it is pictured.

A box is claimed where three things hold: the field's source is a selector that finds an element which is drawn, that
element's text has what the reading says is shown, and the page was laid out in the same way before, while and after
its picture was made. Everything else has a reason in place of a box. What lies over an element is not looked at.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from archive.reading import Box, Reading, Seen
from crawlers.camera import Shot
from crawlers.world import World
from custody.model import Json

MAX_WANTED = 80
"""Pieces of text of one page that are looked for."""
MAX_OF_FIELD = 20
MAX_PIECE = 2_000
"""Characters: of a longer text its beginning is looked for."""
SLACK_PX = 1.0
"""Less is rounding."""
_SELECTOR = re.compile(r"(?:^|: )(css|xpath) (.+)", re.DOTALL)
_SHOWN_AS = {"price_max": "price_shown", "currency": "price_shown"}
"""Fields whose words on the page are kept beside another."""

NO_SELECTOR = "its source is no selector"
NO_WORDS = "what the page shows of it is not in the reading"
TOO_MANY = f"more than {MAX_WANTED} texts are not looked for"
OUTSIDE = "it stands outside the picture"
HIDDEN = "it is hidden, or cut off by what it is in"
MOVED = "the page was laid out otherwise before, while or after its picture was made"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One text of one field, and where it should stand."""

    name: str
    language: str
    """``css`` or ``xpath``."""
    selector: str
    pieces: tuple[str, ...] = field(repr=False)
    """All of them stand in the element's text."""
    is_number: bool = False
    """The page may group its digits."""

    def to_json(self) -> dict[str, Json]:
        return {
            "language": self.language,
            "selector": self.selector,
            "pieces": list(self.pieces),
            "is_number": self.is_number,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """Boxes in CSS pixels of the document, by field; for each shown field without one, why."""

    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


def wanted(reading: Reading) -> tuple[list[Wanted], dict[str, str]]:
    """What to look for, and the fields for which there is nothing to look for."""
    found: list[Wanted] = []
    without: dict[str, str] = {}
    for name, source in reading.sources.items():
        if source.seen is not Seen.SHOWN:
            continue
        selector = _SELECTOR.search(source.where)
        texts = _texts(reading, name)
        if selector is None or not texts:
            without[name] = NO_SELECTOR if selector is None else NO_WORDS
            continue
        room = max(0, min(MAX_OF_FIELD, MAX_WANTED - len(found)))
        if not room:
            without[name] = TOO_MANY
        language, expression = selector.groups()
        found += [
            Wanted(
                name=name,
                language=language,
                selector=expression,
                pieces=tuple(each[:MAX_PIECE] for each in pieces),
                is_number=isinstance(reading.fields[name], int),
            )
            for pieces in islice(texts, room)
        ]
    return found, without


def _texts(reading: Reading, name: str) -> list[tuple[str, ...]]:
    """The page's own words for a field, each text as the pieces that stand in it."""
    shown = reading.fields.get(f"{name}_shown", reading.fields.get(_SHOWN_AS.get(name, "")))
    value = reading.fields[name] if shown is None else shown
    if name == "category" and isinstance(value, str):
        return [tuple(value.split(" > "))]
    if name == "variation" and isinstance(value, str):
        return [(each,) for each in value.split(", ")]
    if isinstance(value, str):
        return [(value,)] if value and name != "availability" else []
    if isinstance(value, int) and not isinstance(value, bool):
        return [(str(value),)]
    if not isinstance(value, Sequence):
        return []
    texts = [each.get("text") if isinstance(each, Mapping) else each for each in value]
    return [(each,) for each in texts if isinstance(each, str) and each and not each.startswith(("http:", "https:"))]


async def mark(world: World, looked_for: Sequence[Wanted], *, within: float) -> list[str | None]:
    """Find the elements, measure them, and go on measuring when the window changes; why one was not found."""
    said: list[str | None] = await world.ask(_MARK, [each.to_json() for each in looked_for], within=within)
    return said


async def measured(world: World, *, within: float) -> Sequence[Mapping[str, Any]]:
    """Every measurement since ``mark``, the last one made now. It ends there."""
    found: Sequence[Mapping[str, Any]] = await world.ask(_MEASURED, within=within) or ()
    return found


def placed(
    looked_for: Sequence[Wanted],
    said: Sequence[str | None],
    found: Sequence[Mapping[str, Any]],
    shots: Sequence[Shot],
    *,
    size: tuple[int, int],
    scale: float,
) -> Placed:
    """The boxes that may be claimed.

    ``size``: the page's when its picture was made. ``scale``: pixels of the picture to one of the page, along a side.
    """
    boxes: dict[str, list[Box]] = {}
    without: dict[str, str] = {}
    # A window of another width is one that the browser only passes through: nothing of it is in the picture.
    settled = [each for each in found if each["view"][0] == found[0]["view"][0]]
    alike = len(settled) > 1 and _is_whole(shots, scale) and all(_is_near(each["page"], size) for each in settled)
    for n, each in enumerate(looked_for):
        reason = said[n] if n < len(said) else "not looked for"
        box = None
        if reason is None:
            states = [state["boxes"][n] for state in settled]
            if states and not any(states):
                reason = HIDDEN
            elif not alike or any(state is None or not _is_near(state, states[0]) for state in states):
                reason = MOVED
            else:
                box = _box(states[0])
                reason = None if _is_pictured(box, shots) else OUTSIDE
        if reason is None and box is not None:
            kept = boxes.setdefault(each.name, [])
            kept += [box] if box not in kept else []
        elif reason is not None:
            without.setdefault(each.name, reason)
    return Placed(
        boxes={name: tuple(each) for name, each in boxes.items()},
        without={name: reason for name, reason in without.items() if name not in boxes},
    )


def _is_near(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= SLACK_PX for a, b in zip(one, other, strict=True))


def _box(rectangle: Sequence[float]) -> Box:
    """Whole pixels, all that it touches."""
    left, top, width, height = rectangle
    x, y = math.floor(left), math.floor(top)
    return Box(x=x, y=y, width=math.ceil(left + width) - x, height=math.ceil(top + height) - y)


def _is_whole(shots: Sequence[Shot], scale: float) -> bool:
    """Whether each picture is as large as the piece of the page that it is of."""
    return bool(shots) and all(
        abs(each.px[0] - each.tile.width * scale) <= scale and abs(each.px[1] - each.tile.height * scale) <= scale
        for each in shots
    )


def _is_pictured(box: Box, shots: Sequence[Shot]) -> bool:
    """Whole, in one picture or in several that lie one under another."""
    if not shots or box.x < 0 or box.y < 0:
        return False
    return box.x + box.width <= shots[0].tile.width + 1 and box.y + box.height <= shots[-1].tile.bottom + 1


# Both run in the isolated world, whose globals the page does not see. The window's changes are measured once the page's
# own answer to them is in: in the frame after the next.
_MARK = """wanted => {
  const plain = text => (text || '').normalize('NFKC').replace(/\\s+/g, '').toLowerCase();
  const whole = text => text.normalize('NFKC').replace(/(\\d)[.,'’٬\\s](?=\\d{3}(?!\\d))/g, '$1');
  const has = (text, {pieces, is_number}) => is_number
    ? whole(text || '').split(/\\D+/).includes(pieces[0])
    : pieces.every(each => plain(text).includes(plain(each)));
  const seen = {checkOpacity: true, checkVisibilityCSS: true};
  const drawn = element => element.getClientRects().length > 0 && element.checkVisibility(seen);
  const all = ({language, selector}) => {
    try {
      if (language === 'css') return [...document.querySelectorAll(selector)].slice(0, 200);
      const found = document.evaluate(selector, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
      return Array.from({length: Math.min(200, found.snapshotLength)}, (_, n) => found.snapshotItem(n))
        .filter(each => each instanceof Element);
    } catch {
      return [];
    }
  };
  const narrowest = (element, one) => {
    for (let depth = 0; depth < 40; depth++) {
      const inner = [...element.children].slice(0, 500).find(each => has(each.textContent, one) && drawn(each));
      if (!inner) break;
      element = inner;
    }
    return element;
  };
  const reasons = [];
  const found = wanted.map(one => {
    const there = all(one);
    const saying = there.filter(each => has(each.textContent, one));
    const element = saying.filter(drawn).map(each => narrowest(each, one)).find(each => has(each.innerText, one));
    reasons.push(element ? null : !there.length ? 'its selector finds nothing there'
      : !saying.length ? 'what its selector finds says something else' : 'it is not drawn');
    return element && {element, one};
  });
  // What a box around it cuts off is not to be seen.
  const shown = element => {
    let {left, top, right, bottom} = element.getBoundingClientRect();
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.overflowX === 'visible' && style.overflowY === 'visible') continue;
      const around = box.getBoundingClientRect();
      if (style.overflowX !== 'visible') [left, right] = [Math.max(left, around.left), Math.min(right, around.right)];
      if (style.overflowY !== 'visible') [top, bottom] = [Math.max(top, around.top), Math.min(bottom, around.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? [left + scrollX, top + scrollY, right - left, bottom - top] : null;
  };
  const root = document.scrollingElement || document.documentElement;
  const state = {found: [], stop: () => removeEventListener('resize', later)};
  state.measure = () => state.found.push({
    view: [innerWidth, innerHeight],
    page: [root.scrollWidth, root.scrollHeight],
    boxes: found.map(each => each && each.element.isConnected && drawn(each.element)
      && has(each.element.innerText, each.one) ? shown(each.element) : null),
  });
  const later = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    if (state.found.length < 50) state.measure();
  }));
  addEventListener('resize', later);
  state.measure();
  globalThis.measuring = state;
  return reasons;
}"""
_MEASURED = """() => {
  const state = globalThis.measuring;
  if (!state) return null;
  state.stop();
  state.measure();
  delete globalThis.measuring;
  return state.found;
}"""
