"""Our own visits: each address once, in order, with the status that it answered and the tags by which it counts."""

from datetime import UTC, datetime

import pytest

from archive.visits import COLUMNS, tags, visit_begun, visits, visits_of_look
from custody.model import Hop, HopKind

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def hop(n: int, to: str, status: int | None, kind: HopKind = HopKind.HTTP) -> Hop:
    return Hop(n=n, from_url="https://a.example/", to_url=to, kind=kind, status=status, at=AT)


def test_each_address_of_a_chain_is_a_visit_with_the_status_that_it_answered() -> None:
    hops = (
        hop(1, "https://t.example/c?p=1&sub_id=7", 302),
        hop(2, "https://shop.example/1?tag=x-21", None, HopKind.SCRIPT),
    )
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in visits("c1", "https://s.example/k", AT, 200, hops)]
    assert [(each["how"], each["host"], each["status"], each["tags"]) for each in rows] == [
        ("asked", "s.example", 302, ""),
        ("http", "t.example", None, "sub_id=7"),
        ("script", "shop.example", 200, "tag=x-21"),
    ]
    assert {each["capture"] for each in rows} == {"c1"}


def test_a_page_without_hops_is_one_visit() -> None:
    ((at, _, how, _, _, status, _),) = visits("c1", "https://a.example/", AT, 404, ())
    assert (at, how, status) == ("2026-11-02T09:00:00.000+00:00", "asked", 404)


def test_a_look_that_found_nothing_new_is_as_many_visits_as_it_took() -> None:
    look = {
        "http_status": 200,
        "hops": [
            {"n": 1, "from": "https://s.example/k", "to": "https://t.example/c?aid=7", "kind": "http", "status": 302},
            {
                "n": 2,
                "from": "https://t.example/c?aid=7",
                "to": "https://shop.example/1",
                "kind": "script",
                "status": 200,
            },
        ],
    }
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in visits_of_look("c1", "https://s.example/k", AT, look)]
    assert [(each["how"], each["host"], each["status"], each["tags"]) for each in rows] == [
        ("asked", "s.example", 302, ""),
        ("http", "t.example", 200, "aid=7"),
        ("script", "shop.example", 200, ""),
    ]
    with pytest.raises(LookupError):
        list(visits_of_look("c1", "https://s.example/k", AT, {"hops": [{}]}))


def test_of_a_capture_without_an_end_nobody_knows_what_was_answered() -> None:
    row = visit_begun("c1", "https://a.example/?tag=3", AT)
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "at": "2026-11-02T09:00:00.000+00:00", "capture": "c1", "how": "begun", "host": "a.example",
        "url": "https://a.example/?tag=3", "status": None, "tags": "tag=3",
    }  # fmt: skip


def test_an_address_that_is_none_has_no_tags() -> None:
    assert tags("https://[broken") == ""
    assert tags("https://a.example/?TAG=1&x=2&tag=3") == "TAG=1 tag=3"
