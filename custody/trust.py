"""The trust file: the one thing a verifier takes from outside the store. It names keys, authorities and thresholds."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from cryptography import x509

from custody import canonical, keys, keyspace
from custody.digest import Digest
from custody.errors import FormatError, TrustError
from custody.note import VerifierKey, decode_base64

VERSION = 1

_T = TypeVar("_T")

_AUTHORITY_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_AUTHORITY_URL = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A time-stamp authority, and what its tokens are held against. Never the system's own roots."""

    id: str
    """One segment of an object key."""
    url: str
    roots_pem: str
    """Its root certificates. Empty when they are not known yet: its tokens are kept, and stay unverified."""
    pins: tuple[str, ...] = ()
    """SHA-256 (hex) of the DER of signer certificates; with any, no other signer is believed."""

    def __post_init__(self) -> None:
        if not _AUTHORITY_ID.fullmatch(self.id):
            raise TrustError(f"an authority's id is lower-case letters, digits, '.' and '-', got {self.id[:80]!r}")
        if not _AUTHORITY_URL.fullmatch(self.url):
            raise TrustError(f"authority {self.id}: expected an http(s) URL, got {self.url[:80]!r}")
        self.roots()
        try:
            for pin in self.pins:
                Digest(pin)
        except FormatError as error:
            raise TrustError(f"authority {self.id}: a pin is the SHA-256 of a certificate: {error}") from error

    def roots(self) -> tuple[x509.Certificate, ...]:
        if not self.roots_pem:
            return ()
        try:
            return tuple(x509.load_pem_x509_certificates(self.roots_pem.encode()))
        except ValueError as error:
            raise TrustError(f"authority {self.id}: its roots are not PEM certificates: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """What its holder has decided to believe."""

    log: VerifierKey
    root_keys: tuple[bytes, ...]
    """Raw Ed25519 keys that may introduce and revoke all others."""
    root_threshold: int = 1
    people_threshold: int = 1
    authorities: tuple[Authority, ...] = ()
    quorum: int = 1
    """How many authorities must have stamped a checkpoint. Without any authority there is no trusted time at all."""

    def __post_init__(self) -> None:
        try:
            keyspace.slug(self.log.name)
            for key in self.root_keys:
                keys.keyid(key)
        except FormatError as error:
            raise TrustError(f"trust file: {error}") from error
        ids = [authority.id for authority in self.authorities]
        if len(set(self.root_keys)) != len(self.root_keys) or len(set(ids)) != len(ids):
            raise TrustError("trust file: a root key or an authority is named twice")
        if not 1 <= self.root_threshold <= len(self.root_keys):
            raise TrustError(f"trust file: {self.root_threshold} of {len(self.root_keys)} root keys cannot be met")
        if self.people_threshold < 1:
            raise TrustError(f"trust file: a threshold is 1 or more, got {self.people_threshold} for people")
        if not 1 <= self.quorum <= max(1, len(ids)):
            raise TrustError(f"trust file: a quorum of {self.quorum} of {len(ids)} authorities cannot be met")

    @property
    def digest(self) -> Digest:
        """Of the file: what ``sha256sum`` says of it, since ``parse`` takes no other spelling."""
        return Digest.of(self.format())

    def authority(self, authority_id: str) -> Authority | None:
        return next((each for each in self.authorities if each.id == authority_id), None)

    def format(self) -> bytes:
        return (
            canonical.dumps(
                {
                    "v": VERSION,
                    "log": {"name": self.log.name, "vkey": self.log.format()},
                    "root": {
                        "keys": [
                            {"keyid": keys.keyid(key), "public_key": base64.b64encode(key).decode()}
                            for key in self.root_keys
                        ],
                        "threshold": self.root_threshold,
                    },
                    "people": {"threshold": self.people_threshold},
                    "authorities": [
                        {"id": each.id, "url": each.url, "roots_pem": each.roots_pem, "pins": each.pins}
                        for each in self.authorities
                    ],
                    "time": {"quorum": self.quorum},
                }
            )
            + b"\n"
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``TrustError``. A field that is not known is refused: it may ask for more than is checked here."""
        try:
            top = _fields(canonical.loads(data), "v", "log", "root", "people", "authorities", "time")
            if top["v"] != VERSION:
                raise TrustError(f"trust file: expected version {VERSION}, got {top['v']!r}")
            log = _fields(top["log"], "name", "vkey")
            root = _fields(top["root"], "keys", "threshold")
            trust = cls(
                log=VerifierKey.parse(_typed(log["vkey"], str)),
                root_keys=tuple(_root_key(each) for each in _typed(root["keys"], list)),
                root_threshold=_typed(root["threshold"], int),
                people_threshold=_typed(_fields(top["people"], "threshold")["threshold"], int),
                authorities=tuple(_authority(each) for each in _typed(top["authorities"], list)),
                quorum=_typed(_fields(top["time"], "quorum")["quorum"], int),
            )
        except FormatError as error:
            raise TrustError(f"trust file: {error}") from error
        if trust.log.name != log["name"]:
            raise TrustError(f"trust file: the log {log['name']!r} has a key of {trust.log.name!r}")
        if trust.format() != data:
            raise TrustError(
                "trust file: this is another spelling of what it says, so its digest is not the one exports print; "
                "use the file as it was given out (canonical JSON and one newline)"
            )
        return trust


def _root_key(value: Any) -> bytes:
    fields = _fields(value, "keyid", "public_key")
    key = decode_base64(_typed(fields["public_key"], str))
    if keys.keyid(key) != fields["keyid"]:
        raise TrustError(f"trust file: root key {fields['keyid']!r} is not the id of the key beside it")
    return key


def _authority(value: Any) -> Authority:
    fields = _fields(value, "id", "url", "roots_pem", "pins")
    return Authority(
        id=_typed(fields["id"], str),
        url=_typed(fields["url"], str),
        roots_pem=_typed(fields["roots_pem"], str),
        pins=tuple(_typed(pin, str) for pin in _typed(fields["pins"], list)),
    )


def _fields(value: Any, *names: str) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = _typed(value, dict)
    if fields.keys() != set(names):
        raise TrustError(f"trust file: expected the fields {', '.join(names)}; got {', '.join(fields)[:200]}")
    return fields


def _typed(value: Any, kind: type[_T]) -> _T:
    # bool is an int to Python, not to JSON
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TrustError(f"trust file: expected {kind.__name__}, got {type(value).__name__}")
    return value
