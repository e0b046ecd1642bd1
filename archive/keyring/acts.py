"""What a keeper of keys does: introduces, revokes, announces, and says where a key is."""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from archive import disk, signing
from archive.config import ArchiveConfig
from archive.drafts import DraftFile
from archive.errors import KeyFileError, UsageError
from archive.home import Home
from archive.keyring import changes
from archive.keyring.desk import Desk, open_desk, open_home
from archive.keyring.request import read_request
from archive.keyring.standing import Standing, key_named, read_standing, remaining_roots, waiting_by
from archive.signing import FileSpec, KeySpec
from custody import keys
from custody.errors import CustodyError, FormatError
from custody.instant import format_utc, parse_utc
from custody.keys import Signer
from custody.schema import REASONS_REVOKED

ROLES = ("root", "log", "worker", "person")
_TEST_BYTES = 16


def introduction(
    desk: Desk, requests: Sequence[Path], *, role: str | None, signers: Sequence[Signer]
) -> DraftFile | None:
    """None: the log has introduced all of them. Each request proves that whoever asks holds the key."""
    trust = desk.home.trust
    standing = read_standing(desk.ledger)
    composer = desk.composer()
    fresh = 0
    for path in requests:
        asked = read_request(path)
        if asked.role == "root":
            raise UsageError(f"{path} asks for a root key, and no event makes one: only the trust file does")
        if role is not None and asked.role != role:
            raise UsageError(f"{path} asks for a {asked.role} key, and --role allows a {role} key only")
        if asked.log != trust.log.name:
            raise UsageError(f"{path} is for the log {asked.log}, and this home is of {trust.log.name}")
        known = standing.get(asked.keyid)
        if known is None:
            composer.introduce(asked.role, asked.public_key)
            fresh += 1
        elif known.revocation is not None:
            raise UsageError(f"the key in {path} was revoked, and that is never taken back: have a new one made")
        elif known.role != asked.role:
            raise UsageError(
                f"the key in {path} was introduced as a {known.role} key: have one made for this role alone"
            )
    return composer.draft(signers) if fresh else None


def revocation(
    desk: Desk, keyid: str, *, reason: str, since: str | None, why: str, signers: Sequence[Signer]
) -> tuple[DraftFile | None, tuple[str, ...]]:
    """None: it is revoked already. And what else is worth knowing."""
    if reason not in REASONS_REVOKED:
        raise UsageError(f"--reason is {', '.join(REASONS_REVOKED)}, got {reason[:40]!r}")
    when = _instant(since, desk.clock())
    known = key_named(read_standing(desk.ledger), keyid)
    if known.revocation is not None:
        return None, ()
    roots = {keys.keyid(key) for key in desk.home.trust.root_keys}
    if known.keyid in roots and remaining_roots(desk.ledger, without=known.keyid) < desk.home.trust.root_threshold:
        raise UsageError(
            "without this root key nobody could introduce or revoke a key in this log again: begin a new log in a "
            "fresh home, and say why by other means; docs/keys.md has the steps"
        )
    signers = (
        [each for each in signers if keys.keyid(each.public_key) != known.keyid] if known.keyid in roots else signers
    )
    waiting = waiting_by(desk.store, known.keyid)
    if waiting and reason == "rotated":
        raise UsageError(
            f"{waiting} events by this key wait in the inbox, and would be refused: run `counterproof sequence` where "
            "the log key is, then this again"
        )
    composer = desk.composer()
    composer.revoke(known.keyid, reason=reason, since=when, why=why)
    return composer.draft(signers), tuple(_notices(desk, known, waiting, reason, when))


def announcement(desk: Desk, *, signers: Sequence[Signer]) -> DraftFile | None:
    """None: the log's newest word on the trust file is the trust file as it is."""
    if changes.is_announced(desk.home.trust, desk.ledger.events("trust.changed", newest_first=True)):
        return None
    composer = desk.composer()
    composer.announce_trust()
    return composer.draft(signers)


