"""Link chains: what DevTools says of the main frame, kept in order, and the hops that follow from it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crawlers.exchange import Exchange
from custody.model import Hop, HopKind

# Chrome DevTools Protocol, Page.ClientNavigationReason: who made the page leave.
_KIND_OF_REASON = {
    "metaTagRefresh": HopKind.REFRESH,
    "httpHeaderRefresh": HopKind.REFRESH,
    "reload": HopKind.REFRESH,
    "scriptInitiated": HopKind.SCRIPT,
    "anchorClick": HopKind.SCRIPT,  # a click that we did not make was made by a script
    "formSubmissionGet": HopKind.SCRIPT,
    "formSubmissionPost": HopKind.SCRIPT,
}
_SITES = ("http:", "https:", "blob:http")
_PAGES = ("http:", "https:")
ABORTED = "net::ERR_ABORTED"
"""Chromium's word for a request that was ended because nothing is to be shown: a file, HTTP 204, a newer navigation."""
TOO_MANY = "net::ERR_TOO_MANY_REDIRECTS"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # RFC 3986 §3.1
MAX_HOPS = 20
"""As Chromium's own limit for HTTP redirects; ours counts every kind."""


@dataclass(kw_only=True, slots=True)
class Pending:
    """A navigation that the page announced."""

    url: str
    kind: HopKind
    due: float
    """Seconds on the caller's monotonic clock."""


