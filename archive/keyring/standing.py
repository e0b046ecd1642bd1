"""What a log says of its keys: who was introduced, who was revoked, and when."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

from archive.errors import NotStored, UsageError
from archive.ledger import Ledger
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.errors import CustodyError
from custody.event import Envelope

SHORTEST_ID = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    index: int
    reason: str
    since: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One key of a log."""

    keyid: str
    role: str
    public_key: bytes
    index: int
    """Of the leaf that introduced it."""
    valid_from: str
    revocation: Revocation | None = None


def read_standing(ledger: Ledger) -> Mapping[str, Standing]:
    """All keys that the log names, by id, as far as it was read."""
    found: dict[str, Standing] = {}
    for logged in ledger.events("key.introduced", "key.revoked"):
        body = logged.event.body
        keyid = str(body["keyid"])
        if logged.event.type == "key.introduced":
            found.setdefault(
                keyid,
                Standing(
                    keyid=keyid,
                    role=str(body["role"]),
                    public_key=base64.b64decode(str(body["public_key"])),
                    index=logged.index,
                    valid_from=str(body["valid_from"]),
                ),
            )
        elif keyid in found and found[keyid].revocation is None:
            revocation = Revocation(index=logged.index, reason=str(body["reason"]), since=str(body["since"]))
            found[keyid] = replace(found[keyid], revocation=revocation)
    return found


def people_of(ledger: Ledger) -> Mapping[str, bytes]:
    """The keys that stand for a person and were not revoked."""
    return {
        keyid: each.public_key
        for keyid, each in read_standing(ledger).items()
        if each.role == "person" and each.revocation is None
    }


def remaining_roots(ledger: Ledger, *, without: str = "") -> int:
    """Root keys of the trust file that can still sign."""
    gone = {keyid for keyid, each in read_standing(ledger).items() if each.revocation is not None} | {without}
    return len({keys.keyid(key) for key in ledger.trust.root_keys} - gone)


def waiting_by(store: ObjectStore, keyid: str) -> int:
    """How many events by a key lie in the inbox."""
    found = 0
    for key in store.keys(keyspace.INBOX):
        try:
            envelope = Envelope.parse(store.read(key))
        except (NotStored, CustodyError):
            continue  # taken meanwhile, or nothing that the log would take
        found += keyid in {each.keyid for each in envelope.signatures}
    return found


def key_named(standing: Mapping[str, Standing], text: str) -> Standing:
    """By its id, or how that begins. Raises ``UsageError``."""
    wanted = text.strip().rstrip("…").lower()
    found = [each for keyid, each in standing.items() if keyid.startswith(wanted)]
    if len(wanted) < SHORTEST_ID or len(found) != 1:
        raise UsageError(
            f"{text[:70]!r} names {len(found) if len(wanted) >= SHORTEST_ID else 'no'} keys of this log: give a key's "
            f"id, or at least its first {SHORTEST_ID} digits (`counterproof keys show`)"
        )
    return found[0]
