"""Runs the real command in a process of its own, as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.moved import Moved

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 240


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What came of one command."""

    code: int
    out: str = field(repr=False)
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def captures(self) -> list[Any]:
        captures: list[Any] = self.document["captures"]
        return captures

    def capture_of(self, url: str) -> Any:
        """The capture that was asked for by this URL."""
        (found,) = [each for each in self.captures if each["requested_url"] == url and each["parent"] is None]
        return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what would name another home or store."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COUNTERPROOF_"))}
    if named := os.environ.get("COUNTERPROOF_BROWSER"):
        kept["COUNTERPROOF_BROWSER"] = named
    return {**kept, "PYTHONPATH": str(ROOT), **(extra or {})}


def command_under(clock: Moved | None) -> list[str]:
    """The module to run: the command, or the command by a clock that a test moves."""
    return ["console"] if clock is None else ["tests.moved", str(clock.path)]


def begin(
    *arguments: str, home: Path, env: Mapping[str, str] | None = None, clock: Moved | None = None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command_under(clock), *arguments, "--home", str(home)],
        cwd=home.parent,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def end(process: "subprocess.Popen[str]", *, timeout_s: float = TIMEOUT_S) -> Ran:
    """Wait; whatever happened, a traceback is never what a person gets to see."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the command did not end within {timeout_s} s; stderr: {err[-4000:]}") from None
    assert "Traceback (most recent call last)" not in err, err
    assert "never retrieved" not in err, err
    return Ran(code=process.returncode, out=out, err=err)


def run(
    *arguments: str,
    home: Path,
    env: Mapping[str, str] | None = None,
    clock: Moved | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Ran:
    return end(begin(*arguments, home=home, env=env, clock=clock), timeout_s=timeout_s)


def through(resolve: Sequence[str], trust_spki: Sequence[str]) -> list[str]:
    """The options that lead the command to a make-believe network, whose hosts need no rest."""
    options = ["--delay", "0", "--per-host", "16", "--look-again", "0"]
    for each in resolve:
        options += ["--resolve", each]
    for each in trust_spki:
        options += ["--trust-spki", each]
    return options


def within(*arguments: str, home: Path, env: Mapping[str, str] | None = None) -> Ran:
    """The same command in this process, for what ends before it begins: a second less than in one of its own."""
    from typer.testing import CliRunner

    from console.cli import app

    told = CliRunner().invoke(app, [*arguments, "--home", str(home)], env=dict(env or {}))
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return Ran(code=told.exit_code, out=told.stdout, err=told.stderr)
