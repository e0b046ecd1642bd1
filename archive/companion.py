"""What embedded store and database share: a server that a small process of ours owns, as long as anybody uses it.

Whoever uses it holds a shared lock; ``archive.watchdog`` and ``archive.postmaster`` own the servers.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from archive import disk

RUNS_ALREADY = 3
"""Exit code of an owner that found another one at work."""
_PAUSE_S = 0.05
_INHERITED = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


@contextmanager
def locked(path: Path, kind: int, deadline: float, *, late: Callable[[], Exception]) -> Iterator[None]:
    """Hold a lock of this kind (``fcntl.flock``). Raises ``DiskError``, and what ``late`` gives after ``deadline``."""
    with disk.trouble(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, disk.PRIVATE_FILE)
    try:
        while not _try_lock(descriptor, path, kind):
            if time.monotonic() > deadline:
                raise late()
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(descriptor)


def launch(module: str, directory: Path, program: Path, log: Path, *, also: Sequence[str] = ()) -> bool:
    """Start the owner, which detaches itself: Ctrl-C in a terminal, or the end of this process, is not its concern.

    ``also``: variables of the environment that it gets besides the usual ones. False: it could not be started, and
    ``log`` says why.
    """
    ours = str(Path(__file__).resolve().parent.parent)
    environment = {name: os.environ[name] for name in (*_INHERITED, *also) if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (ours, environment.get("PYTHONPATH"))))
    with disk.trouble(directory), log.open("wb") as told:
        ended = subprocess.run(
            [sys.executable, "-m", module, directory, program],
            check=False,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
    return ended.returncode in {0, RUNS_ALREADY}


def _try_lock(descriptor: int, path: Path, kind: int) -> bool:
    with disk.trouble(path):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
