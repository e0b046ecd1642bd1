"""Getting there: from the navigation to a page that is where it wants to be, through all that stands in between."""

import asyncio
import re
import time

from crawlers.hops import ABORTED, MAX_HOPS, TOO_MANY
from crawlers.interstitial import MAX_TEXT, WayOn, find_way_on, is_waiting
from crawlers.kit import Kit
from crawlers.media import extension, media_type
from crawlers.press import Press, worth_following
from crawlers.sight import ALLOWANCE_S
from crawlers.snapshots import LARGE
from crawlers.tab import Gone, Refused, Slow
from crawlers.world import Words

TICK_S = 0.05
QUIET_S = 0.5
"""A page that has loaded and asked for nothing this long is ready."""
SETTLE_S = 3.0
"""A page that has loaded and still fetches is shot after this long."""
STALLED_S = 3.0
"""The same where the document has come whole, something on it has not, and nothing has come for this long."""
STUCK_S = 12.0
"""The same where something still comes, and never ends."""
WAITING_S = 8.0
"""How long a page that says, or shows, that it will move by itself is given to do so."""
PRESS_AFTER_S = 1.5
"""The same where there is something to press: a reader would press it."""
PRESSED_S = 10.0
"""How long a page that was pressed on is given to leave."""
REFRESH_S = 30.0
"""The longest announced refresh that is waited for."""
MAX_SELF_REFRESHES = 2
"""A page that goes to itself again and again is where it wants to be."""
MAX_PRESSES = 3
LEAST_BUSY_S = 3.0
PREPARED_S = 5.0
"""Getting the tab ready may take this long without a cost to the page's own time."""
BUSY_S = 8.0
"""How long the page's process may take to answer while we wait for it."""
MAX_MARKUP = 2_000_000
"""Characters: a page in between is small."""
LOADING_SHARE = 0.6
"""Of the time that is left, so much may go into loading; the rest is for what the page does then."""
ENDING_S = 1.0
"""How long an answer that shows no page is given to turn out to be a file, or one that broke off to show something."""

_TIMED = re.compile(r"set(?:Timeout|Interval)\(")
_LEAVES = re.compile(r"location(?:\.href)?\s*=(?!=)|location\.(?:assign|replace)\(|\.submit\(\)")
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)
_THIN = 600
"""Characters: what a page that only sends its readers on may say."""


