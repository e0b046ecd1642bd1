"""Throw-away certificates: one that a make-believe network can be trusted by, one that nobody should trust."""

import base64
import hashlib
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """Self-signed, with its key."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    spki: str
    """Base64 SHA-256 of the SubjectPublicKeyInfo: what Chromium's --ignore-certificate-errors-spki-list takes."""

    def context(self) -> ssl.SSLContext:
        """A server's context; ``ssl`` reads keys from files only, so there is one for a moment."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory(prefix="site-") as folder:
            path = Path(folder) / "pair.pem"
            path.touch(mode=0o600)
            path.write_bytes(self.key_pem + self.certificate_pem)
            context.load_cert_chain(path)
        return context


def good(names: Sequence[str], *, at: datetime) -> Certificate:
    """Names all hosts, holds now; only that it is signed by itself stands against it."""
    return _make("Make-believe network", names, begins=at - timedelta(days=1), ends=at + timedelta(days=30))


def bad(*, at: datetime) -> Certificate:
    """Another key, another name, and a month out of date."""
    return _make(
        "Router setup", ["router.setup.example"], begins=at - timedelta(days=395), ends=at - timedelta(days=30)
    )


def _make(title: str, names: Sequence[str], *, begins: datetime, ends: datetime) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        spki=base64.b64encode(hashlib.sha256(spki).digest()).decode(),
    )
