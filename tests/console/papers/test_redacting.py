"""``redact``: nothing under a box survives in pixels, text or metadata; the copy is tied to its original."""

import io
import os
import re
import shutil
import subprocess
import zlib
from importlib.util import find_spec
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, PngImagePlugin

from archive.errors import UsageError
from archive.reading import Box
from archive.vault import Vault
from crawlers.others import suggest, words_of_others
from crawlers.pictures.findings import Line
from crawlers.pictures.redaction import chunks, redact
from crawlers.pictures.viewing import Viewer
from tests.archive.deployment import now
from tests.console.papers.office import BOX, CASE, INK, Office, Plan, acquire_page
from tests.console.papers.reading_pdf import text_of
from tests.crawlers.pictures.drawing import file_of, poster

X, Y, WIDTH, HEIGHT = BOX
WHOLE = Box(x=X, y=Y, width=WIDTH, height=HEIGHT)
SECRET = "bystander_77"


def png(mode: str = "RGB") -> bytes:
    picture = Image.new("RGB", (640, 400), (250, 250, 250))
    picture.paste(INK, (X, Y, X + WIDTH, Y + HEIGHT))
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET)
    notes.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET}</x>")
    file = io.BytesIO()
    picture.convert(mode).save(
        file, "PNG", pnginfo=notes, dpi=(72, 72), exif=_exif(), icc_profile=b"profile " + SECRET.encode()
    )
    return file.getvalue() + SECRET.encode()  # behind the end, where a viewer does not look


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET
    return exif.tobytes()


def inflated(data: bytes) -> bytes:
    """All of a PNG's pixels, as they lie in it."""
    body, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            body += data[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(body)


def content(stream: pikepdf.Stream) -> bytes:
    """As a reader gets it; of a JPEG, its bytes."""
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        return stream.read_raw_bytes()


def near(colour: object) -> bool:
    """To the ink that was under the box, as a JPEG would have it."""
    return isinstance(colour, tuple) and sum(abs(one - other) for one, other in zip(colour, INK, strict=True)) < 40


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_nothing_under_a_box_survives(mode: str) -> None:
    original = png(mode)
    ink = Image.open(io.BytesIO(original)).convert("RGB").getpixel((X, Y))
    made = redact(original, [WHOLE])
    assert set(chunks(made)) == {b"IHDR", b"IDAT", b"IEND"}
    assert made.endswith(b"IEND\xaeB`\x82")
    assert SECRET.encode() not in made
    assert SECRET.encode() not in inflated(made)
    before, after = (Image.open(io.BytesIO(each)).convert("RGB") for each in (original, made))
    assert ink in {colour for _, colour in before.getcolors() or ()}
    assert ink not in {colour for _, colour in after.getcolors() or ()}
    assert after.size == before.size
    assert after.crop((X, Y, X + WIDTH, Y + HEIGHT)).getcolors() == [(WIDTH * HEIGHT, (0, 0, 0))]
    outside = [(0, 0, 640, Y), (0, Y + HEIGHT, 640, 400), (0, Y, X, Y + HEIGHT), (X + WIDTH, Y, 640, Y + HEIGHT)]
    assert all(before.crop(each).tobytes() == after.crop(each).tobytes() for each in outside)
    assert redact(original, [WHOLE]) == made


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 641, 5), (600, 390, 40, 11)])
def test_a_box_lies_in_the_picture(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match="does not lie"):
        redact(png(), [Box(x=box[0], y=box[1], width=box[2], height=box[3])])


def test_what_is_no_whole_png_is_refused() -> None:
    for data in (b"", b"GIF89a", png()[:500], b"\x89PNG\r\n\x1a\n" + b"\0" * 40):
        with pytest.raises(UsageError):
            redact(data, [WHOLE])
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (1, 2, 3, 9)).save(file, "PNG")
    with pytest.raises(UsageError, match="see-through"):
        redact(file.getvalue(), [Box(x=0, y=0, width=5, height=5)])


@pytest.mark.browser
def test_the_command_ties_it_to_its_original_and_the_pdf_has_nothing_either(own: Office, tmp_path: Path) -> None:
    original = own.artifact(own.post, "screenshot.png")
    box = ",".join(str(each) for each in BOX)
    made = own.ok("redact", own.post, "--box", box, "-o", str(tmp_path / "r"), "--json").document
    assert made["of"] == {"name": "screenshot.png", "sha256": original["sha256"]}
    data = (tmp_path / "r" / "redacted.png").read_bytes()
    assert own.blob(made["sha256"]).read_bytes() == data
    assert own.blob(original["sha256"]).stat().st_size == original["bytes"]
    path = tmp_path / "r" / "redacted.pdf"
    text = text_of(path)
    assert made["sha256"] in text
    assert original["sha256"] in text
    assert SECRET not in text
    assert "Love" not in text  # no text layer of the page
    assert path.read_bytes().count(b"%%EOF") == 1  # no earlier version of it below an update
    if shutil.which("qpdf"):
        assert subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=False).returncode == 0
        flat = subprocess.run(
            ["qpdf", "--qdf", "--object-streams=disable", str(path), "-"], capture_output=True, check=True
        ).stdout
        assert SECRET.encode() not in flat
    with pikepdf.open(path) as pdf:
        assert not [each for each in ("/EmbeddedFiles", "/JavaScript") if each in pdf.Root.get("/Names", {})]
        assert not [page for page in pdf.pages if "/Thumb" in page or "/PieceInfo" in page]
        images = [each for page in pdf.pages for each in page.images.values()]
        assert images
        for one in images:
            colours = pikepdf.PdfImage(one).as_pil_image().convert("RGB").getcolors(1 << 24)  # type: ignore[arg-type]
            assert not [colour for _, colour in colours or () if near(colour)]
        loose = b"".join(content(each) for each in pdf.objects if isinstance(each, pikepdf.Stream))
    assert SECRET.encode() not in loose
    assert re.search(SECRET.encode(), path.read_bytes()) is None

    again = own.ok("redact", own.post, "--box", box, "-o", str(tmp_path / "s"), "--no-pdf", "--json").document
    assert (again["sha256"], again["index"]) == (made["sha256"], None)
    told = own.ok("verify", "--json").document
    assert told["facts"]["events"]["artifact.derived"] == 1
    own.ok("export", "--case", CASE, "-o", str(tmp_path / "bag"))
    assert any(path.read_bytes() == data for path in (tmp_path / "bag").rglob("*") if path.is_file())
    ran = own.run("verify", "--export", str(tmp_path / "bag"), "--trust", str(own.home / "trust.json"))
    assert ran.code == 0, ran.out


