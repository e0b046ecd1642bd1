"""Every platform that there is, on pages that are broken, hostile, huge, or in another encoding than they say."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind, Reading
from crawlers.platform import Platform
from crawlers.registry import every, read
from crawlers.saved import Saved

PLATFORMS = every()
DEEP = 50_000
HOSTS = sorted({host for each in PLATFORMS for host in each.hosts})

# Keys, types, classes and ids that readers look for, so that what is made of them gets past the first door.
_KEYS = st.sampled_from((
    "props", "pageProps", "account", "links", "data", "id", "url", "title", "author", "pinner", "created_at",
    "kind", "children",
    "ltks", "products", "profiles", "pins", "collection", "user", "log", "entries", "response", "request",
    "content", "text",
    "status", "resource_response", "provider_name", "version", "type", "html", "@type", "@graph", "name",
    "datePublished", "offers",
    "price", "items", "media", "node", "shortcode_media", "graphql", "__typename", "legacy", "core",
    "videoDetails", "itemInfo",
    "itemStruct", "author_name", "owner", "edges", "product", "variants", "vendor", "error", "code", "message",
    "position", "rules",
))  # fmt: skip
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from(("https://a.example/x", "//", "https://[", "2024-05-06T07:08:09Z", "t3", "Listing", "1.0",
        "rich", "\ud800",
                     "Product", ["Product"], "Article", "Pinterest", "reddit", "9" * 400, "-1", "1e999", "NaN", "",
                     " ")),
)  # fmt: skip
JSONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=6)),
    max_leaves=25,
)
_SCRIPTS = st.sampled_from((
    '<script type="application/ld+json">{}</script>', '<script id="__NEXT_DATA__" type="application/json">{}</script>',
    '<script id="initial-state">{}</script>', "<script>window.___r = {};</script>",
        '<script id="__PWS_DATA__">{}</script>',
    "<script>window._sharedData = {};</script>", '<script id="SIGI_STATE">{}</script>',
    "<script>var ytInitialData = {};</script>",
    '<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{}</script>', "<script>window.runParams = {};</script>",
    "<script>window.__INIT_DATA__={}</script>", "<script>ytInitialPlayerResponse = {};</script>",
))  # fmt: skip
_MARKUP = st.sampled_from((
    '<meta property="og:url" content="https://{host}/x/1">', '<link rel="canonical" href="https://{host}/p/1">',
    '<meta property="og:type" content="article">', '<meta property="og:title" content="{text}">', "<h1>{text}</h1>",
    '<div id="productTitle">{text}</div>', '<div class="a-price"><span>{text}</span></div>', "<shreddit-post {text}>",
    '<div class="tgme_widget_message" data-post="{text}"><div class="tgme_widget_message_text">{text}',
        "<article>", "</div>",
    '<div itemscope itemtype="https://schema.org/Product"><span itemprop="price">{text}',
        "<time datetime='{text}'>{text}",
    '<a href="{text}">', '<a href="https://[::1/{text}">x', "<svg><title>", "<!--", "<table><tr><p>", "<template>",
        "<body class='{text}'>",
))  # fmt: skip


@st.composite
def pages(draw: st.DrawFn) -> str:
    """Markup of several platforms in one, with data that is nearly what they look for; cut off at times."""
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            value = json.dumps(draw(JSONS))
            parts.append(
                draw(_SCRIPTS).replace(
                    "{}", value[: draw(st.integers(0, len(value)))] if draw(st.booleans()) else value
                )
            )
        else:
            text = draw(st.text(max_size=20))
            parts.append(draw(_MARKUP).replace("{host}", draw(st.sampled_from(HOSTS))).replace("{text}", text))
    return "".join(parts)


def of(text: str) -> Saved:
    return Saved.of(text.encode("utf-8", "surrogatepass"))


def readings(make: Callable[[], Saved]) -> list[Reading]:
    """By every reader there is, whether it would know the page or not; what a record is made of can be written."""
    found = []
    for each in PLATFORMS:
        page = make()
        each.knows(page)
        found.append(each.read(page))
        json.dumps(found[-1].to_json(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    return found


@settings(max_examples=40, deadline=None)
@given(pages())
def test_no_reader_raises_for_what_a_page_holds(text: str) -> None:
    read(of(text))
    readings(lambda: of(text))


@settings(max_examples=40, deadline=None)
@given(JSONS, st.booleans(), st.data())
def test_no_reader_raises_for_an_answer(value: object, whole: bool, data: st.DataObject) -> None:
    text = json.dumps(
        {"data": value, "log": {"version": "1.2", "entries": [value]}} if data.draw(st.booleans()) else value
    )
    text = text if whole else text[: data.draw(st.integers(0, len(text)))]
    read(of(text))
    readings(lambda: of(text))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_no_reader_raises_for_bytes(data: bytes) -> None:
    read(Saved.of(data))
    read(Saved.of(data, content_type="text/html; charset=nonsense"))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_reader_raises_for_an_address(url: str) -> None:
    for each in PLATFORMS:
        for made in (url, f"https://{url}", f"https://www.amazon.com/{url}"):
            each.knows_url(made)
            each.canonical(made)


@pytest.mark.parametrize(
    "address", ["https://[", "https://[::1/p/1", "https://", "http://a:b:c/", "https://\ud800.example/"]
)
def test_no_reader_raises_for_an_address_that_is_none(address: str) -> None:
    text = f'<link rel="canonical" href="{address}"><meta property="og:url" content="{address}"><h1>x</h1>'
    read(Saved.of(text.encode("utf-8", "surrogatepass"), url=address))
    read(Saved.of(b'{"a": 1}', url=address))
    readings(lambda: of(text))


@pytest.mark.parametrize("each", PLATFORMS, ids=lambda each: each.name)
def test_a_page_of_nothing_gives_nothing(each: Platform) -> None:
    for text in ("", " ", "<", "{", "[]", "{}", "null", "<html></html>", "\ud800", "\x00\x00"):
        found = each.read(of(text))
        assert not found.fields
        assert found.wall is None


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("gbk", "鹿皮手提包，正品"),
        ("windows-1256", "حقيبة جلدية أصلية"),
        ("shift_jis", "革のバッグ、本物"),
        ("windows-1251", "Кожаная сумка"),
    ],
)
@pytest.mark.parametrize("declared", ["meta", "http"])
def test_a_page_in_another_encoding_is_read_as_it_is(encoding: str, words: str, declared: str) -> None:
    meta = f'<meta charset="{encoding}">' if declared == "meta" else ""
    text = f'<html><head>{meta}<meta property="og:title" content="{words}"><title>{words}</title></head><p>{words}'
    header = f"text/html; charset={encoding}" if declared == "http" else None
    assert read(Saved.of(text.encode(encoding), content_type=header)).fields["title"] == words


def test_a_page_whose_bytes_are_not_what_it_says_is_read_with_a_note() -> None:
    found = read(Saved.of('<meta charset="utf-8"><title>Bag 包'.encode() + "包".encode("gbk") + b"</title>"))
    assert str(found.fields["title"]).startswith("Bag 包")
    assert any("bytes" in note for note in found.notes)


def test_half_characters_in_a_page_and_in_its_data() -> None:
    data = '{"@type": "Article", "headline": "half \\ud83d of one", "datePublished": "2024-05-06"}'
    found = read(of(f'<script type="application/ld+json">{data}</script><title>x\ud800y</title>'))
    assert found.fields["title"] == "half \ufffd of one"


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * DEEP + "deep",
        "<a href=x>" * 10_000 + "deep",
        "<div itemscope itemprop=author itemtype=https://schema.org/Article>" * 2_000,
        "<article class='hentry post'><h1>" * 5_000,
        "[" * DEEP,
        '{"a":' * DEEP,
        '<script type="application/ld+json">' + "[" * DEEP + "</script><title>x</title>",
        '<script id="__NEXT_DATA__">' + '{"account":' * DEEP + "</script>",
        "<script>window.___r = " + '{"posts":' * DEEP + "</script>",
        '<div class="tgme_widget_message" data-post="a/1">' * 3_000,
    ],
    ids=["div", "a", "microdata", "article", "list", "object", "json-ld", "next", "assigned", "telegram"],
)
def test_however_deep_a_page_nests(text: str) -> None:
    begun = time.process_time()
    read(of(text))
    assert time.process_time() - begun < 10


def test_a_tower_of_empty_elements_costs_nothing_that_stands_below_it() -> None:
    head = "<html><head><title>Brass nib</title></head><body>"
    below = """<h1>Brass nib</h1><div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Brass nib</b>
    <p itemprop="offers" itemscope itemtype="https://schema.org/Offer"><i itemprop="price">3.50</i></p></div>"""
    found, whole = read(of(f"{head}{'<div class=a>' * 5_000}{below}")), read(of(f"{head}{below}"))
    assert (whole.fields["price"], found.fields) == ("3.50", whole.fields)
    assert [each for each in found.notes if "some levels were left out" in each]
    found = read(of(f"{head}{'<div>a ' * 5_000}{below}"))
    assert [each for each in found.notes if "what lies below was left out" in each]


def test_a_broken_block_costs_no_other() -> None:
    whole = '{"@type": "BlogPosting", "headline": "The whole one", "author": {"name": "Luna"}}'
    blocks = ["{broken", '{"@type": "BlogPosting", "headline": "cut', whole, '{"@type": ', "[" * DEEP]
    text = "".join(f'<script type="application/ld+json">{each}</script>' for each in blocks)
    found = read(of(text))
    assert (found.kind, found.fields["title"], found.fields["author"]) == (Kind.POST, "The whole one", "Luna")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        '<p>words <a href="https://shop.example/{n}">link</a></p>\n',
        '<div class="thing link" data-fullname="t3_{n}" data-author="a"><time datetime="x">',
        '<script type="application/ld+json">{{"@type": "Product", "name": "{n}"}}</script>\n',
        '<div itemscope itemtype="https://schema.org/Product"><span itemprop="name">{n}</span></div>\n',
        '<meta property="og:title" content="{n}">\n',
        '<article class="hentry comment" id="comment-{n}"><time datetime="2024-05-06">May 6, 2024</time></article>\n',
    ],
    ids=["links", "things", "json-ld", "microdata", "meta", "articles"],
)
def test_a_page_of_twenty_megabytes_ends(piece: str) -> None:
    text = "<html><body>" + "".join(piece.format(n=n) for n in range(20_000_000 // len(piece)))
    begun = time.process_time()
    read(of(text))
    assert time.process_time() - begun < 60


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(pages())
def test_no_reader_raises_at_length(text: str) -> None:
    read(of(text))
    readings(lambda: of(text))
