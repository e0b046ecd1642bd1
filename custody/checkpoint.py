"""Checkpoints: what a log says of its tree at one size. https://c2sp.org/tlog-checkpoint, no extension lines."""

import base64
import re
from dataclasses import dataclass
from typing import Self

from custody import note
from custody.errors import FormatError, SignatureError
from custody.keys import Signer
from custody.merkle import HASH_BYTES
from custody.note import Note, UnknownSigner, VerifierKey

MAX_SIZE = 2**53 - 1  # sizes also stand in JSON

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class CheckpointUnsigned(SignatureError):
    """The log did not sign this."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        """``CP_SIG``: the log's signature does not hold. ``CP_KEY``: another key signed, if under the same name."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    log: str
    """The log's name: the first line, which C2SP calls the origin."""
    size: int
    """Leaves in the tree."""
    root: bytes

    def __post_init__(self) -> None:
        if not self.log or self.log.strip() != self.log or any(character < " " for character in self.log):
            raise _malformed(f"the first line names the log, got {self.log[:80]!r}")
        if not 0 <= self.size <= MAX_SIZE:
            raise _malformed(f"the second line is the number of leaves, got {self.size}")
        if len(self.root) != HASH_BYTES:
            raise _malformed(f"the third line is a root of {HASH_BYTES} bytes, got {len(self.root)}")

    def format(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.log}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """``FormatError`` with code ``CP_FORMAT``. An extension line is refused: no one could check what it says."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise _malformed(f"expected three lines, got {len(lines) - 1}")
        if not _SIZE.fullmatch(lines[1]):
            raise _malformed(f"the second line is the number of leaves, got {lines[1][:80]!r}")
        try:
            root = note.decode_base64(lines[2])
        except FormatError as error:
            raise _malformed(str(error)) from error
        return cls(lines[0], int(lines[1]), root)

    def sign(self, signer: Signer) -> bytes:
        """The whole file. Ed25519 signs alike every time, so a log that recovers writes the same bytes again."""
        return note.sign(self.format(), self.log, signer).format()


def open_checkpoint(data: bytes, vkey: VerifierKey) -> Checkpoint:
    """Believe it only if the log signed it; signatures of others under it (witnesses, later keys) are passed over.

    Raises ``FormatError`` with code ``CP_FORMAT`` or ``CP_ORIGIN`` (signed, but in another log's name), or
    ``CheckpointUnsigned`` with code ``CP_SIG`` or ``CP_KEY``.
    """
    try:
        signed = Note.parse(data)
    except FormatError as error:
        raise _malformed(str(error)) from error
    try:
        note.verify(signed, [vkey])
    except UnknownSigner as error:
        raise CheckpointUnsigned(
            f"expected a checkpoint signed by {vkey.name} with key {vkey.key_id.hex()}: {error}", code="CP_KEY"
        ) from error
    except SignatureError as error:
        raise CheckpointUnsigned(f"the checkpoint is not what {vkey.name} signed: {error}", code="CP_SIG") from error
    checkpoint = Checkpoint.parse(signed.text)
    if checkpoint.log != vkey.name:
        raise FormatError(f"expected a checkpoint of {vkey.name}, got one of {checkpoint.log[:80]}", code="CP_ORIGIN")
    return checkpoint


def _malformed(reason: str) -> FormatError:
    return FormatError(f"this is not a checkpoint: {reason}", code="CP_FORMAT")