class Arrival:
    """Carries one visit from its navigation to the last page of its chain."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._press = Press(kit)
        self._begun = time.monotonic()
        self._until = min(self._begun + kit.order.timeout_s, kit.until - ALLOWANCE_S + PREPARED_S)
        self._presses = 0
        self._ending_since: float | None = None

    async def go(self) -> None:
        """Navigate and come to rest. What went wrong is in ``seen.trouble``. Raises Gone."""
        if await self.navigate(self._kit.order.url):
            await self.go_on()

    async def go_on(self) -> None:
        """Come to rest where the page is by now. Raises Gone."""
        while await self._rest() and await self._between():
            continue

    async def navigate(self, url: str, *, referrer: str | None = None) -> bool:
        """Returns as soon as the site has answered; False where there is nothing to wait for."""
        kit = self._kit
        params = {"url": url, "transitionType": "link", "referrer": referrer} if referrer else {"url": url}
        try:
            answer = await kit.tab.send("Page.navigate", params, within=self._left())
        except Slow:
            kit.seen.fail("timeout", f"no answer within {kit.order.timeout_s:.0f} s")
            return False
        except Refused as error:
            kit.seen.fail("error", str(error))
            return False
        error_text = str(answer.get("errorText") or "")
        if error_text and error_text != ABORTED:
            self._fail(error_text)
            return False
        return True

    def _fail(self, error: str) -> None:
        kit = self._kit
        if self._led_nowhere():
            return
        if error == TOO_MANY:
            kit.seen.fail("redirect_loop", f"the address redirects more than {MAX_HOPS} times")
        else:
            kit.seen.fail(error, f"{error} at {kit.trail.current_url or kit.order.url}")

    def _led_nowhere(self) -> bool:
        """Whether a redirect ended the chain at an address that we never ask for; then that is the reason."""
        trail = self._kit.trail
        left = trail.nowhere
        if left is None:
            return False
        target = trail.hops[-1].to_url
        said = f"the site redirected (HTTP {left.status}) to {target[:200]}, which is no web page: it was not followed"
        self._kit.seen.fail("left_the_web", said)
        return True

    async def _rest(self) -> bool:
        """Until it has loaded, the network is quiet and no announced departure is due. False: here the visit ends."""
        kit, trail = self._kit, self._kit.trail
        loading_until = time.monotonic() + self._left() * LOADING_SHARE
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if kit.tab.lost:
                raise Gone("the page's process died")
            if trail.over_limit:
                kit.seen.fail("redirect_loop", f"the page went on more than {MAX_HOPS} times")
                return False
            if kit.body.is_too_large:
                said = f"the page is too large: loading was stopped after {kit.body.extent}, what it showed was kept"
                kit.seen.fail("too_large", said)
                return False
            if self._is_leaving(now):
                continue
            if trail.shown_url is None:
                if await self._shows_none(now):
                    return False
            elif trail.broken is not None:
                loading_until = min(loading_until, now + ENDING_S)  # cut off midway: what came is shown
            if trail.loaded_at is None or trail.shown_url is None:
                if self._shows_enough(now):
                    return True
                if now > loading_until:
                    self._give_up_loading()
                    return False
                continue
            if now > self._until:
                kit.seen.fail("timeout", f"the page did not come to rest within {kit.order.timeout_s:.0f} s")
                return False
            quiet = not trail.in_flight and now - max(trail.quiet_since, trail.loaded_at) >= QUIET_S
            if quiet or now - trail.loaded_at >= SETTLE_S:
                return True

    async def _shows_none(self, now: float) -> bool:
        """Whether it is clear by now that there will be no page; then the reason is in ``seen.trouble``."""
        kit, trail = self._kit, self._kit.trail
        if kit.downloads.begun:
            kit.seen.fail("download", "the address gave a file to download, not a page")
            main = trail.main_exchange()
            kind = media_type(main.mime_type if main else "")
            await kit.downloads.take(kind, f"body{extension(kind)}", until=kit.until - ENDING_S)
            return True
        if trail.broken is not None:
            self._fail(trail.broken)
            return True
        if not (trail.is_ending or trail.elsewhere is not None):
            self._ending_since = None
            return False
        self._ending_since = self._ending_since or now
        if now - self._ending_since < ENDING_S:
            return False
        main = trail.main_exchange()
        if self._led_nowhere():
            return True
        if trail.elsewhere is not None:
            kit.seen.fail("left_the_web", f"the page left for {trail.elsewhere[:100]}, where no site shows anything")
        elif main is not None and main.status in {204, 205}:
            kit.seen.fail("no_content", f"the site answered HTTP {main.status}: no content")
        else:
            kit.seen.fail("error", f"the browser ended the request for {trail.current_url} and showed nothing")
        return True

    def _shows_enough(self, now: float) -> bool:
        """Whether the page has come whole and only something on it never ends: a reader would not wait for that."""
        trail = self._kit.trail
        if trail.parsed_at is None or trail.shown_url is None or trail.is_leaving:
            return False
        if now - max(trail.parsed_at, trail.active_at) < STALLED_S and now - trail.parsed_at < STUCK_S:
            return False
        waited = round(now - trail.parsed_at)
        self._kit.seen.settings["load_event"] = f"had not come {waited} s after the whole document: not waited for"
        return True

    def _give_up_loading(self) -> None:
        seen, trail = self._kit.seen, self._kit.trail
        if trail.shown_url is None:
            seen.fail("timeout", "no page came in time")
        elif trail.is_leaving:
            seen.fail("timeout", f"{trail.current_url} did not answer in time; the page before it was kept")
        elif trail.broken is None:
            came = f" in {time.monotonic() - self._begun:.0f} s, stopped after {self._kit.body.extent}"
            said = came if self._kit.body.came > LARGE else ""
            seen.fail("timeout", f"the page did not finish loading{said}; what it showed was kept")

    def _is_leaving(self, now: float) -> bool:
        """Whether an announced departure is near enough to wait for."""
        trail = self._kit.trail
        pending = trail.pending
        if pending is None or not now - 1.0 < pending.due <= min(now + REFRESH_S, self._until - 1.0):
            return False
        return pending.url != trail.shown_url or not self._repeats_itself()

    def _repeats_itself(self) -> bool:
        trail = self._kit.trail
        again = sum(hop.from_url == hop.to_url == trail.shown_url for hop in trail.hops)
        return again >= MAX_SELF_REFRESHES

    async def _between(self) -> bool:
        """Whether this page only stood in between, and has been left."""
        kit, trail = self._kit, self._kit.trail
        before, since = trail.navigations, time.monotonic()
        while True:
            asked = time.monotonic()
            try:
                words = await kit.world.read(within=self._busy_s())
                markup = await kit.world.markup(within=self._busy_s()) if len(words.text) <= MAX_TEXT else ""
            except Slow:
                if trail.is_leaving:  # the browser holds back what we ask while a page is on its way
                    return True
                kit.seen.fail("busy", f"a script kept the page busy for {time.monotonic() - asked:.0f} s")
                return False
            except Refused:  # the document is going just now
                return time.monotonic() < self._until
            if trail.navigations != before:
                return True
            waiting, way = await asyncio.to_thread(_judge, words, markup)
            waiting = waiting and not self._repeats_itself()
            if self._presses >= MAX_PRESSES:
                way = None
            waited = time.monotonic() - since
            if not waiting or waited >= min(PRESS_AFTER_S if way else WAITING_S, self._left()):
                break
            if await self._moves(before, QUIET_S):
                return True
        if way is not None and await self._go_through(way):
            return True
        return trail.navigations != before

    async def _go_through(self, way: WayOn) -> bool:
        kit, trail = self._kit, self._kit.trail
        self._presses += 1
        await self._press.keep_page()
        before, on = trail.navigations, trail.shown_url
        if not await self._press.press(way):
            return False
        moved = await self._moves(before, min(PRESSED_S, self._left()), unless_opened=True)
        if not moved and worth_following(trail.opened):  # it opened a window: look there in this tab, as one chain
            moved = await self.navigate(str(trail.opened), referrer=on)
        trail.clicked = False
        return moved or kit.seen.trouble is not None

    async def _moves(self, before: int, seconds: float, *, unless_opened: bool = False) -> bool:
        trail, until = self._kit.trail, time.monotonic() + seconds
        while time.monotonic() < until:
            if trail.navigations != before:
                return True
            if self._kit.tab.lost:
                raise Gone("the page's process died")
            if unless_opened and trail.opened is not None:
                return await self._moves(before, QUIET_S)
            await asyncio.sleep(TICK_S)
        return trail.navigations != before

    def _busy_s(self) -> float:
        """Within the page's time, but no less than an idle page on a loaded machine needs."""
        return min(BUSY_S, max(LEAST_BUSY_S, self._left()))

    def _left(self) -> float:
        return max(0.5, self._until - time.monotonic())


def _judge(words: Words, markup: str) -> tuple[bool, WayOn | None]:
    if not markup or len(markup) > MAX_MARKUP:
        return False, None
    waiting = is_waiting(words.text, markup) or _is_timed(words.text, markup)
    return waiting, find_way_on(markup, words.text, words.url)


def _is_timed(text: str, markup: str) -> bool:
    """Whether a page that says little sets a clock, and leaves in the same script."""
    if len(text) > _THIN:
        return False
    return any(_TIMED.search(script) and _LEAVES.search(script) for script in _SCRIPT.findall(markup))
