"""The composition root: one verb for each thing a person asks for. Imports of what a verb alone needs are inside it."""

import os
import secrets
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from console.exits import Exit
from console.options import (
    AllowNetworkOption,
    AuthorityOption,
    AuthorityRootsOption,
    CaseOption,
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
from console.screen import has_printed_json, print_json, say, sentences
from console.verbs import (
    alerts,
    allowing,
    authorities,
    browse,
    cases,
    cataloguing,
    certifying,
    comparing,
    disposing,
    exhibits,
    exporting,
    finding,
    fixity,
    holding,
    intake,
    keys,
    looking,
    packaging,
    receiving,
    redacting,
    reporting,
    seal,
    searching,
    serve,
    stewardship,
    users,
    visits,
    watch,
    witnessing,
    work,
)
from console.verbs.sequence import sequence
from console.verbs.subject import subject

app = typer.Typer(
    name="counterproof",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Captures public posts and the storefront pages they link to, as evidence that a stranger can check.\n\n"
        "Start with:  counterproof capture https://… --case NAME\n\n"
        "Exit codes: 0 all recorded and complete, 2 usage, 3 partial, 4 a page that was asked for could not be had, "
        "5 evidence lost, 6 store, disk or key, 7 something is not installed, 8 refused by policy, 130 interrupted. "
        "verify: 0 holds, 1 does not hold, 6 could not be checked. Details: docs/cli.md."
    ),
)


