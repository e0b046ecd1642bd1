"""Tokens of a local authority, with another time in them and signed again by its key: a clock that somebody set."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_SIGNATURE_BYTES = 256  # RSA of 2,048 bits, and nothing after it in the response
_GEN_TIME = re.compile(rb"\x18\x0f([0-9]{14})Z")
_CONTENT = re.compile(rb"\x04\x81(.)\x30", re.DOTALL)  # the OCTET STRING around a TSTInfo of 128 to 255 bytes


def dated(directory: Path, times: dict[int, datetime]) -> Callable[[int, bytes], bytes]:
    """For ``ArchiveBuilder.answered``: the time of the token over each of these commits. From now on, and not before:
    the signer's certificate is of today.
    """
    return lambda n, response: redate(directory, response, times[n]) if n in times else response


def redate(directory: Path, response: bytes, at: datetime) -> bytes:
    """Every length stays, so that the bytes can be changed where they are."""
    begin, content = _content(response)
    changed = _GEN_TIME.sub(b"\x18\x0f" + f"{at.astimezone(UTC):%Y%m%d%H%M%S}".encode() + b"Z", content, count=1)
    assert changed != content
    response = response[:begin] + changed + response[begin + len(content) :]
    before, after = hashlib.sha256(content).digest(), hashlib.sha256(changed).digest()
    assert response.count(before) == 1, "the digest in the signed attributes"
    response = response.replace(before, after)
    key = load_pem_private_key((directory / "signer.key").read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    signature = key.sign(_signed_attributes(response, after), PKCS1v15(), hashes.SHA256())
    return response[:-_SIGNATURE_BYTES] + signature


def unreadable(response: bytes) -> bytes:
    """The outermost length in one byte more than it needs: BER, which OpenSSL reads, and DER forbids (X.690 10.1)."""
    assert response[:2] == b"\x30\x82"
    return b"\x30\x83\x00" + response[2:]


def _content(response: bytes) -> tuple[int, bytes]:
    match = _CONTENT.search(response)
    assert match is not None
    begin = match.end() - 1
    return begin, response[begin : begin + match[1][0]]


def _signed_attributes(response: bytes, digest: bytes) -> bytes:
    """RFC 5652 §5.4: what is signed is the SET OF, not the [0] that stands in the SignerInfo."""
    inside = response.rindex(digest)
    # The attributes' own header is the last [0] of this length before the digest.
    for at in range(inside, 0, -1):
        if response[at] == 0xA0 and response[at + 1] == 0x81 and at + 3 + response[at + 2] < len(response):
            return b"\x31" + response[at + 1 : at + 3 + response[at + 2]]
    raise AssertionError("no signed attributes")
