"""``counterproof keys``: who may sign in a log. Keys are made, asked for, introduced, changed, revoked."""

import os
import secrets
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, print_json, say, sentences

if TYPE_CHECKING:
    from archive.keyring.desk import Desk
    from custody.keys import Signer

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Who may sign in a log: keys made, asked for, introduced, changed, revoked.\n\n"
        "A key is file:PATH (0600), pkcs11:token=T;object=O?module-path=LIBRARY, or awskms:KEY[@REGION]; a PIN comes "
        "from pin-source=file:PATH or COUNTERPROOF_PKCS11_PIN, never from the command line. Step by step: docs/keys.md."
    ),
)

OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write a draft for others to sign, and record nothing."),
]
KeyOption = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="SPEC", help="Sign with this root key too; may be given again."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; I have read what is signed.")]


@app.command()
def show(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show the keys that this home holds, where each is, and what the log says of all keys."""
    from console import keyring

    with sentences(as_json=as_json):
        code = keyring.show(_config(home, store), as_json=as_json)
    raise typer.Exit(code)


@app.command()
def use(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="root, log, worker or person.")],
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="Where its key is: file:…, pkcs11:… or awskms:….")],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Say where a role's key is from now on. It has to be the right one, and to sign, before that is written down."""
    from archive import signing
    from archive.keyring.acts import check_key, remember

    with sentences(as_json=False):
        chosen = signing.parse(spec)
        opened, keyid = check_key(_config(home, store), role, chosen, clock=now)
        path = remember(opened, role, chosen)
    say(f"the {role} key is {chosen.format()} (id {keyid}); {path} says so")


@app.command()
def enrol(
    *,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="The trust file of the log to join.")
    ] = None,
    role: Annotated[str, typer.Option("--role", metavar="worker|person", help="For whom.")] = "worker",
    key: Annotated[
        str | None, typer.Option("--key", metavar="SPEC", help="A key that is there already. [a new file in the home]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write the requests. [the home]")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """On a new machine: make its key and a home without root and log key, and write what asks for its introduction."""
    from archive import disk
    from archive.keyring.making import enrol as make

    with sentences(as_json=as_json):
        if role not in {"worker", "person"}:
            raise UsageError(f"--role is worker or person, got {role[:40]!r}")
        config = _config(home, None)
        made, requests = make(config, trust_file=trust, role=role, spec=key, clock=now)
        folder = out or made.path
        disk.make_directory(folder)
        rows = []
        for each in requests:
            path = folder / f"{each.role}-{each.keyid[:16]}.request.json"
            disk.replace_file(path, each.format())
            rows.append({"role": each.role, "keyid": each.keyid, "request": str(path)})
        if as_json:
            print_json({"schema": 1, "home": str(made.path), "log": made.trust.log.name, "requests": [*rows]})
        for row in rows:
            say(f"{row['role']} key {row['keyid']}: {row['request']}")
        say(
            "give these files to whoever keeps the root key: `counterproof keys introduce FILE`, and read the "
            "ids out loud"
        )


@app.command()
def request(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The key: file:…, pkcs11:… or awskms:….")],
    *,
    role: Annotated[str, typer.Option("--role", metavar="root|worker|person", help="What it is to be.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The request.")],
    make: Annotated[bool, typer.Option("--make", help="Make the key first; file: only, never over another.")] = False,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="Of the log; not for root. [the home's]")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Prove that you hold a key, in a file that `introduce` or `ceremony` takes; --make makes it first."""
    from archive import disk, signing
    from archive.keyring.making import read_trust
    from archive.keyring.request import KeyRequest
    from archive.signing import FileSpec, files

    with sentences(as_json=False):
        if role not in {"root", "worker", "person"}:
            raise UsageError(f"--role is root, worker or person, got {role[:40]!r}")
        chosen = signing.parse(spec)
        log = None if role == "root" else read_trust(trust or _config(home, None).home / "trust.json").log.name
        if make:
            if not isinstance(chosen, FileSpec):
                raise UsageError("--make makes file: keys; make this one with the device's or service's own tool")
            files.make_key(chosen.path)
        asked = KeyRequest.make(signing.open_signer(chosen), role=role, log=log, now=now())
        disk.replace_file(out, asked.format())
    say(f"{role} key {asked.keyid}: {out}")


@app.command()
def introduce(
    requests: Annotated[list[Path], typer.Argument(metavar="REQUEST...", help="Files that `keys enrol` wrote.")],
    *,
    role: Annotated[
        str | None, typer.Option("--role", metavar="worker|person", help="Take no request for anything else.")
    ] = None,
    key: KeyOption = None,
    out: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where the root key is: check that whoever asks holds the key, and let the log introduce it."""
    from archive.keyring.acts import introduction
    from console import keyring

    with sentences(as_json=as_json), _desk(home, store) as desk:
        draft = introduction(desk, requests, role=role, signers=desk.roots(_signers(key)))
        if draft is None:
            keyring.done(desk.home.trust.log.name, (), as_json=as_json, what="introduced already")
        else:
            keyring.record_or_write(desk, draft, out, as_json=as_json)


@app.command()
def rotate(
    role: Annotated[str, typer.Argument(metavar="worker|person", help="Whose key.")],
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="SPEC", help="The new key. [a new file in the home]")
    ] = None,
    key: KeyOption = None,
    out: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change this home's key for a new one: introduced, taken into use, the old one revoked. Run again, it goes on."""
    from archive.keyring.rotation import rotate as turn
    from console import keyring

    with sentences(as_json=as_json), _desk(home, store) as desk:
        came = turn(desk, role, to=to, roots=desk.roots(_signers(key)), random=secrets.token_bytes)
        if came.draft is not None:
            keyring.record_or_write(desk, came.draft, out, as_json=as_json, must_write=True)
            say(
                "once that is submitted, run `counterproof keys rotate` again: it goes on; until then the old key signs"
            )
        else:
            keyring.done(
                desk.home.trust.log.name,
                (),
                as_json=as_json,
                what=f"the {role} key is {came.new} now; {came.old} is revoked",
            )


