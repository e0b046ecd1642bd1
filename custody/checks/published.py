"""Key files: the copies of public keys that the log publishes for other tools. Part of check 6."""

import re

from custody import keys
from custody.checks.entries import CHECK_SIGNATURES as CHECK
from custody.checks.inquiry import Inquiry
from custody.checks.registry import Registry
from custody.errors import FormatError
from custody.note import VerifierKey
from custody.source import Absent, TooLong

_MAX_BYTES = 4096


def check(inquiry: Inquiry, registry: Registry) -> None:
    """A missing copy is no fault, since leaves and trust file hold the keys; a wrong one misleads."""
    prefix = f"{inquiry.prefix}keys/"
    pattern = re.compile(re.escape(prefix) + r"([0-9a-f]{64})\.(pem|vkey)")
    for key in inquiry.reader.keys(prefix):
        match = pattern.fullmatch(key)
        public_key = registry.public_key(match[1]) if match else None
        if match is None or (public_key is None and registry.doubtful is None):
            inquiry.findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that the log has", key=key[:300])
            continue
        if public_key is None:
            continue
        try:
            found = inquiry.reader.read(key, _MAX_BYTES)
        except (Absent, TooLong):
            found = b""
        if not (found == keys.pem(public_key) if match[2] == "pem" else _is_vkey(found, public_key, inquiry)):
            inquiry.findings.fail(
                CHECK, "KEY_FILE", f"{key} is not the key that its name says", key=key, keyid=match[1]
            )


def _is_vkey(data: bytes, public_key: bytes, inquiry: Inquiry) -> bool:
    """One line; that of the log's own key as the trust file has it."""
    try:
        vkey = VerifierKey.parse(data.removesuffix(b"\n").decode())
    except (FormatError, UnicodeDecodeError):
        return False
    own = inquiry.trust.log
    return vkey.public_key == public_key and (vkey == own or public_key != own.public_key)
