"""``counterproof serve`` and ``status``: all of it on one machine, in one process tree; and how it stands."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import (
    AllowNetworkOption,
    DsnOption,
    HomeOption,
    JsonOption,
    ObserverProxyOption,
    OperatorOption,
    ProxyOption,
    ResolveOption,
    StoreOption,
    TrustSpkiOption,
)
from console.screen import now, out, print_json, say, sentences


class Verbs:
    """``console_verb``: the name of the verb that serves pages for people, where there is one."""

    def __init__(self, crawlers: Callable[[], ModuleType], *, console_verb: Callable[[], str | None]) -> None:
        self._crawlers = crawlers
        self._console_verb = console_verb

    def serve(
        self,
        *,
        workers: Annotated[int, typer.Option("--workers", min=1, max=32, help="Processes that carry out looks.")] = 1,
        concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=16, help="Looks at a time, each.")] = 2,
        console: Annotated[bool, typer.Option(help="Serve the console, too (`counterproof browse`).")] = True,
        metrics: Annotated[
            int, typer.Option("--metrics", min=0, max=65_535, metavar="PORT", help="Of /metrics; 0: a free one.")
        ] = 9464,
        drain: Annotated[
            float, typer.Option("--drain", min=0, metavar="SECONDS", help="What looks have to end, after SIGTERM.")
        ] = 120.0,
        silent: Annotated[float, typer.Option("--silent", min=2, metavar="SECONDS", help="As for `work`.")] = 60.0,
        operator: OperatorOption = None,
        look_again: Annotated[
            float, typer.Option("--look-again", min=0, max=3600, metavar="SECONDS", help="As for capture.")
        ] = 20.0,
        control_page: Annotated[
            list[str] | None,
            typer.Option("--control-page", metavar="URL", help="As for capture. [COUNTERPROOF_CONTROL_PAGES]"),
        ] = None,
        control: Annotated[bool, typer.Option(help="As for capture.")] = True,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        proxy: ProxyOption = None,
        observer_proxy: ObserverProxyOption = None,
        dsn: DsnOption = None,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Run watches on this machine: scheduler, workers, console, database and store in one tree of processes.

        Whatever of it dies is started again, and nothing that was due is lost or captured twice. SIGTERM or Ctrl-C
        ends all of it, in order. /metrics (Prometheus), /healthz and /readyz answer on 127.0.0.1. stderr has one JSON
        object a line, with ids and no evidence.
        """
        from archive.reader import store_of
        from archive.watching.database import open_database
        from archive.watching.standing import Standing, standing
        from console import logs, supervision
        from console.metrics import serving
        from console.supervision import EVENTS, Part, Supervisor

        logs.configure(sys.stderr)
        with sentences(as_json=False), ExitStack() as stack:
            run = self._crawlers()
            for text in resolve or ():
                run.Resolve.parse(text)  # said now, and not by each child
            run.control_pages(control_page or (), os.environ)
            config = ArchiveConfig.load(os.environ, home=home, store_url=store, dsn=dsn)
            database = stack.enter_context(open_database(config))
            stack.enter_context(store_of(config))  # stays up while a worker is started again

            def ask() -> Standing:
                with database.transaction() as connection:
                    return standing(connection, database.queue, now=now(), silent=timedelta(seconds=silent))

            port = stack.enter_context(serving(ask, port=metrics))
            EVENTS.info("metrics", extra={"port": port})
            common = ["--home", str(config.home), *_given("--store", store)]
            looking = [
                "--look-again", str(look_again), "--silent", str(silent), "--drain", str(drain),
                *_given("--operator", operator), *(() if control else ("--no-control",)),
                *(word for each in control_page or () for word in ("--control-page", each)),
                *(word for each in resolve or () for word in ("--resolve", each)),
                *(word for each in allow_network or () for word in ("--allow-network", each)),
                *(word for each in trust_spki or () for word in ("--trust-spki", each)),
            ]  # fmt: skip
            environment = dict(os.environ)  # passwords are no options: the process list shows those to everybody
            environment |= {} if dsn is None else {"COUNTERPROOF_DSN": dsn}
            environment |= {} if proxy is None else {"COUNTERPROOF_PROXY": proxy}
            environment |= {} if observer_proxy is None else {"COUNTERPROOF_OBSERVER_PROXY": observer_proxy}
            parts = [
                Part(name="scheduler", arguments=("work", "--only", "schedule", "--silent", str(silent), *common)),
                *(
                    Part(
                        name=f"worker-{n + 1}",
                        arguments=("work", "--only", "looks", "--concurrency", str(concurrency), *looking, *common),
                    )
                    for n in range(workers)
                ),
            ]
            if console and (verb := self._console_verb()) is not None:
                browsing = (verb, "--no-open", "--home", str(config.home), *_given("--store", store))
                parts.append(Part(name="console", arguments=browsing))
            supervision.run(Supervisor(parts=parts, environment=environment), drain_s=drain)

    def status(
        self,
        *,
        dsn: DsnOption = None,
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say how watching stands: due, late, waiting, failing; hosts, workers, and who is behind what was asked for.

        Exit codes: 0 nothing wants a person, 3 something does (late looks, kept failures, failing hosts, no worker),
        6 the database does not answer.
        """
        from archive.watching.database import open_database
        from archive.watching.standing import standing
        from console import standing as telling

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, dsn=dsn)
            with open_database(config) as database, database.transaction() as connection:
                found = standing(connection, database.queue, now=now())
            if as_json:
                print_json({"schema": 1, **found.to_json()})
            else:
                for line in telling.lines(found):
                    out.print(line, markup=False)
                if not found.healthy:
                    say('something wants a person: docs/watching.md, "When something is wrong"')
        raise typer.Exit(Exit.OK if found.healthy else Exit.PARTIAL)


def _given(option: str, value: str | Path | None) -> tuple[str, ...]:
    return () if value is None else (option, str(value))
