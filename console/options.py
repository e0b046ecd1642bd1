"""Options that many verbs share, so that they read alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Keys, trust file, embedded store. [COUNTERPROOF_HOME; XDG data dir]"),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR. [COUNTERPROOF_STORE_URL; the embedded store]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CaseOption = Annotated[str | None, typer.Option("--case", metavar="NAME", help="Only what belongs to this case.")]


# Of the verbs that look at pages.
OperatorOption = Annotated[
    str | None, typer.Option("--operator", metavar="NAME", help="Who looks; kept with the run, never in the log.")
]
RobotsOption = Annotated[
    str, typer.Option("--robots", metavar="record|obey", help="obey: a page that robots.txt forbids is refused.")
]
AuthorityOption = Annotated[
    list[str] | None,
    typer.Option("--authority", metavar="URL|none", help="RFC 3161 authority. [COUNTERPROOF_AUTHORITIES]"),
]
AuthorityRootsOption = Annotated[
    Path | None,
    typer.Option("--authority-roots", metavar="PEM", help="Root certificates its tokens must lead to."),
]
ResolveOption = Annotated[
    list[str] | None,
    typer.Option(
        "--resolve",
        metavar="HOST:PORT:ADDRESS[:PORT2]",
        help="As curl's, for make-believe networks; every capture is then origin not_public.",
    ),
]
AllowNetworkOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-network",
        metavar="CIDR",
        help="Let pages reach this private network; every capture is then origin not_public. Repeatable.",
    ),
]
TrustSpkiOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-spki",
        metavar="SHA256",
        help="Trust this key (base64 SHA-256 of its SPKI); every capture is then origin not_public.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="desktop|phone", help="Whose screen: size, density, touch.")
]
LocaleOption = Annotated[str, typer.Option("--locale", metavar="TAG", help="The language asked for, such as de.")]
TimezoneOption = Annotated[str, typer.Option("--timezone", metavar="NAME", help="The browser's, such as Europe/Paris.")]
ProgressOption = Annotated[
    str, typer.Option("--progress", metavar="lines|json|none", help="On stderr, while it works.")
]
MatterOption = Annotated[
    str, typer.Option("--case", metavar="NAME", help="The matter this belongs to; made on first use.")
]
ProxyOption = Annotated[
    str | None,
    typer.Option(
        "--proxy",
        metavar="URL|none",
        help="Reach public sites through this http:// or socks5:// proxy. [COUNTERPROOF_PROXY]",
    ),
]
ObserverProxyOption = Annotated[
    str | None,
    typer.Option(
        "--observer-proxy",
        metavar="URL|none",
        help="The second observer's way out. [COUNTERPROOF_OBSERVER_PROXY; as the first's]",
    ),
]
ControlOption = Annotated[
    bool,
    typer.Option(
        help="Look at the program's own page as the run begins and ends, and compare it with what it must show."
    ),
]
DsnOption = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="DSN",
        help="PostgreSQL that watches are kept in: postgresql://… [COUNTERPROOF_DSN; the home's own]",
    ),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=1, max=600, metavar="SECONDS", help="For one page, all in all.")
]
ConcurrencyOption = Annotated[int, typer.Option("--concurrency", min=1, max=16, help="Pages at a time.")]
DelayOption = Annotated[
    float, typer.Option("--delay", min=0, max=3600, metavar="SECONDS", help="Between two pages of one host.")
]
PerHostOption = Annotated[int, typer.Option("--per-host", min=1, max=16, help="Pages of one host at a time.")]
MaxLinksOption = Annotated[int, typer.Option("--max-links", min=0, max=1000, help="At most so many of a page.")]
DepthOption = Annotated[int, typer.Option("--depth", min=0, max=10, help="Links in a row.")]
