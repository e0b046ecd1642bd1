"""Ids that whoever works them out gets alike: of the look that a watch is due for, and of the one end of a start. Pure.

In the form of a UUIDv7, as all ids in the log: the time is that of what they belong to, and in place of random bits
stands a hash.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from custody.digest import Digest
from custody.ids import RANDOM_BYTES, made_at, uuid7


def look_id(watch: str, due: datetime) -> str:
    """A watch is due for one look at a time, whoever carries it out and however often it is tried."""
    moment = due.astimezone(UTC)
    return _derived(moment, f"look\n{UUID(watch)}\n{moment.isoformat()}")


def end_id(started: Digest, capture: str) -> str:
    """The event that ends a capture. The log takes one event of an id, so a start has one end, whoever writes it.

    ``started``: of the start's payload. ``capture``: its id, whose time is taken.
    """
    return _derived(made_at(capture) + timedelta(milliseconds=1), f"end\n{started.hex}")


def _derived(at: datetime, text: str) -> str:
    return uuid7(at, hashlib.sha256(text.encode()).digest()[:RANDOM_BYTES])
