"""``counterproof work``: a worker, in the foreground, until it is told to stop."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import (
    AllowNetworkOption,
    AuthorityOption,
    AuthorityRootsOption,
    ControlOption,
    DsnOption,
    HomeOption,
    ObserverProxyOption,
    OperatorOption,
    ProxyOption,
    ResolveOption,
    StoreOption,
    TimeoutOption,
    TrustSpkiOption,
)
from console.screen import now, say, sentences


class Verb:
    """The verb, with what leads to the room that looks, which only the command line may name."""

    def __init__(self, crawlers: Callable[[], ModuleType]) -> None:
        self._crawlers = crawlers

    def work(
        self,
        *,
        concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=16, help="Looks at a time.")] = 2,
        only: Annotated[
            str | None,
            typer.Option("--only", metavar="looks|schedule", help="Only carry out looks, or only release what is due."),
        ] = None,
        drain: Annotated[
            float, typer.Option("--drain", min=0, metavar="SECONDS", help="What looks have to end, after SIGTERM.")
        ] = 120.0,
        silent: Annotated[
            float,
            typer.Option(
                "--silent", min=2, metavar="SECONDS", help="A worker not heard of for so long counts as dead."
            ),
        ] = 60.0,
        contexts: Annotated[
            int, typer.Option("--browser-contexts", min=1, help="A new browser after so many visits.")
        ] = 200,
        hours: Annotated[
            float, typer.Option("--browser-hours", min=0.01, help="A new browser after so many hours.")
        ] = 4.0,
        memory: Annotated[
            int, typer.Option("--browser-mib", min=256, help="A new browser above so much memory, in MiB.")
        ] = 3072,
        operator: OperatorOption = None,
        authority: AuthorityOption = None,
        authority_roots: AuthorityRootsOption = None,
        timeout: TimeoutOption = 45.0,
        look_again: Annotated[
            float, typer.Option("--look-again", min=0, max=3600, metavar="SECONDS", help="As for capture.")
        ] = 20.0,
        control_page: Annotated[
            list[str] | None,
            typer.Option("--control-page", metavar="URL", help="As for capture. [COUNTERPROOF_CONTROL_PAGES]"),
        ] = None,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        proxy: ProxyOption = None,
        observer_proxy: ObserverProxyOption = None,
        control: ControlOption = True,
        dsn: DsnOption = None,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Work: carry out looks that are due, with a browser that stays warm. Any number, on any number of machines.

        All that workers share is the database (--dsn) and the store (--store). SIGTERM drains: nothing new is taken,
        what runs is ended; a second one ends it with what it has. A worker that dies loses nothing: another takes its
        looks up. `counterproof serve` starts workers by itself.

        Exit codes: 0 told to stop, 6 database or store gone, 7 something is not installed.
        """
        from archive.errors import UsageError
        from archive.vault import Vault
        from archive.watching.database import open_database
        from console import logs

        logs.configure(sys.stderr)
        with sentences(as_json=False):
            if only not in {None, "looks", "schedule"}:
                raise UsageError(f"--only is looks or schedule, got {only!r}")
            run = self._crawlers()
            config = ArchiveConfig.load(
                os.environ, home=home, store_url=store, authorities=authority, authority_roots=authority_roots, dsn=dsn
            )
            with ExitStack() as stack:
                database = stack.enter_context(open_database(config))
                vault = None
                if only != "schedule":
                    vault = stack.enter_context(Vault.open(config, clock=now, notify=say, lasting=True))
                setup = run.Setup(
                    config=config,
                    environment=os.environ if proxy is None else {**os.environ, run.PROXY: proxy},
                    looks=only != "schedule",
                    schedule=only != "looks",
                    concurrency=concurrency,
                    silent_s=silent,
                    drain_s=drain,
                    browser=run.warm.Limits(contexts=contexts, age_s=hours * 3600, memory_mib=memory),
                    operator=operator,
                    resolve=tuple(run.Resolve.parse(text) for text in resolve or ()),
                    allow_network=tuple(run.parse_network(text) for text in allow_network or ()),
                    trust_spki=tuple(trust_spki or ()),
                    upstream=run.Upstream.chosen(proxy, os.environ),
                    observer_proxy=observer_proxy or os.environ.get(run.SECOND_PROXY),
                    timeout_s=timeout,
                    look_again_s=look_again,
                    control_pages=run.control_pages(control_page or (), os.environ),
                    control=control,
                )
                run.work(setup, database, vault, clock=now)
