"""Serving: a socket, an address for a person, and the server until somebody stops it."""

import contextlib
import gc
import getpass
import ipaddress
import signal
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import ModuleType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from archive.accounts import Accounts
from archive.config import ArchiveConfig
from archive.errors import UsageError
from archive.scribe import Scribe
from archive.stewardship.opening import open_desk
from console.screen import say
from console.web.accesses import Accesses, Logbook
from console.web.application import Entrance, create
from console.web.holdings import open_archive
from console.web.listener import LOOPBACK, listening
from console.web.pages.entrance import BACK
from console.web.player import NAME, Player, playing
from console.web.provider import Client, Provider
from console.web.proxied import Proxied
from console.web.sessions import Sessions
from console.web.waiting import Waiting

ADDON = "addons/replaywebpage"
"""Below the home."""
_GARBAGE = 20_000
"""New objects until the youngest are looked through: a page makes some thousands."""
_SELF = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Serve:
    """What ``counterproof browse`` was asked for."""

    host: str | None = None
    """An address to listen on for others; None: this machine alone."""
    port: int = 0
    """0: any that is free."""
    opens: bool = True
    """Whether a browser is opened."""
    names: Sequence[str] = ()
    """By which others ask for it: ``evidence.example`` or ``evidence.example:8443``."""
    certificate: Path | None = None
    key: Path | None = None
    """PEM, both or none."""
    records_access: bool = False
    """Whether it is put into the log who looked at what."""
    replay: Path | None = None
    """Folder of ReplayWeb.page; None: the home's own, where there is one."""
    proxy: str | None = None
    """Address of the proxy that ends TLS before us, and is believed about who asks."""
    oidc: Client | None = None
    """What we are to a provider of identities at which people may sign in; None: by name and password alone."""

    @property
    def is_local(self) -> bool:
        return self.host is None

    @property
    def is_secure(self) -> bool:
        """Whether the way to the browser is TLS."""
        return self.certificate is not None or self.proxy is not None


def serve(
    config: ArchiveConfig,
    asked: Serve,
    *,
    run: Callable[[], ModuleType],
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> None:
    """Until it is interrupted. ``tell`` is given the address, once, when it answers. Raises ``ArchiveError``."""
    _refuse(asked, config, clock)
    with ExitStack() as stack:
        player = _player(stack, asked, config)
        listener = stack.enter_context(listening(asked.host or LOOPBACK, asked.port))
        port = listener.getsockname()[1]
        sessions = Sessions(clock)
        entrance = Entrance(
            sessions=sessions,
            hosts=_hosts(asked, port, beside=player is not None),
            cookie="__Host-counterproof" if asked.is_secure else f"counterproof-{port}",
            is_secure=asked.is_secure,
            is_local=asked.is_local,
            provider=_provider(asked, port, clock),
        )

        def open_full() -> FastAPI:
            archive = stack.enter_context(open_archive(config, run, clock))
            if asked.records_access:
                journal = config.home / "state" / "accesses.jsonl"
                archive.accesses = Accesses(journal, partial(_desk, config, clock, say), clock)
                stack.callback(archive.accesses.close)
            full = create(archive, entrance, player=player)
            stack.callback(full.state.reviews.close)
            stack.callback(full.state.jobs.close)
            steady()
            return full

        app: ASGIApp = Waiting(config, entrance, clock=clock, open_full=open_full)
        if asked.proxy is not None:
            app = Proxied(app, asked.proxy)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                ssl_certfile=asked.certificate,
                ssl_keyfile=asked.key,
                proxy_headers=False,
            )
        )
        address = _address(asked, port)
        if asked.is_local:
            address = f"{address}enter?token={sessions.invite(_who())}"
        tell(address)
        if asked.is_local and asked.opens:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn raises it again when it has shut down
        with contextlib.suppress(KeyboardInterrupt):  # that is how it is meant to end
            server.run(sockets=[listener])


def steady() -> None:
    """What is loaded stays: to go through it again and again would hold up every page for a tenth of a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])


@contextlib.contextmanager
def _desk(
    config: ArchiveConfig, clock: Callable[[], datetime], tell: Callable[[str], None]
) -> Iterator[tuple[Scribe, Logbook]]:
    with open_desk(config, clock=clock, notify=tell, by_person=False) as opened:
        yield opened.vault.scribe, opened.desk.log


def _provider(asked: Serve, port: int, clock: Callable[[], datetime]) -> Provider | None:
    return None if asked.oidc is None else Provider(asked.oidc, back=f"{_address(asked, port)}{BACK}", clock=clock)


def _player(stack: ExitStack, asked: Serve, config: ArchiveConfig) -> Player | None:
    """On this machine alone: for others it would need a name and a certificate of its own."""
    folder = asked.replay or config.home / ADDON
    if not asked.is_local or (asked.replay is None and not folder.is_dir()):
        return None
    return stack.enter_context(playing(folder))


def _refuse(asked: Serve, config: ArchiveConfig, clock: Callable[[], datetime]) -> None:
    """What would let in more than was meant."""
    if (asked.certificate is None) != (asked.key is None):
        raise UsageError("--tls-certificate and --tls-key go together: name both PEM files")
    for path in (asked.certificate, asked.key):
        if path is not None and not path.is_file():
            raise UsageError(f"there is no file {path}: name the PEM file that is meant")
    if asked.is_local:
        if asked.names or asked.is_secure or asked.oidc:
            raise UsageError(
                "--name, --tls-certificate, --behind-proxy and --oidc are for others' browsers: add --host ADDRESS"
            )
        return
    if asked.replay is not None:
        raise UsageError("--replay is for this machine alone: leave out --host")
    if not asked.is_secure:
        raise UsageError(
            "others reach this console over TLS alone: --tls-certificate FILE --tls-key FILE, or --behind-proxy "
            "ADDRESS of the proxy that ends TLS before it"
        )
    if not asked.names:
        raise UsageError("by which name do others ask for it? --name evidence.example")
    if asked.proxy is not None:
        try:
            ipaddress.ip_address(asked.proxy)
        except ValueError as error:
            raise UsageError(f"--behind-proxy is the proxy's IP address, got {asked.proxy!r}") from error
    if not Accounts(config.home, clock).all():
        raise UsageError("nobody could sign in: counterproof users add NAME, and users grant NAME RIGHT --case CASE")


def _hosts(asked: Serve, port: int, *, beside: bool) -> list[str]:
    """``beside``: whether packages are replayed, under a name that is then not the console's."""
    if asked.is_local:
        return [f"{each}:{port}" for each in _SELF if not (beside and each == NAME)]
    found = [each.lower() for each in asked.names]
    # A browser leaves out the port of its scheme; behind a proxy that is the proxy's.
    return found + [f"{each}:{port}" for each in found if ":" not in each]


def _address(asked: Serve, port: int) -> str:
    if asked.is_local:
        return f"http://{LOOPBACK}:{port}/"
    name = asked.names[0]
    return f"https://{name}/" if asked.proxy or ":" in name or port == 443 else f"https://{name}:{port}/"


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"
