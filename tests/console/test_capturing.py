"""What is asked for at the terminal, once, and lists that are read from standard input."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import environment, run, within


def _on_a_terminal(*arguments: str, home: Path, answer: str) -> str:
    """Run the command on a pseudo-terminal, answer its first question, and give all that it said."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "console", *arguments, "--home", str(home)],
        stdin=follower, stdout=follower, stderr=follower, env=environment({"COUNTERPROOF_BROWSER": "/bin/false"}),
        cwd=home.parent, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    said, answered, until = b"", False, time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                said += os.read(leader, 4096)
            except OSError:
                break  # the other end is closed
        if not answered and b"authority [none]" in said:
            os.write(leader, answer.encode() + b"\n")
            answered = True
        if process.poll() is not None and not select.select([leader], [], [], 0.2)[0]:
            break
    process.kill()
    process.wait()
    os.close(leader)
    return said.decode(errors="replace")


@pytest.mark.slow
def test_trusted_time_is_asked_for_once_on_a_terminal(tmp_path: Path) -> None:
    store = tmp_path / "files"
    command = ["capture", "https://a.example/", "--case", "x", "--store", f"file:{store}"]
    first = _on_a_terminal(*command, home=tmp_path / "home", answer="")
    assert "Trusted time:" in first
    assert "Time-stamp authority [none]" in first
    second = _on_a_terminal(*command, home=tmp_path / "home", answer="")
    assert "Time-stamp authority" not in second


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    ran = run(
        "capture", "https://a.example/", "--case", "x", "--store", f"file:{tmp_path / 'files'}",
        home=tmp_path / "home", env={"COUNTERPROOF_BROWSER": "/nonexistent"},
    )  # fmt: skip
    assert ran.code == 7
    assert "COUNTERPROOF_BROWSER" in ran.err
    assert "Time-stamp authority" not in ran.err


def test_a_list_without_a_url_is_a_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "list.txt"
    empty.write_text("# nothing yet\n")
    ran = within("capture", "--from", str(empty), "--case", "x", "--json", home=tmp_path / "home")
    assert ran.code == 2
    assert "holds no URL" in ran.document["error"]
    ran = within("capture", "--from", str(tmp_path / "gone.txt"), "--case", "x", "--json", home=tmp_path / "home")
    assert ran.code == 2