@dataclass(slots=True)
class Trail:
    """What the main frame of one visit did. Feed it DevTools events; it asks for nothing and waits for nothing."""

    main_frame: str
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    exchanges: list[Exchange] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)
    limit: int = MAX_HOPS
    more: int = 0
    """Hops after ``limit``; they are not in the list."""
    unasked: HopKind = HopKind.SCRIPT
    """What a departure is that the browser says no page asked for."""
    pending: Pending | None = None
    clicked: bool = False
    """Set by whoever clicks: the next departure is ours."""
    navigations: int = 0
    """Main-document requests begun, redirects not counted: it grows when the page leaves."""
    current_request: str | None = None
    current_url: str | None = None
    """Where it is, or is going."""
    shown_url: str | None = None
    """The address of the site's page that is shown; None while there is none, as under the browser's own error page."""
    shown_request: str | None = None
    elsewhere: str | None = None
    """What is shown in place of a site's page: ``about:blank``, ``data:…``."""
    loaded_at: float | None = None
    """When the document that is shown had loaded; None until then, and while the next one is on its way."""
    opened: str | None = None
    """The address of the last new window that the page asked for."""
    finished: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    parsed_at: float | None = None
    """When the document that is shown had come whole, with or without its pictures."""
    content_loaded_at: datetime | None = None
    first_response_at: datetime | None = None
    in_flight: dict[str, str] = field(default_factory=dict)
    """Request -> the document that it belongs to."""
    quiet_since: float = 0.0
    active_at: float = 0.0
    """When anything was last asked for or received."""
    _shown_loaded_at: float | None = None
    _last_status: int | None = None
    _reason: HopKind | None = None
    _extra: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _sent_extra: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def over_limit(self) -> bool:
        return self.more > 0

    @property
    def broken(self) -> str | None:
        """Chromium's word for why the page that was gone to did not come, or broke off."""
        error = self.failed.get(self.current_request or "")
        return None if error == ABORTED else error

    @property
    def is_ending(self) -> bool:
        """The answer is a file or nothing at all: the request for it was ended, and no page was ever shown."""
        return self.shown_url is None and self.failed.get(self.current_request or "") == ABORTED

    @property
    def nowhere(self) -> Exchange | None:
        """The redirect to an address that no page has, such as ``data:``, where one ended the chain."""
        if self.shown_url is not None or not self.hops or self.hops[-1].kind is not HopKind.HTTP or not self.exchanges:
            return None
        last = self.exchanges[-1]
        return last if last.is_redirect and not self.hops[-1].to_url.lower().startswith(_PAGES) else None

    @property
    def is_leaving(self) -> bool:
        """Another page has been asked for, and has not come yet."""
        return self.shown_url is not None and self.current_request != self.shown_request

    def on_request(self, event: Mapping[str, Any]) -> None:
        """``Network.requestWillBeSent``."""
        self.in_flight[event["requestId"]] = event.get("loaderId", "")
        self.active_at = self.monotonic()
        if event.get("type") != "Document" or event.get("frameId") != self.main_frame:
            return
        url = event["request"]["url"] + event["request"].get("urlFragment", "")
        redirect = event.get("redirectResponse")
        if redirect is not None:
            self._keep(event["requestId"], redirect, extra=bool(event.get("redirectHasExtraInfo")), is_redirect=True)
            self._hop(self.exchanges[-1].url, url, HopKind.HTTP)
        else:
            if self.navigations > 0 and self.current_url is not None:
                kind = HopKind.CLICK if self.clicked else self._reason or self.unasked
                self._hop(self.current_url, url, kind)
            self.clicked = False
            self._reason = None
            self.navigations += 1
            self.loaded_at = None
            self._last_status = None
        self.pending = None
        self.current_request = event["requestId"]
        self.current_url = url

    def on_response(self, event: Mapping[str, Any]) -> None:
        """``Network.responseReceived``."""
        self.active_at = self.monotonic()
        if self.is_main(event):
            self._keep(event["requestId"], event["response"], extra=bool(event.get("hasExtraInfo")), is_redirect=False)

    def on_data(self, _event: Mapping[str, Any]) -> None:
        """``Network.dataReceived``."""
        self.active_at = self.monotonic()

    def is_main(self, event: Mapping[str, Any]) -> bool:
        """Whether a response is that of the main document that is on its way."""
        return event["requestId"] == self.current_request and event.get("type") == "Document"

    def on_extra(self, event: Mapping[str, Any]) -> None:
        """``Network.responseReceivedExtraInfo``: the headers as they came; one for each answer, in order."""
        self._extra.setdefault(event["requestId"], []).append(event)
        if event["requestId"] in self.failed:
            self._turned_away(event["requestId"])

    def on_sent_extra(self, event: Mapping[str, Any]) -> None:
        """``Network.requestWillBeSentExtraInfo``: the headers as they went."""
        self._sent_extra.setdefault(event["requestId"], []).append(event)

    def on_finished(self, event: Mapping[str, Any]) -> None:
        self.finished.add(event["requestId"])
        self._quieter(event["requestId"])

    def on_failed(self, event: Mapping[str, Any]) -> None:
        request_id, error = event["requestId"], str(event.get("errorText", ""))
        self.failed.setdefault(request_id, error)
        self._turned_away(request_id)
        self._quieter(request_id)
        if request_id == self.current_request and error == ABORTED and self.shown_url is not None:
            self._stay()

    def on_scheduled(self, event: Mapping[str, Any]) -> None:
        """``Page.frameScheduledNavigation``: it will leave after ``delay`` seconds."""
        if event.get("frameId") == self.main_frame:
            kind = _KIND_OF_REASON.get(event["reason"], HopKind.SCRIPT)
            self.pending = Pending(url=event["url"], kind=kind, due=self.monotonic() + float(event["delay"]))

    def on_cleared(self, event: Mapping[str, Any]) -> None:
        if event.get("frameId") == self.main_frame:
            self.pending = None

    def on_requested(self, event: Mapping[str, Any]) -> None:
        """``Page.frameRequestedNavigation``: it leaves now."""
        if event.get("frameId") == self.main_frame and event.get("disposition", "currentTab") == "currentTab":
            self._reason = _KIND_OF_REASON.get(event["reason"], HopKind.SCRIPT)

    def on_navigated(self, event: Mapping[str, Any]) -> None:
        """``Page.frameNavigated``: a new document is shown."""
        frame = event["frame"]
        if frame["id"] != self.main_frame:
            return
        url = frame["url"] + frame.get("urlFragment", "")
        self.shown_url = self.elsewhere = None
        self.loaded_at = self._shown_loaded_at = self.parsed_at = None
        self.in_flight = {each: loader for each, loader in self.in_flight.items() if loader == frame.get("loaderId")}
        if frame.get("unreachableUrl"):
            return
        if url.startswith(_SITES):
            self.shown_url = self.current_url = url
            loader = frame.get("loaderId")  # equal to the request's id in a navigation
            known = any(each.request_id == loader for each in self.exchanges)
            self.shown_request = loader if known else self.current_request
        else:
            self.elsewhere = url

    def on_within(self, event: Mapping[str, Any]) -> None:
        """``Page.navigatedWithinDocument``: same document, new address; no hop."""
        if event.get("frameId") == self.main_frame and self.shown_url is not None:
            if self.current_url == self.shown_url:
                self.current_url = event["url"]
            self.shown_url = event["url"]

    def on_load(self, _event: Mapping[str, Any]) -> None:
        self.quiet_since = self._shown_loaded_at = self.monotonic()
        if self.current_request == self.shown_request or self.shown_url is None:
            self.loaded_at = self._shown_loaded_at

    def on_stopped(self, event: Mapping[str, Any]) -> None:
        """``Page.frameStoppedLoading``: a page that was about to leave, and stayed, has no load event any more."""
        stays = self.shown_url is not None and not self.is_leaving
        if event.get("frameId") == self.main_frame and stays and self.loaded_at is None:
            self.on_load(event)

    def on_content_loaded(self, _event: Mapping[str, Any]) -> None:
        self.content_loaded_at = self.clock()
        self.parsed_at = self.monotonic()

    def on_window(self, event: Mapping[str, Any]) -> None:
        """``Page.windowOpen``: before anything is asked of that address."""
        self.opened = event["url"]

    def settle_headers(self) -> None:
        """Put the headers as they came beside each exchange; call once, when nothing more is expected."""
        for request_id in {exchange.request_id for exchange in self.exchanges}:
            extras = iter(self._extra.get(request_id, ()))
            sent = iter(self._sent_extra.get(request_id, ()))
            for exchange in (each for each in self.exchanges if each.request_id == request_id):
                asked = next(sent, None)
                if asked is not None:
                    exchange.request_headers = asked["headers"]
                extra = next(extras, None) if exchange.expects_extra else None
                if extra is not None:
                    exchange.headers = extra["headers"]
                    exchange.header_text = extra.get("headersText")

    def main_exchange(self) -> Exchange | None:
        """The answer that is shown; where no page is, the one that showed none (a file, HTTP 204)."""
        wanted = self.shown_request if self.shown_url is not None else self.current_request
        answers = (each for each in reversed(self.exchanges) if each.request_id == wanted and not each.is_redirect)
        return next(answers, None)

    def _stay(self) -> None:
        """Where it went there was a file, nothing at all (HTTP 204) or another program: the page shown stays."""
        self.current_request, self.current_url = self.shown_request, self.shown_url
        self.loaded_at = self._shown_loaded_at
        main = self.main_exchange()
        self._last_status = main.status if main else None

    def _turned_away(self, request_id: str) -> None:
        """A redirect that the browser does not follow (to ``file:``, ``data:``) it tells in headers, and no more."""
        extras = self._extra.get(request_id, ())
        told = sum(each.request_id == request_id and each.expects_extra for each in self.exchanges)
        if request_id != self.current_request or self.current_url is None or len(extras) <= told:
            return
        extra = extras[told]
        status, headers = int(extra.get("statusCode", 0)), extra.get("headers", {})
        location = next((value for name, value in headers.items() if name.lower() == "location"), "")
        if not 300 <= status < 400 or not _SCHEME.match(location) or self.failed[request_id] == TOO_MANY:
            return  # RFC 9110 §15.4; whatever else it is, it is no redirect that was refused for its target
        response = {"url": self.current_url, "status": status, "headers": headers}
        self._keep(request_id, response, extra=True, is_redirect=True)
        self._hop(self.current_url, location, HopKind.HTTP)

    def _keep(self, request_id: str, response: Mapping[str, Any], *, extra: bool, is_redirect: bool) -> None:
        self.first_response_at = self.first_response_at or self.clock()
        self._last_status = int(response["status"])
        self.exchanges.append(
            Exchange.of(request_id, response, expects_extra=extra, is_redirect=is_redirect, at=self.clock())
        )

    def _hop(self, from_url: str, to_url: str, kind: HopKind) -> None:
        if len(self.hops) >= self.limit:
            self.more += 1
            return
        hop = Hop(
            n=len(self.hops) + 1,
            from_url=from_url,
            to_url=to_url,
            kind=kind,
            status=self._last_status,
            at=self.clock(),
        )
        self.hops.append(hop)

    def _quieter(self, request_id: str) -> None:
        self.in_flight.pop(request_id, None)
        self.quiet_since = self.active_at = self.monotonic()


EVENTS: Mapping[str, str] = {
    "Network.requestWillBeSent": "on_request",
    "Network.responseReceived": "on_response",
    "Network.dataReceived": "on_data",
    "Network.responseReceivedExtraInfo": "on_extra",
    "Network.requestWillBeSentExtraInfo": "on_sent_extra",
    "Network.loadingFinished": "on_finished",
    "Network.loadingFailed": "on_failed",
    "Page.frameScheduledNavigation": "on_scheduled",
    "Page.frameClearedScheduledNavigation": "on_cleared",
    "Page.frameRequestedNavigation": "on_requested",
    "Page.frameNavigated": "on_navigated",
    "Page.navigatedWithinDocument": "on_within",
    "Page.windowOpen": "on_window",
    "Page.loadEventFired": "on_load",
    "Page.frameStoppedLoading": "on_stopped",
    "Page.domContentEventFired": "on_content_loaded",
}
"""DevTools event -> the method that takes it."""
