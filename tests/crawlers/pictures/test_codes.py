"""Codes in pictures of strangers: what is there is found where it is, and what cannot be read costs itself alone."""

import io
import os
import signal
import struct
import time
import zlib
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise

import pytest
import zxingcpp
from PIL import ExifTags, Image

from crawlers.pictures import decoding, words
from crawlers.pictures.findings import Code, Looked, together
from crawlers.pictures.viewing import Viewer
from tests.crawlers.pictures.drawing import LINK, code, file_of, poster, with_code


@pytest.fixture(scope="module")
def viewer() -> Iterator[Viewer]:
    with Viewer(("codes",)) as made:
        yield made


def look(viewer: Viewer, data: bytes) -> Looked:
    return viewer.look(data)["codes"]


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it has so many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


def test_a_code_is_found_with_its_place_payload_and_engine(viewer: Viewer) -> None:
    seen = look(viewer, file_of(with_code(poster(), LINK, (200, 100))))
    (found,) = seen.codes
    assert (found.text, found.data, found.format, found.content) == (LINK, LINK.encode(), "QRCode", "Text")
    (left, top), _, (right, bottom), _ = found.box
    assert 200 < left < right < 200 + 5 * 45
    assert 100 < top < bottom < 100 + 5 * 45
    assert seen.engine == {"name": "zxing-cpp", "version": metadata.version("zxing-cpp")}
    assert seen.done


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "BMP", "AVIF"])
def test_in_every_format_that_browsers_show(viewer: Viewer, form: str) -> None:
    seen = look(viewer, file_of(with_code(poster(), LINK, (200, 100)), form))
    assert [each.text for each in seen.codes] == [LINK]
    assert seen.shape is not None
    assert (seen.shape.format, seen.shape.width, seen.shape.height) == (form, 640, 480)


def test_several_codes_and_bar_codes(viewer: Viewer) -> None:
    picture = with_code(poster(), LINK, (20, 100))
    picture.paste(code("4006381333931", scale=3, form=zxingcpp.BarcodeFormat.EAN13), (300, 100))
    found = {each.format: each.text for each in look(viewer, file_of(picture)).codes}
    assert found == {"QRCode": LINK, "EAN13": "4006381333931"}


def test_one_that_a_camera_turned_is_where_the_upright_picture_shows_it(viewer: Viewer) -> None:
    upright = with_code(poster(size=(600, 300)), LINK, (350, 50))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned a quarter clockwise
    seen = look(viewer, file_of(upright.rotate(90, expand=True), "JPEG", exif=exif))
    (found,) = seen.codes
    assert seen.shape is not None
    assert (seen.shape.width, seen.shape.height) == (600, 300)
    assert min(x for x, _ in found.box) > 340


def test_black_on_nothing_is_seen_as_on_white(viewer: Viewer) -> None:
    drawn = code(LINK).convert("RGBA")
    clear = Image.new("RGBA", drawn.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=drawn.convert("L").point(lambda value: 255 - value))
    assert [each.text for each in look(viewer, file_of(clear)).codes] == [LINK]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"", "no picture of a format"),
        (b"<!doctype html><p>not found", "no picture of a format"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%PDF-1.7", "no picture of a format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not read"),
        (bomb(9_000, 9_000), "9000 x 9000 pixels"),
        (bomb(60_000, 60_000), "pixels"),
        (bomb(2**31 - 1, 2**31 - 1), "not read"),
        (file_of(Image.new("RGB", (1, 1))), "too small"),
        (file_of(poster(), "TIFF"), "no picture of a format"),
        (b"\x89PNG" + bytes(decoding.MAX_BYTES), "more than"),
    ],
)
def test_what_is_not_read_is_said(viewer: Viewer, data: bytes, note: str) -> None:
    seen = look(viewer, data)
    assert (seen.codes, seen.done) == ((), False)
    assert any(note in each for each in seen.notes), seen.notes


def test_of_a_picture_that_breaks_off_what_came_is_read(viewer: Viewer) -> None:
    data = file_of(with_code(poster(size=(640, 1_600)), LINK, (200, 40)), "JPEG")
    seen = look(viewer, data[: len(data) - 900])
    assert [each.text for each in seen.codes] == [LINK]
    assert any("breaks off" in each for each in seen.notes)


def test_of_one_that_moves_the_first_frame_is_read(viewer: Viewer) -> None:
    file = io.BytesIO()
    with_code(poster(), LINK, (200, 100)).save(file, "GIF", save_all=True, append_images=[poster("b"), poster("c")])
    seen = look(viewer, file.getvalue())
    assert [each.text for each in seen.codes] == [LINK]
    assert any("first of its 3 frames" in each for each in seen.notes)


def test_every_broken_byte_costs_no_more_than_the_picture(viewer: Viewer) -> None:
    whole = file_of(with_code(poster(size=(320, 320)), LINK, (20, 20)), "WEBP", lossless=True)
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        look(viewer, bytes(broken))
    assert look(viewer, whole).done


def test_an_engine_that_dies_costs_its_picture_and_no_other(viewer: Viewer) -> None:
    data = file_of(with_code(poster(), LINK, (200, 100)))
    look(viewer, data)
    pid = viewer.pids["codes"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    lost = look(viewer, data)
    assert not lost.done
    assert "died" in lost.notes[0]
    assert look(viewer, data).done


def test_the_limits_of_time_and_memory_hold() -> None:
    large = file_of(poster(size=(7_000, 7_000)))
    with Viewer(("codes",), seconds={"codes": 0.05}) as hurried:
        begun = time.monotonic()
        late = look(hurried, large)
        assert time.monotonic() - begun < 60
        assert not late.done
        assert "the time was up" in late.notes[0] or "did not end" in late.notes[0]
    with Viewer(("codes",), memory_bytes=64 << 20) as poor:
        greedy = look(poor, large)
        assert not greedy.done
        assert "memory" in greedy.notes[0]
        assert look(poor, file_of(with_code(poster(), LINK, (200, 100)))).done


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        (LINK, True),
        ("HTTPS://SHOP.EXAMPLE/A", True),
        ("http://a.example", True),
        ("WIFI:T:WPA;S:net;P:secret;;", False),
        ("javascript:alert(1)", False),
        ("see https://a.example", False),
        ("https://a.example and more", False),
        ("mailto:a@a.example", False),
    ],
)
def test_a_web_address_in_a_code_is_a_candidate_that_nobody_followed(text: str, *, is_link: bool) -> None:
    box = ((0, 0), (1, 0), (1, 1), (0, 1))
    found = Code(format="QRCode", content="Text", text=text, data=text.encode(), box=box)
    said = together({"codes": Looked(engine={}, codes=(found,), done=True)})
    links = [{"href": text, "kind": "qr", "code": 0, "follow": False, "reason": "in_picture"}]
    assert said["links"] == (links if is_link else [])
    assert said["derived"] is True


@pytest.mark.parametrize("height", [1, 100, 1_600, 1_601, 1_760, 3_040, 3_041, 40_000])
def test_bands_cover_a_page_and_each_row_is_one_bands_own(height: int) -> None:
    every = list(words.bands(height))
    assert every[0][2] == 0
    assert every[-1][3] == every[-1][1] == height
    for before, after in pairwise(every):
        assert before[3] == after[2]
        assert after[0] < after[2] < before[1]  # the line at the seam is whole in both
    assert all(bottom - top <= words.BAND_HEIGHT for top, bottom, _, _ in every)
