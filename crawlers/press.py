"""One press on a link or a button, as a reader's own finger would make it, and in this tab."""

import asyncio
from dataclasses import dataclass

from crawlers.interstitial import WayOn
from crawlers.kit import Kit
from crawlers.tab import Refused, Slow
from custody.model import Json, Role

CLICK_S = 5.0
"""How long the page may take over one press."""
MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Press:
    kit: Kit

    async def keep_page(self) -> None:
        """A page in between is kept before it is left: what it showed, and what it was made of."""
        kit = self.kit
        number = len(kit.trail.hops) + 1
        try:
            picture = await kit.camera.viewport(within=CLICK_S)
            kit.keep_picture(Role.VIEWPORT, f"hop-{number}-viewport.png", picture)
            markup = await kit.world.markup(within=CLICK_S)
            kit.keep_text(Role.DOM, f"hop-{number}-dom.html", "text/html", markup)
        except (Slow, Refused) as error:
            kit.seen.note("hop_not_kept", kit.order.clock(), n=number, reason=str(error))

    async def press(self, way: WayOn) -> bool:
        """False where it is not there, or cannot be pressed. What came of it is for others to see."""
        kit = self.kit
        at, on = kit.order.clock(), kit.trail.shown_url
        try:
            handle = await kit.world.find(way.tag, way.href, way.text)
            if handle is None:
                return False
            window = await kit.world.call(handle, _SAME_TAB)
            kit.trail.clicked, kit.trail.opened = True, None
            kit.order.progress("click", {"text": way.text[:80]})
            by = await self._touch(handle)
        except (Slow, Refused) as error:
            kit.trail.clicked = False
            kit.seen.note("not_clicked", at, tag=way.tag, text=way.text[:MAX_TEXT], href=way.href, reason=str(error))
            return False
        facts: dict[str, Json] = {"tag": way.tag, "text": way.text[:MAX_TEXT], "href": way.href, "on": on, "by": by}
        if window:
            facts["target_removed"] = str(window)[:MAX_TEXT]
        kit.seen.note("click", at, **facts, why="a page that only stands in between")
        return True

    async def _touch(self, handle: str) -> str:
        """With the mouse where the element lies open, else with the keyboard, which reaches what is covered."""
        tab = self.kit.tab
        await tab.send("DOM.scrollIntoViewIfNeeded", {"objectId": handle}, within=CLICK_S)
        point = await self.kit.world.call(handle, _POINT)
        if point is None:
            await tab.send("DOM.focus", {"objectId": handle}, within=CLICK_S)
            key: dict[str, Json] = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
            await self._input("Input.dispatchKeyEvent", {"type": "keyDown", "text": "\r", **key})
            await self._input("Input.dispatchKeyEvent", {"type": "keyUp", **key})
            return "keyboard"
        where = {"x": point["x"], "y": point["y"], "button": "left", "clickCount": 1}
        await self._input("Input.dispatchMouseEvent", {**where, "type": "mouseMoved", "button": "none"})
        await self._input("Input.dispatchMouseEvent", {**where, "type": "mousePressed"})
        await self._input("Input.dispatchMouseEvent", {**where, "type": "mouseReleased"})
        return "mouse"

    async def _input(self, method: str, params: dict[str, Json]) -> None:
        try:
            await self.kit.tab.send(method, params, within=CLICK_S)
        except Slow:
            # The page is leaving, or asks something: the press itself has been made.
            await asyncio.sleep(0)


def worth_following(address: str | None) -> bool:
    """Whether a window that a page asked for is one that this tab can look at in its place."""
    return address is not None and address.startswith(("http:", "https:"))


# A link into a new tab would take the chain out of sight, and a form's data with it. Returns what was there.
_SAME_TAB = """function () {
  const form = this.form;
  const window = this.getAttribute('formtarget') || this.getAttribute('target') || (form && form.getAttribute('target'))
    || document.querySelector('base[target]')?.getAttribute('target') || '';
  if (window === '' || window === '_self') return '';
  this.setAttribute(form ? 'formtarget' : 'target', '_self');
  return window;
}"""
# The middle of its first box, if that is what a finger would meet there; null where something lies over it.
_POINT = """function () {
  for (const box of this.getClientRects()) {
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    if (box.width < 1 || box.height < 1) continue;
    const root = this.getRootNode();
    const met = root.elementFromPoint(x, y);
    if (met && (this === met || this.contains(met) || met.contains(this) && met.localName === 'label')) {
      return {x: Math.round(x), y: Math.round(y)};
    }
  }
  return null;
}"""
