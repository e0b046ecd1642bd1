"""The small process that owns the embedded store's server, and lets it live no longer than its last user.

``python -m archive.watchdog DIR WEED`` takes ``server.lock``, detaches itself from whoever called it, starts the server
and watches two things: the server, which it starts again when it dies, and ``users.lock``, on which every user holds a
shared lock. When it gets that lock for itself, nobody is left, and it stops the server and ends.

Nothing here can leak. The kernel drops the lock of a user that is killed; it kills the server when the watchdog is
killed (``PR_SET_PDEATHSIG``); and the server holds ``server.lock`` too, so that nobody starts a second one on its data
while it still dies. Neither boto3 nor anything else that is large is loaded here.
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from archive import disk
from archive.companion import RUNS_ALREADY
from archive.errors import DiskError
from archive.weed import Server, StartError, remove_sockets

USERS_LOCK = "users.lock"
SERVER_LOCK = "server.lock"
STATE = "server.json"
CREDENTIALS = "credentials"

_TICK_S = 0.2
_MAX_CRASHES = 5
_CRASH_WINDOW_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What the watchdog tells its users, in ``server.json``. Only worth reading while ``server.lock`` is held."""

    watchdog: int
    server: int | None = None
    endpoint: str | None = None
    """Where S3 answers. None: it does not, and ``reason`` says why."""
    reason: str = ""
    ports: tuple[int, ...] = ()

    def write(self, directory: Path) -> None:
        disk.replace_file(directory / STATE, json.dumps(asdict(self)).encode() + b"\n")

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """None: nothing is known yet."""
        try:
            data = json.loads((directory / STATE).read_bytes())
            return cls(**{**data, "ports": tuple(map(int, data["ports"]))})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def read_credentials(directory: Path) -> tuple[str, str]:
    """Access key and secret key, in the format of AWS_SHARED_CREDENTIALS_FILE: any S3 client can be pointed to it."""
    lines = (directory / CREDENTIALS).read_text(encoding="ascii").splitlines()
    values = {name.strip(): value.strip() for name, mark, value in (line.partition("=") for line in lines) if mark}
    return values["aws_access_key_id"], values["aws_secret_access_key"]


def _serve(directory: Path, weed: str, lock: int) -> None:
    users = os.open(directory / USERS_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, disk.PRIVATE_FILE)

    def unused() -> bool:
        """True, once: from then on newcomers wait until we are gone."""
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    access_key, secret_key = read_credentials(directory)
    server = Server(directory, weed=weed, access_key=access_key, secret_key=secret_key, lock=lock)
    crashes: deque[float] = deque(maxlen=_MAX_CRASHES)
    try:
        while server.start(unused):
            state = State(watchdog=os.getpid(), server=server.pid, endpoint=server.endpoint, ports=server.ports)
            state.write(directory)
            while not server.died:
                time.sleep(_TICK_S)
                if unused():
                    return
            crashes.append(time.monotonic())
            if len(crashes) == _MAX_CRASHES and crashes[-1] - crashes[0] < _CRASH_WINDOW_S:
                raise StartError(f"it died {_MAX_CRASHES} times within a minute")
    finally:
        server.stop()


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str]) -> int:
    directory, weed = Path(arguments[0]), arguments[1]
    os.umask(0o077)
    lock = disk.try_exclusive(directory / SERVER_LOCK)
    if lock is None:
        return RUNS_ALREADY
    if left := State.read(directory):  # by a watchdog that was killed
        remove_sockets(left.ports)
    (directory / STATE).unlink(missing_ok=True)
    if os.fork():  # whoever called us has nothing to wait for, and the lock is held by our child
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    os.chdir(directory)
    try:
        _serve(directory, weed, lock)
    except (StartError, DiskError, OSError) as error:
        State(watchdog=os.getpid(), reason=str(error)).write(directory)
        raise
    (directory / STATE).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
