"""Part of check 3: events that were handed in and are not in the log yet. Nobody has claimed anything of them."""

import re

from custody import keyspace
from custody.checks.commits import CHECK
from custody.checks.inquiry import Inquiry

_WAITING = re.compile(re.escape(keyspace.INBOX) + r"[0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9a-f-]{36}\.json")
_REFUSED = re.compile(re.escape(keyspace.QUARANTINE) + "[0-9a-f]{64}")


def check(inquiry: Inquiry) -> int:
    """How many wait."""
    waiting = 0
    for prefix, pattern in ((keyspace.INBOX, _WAITING), (keyspace.QUARANTINE, _REFUSED)):
        for key in inquiry.reader.keys(prefix):
            if pattern.fullmatch(key) is None:
                message = f"{key[:300]} is nothing that an archive has"
                inquiry.findings.note(CHECK, "KEY_UNKNOWN", message, key=key[:300])
            elif pattern is _WAITING:
                waiting += 1
    if waiting:
        inquiry.findings.note(
            CHECK,
            "INBOX_WAITING",
            f"{waiting} events wait in the inbox and are not in the log; whoever holds the log's key sequences them",
            count=waiting,
        )
    return waiting
