"""One look at one address: go there, come to rest, keep what is shown. Knows a tab, and no browser library."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crawlers import tls
from crawlers.arrival import Arrival
from crawlers.body import Body
from crawlers.camera import Camera
from crawlers.chains import Chains
from crawlers.downloads import Downloads
from crawlers.exchange import Exchange
from crawlers.hops import EVENTS, Trail
from crawlers.kit import Kit
from crawlers.recording.recorder import Companion
from crawlers.recording.traffic import Traffic
from crawlers.recording.turn import Headers
from crawlers.recording.withholding import HTTP_LOGIN, Withholding, harmless
from crawlers.sight import ALLOWANCE_S, Order, Seen
from crawlers.snapshots import Snapshots
from crawlers.tab import Tab
from crawlers.viewers import Viewers
from crawlers.world import World
from custody.model import Json, Role

MAX_TRIES = 3
"""A page that leaves just while it is kept is waited for again; after so many times what was had is kept."""
CHAINS_S = 5.0
_BUFFER_BYTES = 128 << 20
_MAX_MESSAGE = 500


class Look:
    """Never raises for what a page does; ``seen`` says what it was."""

    def __init__(
        self,
        tab: Tab,
        order: Order,
        seen: Seen,
        *,
        withholding: Withholding | None = None,
        companion: Companion | None = None,
    ) -> None:
        self._tab = tab
        self._order = order
        self._seen = seen
        self._kit: Kit | None = None
        self._withholding = withholding or Withholding()
        self._traffic: Traffic | None = None
        if order.desk is not None:
            self._traffic = Traffic(order.desk, order.clock, withholding=self._withholding, companion=companion)
        self._until = time.monotonic() + order.timeout_s + ALLOWANCE_S

    async def run(self) -> None:
        """To the last snapshot. Raises Gone when the browser dies on the way."""
        tab, order, seen = self._tab, self._order, self._seen
        self._kit = kit = await self._prepare()
        seen.settings.update(await kit.world.describe())
        seen.settings.update(await tab.facts())
        seen.times["requested_at"] = order.clock()
        order.progress("navigate", {})
        arrival, snapshots = Arrival(kit), Snapshots(kit)
        await arrival.go()
        for tried in range(1, MAX_TRIES + 1):
            seen.reached = kit.trail.shown_url is not None
            if not seen.reached or await snapshots.take(last=tried == MAX_TRIES):
                break
            await arrival.go_on()
        if seen.reached:
            await kit.downloads.refuse()

    async def _prepare(self) -> Kit:
        tab, order, seen = self._tab, self._order, self._seen
        if self._traffic is not None:
            await self._traffic.begin(tab)
        frame = (await tab.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        trail = self._trail(frame)
        # Whoever enables Network is told all of it, and the browser keeps each body for him: once is enough.
        network = tab if self._traffic is None or self._traffic.tab is None else self._traffic.tab
        for event, method in EVENTS.items():
            (network if event.startswith("Network.") else tab).on(event, getattr(trail, method))
        tab.on("Page.javascriptDialogOpening", self._on_dialog)
        kit = Kit(
            order=order,
            seen=seen,
            tab=tab,
            trail=trail,
            world=World(tab, frame),
            camera=Camera(tab, order, seen, lambda: trail.shown_request),
            body=Body(network, trail),
            chains=Chains(network, trail),
            downloads=Downloads(tab, order, seen),
            viewers=Viewers(tab, frame),
            until=self._until,
        )
        if order.screen is not None:  # Playwright's word for it counts for Playwright's own pictures alone
            await tab.send("Emulation.setDeviceMetricsOverride", order.screen)
        await tab.send("Page.enable")
        if network is tab:
            buffers = {"maxResourceBufferSize": _BUFFER_BYTES // 2, "maxTotalBufferSize": _BUFFER_BYTES}
            await tab.send("Network.enable", buffers)
            await tab.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await kit.viewers.stand()
        return kit

    def _trail(self, frame: str) -> Trail:
        return Trail(frame, self._order.clock, time.monotonic)

    def _on_dialog(self, event: Mapping[str, Any]) -> None:
        """The door to the browser dismisses it; a page that asks whether one wants to stay is left."""
        said = str(event["message"])[:_MAX_MESSAGE]
        self._seen.note("dialog_dismissed", self._order.clock(), dialog=str(event["type"]), message=said)

    def _chains_s(self) -> float:
        return min(CHAINS_S, max(1.0, self._until - time.monotonic()))

    async def close(self) -> None:
        """What can still be said without the browser: hops, headers, times, certificates."""
        kit, seen = self._kit, self._seen
        if kit is not None:
            await kit.body.drop()
            await kit.viewers.leave()
            await kit.chains.settle(within=0 if self._tab.lost else self._chains_s())
            trail = kit.trail
            trail.settle_headers()
            seen.hops = tuple(trail.hops)
            for each in trail.exchanges:
                if self._withholding.is_login(each.url, each.pairs("request_headers")):
                    self._withholding.begin(each.at, HTTP_LOGIN)
            seen.exchanges = tuple(
                replace(each, url=self._withholding.address(each.url, each.at)) for each in trail.exchanges
            )
            if seen.reached and seen.final_url is None:  # ended before its words were had
                seen.final_url = trail.shown_url
            main = seen.answer or trail.main_exchange() or trail.nowhere
            seen.http_status = main.status if main else None
            seen.media_type = main.mime_type if main else ""
            if trail.exchanges:
                listing = json.dumps([self._told(each) for each in trail.exchanges], ensure_ascii=False, indent=1)
                kit.keep_text(Role.HEADERS, "headers.json", "application/json", listing)
            if trail.first_response_at:
                seen.times["first_response_at"] = trail.first_response_at
            if trail.content_loaded_at:
                seen.times["dom_content_loaded_at"] = trail.content_loaded_at
            seen.certificates = kit.chains.judged(self._order.trust_spki)
            for certificate in seen.certificates:
                if certificate.chain_der:
                    name = f"tls-{re.sub('[^A-Za-z0-9.-]', '_', certificate.host)[:100]}.pem"
                    kit.keep(Role.TLS_CERT, name, "application/x-pem-file", tls.pem(certificate.chain_der))
        await self._end_traffic()
        seen.times["closed_at"] = self._order.clock()

    def _told(self, exchange: Exchange) -> Mapping[str, Json]:
        """For ``headers.json``; without what is withheld."""
        told = exchange.to_json()
        if not self._withholding.covers(exchange.at):
            return told
        kept = {name: _pairs(harmless(exchange.pairs(name))[0]) for name in ("headers", "request_headers")}
        url = self._withholding.address(exchange.url, exchange.at)
        return {**told, **kept, "url": url, "header_text": None, "withheld": True}

    async def _end_traffic(self) -> None:
        seen, kit = self._seen, self._kit
        if self._traffic is None:
            return
        recorded = await self._traffic.end(
            url=seen.final_url or self._order.url,
            browser=str(seen.settings.get("browser_version", "")),
            made=tuple(seen.snapshots),
            downloads=kit is not None and kit.downloads.begun,
            waits=not self._tab.lost,
            shown_at=self._shown_at(),
            drops=seen.unchanged,
        )
        seen.traffic = recorded.section
        seen.quarantine = recorded.quarantine
        if recorded.snapshot is not None:
            seen.snapshots.append(recorded.snapshot)
        if recorded.lacks:
            seen.lacks(Role.WARC, recorded.lacks)

    def _shown_at(self) -> Mapping[str, str]:
        """The address of each file that was made of another page than the last, by its name."""
        return {}


def _pairs(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers]
