"""One round: the real command, in a process of its own, on a list of all pages, into an archive of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tests.command import ROOT, environment, through
from tests.site.server import Seen, Site
from tests.validation.profiles import Setting

TIMEOUT_S = 20
"""For one page, as the command is told: pages that never answer would cost more of the whole than they are worth."""
COMMAND_S = 2 * 60 * 60
_HELD = frozenset({0, 3, 4})
"""Exit codes of a run that recorded all it looked at: complete, partial, a page that could not be had."""


class CouldNotRun(Exception):
    """The command did not get far enough for its errors to mean anything; says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What one command came to."""

    n: int
    captures: Sequence[Mapping[str, Any]] = field(repr=False)
    """As ``capture --json`` tells them (docs/cli.md)."""
    store: Path
    log: Sequence[Seen] = field(repr=False)
    """What the site was asked for meanwhile."""
    exit_code: int
    control: str
    """What came of the control captures at the run's start and end."""
    seconds: float
    command: Sequence[str] = field(repr=False)

    def asked_at(self) -> dict[str, list[datetime]]:
        """Address -> when the site was asked for it, by the site's own clock."""
        found: dict[str, list[datetime]] = {}
        for each in self.log:
            found.setdefault(f"{'https' if each.secure else 'http'}://{each.host}{each.path}", []).append(each.at)
        return found


def capture(
    site: Site,
    urls: Sequence[str],
    *,
    setting: Setting,
    n: int,
    folder: Path,
    extra: Mapping[str, str],
    progress: Callable[[int], object],
    at_a_time: int = 2,
) -> Round:
    """Blocking. Raises CouldNotRun where the command ends with anything but what a capture may end with."""
    folder.mkdir(parents=True, exist_ok=True)
    listed, store = folder / f"round-{n}.txt", folder / "store"
    listed.write_text("\n".join(urls) + "\n", encoding="utf-8")
    arguments = [
        "capture", "--from", str(listed), "--case", f"round-{n}", "--no-follow", "--json", "--progress", "json",
        "--timeout", str(TIMEOUT_S), "--concurrency", str(at_a_time), "--authority", "none",
        "--home", str(folder / "home"), "--store", f"file:{store}", *setting.options,
    ]  # fmt: skip
    before, begun = len(site.log), site.clock()
    with (folder / f"round-{n}.json").open("w+", encoding="utf-8") as told:
        with subprocess.Popen(
            [sys.executable, "-m", "console", *arguments, *through(site.resolve, site.trust_spki)],
            cwd=ROOT,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            try:
                said = _watch(process.stderr, progress)
                code = process.wait(COMMAND_S)
            except BaseException:
                process.terminate()  # it ends what it began, and records it
                raise
        told.seek(0)
        text = told.read()
    if code not in _HELD:
        raise CouldNotRun(f"`counterproof capture` left with {code}:\n{chr(10).join(said[-20:])}")
    seconds = (site.clock() - begun).total_seconds()
    document = json.loads(text)
    return Round(
        n=n,
        captures=document["captures"],
        store=store,
        log=site.log[before:],
        exit_code=code,
        control=", ".join(f"{when} {each['result']}" for when, each in document["control"].items()),
        seconds=seconds,
        command=["counterproof", *arguments],
    )


def _watch(stream: IO[str] | None, progress: Callable[[int], object]) -> list[str]:
    """Counts what is recorded; what is no progress is what the command says to a person."""
    said, done = [], 0
    for line in stream or ():
        if not line.startswith("{"):
            said.append(line.rstrip())
            continue
        if json.loads(line).get("step") == "recorded":
            done += 1
            progress(done)
    return said


def verified(folder: Path) -> bool:
    """Whether the archive of all rounds verifies, by the command's own word."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "console",
            "verify",
            "--home",
            str(folder / "home"),
            "--store",
            f"file:{folder / 'store'}",
        ],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=COMMAND_S,
    )
    return ran.returncode == 0
