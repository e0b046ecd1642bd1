"""Documents made inert: whatever goes in, what comes out is text, boxes and looks."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.web.inert import MAX_CHARACTERS, inert
from tests.console.web.hostile import LINKS, MARKUP

ACTIVE = {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "math", "template", "video", "audio",
          "frame", "frameset", "applet", "noscript", "portal", "source", "track", "img"}  # fmt: skip


class Read(HTMLParser):
    """Tags and attributes, as a parser that is not ours reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


PIECES = st.sampled_from([
    *MARKUP.values(), "<", ">", "</", "<!--", "-->", "<!", "<?", '"', "'", "=", "/", " ", "&lt;", "&#60;", "<a href=",
    "<p style=", "<style>", "</style>", "<textarea>", "<title>", "url(", "\\75rl(", "@import", "on", "x", "\0",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join) | st.text())
@example("<p x='\"><script>1</script>'>")
@example("<style><</style><script>1</script>")
@example('<a href="javascript:1" onclick=1 STYLE="x:url(\'http://x\')">y</a>')
def test_nothing_active_comes_out(document: str) -> None:
    read = Read(inert(document))
    assert not ACTIVE & set(read.tags) - {"img"}
    names = {name for name, _ in read.attributes}
    assert not {name for name in names if name.startswith(("on", "hx-", "data-", "src", "href", "action", "xlink"))}
    for name, value in read.attributes:
        if name == "style":
            assert "http" not in (value or "").lower().replace("http-equiv", "") or "url" not in (value or "").lower()


@pytest.mark.parametrize("link", LINKS)
def test_no_link_leads_anywhere(link: str) -> None:
    read = Read(
        inert(f'<a href="{link}">press</a><area href="{link}"><form action="{link}"><button formaction="{link}">')
    )
    assert not {name for name, _ in read.attributes} & {"href", "action", "formaction"}
    assert "press" in read.text


def test_words_and_looks_stay() -> None:
    page = inert(
        "<style>p{color:red}</style><h1 class=a>Love &amp; more</h1><p style='color:blue'>1 < 2 <b>bold</b><br>end"
    )
    assert "<style>p{color:red}</style>" in page
    assert '<h1 class="a">Love &amp; more</h1>' in page
    assert '<p style="color:blue">1 &lt; 2 <b>bold</b><br>end' in page


def test_pictures_within_the_page_stay_and_others_are_named() -> None:
    page = inert('<img src="data:image/png;base64,AAAA" alt="own"><img src="https://x.example/a.png" alt="a &lt; b">')
    assert '<img src="data:image/png;base64,AAAA" alt="own">' in page
    assert "[picture: a &lt; b (its bytes are not in this capture)]" in page
    assert "x.example" not in page


def test_whatever_stands_for_a_picture_is_one() -> None:
    page = inert("<img src=/a><img src=/b><img src=/c>", {"/a": "data:image/gif;base64,AAAA", "/b": "https://x"}.get)
    assert Read(page).tags.count("img") == 1
    assert '<img src="data:image/gif;base64,AAAA" alt="">' in page
    assert "https://x" not in page


def test_a_picture_with_a_script_in_it_is_none() -> None:
    page = inert('<img src="data:image/svg+xml;base64,AAAA"><img src="data:text/html,<script>1</script>">')
    assert "data:" not in page


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<script>", "<a href='", '<a b="', "</", "<style>", "&", "<p x=y "]
)
def test_time_grows_with_the_document_and_no_faster(piece: str) -> None:
    """Repeated a hundred thousand times: what looks back at each step would not come to an end."""
    assert inert(piece * 100_000).startswith("<!doctype html>")


def test_a_document_of_any_length_is_cut_and_says_so() -> None:
    page = inert("x" * (MAX_CHARACTERS + 1))
    assert len(page) < MAX_CHARACTERS + 2_000
    assert "save the file" in page
