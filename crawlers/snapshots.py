"""Keeping what is shown: the viewport before anything else, then what the page is made of, then all of its length."""

import asyncio
import time
from dataclasses import dataclass, field

from crawlers.autoconsent import bundle
from crawlers.banners import DONE, REJECT, Banners
from crawlers.exchange import Exchange
from crawlers.firsthand import Firsthand
from crawlers.frames import Frames
from crawlers.kit import Kit
from crawlers.media import extension, media_type
from crawlers.scroll import Scroll
from crawlers.sight import Framed
from crawlers.tab import STEP_S, Refused, Slow
from crawlers.whole import Whole
from crawlers.world import Words
from custody.model import Role

ALL_S = 40.0
"""For everything that is kept of one page."""
PICTURES_S = 15.0
"""Of that, at least so much is for the picture of the whole page."""
READY_S = 2.0
"""For fonts, and for pictures in view, once the page has come to rest."""
ANEW_S = 8.0
"""For the page to come once more, as it often does when a banner was refused."""
SETTLE_S = 3.0
"""For what such a page, or the same one, still fetches."""
QUIET_S = 0.5
TICK_S = 0.05
LEAST_S = 0.5
"""In less than this nothing is asked for."""
SPARE_S = 1.0
"""Before the end of a visit's time: what lacks is still to be said."""
LARGE = 1 << 20
"""Bytes: a document of which so much has come, and more comes, leaves the browser no time for anything else."""
FRAME_S = 5.0
"""For each thing that is asked of a frame."""
PING_S = 5.0
"""A page's process that does not answer for this long, at the end of a visit, is kept busy by its own scripts."""


