"""The WARC writer against hostile words, and what it says of bodies that are not whole."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawlers.connection import Connection
from crawlers.recording.account import lack_of, section, words
from crawlers.recording.scratch import Kept, Scratch
from crawlers.recording.sockets import Talk
from crawlers.recording.traffic import address_of
from crawlers.recording.turn import Turn, as_came
from crawlers.recording.warc import WarcFile, information, request_head, response_head
from tests.crawlers.recording.reading import Read, checked, read

AT = datetime(2026, 3, 4, 5, 6, 7, 890123, UTC)
URL = "https://a.example/x?q=1"


def turn(**more: Any) -> Turn:
    made = Turn(request_id="1", url=more.pop("url", URL), method="GET", kind="Image", at=AT)
    for name, value in {"status": 200, "status_text": "OK", "finished": True, **more}.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "bodies", each=100, total=250)


def written(tmp_path: Path, scratch: Scratch, *turns: Turn) -> list[Read]:
    path = tmp_path / "traffic.warc.gz"
    with path.open("wb") as file:
        warc = WarcFile(file, scratch, address=lambda _: "192.0.2.1")
        warc.information(information("156", [("counterproof", "1")]), AT)
        for each in turns:
            warc.turn(each)
        warc.metadata([], {}, URL, AT)
    assert checked(path) == 0
    return read(path)


HOSTILE = "x\r\nWARC-Type: request\r\nSet-Cookie: evil=1\r\n\r\nbody\x00\x85\u2028\ud800"


def test_no_word_of_a_site_makes_a_header_line(tmp_path: Path, scratch: Scratch) -> None:
    made = turn(
        url="https://a.example/\r\nWARC-IP-Address: 198.51.100.1",
        kind=HOSTILE,
        status_text=HOSTILE,
        headers=(("X-Here", HOSTILE), ("Na\r\nme: evil", "y"), ("", "z"), (HOSTILE, HOSTILE)),
        request_headers=(("X-There", HOSTILE), (HOSTILE, HOSTILE)),
        protocol=HOSTILE,
        security={"protocol": HOSTILE, "cipher": HOSTILE},
    )
    made.method = HOSTILE
    records = written(tmp_path, scratch, made)
    assert [each.kind for each in records] == ["warcinfo", "response", "request", "metadata"]
    for each in records:
        names = [name.lower() for name, _ in each.fields]
        assert names.count("warc-type") == 1
        assert names.count("warc-ip-address") <= 1
        assert {name.lower() for name, _ in each.headers}.isdisjoint({"set-cookie", "warc-type"})
        assert each.says("WARC-IP-Address") in {None, "192.0.2.1"}


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.text(), st.text())
def test_a_head_has_as_many_lines_as_it_should(headers: list[tuple[str, str]], said: str, method: str) -> None:
    answer = turn(status_text=said, headers=tuple(headers))
    asked = turn(request_headers=tuple(headers))
    asked.method = method
    kept = [each for each in headers if not each[0].startswith(":")]
    named = any(name.lower() == "host" for name, _ in kept)
    for head, lines in ((response_head(answer), len(kept) + 2), (request_head(asked), len(kept) + 1 + (not named))):
        assert head.endswith(b"\r\n\r\n")
        assert len(head[:-4].split(b"\r\n")) == lines
        assert head.count(b"\n") == head.count(b"\r") == lines + 1


def test_codings_that_were_removed_are_remembered(tmp_path: Path, scratch: Scratch) -> None:
    made = turn(headers=(("Content-Encoding", "br"), ("Transfer-Encoding", "chunked"), ("Content-Length", "5")))
    scratch.add(made.body, b"decoded bytes")
    made.whole = True
    response = written(tmp_path, scratch, made)[1]
    assert response.body == b"decoded bytes"
    assert response.headers == [
        ("X-Orig-Content-Encoding", "br"),
        ("X-Orig-Transfer-Encoding", "chunked"),
        ("X-Orig-Content-Length", "5"),
        ("Content-Length", "13"),
    ]
    assert response.says("WARC-Date") == "2026-03-04T05:06:07.890123Z"


def test_what_is_over_the_limits_is_cut_and_said(tmp_path: Path, scratch: Scratch) -> None:
    many = [turn(whole=True) for _ in range(4)]
    for _ in range(3):
        for each in many:
            scratch.add(each.body, b"0123456789" * 4)
    assert [each.body.bytes for each in many] == [80, 80, 50, 40]
    assert all(each.body.cut for each in many)
    first, *_ = [each for each in written(tmp_path, scratch, *many) if each.kind == "response"]
    assert first.says("WARC-Truncated") == "length"
    assert first.body == b"0123456789" * 8
    lacks = [lack for each in many if (lack := lack_of(each)) is not None]
    assert words(lacks) == "4 image: too_large"


def test_pieces_of_many_bodies_are_put_together_again(scratch: Scratch) -> None:
    one, two = Kept(), Kept()
    for n in range(5):
        scratch.add(one, b"a%d" % n)
        scratch.add(two, b"b%d" % n)
    assert b"".join(scratch.read(one)) == b"a0a1a2a3a4"
    assert b"".join(scratch.read(two)) == b"b0b1b2b3b4"
    scratch.close()
    assert not scratch.path.exists()


@pytest.mark.parametrize(
    ("facts", "reason", "counts"),
    [
        ({"whole": True}, None, False),
        ({"is_redirect": True}, "redirect_body", False),
        ({"is_redirect": True, "headers": (("Content-Length", "0"),)}, None, False),
        ({"finished": False, "failed": "net::ERR_ABORTED"}, "cancelled_by_page", False),
        ({"finished": False, "failed": "net::ERR_FAILED", "blocked": "csp"}, "blocked_by_browser", False),
        ({"finished": False, "failed": "net::ERR_CONNECTION_RESET"}, "broke_off", False),
        ({"finished": False, "failed": "net::ERR_NAME_NOT_RESOLVED", "status": None}, "no_answer", False),
        ({"finished": False}, "still_running", True),
        ({"finished": False, "status": None}, "still_running", True),
        ({"finished": False, "kind": "EventSource"}, "still_running", False),
        ({"finished": False, "kind": "Fetch"}, "still_running", False),
        ({"finished": False, "kind": "Media"}, "still_running", False),
        ({"finished": False, "kind": "WebSocket", "talk": Talk("here")}, None, False),
        ({"finished": False, "kind": "WebSocket", "talk": Talk("here", more=1)}, "too_large", True),
        ({"failed": "Unexpected response code: 404", "status": None, "talk": Talk("here")}, "no_answer", False),
        ({"finished": False, "status": None, "kind": "WebSocket", "talk": Talk("here")}, "still_running", False),
        ({}, "not_handed_out", True),
        ({"kind": "Fetch"}, "not_handed_out", True),
        ({"kind": "Prefetch"}, "asked_ahead", False),
        ({"recoded": True, "whole": True}, "text_only", True),
        ({"whole": True, "posts": True}, "request_body", False),
        ({"whole": True, "headers": (("Content-Length", "7"),)}, "not_read", False),
        ({"whole": True, "headers": (("Content-Length", "7"), ("Content-Encoding", "br"))}, None, False),
        ({"status": 204}, None, False),
        ({"from_cache": True}, None, False),
    ],
)
def test_what_is_missing_has_a_reason_and_a_weight(facts: dict[str, Any], reason: str | None, *, counts: bool) -> None:
    lack = lack_of(turn(**facts))
    assert (lack.reason if lack else None) == reason
    assert (lack.counts if lack else False) is counts


def test_the_section_says_no_address() -> None:
    turns = [turn(), turn(is_redirect=True), turn(status=None, finished=False)]
    lacks = [lack for each in turns if (lack := lack_of(each)) is not None]
    said = section(turns, lacks, trouble=None)
    assert (said["exchanges"], said["unanswered"]) == (2, 1)
    assert "example" not in str(said)


def test_a_header_that_swallowed_a_lines_end_is_not_believed() -> None:
    told = {"X-Stall": "caf\ufffd", "Content-Encoding": "gzip"}
    assert as_came(told, "HTTP/1.1 200 OK\r\nX-Stall: cafContent-Encoding: gzip\r\n\r\n") == tuple(told.items())
    block = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nX-STALL: caf\r\n\r\n"
    assert as_came(told, block) == (("content-encoding", "gzip"), ("X-STALL", "caf"))


def test_the_address_is_the_egresss_word() -> None:
    def connection(host: str, address: str, *, after: float) -> Connection:
        at = AT + timedelta(seconds=after)
        return Connection(
            host=host, port=443, kind="tunnel", asked_at=at, connected_at=at, address=address, addresses=(address,)
        )

    known = [
        connection("a.example", "192.0.2.1", after=0),
        connection("b.example", "192.0.2.2", after=0),
        connection("a.example", "192.0.2.3", after=9),
    ]
    assert address_of(turn(answered_at=AT + timedelta(seconds=1)), known) == "192.0.2.1"
    assert address_of(turn(url="https://c.example/"), known) is None
    assert address_of(turn(url="https://a.example:99999/"), known) is None


def test_records_are_gzip_members_of_their_own(tmp_path: Path, scratch: Scratch) -> None:
    written(tmp_path, scratch, turn(whole=True))
    data = (tmp_path / "traffic.warc.gz").read_bytes()
    archive = ArchiveIterator(io.BytesIO(data))
    offsets = [archive.get_record_offset() for _ in archive]
    assert all(data[each : each + 2] == b"\x1f\x8b" for each in offsets)
    assert len(set(offsets)) == 4
