"""What a command takes, with everything that it starts: processor time, memory, and the time on the wall. Linux only.

``python -m bench.capturing.meter COMMAND...`` runs it, waits until the last of its processes has ended, daemons too (it
adopts whoever loses its parent: PR_SET_CHILD_SUBREAPER), and prints a line of JSON. The processor time is the kernel's
own count of a control group made for it; where none may be made, it is summed up from what each process was last seen
to have used, a little less. Who took how much of it, and the memory (proportional set size, so that nothing shared is
counted twice), are looked at a few times a second.
"""

import ctypes
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_TICK_S = 0.3
_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_KINDS = (("store", ("weed",)), ("driver", ("node", "MainThread")), ("browser", ("chrom", "headless_shell")))
"""By the beginning of a process's name; the rest is ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Of one command and all its descendants."""

    status: int
    wall_s: float
    """Until the command itself had ended: whoever typed it has his answer then."""
    cpu_s: float
    """Until the last descendant had ended."""
    peak_mib: float
    """The most at one time, without the store: a browser and what drives it."""
    store_mib: float
    """The most that the store took."""
    exact: bool
    """``cpu_s`` is the kernel's count."""
    cpu_by_kind: dict[str, float]
    """Seconds, as last seen of each process: together a little less than ``cpu_s``."""


@dataclass(slots=True)
class _Watch:
    """Looks at all descendants of this process."""

    cpu: dict[int, tuple[str, float]] = field(default_factory=dict)
    peak_kib: int = 0
    store_kib: int = 0

    def look(self) -> None:
        memory: Counter[str] = Counter()
        for pid in _descendants(os.getpid()):
            try:
                name, spent = _stat(pid)
                kind = next((kind for kind, begins in _KINDS if name.startswith(begins)), "python")
                self.cpu[pid] = kind, spent
                found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
                memory[kind] += int(found[1]) if found else 0
            except (OSError, ValueError):
                continue  # it ended while we looked
        store = memory.pop("store", 0)
        self.peak_kib = max(self.peak_kib, memory.total())
        self.store_kib = max(self.store_kib, store)


def _descendants(ancestor: int) -> list[int]:
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [ancestor]
    while waiting:
        children = below.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _stat(pid: int) -> tuple[str, float]:
    """Name, and seconds of the processor so far (proc(5))."""
    head, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    fields = rest.split()
    return head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS


class _Group:
    """A control group, of the first kind or the second; without the right to make one, nothing."""

    def __init__(self) -> None:
        self._path: Path | None = None
        own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
        root = Path("/sys/fs/cgroup")
        first = [root / "cpuacct" / own[each].lstrip("/") for each in own if "cpuacct" in each.split(",")]
        for parent in (*first, root / own.get("", "").lstrip("/")):
            path = parent / f"bench-{uuid.uuid4().hex[:8]}"
            if (parent / "cgroup.procs").is_file():
                with suppress(OSError):
                    path.mkdir()
                    self._path = path
                    break

    def enter(self) -> None:
        """In the child, before it becomes the command."""
        if self._path is not None:
            (self._path / "cgroup.procs").write_text(str(os.getpid()))

    def spent(self) -> float | None:
        if self._path is None:
            return None
        if (old := self._path / "cpuacct.usage").is_file():
            return int(old.read_text()) / 1e9
        lines = (self._path / "cpu.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6

    def remove(self) -> None:
        for _ in range(10 if self._path is not None and self._path.exists() else 0):
            with suppress(OSError):  # the kernel needs a moment until the last process is gone from it
                cast(Path, self._path).rmdir()
                return
            time.sleep(_TICK_S / 3)


def measured(command: Sequence[str]) -> Usage:
    """Blocking; waits for whatever child this process has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watch, group = _Watch(), _Group()
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=sys.stderr, preexec_fn=group.enter)  # noqa: PLW1509  # one thread here
    status, wall = None, 0.0
    while True:
        watch.look()
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == process.pid:
            status, wall = os.waitstatus_to_exitcode(code), time.monotonic() - began
        elif pid == 0:
            time.sleep(_TICK_S)
    kinds: dict[str, float] = {}
    for kind, spent in watch.cpu.values():
        kinds[kind] = kinds.get(kind, 0) + spent
    exact = group.spent()
    group.remove()
    return Usage(
        status=status if status is not None else -1,
        wall_s=wall,
        cpu_s=sum(kinds.values()) if exact is None else exact,
        peak_mib=watch.peak_kib / 1024,
        store_mib=watch.store_kib / 1024,
        exact=exact is not None,
        cpu_by_kind=kinds,
    )


def main() -> None:
    usage = measured(sys.argv[1:])
    print(json.dumps({name: getattr(usage, name) for name in Usage.__slots__}))


if __name__ == "__main__":
    main()
