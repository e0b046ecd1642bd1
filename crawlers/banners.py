"""Consent banners: refused by autoconsent's rules where a person asked for it, after the page was kept as found."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from crawlers.autoconsent import bundle
from crawlers.kit import Kit
from crawlers.tab import Gone, Refused, Slow, Tab
from custody.instant import format_utc
from custody.model import Json

POLICIES = ("as-found", "reject")
"""Left as it is; or refused, where a rule knows how."""
AS_FOUND, REJECT = POLICIES

MAX_S = 15.0
"""For all of it: rules wait for a second pane to open, and some press a dozen switches."""
NONE_S = 2.5
"""A banner that has not come so long after the page came to rest is not waited for."""
OPENS_S = 5.0
"""The same where a consent program was recognised, and shows no banner."""
TEST_S = 2.5
"""For the rule's own test of what it did."""
STEP_S = 3.0
"""For one thing asked of the page meanwhile."""
EVAL_MS = 800
"""For one expression in the page's own world; the program waits a second for its value."""
SWEEP_S = 0.25
MAX_FRAMES = 20
MAX_CLICKS = 50
MAX_RULES = 20
"""Names of rules that are listed: a page that is known to more wants to be."""
MAX_MESSAGE = 100_000
"""Characters that the program may tell at once."""
_TICK_S = 0.05
_MAX_TEXT = 200
WORLD = "counterproof-consent"
BINDING = "counterproofTell"
"""Begins the name of the function by which the program talks to us; it is in our worlds and in none of the page's."""

DONE, FAILED, NONE_FOUND, UNCONFIRMED = "done", "failed", "none_found", "unconfirmed"


