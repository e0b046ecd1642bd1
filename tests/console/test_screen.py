"""What pages wrote reaches the terminal as plain characters, and programs always get their one document."""

from pathlib import Path

import pytest
from rich.text import Text

from console.screen import out
from tests.command import run


def test_nothing_hidden_reaches_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    out.print("pay\u202egnp.exe\u2066 \u200bnow \U0001f469\u200d\U0001f52c", markup=False)
    said = capsys.readouterr().out
    assert said == "pay\ufffdgnp.exe\ufffd \ufffdnow \U0001f469\u200d\U0001f52c\n"  # the emoji's own joiner stays


@pytest.mark.parametrize("wrapped", [str, Text])
def test_no_command_reaches_the_terminal(wrapped: type, capsys: pytest.CaptureFixture[str]) -> None:
    """A page's title, a draft's words: ESC [ 8 m would hide what follows, CSI is one character of 8 bits elsewhere."""
    out.print(wrapped("a\x1b[8mb\x9b2Jc\x1b]0;d\x07e\rf\x7f\tg\x00"), markup=False)
    said = capsys.readouterr().out
    assert not set(said) & {chr(each) for each in (*range(9), *range(11, 32), *range(127, 160))}
    assert said.startswith("a\ufffd[8mb\ufffd2Jc\ufffd]0;d")


@pytest.mark.parametrize(
    "arguments",
    [("capture", "--json", "http://a.example/"), ("capture", "--json", "--case", "x", "--depth", "99", "x")],
)
def test_a_wrong_option_is_a_document_too(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(*arguments, home=tmp_path / "home")
    assert ran.code == 2
    assert ran.document["exit_code"] == 2


def test_a_folder_that_is_not_there_says_nothing_against_the_evidence(tmp_path: Path) -> None:
    ran = run("verify", "--store", f"file:{tmp_path / 'gone'}", "--json", home=tmp_path / "home")
    assert ran.code == 6
    assert "there is no directory" in ran.document["error"]


@pytest.mark.slow
def test_no_copy_is_made_beside_the_private_keys(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for place in (home, home / "inside", tmp_path):
        assert run("mirror", str(place), home=home).code == 2
