"""``counterproof capture`` and ``attend``: pages looked at by the program, or by a person in a window of its own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import (
    AllowNetworkOption,
    AuthorityOption,
    AuthorityRootsOption,
    ConcurrencyOption,
    ControlOption,
    DelayOption,
    DeviceOption,
    HomeOption,
    JsonOption,
    LocaleOption,
    MatterOption,
    ObserverProxyOption,
    OperatorOption,
    PerHostOption,
    ProgressOption,
    ProxyOption,
    ResolveOption,
    RobotsOption,
    StoreOption,
    TimeoutOption,
    TimezoneOption,
    TrustSpkiOption,
)
from console.screen import sentences


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def capture(
        self,
        urls: Annotated[list[str] | None, typer.Argument(metavar="URL...", help="Public pages, http or https.")] = None,
        *,
        case: MatterOption,
        from_: Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="FILE",
                help="More URLs: one a line, or CSV with a column url; - is stdin. "
                "The same list again goes on where it stopped.",
            ),
        ] = None,
        follow: Annotated[
            bool, typer.Option("--follow/--no-follow", help="Follow the author's links to where they end.")
        ] = True,
        max_links: Annotated[
            int, typer.Option("--max-links", min=0, max=1000, help="At most so many links of each page.")
        ] = 20,
        depth: Annotated[
            int, typer.Option("--depth", min=0, max=10, help="Links in a row: post, profile, hub, listing is 3.")
        ] = 3,
        operator: OperatorOption = None,
        robots: RobotsOption = "record",
        consent: Annotated[
            str,
            typer.Option(
                "--consent",
                metavar="as-found|reject",
                help="Cookie banners: left alone; or refused, after the page was kept as found.",
            ),
        ] = "as-found",
        media: Annotated[
            bool,
            typer.Option(
                "--media/--no-media", help="Fetch the posts' videos too, in a second fetch by yt-dlp (an extra)."
            ),
        ] = False,
        package: Annotated[
            bool, typer.Option("--package/--no-package", help="Pack each unit's traffic into one WACZ at the end.")
        ] = False,
        other_surfaces: Annotated[
            bool,
            typer.Option(
                "--other-surfaces/--no-other-surfaces",
                help="Where a platform's page shows a wall: look at its official embed, or ask its oEmbed or API.",
            ),
        ] = True,
        observers: Annotated[
            int,
            typer.Option(
                "--observers",
                min=1,
                max=2,
                help="2: a second process with keys of its own looks too; compared.",
            ),
        ] = 1,
        observer_device: Annotated[
            str | None,
            typer.Option("--observer-device", metavar="desktop|phone", help="The second one's. [as the first]"),
        ] = None,
        observer_proxy: ObserverProxyOption = None,
        observer_home: Annotated[
            Path | None, typer.Option("--observer-home", metavar="DIR", help="The second one's. [one below this home]")
        ] = None,
        observer_store: Annotated[
            str | None, typer.Option("--observer-store", metavar="URL", help="The second one's. [its home's own]")
        ] = None,
        observer_trust: Annotated[
            Path | None,
            typer.Option(
                "--observer-trust", metavar="FILE", help="The second one is another operator's, under this file."
            ),
        ] = None,
        authority: AuthorityOption = None,
        authority_roots: AuthorityRootsOption = None,
        timeout: TimeoutOption = 45.0,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        look_again: Annotated[
            float,
            typer.Option(
                "--look-again",
                min=0,
                max=3600,
                metavar="SECONDS",
                help="Where a page is not there, look a second time after so long; 0: once is enough.",
            ),
        ] = 20.0,
        control_page: Annotated[
            list[str] | None,
            typer.Option(
                "--control-page",
                metavar="URL",
                help="A page known to be public: where another of its host is not there, look at it too. Repeatable. "
                "[COUNTERPROOF_CONTROL_PAGES]",
            ),
        ] = None,
        proxy: ProxyOption = None,
        device: DeviceOption = "desktop",
        browser: Annotated[
            str,
            typer.Option(
                "--browser",
                metavar="chromium|shell|headed",
                help="The whole browser; the lean headless shell; the whole one in a window.",
            ),
        ] = "chromium",
        locale: LocaleOption = "en-US",
        timezone: TimezoneOption = "UTC",
        concurrency: ConcurrencyOption = 2,
        delay: DelayOption = 1.0,
        per_host: PerHostOption = 1,
        control: ControlOption = True,
        progress: ProgressOption = "lines",
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Look at pages, follow their links to where they end, and leave sealed, verified evidence."""
        from console import capturing

        run = self._run()
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(
                os.environ, home=home, store_url=store, authorities=authority, authority_roots=authority_roots
            )
            if consent not in {"as-found", "reject"}:
                raise UsageError(f"--consent is as-found or reject, got {consent!r}")
            asked = capturing.Asked(
                urls=tuple(urls or ()),
                list_file=from_,
                case=case,
                options={
                    "follow": follow,
                    "max_links": max_links,
                    "depth": depth,
                    "operator": operator,
                    "robots": capturing.robots_of(robots),
                    "consent": consent,
                    "media": media,
                    "other_surfaces": other_surfaces,
                    "timeout_s": timeout,
                    "concurrency": concurrency,
                    "delay_s": delay,
                    "per_host": per_host,
                    "control": control,
                    "profile": {"device": device, "build": browser, "locale": locale, "timezone": timezone},
                    "look_again_s": look_again,
                    "control_pages": tuple(control_page or ()),
                    "upstream": proxy,
                    "resolve": tuple(resolve or ()),
                    "allow_network": tuple(allow_network or ()),
                    "trust_spki": tuple(trust_spki or ()),
                },
                progress=progress,
                as_json=as_json,
                package=package,
                second=None
                if observers == 1
                else run.Wishes(
                    home=observer_home,
                    store=observer_store,
                    device=observer_device,
                    proxy=observer_proxy or os.environ.get(run.SECOND_PROXY),
                    trust=observer_trust,
                ),
            )
            code = capturing.capture(asked, config, run, interactive=sys.stdin.isatty() and sys.stderr.isatty())
        raise typer.Exit(code)

    def attend(
        self,
        url: Annotated[str, typer.Argument(metavar="URL", help="A public page, http or https.")],
        *,
        case: MatterOption,
        minutes: Annotated[
            float, typer.Option("--minutes", min=0.1, max=480, help="The window stays open for so long at most.")
        ] = 60.0,
        operator: OperatorOption = None,
        robots: RobotsOption = "record",
        authority: AuthorityOption = None,
        authority_roots: AuthorityRootsOption = None,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        proxy: ProxyOption = None,
        device: DeviceOption = "desktop",
        locale: LocaleOption = "en-US",
        timezone: TimezoneOption = "UTC",
        control: ControlOption = True,
        progress: ProgressOption = "lines",
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Look at a page yourself, in a clean window, and leave sealed evidence of what you saw and did.

        For what a program cannot or may not reach: scroll, press, choose a variation, answer what a page asks. Each
        page that comes is kept by itself.

        While the window is open: Enter here, or F9 in the window, takes a picture (and the document and its words) of
        what is shown; q and Enter, Ctrl-C, or closing the window ends the visit. What is shown at the end is what the
        record speaks of. A link that opens a new window opens in this one.

        Each press, key, scroll and choice is recorded with what it was done to and when, and never what was typed. The
        program types nothing. Do not log in: once a field for a password takes input, what is sent and all cookies are
        kept out of the record, and the capture is QUARANTINED, so that no export has it until a person allows it
        (`counterproof allow`).

        It wants a screen; without one: xvfb-run -a. Exit codes are those of capture.
        """
        from console import attending, capturing

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(
                os.environ, home=home, store_url=store, authorities=authority, authority_roots=authority_roots
            )
            asked = capturing.Asked(
                urls=(url,),
                list_file=None,
                case=case,
                options={
                    "follow": False,
                    "other_surfaces": False,
                    "operator": operator,
                    "robots": capturing.robots_of(robots),
                    "timeout_s": minutes * 60,
                    "concurrency": 1,
                    "control": control,
                    "look_again_s": 0.0,
                    "control_pages": (),
                    "upstream": proxy,
                    "profile": {"device": device, "build": "headed", "locale": locale, "timezone": timezone},
                    "resolve": tuple(resolve or ()),
                    "allow_network": tuple(allow_network or ()),
                    "trust_spki": tuple(trust_spki or ()),
                },
                progress=progress,
                as_json=as_json,
            )
            run = self._run()
            code = capturing.capture(
                asked,
                config,
                run,
                interactive=sys.stdin.isatty() and sys.stderr.isatty(),
                attending=lambda: attending.at_terminal(run.Hand()),
            )
        raise typer.Exit(code)
