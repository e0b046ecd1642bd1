"""RFC 3161 time-stamps: ask, and judge the answer. What is stamped is the whole checkpoint file, signature and all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response

from custody import cms
from custody.errors import FormatError, TimestampError
from custody.trust import Authority

NONCE_BITS = 64
MAX_RESPONSE_BYTES = 256 * 1024

_GRANTED = 0
_SHA256 = "2.16.840.1.101.3.4.2.1"
_DIGESTS = {_SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
# RFC 8017 §A.2.4 and RFC 5758 §3.2: the algorithm that a signature names, and the digest that goes with it.
_RSA = "1.2.840.113549.1.1.1"
_RSA_WITH = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH = {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384", "1.2.840.10045.4.3.4": "sha512"}
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"  # RFC 2634 §5.4, by SHA-1
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"  # RFC 5035 §3
_DIRECTORY_NAME = 0xA4  # RFC 5280 §4.2.1.6, GeneralName [4]
# version 1, then the SHA-256 AlgorithmIdentifier with NULL parameters, as OpenSSL and everyone else writes it
_VERSION_1 = cms.encode(cms.INTEGER, b"\x01")
_SHA256_IDENTIFIER = bytes.fromhex("300d06096086480165030402010500")
_CERTIFICATE_WANTED = b"\x01\x01\xff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """What an authority says: these bytes were there at this time."""

    gen_time: datetime
    """The authority's own clock, UTC."""
    serial: int
    """Up to 160 bits: goes into JSON as text."""
    policy: str
    """Dotted object identifier; empty when the token names none."""
    authority: str
    """Its id in the trust file."""
    accuracy: timedelta = timedelta(0)
    """How far off the clock may be, by its own word; zero when it does not say."""


class Unreadable(TimestampError):
    """The answer is not in the form that this verifier reads, which is not to say that nobody can read it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="TS_PARSE")


def query(data: bytes, nonce: int) -> bytes:
    """DER of a TimeStampReq (RFC 3161 §2.4.1): SHA-256, the signer's certificate wanted."""
    if not 0 <= nonce < 1 << NONCE_BITS:
        raise TimestampError(f"a nonce has up to {NONCE_BITS} bits", code="TS_NONCE")
    return _encode_query(hashlib.sha256(data).digest(), nonce)


def read(query: bytes, response: bytes, data: bytes, authority: Authority) -> Token:
    """What the token says, and that it answers this query about these bytes. Who signed it is not looked at.

    Raises ``TimestampError``: ``TS_PARSE``, ``TS_STATUS``, ``TS_IMPRINT``, ``TS_NONCE``.
    """
    return _read(query, response, data, authority)[0]


def judge(query: bytes, response: bytes, data: bytes, authority: Authority) -> Token:
    """``read``, and that the authority signed it, judged at the token's own time: certificates may expire later.

    Also raises ``TS_TRUST`` (no chain to the authority's roots), ``TS_PIN`` (another signer than those pinned),
    ``TS_EKU`` (a certificate that is not for time-stamping) and ``TS_SIG``.
    """
    token, decoded, envelope = _read(query, response, data, authority)
    roots = authority.roots()
    if not roots:
        raise TimestampError(
            f"the roots of {authority.id} are not in the trust file, so nothing can be said of its token",
            code="TS_TRUST",
        )
    signer = None if envelope.signer is None else _certificate(envelope.signer)
    if signer is not None:
        _check_purpose(signer)
    refused = _verification(decoded, data, roots)
    # OpenSSL looks at the chain first; its reason is all that tells a stranger's token from a damaged one.
    if refused is not None and "certificate verify error" in str(refused):
        raise TimestampError(
            f"the token does not chain to the roots of {authority.id} at {token.gen_time.isoformat()}: {refused}",
            code="TS_TRUST",
        ) from refused
    if authority.pins and (signer is None or signer.fingerprint(hashes.SHA256()).hex() not in authority.pins):
        raise TimestampError(f"the token's signer is not one that is pinned for {authority.id}", code="TS_PIN")
    if signer is None:
        raise TimestampError("the token does not carry the certificate of its signer")
    if refused is not None:
        raise TimestampError(f"the token's signature does not hold: {refused}") from refused
    _check_algorithms(envelope, signer)
    _check_binding(envelope, signer)
    return token


def _read(
    query: bytes, response: bytes, data: bytes, authority: Authority
) -> tuple[Token, TimeStampResponse, cms.Envelope]:
    digest, nonce = parse_query(query)
    if digest != hashlib.sha256(data).digest():
        raise TimestampError("the query is about other bytes", code="TS_IMPRINT")
    if len(response) > MAX_RESPONSE_BYTES:
        raise TimestampError(f"expected at most {MAX_RESPONSE_BYTES} bytes, got {len(response)}", code="TS_PARSE")
    try:
        # A refusal carries no token, hence no envelope; its status comes first.
        status = cms.parse(response).sequence(at_least=1)[0].sequence(at_least=1)[0]
        if status.tag != cms.INTEGER or int.from_bytes(status.body, "big") != _GRANTED:
            raise TimestampError(
                f"{authority.id} did not grant a token: status {int.from_bytes(status.body, 'big')}", code="TS_STATUS"
            )
        envelope = cms.Envelope.parse(response)
        decoded = decode_timestamp_response(envelope.response)
        info = decoded.tst_info
        imprint = info.message_imprint
        accuracy: Any = info.accuracy  # typed as always there; it is not
        token = Token(
            gen_time=info.gen_time,
            serial=info.serial_number,
            policy=info.policy.dotted_string if info.policy else "",
            authority=authority.id,
            accuracy=timedelta(
                seconds=accuracy.seconds or 0, milliseconds=accuracy.millis or 0, microseconds=accuracy.micros or 0
            )
            if accuracy
            else timedelta(0),
        )
    except (ValueError, OverflowError, FormatError) as error:
        raise Unreadable(f"the answer of {authority.id} cannot be read: {error}") from error
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != digest:
        raise TimestampError("the token is about other bytes", code="TS_IMPRINT")
    if info.nonce != nonce:
        raise TimestampError("the token answers another query: its nonce is not the one asked with", code="TS_NONCE")
    return token, decoded, envelope


