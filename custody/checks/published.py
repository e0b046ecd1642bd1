"""Key files: the copies of public keys that the log publishes for other tools. Part of check 6."""

import re

from custody import keys
from custody.checks.entries import CHECK_SIGNATURES as CHECK
from custody.checks.inquiry import Inquiry
from custody.checks.registry import Registry
from custody.source import Absent, TooLong

_MAX_BYTES = 4096


def check(inquiry: Inquiry, registry: Registry) -> None:
    """A missing copy is no fault, since leaves and trust file hold the keys; a wrong one misleads."""
    prefix = f"{inquiry.prefix}keys/"
    pattern = re.compile(re.escape(prefix) + r"([0-9a-f]{64})\.(pem|vkey)")
    vkey = inquiry.trust.log
    for key in inquiry.reader.keys(prefix):
        match = pattern.fullmatch(key)
        public_key = registry.public_key(match[1]) if match else None
        if match is None or (public_key is None and registry.doubtful is None):
            inquiry.findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that the log has", key=key[:300])
            continue
        if public_key is None:
            continue
        if match[2] == "pem":
            good: tuple[bytes, ...] = (keys.pem(public_key),)
        elif public_key == vkey.public_key:
            good = (vkey.format().encode(), vkey.format().encode() + b"\n")
        else:
            good = ()
        try:
            found = inquiry.reader.read(key, _MAX_BYTES)
        except (Absent, TooLong):
            found = b""
        if found not in good:
            inquiry.findings.fail(
                CHECK, "KEY_FILE", f"{key} is not the key that its name says", key=key, keyid=match[1]
            )
