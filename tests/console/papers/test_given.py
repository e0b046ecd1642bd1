"""What a person hands to the papers: profiles, translations, boxes. What is none is refused with a sentence."""

import zlib
from pathlib import Path

import pytest

from archive.errors import UsageError
from archive.keyring.making import read_trust
from archive.reading import Box
from console.papers.delivery import translations
from console.papers.passages import Translation
from console.papers.volumes import read_profile
from console.verbs.redacting import _box
from crawlers.pictures.redaction import redact

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        "max_mb = nan", "max_mb = inf", "max_mb = -inf", "max_mb = 1e308", f"max_pages = {'9' * 5000}",
        "name = " + "[" * 9000,
    ],
    ids=["nan", "inf", "-inf", "huge", "digits", "nested"],
)  # fmt: skip
def test_a_profile_of_no_number_is_refused(tmp_path: Path, text: str) -> None:
    profile = tmp_path / "court.toml"
    profile.write_text(text)
    with pytest.raises(UsageError, match=r"court\.toml"):
        read_profile(profile)


def test_a_profile_of_less_than_a_byte_takes_one(tmp_path: Path) -> None:
    profile = tmp_path / "court.toml"
    profile.write_text("max_mb = 1e-9")
    assert read_profile(profile).max_bytes == 1


def test_a_translation_keeps_its_lines(tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    table.write_bytes(f'sha256,kind,by,text\r\n{DIGEST},certified,R. Roe,"first\nsecond\u2028third"\r\n'.encode())
    assert translations(table) == {
        DIGEST: [Translation(kind="certified", by="R. Roe", text="first\nsecond\u2028third")]
    }


def test_a_translation_is_bound_to_a_digest(tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    table.write_text(f"sha256,kind,by,text\nsha256:{DIGEST.upper()},aid,R. Roe,a bracelet\n")
    assert list(translations(table)) == [DIGEST], "however it was copied"
    table.write_text(f"sha256,kind,by,text\n{DIGEST[:-1]},aid,R. Roe,a bracelet\n")
    with pytest.raises(UsageError, match="line 2: a SHA-256 digest is 64"):
        translations(table)


def test_what_has_no_end_is_not_read_to_it() -> None:
    endless = Path("/dev/zero")
    with pytest.raises(UsageError, match="no table of translations"):
        translations(endless)
    with pytest.raises(UsageError, match="no profile"):
        read_profile(endless)
    with pytest.raises(UsageError, match="trust file that can be believed"):
        read_trust(endless)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,x", "1,2,3,-4", f"1,2,3,{'9' * 5000}", "1,2,3,٤"])
def test_a_box_is_four_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="X,Y,W,H"):
        _box(text)


def test_a_picture_that_is_a_bomb_is_not_redacted() -> None:
    head = (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, body) for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    )
    with pytest.raises(UsageError, match="pixels are redacted"):
        redact(bomb, [Box(x=0, y=0, width=1, height=1)])


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