@app.command()
def revoke(
    keyid: Annotated[str, typer.Argument(metavar="KEYID", help="Its id, or how that begins.")],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="rotated|lost|compromised", help="In the log, for all.")],
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="When it was last surely good, UTC. [now]")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="In words; kept in a blob, never in the log.")] = "",
    key: KeyOption = None,
    out: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the log say that a key is believed no more. What it signed before stays, and is judged by its time-stamps."""
    from archive.keyring.acts import revocation
    from console import keyring

    with sentences(as_json=as_json), _desk(home, store) as desk:
        draft, notices = revocation(desk, keyid, reason=reason, since=since, why=why, signers=desk.roots(_signers(key)))
        for each in notices:
            say(each)
        if draft is None:
            keyring.done(desk.home.trust.log.name, (), as_json=as_json, what="revoked already")
        else:
            keyring.record_or_write(desk, draft, out, as_json=as_json)


@app.command()
def announce(
    *,
    key: KeyOption = None,
    out: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the log say which time-stamp authorities the trust file believes; by itself where one root key is enough."""
    from archive.keyring.acts import announcement
    from console import keyring

    with sentences(as_json=as_json), _desk(home, store) as desk:
        draft = announcement(desk, signers=desk.roots(_signers(key)))
        if draft is None:
            keyring.done(desk.home.trust.log.name, (), as_json=as_json, what="the log says so already")
        else:
            keyring.record_or_write(desk, draft, out, as_json=as_json)


