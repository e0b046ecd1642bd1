"""Link chains from DevTools events: who made the page leave, from where, with which status."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.hops import ABORTED, MAX_HOPS, Trail
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


def failure(request_id: str, error: str = ABORTED) -> dict[str, Any]:
    return {"requestId": request_id, "errorText": error}


def at(url: str, *, request_id: str = "1", clock: Clock | None = None) -> Trail:
    """Where a page is shown and has loaded."""
    made = trail(clock)
    made.on_request(request(request_id, url))
    made.on_response(response(request_id, url))
    made.on_navigated(shows(request_id, url))
    made.on_load({})
    return made


def test_a_page_is_shown_once_it_is_committed() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    assert (made.shown_url, made.loaded_at) == (None, None)
    made.on_navigated(shows("1", "https://a.example/"))
    assert (made.shown_url, made.shown_request, made.loaded_at) == ("https://a.example/", "1", None)
    made.on_load({})
    assert made.loaded_at == 0.0


def test_the_next_page_is_on_its_way_until_it_is_shown() -> None:
    made = at("https://a.example/")
    leaves(made, "scriptInitiated", "https://b.example/")
    made.on_request(request("2", "https://b.example/"))
    assert [made.is_leaving] == [True]
    assert [made.loaded_at] == [None]
    made.on_load({})
    assert [made.loaded_at] == [None], "that was the page before"
    made.on_response(response("2", "https://b.example/", 404))
    assert made.main_exchange() is made.exchanges[0], "which is still the one that is shown"
    made.on_navigated(shows("2", "https://b.example/"))
    assert [made.is_leaving] == [False]
    main = made.main_exchange()
    assert main is not None
    assert main.status == 404


@pytest.mark.parametrize("status", [None, 204, 200])
def test_where_no_page_came_of_leaving_the_page_before_stays(status: int | None) -> None:
    made = at("https://a.example/")
    made.on_request(request("2", "https://a.example/file"))
    if status:
        made.on_response(response("2", "https://a.example/file", status))
    made.on_failed(failure("2"))
    assert [made.is_leaving] == [False]
    assert (made.current_url, made.loaded_at) == ("https://a.example/", 0.0)
    assert made.broken is None
    main = made.main_exchange()
    assert main is not None
    assert main.url == "https://a.example/"
    made.on_request(request("3", "https://c.example/"))
    assert made.hops[-1].from_url == "https://a.example/"
    assert made.hops[-1].status == 200


def test_a_page_that_stayed_before_it_had_loaded_counts_as_loaded_when_all_stops() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_navigated(shows("1", "https://a.example/"))
    made.on_stopped({"frameId": "inner"})
    assert [made.loaded_at] == [None]
    made.on_request(request("2", "https://a.example/file"))
    made.on_stopped({"frameId": "main"})
    assert [made.loaded_at] == [None], "it is leaving"
    made.on_failed(failure("2"))
    made.on_stopped({"frameId": "main"})
    assert made.loaded_at == 0.0


def test_a_file_in_place_of_a_page_is_an_end() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/file"))
    made.on_response(response("1", "https://a.example/file"))
    assert [made.is_ending] == [False]
    made.on_failed(failure("1"))
    assert made.is_ending
    assert made.broken is None
    main = made.main_exchange()
    assert main is not None
    assert main.status == 200


def test_an_error_page_of_the_browser_is_no_page_of_the_site() -> None:
    made = at("https://a.example/")
    made.on_request(request("2", "https://gone.example/"))
    made.on_failed(failure("2", "net::ERR_NAME_NOT_RESOLVED"))
    made.on_navigated(shows("2", "https://gone.example/", error=True))
    made.on_load({})
    assert made.shown_url is None
    assert made.elsewhere is None
    assert made.broken == "net::ERR_NAME_NOT_RESOLVED"
    assert made.main_exchange() is None
    assert made.hops[-1].to_url == "https://gone.example/"


def test_a_redirect_is_not_the_answer_that_is_shown() -> None:
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    made.on_request(request("1", "https://gone.example/", redirect=answer("https://a.example/", 302)))
    made.on_failed(failure("1", "net::ERR_CONNECTION_RESET"))
    assert made.main_exchange() is None
    assert [each.status for each in made.exchanges] == [302]


def test_a_blank_page_is_somewhere_else() -> None:
    made = at("https://a.example/")
    made.on_navigated(shows("2", "about:blank"))
    assert (made.shown_url, made.elsewhere) == (None, "about:blank")


def test_requests_of_the_page_before_are_not_waited_for() -> None:
    made = at("https://a.example/")
    made.on_request({"requestId": "x", "loaderId": "1", "type": "Image", "frameId": "main", "request": {"url": "i"}})
    assert "x" in made.in_flight
    made.on_request(request("2", "https://b.example/") | {"loaderId": "2"})
    made.on_navigated(shows("2", "https://b.example/"))
    assert list(made.in_flight) == ["2"]
    made.on_finished({"requestId": "2"})
    assert made.in_flight == {}


def test_what_comes_is_activity() -> None:
    clock = Clock()
    made = at("https://a.example/", clock=clock)
    for seconds, event in ((3.0, made.on_data), (4.0, made.on_finished)):
        clock.seconds = seconds
        event({"requestId": "1"})
        assert made.active_at == seconds
    assert made.quiet_since == 4.0


def test_the_limit_is_a_hop_that_was_not_made() -> None:
    made = trail()
    made.on_request(request("0", "https://0.example/"))
    for number in range(1, MAX_HOPS + 1):
        made.on_request(request(str(number), f"https://{number}.example/"))
    assert len(made.hops) == MAX_HOPS
    assert [made.over_limit] == [False], "a chain of just so many ends where it ends"
    made.on_request(request("x", "https://x.example/"))
    assert len(made.hops) == MAX_HOPS
    assert made.over_limit


def test_what_the_browser_says_to_our_egress_is_not_what_the_site_heard() -> None:
    made = trail()
    made.on_request(request("1", "http://a.example/"))
    made.on_sent_extra({"requestId": "1", "headers": {"Proxy-Authorization": "Basic c2VjcmV0", "Accept": "*/*"}})
    made.on_response(response("1", "http://a.example/"))
    made.settle_headers()
    assert made.exchanges[0].to_json()["request_headers"] == [["Accept", "*/*"]]


def test_a_new_window_is_known_by_its_address_before_anything_is_asked_of_it() -> None:
    made = at("https://a.example/")
    made.on_window({"url": "https://sho.example/x", "windowName": "_blank"})
    assert made.opened == "https://sho.example/x"
    assert made.hops == []


def turned_away(error: str, location: str, *, first: str) -> Trail:
    """A redirect that the browser did not follow, its headers told before or after its end."""
    made = trail()
    made.on_request(request("1", "https://a.example/"))
    extra: dict[str, Any] = {"requestId": "1", "statusCode": 302, "headers": {"location": location, "server": "x"}}
    failed: dict[str, Any] = {"requestId": "1", "errorText": error}
    if first == "headers":
        made.on_extra(extra)
        made.on_failed(failed)
    else:
        made.on_failed(failed)
        made.on_extra(extra)
    made.on_failed({"requestId": "1", "errorText": ABORTED})
    return made


@pytest.mark.parametrize("first", ["headers", "end"])
def test_a_redirect_that_the_browser_refuses_is_an_answer_and_a_hop(first: str) -> None:
    made = turned_away("net::ERR_UNSAFE_REDIRECT", "data:,x", first=first)
    made.settle_headers()
    assert [(hop.from_url, hop.to_url, hop.status) for hop in made.hops] == [("https://a.example/", "data:,x", 302)]
    assert made.nowhere is not None
    assert (made.nowhere.status, made.nowhere.headers["location"]) == (302, "data:,x")
    assert made.broken == "net::ERR_UNSAFE_REDIRECT"


@pytest.mark.parametrize(("error", "location"), [("net::ERR_TOO_MANY_REDIRECTS", "data:,x"), (ABORTED, "/further")])
def test_a_redirect_that_ended_for_another_reason_is_none(error: str, location: str) -> None:
    made = turned_away(error, location, first="headers")
    assert (made.hops, made.exchanges, made.nowhere) == ([], [], None)
