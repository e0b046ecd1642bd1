"""A second opinion on a site's certificate: does its chain lead to public roots, and does it name the host?"""

import base64
import hashlib
import ipaddress
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from custody.instant import format_utc
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What one https origin showed in one visit."""

    host: str
    chain_der: tuple[bytes, ...]
    """Leaf first, as the browser gave it; empty where the browser gave none."""
    browser_says: str
    """The browser's own word: ``secure``, ``insecure``, …"""
    trusted_by_spki: bool
    """The person running the program named this key by ``--trust-spki``."""
    valid: bool
    reason: str
    protocol: str
    cipher: str
    told: Mapping[str, str] = field(default_factory=dict)
    """The leaf in the browser's words, where it gave no chain: a host that only redirected."""

    def to_json(self) -> dict[str, Json]:
        described: dict[str, Json] = {
            "host": self.host,
            "browser_says": self.browser_says,
            "trusted_by_spki": self.trusted_by_spki,
            "valid": self.valid,
            "reason": self.reason,
            "protocol": self.protocol,
            "cipher": self.cipher,
            "chain_sha256": [hashlib.sha256(der).hexdigest() for der in self.chain_der],
        }
        if not self.chain_der:
            described["told_by_browser"] = dict(self.told)
        else:
            described |= _describe(self.chain_der[0])
        return described


def pem(chain_der: Sequence[bytes]) -> bytes:
    """The chain as a PEM file, as any TLS tool reads it."""
    blocks = []
    for der in chain_der:
        body = base64.encodebytes(der).replace(b"\n", b"")
        lines = b"\n".join(body[start : start + 64] for start in range(0, len(body), 64))
        blocks.append(b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n")
    return b"".join(blocks)


def spki_sha256(der: bytes) -> str:
    """Base64 of SHA-256 over the SubjectPublicKeyInfo, as Chromium and HPKP (RFC 7469 §2.4) spell it."""
    key = x509.load_der_x509_certificate(der).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


@lru_cache(maxsize=1)
def public_roots() -> Store:
    """Mozilla's root programme, as certifi packs it."""
    with warnings.catch_warnings():
        # One old root has serial number 0 (RFC 5280 §4.1.2.2 wants it positive); a site that chains to it is public.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return Store(x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes()))


def judge_chain(chain_der: Sequence[bytes], host: str, *, at: datetime, roots: Store) -> tuple[bool, str]:
    """RFC 5280 path validation to the given roots, and RFC 6125 name matching; (holds, why not)."""
    if not chain_der:
        return False, "the browser gave no certificate to check"
    try:
        leaf, *others = (x509.load_der_x509_certificate(der) for der in chain_der)
        verifier = PolicyBuilder().store(roots).time(at.astimezone(UTC)).build_server_verifier(_subject(host))
        verifier.verify(leaf, others)
    except (VerificationError, ValueError) as error:
        return False, " ".join(str(error).split())[:300]
    return True, "chain leads to public roots and names the host"


def judge(
    *,
    host: str,
    chain_der: tuple[bytes, ...],
    browser_says: str,
    security: Mapping[str, Any],
    trust_spki: Sequence[str],
    at: datetime,
) -> Certificate:
    """Our word beside the browser's: a chain holds where both say so. ``security``: DevTools' SecurityDetails."""
    named = bool(chain_der) and _spki_or_none(chain_der[0]) in trust_spki
    if not chain_der:
        valid = browser_says == "secure"
        reason = f"the browser calls the connection {browser_says}; its chain was not kept"
    else:
        valid, reason = judge_chain(chain_der, host, at=at, roots=public_roots())
        if browser_says != "secure" and not named:
            valid, reason = False, f"the browser calls the connection {browser_says}; {reason}"
    return Certificate(
        host=host,
        chain_der=chain_der,
        browser_says=browser_says,
        trusted_by_spki=named,
        valid=valid,
        reason=reason,
        protocol=str(security.get("protocol", "")),
        cipher=str(security.get("cipher", "")),
        told={} if chain_der else _told(security),
    )


def _told(security: Mapping[str, Any]) -> dict[str, str]:
    told = {name: str(security[key]) for name, key in _TOLD.items() if security.get(key)}
    for name, key in (("not_before", "validFrom"), ("not_after", "validTo")):
        if key in security:
            told[name] = format_utc(datetime.fromtimestamp(float(security[key]), tz=UTC))
    return told


_TOLD = {"subject": "subjectName", "issuer": "issuer"}


def _spki_or_none(der: bytes) -> str | None:
    try:
        return spki_sha256(der)
    except ValueError:
        return None


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host.rstrip("."))


def _describe(der: bytes) -> dict[str, Json]:
    try:
        leaf = x509.load_der_x509_certificate(der)
        return {
            "subject": leaf.subject.rfc4514_string(),
            "issuer": leaf.issuer.rfc4514_string(),
            "serial": f"{leaf.serial_number:x}",
            "not_before": format_utc(leaf.not_valid_before_utc),
            "not_after": format_utc(leaf.not_valid_after_utc),
            "spki_sha256": spki_sha256(der),
        }
    except ValueError as error:  # a site may send anything; its bytes are kept whatever they say
        return {"unreadable": " ".join(str(error).split())[:300]}
