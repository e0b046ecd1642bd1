"""Workers, as processes, on the make-believe network; and their database, looked into from outside."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from archive.config import ArchiveConfig
from archive.watching.database import Database, open_database
from tests.command import environment
from tests.site.server import Site

PATIENCE_S = 180.0


class Process:
    """One of ours that goes on until it is told to stop; what it says is read as it comes."""

    def __init__(self, *arguments: str, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", *arguments, "--home", str(home)],
            cwd=home.parent,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def events(self) -> list[dict[str, Any]]:
        found = []
        for line in list(self.lines):
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
        self._close()

    def stop(self, *, within_s: float = PATIENCE_S) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not stop within {within_s} s: {self.told()}") from None
        self._close()
        assert "Traceback" not in self.told(), self.told()
        return code

    def _close(self) -> None:
        """What it said last is read; a child of its that still holds the pipe is not waited for."""
        self._reader.join(10)
        assert self.process.stderr is not None
        if not self._reader.is_alive():
            self.process.stderr.close()

    def told(self) -> str:
        return "".join(self.lines)[-6000:]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)


@contextmanager
def worker(site: Site, home: Path, *more: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Killed when it is left, unless it was stopped before."""
    process = Process("work", *through(site), *more, home=home, env=env)
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
