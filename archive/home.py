"""The home: keys, trust file, spool, embedded store and caches of one user. Made on first use.

::

    keys/root.key log.key worker.key   Ed25519 seeds, 32 raw bytes each, 0600; a worker's home has only its own
    keys/person.key                    likewise, where a person has a key of her own
    keys/<role>.spec                   one line in place of a key: where else it is (archive.signing.spec)
    trust.json                         what `verify` believes unless told otherwise
    home.json                          layout version, and when the keys were made
    store/                             the embedded store's data
    spool/                             what is in hand and not yet durable
    state/<log>/                       how far the log was seen: never go below it
    cache/  catalog.sqlite             rebuildable
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from archive import disk, signing
from archive.errors import KeyFileError, UsageError
from archive.signing.spec import FileSpec, KeySpec
from custody import canonical, instant, keyspace
from custody.errors import CustodyError, TrustError
from custody.keys import KEY_BYTES, Signer
from custody.note import VerifierKey
from custody.trust import Trust

LAYOUT = 1
LOG_NAMESPACE = "counterproof.example/"
OPENING = "opening.json"
"""In the home of a log that several root holders begin: the draft that they sign."""

_ROLES = ("root", "log", "worker")
_NAME_BYTES = 6


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys that a home can sign with: all of them in the home that made the log, only some elsewhere."""

    root: Signer | None
    """Introduces and revokes the others. None: it is kept elsewhere."""
    log: Signer | None
    """Signs checkpoints. None: this home is a worker's, and somebody else gives its events their place."""
    worker: Signer
    """Signs what was done."""
    person: Signer | None = None
    """Signs what a person decides. None: the root key does."""

    def need_root(self) -> Signer:
        """Raises ``KeyFileError`` where it is kept elsewhere."""
        if self.root is None:
            raise KeyFileError(
                "this home holds no root key, and this needs its signature: do it in the home where keys/root.key is, "
                "or write it with --out and have it signed there with `counterproof keys cosign`"
            )
        return self.root

    def need_log(self) -> Signer:
        """Raises ``KeyFileError`` in a worker's home."""
        if self.log is None:
            raise KeyFileError(
                "this home holds no log key, and this needs its signature: do it in the home where keys/log.key is, "
                "or put that file back from your backup"
            )
        return self.log

    def need_person(self) -> Signer:
        """The person's key, or the root key in its place. Raises ``KeyFileError`` where there is neither."""
        signer = self.person or self.root
        if signer is None:
            raise KeyFileError(
                "this home holds neither a person's key nor the root key, and this needs the signature of a person: "
                "run `counterproof keys enrol --role person`, or do it in a home that has one"
            )
        return signer


class Home:
    """One directory, private to its user. Open it with ``Home.open``."""

    def __init__(self, path: Path, *, signers: Signers, trust: Trust, made_at: datetime, first_use: bool) -> None:
        self.path = path
        self.signers = signers
        self.trust = trust
        self.made_at = made_at
        """When the keys were made, which is when they became valid."""
        self.first_use = first_use
        """True when this very opening made the keys: their public halves are worth showing."""

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def trust_file(self) -> Path:
        return self.path / "trust.json"

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def catalog(self) -> Path:
        return self.path / "catalog.sqlite"

    def state_dir(self, log: str) -> Path:
        """Not a cache: losing it loses the memory of how far the log had come."""
        return self.path / "state" / keyspace.slug(log)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
        key_specs: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """``key_specs`` says for a role where its key is, before the home is asked (``archive.config``).

        Raises ``KeyFileError`` when a key is missing, damaged or not ours alone, and ``DiskError``.
        """
        make_directories(path)
        # Two first uses at once: the second waits here, then finds what the first has made.
        with disk.exclusive(path / "home.lock"):
            first_use = not (path / "trust.json").exists()
            if first_use:
                _make(path, clock(), random, key_specs)
            signers = _signers(path, key_specs)
            made_at = _read_made_at(path / "home.json")
            trust = _read_trust(path / "trust.json")
        return cls(path, signers=signers, trust=trust, made_at=made_at, first_use=first_use)

    def change_trust(self, change: Callable[[Trust], Trust]) -> Trust:
        """Write what ``change`` makes of the trust file as it is now, if that is anything else; give the new trust."""
        with disk.exclusive(self.path / "home.lock"):
            before = _read_trust(self.trust_file)
            try:
                trust = change(before)
            except TrustError as error:
                raise UsageError(f"the trust file cannot say so: {error}") from error
            if trust != before:
                disk.replace_file(self.trust_file, trust.format())
            self.trust = trust
        return trust


