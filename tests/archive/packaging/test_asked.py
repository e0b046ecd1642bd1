"""What was asked by other means than ``GET``, spelled as pywb and wabac spell it; and pywb itself."""

import base64
import json
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.packaging.asked import MAX_QUERY, Asked
from archive.packaging.cdxj import key_of
from tests.replaying import oracle

URL = "https://shop.example/api?x=1"
FORM, JSON, TEXT = "application/x-www-form-urlencoded", "application/json", "text/plain"
PARTS = (
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none \xc5\xbc\r\n'
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff&=\r\n--B--\r\n"
)
MANY = (
    b'{"a": [1, 2.0, 3.5, true, false, null, "x y&~*"], '
    b'"b": {"a": "", "c": 1e30, "d": -0.0, "e": 12345678901234567890}}'
)
MANY_IN_PYWB = (
    "a=1&a.2_=2&a.3_=3.5&a.4_=true&a.5_=false&a.6_=null&a.7_=x+y%26~%2A&a.8_=&c=1000000000000000019884624838656&d=0"
    "&e=12345678901234567890"
)
VECTORS = [
    # What pywb 2.10.0 appends to the address, and what wabac 2.x (ReplayWeb.page 2.x) writes into an index.
    ("POST", FORM, b"a=1&b=%C5%BC+c&d", "a=1&b=ż c&d", "a=1&b=%C5%BC+c&d"),
    ("POST", f"{FORM};charset=UTF-8", b"a=%23x", "a=#x", "a=%23x"),
    ("POST", FORM, b"\xff=1", "__wb_post_data=/z0x", "\ufffd=1"),
    ("POST", JSON, MANY, MANY_IN_PYWB,
     "a=1&a.2_=2&a.3_=3.5&a.4_=true&a.5_=false&a.6_=null&a.7_=x+y%26%7E*&c=1e%2B30&d=0&e=12345678901234567000"),
    ("POST", f"{JSON}; charset=utf-8", b"not json", "", ""),
    ("POST", JSON, b'"word"', "", "=word"),
    ("POST", f"{TEXT};charset=UTF-8", '{"q": "ż"}'.encode(), "q=%C5%BC", "q=%C5%BC"),
    ("POST", TEXT, b"hello", "__wb_post_data=aGVsbG8=", ""),
    ("PUT", "", b"\x00\xff", "__wb_post_data=AP8=", "__wb_post_data=AP8="),
    ("POST", "multipart/form-data; boundary=B", PARTS, "a=one+%C5%BC&f=%00%FF%26%3D", "a=one+%C5%BC"),
    ("DELETE", JSON, b'{"a": 1}', "", "a=1"),
    ("POST", "", b"", "", "__wb_post_data="),
]  # fmt: skip


@pytest.mark.parametrize(("method", "media_type", "body", "query", "request_body"), VECTORS)
def test_it_is_spelled_as_others_spell_it(
    method: str, media_type: str, body: bytes, query: str, request_body: str
) -> None:
    asked = Asked(method=method, media_type=media_type, body=body)
    assert asked.address(URL) == f"{URL}&__wb_method={method}" + (f"&{query}" if query else "")
    assert asked.request_body() == request_body


def test_the_method_is_the_query_where_there_is_none() -> None:
    assert Asked(method="PUT").address("https://shop.example/") == "https://shop.example/?__wb_method=PUT"
    assert key_of(Asked(method="PUT").address("https://shop.example")) == "example,shop)/?__wb_method=put"


def test_a_long_body_is_cut_where_they_cut_it() -> None:
    asked = Asked(method="POST", media_type="image/png", body=b"x" * 50_000)
    assert len(asked.request_body()) == MAX_QUERY
    assert len(asked.address(URL)) == len(URL) + len("&__wb_method=POST&") + MAX_QUERY


KINDS = st.sampled_from([FORM, JSON, TEXT, "multipart/form-data; boundary=B", "multipart/form-data", "", "image/png"])


@given(st.text(max_size=8), KINDS | st.text(max_size=30), st.binary(max_size=60))
def test_no_body_stops_it(method: str, media_type: str, body: bytes) -> None:
    asked = Asked(method=method, media_type=media_type, body=body)
    assert asked.address(URL).startswith(URL)
    assert " " not in key_of(asked.address(URL))
    assert len(asked.request_body()) <= MAX_QUERY


def test_no_depth_of_a_document_stops_it() -> None:
    asked = Asked(method="POST", media_type=JSON, body=b"[" * 200_000)
    assert (asked.address(URL), asked.request_body()) == (f"{URL}&__wb_method=POST", "")


_THEIRS = """
import base64, io, json, sys
from pywb.utils.canonicalize import canonicalize
from pywb.warcserver.inputrequest import MethodQueryCanonicalizer
told = []
for method, mime, body, url in json.load(sys.stdin):
    data = base64.b64decode(body)
    told.append(canonicalize(MethodQueryCanonicalizer(method, mime, len(data), io.BytesIO(data)).append_query(url)))
json.dump(told, sys.stdout)
"""
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab &=.", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
PIECES = st.lists(
    st.sampled_from(["a", "=", "&", "+", "%23", "%0a", "%C5%BC", "#", "?", "%2525", "b", "%20", ".", ";"])
)
REQUESTS = st.one_of(
    st.tuples(st.just(JSON), DOCUMENTS.map(lambda each: json.dumps(each).encode())),
    st.tuples(st.just(FORM), PIECES.map(lambda each: "".join(each).encode())),
    st.tuples(st.just(TEXT), st.binary(min_size=1, max_size=40)),
)


@pytest.mark.slow
@pytest.mark.replay
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=60, max_size=120))
def test_pywb_looks_under_the_same_keys(made: list[tuple[str, bytes]]) -> None:
    asked: list[Any] = [
        *(each[:3] for each in VECTORS),
        *(("POST", media_type, body) for media_type, body in made),
    ]
    told = json.dumps([(method, kind, base64.b64encode(body).decode(), URL) for method, kind, body in asked])
    python = oracle("pywb") / "bin" / "python"
    ran = subprocess.run(
        [python, "-W", "ignore", "-c", _THEIRS], input=told, check=True, capture_output=True, text=True, timeout=120
    )
    theirs = json.loads(ran.stdout)
    for (method, kind, body), key in zip(asked, theirs, strict=True):
        assert key_of(Asked(method=method, media_type=kind, body=body).address(URL)) == key, (kind, body)