@app.command()
def capture(
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
        typer.Option("--media/--no-media", help="Fetch the posts' videos too, in a second fetch by yt-dlp (an extra)."),
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
        str | None, typer.Option("--observer-device", metavar="desktop|phone", help="The second one's. [as the first]")
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
        typer.Option("--observer-trust", metavar="FILE", help="The second one is another operator's, under this file."),
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
    from crawlers import run

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


@app.command()
def attend(
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

    For what a program cannot or may not reach: scroll, press, choose a variation, answer what a page asks. Each page
    that comes is kept by itself.

    While the window is open: Enter here, or F9 in the window, takes a picture (and the document and its words) of what
    is shown; q and Enter, Ctrl-C, or closing the window ends the visit. What is shown at the end is what the record
    speaks of. A link that opens a new window opens in this one.

    Each press, key, scroll and choice is recorded with what it was done to and when, and never what was typed. The
    program types nothing. Do not log in: once a field for a password takes input, what is sent and all cookies are kept
    out of the record, and the capture is QUARANTINED, so that no export has it until a person allows it
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
        from crawlers import run

        code = capturing.capture(
            asked,
            config,
            run,
            interactive=sys.stdin.isatty() and sys.stderr.isatty(),
            attending=lambda: attending.at_terminal(run.Hand()),
        )
    raise typer.Exit(code)


@app.command()
def verify(
    handed: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR|ZIP]", help="An export that you were handed: needs no store and no home."),
    ] = None,
    *,
    case: CaseOption = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="Keys and authorities to believe. [the home's]")
    ] = None,
    trust_digest: Annotated[
        str | None,
        typer.Option("--trust-digest", metavar="SHA256", help="Of an export: the digest of the trust file will do."),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="One you kept: does today's log extend it? Repeatable."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR|ZIP", help="The same, as an option."),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read back every byte, the tree and the signatures, and print a verdict of numbered checks."""
    from console import verification

    with sentences(as_json=as_json, code_of=verification.code_of):
        if handed is not None and export is not None:
            raise UsageError("name what was handed over once: verify FILE.zip --trust FILE")
        if (given := handed or export) is not None:
            exporting.refuse_store(case=case, store=store)
            code = exporting.verify_export(
                given,
                trust_file=trust,
                trust_digest=trust_digest,
                checkpoints=tuple(checkpoint or ()),
                as_json=as_json,
            )
            raise typer.Exit(code)
        if trust_digest is not None:
            raise UsageError("--trust-digest is for an export: of a store, name the trust file by --trust FILE")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = verification.verify(
            config, trust_file=trust, case=case, as_json=as_json, checkpoints=tuple(checkpoint or ())
        )
    raise typer.Exit(code)


@app.command()
def captures(
    *,
    case: CaseOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 100,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was captured, newest first."""
    from console import browsing

    with sentences(as_json=as_json):
        browsing.captures(ArchiveConfig.load(os.environ, home=home, store_url=store), case, limit, as_json=as_json)


@app.command()
def reach(
    *,
    case: CaseOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what was reached: content, wall or refusal, by platform, surface and day.

    Surfaces are a platform's page, its official embed, oEmbed and API, and a page that a person attended. What no
    visitor reaches by itself, and what to do then: docs/reach.md.
    """
    from console import reaching

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        from crawlers import run

        reaching.reach(config, run, case, as_json=as_json)


@app.command()
def show(
    capture_id: Annotated[str, typer.Argument(metavar="ID", help="A capture's id, or how it begins or ends.")],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one capture: what was seen, where, what was kept, what is missing."""
    from console import browsing, promoting

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        promotions = partial(promoting.of_capture, run=_crawlers, caches=config.home / "cache")
        browsing.show(config, capture_id, as_json=as_json, promotions=promotions)


@app.command()
def get(
    capture_id: Annotated[str, typer.Argument(metavar="ID", help="A capture's id, or how it begins or ends.")],
    what: Annotated[str, typer.Argument(metavar="ROLE|NAME", help="screenshot, dom, record, … or a file's name.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="- is stdout.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Fetch one artifact, checked against its digest on the way."""
    from console import browsing

    with sentences(as_json=False):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        browsing.get(config, capture_id, what, output, force=force)


@app.command()
def read(
    pages: Annotated[
        list[str],
        typer.Argument(metavar="FILE|CAPTURE...", help="Saved pages (HTML, JSON; .gz too), or captures' ids."),
    ],
    *,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The page's address; else it is told from the page.")
    ] = None,
    term: Annotated[
        list[str] | None,
        typer.Option("--term", metavar="TERM", help="Reviews on listings that name it, their writers as pseudonyms."),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
) -> None:
    """Read what pages say: author, caption, links, title, price, seller … and where on the page each stands.

    Nothing is fetched, and what is kept does not change: today's readers may be run over old captures at any time.
    """
    from console import reading

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        from crawlers import run

        key = secrets.token_bytes(32)
        reading.read(pages, config, run, url=url, terms=term or (), key=key, as_json=as_json)


@app.command()
def pictures(
    asked: Annotated[
        list[str],
        typer.Argument(metavar="FILE|CAPTURE...", help="Pictures, or captures' ids: all pictures that they kept."),
    ],
    *,
    only: Annotated[
        str | None, typer.Option("--only", metavar="codes|text", help="QR and bar codes alone, or lines of text alone.")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
) -> None:
    """Read pictures: QR and bar codes, and lines of text as an engine takes them to be. Derived; it may err.

    Nothing is fetched or followed, and what is kept does not change. Needs the extras `qr` and `ocr`; no picture leaves
    this machine.
    """
    from console import picturing

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        from crawlers import run

        picturing.pictures(asked, config, run, only=only, as_json=as_json)


@app.command()
def mirror(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DIR|s3://BUCKET[/PREFIX][?endpoint=URL]", help="Made when missing; resumes when not empty."
        ),
    ],
    *,
    record: Annotated[
        bool | None,
        typer.Option(
            "--record/--no-record", help="Put it into the log that a copy was made. [where this home can write]"
        ),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the archive to a directory or a second bucket, same keys, each object re-hashed on its way.

    A directory holds plain files: `verify --store file:DIR` checks it anywhere. A bucket is probed first, and what is
    locked in the archive is locked there as long; COUNTERPROOF_MIRROR_AWS_ACCESS_KEY_ID and its like name other
    credentials for it than for the archive. Run it again to go on, or for what has come since. Copies are not reached
    by `dispose`: whoever makes one answers for it.
    """
    from console import mirroring

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = mirroring.mirror(config, target, record=record, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def doctor(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check browser, sandbox, fonts, store, clock and keys: each OK, or what to do."""
    from console import doctor as diagnosis
    from crawlers import run

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = diagnosis.diagnose(config, run.diagnose, as_json=as_json)
    raise typer.Exit(code)


def _picture_type(data: bytes) -> str:
    """For the verbs of ``case``, which may not import what looks at pictures."""
    from crawlers import run

    return run.picture_type(data)


def _crawlers() -> ModuleType:
    from crawlers import run

    return run


app.command("seal")(seal.seal)
app.add_typer(cases.app, name="case", context_settings={"obj": _picture_type})
app.add_typer(authorities.app, name="authorities")
app.add_typer(keys.app, name="keys")
app.add_typer(cataloguing.app, name="catalog")


app.command()(sequence)


app.command("export", context_settings={"obj": _crawlers})(exporting.export)
app.command("proof")(exporting.proof)
app.command("package")(packaging.package)
app.command("fixity")(fixity.fixity)
app.command("hold")(holding.hold)
app.command("release")(holding.release)
app.command("holds")(holding.holds)
app.command("retain")(stewardship.retain)
app.command("correct")(stewardship.correct)
app.command("allow")(allowing.allow)
app.command("dispose")(disposing.dispose)
app.command("receive")(receiving.receive)
app.command("received")(receiving.received)
app.command("witness")(witnessing.witness)


def _console_verb() -> str | None:
    return next((each.name for each in app.registered_commands if each.name == "browse"), None)


_found = finding.Verbs(_crawlers)
app.command("findings")(_found.findings)
app.command("graph")(_found.graph)
app.add_typer(users.app, name="users")
app.command("subject")(subject)
app.command("intake")(intake.Verbs(_crawlers).intake)
app.command("look")(looking.Verbs(_crawlers).look)
app.command("compare")(comparing.Verbs(_crawlers).compare)
app.command("browse")(browse.Verbs(_crawlers).browse)
app.command("report")(reporting.Verbs(_crawlers).report)
app.command("certificates")(certifying.Verbs(_crawlers).certificates)
app.command("redact")(redacting.Verbs(_crawlers).redact)
app.add_typer(exhibits.Verbs(_crawlers).app, name="exhibits")
app.add_typer(watch.app, name="watch", context_settings={"obj": _crawlers})
app.command("work")(work.Verb(_crawlers).work)
app.add_typer(alerts.app, name="alerts")
app.command("visits")(visits.visits)
_served = serve.Verbs(_crawlers, console_verb=_console_verb)
app.command("serve")(_served.serve)
app.command("status")(_served.status)
_sought = searching.Verbs(_crawlers)
app.command("search")(_sought.search)
app.command("whereis")(_sought.whereis)
app.command("timeline")(_sought.timeline)


def main() -> None:
    """The console script."""
    try:
        app()
    except SystemExit as left:
        # Typer tells people on stderr what is wrong with the options; a program gets its one document all the same.
        if left.code == Exit.USAGE and "--json" in sys.argv and not has_printed_json():
            what = "the command line is not right: stderr says where, and --help shows how"
            print_json({"schema": 1, "error": what, "kind": "UsageError", "exit_code": int(Exit.USAGE)})
        raise
    except ArchiveError as error:  # raised outside a verb's own door: still a sentence
        say(f"counterproof: {error}")
        sys.exit(Exit.STORE)
