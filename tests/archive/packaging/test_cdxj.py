"""The index: keys as others spell them, and each line leads to a record that can be read alone."""

import io
import json
import zlib

import pytest

from archive.errors import StoreError
from archive.packaging import cdxj
from tests.archive.packaging.traffic import PAGE, warc


@pytest.mark.parametrize(
    ("url", "key"),
    [
        # What `surt` 0.3.1 makes of them, which pywb and cdxj-indexer use.
        ("https://www.shop.example/item/44?Colour=Rose&a=1", "example,shop)/item/44?a=1&colour=rose"),
        ("https://shop.example", "example,shop)/"),
        ("https://shop.example/foo/", "example,shop)/foo"),
        ("http://shop.example:8080/foo//bar/../baz?b&a=&c=%41", "example,shop:8080)/foo/baz?a=&b&c=a"),
        ("https://shop.example/%7EUser/caf%C3%A9?q=h%20i+x", "example,shop)/~user/caf%c3%a9?q=h%20i+x"),
        ("https://shop.example/a%252fb?", "example,shop)/a/b"),
        ("https://user:pw@SHOP.example:443/x#frag", "example,shop)/x"),
        ("https://192.0.2.1/x", "1,2,0,192)/x"),
        ("https://www2.shop.example/q?&x", "example,shop)/q?&x"),
        ("https://shop.example/x?a=1&a=0", "example,shop)/x?a=0&a=1"),
        ("https://shop.example/x?a.2=0&a=1&a", "example,shop)/x?a&a=1&a.2=0"),
        ("https://shop.example/x?q=a ", "example,shop)/x?q=a"),
        ("https://xn--bcher-kva.example/ü", "example,xn--bcher-kva)/%c3%bc"),
        ("urn:view:https://shop.example/X?y=1 2", "urn:view:https://shop.example/x?y=1%202"),
    ],
)
def test_a_key_is_spelled_as_others_spell_it(url: str, key: str) -> None:
    assert cdxj.key_of(url) == key


@pytest.mark.parametrize("url", ["https://[::1", "https://a.example:99999/", "https:///x", "", "https://a b/%zz"])
def test_no_address_stops_it_and_no_key_has_a_space(url: str) -> None:
    assert " " not in cdxj.key_of(url)


def test_each_line_leads_to_its_record() -> None:
    data = warc(("GET", PAGE, "200 OK", b"one"), ("GET", f"{PAGE}?b&a", "302 Found", b"two"))
    found = cdxj.read(io.BytesIO(data), "x.warc.gz")
    assert [(each.url, each.status, each.mime, each.at) for each in found] == [
        (PAGE, "200", "text/html", "20260304050607"),
        (f"{PAGE}?b&a", "302", "text/html", "20260304050607"),
    ]
    for each, body in zip(found, (b"one", b"two"), strict=True):
        record = zlib.decompress(data[each.offset : each.offset + each.length], zlib.MAX_WBITS + 16)
        assert record.startswith(b"WARC/1.1\r\n")
        assert body in record


def test_answers_to_a_form_are_not_in_the_place_of_the_page() -> None:
    data = warc(("POST", PAGE, "200 OK", b"thanks"), ("GET", PAGE, "200 OK", b"a page"), ("HEAD", PAGE, "200 OK", b""))
    posted, got = cdxj.read(io.BytesIO(data), "x.warc.gz")
    assert (posted.key, got.key) == ("example,shop)/p/1?__wb_method=post", "example,shop)/p/1")
    told = json.loads(posted.line().split(" ", 2)[2])
    assert (told["url"], told["method"], told["requestBody"]) == (PAGE, "POST", "__wb_post_data=")
    assert got.line().split(" ", 2)[2].count("method") == 0


def test_what_was_sent_is_in_the_key() -> None:
    asked = b'{"wanted": [1, "two"]}'
    data = warc(("PUT", PAGE, "200 OK", b"thanks"), sent=asked, media_type="application/json")
    (answer,) = cdxj.read(io.BytesIO(data), "x.warc.gz")
    assert answer.key == "example,shop)/p/1?__wb_method=put&wanted=1&wanted.2_=two"


def test_an_answer_to_what_is_withheld_is_left_out() -> None:
    data = warc(("POST", PAGE, "200 OK", b"welcome"), withheld="cookie, request-body")
    assert cdxj.read(io.BytesIO(data), "x.warc.gz") == []


def test_lines_are_in_the_order_of_their_bytes() -> None:
    data = warc(*(("GET", f"https://{host}.example/", "200 OK", b"") for host in ("c", "a", "b")))
    lines = cdxj.format_index(cdxj.read(io.BytesIO(data), "x.warc.gz")).splitlines()
    assert lines == sorted(lines)
    assert len(lines) == 3


@pytest.mark.parametrize("data", [b"no WARC at all", b"", warc(("GET", PAGE, "200 OK", b"one"))[:-40]])
def test_what_is_no_warc_is_refused_or_empty(data: bytes) -> None:
    try:
        found = cdxj.read(io.BytesIO(data), "x.warc.gz")
    except StoreError:
        return
    assert len(found) <= 1
