"""Ed25519 keys (RFC 8032): sign, verify, name."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from custody.errors import FormatError, SignatureError

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class Signer(Protocol):
    """What signs: a key in memory, or a device that never shows its key."""

    @property
    def public_key(self) -> bytes:
        """32 raw bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes over the message itself, not over a digest of it."""
        ...


class Ed25519Signer:
    """A key in memory. Its ``repr`` shows the public half only."""

    def __init__(self, private_bytes: bytes) -> None:
        if len(private_bytes) != KEY_BYTES:
            raise FormatError(f"an Ed25519 private key has {KEY_BYTES} bytes, got {len(private_bytes)}")
        self._key = Ed25519PrivateKey.from_private_bytes(private_bytes)
        self.public_key = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"Ed25519Signer(keyid={keyid(self.public_key)})"

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        return cls(random(KEY_BYTES))

    @property
    def private_bytes(self) -> bytes:
        """32 raw bytes: the RFC 8032 seed."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def keyid(public_key: bytes) -> str:
    """64 hex digits: SHA-256 of the 32 raw bytes."""
    return hashlib.sha256(_checked(public_key)).hexdigest()


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Return, or raise ``SignatureError``."""
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"an Ed25519 signature has {SIGNATURE_BYTES} bytes, got {len(signature)}")
    try:
        Ed25519PublicKey.from_public_bytes(_checked(public_key)).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureError(f"the signature does not hold under key {keyid(public_key)}") from error


def pem(public_key: bytes) -> bytes:
    """SubjectPublicKeyInfo as PEM, the form that ``openssl pkeyutl`` wants."""
    key = Ed25519PublicKey.from_public_bytes(_checked(public_key))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def parse_pem(data: bytes) -> bytes:
    """32 raw bytes out of what ``pem`` wrote."""
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise FormatError("this is not the PEM of a public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise FormatError("expected the PEM of an Ed25519 key, got one of another kind")
    return key.public_bytes_raw()


def _checked(public_key: bytes) -> bytes:
    if len(public_key) != KEY_BYTES:
        raise FormatError(f"an Ed25519 public key has {KEY_BYTES} bytes, got {len(public_key)}")
    return public_key