@dataclass(kw_only=True, slots=True)
class Handled:
    """What came of it, as the record says it."""

    began_at: datetime
    ended_at: datetime | None = None
    result: str = NONE_FOUND
    """``done`` (the rule says so), ``failed``, ``none_found``, or ``unconfirmed``: the page left before it was said."""
    recognised: list[str] = field(default_factory=list)
    """Consent programs that the page has, by the names of the rules that know them."""
    rule: str | None = None
    """The one that acted."""
    why: str = ""
    clicks: int = 0
    """Presses in the page, by the program's own count where it gave one."""
    tested: bool | None = None
    """What the rule's own test said afterwards; None where it has none, or did not answer."""
    evaluated: int = 0
    """Expressions of the program's that were run in the page's own world, where its scripts could answer them."""
    not_evaluated: int = 0
    unseen: int = 0
    """Frames that it could not be run in."""

    @property
    def acted(self) -> bool:
        return self.rule is not None

    def to_json(self) -> dict[str, Json]:
        return {
            "policy": REJECT,
            "program": bundle.NAME,
            "version": bundle.VERSION,
            "result": self.result,
            "recognised": self.recognised,
            "rule": self.rule,
            "why": self.why,
            "clicks": self.clicks,
            "self_test": self.tested,
            "evaluated_in_page": self.evaluated,
            "not_evaluated": self.not_evaluated,
            "frames_unseen": self.unseen,
            "began_at": format_utc(self.began_at),
            "ended_at": None if self.ended_at is None else format_utc(self.ended_at),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A world of ours in one document."""

    tab: Tab
    context: int
    first: bool
    """The first document of its process: there, expressions can be run in the page's own world."""


@dataclass(slots=True)
class Banners:
    """One attempt. The program runs in worlds of its own, and begins after all that is kept as found was taken."""

    kit: Kit
    handled: Handled = field(init=False)
    _told: list[tuple[Tab, int, dict[str, Any]]] = field(default_factory=list)
    _places: dict[tuple[int, int], _Place] = field(default_factory=dict)
    _tabs: list[Tab] = field(default_factory=list)
    _unseen: set[str] = field(default_factory=set)
    _acting: _Place | None = None
    _recognised: bool = False
    """In the document that is shown."""
    _has_test: bool = False
    _over: bool = False
    _since: float = 0.0
    _shown: str | None = None

    def __post_init__(self) -> None:
        self.handled = Handled(began_at=self.kit.order.clock())

    async def refuse(self, *, within: float) -> Handled:
        """Look for a banner, and refuse it. Raises Gone."""
        handled, begun = self.handled, time.monotonic()
        until, self._since, self._shown = begun + min(MAX_S, within), begun, self.kit.trail.shown_request
        try:
            await self._until_said(until)
            if handled.result == DONE and self._has_test:
                await self._until_tested(min(until, time.monotonic() + TEST_S))
        except (Slow, Refused) as error:
            handled.result, handled.why = FAILED, str(error)
        finally:
            self._over = True
            self.kit.trail.clicked = False
        await self._end()
        handled.unseen, handled.ended_at = len(self._unseen), self.kit.order.clock()
        return handled

    async def _until_said(self, until: float) -> None:
        swept = 0.0
        while not await self._hears():
            now = time.monotonic()
            if self._gives_up(now, until):
                return
            if now - swept >= SWEEP_S and not self.kit.trail.is_leaving:
                await self._sweep()
                swept = time.monotonic()
            await asyncio.sleep(_TICK_S)

    async def _until_tested(self, until: float) -> None:
        if self._acting is not None:
            await self._say(self._acting, {"type": "selfTest"})
        while self.handled.tested is None and time.monotonic() < until and self.kit.trail.shown_request == self._shown:
            await self._hears()
            await asyncio.sleep(_TICK_S)

    def _gives_up(self, now: float, until: float) -> bool:
        handled, trail = self.handled, self.kit.trail
        if self.kit.tab.lost:
            raise Gone("the page's process died")
        if trail.shown_request != self._shown:  # its own doing, or the rule's: look at what came
            self._shown, self._since = trail.shown_request, now
            self._acting, self._recognised = None, False
        if now >= until and handled.acted:
            handled.result, handled.why = FAILED, "the rule was not done in the time that it has"
            return True
        waits = OPENS_S if self._recognised else NONE_S
        if now < until and (self._acting is not None or trail.is_leaving or now - self._since < waits):
            return False
        if handled.acted:
            handled.result, handled.why = UNCONFIRMED, "the page left for another before the rule said how it had gone"
        else:
            handled.why = "a consent program is there, and showed no banner" if self._recognised else "no rule knew one"
        return True

    async def _hears(self) -> bool:
        """Whether all is said with what was told since the last time."""
        while self._told:
            tab, context, message = self._told.pop(0)
            place = self._places.get((id(tab), context))
            if place is not None and await self._take(place, message):
                return True
        return False

    async def _take(self, place: _Place, message: dict[str, Any]) -> bool:
        handled, kind, rule = self.handled, message.get("type"), str(message.get("cmp", ""))[:_MAX_TEXT]
        if kind == "cmpDetected":
            self._recognised = True
            if rule not in handled.recognised and len(handled.recognised) < MAX_RULES:
                handled.recognised.append(rule)
        elif kind == "popupFound" and self._acting is None:
            handled.rule, self._acting = rule, place
            self.kit.trail.clicked = True
            await self._say(place, {"type": "optOut"})
        elif kind == "clicked":
            handled.clicks += 1
            if handled.clicks <= MAX_CLICKS:
                facts = {each: str(message.get(each, ""))[:_MAX_TEXT] for each in ("tag", "id", "text")}
                self.kit.seen.note("consent_click", self.kit.order.clock(), **facts, rule=handled.rule)
        elif kind == "eval":
            await self._evaluate(place, message)
        elif kind == "selfTestResult":
            handled.tested = bool(message.get("result"))
        elif kind == "optOutResult":
            self._has_test = bool(message.get("scheduleSelfTest"))
            if not message.get("result"):
                handled.result, handled.why = FAILED, "the rule says that it could not refuse"
                return True
        elif kind == "autoconsentDone":
            handled.result, handled.why = DONE, "the rule says that it refused"
            handled.clicks = max(handled.clicks, int(message.get("totalClicks") or 0))
            return True
        return False

    async def _evaluate(self, place: _Place, message: Mapping[str, Any]) -> None:
        """Some rules ask the consent program itself, which lives in the page's own world."""
        result: Json = False
        if place.first:
            params = {"expression": str(message["code"]), "returnByValue": True, "timeout": EVAL_MS}
            try:
                answer = await place.tab.send("Runtime.evaluate", params, within=STEP_S)
                result = bool(answer["result"].get("value")) if "exceptionDetails" not in answer else False
            except Refused:  # the document is going
                result = False
            self.handled.evaluated += 1
        else:
            self.handled.not_evaluated += 1
        await self._say(place, {"type": "evalResp", "id": str(message["id"]), "result": result})

    async def _say(self, place: _Place, message: Mapping[str, Json]) -> None:
        expression = f"void globalThis.autoconsentReceiveMessage({json.dumps(message)})"
        with contextlib.suppress(Refused):  # its document has gone, and with it whoever asked
            await self._run(place, expression)

    async def _sweep(self) -> None:
        """Begin in every document that has come since the last time."""
        try:
            apart = await self.kit.tab.apart(MAX_FRAMES)
        except Refused:
            apart = []
        for tab in (self.kit.tab, *apart):
            try:
                await self._enter(tab)
            except (Gone, Slow, Refused):  # one frame among others, which may have gone
                if tab is self.kit.tab:
                    if self.kit.trail.is_leaving:
                        return
                    raise
                self._unseen.add(str(id(tab)))

    async def _enter(self, tab: Tab) -> None:
        if not any(each is tab for each in self._tabs):
            self._tabs.append(tab)
            tab.on("Runtime.bindingCalled", partial(self._on_told, tab))
        tree = (await tab.send("Page.getFrameTree", within=STEP_S))["frameTree"]
        for n, frame in enumerate(islice(_frames(tree), MAX_FRAMES)):
            if n > 0 and not frame["url"].startswith(("http:", "https:")):
                continue
            try:
                await self._begin(tab, frame["id"], first=n == 0)
            except Refused:
                if n == 0:
                    raise
                self._unseen.add(frame["id"])

    async def _begin(self, tab: Tab, frame: str, *, first: bool) -> None:
        params = {"frameId": frame, "worldName": WORLD}
        context = int((await tab.send("Page.createIsolatedWorld", params, within=STEP_S))["executionContextId"])
        if (id(tab), context) in self._places:
            return
        # A binding reaches the worlds that are there when it is added: each begun here gets one of its own.
        binding = f"{BINDING}{len(self._places)}"
        await tab.send("Runtime.addBinding", {"name": binding, "executionContextName": WORLD}, within=STEP_S)
        place = self._places[id(tab), context] = _Place(tab=tab, context=context, first=first)
        await self._run(place, bundle.script().replace("BINDING_NAME", binding, 1))

    async def _run(self, place: _Place, expression: str) -> None:
        params = {"expression": expression, "contextId": place.context, "timeout": STEP_S * 1000}
        answer = await place.tab.send("Runtime.evaluate", params, within=STEP_S)
        if "exceptionDetails" in answer:
            said = answer["exceptionDetails"].get("exception", {}).get("description", "no reason given")
            raise Refused(f"the consent program did not start: {said.splitlines()[0][:_MAX_TEXT]}")

    async def _end(self) -> None:
        """So that it presses nothing when nobody looks any more."""
        for place in self._places.values():
            with contextlib.suppress(Slow, Refused):  # gone, or kept busy by the page
                await self._run(place, "globalThis.counterproofEnded = true")

    def _on_told(self, tab: Tab, event: Mapping[str, Any]) -> None:
        if self._over or not event["name"].startswith(BINDING) or len(event["payload"]) > MAX_MESSAGE:
            return
        self._told.append((tab, int(event["executionContextId"]), json.loads(event["payload"])))


def _frames(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)
