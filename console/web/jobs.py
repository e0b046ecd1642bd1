"""Jobs: captures that were asked for in the browser.

Looks in the queue, where there is one with workers at it; else the capture command, as a child of this process.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from archive.catalog import Entry
from archive.config import ArchiveConfig
from archive.errors import ArchiveError, Refused, UsageError
from console.web.queued import Desk, open_desk
from custody.ids import uuid7
from custody.instant import format_utc
from custody.model import Json

MAX_URLS = 50
MAX_URL = 4_000
MAX_AT_ONCE = 2
"""Commands that run at a time; each has browsers of its own."""
MAX_KEPT = 100
MAX_STEPS = 500
_END_S = 60
_SEEN_EVERY_S = 1.0
_PARTIAL, _PAGE_LACKS = 3, 4
"""As the command leaves (docs/cli.md, "Exit codes")."""
_STEPS = {
    "queued": "waiting in the queue",
    "running": "taken by a worker",
    "done": "ended",
    "failed": "failed",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What somebody asked for."""

    urls: tuple[str, ...]
    case: str
    """Its name."""
    by: str
    follow: bool = True
    device: str = "desktop"

    def __post_init__(self) -> None:
        if not self.urls:
            raise UsageError("name a page: one address a line, http or https")
        if len(self.urls) > MAX_URLS:
            raise UsageError(f"at most {MAX_URLS} pages at once, got {len(self.urls)}: capture --from takes any number")
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > MAX_URL:
                raise UsageError(f"this is no address of a public page: {url[:200]!r}")
        if self.device not in {"desktop", "phone"}:
            raise UsageError(f"a device is desktop or phone, got {self.device[:40]!r}")


