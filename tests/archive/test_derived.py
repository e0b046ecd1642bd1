"""What was derived from kept bytes is found again, and a cache that is lost or broken costs nothing but the time."""

import stat
from pathlib import Path

import pytest

from archive.derived import Derived
from custody.digest import Digest

ONE, OTHER = Digest.of(b"one"), Digest.of(b"other")


def test_what_was_put_is_there_the_next_time(tmp_path: Path) -> None:
    first = Derived.open(tmp_path, "prints", "1")
    assert first.get(ONE) is None
    first.put(ONE, "a text with spaces: ü")
    first.put(OTHER, "")
    for derived in (first, Derived.open(tmp_path, "prints", "1")):
        assert (derived.get(ONE), derived.get(OTHER)) == ("a text with spaces: ü", "")
    assert Derived.open(tmp_path, "prints", "2").get(ONE) is None


def test_it_is_private_as_the_home_is(tmp_path: Path) -> None:
    Derived.open(tmp_path, "prints", "1").put(ONE, "text")
    assert stat.S_IMODE((tmp_path / "prints").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "prints" / "1.txt").stat().st_mode) == 0o600


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    one, other = Derived.open(tmp_path, "prints", "1"), Derived.open(tmp_path, "prints", "1")
    for n in range(50):
        one.put(Digest.of(b"one %d" % n), f"{n}")
        other.put(Digest.of(b"other %d" % n), f"{n}")
    after = Derived.open(tmp_path, "prints", "1")
    assert [after.get(Digest.of(b"one %d" % n)) for n in range(50)] == [f"{n}" for n in range(50)]
    assert [after.get(Digest.of(b"other %d" % n)) for n in range(50)] == [f"{n}" for n in range(50)]


def test_a_line_that_broke_off_and_rubbish_are_no_lines(tmp_path: Path) -> None:
    Derived.open(tmp_path, "prints", "1").put(ONE, "text")
    with (tmp_path / "prints" / "1.txt").open("ab") as file:
        file.write(b"\xff\xfe rubbish\n" + OTHER.hex.encode() + b" half")
    again = Derived.open(tmp_path, "prints", "1")
    assert (again.get(ONE), again.get(OTHER)) == ("text", None)


def test_a_place_that_takes_no_file_costs_the_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "prints").write_text("a file, where a directory belongs")
    derived = Derived.open(tmp_path, "prints", "1")
    derived.put(ONE, "text")
    assert derived.get(ONE) == "text"
    assert Derived.open(tmp_path, "prints", "1").get(ONE) is None


def test_a_link_in_its_place_is_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    (tmp_path / "prints").mkdir()
    (tmp_path / "prints" / "1.txt").symlink_to(elsewhere)
    Derived.open(tmp_path, "prints", "1").put(ONE, "text")
    assert elsewhere.read_text() == ""


def test_a_text_of_two_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one line"):
        Derived.open(tmp_path, "prints", "1").put(ONE, "a\nb")
