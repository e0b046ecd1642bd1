"""New homes: for a machine or person that joins a log, and for a log whose root has several holders."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive import disk, signing
from archive.config import ArchiveConfig
from archive.drafts import DraftFile, save_draft
from archive.errors import KeyFileError, UsageError
from archive.home import LOG_NAMESPACE, OPENING, Home, key_spec, make_directories, write_made_at
from archive.keyring import changes
from archive.keyring.request import KeyRequest
from archive.signing import files
from archive.signing.spec import FileSpec
from custody import canonical
from custody.errors import TrustError
from custody.keys import Signer
from custody.note import VerifierKey
from custody.trust import Trust

_NAME_BYTES = 6
MOST_HOLDERS = 8


def read_trust(path: Path) -> Trust:
    """No more is read than a trust file can have. Raises ``UsageError``."""
    try:
        with path.open("rb") as file:
            return Trust.parse(file.read(canonical.MAX_BYTES + 1))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): name the trust file that you were given"
        ) from error
    except TrustError as error:
        raise UsageError(f"{path} is not a trust file that can be believed: {error}") from error


def enrol(
    config: ArchiveConfig,
    *,
    trust_file: Path | None,
    role: str,
    spec: str | None,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Home, tuple[KeyRequest, ...]]:
    """A home of this log without root and log key, and what it asks for. Run again, it asks for the same keys."""
    path = config.home
    make_directories(path)
    with disk.exclusive(path / "home.lock"):
        there = path / "trust.json"
        trust = read_trust(trust_file) if trust_file is not None else None
        if there.exists():
            mine = read_trust(there)
            if trust is not None and trust.log != mine.log:
                raise UsageError(
                    f"{path} is a home of the log {mine.log.name}, and {trust_file} is of {trust.log.name}: name a "
                    "directory of its own by --home"
                )
        elif trust is None:
            raise UsageError("--trust FILE names the trust file of the log to join; ask whoever keeps it")
        else:
            _refuse_keys(path, "root", "log")
        for each in dict.fromkeys(("worker", role)):
            if each == role and spec is not None:
                use = signing.parse(spec)
                signing.open_signer(use).sign(b"counterproof key test")  # one that does not sign is no use
                disk.replace_file(path / "keys" / f"{each}.spec", f"{use.format()}\n".encode())
            elif key_spec(path, each, config.key_specs) is None:
                files.make_key(path / "keys" / f"{each}.key", random)
        write_made_at(path, clock())
        if trust is not None and not there.exists():
            disk.replace_file(there, trust.format())
    home = Home.open(path, clock=clock, random=random, key_specs=config.key_specs)
    log = home.trust.log.name
    asked: list[tuple[str, Signer]] = [("worker", home.signers.worker)]
    if role == "person":
        asked.append(("person", home.signers.need_person()))
    return home, tuple(KeyRequest.make(signer, role=each, log=log, now=clock()) for each, signer in asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """What a ceremony made."""

    home: Home
    draft: DraftFile
    opening: Path


def hold_ceremony(
    config: ArchiveConfig,
    *,
    holders: Sequence[bytes],
    threshold: int,
    people: int,
    signers: Sequence[Signer] = (),
    clock: Callable[[], datetime],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Begun:
    """A fresh home of a fresh log whose root is these public keys; ``signers`` are those of them that are here."""
    path = config.home
    make_directories(path)
    with disk.exclusive(path / "home.lock"):
        if (path / "trust.json").exists():
            mine = read_trust(path / "trust.json")
            raise UsageError(
                f"{path} is the home of {mine.log.name}, whose root is what its trust file says; everybody who was "
                "given that file relies on it, so it stays: begin a new log in a fresh home (--home)"
            )
        if not 1 <= threshold <= len(set(holders)) == len(holders) <= MOST_HOLDERS:
            raise UsageError(
                f"a root of {len(holders)} holders with {threshold} signatures cannot be: name 1 to {MOST_HOLDERS} "
                "different keys, and a threshold that they can meet"
            )
        _refuse_keys(path, "root")
        for role in ("log", "worker"):
            if key_spec(path, role, config.key_specs) is None:
                files.make_key(path / "keys" / f"{role}.key", random)
        write_made_at(path, clock())
        log_key = _public_key(path, "log", config)
        worker = _public_key(path, "worker", config)
        log = VerifierKey(f"{LOG_NAMESPACE}{random(_NAME_BYTES).hex()}", log_key)
        trust = Trust(log=log, root_keys=tuple(holders), root_threshold=threshold, people_threshold=people)
        draft = changes.opening(trust, workers=[worker], made_at=clock(), clock=clock, random=random, signers=signers)
        save_draft(path / OPENING, draft)
        disk.replace_file(path / "trust.json", trust.format())  # last: until then the ceremony can be held again
    home = Home.open(path, clock=clock, random=random, key_specs=config.key_specs)
    return Begun(home=home, draft=draft, opening=path / OPENING)


def make_holders(folder: Path, count: int, random: Callable[[int], bytes] = secrets.token_bytes) -> tuple[Path, ...]:
    """Keys for root holders, to be carried away from here one by one."""
    paths = tuple(folder / f"holder-{n}.key" for n in range(1, count + 1))
    if any(each.exists() for each in paths):
        raise UsageError(f"{folder} holds holders' keys already: name another directory")
    for each in paths:
        files.make_key(each, random)
    return paths


def _public_key(path: Path, role: str, config: ArchiveConfig) -> bytes:
    spec = key_spec(path, role, config.key_specs)
    return signing.open_signer(spec or FileSpec(path / "keys" / f"{role}.key")).public_key


def _refuse_keys(path: Path, *roles: str) -> None:
    for role in roles:
        if key_spec(path, role) is not None:
            raise KeyFileError(
                f"{path / 'keys'} holds a {role} key already, of which the new trust file knows nothing: name a "
                "fresh home"
            )
