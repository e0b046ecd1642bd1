"""Small parts of a look: tiles, bodies put back into bytes, media types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.body import as_sent
from crawlers.camera import MAX_SIDE_PX, MAX_TILE_PX, MAX_TILES, tiles
from crawlers.media import UNKNOWN, extension, media_type


@given(st.integers(0, 100_000), st.integers(0, 1_000_000), st.sampled_from([1, 1.5, 2.625, 4]))
def test_tiles_cover_the_page_from_its_top_without_gaps(width: int, height: int, scale: float) -> None:
    made = list(tiles(width, height, scale))
    assert 1 <= len(made) <= MAX_TILES
    assert made[0].top == 0
    assert [each.top + each.height for each in made[:-1]] == [each.top for each in made[1:]]
    for each in made:
        assert 1 <= each.height <= MAX_SIDE_PX / scale
        assert 1 <= each.width <= MAX_SIDE_PX / scale
        assert each.width * each.height * scale**2 <= MAX_TILE_PX
    end = made[-1].top + made[-1].height
    assert end == max(1, height) or (len(made) == MAX_TILES and end < height)


@pytest.mark.parametrize(
    ("charset", "text", "encoding"),
    [
        ("utf-8", "žółw 手镯 💛", "utf-8"),
        ("", "žółw", "utf-8"),
        ("ISO-8859-2", "Biżuteria", "iso-8859-2"),
        ("iso-8859-1", "“smart” café €", "cp1252"),  # WHATWG: Latin-1 has always meant windows-1252
        ("windows-1251", "браслет", "cp1251"),
        ("GBK", "螺丝手镯", "gb18030"),
        ("Shift_JIS", "可愛い", "cp932"),
        ("EUC-KR", "정말", "cp949"),
        ("UTF-16LE", "手镯", "utf-16-le"),
    ],
)
def test_text_goes_back_to_the_bytes_that_came(charset: str, text: str, encoding: str) -> None:
    sent = text.encode(encoding)
    taken = as_sent(text, len(sent), (charset, ""))
    assert (taken.data, taken.lacks) == (sent, None)


@pytest.mark.parametrize(
    ("mark", "encoding", "text"),
    [
        (b"\xef\xbb\xbf", "utf-8", "手镯 bracelet"),
        (b"\xff\xfe", "utf-16-le", "手镯"),
        (b"\xfe\xff", "utf-16-be", "手镯"),
    ],
)
def test_a_byte_order_mark_is_put_back(mark: bytes, encoding: str, text: str) -> None:
    sent = mark + text.encode(encoding)
    assert as_sent(text, len(sent), (encoding,)).data == sent


def test_what_does_not_make_as_many_bytes_is_said() -> None:
    taken = as_sent("手镯 \ud800", 5, ("windows-1252", "no-such-charset"))
    assert taken.data == "手镯 ?".encode()
    assert taken.lacks == "its 5 bytes were not to be had; kept is its text, in UTF-8"


@given(st.text())
def test_utf_8_is_never_in_doubt(text: str) -> None:
    sent = text.encode()
    taken = as_sent(text, len(sent), ("", ""))
    assert (taken.data, taken.lacks) == (sent, None)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("text/html", "text/html"),
        ("image/svg+xml", "image/svg+xml"),
        ("", UNKNOWN),
        ("html", UNKNOWN),
        ("text/html; charset=utf-8", UNKNOWN),
        ("text/\u202ehtml", UNKNOWN),
        (f"text/{'x' * 300}", UNKNOWN),
    ],
)
def test_a_media_type_is_one_or_is_unknown(said: str, kept: str) -> None:
    assert media_type(said) == kept


def test_file_names_end_as_their_type_says() -> None:
    assert (extension("text/html"), extension("image/png"), extension("x/y")) == (".html", ".png", ".bin")
