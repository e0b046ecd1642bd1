"""What is kept out of a recorded traffic, from when, and that nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers.recording.account import lack_of
from crawlers.recording.turn import Turn
from crawlers.recording.withholding import HTTP_LOGIN, PASSWORD, UNSEEN, Withholding, cut, harmless

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)


def turn(at: datetime = LATER, **more: Any) -> Turn:
    made = Turn(request_id="1", url="https://a.example/in?pass=sesame#x", method="POST", kind="Fetch", at=at)
    made.request_headers = (("Cookie", "sesame"), ("Referer", "https://a.example/?pass=sesame"), ("Accept", "*/*"))
    made.headers = (("Set-Cookie", "sesame"), ("Location", "/next?pass=sesame&b=1"), ("Content-Length", "0"))
    made.posted, made.posts, made.status, made.whole = b"sesame", True, 200, True
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_nothing_is_withheld_where_no_secret_was_under_way() -> None:
    made = turn()
    assert Withholding().apply([made]) == {}
    assert (made.posted, made.withheld, made.url) == (b"sesame", (), "https://a.example/in?pass=sesame#x")
    assert len(made.request_headers) == len(made.headers) == 3


def test_from_the_moment_on_and_not_before() -> None:
    early, then, late = turn(AT - timedelta(milliseconds=1)), turn(AT), turn()
    withholding = Withholding()
    assert withholding.begin(LATER, UNSEEN)
    assert not withholding.begin(AT, PASSWORD), "told a second time"
    assert not withholding.begin(LATER, UNSEEN)
    assert withholding.apply([early, then, late]) == {
        "reason": PASSWORD,
        "since": "2026-11-03T12:00:00.000Z",
        "withheld": {"cookie": 2, "query": 2, "request-body": 2, "set-cookie": 2},
    }
    assert (early.posted, early.withheld) == (b"sesame", ())
    for each in (then, late):
        assert "sesame" not in f"{each!r}{each.request_headers}{each.headers}{each.posted!r}"
        assert each.url == "https://a.example/in?withheld#x"
        assert ("Accept", "*/*") in each.request_headers
        assert ("Location", "/next?withheld") in each.headers
        lack = lack_of(each)
        assert lack is not None
        assert (lack.reason, lack.counts) == ("withheld", False)


@pytest.mark.parametrize(
    ("kind", "scheme", "is_login"),
    [
        ("Document", "Basic amFuZTpzZXNhbWU=", True),
        ("Document", 'Digest username="jane"', True),
        ("Document", "NTLM TlRMTVNTUAAB", True),
        ("Fetch", "Basic amFuZTpzZXNhbWU=", False),  # a script may say so, of nobody's own
        ("Document", "Bearer abc", False),
        ("Document", "", False),
    ],
)
def test_a_name_and_a_password_that_the_browser_sent(kind: str, scheme: str, *, is_login: bool) -> None:
    made = turn(kind=kind, request_headers=(("authorization", scheme),))
    section = Withholding().apply([turn(AT), made])
    assert section.get("reason") == (HTTP_LOGIN if is_login else None)
    assert ("authorization" in made.withheld) is is_login


def test_headers_are_told_apart_whatever_their_spelling() -> None:
    kept, gone = harmless(
        [("COOKIE", "a"), ("X-Cookie", "b"), ("Proxy-Authorization", "c"), ("Link", "</x?a=b>; rel=y")]
    )
    assert kept == (("X-Cookie", "b"), ("Link", "</x?withheld>; rel=y"))
    assert gone == {"cookie", "proxy-authorization"}


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("https://a.example/", "https://a.example/"),
        ("https://a.example/?", "https://a.example/?withheld"),
        ("https://a.example/?a=https://b.example/?c=d", "https://a.example/?withheld"),
        ("https://a.example/#?a=b", "https://a.example/#?withheld"),
        ("https://jane:sesame@a.example/x?y", "https://a.example/x?withheld"),
        ("https://a.example/@jane", "https://a.example/@jane"),
    ],
)
def test_an_address_without_its_query(url: str, without: str) -> None:
    assert cut(url) == without


@pytest.mark.parametrize("of_person", [True, False])
def test_a_name_in_an_address_is_a_persons_where_one_attends(*, of_person: bool) -> None:
    made = turn(kind="Document", url="https://jane:sesame@a.example/", request_headers=())
    section = Withholding(of_person=of_person).apply([made])
    assert section.get("reason") == (HTTP_LOGIN if of_person else None)
    assert ("sesame" in made.url) is not of_person