@dataclass(slots=True)
class Snapshots:
    """Takes them in the order in which one could disturb the next."""

    kit: Kit
    _until: float = 0.0
    _lacks: list[tuple[Role, str]] = field(default_factory=list)

    async def take(self, *, last: bool) -> bool:
        """False where the page left meanwhile, so that nothing that belongs together was had. Raises Gone.

        ``last``: there will be no other try, so what was had is kept, and what happened is said.
        """
        kit, seen, clock = self.kit, self.kit.seen, self.kit.order.clock
        self._until, self._lacks = min(time.monotonic() + ALL_S, kit.until - SPARE_S), []
        seen.times["settled_at"] = clock()
        kit.order.progress("snapshot", {})
        unfinished = seen.trouble == "timeout" and kit.body.came > LARGE
        if unfinished or seen.trouble in {"redirect_loop", "too_large"} or (seen.trouble and kit.trail.is_leaving):
            await self._stop_loading()
        if seen.trouble in {"busy", "timeout"}:
            await self._wake()
        shown, n = kit.trail.shown_request, len(kit.trail.hops) + 1
        if seen.trouble is None:
            await self._ready()
        picture = await self._viewport()
        seen.times["viewport_at"] = clock()
        name = "viewport.png"
        try:
            words, markup, frames = None, None, list[Framed]()
            if last or not self._left_for_another(shown):
                words, markup = await self._words(), await self._markup()
                frames = await self._frames() if words is not None else []
            if self._left_for_another(shown) and not last:
                name = f"hop-{n}-viewport.png"
                return False
        finally:  # the picture is kept whatever happens to the rest
            if picture is not None:
                kit.keep_picture(Role.VIEWPORT, name, picture)
        for role, reason in self._lacks:
            seen.lacks(role, reason)
        left = self._left_for_another(shown)
        if left:
            seen.lacks(Role.DOM, "the page left for another while it was kept: picture, text and DOM may not be of one")
        self._keep(words, markup, frames)
        reading = Firsthand(kit)
        reading.begin()
        if not left and words is not None and markup is not None and await self._is_as_before(reading, picture):
            seen.unchanged = True
            return True
        try:
            await self._rest(words, markup, shown, reading, left=left)
        finally:
            reading.keep()
        return True

    async def _is_as_before(self, reading: Firsthand, picture: bytes | None) -> bool:
        """Of a light look: whether what is shown was captured before. Whatever stands in the way: it was not."""
        kit, light = self.kit, self.kit.order.light
        if light is None or kit.seen.trouble is not None:
            return False
        found = await reading.read()
        main = kit.trail.main_exchange()
        if found is None or main is None:
            return False
        return await light.is_unchanged(
            kit.seen,
            http_status=main.status,
            media_type=main.mime_type,
            hops=tuple(kit.trail.hops),
            picture=picture,
            reading=found,
        )

    async def _rest(
        self, words: Words | None, markup: str | None, shown: str | None, reading: Firsthand, *, left: bool
    ) -> None:
        """What is taken of the page once its words and document are kept: each of these may change them."""
        kit, seen, clock = self.kit, self.kit.seen, self.kit.order.clock
        await self._body(words)
        if not left and seen.trouble is None and words is not None and kit.order.consent == REJECT:
            words, markup = await self._refuse(words, markup)
            shown = kit.trail.shown_request
        if not left and seen.trouble is None and words is not None:
            await self._scroll(words, markup)
        await reading.mark(left=left)
        shots = await kit.camera.whole_page(within=self._time)
        seen.times["screenshot_at"] = clock()
        await reading.place(shots, left=self._left_for_another(shown))
        if not left and self._left_for_another(shown):
            seen.lacks(Role.SCREENSHOT, "the page left for another while its picture was taken")
            return
        await Whole(kit).compose(within=kit.until - SPARE_S - time.monotonic())

    def _left_for_another(self, shown: str | None) -> bool:
        return self.kit.trail.is_leaving or self.kit.trail.shown_request != shown or self.kit.trail.shown_url is None

    def _keep(self, words: Words | None, markup: str | None, frames: list[Framed]) -> None:
        kit, seen = self.kit, self.kit.seen
        if markup is not None:
            seen.dom = markup
            kit.keep_text(Role.DOM, "dom.html", "text/html", markup)
        seen.final_url = kit.trail.shown_url
        seen.frames = tuple(frames)
        for n, frame in enumerate(frames, start=1):
            kit.keep_text(Role.DOM, f"frame-{n}-dom.html", "text/html", frame.dom)
        if words is None:
            return
        seen.text = "\n".join([words.text, *(each.text for each in frames)])
        said = [words.text, *(f"--- frame {n}: {each.url} ---\n{each.text}" for n, each in enumerate(frames, start=1))]
        kit.keep_text(Role.TEXT, "text.txt", "text/plain; charset=utf-8", "\n\n".join(said))
        if words.cut_from is not None:
            seen.lacks(Role.TEXT, f"of {words.cut_from} characters the first {len(words.text)} are kept")
        seen.title = words.title or None
        if words.url.startswith(("http:", "https:")):
            seen.final_url = words.url

    async def _ready(self) -> None:
        """A page may stand there, and its letters or pictures not yet: a moment longer. What came of it is said."""
        until = time.monotonic() + READY_S
        while True:
            try:
                ready = await self.kit.world.ready()
            except (Slow, Refused):
                return
            self.kit.seen.settings["fonts_and_pictures_in_view"] = "loaded" if ready else "loading"
            if ready or time.monotonic() > until:
                return
            await asyncio.sleep(TICK_S)

    async def _refuse(self, words: Words, markup: str | None) -> tuple[Words | None, str | None]:
        """A consent banner, by a rule; then what is shown, said and there once more. All that was kept before stays."""
        kit, seen = self.kit, self.kit.seen
        shown, address, answer = kit.trail.shown_request, kit.trail.shown_url, kit.trail.main_exchange()
        kit.order.progress("consent", {})
        within = self._until - time.monotonic() - PICTURES_S
        handled = await Banners(kit).refuse(within=within)
        seen.scripts.extend(bundle.facts())
        if handled.acted:
            seen.done.append("consent_refused" if handled.result == DONE else f"consent_{handled.result}")
            await self._settle()
        moved = kit.trail.shown_request != shown
        if moved:
            seen.answer = answer
        facts = handled.to_json()
        seen.consent = facts | {"led_to": kit.trail.shown_url if moved or kit.trail.shown_url != address else None}
        if not handled.acted and not moved:
            return words, markup
        try:
            picture = await kit.camera.viewport(within=self._time())
            kit.keep_picture(Role.VIEWPORT, "consent-viewport.png", picture)
            seen.times["consent_viewport_at"] = kit.order.clock()
            after, document = await kit.world.read(within=self._time()), await kit.world.markup(within=self._time())
        except (Slow, Refused) as error:
            seen.lacks(Role.VIEWPORT, f"after a consent banner was refused: {error}")
            return None, None
        if after.text != words.text:
            kit.keep_text(Role.TEXT, "consent-text.txt", "text/plain; charset=utf-8", after.text)
        if document != markup:
            kit.keep_text(Role.DOM, "consent-dom.html", "text/html", document)
            seen.refused_dom = document
        return after, document

    async def _settle(self) -> None:
        """Until what a refusal set off has come: another page, pictures, nothing at all."""
        trail, begun = self.kit.trail, time.monotonic()
        while (now := time.monotonic()) - begun < ANEW_S:
            loaded_at = None if trail.is_leaving else trail.loaded_at
            since = max(begun, loaded_at or now)
            quiet = not trail.in_flight and now - max(since, trail.quiet_since) >= QUIET_S
            if loaded_at is not None and (quiet or now - since >= SETTLE_S):
                return
            await asyncio.sleep(TICK_S)

    async def _scroll(self, words: Words, markup: str | None) -> None:
        """What a reader sees who goes down the page; its words and document once more where they became others."""
        kit, seen = self.kit, self.kit.seen
        if not await Scroll(kit).run(within=self._until - time.monotonic() - PICTURES_S) or kit.trail.is_leaving:
            return
        try:
            after, document = await kit.world.read(within=self._time()), await kit.world.markup(within=self._time())
        except (Slow, Refused) as error:
            seen.note("not_read_after_scrolling", kit.order.clock(), why=str(error))
            return
        if after.text != words.text:
            kit.keep_text(Role.TEXT, "scrolled-text.txt", "text/plain; charset=utf-8", after.text)
        if document != markup:
            kit.keep_text(Role.DOM, "scrolled-dom.html", "text/html", document)
            seen.scrolled_dom = document

    async def _viewport(self) -> bytes | None:
        try:
            return await self.kit.camera.viewport(within=self._time())
        except (Slow, Refused) as error:
            first = str(error)
        await self._wake()
        try:
            return await self.kit.camera.viewport(within=self._time())
        except (Slow, Refused) as error:
            self._lacks.append((Role.VIEWPORT, f"{first}; then: {error}"))
            return None

    async def _words(self) -> Words | None:
        try:
            return await self.kit.world.read(within=self._time())
        except (Slow, Refused) as error:
            self._lacks.append((Role.TEXT, str(error)))
            return None

    async def _markup(self) -> str | None:
        try:
            return await self.kit.world.markup(within=self._time())
        except (Slow, Refused) as error:
            self._lacks.append((Role.DOM, str(error)))
            return None

    async def _frames(self) -> list[Framed]:
        try:
            return await Frames(self.kit).read(within=min(FRAME_S, self._time()))
        except Slow:
            return []

    async def _body(self, words: Words | None) -> None:
        main = self.kit.trail.main_exchange()
        if main is None:
            self.kit.seen.lacks(Role.BODY, "the browser reported no answer")
            return
        charset = words.charset if words else ""
        try:
            await keep_body(self.kit, main, charset=charset, within=self._time())
        except Slow as error:
            self.kit.seen.lacks(Role.BODY, str(error))

    async def _wake(self) -> None:
        """End a script that does not end, for the page's process can show and tell nothing while it runs."""
        kit = self.kit
        if await self._answers():
            return
        at = kit.order.clock()
        try:
            await kit.tab.send("Runtime.terminateExecution", within=self._time())
        except (Slow, Refused) as error:
            kit.seen.note("not_stopped", at, why=str(error))
        else:
            kit.seen.note("script_stopped", at, why="it kept the page busy, and nothing could be taken of it")

    async def _answers(self) -> bool:
        try:
            await self.kit.world.answers(within=min(PING_S, self._time()))
        except Slow:
            return False
        except Refused:  # which is an answer
            return True
        return True

    async def _stop_loading(self) -> None:
        """So that what is kept is of one page."""
        kit = self.kit
        try:
            await kit.tab.send("Page.stopLoading", within=self._time())
        except (Slow, Refused) as error:
            kit.seen.note("not_stopped", kit.order.clock(), why=str(error))
        else:
            kit.body.stopped = True
            kit.seen.note("loading_stopped", kit.order.clock(), why=kit.seen.detail)

    def _time(self) -> float:
        """Seconds for the next thing. Raises Slow where there are none left, so that nothing is asked in vain."""
        left = self._until - time.monotonic()
        if left < LEAST_S:
            raise Slow("what was kept before it had used up the time for this page")
        return min(STEP_S, left)


async def keep_body(kit: Kit, main: Exchange, *, charset: str, within: float) -> None:
    """The main answer's body, and what is to be said against it."""
    taken = await kit.body.take(main, charset=charset, within=within)
    if taken.data is not None:
        kit.keep(Role.BODY, f"body{extension(main.mime_type)}", media_type(main.mime_type), taken.data)
    if taken.lacks is not None:
        kit.seen.lacks(Role.BODY, taken.lacks)
