"""Signed notes: text, and the signature lines under it. https://c2sp.org/signed-note, Ed25519 only."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from custody import keys
from custody.errors import FormatError, SignatureError
from custody.keys import Signer

ED25519 = b"\x01"  # C2SP signed-note, "Signature types"
KEY_ID_BYTES = 4
MAX_SIGNATURES = 100  # C2SP signed-note: verifiers must accept at least 16
MAX_BYTES = 1_000_000

_DASH = "— "
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class UnknownSigner(SignatureError):
    """None of the signatures claims to be by a key that was given."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name that it signs under; its text form is a C2SP *vkey*."""

    name: str
    public_key: bytes
    """32 raw bytes."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != keys.KEY_BYTES:
            raise FormatError(f"an Ed25519 public key has {keys.KEY_BYTES} bytes, got {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """4 bytes, which tell keys apart but do not name one: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_BYTES]

    def format(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public_key).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        # The base64 may hold a plus of its own; the name may not.
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = decode_base64(encoded)
        if raw[:1] != ED25519:
            raise FormatError(f"expected an Ed25519 verifier key, name+id+base64, got {text[:120]!r}")
        key = cls(name, raw[1:])
        if not _KEY_ID.fullmatch(key_id) or key.key_id.hex() != key_id:
            raise FormatError(f"verifier key of {name!r}: expected the id {key.key_id.hex()}, got {key_id[:80]!r}")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; nothing about it has been checked."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise FormatError(f"a signature line holds {KEY_ID_BYTES} bytes of key id, then a signature")


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who claims to have signed it. Not to be believed before ``verify``."""

    text: str
    """Ends in a newline. Exactly these bytes, in UTF-8, are signed."""
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise FormatError("the text of a note ends in a newline")
        if any(character < " " and character != "\n" for character in self.text):
            raise FormatError("a note holds no control characters but newlines")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise FormatError(f"a note has 1 to {MAX_SIGNATURES} signatures, got {len(self.signatures)}")

    def format(self) -> bytes:
        lines = (
            f"{_DASH}{each.name} {base64.b64encode(each.key_id + each.signature).decode()}\n"
            for each in self.signatures
        )
        return _encode(f"{self.text}\n{''.join(lines)}")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Strict: what is accepted is byte for byte what ``format`` writes."""
        if len(data) > MAX_BYTES:
            raise FormatError(f"a note has at most {MAX_BYTES} bytes, got {len(data)}")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"a note is UTF-8; it is not at byte {error.start}") from error
        # "The text is separated from the signatures by the last empty line in the note."
        head, separator, tail = whole.rpartition("\n\n")
        if not separator:
            raise FormatError("a note has an empty line between its text and its signatures")
        if not tail.endswith("\n"):
            raise FormatError("a note ends with a signature line and its newline")
        return cls(head + "\n", tuple(map(_parse_line, tail[:-1].split("\n"))))


def sign(text: str, name: str, signer: Signer) -> Note:
    key = VerifierKey(name, signer.public_key)
    return Note(text, (Signature(name, key.key_id, signer.sign(_encode(text))),))


def verify(note: Note, vkeys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys that signed, in the order given. Raises ``UnknownSigner`` when there are none.

    Lines of other keys are ignored, even under a known name. A line that claims a known key and does not hold
    condemns the whole note: ``SignatureError``.
    """
    message = _encode(note.text)
    signed: list[VerifierKey] = []
    for key in vkeys:
        claims = [each for each in note.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
        for claim in claims:
            keys.verify(key.public_key, message, claim.signature)
        if claims:
            signed.append(key)
    if not signed:
        names = ", ".join(sorted({each.name for each in note.signatures}))
        raise UnknownSigner(f"the note is signed by {names[:200]}, by none of the keys that were given")
    return tuple(signed)


def decode_base64(text: str) -> bytes:
    """RFC 4648 §4, and only the one spelling that encoding gives back."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"this is not base64: {text[:80]!r}") from error
    if base64.b64encode(data).decode() != text:
        raise FormatError(f"this base64 is not in its one canonical spelling: {text[:80]!r}")
    return data


def _parse_line(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise FormatError(f"a signature line begins with an em dash and a space, got {line[:80]!r}")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = decode_base64(encoded)
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if not name or any(character.isspace() or character == "+" or character < " " for character in name):
        raise FormatError(f"a key's name is not empty and holds no space, plus or control character, got {name[:80]!r}")
    _encode(name)


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a note holds no half of a surrogate pair") from error