def authority_id(url: str) -> str:
    """A name for an authority that fits an object key: its host, and enough of the URL's digest to tell two apart."""
    host = urlsplit(url).hostname or ""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in ".-") else "-" for each in host).strip(".-")
    return f"{plain[:40] or 'authority'}-{sha256(url.encode()).hexdigest()[:8]}"


def _make(path: Path, now: datetime, random: Callable[[int], bytes], specs: Mapping[str, str]) -> None:
    """The trust file comes last: as long as it is missing, a crash is made good by doing the rest."""
    for role in _ROLES:
        # One that is there was made by a first use that was cut short, or is elsewhere.
        if key_spec(path, role, specs) is None:
            disk.replace_file(path / "keys" / f"{role}.key", random(KEY_BYTES))
    write_made_at(path, now)
    signers = _signers(path, specs)
    name = f"{LOG_NAMESPACE}{random(_NAME_BYTES).hex()}"
    log = VerifierKey(name, signers.need_log().public_key)
    trust = Trust(log=log, root_keys=(signers.need_root().public_key,))
    disk.replace_file(path / "trust.json", trust.format())


def make_directories(path: Path) -> None:
    """Raises ``KeyFileError`` where others can look at the keys."""
    for directory in (path, *(path / name for name in ("keys", "store", "spool", "state", "cache"))):
        disk.make_directory(directory)
    _refuse_shared(path / "keys")


def write_made_at(path: Path, now: datetime) -> None:
    """When a home's keys were made, unless it says so already."""
    if not (path / "home.json").exists():
        made = canonical.dumps({"layout": LAYOUT, "made_at": instant.format_utc(now)})
        disk.replace_file(path / "home.json", made + b"\n")


def key_spec(path: Path, role: str, specs: Mapping[str, str] = MappingProxyType({})) -> KeySpec | None:
    """Where a role's key is: as the environment says, as ``keys/<role>.spec`` says, or in ``keys/<role>.key``."""
    if text := specs.get(role):
        return signing.parse(text)
    stored = path / "keys" / f"{role}.spec"
    if stored.exists():
        with disk.trouble(stored):
            text = stored.read_text(encoding="utf-8", errors="replace")
        try:
            return signing.parse(text)
        except UsageError as error:
            raise KeyFileError(f"{stored} names no key ({error}): `counterproof keys use` writes it anew") from error
    file = path / "keys" / f"{role}.key"
    return FileSpec(file) if os.path.lexists(file) else None


def _signers(path: Path, specs: Mapping[str, str]) -> Signers:
    held: dict[str, Signer | None] = {}
    for role in (*_ROLES, "person"):
        spec = key_spec(path, role, specs)
        held[role] = None if spec is None else signing.open_signer(spec)
    worker = held["worker"]
    if worker is None:
        raise KeyFileError(
            f"{path / 'keys' / 'worker.key'} cannot be read (No such file or directory): put it back from your backup, "
            "or run `counterproof keys enrol` to make a new one, which has to be introduced"
        )
    return Signers(root=held["root"], log=held["log"], worker=worker, person=held["person"])


def _refuse_shared(directory: Path) -> None:
    with disk.trouble(directory):
        status = directory.stat()
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{directory} belongs to another user: run this as its owner, or name another home")
    if not disk.is_private(status):
        raise KeyFileError(f"others can look into {directory}: run `chmod 700 {directory}`")


def _read_made_at(path: Path) -> datetime:
    with disk.trouble(path):
        data = path.read_bytes()
    try:
        value = canonical.loads(data)
        if not isinstance(value, dict) or value.get("layout") != LAYOUT:
            raise KeyFileError(f"{path} is of a layout that this version does not know: use the version that made it")
        return instant.parse_utc(str(value.get("made_at")))
    except CustodyError as error:
        raise KeyFileError(f"{path} is damaged ({error}): put it back from your backup") from error


def _read_trust(path: Path) -> Trust:
    with disk.trouble(path):
        data = path.read_bytes()
    try:
        return Trust.parse(data)
    except TrustError as error:
        raise KeyFileError(f"{path} cannot be believed ({error}): put it back from your backup") from error
