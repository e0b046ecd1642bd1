"""The id of a look that was due: the same watch and the same due time give the same id, whoever works it out."""

import hashlib
from datetime import datetime

from custody.ids import RANDOM_BYTES, uuid7
from custody.instant import format_utc


def look_id(watch: str, due: datetime) -> str:
    """A UUIDv7 whose time is ``due``. ``watch``: any text that names the watch and nothing else."""
    seed = hashlib.sha256(f"{len(watch)}:{watch}:{format_utc(due)}".encode()).digest()
    return uuid7(due, seed[:RANDOM_BYTES])
