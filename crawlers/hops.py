"""Link chains: what DevTools says of the main frame, kept in order, and the hops that follow from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from custody.model import Hop, HopKind, Json

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
MAX_HOPS = 20
"""As Chromium's own limit for HTTP redirects; ours counts every kind."""


@dataclass(kw_only=True, slots=True)
class Exchange:
    """One answer to a request for the main document."""

    request_id: str
    url: str
    status: int
    status_text: str
    protocol: str
    mime_type: str
    headers: Mapping[str, str]
    request_headers: Mapping[str, str]
    security_state: str
    """The browser's own word on the connection: ``secure``, ``insecure``, ``neutral``, ``unknown``."""
    security: Mapping[str, Any] | None
    """``Network.SecurityDetails``; None over plain HTTP."""
    expects_extra: bool
    at: datetime
    header_text: str | None = None
    """The header block as it came (HTTP/1.1 only)."""

    def to_json(self) -> dict[str, Json]:
        return {
            "url": self.url,
            "status": self.status,
            "status_text": self.status_text,
            "protocol": self.protocol,
            "headers": [[name, line] for name, value in self.headers.items() for line in value.split("\n")],
            "header_text": self.header_text,
            "request_headers": [[name, value] for name, value in self.request_headers.items()],
        }


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
    pending: Pending | None = None
    clicked: bool = False
    """Set by whoever clicks: the next departure is ours."""
    current_request: str | None = None
    current_url: str | None = None
    finished: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    navigations: int = 0
    """Main-document requests begun, redirects not counted: it grows when the page leaves."""
    committed: int = 0
    last_status: int | None = None
    loaded: bool = False
    content_loaded_at: datetime | None = None
    first_response_at: datetime | None = None
    in_flight: set[str] = field(default_factory=set)
    quiet_since: float = 0.0
    _reason: HopKind | None = None
    _extra: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _sent_extra: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def over_limit(self) -> bool:
        return len(self.hops) >= MAX_HOPS

    def on_request(self, event: Mapping[str, Any]) -> None:
        """``Network.requestWillBeSent``."""
        self.in_flight.add(event["requestId"])
        if event.get("type") != "Document" or event.get("frameId") != self.main_frame:
            return
        url = event["request"]["url"] + event["request"].get("urlFragment", "")
        redirect = event.get("redirectResponse")
        if redirect is not None:
            self._keep(event["requestId"], redirect, expects_extra=bool(event.get("redirectHasExtraInfo")))
            self._hop(self.exchanges[-1].url, url, HopKind.HTTP)
        else:
            if self.navigations > 0 and self.current_url is not None:
                kind = HopKind.CLICK if self.clicked else self._reason or HopKind.SCRIPT
                self._hop(self.current_url, url, kind)
            self.clicked = False
            self._reason = None
            self.navigations += 1
            self.loaded = False
            self.last_status = None
        self.pending = None
        self.current_request = event["requestId"]
        self.current_url = url

    def on_response(self, event: Mapping[str, Any]) -> None:
        """``Network.responseReceived``."""
        if event["requestId"] != self.current_request or event.get("type") != "Document":
            return
        self._keep(event["requestId"], event["response"], expects_extra=bool(event.get("hasExtraInfo")))

    def on_extra(self, event: Mapping[str, Any]) -> None:
        """``Network.responseReceivedExtraInfo``: the headers as they came; one for each answer, in order."""
        self._extra.setdefault(event["requestId"], []).append(event)

    def on_sent_extra(self, event: Mapping[str, Any]) -> None:
        """``Network.requestWillBeSentExtraInfo``: the headers as they went."""
        self._sent_extra.setdefault(event["requestId"], []).append(event)

    def on_finished(self, event: Mapping[str, Any]) -> None:
        self.finished.add(event["requestId"])
        self._quieter(event["requestId"])

    def on_failed(self, event: Mapping[str, Any]) -> None:
        self.failed[event["requestId"]] = str(event.get("errorText", ""))
        self._quieter(event["requestId"])

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
        if frame["id"] == self.main_frame:
            self.committed += 1
            if not frame.get("unreachableUrl") and not frame["url"].startswith("about:"):
                self.current_url = frame["url"] + frame.get("urlFragment", "")

    def on_within(self, event: Mapping[str, Any]) -> None:
        """``Page.navigatedWithinDocument``: same document, new address; no hop."""
        if event.get("frameId") == self.main_frame:
            self.current_url = event["url"]

    def on_load(self, _event: Mapping[str, Any]) -> None:
        self.loaded = True
        self.quiet_since = self.monotonic()

    def on_content_loaded(self, _event: Mapping[str, Any]) -> None:
        self.content_loaded_at = self.clock()

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
        """The answer that became the page shown last."""
        return next((each for each in reversed(self.exchanges) if each.request_id == self.current_request), None)

    def _keep(self, request_id: str, response: Mapping[str, Any], *, expects_extra: bool) -> None:
        self.first_response_at = self.first_response_at or self.clock()
        self.last_status = int(response["status"])
        self.exchanges.append(
            Exchange(
                request_id=request_id,
                url=response["url"],
                status=int(response["status"]),
                status_text=response.get("statusText", ""),
                protocol=response.get("protocol", ""),
                mime_type=response.get("mimeType", ""),
                headers=response.get("headers", {}),
                request_headers=response.get("requestHeaders", {}),
                security_state=response.get("securityState", "unknown"),
                security=response.get("securityDetails"),
                expects_extra=expects_extra,
                at=self.clock(),
            )
        )

    def _hop(self, from_url: str, to_url: str, kind: HopKind) -> None:
        if self.over_limit:
            return  # the visit ends here with reason "redirect loop"; the limit itself is in that reason
        hop = Hop(
            n=len(self.hops) + 1,
            from_url=from_url,
            to_url=to_url,
            kind=kind,
            status=self.last_status,
            at=self.clock(),
        )
        self.hops.append(hop)

    def _quieter(self, request_id: str) -> None:
        self.in_flight.discard(request_id)
        self.quiet_since = self.monotonic()


EVENTS: Mapping[str, str] = {
    "Network.requestWillBeSent": "on_request",
    "Network.responseReceived": "on_response",
    "Network.responseReceivedExtraInfo": "on_extra",
    "Network.requestWillBeSentExtraInfo": "on_sent_extra",
    "Network.loadingFinished": "on_finished",
    "Network.loadingFailed": "on_failed",
    "Page.frameScheduledNavigation": "on_scheduled",
    "Page.frameClearedScheduledNavigation": "on_cleared",
    "Page.frameRequestedNavigation": "on_requested",
    "Page.frameNavigated": "on_navigated",
    "Page.navigatedWithinDocument": "on_within",
    "Page.loadEventFired": "on_load",
    "Page.domContentEventFired": "on_content_loaded",
}
"""DevTools event -> the method that takes it."""
