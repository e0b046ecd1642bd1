"""``counterproof authorities``: who tells the time, and how many of them have to."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.model import Json

if TYPE_CHECKING:
    from archive.home import Home
    from archive.pacing import Acquaintance
    from archive.trial import Trial
    from custody.trust import Authority

TRIAL_S = 20.0

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Choose the time-stamp authorities (RFC 3161) that say when your evidence existed.\n\n"
        "Start with:  counterproof authorities presets\n\n"
        "None is used without your word. The choice is in the home's trust file, which whoever verifies needs; the "
        "log tells of each change. With two that have to stamp, nobody rests on the word of one; a third keeps sealing "
        "going while one is down: counterproof authorities add digicert sectigo globalsign && "
        "counterproof authorities quorum 2"
    ),
)

RootsOption = Annotated[
    Path | None,
    typer.Option("--roots", metavar="PEM", help="Root certificates its tokens must lead to; never the system's own."),
]


@app.command()
def add(
    names: Annotated[list[str], typer.Argument(metavar="NAME|URL...", help="Names of `presets`, or URLs.")],
    *,
    roots: RootsOption = None,
    pin: Annotated[
        list[str] | None,
        typer.Option("--pin", metavar="SHA256", help="Believe this signer's certificate alone; repeatable."),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Believe authorities from now on, or give new roots or pins to known ones."""
    from archive import authorities, timekeeping
    from archive.errors import UsageError

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        if (roots is not None or pin) and len(names) > 1:
            raise UsageError("roots and pins belong to one authority: add those that need them one at a time")
        pem = "" if roots is None else timekeeping.read_pem(roots)
        checked = [ArchiveConfig.load({}, home=home, authorities=[name]).authorities for name in names]
        if any(not each for each in checked):
            raise UsageError("'none' is no authority: take away those that there are with `authorities remove`")
        opened = _open(config)
        for name in names:
            added = authorities.add(opened, name.strip(), roots_pem=pem, pins=pin or ())
            believed = authorities.find(opened.trust, added)
            if not believed.roots_pem:
                say(f"{added}: no roots are known, so its tokens cannot be judged: add it again with --roots PEM")
        _tell(opened, config, as_json=as_json)


