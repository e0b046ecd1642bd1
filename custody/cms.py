"""What lies around a time-stamp token: just enough DER (X.690) and CMS (RFC 5652) to hold it to its one spelling.

The signature and the chain are checked by rfc3161-client. That leaves bytes which nobody signs and nobody reads:
version numbers, the order of certificates, the name of the signature's algorithm. They are looked at here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from custody.errors import FormatError

INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE, SET, CONTEXT_0 = 0x02, 0x04, 0x06, 0x30, 0x31, 0xA0

_SHORT_LENGTH = 0x80
_MAX_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Element:
    """One DER value: its tag, what is in it, and the bytes of the whole."""

    tag: int
    body: bytes
    raw: bytes

    def children(self) -> tuple["Element", ...]:
        found: list[Element] = []
        rest = self.body
        while rest:
            element = _first(rest)
            found.append(element)
            rest = rest[len(element.raw) :]
        return tuple(found)

    def sequence(self, *, at_least: int, tag: int = SEQUENCE) -> tuple["Element", ...]:
        """The children of an element that must have this tag and this many of them."""
        if self.tag != tag:
            raise _malformed(f"expected tag {tag:#04x}, got {self.tag:#04x}")
        children = self.children()
        if len(children) < at_least:
            raise _malformed(f"expected {at_least} elements, got {len(children)}")
        return children

    def oid(self) -> str:
        """Dotted (X.690 §8.19); the arcs that we compare with are all below 2**21."""
        if self.tag != OBJECT_IDENTIFIER or not self.body or self.body[-1] & 0x80:
            raise _malformed("expected an object identifier")
        arcs: list[int] = []
        arc = 0
        for byte in self.body:
            arc = arc << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))

    def octets(self) -> bytes:
        if self.tag != OCTET_STRING:
            raise _malformed(f"expected an octet string, got tag {self.tag:#04x}")
        return self.body


def parse(data: bytes) -> Element:
    """One element and nothing after it; ``FormatError`` with code ``TS_PARSE``."""
    element = _first(data)
    if len(element.raw) != len(data):
        raise _malformed(f"{len(data) - len(element.raw)} bytes too many")
    return element


def encode(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag,)) + _length(len(body)) + body


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The CMS around a token, as far as it is not what the token says."""

    response: bytes
    """The response with its certificates in DER order. OpenSSL and many authorities send a chain as they like, which
    rfc3161-client does not read; the set is not signed, so its order carries nothing."""
    digest_algorithm: str
    """Dotted, of the signer."""
    signature_algorithm: str
    attributes: Mapping[str, bytes]
    """The signed attributes: by dotted type, the DER of the one value."""
    named: bytes | None
    """DER of the GeneralName under which the token says it was signed (TSTInfo, ``tsa``)."""
    signer: bytes | None
    """DER of the certificate that the signature names. Others may lie beside it; nobody signs the set."""

    @classmethod
    def parse(cls, response: bytes) -> Self:
        """Of a response that holds a token with one signer; ``FormatError`` with code ``TS_PARSE``."""
        status, token = parse(response).sequence(at_least=2)[:2]
        content_type, content = token.sequence(at_least=2)[:2]
        signed_data = content.sequence(at_least=1, tag=CONTEXT_0)[0]
        fields = signed_data.sequence(at_least=4)
        # RFC 5652 §5.1: version 3 whenever what is signed is not plain data
        if fields[0].raw != encode(INTEGER, b"\x03"):
            raise _malformed("SignedData is not of version 3")
        signers = fields[-1].sequence(at_least=1, tag=SET)
        if len(signers) != 1:
            raise _malformed(f"expected one signer, got {len(signers)}")
        signer = signers[0].sequence(at_least=6)
        # RFC 5652 §5.3: version 1 goes with issuerAndSerialNumber
        if signer[0].raw != encode(INTEGER, b"\x01"):
            raise _malformed("SignerInfo is not of version 1")
        certificates = sorted(each.raw for field in fields if field.tag == CONTEXT_0 for each in field.children())
        ordered = [encode(CONTEXT_0, *certificates) if field.tag == CONTEXT_0 else field.raw for field in fields]
        return cls(
            response=encode(
                SEQUENCE,
                status.raw,
                encode(SEQUENCE, content_type.raw, encode(CONTEXT_0, encode(SEQUENCE, *ordered))),
            ),
            digest_algorithm=signer[2].sequence(at_least=1)[0].oid(),
            signature_algorithm=signer[4].sequence(at_least=1)[0].oid(),
            attributes=dict(_attribute(each) for each in signer[3].sequence(at_least=1, tag=CONTEXT_0)),
            named=_named(fields[2]),
            signer=next((each for each in certificates if _issuer_and_serial(each) == signer[1].raw), None),
        )


def _attribute(element: Element) -> tuple[str, bytes]:
    kind, values = element.sequence(at_least=2)[:2]
    return kind.oid(), values.sequence(at_least=1, tag=SET)[0].raw


def _named(content: Element) -> bytes | None:
    """EncapsulatedContentInfo { type, [0] { OCTET STRING { TSTInfo { ..., [0] tsa, ... } } } }"""
    octets = content.sequence(at_least=2)[1].sequence(at_least=1, tag=CONTEXT_0)[0].octets()
    fields = parse(octets).sequence(at_least=5)
    return next((each.body for each in fields[5:] if each.tag == CONTEXT_0), None)


def _issuer_and_serial(certificate: bytes) -> bytes:
    """As a signer names it; TBSCertificate (RFC 5280 §4.1): [0] version, serialNumber, signature, issuer, ..."""
    fields = parse(certificate).sequence(at_least=1)[0].sequence(at_least=4)
    return encode(SEQUENCE, fields[3].raw, fields[1].raw)


def _first(data: bytes) -> Element:
    if len(data) < 2:
        raise _malformed("it ends too early")
    tag, length, begin = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise _malformed("a tag of more than one byte")
    if length >= _SHORT_LENGTH:
        count = length - _SHORT_LENGTH
        begin += count
        length = int.from_bytes(data[2:begin], "big")
        # DER: definite, and no longer than it need be (X.690 §10.1)
        if not 1 <= count <= _MAX_LENGTH_BYTES or _length(length) != data[1:begin]:
            raise _malformed("a length that is not DER")
    end = begin + length
    if end > len(data):
        raise _malformed("it ends too early")
    return Element(tag, data[begin:end], data[:end])


def _length(length: int) -> bytes:
    if length < _SHORT_LENGTH:
        return bytes((length,))
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((_SHORT_LENGTH | len(digits),)) + digits


def _malformed(reason: str) -> FormatError:
    return FormatError(f"this is not a time-stamp token in DER: {reason}", code="TS_PARSE")
