"""Another key for a worker or person, in four steps. A crash after any of them leaves a home that works.

::

    1 the new key is made beside the old one, and both are written down    the old key signs
    2 the log introduces the new key                                       the old key signs
    3 the home changes over, at one stroke                                 the new key signs
    4 the log revokes the old key, and the note of step 1 goes             the new key signs

Run again, it goes on where it stopped.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from archive import disk, signing
from archive.drafts import DraftFile
from archive.errors import KeyFileError, UsageError
from archive.home import key_spec
from archive.keyring.changes import Composer, missing
from archive.keyring.desk import Desk
from archive.keyring.standing import Standing, read_standing, waiting_by
from archive.signing import files
from archive.signing.spec import FileSpec, KeySpec
from archive.spool import Spool
from custody import canonical, keys
from custody.errors import CustodyError
from custody.keys import Signer

ROLES = ("worker", "person")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """How far it came."""

    old: str
    new: str
    draft: DraftFile | None
    """What has to be signed elsewhere before it can go on; None: it is done."""


def rotate(
    desk: Desk,
    role: str,
    *,
    to: str | None,
    roots: Sequence[Signer],
    random: Callable[[int], bytes],
    hook: Callable[[str], None] = lambda _: None,
) -> Rotation:
    """``to``: a key that is there already, as ``archive.signing.spec`` names it; None: a new file in the home."""
    if role not in ROLES:
        raise UsageError(f"a {role} key stays as long as its log: only those of workers and people can be changed")
    if role in desk.config.key_specs:
        raise UsageError(
            f"the environment names this {role} key (COUNTERPROOF_{role.upper()}_KEY): take that away first"
        )
    folder = desk.home.keys
    with disk.exclusive(desk.home.path / "keys.lock"):
        plan = _plan(desk, role, to, random)
        hook("planned")
        standing = read_standing(desk.ledger)
        fresh = standing.get(plan.new)
        if fresh is not None and fresh.revocation is not None:
            raise KeyFileError(
                f"the new key {plan.new[:16]}… was revoked: remove {_note(folder, role)} and begin again"
            )
        if fresh is None:
            composer = desk.composer()
            composer.introduce(role, signing.open_signer(plan.spec).public_key)
            draft = composer.draft(roots)
            if missing(draft, desk.home.trust):
                return Rotation(old=plan.old, new=plan.new, draft=draft)
            desk.record(draft)
            hook("introduced")
        known = standing.get(plan.old)
        if _current(desk, role) != plan.new and known is not None and known.revocation is None:
            _refuse_running(desk, role)  # of a key that is revoked nothing is taken any more, so nothing is lost
        _change_over(folder, role, plan.spec, hook)
        hook("changed over")
        if known is not None and known.revocation is None and (waiting := waiting_by(desk.store, plan.old)):
            raise UsageError(
                f"{waiting} events by the old key wait in the inbox, and would be refused: run `counterproof sequence` "
                "where the log key is, then this again"
            )
        composer = desk.composer()
        if _revoke(composer, plan.old, standing, desk.clock):
            draft = composer.draft(roots)
            if missing(draft, desk.home.trust):
                return Rotation(old=plan.old, new=plan.new, draft=draft)
            desk.record(draft)
            hook("revoked")
        with disk.trouble(folder):
            _note(folder, role).unlink(missing_ok=True)
        disk.sync_directory(folder)
        return Rotation(old=plan.old, new=plan.new, draft=None)


@dataclass(frozen=True, slots=True)
class _Plan:
    old: str
    new: str
    spec: KeySpec


def _plan(desk: Desk, role: str, to: str | None, random: Callable[[int], bytes]) -> _Plan:
    """The one that is written down, or a new one."""
    folder = desk.home.keys
    note = _note(folder, role)
    if note.exists():
        plan = _read(note)
        if to is not None and signing.parse(to) != plan.spec:
            raise UsageError(f"a change to {plan.spec.format()} is under way: finish that one first (leave --to out)")
        return plan
    current = desk.home.signers.worker if role == "worker" else desk.home.signers.person
    if current is None:
        raise UsageError("this home has no person's key to change: `counterproof keys enrol --role person` makes one")
    if to is not None:
        spec = signing.parse(to)
    else:
        spec = FileSpec(folder / f"{role}.next.key")
        if not os.path.lexists(spec.path):  # else made by a change that was cut short before it was written down
            files.make_key(spec.path, random)
    new = signing.open_signer(spec)
    new.sign(b"counterproof key test")  # a device that does not sign is no successor
    plan = _Plan(keys.keyid(current.public_key), keys.keyid(new.public_key), spec)
    if plan.old == plan.new:
        raise UsageError("this is the key that the home has: name another")
    disk.replace_file(note, canonical.dumps({"old": plan.old, "new": plan.new, "spec": spec.format()}) + b"\n")
    return plan


def _note(folder: Path, role: str) -> Path:
    return folder / f"{role}.rotation.json"


def _read(path: Path) -> _Plan:
    try:
        value: Any = canonical.loads(path.read_bytes())
        return _Plan(str(value["old"]), str(value["new"]), signing.parse(str(value["spec"])))
    except (OSError, CustodyError, UsageError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} cannot be read: remove it, and begin the change of the key again") from error


def _current(desk: Desk, role: str) -> str:
    spec = key_spec(desk.home.path, role)
    return "" if spec is None else keys.keyid(signing.open_signer(spec).public_key)


def _change_over(folder: Path, role: str, spec: KeySpec, hook: Callable[[str], None]) -> None:
    """At one stroke: what `archive.home` looks at first is changed last or alone."""
    stored, file = folder / f"{role}.spec", folder / f"{role}.key"
    with disk.trouble(folder):
        if spec == FileSpec(folder / f"{role}.next.key"):
            if spec.path.exists():  # else a change that was cut short came so far
                spec.path.replace(file)  # the old file's bytes go with it
                disk.sync_directory(folder)
            hook("half over")
            stored.unlink(missing_ok=True)
        else:
            disk.replace_file(stored, f"{spec.format()}\n".encode())
            hook("half over")
            file.unlink(missing_ok=True)
    disk.sync_directory(folder)


def _revoke(composer: Composer, old: str, standing: Mapping[str, Standing], clock: Callable[[], datetime]) -> bool:
    known = standing.get(old)
    if known is None or known.revocation is not None:
        return False
    composer.revoke(old, reason="rotated", since=clock(), why="another key took its place")
    return True


def _refuse_running(desk: Desk, role: str) -> None:
    """What a run signs with the old key after its revocation would be refused, and lost."""
    if role != "worker":
        return
    spool = Spool(desk.home.spool, clock=desk.clock)
    for run in spool.runs():
        with spool.dead(run) as dead:
            what = (
                "waits in the spool: run `counterproof capture` or `sequence` once"
                if dead
                else "is running: let it end"
            )
            raise UsageError(
                f"a run that signs with the old key {what}, then run this again; until then the old key goes on"
            )