@app.command()
def ceremony(
    holders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[HOLDER...]", help="Requests (`keys request --role root`) or PEM files of public keys."
        ),
    ] = None,
    *,
    threshold: Annotated[int, typer.Option("--threshold", min=1, max=8, help="So many of them have to sign.")] = 2,
    people: Annotated[int, typer.Option("--people", min=1, max=8, help="So many people have to sign a disposal.")] = 1,
    make: Annotated[
        int | None, typer.Option("--make", min=1, max=8, metavar="N", help="Make N holders' keys here, into --into.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Where --make puts them, to be carried away.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a fresh home whose root has several holders, such as any 2 of 3. Their first signatures open the log."""
    from archive import signing
    from archive.keyring.acts import holder_key
    from archive.keyring.making import hold_ceremony, make_holders
    from archive.signing import FileSpec

    with sentences(as_json=as_json):
        config = _config(home, None)
        if (make is None) != (into is None) or (make is None) == (not holders):
            raise UsageError("name the holders' files, or make their keys here with --make N --into DIR")
        made = make_holders(into, make) if make is not None and into is not None else ()
        signers = [signing.open_signer(FileSpec(each)) for each in made]
        public_keys = [each.public_key for each in signers] or [holder_key(each) for each in holders or ()]
        begun = hold_ceremony(
            config, holders=public_keys, threshold=threshold, people=people, signers=signers, clock=now
        )
        trust = begun.home.trust
        if as_json:
            print_json({
                "schema": 1,
                "log": trust.log.name,
                "trust": {"path": str(begun.home.trust_file), "sha256": trust.digest.hex},
                "draft": str(begun.opening),
                "holders": [str(each) for each in made],
            })  # fmt: skip
        say(f"the log {trust.log.name} is to have a root of {threshold} of {len(public_keys)} keys")
        say(f"trust file {begun.home.trust_file} (sha256 {trust.digest.hex}): give it to every holder and verifier")
        if made:
            say(f"holders' keys are in {into}: carry each away to its holder, and leave none here")
            say(f"they have signed {begun.opening}; begin the log: counterproof keys submit {begun.opening}")
        else:
            say(f"each of {threshold} holders: counterproof keys cosign {begun.opening} --key SPEC --trust TRUSTFILE")
            say(f"then begin the log: counterproof keys submit {begun.opening}")


@app.command()
def cosign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A draft.")],
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="SPEC", help="Your key. [the home's person or root key]")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="Your own copy of the trust file. [the home's]")
    ] = None,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read in plain words what a draft says, then add your signature to it."""
    from archive import signing
    from archive.drafts import may_sign, read_draft, save_draft, signed
    from archive.keyring.desk import open_home
    from archive.keyring.making import read_trust
    from console import keyring
    from custody import keys

    with sentences(as_json=as_json):
        config = _config(home, None)
        draft = read_draft(file)
        signer: Signer = (
            open_home(config, clock=now).signers.need_person()
            if key is None
            else signing.open_signer(signing.parse(key))
        )
        believed = read_trust(trust or config.home / "trust.json")
        if draft.log != believed.log.name:
            raise UsageError(f"this draft is for the log {draft.log}, and the trust file is of {believed.log.name}")
        keyid = keys.keyid(signer.public_key)
        for each in draft.events:
            if not may_sign(each.event, keyid, believed):
                raise UsageError(
                    f"your key {keyid[:16]}… is none whose word {each.event.type} takes: use another --key"
                )
        keyring.describe(draft, believed)
        say(f"your key: {keyid}")
        if not yes:
            keyring.ask()
        draft = draft.signed_by(signer)
        save_draft(file, draft)
        lacking = max(signed(each, believed, at_best=True).missing for each in draft.events)
        if as_json:
            print_json({"schema": 1, "draft": str(file), "keyid": keyid, "missing": lacking})
        say(f"signed; it needs still: {lacking}" if lacking else f"signed; now: counterproof keys submit {file}")
        if any(each.event.kind and each.event.kind.by in {"person", "people"} for each in draft.events):
            say("whether the log knows who has signed as people is looked at when it is submitted")


@app.command()
def submit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A draft, or copies signed by different people.")
    ],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a draft into the log once it has its signatures. Repeating it does nothing twice."""
    from archive.drafts import read_draft
    from archive.keyring.desk import begin_log, open_desk
    from console import keyring

    with sentences(as_json=as_json):
        config = _config(home, store)
        draft, *others = (read_draft(each) for each in files)
        for other in others:
            draft = draft.merged(other)
        if draft.events[0].event.type == "log.opened":
            receipts = begin_log(config, draft, clock=now)
        else:
            with open_desk(config, clock=now) as desk:
                receipts = desk.record(draft)
        keyring.done(draft.log, receipts, as_json=as_json, what="in the log")


def _config(home: Path | None, store: str | None) -> ArchiveConfig:
    return ArchiveConfig.load(os.environ, home=home, store_url=store)


def _desk(home: Path | None, store: str | None) -> "AbstractContextManager[Desk]":
    from archive.keyring.desk import open_desk

    return open_desk(_config(home, store), clock=now)


def _signers(specs: list[str] | None) -> "list[Signer]":
    from archive import signing

    return [signing.open_signer(signing.parse(each)) for each in specs or ()]
