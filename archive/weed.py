"""The embedded store's server: SeaweedFS's ``weed mini``, on loopback, hardened as far as its flags go.

It is a real S3 service, but not a vault against its own user, or another user of this machine: below S3 it has gRPC
ports without a login. What proves the evidence is the log and its time-stamps, not this server's locks.
"""

import ctypes
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from archive import disk

LOOPBACK = "127.0.0.1"
LOG = "server.log"
DATA = "data"

_READY_S = 30.0
_STOP_S = 3.0
_START_TRIES = 3
_SERVICES = ("s3", "master", "filer", "volume", "admin")
# SeaweedFS adds 10,000 to a port wherever it is told no other, so each service gets such a pair. Both lie below the
# range from which Linux takes the ports of outgoing connections (32768 and up).
_FIRST_PORT, _LAST_PORT, _GRPC_OFFSET = 12_000, 21_999, 10_000
_HARDENED = (
    "-disableHttp=true",  # else the filer lists and deletes for anybody, locks or not
    "-s3.allowDeleteBucketNotEmpty=false",
    "-s3.autoCreateBucket=false",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-webdav=false",
    "-admin.ui=false",
    "-master.telemetry=false",  # else it reports to its makers
    "-master.resumeState=false",  # else its parts may find each other only after five seconds
    "-volume.preStopSeconds=0",
)
_SIGNING = (
    "WEED_JWT_SIGNING_KEY",
    "WEED_JWT_SIGNING_READ_KEY",
    "WEED_JWT_FILER_SIGNING_KEY",
    "WEED_JWT_FILER_SIGNING_READ_KEY",
)
_GARBAGE_PERCENT = 35
"""Go's own 100 takes half as much memory again, and no less of the processor: bench/README.md, "The store"."""
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)


class StartError(Exception):
    """The server cannot be had; the message says why."""


class Server:
    """One server on one directory of data. ``lock`` is a descriptor that it holds open for as long as it lives."""

    def __init__(self, directory: Path, *, weed: str, access_key: str, secret_key: str, lock: int) -> None:
        self._directory = directory
        self._weed = weed
        self._lock = lock
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "GOGC": str(_GARBAGE_PERCENT),
            "HOME": str(directory),  # where it would look for somebody's security.toml
            **{each: secrets.token_hex(32) for each in _SIGNING},  # its parts then refuse whom they do not know
        }

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(self._ports.values())

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self._ports['s3']}"

    def start(self, unused: Callable[[], bool]) -> bool:
        """False: nobody waits for it any more. It keeps its ports when it starts again: users know the endpoint."""
        for attempt in range(_START_TRIES):
            if attempt or not self._ports:
                self._ports = _free_ports()
            self._launch()
            deadline = time.monotonic() + _READY_S
            while time.monotonic() < deadline:
                if unused():
                    return False
                if self.died:
                    break  # another program may have taken a port in between: try others
                if self._answers():
                    return True
                time.sleep(0.05)
            else:
                raise StartError(f"it did not answer within {_READY_S:.0f} seconds")
        raise StartError("it ended at once")

    @property
    def died(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Politely, since it then writes out what it holds; but it may wait half a minute for a peer that is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        remove_sockets(self.ports)

    def _launch(self) -> None:
        data = self._directory / DATA
        data.mkdir(mode=disk.PRIVATE_DIRECTORY, exist_ok=True)
        (data / "mini.options").unlink(missing_ok=True)  # last time's flags, which would win over ours
        for stale in data.glob("m[0-9]*"):  # the master's state, one directory for each port that it ever had
            shutil.rmtree(stale, ignore_errors=True)
        log = self._directory / LOG
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        parent = os.getpid()

        def tie_to_watchdog() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # died in between
                os._exit(1)

        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [self._weed, "-logtostderr=true", "mini", *self._flags(data)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                cwd=self._directory,
                pass_fds=(self._lock,),
                preexec_fn=tie_to_watchdog,  # noqa: PLW1509  # there is one thread here
            )

    def _flags(self, data: Path) -> Sequence[str]:
        ports = [
            flag
            for service, port in self._ports.items()
            for flag in (f"-{service}.port={port}", f"-{service}.port.grpc={port + _GRPC_OFFSET}")
        ]
        return [f"-dir={data}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", *ports, *_HARDENED]

    def _answers(self) -> bool:
        with closing(http.client.HTTPConnection(LOOPBACK, self._ports["s3"], timeout=1.0)) as connection:
            try:
                connection.request("GET", "/")
                return connection.getresponse().status < 500
            except (OSError, http.client.HTTPException):
                return False


def _free_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for service in _SERVICES:
        for _ in range(1000):
            port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT + 1)
            if port not in ports.values() and _is_free(port) and _is_free(port + _GRPC_OFFSET):
                ports[service] = port
                break
        else:
            raise StartError(f"no free port was found between {_FIRST_PORT} and {_LAST_PORT}")
    return ports


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))  # the server refuses a port that is taken on any address
        except OSError:
            return False
    return not _sockets(port)


def _sockets(port: int) -> list[Path]:
    """SeaweedFS also listens on these, in a place that cannot be chosen, where another user's would stop it."""
    return [
        path
        for number in (port, port + _GRPC_OFFSET)
        for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock")  # noqa: S108  # SeaweedFS's choice
    ]


def remove_sockets(ports: Sequence[int]) -> None:
    """What a server that ended has left of them."""
    for port in ports:
        for path in _sockets(port):
            with suppress(OSError):  # another user's, or gone
                path.unlink()
