"""The processes of ``serve``: started together, started again when they die, ended together."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

EVENTS = logging.getLogger("counterproof.serve")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 120.0
"""One that has run for so long is started again without a pause that grew."""
KILL_S = 30.0
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One process."""

    name: str
    arguments: tuple[str, ...]
    """Of our own command."""


@dataclass(kw_only=True, slots=True)
class _Child:
    part: Part
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    again_at: float = 0.0


@dataclass(kw_only=True, slots=True)
class Supervisor:
    """Knows no clock: ``step`` is told the time, in seconds that only grow."""

    parts: Sequence[Part]
    environment: Mapping[str, str]
    launch: "Callable[[Part, Mapping[str, str]], subprocess.Popen[bytes]] | None" = None
    _children: list[_Child] = field(default_factory=list)

    def step(self, now: float) -> None:
        """Start what is not there; with longer and longer pauses where it does not stay."""
        if not self._children:
            self._children = [_Child(part=each) for each in self.parts]
        for child in self._children:
            if child.process is not None and (code := child.process.poll()) is not None:
                if now - child.started > STEADY_S:
                    child.pause_s = FIRST_PAUSE_S
                EVENTS.warning("child ended", extra={"child": child.part.name, "code": code, "pause_s": child.pause_s})
                child.process = None
                child.again_at = now + child.pause_s
                child.pause_s = min(LONGEST_PAUSE_S, child.pause_s * 2)
            if child.process is None and now >= child.again_at:
                child.process = (self.launch or start)(child.part, self.environment)
                child.started = now
                EVENTS.info("child started", extra={"child": child.part.name, "pid": child.process.pid})

    def end(self, *, within_s: float) -> None:
        """Told to stop, all at once; what does not in time is killed."""
        running = [each.process for each in self._children if each.process is not None]
        for each in running:
            each.terminate()
        deadline = time.monotonic() + within_s
        for each in running:
            try:
                each.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait(KILL_S)

    @property
    def pids(self) -> Mapping[str, int]:
        return {each.part.name: each.process.pid for each in self._children if each.process is not None}


def start(part: Part, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """It is told to stop when we die, however that comes."""
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # died in between
            os._exit(1)

    return subprocess.Popen(
        [sys.executable, "-m", "console", *part.arguments],
        stdin=subprocess.DEVNULL,
        env=dict(environment),
        preexec_fn=tie,  # noqa: PLW1509  # it calls two functions of the C library
    )


def run(supervisor: Supervisor, *, drain_s: float) -> None:
    """Until SIGTERM or Ctrl-C."""
    stopping = threading.Event()
    before = {each: signal.signal(each, lambda *_: stopping.set()) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not stopping.is_set():
            supervisor.step(time.monotonic())
            stopping.wait(0.5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        EVENTS.info("ending")
        supervisor.end(within_s=drain_s + KILL_S)