@app.command("list")
def list_(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the home's authorities: their roots, when they end, and how many have to stamp."""
    with sentences(as_json=as_json):
        opened = _open(ArchiveConfig.load(os.environ, home=home))
        _show(opened, logged=None, as_json=as_json)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME|URL|ID")],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask an authority no more; its tokens stay, and no longer count for this trust file."""
    from archive import authorities

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        opened = _open(config)
        authorities.remove(opened, name)
        _tell(opened, config, as_json=as_json)


@app.command()
def quorum(
    count: Annotated[int, typer.Argument(metavar="K", min=1)],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many different authorities have to stamp before anything is called sealed."""
    from archive import authorities

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        opened = _open(config)
        authorities.set_quorum(opened, count)
        _tell(opened, config, as_json=as_json)


@app.command()
def presets(*, as_json: JsonOption = False) -> None:
    """List well-known public authorities, their terms, and where their roots are."""
    from archive.authorities import PRESETS

    if as_json:
        rows: list[Json] = [
            {
                "name": each.name,
                "url": each.url,
                "operator": each.operator,
                "root": each.root_subject,
                "root_sha256": each.root_sha256,
                "roots_from": each.roots_from or "certifi",
                "spacing_s": int(each.spacing_s),
                "note": each.note,
            }
            for each in PRESETS
        ]
        print_json({"schema": 1, "presets": rows})
        return
    for each in PRESETS:
        out.print(Text.assemble((f"{each.name:<18}", "bold"), f"{each.url}  ({each.operator})"))
        out.print(Text(f"    root     {each.root_subject}"))
        if each.root_sha256:
            out.print(Text(f"    SHA-256  {each.root_sha256}"))
        out.print(Text(f"    from     {each.roots_from or 'certifi, checked against that SHA-256'}"))
        out.print(Text(f"    note     {each.note}"))
    out.print("None is used until you say so: counterproof authorities add NAME")


@app.command("try")
def try_(
    name: Annotated[str, typer.Argument(metavar="NAME|URL|ID", help="One of the home's, of `presets`, or any URL.")],
    *,
    roots: RootsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask one authority for a stamp over random bytes, and judge it. Nothing is recorded."""
    from archive import trial

    with sentences(as_json=as_json):
        believed = _meant(ArchiveConfig.load(os.environ, home=home), name.strip(), roots)
        found = trial.try_authority(believed, clock=now, random=secrets.token_bytes, within_s=TRIAL_S)
        code = Exit.OK if found.holds else Exit.DOES_NOT_HOLD if found.answered else Exit.STORE
        if as_json:
            print_json({**_trial_json(found), "exit_code": int(code)})
        else:
            _tell_trial(found)
    raise typer.Exit(code)


def _open(config: ArchiveConfig) -> "Home":
    from archive.home import Home

    return Home.open(config.home, clock=now)


def _meant(config: ArchiveConfig, name: str, roots: Path | None) -> "Authority":
    """The home's own as it believes it; else a preset or a URL, with the roots that are given or known."""
    from archive import authorities, timekeeping
    from archive.errors import SetupMissing, UsageError
    from archive.home import authority_id
    from custody.errors import TrustError
    from custody.trust import Authority

    pem = "" if roots is None else timekeeping.read_pem(roots)
    if not pem and (config.home / "trust.json").is_file():
        trust = _open(config).trust
        if (own := trust.authority(name) or trust.authority(authority_id(authorities.url_of(name)))) is not None:
            return own
    if not ArchiveConfig.load({}, authorities=[name], home=config.home).authorities:
        raise UsageError("'none' cannot be tried: name an authority")
    known = authorities.preset(name)
    if known is not None and not pem:
        try:
            pem = authorities.bundled_roots(known)
        except (UsageError, SetupMissing) as error:
            say(str(error))
    url = authorities.url_of(name)
    try:
        return Authority(id=authority_id(url), url=url, roots_pem=pem)
    except TrustError as error:
        raise UsageError(f"this authority cannot be tried: {error}") from error


def _tell(opened: "Home", config: ArchiveConfig, *, as_json: bool) -> None:
    _show(opened, logged=_announce(opened, config), as_json=as_json)


def _announce(opened: "Home", config: ArchiveConfig) -> bool:
    """The log tells of the change at once where it is begun and there; else the next command that writes does it."""
    from dataclasses import replace

    from archive.errors import ArchiveError
    from archive.vault import Vault

    later = "the log tells of this change with the next command that writes to it"
    if not opened.state_dir(opened.trust.log.name).is_dir():
        say(f"{later}: it is not begun yet")
        return False
    if opened.signers.root is None:
        say("the log tells of this change once a command is run in the home where the root key is")
        return False
    try:
        with Vault.open(replace(config, authorities=None, authority_roots=None), clock=now, notify=say):
            return True
    except ArchiveError as error:
        say(f"{later}; now it could not: {error}")
        return False


def _show(opened: "Home", *, logged: bool | None, as_json: bool) -> None:
    from archive import timekeeping

    trust = opened.trust
    known = timekeeping.acquaintances(opened, now)
    rows = [_row(each, known.of(each.id)) for each in trust.authorities]
    if as_json:
        document: dict[str, Json] = {
            "schema": 1,
            "quorum": trust.quorum if rows else 0,
            "authorities": list(rows),
            "trust_file": str(opened.trust_file),
            "trust_sha256": trust.digest.hex,
        }
        if logged is not None:
            document["logged"] = logged
        print_json(document)
        return
    if not rows:
        out.print("no authority: nothing can be sealed. `counterproof authorities presets` lists well-known ones")
        return
    for row in rows:
        out.print(Text.assemble((str(row["id"]), "bold"), f"  {row['url']}"))
        for root in row["roots"]:
            out.print(Text(f"    root     {root['subject']}, until {root['ends'][:10]}"))
            out.print(Text(f"    SHA-256  {root['sha256']}"))
        for pinned in row["pins"]:
            out.print(Text(f"    pin      {pinned}"))
        if row["signer_ends"]:
            out.print(Text(f"    signer   of its newest token here, until {row['signer_ends'][:10]}"))
        for warning in row["warnings"]:
            out.print(Text(f"    WARNING  {warning}", style="yellow"))
    out.print(Text(f"{trust.quorum} of {len(rows)} have to stamp before anything is sealed"))
    if len(rows) > 1 and trust.quorum == 1:
        out.print("with one of several, evidence rests on a single authority: counterproof authorities quorum 2")
    out.print(Text(f"trust file {opened.trust_file} (sha256 {trust.digest.hex}): give the new one to who verifies"))


def _row(authority: "Authority", known: "Acquaintance") -> dict[str, Any]:
    from archive import authorities
    from custody.instant import format_utc

    warnings = authorities.ending(authority, now(), known.signer_ends)
    if not authority.roots_pem:
        warnings.append("no roots are known, so its tokens cannot be judged: add it again with --roots PEM")
    return {
        "id": authority.id,
        "url": authority.url,
        "roots": [
            {
                "subject": root.subject.rfc4514_string(),
                "sha256": authorities.fingerprint(root),
                "ends": format_utc(root.not_valid_after_utc),
            }
            for root in authority.roots()
        ],
        "pins": list(authority.pins),
        "signer_ends": None if known.signer_ends is None else format_utc(known.signer_ends),
        "warnings": warnings,
    }


def _trial_json(found: "Trial") -> dict[str, Json]:
    from archive import authorities
    from custody.instant import format_utc

    token, signer, ahead = found.token, found.signer, found.clock_ahead
    return {
        "schema": 1,
        "id": found.authority.id,
        "url": found.authority.url,
        "answered": found.answered,
        "holds": found.holds,
        "reason": found.reason,
        "second_opinion": found.second_opinion,
        "gen_time": None if token is None else format_utc(token.gen_time),
        "policy": None if token is None else token.policy,
        "signer": None
        if signer is None
        else {
            "subject": signer.subject.rfc4514_string(),
            "sha256": authorities.fingerprint(signer),
            "ends": format_utc(signer.not_valid_after_utc),
        },
        "issuers": list(found.issuers),
        "took_ms": round(found.took_s * 1000),
        "clock_ahead_ms": None if ahead is None else round(ahead.total_seconds() * 1000),
    }


def _tell_trial(found: "Trial") -> None:
    if not found.answered:
        out.print(Text(f"NO ANSWER  {found.authority.url}: {found.reason}", style="red"))
        return
    row: dict[str, Any] = _trial_json(found)
    style, word = ("green", "HOLDS") if found.holds else ("red", "DOES NOT HOLD")
    out.print(Text(f"{word}  {found.authority.url} answered within {found.took_s:.2f} s", style=style))
    if found.reason:
        out.print(Text(f"    because  {found.reason}"))
    if found.second_opinion:
        out.print(Text("    read by  OpenSSL: our own reader cannot read this form"))
    if row["gen_time"]:
        out.print(Text(f"    time     {row['gen_time']}, this machine's clock {row['clock_ahead_ms']} ms ahead of it"))
        out.print(Text(f"    policy   {row['policy']}"))
    if row["signer"]:
        out.print(Text(f"    signer   {row['signer']['subject']}, until {row['signer']['ends'][:10]}"))
        out.print(Text(f"    pin      {row['signer']['sha256']}"))
    for issuer in found.issuers:
        out.print(Text(f"    issuer   {issuer}"))
