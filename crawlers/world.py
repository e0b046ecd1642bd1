"""An isolated world in the page: reads what is shown where the page's own scripts cannot answer for it.

Protected: an isolated world shares the document with the page and nothing else. Prototypes, getters and globals that
the page has replaced are whole here, named elements hide no property, and the page can neither see nor call what we
run. Not protected: the document itself, which is the page's to write, and time: a script that never ends holds up
every world of its page, so each read has a limit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crawlers.tab import STEP_S, Refused, Tab
from custody.model import Json

NAME = "counterproof"
MAX_TEXT = 8_000_000
"""Characters of visible text that are taken; a page that shows more has something else in mind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What the page says, read at one moment."""

    url: str
    title: str
    text: str = field(repr=False)
    cut_from: int | None
    """UTF-16 units that there were, where ``text`` is not all of it."""
    charset: str
    """What the browser took the document's bytes for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a page is scrolled to, in CSS pixels."""

    top: float
    height: float
    view: float
    """How much of the height is in view."""
    inside: bool
    """A box in the page is what scrolls, and not the page."""


@dataclass(frozen=True, slots=True)
class World:
    """Made anew in each document: a world ends with the page that it is in."""

    tab: Tab
    frame: str

    async def read(self, *, within: float = STEP_S) -> Words:
        value = await self._value(_script(_READ, MAX_TEXT), within=within)
        return Words(
            url=value["url"],
            title=value["title"],
            text=value["text"],
            cut_from=value["cutFrom"],
            charset=value["charset"],
        )

    async def markup(self, *, within: float = STEP_S) -> str:
        """The rendered document; shadow roots as ``<template shadowrootmode>``, which is how HTML writes them."""
        document = await self._evaluate("document", within=within, by_value=False)
        params = {"objectId": document["objectId"], "includeShadowDOM": True}
        answer = await self.tab.send("DOM.getOuterHTML", params, within=within)
        markup: str = answer["outerHTML"]
        return markup

    async def describe(self) -> Mapping[str, Json]:
        """Who the browser says that it is, to every page."""
        described: Mapping[str, Json] = await self._value(_CIRCUMSTANCES, within=STEP_S)
        return described

    async def answers(self, *, within: float) -> None:
        """Returns once the page's process does. Raises Slow."""
        await self._value("1", within=within)

    async def scroll(self, percent: int | None) -> Place | None:
        """On by so much of what is in view, or back to the top; where it stands then. None: nothing is shown."""
        found = await self._value(_script(_SCROLL, percent), within=STEP_S)
        return None if found is None else Place(**found)

    async def ready(self) -> bool:
        """Whether the fonts have loaded, and the pictures in view have come or failed."""
        return bool(await self._value(_script(_READY), within=STEP_S))

    async def find(self, tag: str, href: str | None, text: str) -> str | None:
        """The element that is meant, as a handle to it."""
        found = await self._evaluate(_script(_FIND, tag, href, text), within=STEP_S, by_value=False)
        handle: str | None = found.get("objectId")
        return handle

    async def ask(self, function: str, *arguments: Json, within: float) -> Any:
        """What a function of ours gives that runs once; what it leaves in this world is there for the next."""
        return await self._value(_script(function, *arguments), within=within)

    async def frames(self, *, covering: int, around: int, limit: int, within: float = STEP_S) -> list[str]:
        """Ids of the frames that are what is shown here."""
        script = _script(_FRAMES, covering, around)
        found = []
        for n in range(min(limit, await self._value(f"{script}.length", within=within))):
            element = await self._evaluate(f"{script}[{n}]", within=within, by_value=False)
            node = await self.tab.send("DOM.describeNode", {"objectId": element["objectId"]}, within=within)
            if "frameId" in node["node"]:
                found.append(node["node"]["frameId"])
        return found

    async def call(self, handle: str, function: str, *arguments: Json) -> Any:
        """Call a function of ours with the element as ``this``."""
        params = {
            "objectId": handle,
            "functionDeclaration": function,
            "arguments": [{"value": each} for each in arguments],
            "returnByValue": True,
        }
        return _value_of(await self.tab.send("Runtime.callFunctionOn", params))

    async def _value(self, expression: str, *, within: float) -> Any:
        return (await self._evaluate(expression, within=within, by_value=True)).get("value")

    async def _evaluate(self, expression: str, *, within: float, by_value: bool) -> Mapping[str, Any]:
        made = await self.tab.send(
            "Page.createIsolatedWorld", {"frameId": self.frame, "worldName": NAME}, within=within
        )
        params = {
            "expression": expression,
            "contextId": made["executionContextId"],
            "returnByValue": by_value,
            "timeout": within * 1000,
        }
        answer = await self.tab.send("Runtime.evaluate", params, within=within)
        _value_of(answer)
        found: Mapping[str, Any] = answer["result"]
        return found


