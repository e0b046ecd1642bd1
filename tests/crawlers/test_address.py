"""Addresses and lists of them, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from crawlers.address import dedupe_key, host_key, host_of, parse_target, registrable_domain, same_site
from crawlers.targets import parse_arguments, read_list, without_repeats


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/a?b=c#d",
        "HTTPS://Example.com:8443/A%2fb",
        "https://münchen.example/straße?q=ü",
        "https://例え.テスト/",
        "http://[2001:db8::1]:8080/",
        "https://under_score.example/",
        "https://example.com/a\\b".replace("\\", "%5C"),
        "https://amazon.com/dp/B0?tag=someone-20&&linkCode=ll1",
    ],
)
def test_a_url_is_taken_as_it_is(url: str) -> None:
    assert parse_target(f"  {url}\n") == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "No URL was given"),
        ("   ", "No URL was given"),
        ("instagram.com/p/1", r"Did you mean https://instagram\.com/p/1 \?"),
        ("localhost:8080/x", r"Did you mean https://localhost:8080/x"),
        ("hello", "is not a URL"),
        ("two words", "space"),
        ("https://example.com/a b", "space"),
        ("https://example.com/a\x00b", "control character"),
        ("ftp://example.com/", "scheme ftp:"),
        ("javascript:alert(1)", "scheme javascript:"),
        ("mailto:a@example.com", "scheme mailto:"),
        ("file:///etc/passwd", "scheme file:"),
        ("http:/example.com", "two slashes"),
        ("https://", "names no host"),
        ("https:///path", "names no host"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "Port out of range"),
        ("https://[zz]/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://-a.example/", "cannot exist"),
        ("https://a..example/", "cannot exist"),
        ("https://exa%6dple.com/", "cannot exist"),
        ("https://" + "a" * 64 + ".example/", "cannot exist"),
        ("https://good.example\\@evil.example/", "backslash"),
        ("https://example.com/" + "a" * 20_000, "characters long"),
    ],
)
def test_what_is_no_url_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_target(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("userinfo", ["someone:hunter2@", "someone@", "@", ":hunter2@"])
def test_credentials_are_refused_and_not_repeated(userinfo: str) -> None:
    with pytest.raises(UsageError, match="Credentials") as caught:
        parse_target(f"https://{userinfo}example.com/x")
    assert "hunter2" not in str(caught.value)
    assert "https://example.com/" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Example.com:443/a?b=1&a=2#part", "https://example.com/a?a=2&b=1"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com./", "https://example.com/"),
        ("http://[0:0::1]:80/", "http://[::1]/"),
        ("https://münchen.example/ü", "https://xn--mnchen-3ya.example/%C3%BC"),
        ("https://example.com/?utm_source=ig&fbclid=1&igsh=2&id=3", "https://example.com/?id=3"),
        ("https://example.com/%7euser", "https://example.com/%7Euser"),
    ],
)
def test_two_spellings_of_one_page(one: str, other: str) -> None:
    assert dedupe_key(one) == dedupe_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://amazon.com/dp/B0?tag=a-20", "https://amazon.com/dp/B0?tag=b-20"),
        ("https://example.com/a", "https://example.com/A"),
        ("https://example.com/", "http://example.com/"),
        ("https://example.com/#/item/1", "https://example.com/#/item/2"),
        ("https://example.com/#!a", "https://example.com/#!b"),
        ("https://example.com:8443/", "https://example.com/"),
        ("https://example.com/?q=a%26b", "https://example.com/?q=a&b"),
    ],
)
def test_two_pages(one: str, other: str) -> None:
    assert dedupe_key(one) != dedupe_key(other)


@given(st.text(max_size=60))
def test_a_key_of_anything_is_its_own_key(text: str) -> None:
    for url in (text, f"https://example.com/{text}", f"https://{text}/"):
        key = dedupe_key(url)
        assert dedupe_key(key) == key


@given(st.text(max_size=40))
def test_anything_is_either_a_target_or_a_usage_error(text: str) -> None:
    for candidate in (text, f"https://{text}", f"http://a.example/{text}"):
        try:
            taken = parse_target(candidate)
        except UsageError:
            continue
        assert host_of(taken)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.shop.example.co.uk", "example.co.uk"),
        ("brand.myshopify.com", "brand.myshopify.com"),
        ("someone.blogspot.com", "someone.blogspot.com"),
        ("linktr.ee", "linktr.ee"),
        ("carrd.co", "carrd.co"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_registrable_domains_come_from_the_list_in_the_package(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


def test_same_site() -> None:
    assert same_site("https://a.example.com/x", "http://b.example.com:8080/")
    assert not same_site("https://one.myshopify.com/", "https://two.myshopify.com/")
    assert not same_site("https://amazon.com.evil.example/", "https://amazon.com/")
    assert host_key("[::1]") == host_key("0:0:0:0:0:0:0:1") == "::1"


# Lists.


def test_a_list_of_lines() -> None:
    text = "\ufeff# posts of March\r\n\r\nhttps://example.com/1\r\n  https://example.com/2?a=1,2;3  \r\n# end\r\n"
    for data in (text.encode(), text.encode("utf-16-le")):
        targets = read_list(data, name="list.txt")
        assert [target.url for target in targets] == ["https://example.com/1", "https://example.com/2?a=1,2;3"]
        assert [target.source for target in targets] == ["list.txt:3", "list.txt:4"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_with_a_column_of_urls(separator: str) -> None:
    rows = [
        ["handle", "URL", "note"],
        ["# skipped", "", ""],
        ["a", "https://example.com/1", f'"one{separator} two\nthree"'],
        ["", "", ""],
        ["b", '"https://example.com/2?x=1,2;3"', ""],
    ]
    data = "\n".join(separator.join(row) for row in rows).encode()
    targets = read_list(data, name="-")
    assert [target.url for target in targets] == ["https://example.com/1", "https://example.com/2?x=1,2;3"]
    assert targets[1].source == "-:6"


def test_a_list_with_faults_is_refused_as_a_whole_and_each_is_named() -> None:
    lines = ["https://example.com/1", "nonsense"] + ["ftp://example.com/"] * 6
    with pytest.raises(UsageError) as caught:
        read_list("\n".join(lines).encode(), name="list.txt")
    said = str(caught.value).splitlines()
    assert said[0].startswith("list.txt:2: nonsense is not a URL")
    assert said[1].startswith("list.txt:3: ")
    assert said[-1] == "… and 2 more"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no URL"),
        (b"# nothing\n\n", "holds no URL"),
        (b"url,note\n", "holds no URL"),
        (b"url,note\n,empty\n", "No URL was given"),
        (b"\xff\xfeh", "not text"),
        (b"https://example.com/\xe9\n", "UTF-8"),
        (b'url,note\n"https://example.com/1" x,a\n', "not CSV"),
    ],
)
def test_a_list_that_is_none(data: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_list(data, name="list.txt")


def test_repeats_are_told_apart_from_first_askings() -> None:
    targets = parse_arguments(
        [
            "https://example.com/1",
            "https://example.com/2",
            "https://EXAMPLE.com/1?utm_source=x",
            "https://example.com/1",
        ]
    )
    kept, repeats = without_repeats(targets)
    assert [target.url for target in kept] == ["https://example.com/1", "https://example.com/2"]
    assert [(repeat.target.source, repeat.first.source) for repeat in repeats] == [
        ("argument 3", "argument 1"),
        ("argument 4", "argument 1"),
    ]
    with pytest.raises(UsageError, match="argument 2: "):
        parse_arguments(["https://example.com/", "x"])
