"""What is said over web sockets, with a real Chromium: each message is in the WARC, or counted among what is not."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.recording.account import lack_of
from crawlers.recording.ledger import Ledger
from crawlers.recording.scratch import Scratch
from crawlers.recording.sockets import Talk, lines
from crawlers.recording.turn import Turn
from crawlers.recording.withholding import PASSWORD, Withholding
from custody.model import Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.crawlers.recording.reading import Read, checked, missing, read
from tests.crawlers.recording.scene import page
from tests.site.host import Answer, Ending, Host, Route, always
from tests.site.server import Site

HERE = "https://talk.example"
TEXTS = "<!doctype html><meta charset=utf-8><title>Talk</title><p>" + "Prices come while you look. " * 20
PRICES = ['{"price": 12}', "żółć 🙂", "x" * 70_000]
BINARY = b"\xff\x00\xfe"
TALK = TEXTS + """<script>
const socket = new WebSocket('wss://talk.example/prices');
socket.binaryType = 'arraybuffer';
let heard = 0;
socket.onopen = () => { socket.send('more, please'); socket.send(new Uint8Array([0, 255, 7])); };
socket.onmessage = () => { if (++heard === 6) { document.body.dataset.heard = 'yes'; socket.close(); } };
</script>"""  # fmt: skip
OPEN = TEXTS + "<script>new WebSocket('wss://talk.example/prices')</script>"
WORKERS = TEXTS + """<script>
new Worker('/dedicated.js'); new Worker('/outer.js'); new SharedWorker('/shared.js');
new Worker('/module.js', {type: 'module'}); navigator.serviceWorker.register('/service.js');
</script>"""  # fmt: skip
KINDS = ("dedicated", "nested", "shared", "module", "service")
FIRST = "new WebSocket('wss://' + location.host + '/prices?%s'); fetch('/data?%s');"
FLOOD = TEXTS + """<script>
const socket = new WebSocket('wss://talk.example/none');
socket.onopen = () => { for (let n = 0; n < 8000; n++) socket.send('again ' + n); };
</script>"""  # fmt: skip


def script(text: str) -> Route:
    return always(Answer(body=text.encode(), media_type="text/javascript"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    said = b"\n".join([*(each.encode() for each in PRICES), BINARY])
    made = Site()
    routes = {
        "/talk": always(page(TALK)),
        "/open": always(page(OPEN)),
        "/workers": always(page(WORKERS)),
        "/outer.js": script("new Worker('/nested.js')"),
        **{f"/{each}.js": script(FIRST % (each, each)) for each in KINDS},
        "/data": always(Answer(body=b"12", media_type="text/plain")),
        "/flood": always(page(FLOOD)),
        "/prices": always(Answer(status=101, body=said, ending=Ending.SOCKET)),
        "/none": always(Answer(status=101, ending=Ending.SOCKET)),
    }
    made.hosts["talk.example"] = Host(name="talk.example", routes=routes)
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


def records(looked: Looked) -> list[Read]:
    path = looked.kept("traffic.warc.gz").path
    assert checked(path) == 0
    return read(path)


def talk_in(found: list[Read]) -> tuple[Read, list[dict[str, Any]]]:
    (said,) = [each for each in found if each.url.startswith("wss://")]
    return said, [json.loads(line) for line in said.body.splitlines()]


@pytest.mark.browser
def test_every_message_is_in_the_file(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/talk")
    assert 'data-heard="yes"' in looked.seen.dom
    found = records(looked)
    said, told = talk_in(found)
    assert (said.kind, said.url) == ("resource", "wss://talk.example/prices")
    assert said.says("Content-Type") == 'application/jsonl; format="cdp"'
    assert (said.says("WARC-IP-Address"), said.says("WARC-Truncated")) == ("127.0.0.1", None)
    received = [(each["opcode"], each["payloadData"]) for each in told if each["type"] == "recv"]
    assert received[:4] == [*((1, each) for each in PRICES), (2, base64.b64encode(BINARY).decode())]
    sent = [(each["opcode"], each["payloadData"]) for each in told if each["type"] == "send"]
    assert sent[:2] == [(1, "more, please"), (2, base64.b64encode(b"\x00\xff\x07").decode())]
    assert sorted(received[4:6]) == sorted(sent[:2]), "they came back"
    (answer,) = [each for each in found if each.kind == "response" and each.status == 101]
    assert said.says("WARC-Concurrent-To") == answer.says("WARC-Record-ID")
    assert answer.url == f"{HERE}/prices"
    times = [each["ts"] for each in told]
    assert times == sorted(times)
    assert 0 <= times[0] < 20
    assert told[0]["at"] >= (answer.says("WARC-Date") or "")[:19]
    assert [each for each in missing(found) if each["kind"] == "WebSocket"] == []
    visit = looked.visit()
    assert visit.status is Status.COMPLETE
    traffic: Any = visit.circumstances["traffic"]
    assert traffic["socket_messages"] == len(told)


@pytest.mark.browser
def test_a_socket_that_is_open_still_is_cut_by_time_and_nothing_is_missing(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/open")
    found = records(looked)
    said, told = talk_in(found)
    assert (said.says("WARC-Truncated"), len(told)) == ("time", 4)
    assert (looked.visit().status, looked.missing()) == (Status.COMPLETE, {})


@pytest.mark.browser
def test_what_workers_of_every_kind_do_in_their_first_line_is_heard(eye: Looker) -> None:
    found = records(eye.look(f"{HERE}/workers"))
    fetched = [each.url for each in found if each.kind == "response" and "/data" in each.url]
    assert sorted(fetched) == sorted(f"{HERE}/data?{each}" for each in KINDS)
    said = {each.url: each.body.splitlines() for each in found if each.url.startswith("wss://")}
    assert set(said) == {f"wss://talk.example/prices?{each}" for each in KINDS}
    for told in said.values():
        assert [json.loads(each).get("payloadData") for each in told][:2] == PRICES[:2]


@pytest.mark.browser
def test_a_message_that_is_too_large_is_told_of_and_makes_it_partial(eye: Looker) -> None:
    eye.limit = 1 << 12
    try:
        looked = eye.look(f"{HERE}/open")
    finally:
        eye.limit = 64 << 20
    found = records(looked)
    _, told = talk_in(found)
    assert {"bytes": 70_000, "dropped": "too_large"}.items() <= told[2].items()
    assert "payloadData" not in told[2]
    assert told[3]["payloadData"] == base64.b64encode(BINARY).decode()
    (lack,) = [each for each in missing(found) if each["kind"] == "WebSocket"]
    assert (lack["reason"], lack["detail"]) == ("too_large", "1 of 4 messages are not kept")
    assert "1 websocket: too_large" in looked.missing()["warc"]


@pytest.mark.browser
@pytest.mark.slow
def test_a_flood_of_messages_costs_the_visit_its_time_and_no_more(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.recording.ledger.MAX_MESSAGES", 2_000)
    looked = eye.look(f"{HERE}/flood")
    found = records(looked)
    _, told = talk_in(found)
    assert len(told) == 2_000
    assert looked.seen.trouble in {None, "busy"}
    assert looked.took_s < 40
    (lack,) = [each for each in missing(found) if each["kind"] == "WebSocket"]
    assert lack["reason"] == "too_large"


# Without a browser: what it tells of, as DevTools words it.

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    made = Scratch(tmp_path / "bodies", each=100, total=250)
    yield made
    made.close()


def told_of(text: str, after_s: float = 0.0, opcode: int = 1) -> dict[str, Any]:
    return {
        "requestId": "7",
        "timestamp": 1000 + after_s,
        "response": {"opcode": opcode, "mask": False, "payloadData": text},
    }


def opened(scratch: Scratch) -> tuple[Ledger, Turn, Talk]:
    ledger = Ledger(scratch, lambda: AT)
    line: Any = "the page"
    for method, event in (
        ("webSocketCreated", {"url": "wss://talk.example/x?token=1"}),
        (
            "webSocketWillSendHandshakeRequest",
            {"wallTime": AT.timestamp(), "timestamp": 999.5, "request": {"headers": {}}},
        ),
        (
            "webSocketHandshakeResponseReceived",
            {"timestamp": 1000.0, "response": {"status": 101, "headers": {}}},
        ),
    ):
        ledger.on_socket(line, method, {"requestId": "7", **event}, withheld=False)
    turn = ledger.last("7")
    assert turn is not None
    assert turn.talk is not None
    return ledger, turn, turn.talk


def unannounced(line: str) -> list[tuple[str, dict[str, Any]]]:
    """What is told of a socket that was made before anybody listened, ``line`` being that of its request."""
    answer = {"status": 101, "headers": {}, "requestHeaders": {"Host": "talk.example"}, "requestHeadersText": line}
    opening = {"wallTime": AT.timestamp(), "timestamp": 999.5, "request": {"headers": {}}}
    return [
        ("webSocketWillSendHandshakeRequest", {"requestId": "7", **opening}),
        ("webSocketHandshakeResponseReceived", {"requestId": "7", "timestamp": 1000.0, "response": answer}),
        ("webSocketFrameReceived", told_of("late", 0.25)),
    ]


LINE = "GET wss://talk.example:8443/x?a=1 HTTP/1.1\r\nHost: talk.example:8443\r\n"


def test_a_socket_that_was_open_before_anybody_listened_is_told_by_its_answer(scratch: Scratch) -> None:
    ledger = Ledger(scratch, lambda: AT + timedelta(seconds=9))
    line: Any = "a worker"
    for method, event in unannounced(LINE):
        ledger.on_socket(line, method, event, withheld=False)
    (turn,) = ledger
    assert (turn.url, turn.at, turn.status) == ("https://talk.example:8443/x?a=1", AT, 101)
    assert turn.talk is not None
    assert [each.at for each in turn.talk.messages] == [AT + timedelta(seconds=0.75)]
    assert ledger.unopened == set()


@pytest.mark.parametrize("line", ["", "GET /x HTTP/1.1\r\n", "GET file:///x HTTP/1.1\r\n"])
def test_one_whose_address_is_not_told_is_counted(scratch: Scratch, line: str) -> None:
    ledger = Ledger(scratch, lambda: AT)
    worker: Any = "a worker"
    for method, event in unannounced(line):
        ledger.on_socket(worker, method, event, withheld=False)
    assert (list(ledger), ledger.unopened) == ([], {"7"})


def test_a_socket_beyond_the_limit_is_counted_once(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.recording.ledger.MAX_TURNS", 0)
    ledger = Ledger(scratch, lambda: AT)
    line: Any = "a worker"
    created = ("webSocketCreated", {"requestId": "7", "url": "wss://talk.example/x"})
    for method, event in (created, *unannounced(LINE)):
        ledger.on_socket(line, method, event, withheld=False)
    assert (ledger.more, ledger.unopened) == (1, set())


def test_times_are_the_browsers_own(scratch: Scratch) -> None:
    ledger, turn, talk = opened(scratch)
    ledger.on_socket(talk.teller, "webSocketFrameReceived", told_of("a", 0.25), withheld=True)  # type: ignore[arg-type]
    ledger.on_socket("another", "webSocketFrameReceived", told_of("a", 0.25), withheld=False)  # type: ignore[arg-type]
    (message,) = talk.messages
    assert (message.at, message.after_s) == (AT + timedelta(seconds=0.75), 0.25)
    assert lack_of(turn) is None, "what comes is not withheld"


def test_limits_are_those_of_a_body_for_all_messages_together(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.recording.ledger.MAX_MESSAGES", 4)
    ledger, turn, talk = opened(scratch)
    for text in ("x" * 60, "y" * 60, "z" * 40, "!", "?", "."):
        ledger.on_socket(talk.teller, "webSocketFrameReceived", told_of(text), withheld=False)  # type: ignore[arg-type]
    assert [each.dropped for each in talk.messages] == ["", "too_large", "", "too_large"]
    lack = lack_of(turn)
    assert lack is not None
    assert (lack.reason, lack.detail, lack.counts) == ("too_large", "4 of 6 messages are not kept", True)


def test_what_a_page_sends_after_a_secret_was_typed_is_not_there(scratch: Scratch) -> None:
    ledger, turn, talk = opened(scratch)
    line: Any = talk.teller
    ledger.on_socket(line, "webSocketFrameSent", told_of("harmless", 0), withheld=False)
    ledger.on_socket(line, "webSocketFrameSent", told_of("sesame", 3), withheld=False)
    ledger.on_socket(line, "webSocketFrameReceived", told_of("welcome", 4), withheld=True)
    ledger.on_socket(line, "webSocketFrameSent", told_of("sesame", 5), withheld=True)
    withholding = Withholding()
    withholding.begin(AT + timedelta(seconds=2), PASSWORD)
    section = withholding.apply([turn])
    assert section["withheld"] == {"socket-message": 2}
    assert turn.withheld == ("socket-message",)
    written = [json.loads(each) for each in lines(talk, scratch)]
    assert "sesame" not in str(written)
    assert [each.get("payloadData") for each in written] == ["harmless", None, "welcome", None]
    lack = lack_of(turn)
    assert lack is not None
    assert (lack.reason, lack.counts) == ("withheld", False)


@given(st.lists(st.tuples(st.text(), st.booleans()), max_size=8))
def test_any_text_comes_back_from_its_line(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, bool]]
) -> None:
    scratch = Scratch(tmp_path_factory.mktemp("any") / "bodies", each=1 << 20, total=1 << 20)
    talk = Talk("here")
    for text, sent in said:
        talk.take(told_of(text), AT, sent=sent, withheld=False, scratch=scratch)
    written = b"".join(lines(talk, scratch)).splitlines()
    found = [(each["payloadData"], each["type"] == "send") for each in map(json.loads, written)]
    assert found == [(text.encode("utf-8", "replace").decode(), sent) for text, sent in said]
    scratch.close()