def _script(function: str, *arguments: Json) -> str:
    return f"(() => {{ {_WALK} return ({function})({', '.join(json.dumps(each) for each in arguments)}); }})()"


def _value_of(answer: Mapping[str, Any]) -> Any:
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        said = details.get("exception", {}).get("description") or details.get("text", "")
        raise Refused(f"the page could not be read: {said.splitlines()[0][:200] if said else 'no reason given'}")
    return answer["result"].get("value")


# Walks the document and every open shadow root in it. A shadow root's text is shown, but is not in `innerText`.
_WALK = """
const elements = function* (root = document) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    yield node;
    if (node.shadowRoot) yield* elements(node.shadowRoot);
  }
};
const flat = text => (text || '').replace(/\\s+/g, ' ').trim();
"""
_READ = """limit => {
  const unseen = new Set(['style', 'script', 'template', 'link', 'meta', 'noscript', 'slot', 'title']);
  // innerText of what is not rendered is its source text, scripts included.
  const shown = element => getComputedStyle(element).display !== 'none';
  const texts = [];
  if (document.body && shown(document.body)) texts.push(document.body.innerText);
  for (const host of elements()) {
    if (!host.shadowRoot || !(host.checkVisibility() || getComputedStyle(host).display === 'contents')) continue;
    for (const part of host.shadowRoot.children) {
      if (!unseen.has(part.localName) && shown(part) && part.innerText) texts.push(part.innerText);
    }
  }
  const text = texts.join('\\n');
  return {
    url: location.href,
    title: document.title,
    text: text.slice(0, limit),
    cutFrom: text.length > limit ? text.length : null,
    charset: document.characterSet,
  };
}"""
_FIND = """(tag, href, text) => {
  const wanted = flat(text).toLowerCase();
  const says = element => [element.innerText, element.value, element.getAttribute('aria-label'), element.textContent]
    .some(each => flat(each).toLowerCase() === wanted);
  const alike = [...elements()].filter(element => element.localName === tag
    && (href === null || element.getAttribute('href') === href));
  const best = alike.filter(says);
  const drawn = element => element.getClientRects().length > 0;
  return best.find(drawn) || best[0] || (href === null ? null : alike.find(drawn) || alike[0]) || null;
}"""
# What a reader scrolls: the page, or the box that fills it where the page itself has no room.
_SCROLL = """percent => {
  const room = element => element.scrollHeight - element.clientHeight;
  const root = document.scrollingElement || document.documentElement;
  if (!root) return null;
  const large = element => element.clientWidth * element.clientHeight > innerWidth * innerHeight / 2;
  const scrolls = element => ['auto', 'scroll', 'overlay'].includes(getComputedStyle(element).overflowY);
  let box = root;
  if (room(root) <= 1) {
    for (const each of elements()) {
      if (room(each) > 1 && large(each) && scrolls(each)) { box = each; break; }
    }
  }
  const top = percent === null ? 0 : box.scrollTop + percent / 100 * box.clientHeight;
  if (percent !== 0) box.scrollTo({top, behavior: 'instant'});
  return {top: box.scrollTop, height: box.scrollHeight, view: box.clientHeight, inside: box !== root};
}"""
_READY = """() => {
  const shown = picture => {
    const box = picture.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight
      && box.right > 0 && box.left < innerWidth;
  };
  return document.fonts.status === 'loaded' && [...document.images].every(each => each.complete || !shown(each));
}"""
# A frame of a frameset, or one that fills the window where little else is said.
_FRAMES = """(covering, around) => {
  const body = document.body;
  if (!body) return [];
  if (body.localName === 'frameset') return [...body.querySelectorAll('frame')].filter(each => each.src);
  if (body.innerText.trim().length > around) return [];
  const share = element => {
    const box = element.getBoundingClientRect();
    const width = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
    const height = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
    return Math.max(0, width) * Math.max(0, height) / (innerWidth * innerHeight);
  };
  const seen = {checkOpacity: true, checkVisibilityCSS: true};
  return [...elements()].filter(each => each.localName === 'iframe' && each.checkVisibility(seen)
    && getComputedStyle(each).pointerEvents !== 'none' && share(each) >= covering / 100);
}"""
_CIRCUMSTANCES = """({
  user_agent: navigator.userAgent,
  languages: navigator.languages.join(','),
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  viewport: {width: innerWidth, height: innerHeight},
  device_scale: String(devicePixelRatio),
  javascript: true,
})"""