def test_what_makes_no_sense_is_refused(office: Office, tmp_path: Path) -> None:
    for options, said in (
        ((), "--box X,Y,W,H"),
        (("--box", "1,2,3"), "whole pixels"),
        (("--box", "1,2,3,4", "--picture", "dom.html"), "it has viewport.png, screenshot.png"),
    ):
        ran = office.run("redact", office.post, *options, "-o", str(tmp_path / "r"))
        assert ran.code == 2
        assert said in ran.err
        assert not (tmp_path / "r").exists()


PAGE = """<!doctype html><html><head><title>Ana</title><script type="application/ld+json">{"@context": "https://schema.org",
"@type": "SocialMediaPosting", "author": {"@type": "Person", "name": "ana", "url": "https://social.example/ana"},
"articleBody": "my bracelet never leaves my wrist and I love it so much"}</script></head><body><main><article>
<p><a href="/ana">ana</a> my bracelet never leaves my wrist and I love it so much</p></article><h2>Comments</h2>
<ul><li><a href="/bystander_77">bystander_77</a> where did you get it</li>
<li><a href="/nadia.k">nadia.k</a> so pretty</li></ul></main></body></html>"""


def test_words_of_others_are_told_apart_and_found_on_the_picture() -> None:
    blocks = words_of_others(PAGE.encode(), "https://social.example/p/1")
    told = " ".join(blocks)
    assert "bystander_77" in told
    assert "so pretty" in told
    assert "never leaves my wrist" not in told
    lines = [
        Line(text=text, confidence="0.990", box=((10, top), (200, top), (200, top + 20), (10, top + 20)))
        for top, text in (
            (0, "bystander_77"),
            (50, "Where did you get it?"),
            (100, "ana"),
            (150, "my bracelet"),
            (200, "it"),
        )
    ]
    found = suggest(lines, blocks, width=201, height=400)
    assert [each.words for each in found] == ["bystander_77", "Where did you get it?"]
    assert found[0].box == Box(x=7, y=0, width=194, height=23)
    assert suggest(lines, [], width=201, height=400) == []


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("rapidocr") is None and "CI" not in os.environ, reason="RapidOCR is not installed: make ocr"
)
def test_what_the_engine_suggests_cannot_be_read_any_more_in_the_copy(own: Office, tmp_path: Path) -> None:
    """The real engine on the picture, the suggested boxes, and the same engine on what came of them."""
    lines = ("ana", "my bracelet never leaves my wrist", "bystander_77", "where did you get it", "so pretty")
    drawn = poster(*lines, size=(900, 480))
    unit = captured(own, PAGE, file_of(drawn))
    told = own.ok("redact", unit, "--suggest", "--json").document
    assert told["why"] is None
    assert [each["words"] for each in told["boxes"]] == list(lines[2:])
    boxes = [word for each in told["boxes"] for word in ("--box", each["box"])]
    own.ok("redact", unit, *boxes, "-o", str(tmp_path / "r"), "--no-pdf")
    copy = (tmp_path / "r" / "redacted.png").read_bytes()
    with Viewer(("text",)) as viewer:
        before = {line.text for line in viewer.look(file_of(drawn))["text"].lines}
        after = {line.text for line in viewer.look(copy)["text"].lines}
    assert set(lines) <= before
    assert set(lines[:2]) <= after
    assert not set(lines[2:]) & after
    assert not [each for each in after if "bystander" in each or "pretty" in each or "get it" in each]


def captured(office: Office, html: str, pixels: bytes) -> str:
    """One more capture of the case: its document and its picture."""
    with Vault.open(office.config, clock=now) as vault:
        acquisition = vault.begin(CASE, {"software": "counterproof", "version": "0.1.0"}, "J. Doe")
        unit = acquisition.new_id()
        acquire_page(acquisition, Plan(), unit, "https://social.example/p/1", html, pixels)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=(), controls=None)
    return unit


def test_suggestions_without_an_engine_say_what_to_install(office: Office) -> None:
    ran = office.ok("redact", office.post, "--suggest", "--json").document
    assert ran["others"] == []
    assert ran["boxes"] == []
    assert office.run("redact", office.post, "--box", "1,2,3,4").code == 2
