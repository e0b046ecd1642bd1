"""Ids: UUIDv7, which sort by the time they were made."""

import re
from datetime import UTC, datetime, timedelta

from custody.errors import FormatError

RANDOM_BYTES = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7(at: datetime, random: bytes) -> str:
    """RFC 9562 §5.7: 48 bits of Unix milliseconds, then 74 random bits; ``random`` is 10 bytes, 6 bits are dropped."""
    if at.tzinfo is None:
        raise FormatError(f"an instant needs a time zone, got {at.isoformat()}")
    if len(random) != RANDOM_BYTES:
        raise FormatError(f"expected {RANDOM_BYTES} random bytes, got {len(random)}")
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    if milliseconds < 0:
        raise FormatError(f"an id is made after 1970, got {at.isoformat()}")
    rest = bytearray(random)
    rest[0] = 0x70 | rest[0] & 0x0F  # version 7
    rest[2] = 0x80 | rest[2] & 0x3F  # variant 10
    text = milliseconds.to_bytes(6, "big").hex() + rest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid7(text: str) -> bool:
    """In the one spelling that records use: lower case, with hyphens."""
    return _UUID7.fullmatch(text) is not None


def made_at(uuid: str) -> datetime:
    """The time inside an id: what its maker's clock said, to the millisecond."""
    if not is_uuid7(uuid):
        raise FormatError(f"expected a UUIDv7, got {uuid[:80]!r}")
    return _EPOCH + timedelta(milliseconds=int(uuid[:8] + uuid[9:13], 16))