def _encode_query(digest: bytes, nonce: int) -> bytes:
    imprint = cms.encode(cms.SEQUENCE, _SHA256_IDENTIFIER, cms.encode(cms.OCTET_STRING, digest))
    # One bit more than the number has, so that it never reads as negative (X.690 §8.3).
    number = cms.encode(cms.INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return cms.encode(cms.SEQUENCE, _VERSION_1, imprint, number, _CERTIFICATE_WANTED)


def parse_query(data: bytes) -> tuple[bytes, int]:
    """Imprint and nonce of what ``query`` wrote, and of nothing else. Raises ``TimestampError`` (``TS_PARSE``)."""
    try:
        fields = cms.parse(data).sequence(at_least=4)
        digest = fields[1].sequence(at_least=2)[1].octets()
    except FormatError as error:
        raise TimestampError(f"the query cannot be read: {error}", code="TS_PARSE") from error
    nonce = int.from_bytes(fields[2].body, "big")
    if data != _encode_query(digest, nonce):
        raise TimestampError("the query is not one that this program writes", code="TS_PARSE")
    return digest, nonce


def _verification(decoded: TimeStampResponse, data: bytes, roots: tuple[x509.Certificate, ...]) -> Exception | None:
    """Chain and signature, at the token's own time. The reason when they do not hold."""
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(decoded, data)
    except Exception as error:  # noqa: BLE001  # a certificate with one bit changed makes it raise KeyErrors and more
        return error
    return None


def _certificate(der: bytes) -> x509.Certificate:
    try:
        signer = x509.load_der_x509_certificate(der)
        # Both are read when they are asked for; what cannot be read is found out here.
        _ = signer.extensions, signer.public_key()
    except Exception as error:
        raise Unreadable(f"the certificate of the signer cannot be read: {error}") from error
    return signer


def _check_purpose(signer: x509.Certificate) -> None:
    """RFC 3161 §2.3: extended key usage, critical, time-stamping and nothing else."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampError("the signer's certificate is not for time-stamping alone, as RFC 3161 asks", code="TS_EKU")


def _check_algorithms(envelope: cms.Envelope, signer: x509.Certificate) -> None:
    """The signature is called what it is. Nobody reads the name, so it could be changed without anyone noticing."""
    digest = _DIGESTS.get(envelope.digest_algorithm)
    key = signer.public_key()
    named: Mapping[str, str | None] = {}
    if isinstance(key, RSAPublicKey):
        named = {_RSA: digest, **_RSA_WITH}
    elif isinstance(key, EllipticCurvePublicKey):
        named = _ECDSA_WITH
    if digest is None or named.get(envelope.signature_algorithm) != digest:
        raise TimestampError(
            f"expected a signature by RSA or ECDSA over SHA-2, got {envelope.signature_algorithm} "
            f"over {envelope.digest_algorithm}"
        )


def _check_binding(envelope: cms.Envelope, signer: x509.Certificate) -> None:
    """RFC 3161 §2.4.2 and RFC 5816: what is signed names this certificate and, if any authority, its subject."""
    der = signer.public_bytes(Encoding.DER)
    try:
        bound = [
            _certificate_digest(value, der, default=default)
            for kind, default in ((_SIGNING_CERTIFICATE, "sha1"), (_SIGNING_CERTIFICATE_V2, "sha256"))
            if (value := envelope.attributes.get(kind)) is not None
        ]
    except FormatError as error:
        raise TimestampError(f"the token's signing certificate cannot be read: {error}", code="TS_PARSE") from error
    if not bound or not all(bound):
        raise TimestampError("the token was signed for another certificate than the one it carries")
    if envelope.named is not None and envelope.named not in _names(signer):
        raise TimestampError("the token names another authority than the certificate of its signer")


def _names(signer: x509.Certificate) -> list[bytes]:
    """DER of each GeneralName (RFC 5280 §4.2.1.6) that the certificate is for."""
    names = [cms.encode(_DIRECTORY_NAME, signer.subject.public_bytes())]
    try:
        others = signer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return [*names, *(each.raw for each in cms.parse(others.public_bytes()).children())]


def _certificate_digest(attribute: bytes, der: bytes, *, default: str) -> bool:
    """SigningCertificate(V2) { certs { ESSCertID(v2) { [hashAlgorithm,] certHash, ... }, ... }, ... }: does it fit?"""
    first = cms.parse(attribute).sequence(at_least=1)[0].sequence(at_least=1)[0].sequence(at_least=1)
    algorithm: str | None = default
    if first[0].tag == cms.SEQUENCE:
        algorithm = _DIGESTS.get(first[0].sequence(at_least=1)[0].oid())
        first = first[1:]
    if algorithm is None or not first:
        return False
    return hashlib.new(algorithm, der, usedforsecurity=algorithm != "sha1").digest() == first[0].octets()
