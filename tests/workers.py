"""Workers, as processes, on the make-believe network; and their database, looked into from outside."""

import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from archive.config import ArchiveConfig
from archive.watching.database import Database, open_database
from tests.command import command_under, environment
from tests.moved import Moved
from tests.site.server import Site

PATIENCE_S = 180.0


class Process:
    """One of ours that goes on until it is told to stop; what it says is in a file, which its children may outlive."""

    def __init__(
        self,
        *arguments: str,
        home: Path,
        env: Mapping[str, str] | None = None,
        clock: Moved | None = None,
        wrap: Sequence[str] = (),
    ) -> None:
        """``wrap``: a program and its options that run it, and become it."""
        self.log = home.parent / f"{arguments[0]}-{secrets.token_hex(4)}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*wrap, sys.executable, "-m", *command_under(clock), *arguments, "--home", str(home)],
                cwd=home.parent,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    @property
    def events(self) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def said(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each.get("event") == event]

    def wait_for(self, event: str, *, times: int = 1, within_s: float = PATIENCE_S) -> dict[str, Any]:
        until(lambda: len(self.said(event)) >= times or self.process.poll() is not None, within_s, self.told)
        found = self.said(event)
        assert len(found) >= times, self.told()
        return found[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, *, within_s: float = PATIENCE_S) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not stop within {within_s} s: {self.told()}") from None
        assert "Traceback" not in self.told(), self.told()
        return code

    def told(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-6000:]


@contextmanager
def worker(
    site: Site,
    home: Path,
    *more: str,
    env: Mapping[str, str] | None = None,
    clock: Moved | None = None,
    wrap: Sequence[str] = (),
) -> Iterator[Process]:
    """Killed when it is left, unless it was stopped before."""
    process = Process("work", *through(site), *more, home=home, env=env, clock=clock, wrap=wrap)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.kill()


def through(site: Site) -> list[str]:
    """Into the make-believe network; without the program's own page, which other tests look at."""
    options = ["--look-again", "0", "--no-control"]
    for each in site.resolve:
        options += ["--resolve", each]
    for each in site.trust_spki:
        options += ["--trust-spki", each]
    return options


@contextmanager
def database_of(home: Path) -> Iterator[Database]:
    with open_database(ArchiveConfig.load({}, settings={}, home=home)) as database:
        yield database


def rows(database: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return connection.execute(query.encode(), values).fetchall()


def until(what: Callable[[], object], within_s: float = PATIENCE_S, told: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, f"it did not come to that within {within_s} s: {told()}"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False


def below(pid: int) -> list[int]:
    """All processes that it has started, and those have."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found += [int(entry.name), *below(int(entry.name))]
    return found
