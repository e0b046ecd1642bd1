"""Link chains from DevTools events: who made the page leave, from where, with which status."""

from datetime import UTC, datetime
from typing import Any

from crawlers.hops import MAX_HOPS, Trail
from custody.model import HopKind

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def trail(clock: Clock | None = None) -> Trail:
    return Trail("main", lambda: AT, clock or Clock())


def request(
    request_id: str, url: str, *, frame: str = "main", redirect: dict[str, Any] | None = None
) -> dict[str, Any]:
    event: dict[str, Any] = {"requestId": request_id, "type": "Document", "frameId": frame, "request": {"url": url}}
    if redirect is not None:
        event["redirectResponse"] = redirect
    return event


def answer(url: str, status: int = 200) -> dict[str, Any]:
    return {"url": url, "status": status, "headers": {"x": "decoded"}, "mimeType": "text/html"}


def response(request_id: str, url: str, status: int = 200, *, extra: bool = False) -> dict[str, Any]:
    return {"requestId": request_id, "type": "Document", "response": answer(url, status), "hasExtraInfo": extra}


def leaves(made: Trail, reason: str, url: str) -> None:
    made.on_requested({"frameId": "main", "reason": reason, "url": url, "disposition": "currentTab"})


def shows(request_id: str, url: str, *, error: bool = False) -> dict[str, Any]:
    frame = {"id": "main", "loaderId": request_id, "url": "chrome-error://chromewebdata/" if error else url}
    return {"frame": frame | ({"unreachableUrl": url} if error else {})}


def test_each_redirect_is_a_hop_with_the_status_of_the_page_that_was_left() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_request(request("1", "https://b.example/", redirect=answer("https://a.example/", 302)))
    made.on_request(request("1", "https://c.example/", redirect=answer("https://b.example/", 301)))
    made.on_response(response("1", "https://c.example/"))
    assert [(hop.n, hop.kind, hop.status, hop.to_url) for hop in made.hops] == [
        (1, HopKind.HTTP, 302, "https://b.example/"),
        (2, HopKind.HTTP, 301, "https://c.example/"),
    ]


def test_refresh_script_and_click_are_told_apart() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_response(response("1", "https://a.example/"))
    for number, reason in enumerate(("metaTagRefresh", "httpHeaderRefresh", "scriptInitiated", "anchorClick"), start=2):
        leaves(made, reason, f"https://{number}.example/")
        made.on_request(request(str(number), f"https://{number}.example/"))
        made.on_response(response(str(number), f"https://{number}.example/"))
    made.clicked = True
    leaves(made, "anchorClick", "https://end.example/")
    made.on_request(request("9", "https://end.example/"))
    kinds = [hop.kind for hop in made.hops]
    assert kinds == [HopKind.REFRESH, HopKind.REFRESH, HopKind.SCRIPT, HopKind.SCRIPT, HopKind.CLICK]
    assert [hop.status for hop in made.hops] == [200] * 5


def test_frames_and_fetches_make_no_hop() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_request(request("2", "https://ad.example/", frame="inner"))
    made.on_request({"requestId": "3", "type": "XHR", "frameId": "main", "request": {"url": "https://a.example/api"}})
    made.on_scheduled({"frameId": "inner", "reason": "metaTagRefresh", "url": "https://ad.example/2", "delay": 0})
    assert made.hops == []
    assert made.pending is None
    assert made.current_url == "https://a.example/"


def test_a_new_address_of_the_same_document_is_no_hop() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_navigated(shows("1", "https://a.example/"))
    made.on_within({"frameId": "main", "url": "https://a.example/#/post/1"})
    assert made.hops == []
    assert made.current_url == "https://a.example/#/post/1"


def test_an_announced_refresh_is_pending_until_it_is_cleared() -> None:
    clock = Clock()
    clock.seconds = 10.0
    made = trail(clock)
    made.on_scheduled({"frameId": "main", "reason": "metaTagRefresh", "url": "https://b.example/", "delay": 5})
    assert made.pending is not None
    assert made.pending.due == 15.0
    made.on_cleared({"frameId": "main"})
    assert made.pending is None


def test_hops_end_at_the_limit() -> None:
    made = trail()
    made.on_request(request("0", "https://0.example/"))
    for number in range(1, MAX_HOPS + 5):
        leaves(made, "scriptInitiated", f"https://{number}.example/")
        made.on_request(request(str(number), f"https://{number}.example/"))
    assert len(made.hops) == MAX_HOPS
    assert made.over_limit


def test_headers_as_they_came_go_to_their_own_answer() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_extra(
        {"requestId": "1", "headers": {"Location": "/b", "Set-Cookie": "a=1\nb=2"}, "headersText": "HTTP/1.1"}
    )
    made.on_request(
        request("1", "https://a.example/b", redirect=answer("https://a.example/", 302)) | {"redirectHasExtraInfo": True}
    )
    made.on_response(response("1", "https://a.example/b", extra=True))
    made.on_extra({"requestId": "1", "headers": {"Content-Type": "text/html"}})
    made.settle_headers()
    first, second = made.exchanges
    assert first.to_json()["headers"] == [["Location", "/b"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]
    assert first.header_text == "HTTP/1.1"
    assert second.to_json()["headers"] == [["Content-Type", "text/html"]]


def test_an_answer_without_raw_headers_does_not_take_its_neighbours() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_request(request("1", "https://a.example/b", redirect=answer("https://a.example/", 307)))
    made.on_response(response("1", "https://a.example/b", extra=True))
    made.on_extra({"requestId": "1", "headers": {"Content-Type": "text/html"}})
    made.settle_headers()
    internal, real = made.exchanges
    assert internal.to_json()["headers"] == [["x", "decoded"]]
    assert real.to_json()["headers"] == [["Content-Type", "text/html"]]