def holder_key(path: Path) -> bytes:
    """The public key of a root holder: out of a request, which proves more, or a PEM file."""
    try:
        data = path.read_bytes()[:65_536]
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): name a holder's request or PEM file") from error
    if data.startswith(b"-----BEGIN"):
        try:
            return keys.parse_pem(data)
        except FormatError as error:
            raise UsageError(f"{path} cannot be used ({error}): ask the holder for the public key again") from error
    asked = read_request(path)
    if asked.role != "root":
        raise UsageError(f"{path} asks for a {asked.role} key: a holder's is made with `keys request --role root`")
    return asked.public_key


def check_key(config: ArchiveConfig, role: str, spec: KeySpec, *, clock: Callable[[], datetime]) -> tuple[Home, str]:
    """The home, and the id of a key that is the right one for the role, and signs.

    The home may have no other key for the role. Raises ``UsageError`` and ``KeyFileError``.
    """
    if role not in ROLES:
        raise UsageError(f"a role is {', '.join(ROLES)}, got {role[:40]!r}")
    if role in config.key_specs:
        raise UsageError(
            f"the environment names this {role} key (COUNTERPROOF_{role.upper()}_KEY): take that away first"
        )
    signer = signing.open_signer(spec)
    public_key = signer.public_key
    keyid = keys.keyid(public_key)
    config = replace(config, key_specs={**config.key_specs, role: spec.format()})
    home = open_home(config, clock=clock)
    trust = home.trust
    if role == "log" and public_key != trust.log.public_key:
        raise KeyFileError(f"this key ({keyid[:16]}…) is not the log key that the trust file names: name the right one")
    if role == "root" and public_key not in trust.root_keys:
        raise KeyFileError(f"this key ({keyid[:16]}…) is none of the root keys of the trust file: name the right one")
    if role in {"worker", "person"}:
        with open_desk(config, clock=clock) as desk:
            known = read_standing(desk.ledger).get(keyid)
        if known is None or known.role != role or known.revocation is not None:
            what = "was revoked" if known and known.revocation else f"is no {role} key that the log has introduced"
            raise KeyFileError(
                f"this key ({keyid[:16]}…) {what}: `counterproof keys request` asks for it, `introduce` takes it in, "
                "or `counterproof keys rotate --to` does all of it"
            )
    message = b"counterproof key test\n" + secrets.token_bytes(_TEST_BYTES)
    keys.verify(public_key, message, signer.sign(message))
    return home, keyid


def remember(home: Home, role: str, spec: KeySpec) -> Path:
    """``keys/<role>.spec``, which is looked at before ``keys/<role>.key``; of the latter nothing is removed."""
    path = home.keys / f"{role}.spec"
    if spec == FileSpec(home.keys / f"{role}.key"):
        with disk.trouble(path):
            path.unlink(missing_ok=True)
        disk.sync_directory(home.keys)
        return home.keys / f"{role}.key"
    disk.replace_file(path, f"{spec.format()}\n".encode())
    return path


def left_behind(home: Home, role: str) -> Path | None:
    """A key file that is used no more, and still has its key in it."""
    path = home.keys / f"{role}.key"
    return path if os.path.lexists(path) and (home.keys / f"{role}.spec").exists() else None


def _notices(desk: Desk, known: Standing, waiting: int, reason: str, when: datetime) -> Sequence[str]:
    found: list[str] = []
    if waiting:
        found.append(f"{waiting} events by this key wait in the inbox: they will be refused, and kept in quarantine")
    if known.keyid == keys.keyid(desk.home.signers.worker.public_key):
        found.append("this is the worker key of this home: it captures no more until it has another (`keys enrol`)")
    if known.role == "log":
        found.append(
            "the log key stays the log's for those who verify it: begin a new log in a fresh home (docs/keys.md)"
        )
    if reason == "compromised":
        found.append(f"events by it count as good only under trusted time before {format_utc(when)}; `verify` notes it")
    return found


def _instant(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        return parse_utc(text if "." in text else text.replace("Z", ".000Z"))
    except CustodyError as error:
        raise UsageError(f"--since is UTC like 2026-03-04T05:06:07Z, got {text[:40]!r}") from error