@dataclass(kw_only=True, slots=True)
class Job:
    """Changes while it runs; what is read of it is whole at any time."""

    id: str
    wanted: Wanted
    asked_at: datetime
    state: str = "waiting"
    """``waiting``, ``running``, ``ended``."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None
    """Of the command, when it has ended (docs/cli.md, "Exit codes")."""
    result: dict[str, Any] | None = None
    trouble: str | None = None
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def has_ended(self) -> bool:
        return self.state == "ended"

    def to_json(self) -> dict[str, Json]:
        captures = [] if self.result is None else [each["id"] for each in self.result.get("captures", [])]
        return {
            "schema": 1,
            "id": self.id,
            "case": self.wanted.case,
            "urls": list(self.wanted.urls),
            "state": self.state,
            "exit_code": self.code,
            "trouble": self.trouble,
            "steps": [{name: str(value) for name, value in each.items()} for each in self.steps],
            "captures": captures,
        }


class Jobs:
    """Of one console. Safe for threads."""

    def __init__(
        self,
        config: ArchiveConfig,
        clock: Callable[[], datetime],
        *,
        key: Callable[[str], str],
        of_unit: Callable[[str], Sequence[Entry]],
        options: Sequence[str] = (),
    ) -> None:
        """``key``: an address for comparing only. ``of_unit``: its captures, as far as the log is there.

        ``options``: more of the capture command's, for a network of one's own.
        """
        self._key = key
        self._of_unit = of_unit
        self._config = config
        self._clock = clock
        self._options = tuple(options)
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(MAX_AT_ONCE)
        self._closed = threading.Event()

    def begin(self, wanted: Wanted) -> Job:
        """The one place where a capture is set going."""
        job = Job(id=self._new_id(), wanted=wanted, asked_at=self._clock())
        with self._lock:
            open_ = [each for each in self._jobs.values() if not each.has_ended]
            if len(open_) >= MAX_KEPT:
                raise Refused(f"{len(open_)} captures are waiting already: let some of them end first")
            for old in [each.id for each in self._jobs.values() if each.has_ended][: len(self._jobs) - MAX_KEPT + 1]:
                del self._jobs[old]
            self._jobs[job.id] = job
        threading.Thread(target=self._run, args=(job,), name=f"job-{job.id}", daemon=True).start()
        return job

    def find(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Newest first."""
        return [*reversed(self._jobs.values())]

    def close(self) -> None:
        """Interrupt what runs, as Ctrl-C does: what was begun gets its end."""
        self._closed.set()
        for job in self.all():
            if (process := job._process) is not None and process.poll() is None:  # noqa: SLF001  # ours
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    process.kill()

    def _new_id(self) -> str:
        return uuid7(self._clock(), os.urandom(10))

    def _run(self, job: Job) -> None:
        with open_desk(self._config, key=self._key, new_id=self._new_id, clock=self._clock) as desk:
            if desk is not None:
                try:
                    self._follow(job, desk)
                except ArchiveError as error:
                    job.trouble, job.state = str(error), "ended"
                return
        self._run_command(job)

    def _follow(self, job: Job, desk: Desk) -> None:
        """Until all its looks have ended, or the console does: the looks go on then."""
        wanted = job.wanted
        ids = desk.ask(wanted.urls, case=wanted.case, by=wanted.by, follow=wanted.follow, device=wanted.device)
        seen: set[tuple[str, str]] = set()
        while True:
            found = desk.see(ids)
            for each in found:
                if (each.id, each.state) not in seen and len(job.steps) < MAX_STEPS:
                    seen.add((each.id, each.state))
                    step = {"at": format_utc(each.at), "step": _STEPS[each.state], "url": each.url}
                    job.steps.append({**step, "reason": each.detail} if each.detail else step)
            job.state = "waiting" if all(each.state == "queued" for each in found) else "running"
            if all(each.has_ended for each in found):
                break
            if self._closed.wait(_SEEN_EVERY_S):
                job.trouble, job.state = "the console was stopped; the looks stay in the queue", "ended"
                return
        failed = [each for each in found if each.state != "done"]
        captures = [entry for each in found if each.unit is not None for entry in self._of_unit(each.unit)]
        job.result = {
            "captures": [
                {
                    "id": each.capture_id,
                    "status": each.status,
                    "outcome": each.outcome,
                    "requested_url": each.requested_url,
                }
                for each in captures
            ]
        }
        job.code = _PAGE_LACKS if failed else _PARTIAL if any(each.status != "complete" for each in captures) else 0
        if failed:
            job.trouble = f"{len(failed)} of {len(found)} pages: {failed[0].detail or failed[0].state}"
        job.state = "ended"

    def _run_command(self, job: Job) -> None:
        with self._turns:
            if self._closed.is_set():
                job.trouble, job.state = "the console was stopped before its turn came", "ended"
                return
            job.state = "running"
            try:
                process = subprocess.Popen(
                    self._line(job.wanted),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                job.trouble, job.state = f"the capture command could not be started: {error}", "ended"
                return
            job._process = process  # noqa: SLF001  # ours
            told = threading.Thread(target=self._listen, args=(job, process), daemon=True)
            told.start()
            assert process.stdout is not None  # noqa: S101  # PIPE
            with process.stdout as out:
                document = out.read()
            job.code = process.wait()
            told.join(_END_S)
            try:
                value = json.loads(document)
                job.result = value if isinstance(value, dict) else None
            except ValueError:
                job.result = None
            if job.result is not None and "error" in job.result:
                job.trouble = str(job.result["error"])
            elif job.result is None:
                job.trouble = job.trouble or f"the command left with {job.code} and told nothing"
            job.state = "ended"

    def _listen(self, job: Job, process: "subprocess.Popen[bytes]") -> None:
        """Lines of JSON are steps; others are what the command says to a person, of which the last one stays."""
        assert process.stderr is not None  # noqa: S101  # PIPE
        with process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").strip()
                try:
                    step = json.loads(text)
                except ValueError:
                    step = None
                if isinstance(step, dict) and "step" in step:
                    if len(job.steps) < MAX_STEPS:
                        job.steps.append(step)
                elif text.startswith("counterproof: "):
                    job.trouble = text.removeprefix("counterproof: ")

    def _line(self, wanted: Wanted) -> list[str]:
        line = [sys.executable, "-m", "console", "capture", *wanted.urls, "--case", wanted.case]
        line += ["--operator", wanted.by, "--device", wanted.device, "--progress", "json", "--json"]
        line += ["--home", str(self._config.home)]
        if self._config.store_url is not None:
            line += ["--store", self._config.store_url]
        if not wanted.follow:
            line.append("--no-follow")
        return [*line, *self._options]
