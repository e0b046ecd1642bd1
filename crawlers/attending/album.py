"""The album: what was kept of each page that a person came by, and of each moment that a picture was asked for."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crawlers.frames import Frames
from crawlers.kit import Kit
from crawlers.recording.withholding import Withholding
from crawlers.sight import Framed, Keep
from crawlers.snapshots import keep_body
from crawlers.tab import Refused, Slow
from crawlers.whole import Whole
from custody.instant import format_utc
from custody.model import Json, Missing, Role, Snapshot

WITHIN_S = 6.0
"""For each thing that is asked of a page: a person waits for it."""
MAX_PAGES = 200
"""Pages that are listed; the rest is counted."""
MAX_KEPT = 60
"""Of pages, and as many of shots: what is kept of more would have no room in a record."""

IN_CLEAR = "a secret that was typed stands there in clear: no picture was taken"

Rename = Callable[[str, str], Snapshot]
_INPUT = re.compile(r'<input\b(?:\s+[^\s=>/]+(?:="[^"]*")?)*\s*/?>', re.IGNORECASE)
_PRESSED = re.compile(r'\stype="(?:submit|button|reset|image|checkbox|radio|range|color)"', re.IGNORECASE)
_VALUE = re.compile(r'(\svalue=)"[^"]*"', re.IGNORECASE)


@dataclass(kw_only=True, slots=True)
class Moment:
    """What was kept at one time of one page."""

    at: datetime
    url: str
    prefix: str
    files: list[str] = field(default_factory=list)
    lacks: list[Missing] = field(default_factory=list)
    title: str = ""
    text: str = field(default="", repr=False)
    dom: str = field(default="", repr=False)
    frames: tuple[Framed, ...] = ()

    @property
    def is_something(self) -> bool:
        return bool(self.files)


@dataclass(kw_only=True, slots=True)
class Page:
    """One address of one document that was shown."""

    n: int
    url: str
    document: str
    """The request that it came by: pages of one document differ by address alone."""
    at: datetime
    moments: list[Moment] = field(default_factory=list)

    def to_json(self, url: str) -> dict[str, Json]:
        files = [name for each in self.moments for name in each.files]
        said: dict[str, Json] = {"n": self.n, "url": url, "at": format_utc(self.at), "files": files}
        if titles := [each.title for each in self.moments if each.title]:
            said["title"] = titles[-1]
        if not files:
            said["lacks"] = "it was left before it was kept"
        return said


class Album:
    """Names the files: ``page-2-dom.html`` of the second page as it came, ``shot-1-…`` of a moment, or as it is."""

    def __init__(
        self, keep: Keep, rename: Rename, withholding: Withholding, *, is_in_clear: Callable[[], bool] = lambda: False
    ) -> None:
        """``is_in_clear``: whether a secret can be read off the screen; then no picture is taken."""
        self.pages: list[Page] = []
        self.more_pages = 0
        self.shots: list[Moment] = []
        self.last: Moment | None = None
        """What the record speaks of, once it is known."""
        self._keep = keep
        self._rename = rename
        self._withholding = withholding
        self._is_in_clear = is_in_clear
        self._now: Moment | None = None
        self._bodies: dict[str, str] = {}
        """By document, the file that holds its body."""
        self._arrived = 0

    def keep(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        """A ``Keep``."""
        now = self._now
        if now is None:
            return self._keep(role, name, media_type, data)
        if role is Role.DOM and self._withholding.since is not None:
            data = without_secrets(data.decode()).encode()
        kept = self._keep(role, f"{now.prefix}{name}", media_type, data)
        now.files.append(kept.name)
        return kept

    def open(self, url: str, document: str, at: datetime) -> None:
        """A page is shown."""
        if len(self.pages) >= MAX_PAGES:
            self.more_pages += 1
            self.pages.pop()  # the last one is always the one that is shown
        self.pages.append(Page(n=len(self.pages) + 1 + self.more_pages, url=url, document=document, at=at))

    async def arrive(self, kit: Kit) -> bool:
        """Keep the page that is shown, as it came. False where too many were. Raises Gone."""
        if self._arrived >= MAX_KEPT:
            return False
        self._arrived += 1
        await self._take(kit, f"page-{self.pages[-1].n}-")
        return True

    async def shoot(self, kit: Kit) -> Moment | None:
        """Keep the page as it is now; None where too many were. Raises Gone."""
        if len(self.shots) >= MAX_KEPT:
            return None
        moment = await self._take(kit, f"shot-{len(self.shots) + 1}-")
        self.shots.append(moment)
        return moment

    async def end(self, kit: Kit) -> None:
        """Keep the page as it is at the end: this is what the record speaks of. Raises Gone."""
        self.last = await self._take(kit, "")

    def settle(self, snapshots: list[Snapshot]) -> bool:
        """Without an end that was kept, the last moment of the last page is what the record speaks of.

        Its files, among ``snapshots`` too, get the names of such. False where there is none.
        """
        page = self.pages[-1] if self.pages else None
        if page is None:
            return False
        if self.last is None or not self.last.is_something:
            had = [each for each in page.moments if each.is_something]
            if not had:
                return False
            self.last = had[-1]
            self._call(self.last.files, self.last.prefix, snapshots)
        body = self._bodies.get(page.document)
        for each in (each for every in self.pages for each in every.moments):
            if body in each.files:
                self._call([body], each.prefix, snapshots, among=each.files)
        return True

    async def compose(self, kit: Kit, *, within: float) -> None:
        """Of each very tall page one picture of its tiles: what the record speaks of first. Raises DiskError."""
        until = time.monotonic() + within
        every = [moment for page in self.pages for moment in page.moments]
        for moment in sorted(every, key=lambda each: (each is not self.last, each not in self.shots)):
            tiles = [each for each in kit.seen.snapshots if each.role is Role.SCREENSHOT and each.name in moment.files]
            prefix = "" if moment is self.last else moment.prefix
            made = await Whole(kit).of(tiles, within=until - time.monotonic(), prefix=prefix)
            if made is not None:
                moment.files.append(made.name)

    def addresses(self) -> Mapping[str, str]:
        """Of each file, where its page was shown; without what is withheld."""
        return {
            name: self._withholding.address(each.url, each.at)
            for page in self.pages
            for each in page.moments
            for name in each.files
        }

    def to_json(self) -> dict[str, Json]:
        said: dict[str, Json] = {
            "pages": [each.to_json(self._withholding.address(each.url, each.at)) for each in self.pages]
        }
        if self.more_pages:
            said["pages_total"] = len(self.pages) + self.more_pages
        return said

    def _call(
        self, files: Sequence[str], prefix: str, snapshots: list[Snapshot], *, among: list[str] | None = None
    ) -> None:
        names = among if among is not None else (self.last.files if self.last else [])
        for old in [*files]:
            if not prefix or not old.startswith(prefix):
                continue
            renamed = self._rename(old, old.removeprefix(prefix))
            names[names.index(old)] = renamed.name
            for n, each in enumerate(snapshots):
                if each.name == old:
                    snapshots[n] = renamed

    async def _take(self, kit: Kit, prefix: str) -> Moment:
        """In the order in which one could disturb the next. What could not be had is said."""
        seen, page = kit.seen, self.pages[-1]
        moment = self._now = Moment(at=kit.order.clock(), url=page.url, prefix=prefix)
        page.moments.append(moment)
        before = [*seen.missing]
        seen.missing.clear()
        try:
            await self._viewport(kit)
            await self._read(kit, moment)
            await self._body(kit, page)
            await self._whole_page(kit)
        finally:
            moment.lacks = [*seen.missing]
            seen.missing[:] = before
            self._now = None
        return moment

    async def _whole_page(self, kit: Kit) -> None:
        if self._is_in_clear():
            kit.seen.lacks(Role.SCREENSHOT, IN_CLEAR)
        else:
            await kit.camera.whole_page(within=lambda: WITHIN_S)

    async def _viewport(self, kit: Kit) -> None:
        if self._is_in_clear():
            kit.seen.lacks(Role.VIEWPORT, IN_CLEAR)
            return
        try:
            kit.keep(Role.VIEWPORT, "viewport.png", "image/png", await kit.camera.viewport(within=WITHIN_S))
        except (Slow, Refused) as error:
            kit.seen.lacks(Role.VIEWPORT, str(error))

    async def _read(self, kit: Kit, moment: Moment) -> None:
        try:
            words = await kit.world.read(within=WITHIN_S)
        except (Slow, Refused) as error:
            kit.seen.lacks(Role.TEXT, str(error))
            kit.seen.lacks(Role.DOM, str(error))
            return
        moment.title, moment.text = words.title, words.text
        try:
            moment.dom = await kit.world.markup(within=WITHIN_S)
            kit.keep_text(Role.DOM, "dom.html", "text/html", moment.dom)
        except (Slow, Refused) as error:
            kit.seen.lacks(Role.DOM, str(error))
        try:
            moment.frames = tuple(await Frames(kit).read(within=WITHIN_S))
        except Slow as error:
            kit.seen.note("frames_unread", kit.order.clock(), why=str(error))
        for n, frame in enumerate(moment.frames, start=1):
            kit.keep_text(Role.DOM, f"frame-{n}-dom.html", "text/html", frame.dom)
        said = [
            words.text,
            *(f"--- frame {n}: {each.url} ---\n{each.text}" for n, each in enumerate(moment.frames, start=1)),
        ]
        kit.keep_text(Role.TEXT, "text.txt", "text/plain; charset=utf-8", "\n\n".join(said))
        if words.cut_from is not None:
            kit.seen.lacks(Role.TEXT, f"of {words.cut_from} characters the first {len(words.text)} are kept")

    async def _body(self, kit: Kit, page: Page) -> None:
        """Once a document: it does not become another."""
        main = kit.trail.main_exchange()
        if page.document in self._bodies or self._now is None:
            return
        if main is None:
            kit.seen.lacks(Role.BODY, "the browser reported no answer")
            return
        had = len(self._now.files)
        try:
            await keep_body(kit, main, charset="", within=WITHIN_S)
        except Slow as error:
            kit.seen.lacks(Role.BODY, str(error))
        if len(self._now.files) > had:
            self._bodies[page.document] = self._now.files[-1]


def without_secrets(markup: str) -> str:
    """Rendered markup without the ``value`` of fields that are typed into, or hidden: some pages write it there.

    Of all such fields: one for a password may have been turned into another since.
    """
    return _INPUT.sub(lambda found: found[0] if _PRESSED.search(found[0]) else _VALUE.sub(r'\1""', found[0]), markup)
