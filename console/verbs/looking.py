"""``counterproof look``: pages that were captured before, looked at again; kept once more only where they changed."""

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import (
    AllowNetworkOption,
    AuthorityOption,
    AuthorityRootsOption,
    ConcurrencyOption,
    ControlOption,
    DelayOption,
    DepthOption,
    DeviceOption,
    HomeOption,
    JsonOption,
    LocaleOption,
    MatterOption,
    MaxLinksOption,
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

    def look(
        self,
        urls: Annotated[list[str] | None, typer.Argument(metavar="URL...", help="Pages, http or https.")] = None,
        *,
        case: MatterOption,
        from_: Annotated[
            str | None, typer.Option("--from", metavar="FILE", help="More URLs, as for capture; - is stdin.")
        ] = None,
        full: Annotated[bool, typer.Option("--full", help="Keep all of it, changed or not.")] = False,
        full_every: Annotated[
            int,
            typer.Option(
                "--full-every", min=0, max=3650, metavar="DAYS", help="Keep all of it where the last capture is older."
            ),
        ] = 30,
        new_posts: Annotated[
            int, typer.Option("--new-posts", min=0, max=1000, help="Of a profile: name so many posts not captured yet.")
        ] = 0,
        follow: Annotated[
            bool, typer.Option("--follow/--no-follow", help="Follow the links of what changed, as capture does.")
        ] = True,
        max_links: MaxLinksOption = 20,
        depth: DepthOption = 3,
        operator: OperatorOption = None,
        robots: RobotsOption = "record",
        authority: AuthorityOption = None,
        authority_roots: AuthorityRootsOption = None,
        timeout: TimeoutOption = 45.0,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        look_again: Annotated[
            float,
            typer.Option(
                "--look-again", min=0, max=3600, metavar="SECONDS", help="The second look where a page is not there."
            ),
        ] = 20.0,
        control_page: Annotated[
            list[str] | None,
            typer.Option("--control-page", metavar="URL", help="A page of its host known to be public. Repeatable."),
        ] = None,
        proxy: ProxyOption = None,
        device: DeviceOption = "desktop",
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
        """Look again at pages of a case: an unchanged one leaves a signed line, a changed one is kept whole.

        The page is loaded and recorded as by capture. What it shows is held against its newest capture in this case,
        as the same device and language saw it: outcome, where the address led, the reading's fields, the words, the
        picture of the window. Unchanged, that is signed and the rest is dropped; changed, this very load is kept as a
        capture, what became another is a signed event with both passages, and the links are followed. A page that was
        never captured is captured. Where a post is taken away, its listing is named, to be looked at once more at once.

          counterproof look https://… --case acme
          counterproof look --from watched.txt --case acme --full-every 7 --json

        Exit codes are those of capture: 0 also where all is unchanged.
        """
        from console import capturing

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(
                os.environ, home=home, store_url=store, authorities=authority, authority_roots=authority_roots
            )
            asked = capturing.Asked(
                urls=tuple(urls or ()),
                list_file=from_,
                case=case,
                options={
                    "light": not full,
                    "full_every_days": full_every,
                    "max_new": new_posts,
                    "follow": follow,
                    "max_links": max_links,
                    "depth": depth,
                    "operator": operator,
                    "robots": capturing.robots_of(robots),
                    "timeout_s": timeout,
                    "concurrency": concurrency,
                    "delay_s": delay,
                    "per_host": per_host,
                    "control": control,
                    "profile": {"device": device, "build": "chromium", "locale": locale, "timezone": timezone},
                    "look_again_s": look_again,
                    "control_pages": tuple(control_page or ()),
                    "upstream": proxy,
                    "resolve": tuple(resolve or ()),
                    "allow_network": tuple(allow_network or ()),
                    "trust_spki": tuple(trust_spki or ()),
                },
                progress=progress,
                as_json=as_json,
                again=True,
            )
            code = capturing.capture(asked, config, self._run(), interactive=sys.stdin.isatty() and sys.stderr.isatty())
        raise typer.Exit(code)
