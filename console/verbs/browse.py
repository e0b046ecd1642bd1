"""``counterproof browse``: the archive in a browser."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import HomeOption, StoreOption
from console.screen import now, say, sentences

if TYPE_CHECKING:
    from console.web.provider import Client


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def browse(
        self,
        *,
        port: Annotated[
            int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="Of this machine. [any that is free]")
        ] = 0,
        open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the system's browser there.")] = True,
        host: Annotated[
            str | None,
            typer.Option("--host", metavar="ADDRESS", help="Listen here for others, who sign in. [this machine alone]"),
        ] = None,
        name: Annotated[
            list[str] | None,
            typer.Option("--name", metavar="NAME[:PORT]", help="With --host: how others call it. Repeatable."),
        ] = None,
        tls_certificate: Annotated[
            Path | None, typer.Option("--tls-certificate", metavar="PEM", help="With --host: chain of its certificate.")
        ] = None,
        tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", help="The key of it.")] = None,
        behind_proxy: Annotated[
            str | None,
            typer.Option("--behind-proxy", metavar="ADDRESS", help="With --host: the proxy that ends TLS before it."),
        ] = None,
        oidc: Annotated[
            str | None,
            typer.Option("--oidc", metavar="ISSUER", help="With --host: people may sign in there (OpenID Connect)."),
        ] = None,
        oidc_client: Annotated[
            str | None,
            typer.Option(
                "--oidc-client",
                metavar="ID",
                help="How ISSUER knows this console. Its secret: COUNTERPROOF_OIDC_SECRET.",
            ),
        ] = None,
        oidc_claim: Annotated[
            str, typer.Option("--oidc-claim", metavar="CLAIM", help="By which people are known: `users link`.")
        ] = "email",
        replay: Annotated[
            Path | None,
            typer.Option(
                "--replay",
                metavar="FOLDER",
                help="Of ReplayWeb.page, to replay packages in. [HOME/addons/replaywebpage]",
            ),
        ] = None,
        record_access: Annotated[
            bool,
            typer.Option("--record-access", help="Put into the log who looked at which captures and took which files."),
        ] = False,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Browse the archive: cases, promotions, captures, each with a verdict worked out when you look.

        Serves this machine alone, on 127.0.0.1, until Ctrl-C. The address that it prints lets one browser in, once.
        Nothing is asked of anything outside, and nothing of a captured page runs.

          counterproof browse
          counterproof browse --port 8700 --no-open

        For others, with --host: they sign in, see the cases that they were granted, and come over TLS.

          counterproof users add ada; counterproof users grant ada reviewer --case acme
          counterproof browse --host 0.0.0.0 --port 8443 --name evidence.example:8443
            --tls-certificate chain.pem --tls-key key.pem
        """
        from console.web.serving import Serve, serve

        with sentences(as_json=False):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            asked = Serve(
                host=host,
                port=port,
                opens=open_,
                names=tuple(name or ()),
                certificate=tls_certificate,
                key=tls_key,
                proxy=behind_proxy,
                oidc=_client(oidc, oidc_client, oidc_claim),
                replay=replay,
                records_access=record_access,
            )
            serve(config, asked, run=self._run, clock=now, tell=_tell if host is None else _tell_others)


def _client(issuer: str | None, client: str | None, claim: str) -> "Client | None":
    from console.web.provider import Client

    if issuer is None:
        if client is not None:
            raise UsageError("--oidc-client is for --oidc ISSUER: name it")
        return None
    return Client(
        issuer=issuer, id=client or "", secret=os.environ.get("COUNTERPROOF_OIDC_SECRET") or None, claim=claim
    )


def _tell(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    say("open that address: it lets one browser in, once. Ctrl-C stops the console and signs everybody out.")


def _tell_others(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    say("users sign in there. Ctrl-C stops the console and signs everybody out.")
