"""Prints of the pictures in traffic: whatever their format, each once, with limits, and again from the cache."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageCms
from warcio.warcwriter import WARCWriter

from archive.derived import Derived
from archive.errors import StoreError
from crawlers import run
from crawlers.pictures import decoding
from crawlers.pictures.printing import Look, Printer, Sheet, printed
from custody.digest import Digest
from findings.resemblance import Print, compare
from tests.archive.packaging.traffic import warc
from tests.crawlers.pictures.drawing import file_of
from tests.crawlers.pictures.test_codes import bomb
from tests.findings.painting import mirrored, paint

SCENE = paint("scene", 3)
PRINT = printed(SCENE)


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as made:
        yield made


def look(printer: Printer, data: bytes) -> Look:
    return printer.look(data, Digest.of(data))


def is_the_scene(found: Look) -> bool:
    return found.print is not None and compare(PRINT, found.print) is not None


def turned_by_exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned a quarter clockwise
    return file_of(SCENE.rotate(90, expand=True), "JPEG", exif=exif)


def moving() -> bytes:
    file = io.BytesIO()
    SCENE.save(file, "GIF", save_all=True, append_images=[paint("scene", 4).resize(SCENE.size)])
    return file.getvalue()


def clear_around() -> bytes:
    """A thing on nothing, as shops cut it out: looked at on white."""
    good = paint("bag on white", 2)
    clear = good.convert("RGBA")
    clear.putalpha(good.convert("L").point(lambda value: 0 if value > 250 else 255))
    return file_of(clear)


@pytest.mark.parametrize(
    "data",
    [
        file_of(SCENE, "JPEG", quality=80),
        file_of(SCENE, "WEBP", quality=60),
        file_of(SCENE, "AVIF", quality=60),
        file_of(SCENE, "BMP"),
        file_of(SCENE.quantize(64), "PNG"),
        file_of(SCENE.convert("L"), "PNG"),
        file_of(SCENE.convert("CMYK"), "JPEG"),
        file_of(SCENE.convert("RGBA"), "PNG"),
        file_of(SCENE, "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
        turned_by_exif(),
        moving(),
    ],
    ids=["jpeg", "webp", "avif", "bmp", "palette", "grey", "cmyk", "alpha", "profile", "exif", "gif"],
)
def test_the_same_picture_in_every_format_that_browsers_show(printer: Printer, data: bytes) -> None:
    found = look(printer, data)
    assert is_the_scene(found), found.why
    assert (found.width, found.height) == SCENE.size


def test_what_is_clear_is_white(printer: Printer) -> None:
    found = look(printer, clear_around())
    assert found.print is not None
    assert compare(printed(paint("bag on white", 2)), found.print) is not None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no picture of a format"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "no picture of a format"),
        (bomb(9_000, 9_000), "9000 x 9000 pixels"),
        (bomb(60_000, 60_000), "pixels"),
        (bomb(2**31 - 1, 2**31 - 1), ""),
        (file_of(SCENE, "TIFF"), "no picture of a format"),
        (b"\x89PNG" + bytes(decoding.MAX_BYTES), "more than"),
    ],
    ids=["nothing", "svg", "broken", "bomb", "greater bomb", "greatest bomb", "tiff", "long"],
)
def test_what_has_no_print_says_why(printer: Printer, data: bytes, why: str) -> None:
    found = look(printer, data)
    assert found.print is None
    assert found.why
    assert why in found.why
    assert not found.is_small
    assert is_the_scene(look(printer, file_of(SCENE)))  # and costs no other


def test_every_broken_byte_costs_no_more_than_the_picture(printer: Printer) -> None:
    whole = file_of(SCENE.resize((160, 160)), "JPEG")
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        found = look(printer, bytes(broken))
        assert (found.print is None) == bool(found.why)
    assert look(printer, whole).print is not None


def test_the_limits_of_time_and_memory_hold() -> None:
    large = file_of(SCENE.resize((7_000, 7_000)), "JPEG")
    with Printer(seconds=0.05) as hurried:
        late = look(hurried, large)
        assert late.print is None
        assert not late.is_final
        assert "time" in late.why or "did not end" in late.why
    with Printer(memory_bytes=48 << 20) as poor:
        greedy = look(poor, large)
        assert greedy.print is None
        assert not greedy.is_final
        assert "memory" in greedy.why
        assert look(poor, file_of(SCENE.resize((300, 300)), "JPEG")).print is not None


def sheet_of(printer: Printer, *bodies: tuple[str, bytes]) -> Sheet:
    return printer.sheet([io.BytesIO(warc(*(("GET", url, "200 OK", body) for url, body in bodies)))])


def test_the_pictures_of_a_capture_each_once_with_all_its_places(printer: Printer) -> None:
    data, other = file_of(SCENE, "JPEG"), file_of(mirrored(SCENE), "PNG")
    found = sheet_of(
        printer,
        ("https://cdn.example/a.jpg", data),
        ("https://cdn.example/a.jpg", data),
        ("https://cdn.example/a.jpg?again", data),
        ("https://cdn.example/pixel.png", file_of(Image.new("RGB", (1, 1)))),
        ("https://cdn.example/avatar.png", file_of(SCENE.resize((64, 64)))),
        ("https://cdn.example/b.png", other),
        ("https://cdn.example/broken.png", b"\x89PNG\r\n\x1a\n" + bytes(40)),
        ("https://shop.example/", b"<!doctype html>"),
    )
    assert [(each.url.removeprefix("https://cdn.example/"), each.digest) for each in found.pictures] == [
        ("a.jpg", Digest.of(data)),
        ("a.jpg?again", Digest.of(data)),
        ("b.png", Digest.of(other)),
        ("broken.png", Digest.of(b"\x89PNG\r\n\x1a\n" + bytes(40))),
    ]
    assert found.small == 2
    first, _, third, last = found.pictures
    assert (first.width, first.height) == SCENE.size
    assert first.record.startswith("<urn:uuid:")
    assert first.media_type == "text/html"  # as the answer says it, however wrong
    assert first.print is not None
    assert third.print is not None
    likeness = compare(first.print, third.print)
    assert likeness is not None
    assert likeness.is_mirrored
    assert (last.print, last.why.startswith("it is no picture")) == (None, True)


def test_what_the_program_took_of_the_page_is_no_picture_of_the_page(printer: Printer) -> None:
    """A visit's WARC holds its own screenshots, too: two pages of one site look alike in them."""
    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
    for url in ("urn:view:https://shop.example/", "urn:fullPage:https://shop.example/", "https://shop.example/a.png"):
        taken = io.BytesIO(file_of(SCENE))
        record = writer.create_warc_record(url, "resource", payload=taken, warc_content_type="image/png")
        writer.write_record(record)
        record.raw_stream.close()
    file.seek(0)
    found = printer.sheet([file])
    assert [(each.url, each.media_type) for each in found.pictures] == [("https://shop.example/a.png", "image/png")]


