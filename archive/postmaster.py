"""The small process that owns the embedded PostgreSQL, and lets it live no longer than its last user.

``python -m archive.postmaster DIR BIN`` does for PostgreSQL what ``archive.watchdog`` does for the embedded store:
takes ``server.lock``, detaches itself, makes the database on first use, starts the server, starts it again when it
dies, and stops it when it gets ``users.lock`` for itself. The kernel tells the server to shut down when this process is
killed (``PR_SET_PDEATHSIG``).

PostgreSQL refuses to run as root. There it runs in a user namespace in which the same user has another number: no
system user is made and no folder is opened to others, which is what the wheel's own starter would do.
"""

import ctypes
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
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

USERS_LOCK = "users.lock"
SERVER_LOCK = "server.lock"
STATE = "server.json"
PASSWORD = "password"  # noqa: S105  # the name of a file
LOG = "server.log"
DATA = "data"
USER = "counterproof"

_TICK_S = 0.2
_READY_S = 60.0
_STOP_S = 15.0
_MAX_CRASHES = 5
_CRASH_WINDOW_S = 60.0
_START_TRIES = 20
_PAUSE_S = 0.5
_NOBODY = "65534"
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)
_SETTINGS = (
    "listen_addresses=",  # a socket in a folder of ours alone, and no port
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=32MB",
    "logging_collector=off",
)
_MAX_SOCKET = 100
"""Bytes of a socket's path; the kernel takes 107."""
_SOCKET = ".s.PGSQL.5432"


class StartError(Exception):
    """The server cannot be had; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What this process tells its users, in ``server.json``. Only worth reading while ``server.lock`` is held."""

    watchdog: int
    server: int | None = None
    socket: str | None = None
    """The folder of its socket. None: it does not answer, and ``reason`` says why."""
    reason: str = ""

    def write(self, directory: Path) -> None:
        disk.replace_file(directory / STATE, json.dumps(asdict(self)).encode() + b"\n")

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """None: nothing is known yet."""
        try:
            return cls(**json.loads((directory / STATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


class _Server:
    def __init__(self, directory: Path, programs: Path, lock: int) -> None:
        self._directory = directory
        self._data = directory / DATA
        self._programs = programs
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = _socket_folder(directory)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def died(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def make(self) -> None:
        """The database, on first use. Half of one, left by a process that died, is made again."""
        if (self._data / "PG_VERSION").is_file():
            self._refuse_other_version()
            return
        making = self._directory / "making"
        shutil.rmtree(making, ignore_errors=True)
        program = [str(self._programs / "initdb"), "--pgdata", str(making), "--username", USER, "--encoding=UTF8"]
        program += ["--locale=C", "--auth=scram-sha-256", f"--pwfile={self._directory / PASSWORD}", "--no-instructions"]
        ran = subprocess.run(
            [*_unprivileged(), *program], capture_output=True, check=False, env=self._environment(), cwd=self._directory
        )
        if ran.returncode != 0:
            said = ran.stderr.decode(errors="replace").strip().splitlines()
            raise StartError(f"initdb failed: {said[-1] if said else 'no reason given'}")
        making.rename(self._data)

    def start(self) -> None:
        for _ in range(_START_TRIES):
            self._launch()
            deadline = time.monotonic() + _READY_S
            while not self.died and time.monotonic() < deadline:
                if self._is_ready():
                    return
                time.sleep(0.05)
            if not self.died:
                raise StartError(f"it did not answer within {_READY_S:.0f} seconds")
            time.sleep(_PAUSE_S)  # what a killed one has left of itself may still be dying
        raise StartError("it ended at once")

    def stop(self) -> None:
        """At once, yet in order: connections are closed, nothing is lost."""
        if self._process is None or self.died:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STOP_S)

    def _launch(self) -> None:
        parent = os.getpid()

        def tie_to_watchdog() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != parent:  # died in between
                os._exit(1)

        settings = [word for each in _SETTINGS for word in ("-c", each)]
        program = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.socket), *settings]
        with (self._directory / LOG).open("ab") as output:
            self._process = subprocess.Popen(
                [*_unprivileged(), *program],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment(),
                cwd=self._directory,
                pass_fds=(self._lock,),
                preexec_fn=tie_to_watchdog,  # noqa: PLW1509  # there is one thread here
            )

    def _is_ready(self) -> bool:
        """PostgreSQL writes so itself, in the last line of a file of eight."""
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text(encoding="ascii", errors="replace").splitlines()
            return len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"
        return False

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self._directory), "TZ": "UTC"}

    def _refuse_other_version(self) -> None:
        made = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        ran = subprocess.run([self._programs / "postgres", "--version"], capture_output=True, text=True, check=False)
        ours = ran.stdout.split()[-1].partition(".")[0] if ran.stdout else made
        if made != ours:
            raise StartError(
                f"{self._data} was made by PostgreSQL {made}, and this is {ours}: move it away, then take your watches "
                "over with `counterproof watch apply`, from the list that you keep"
            )


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--"]


def _socket_folder(directory: Path) -> Path:
    """In the directory; where its path is too long for a socket, in a folder of ours alone elsewhere."""
    if len(os.fsencode(directory / _SOCKET)) <= _MAX_SOCKET:
        return directory
    known = directory / "socket"
    if known.is_symlink() and known.exists():
        return known.readlink()
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  # the folder in it is ours alone
    made = base / f"counterproof-{secrets.token_hex(8)}"
    made.mkdir(mode=disk.PRIVATE_DIRECTORY)
    known.unlink(missing_ok=True)
    known.symlink_to(made)
    return made


def _serve(directory: Path, programs: Path, lock: int) -> None:
    users = os.open(directory / USERS_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, disk.PRIVATE_FILE)

    def unused() -> bool:
        """True, once: from then on newcomers wait until we are gone."""
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    server = _Server(directory, programs, lock)
    crashes: deque[float] = deque(maxlen=_MAX_CRASHES)
    try:
        server.make()
        while True:
            server.start()
            State(watchdog=os.getpid(), server=server.pid, socket=str(server.socket)).write(directory)
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
    directory, programs = Path(arguments[0]), Path(arguments[1])
    os.umask(0o077)
    lock = disk.try_exclusive(directory / SERVER_LOCK)
    if lock is None:
        return RUNS_ALREADY
    (directory / STATE).unlink(missing_ok=True)
    if os.fork():  # whoever called us has nothing to wait for, and the lock is held by our child
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    os.chdir(directory)
    try:
        _serve(directory, programs, lock)
    except (StartError, DiskError, OSError) as error:
        State(watchdog=os.getpid(), reason=str(error)).write(directory)
        raise
    (directory / STATE).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
