"""Serving: a socket, an address for a person, and the server until somebody stops it."""

import contextlib
import getpass
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

import uvicorn

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.web.application import create
from console.web.holdings import open_archive
from console.web.sessions import Sessions

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Serve:
    """What ``counterproof browse`` was asked for."""

    host: str = LOOPBACK
    port: int = 0
    """0: any that is free."""
    opens: bool = True
    """Whether a browser is opened."""


def serve(
    config: ArchiveConfig,
    asked: Serve,
    *,
    run: Callable[[], ModuleType],
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> None:
    """Until it is interrupted. ``tell`` is given the address, once, when it answers."""
    with open_archive(config, run, clock) as archive, _listening(asked.host, asked.port) as listener:
        port = listener.getsockname()[1]
        sessions = Sessions(clock)
        names = ("127.0.0.1", "localhost", "[::1]")
        app = create(archive, sessions, hosts=[f"{each}:{port}" for each in names], cookie=f"counterproof-{port}")
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_level="warning", access_log=False, server_header=False, date_header=False, ws="none"
            )
        )
        address = f"http://{LOOPBACK}:{port}/enter?token={sessions.invite(_who())}"
        tell(address)
        if asked.opens:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)
        server.run(sockets=[listener])


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((host, port))
        except OSError as error:
            raise UsageError(f"port {port} of {host} is not free ({error.strerror}): name another, or none") from error
        yield listener
    finally:
        listener.close()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"