def test_what_is_no_traffic_is_refused(printer: Printer) -> None:
    with pytest.raises(StoreError):
        printer.sheet([io.BytesIO(b"no WARC")])


def test_a_second_time_comes_from_the_cache(tmp_path: Path) -> None:
    bodies = (
        ("https://cdn.example/a.jpg", file_of(SCENE, "JPEG")),
        ("https://cdn.example/icon.png", file_of(SCENE.resize((32, 32)))),
        ("https://cdn.example/c.jpg", bomb(9_000, 9_000)),
    )
    with Printer(Derived.open(tmp_path, "prints", run.PRINTS_MAKER)) as printer:
        first = sheet_of(printer, *bodies)
    known = Derived.open(tmp_path, "prints", run.PRINTS_MAKER)
    with Printer(known, seconds=0, memory_bytes=0) as unable:  # it can make none
        again = sheet_of(unable, *bodies)
        assert [(each.print, each.why, each.width) for each in again.pictures] == [
            (each.print, each.why, each.width) for each in first.pictures
        ]
        assert again.small == first.small == 1
        fresh = sheet_of(unable, ("https://cdn.example/new.png", file_of(mirrored(SCENE))))
        assert fresh.pictures[0].print is None
    assert known.get(Digest.of(file_of(mirrored(SCENE)))) is None  # what may come to something else is not kept


def test_a_line_of_the_cache_that_says_nothing_is_made_again(tmp_path: Path) -> None:
    data = file_of(SCENE, "JPEG")
    known = Derived.open(tmp_path, "prints", run.PRINTS_MAKER)
    for text in ("", "{}", "[]", '{"print": "pdq1:0", "width": 1, "height": 1, "why": "", "is_small": false}'):
        known.put(Digest.of(data), text)
        with Printer(known) as again:
            assert is_the_scene(look(again, data))


def test_a_look_is_read_back_from_its_text() -> None:
    for each in (
        Look(print=PRINT, width=3, height=4),
        Look(why="it is SVG"),
        Look(why="small", is_small=True, width=9),
    ):
        assert Look.parse(each.to_text()) == each
    assert isinstance(Print.parse(str(PRINT)), Print)
