"""The keys that the log introduced and revoked, leaf by leaf. Only the trust file's root keys are there beforehand."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from custody import keys
from custody.event import Event
from custody.trust import Trust

SIGNING_ROLES = frozenset({"worker", "person", "log"})


@dataclass(slots=True)
class Registry:
    trust: Trust
    introduced: dict[str, bytes] = field(default_factory=dict)
    """Key id to raw public key, of every key with a role in which it may sign."""
    people: set[str] = field(default_factory=set)
    """Ids of keys that were introduced for a person."""
    revoked: dict[str, int] = field(default_factory=dict)
    """Key id to the index of the leaf that revoked it."""
    doubtful: int | None = None
    """Index of the first leaf of the log's own chain that could not be believed: it may have introduced any key."""
    _roots: dict[str, bytes] = field(default_factory=dict)
    _others: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._roots.update({keys.keyid(key): key for key in self.trust.root_keys})

    def find(self, keyid: str) -> bytes | None:
        return self._roots.get(keyid) or self.introduced.get(keyid)

    def public_key(self, keyid: str) -> bytes | None:
        """Of any key that the log or the trust file names, whatever it may be used for."""
        log_key = self.trust.log.public_key
        return self.find(keyid) or self._others.get(keyid) or (log_key if keys.keyid(log_key) == keyid else None)

    def roots_among(self, keyids: Iterable[str]) -> frozenset[str]:
        """Those that are root keys, and not revoked."""
        return frozenset(keyids) & self._roots.keys() - self.revoked.keys()

    def people_among(self, keyids: Iterable[str]) -> frozenset[str]:
        """Those that stand for a person, a holder of a root key among them, and are not revoked."""
        return frozenset(keyids) & (self.people | self._roots.keys()) - self.revoked.keys()

    def revocation(self, keyids: Iterable[str]) -> tuple[str, int] | None:
        return next(((keyid, self.revoked[keyid]) for keyid in keyids if keyid in self.revoked), None)

    def learn(self, index: int, event: Event) -> None:
        """From an event that the root has signed as its trust file asks."""
        keyid = str(event.body.get("keyid", ""))
        if event.type == "key.introduced":
            known = self.introduced if event.body["role"] in SIGNING_ROLES else self._others
            if keyid not in self.introduced and event.body["role"] == "person":
                self.people.add(keyid)
            known.setdefault(keyid, base64.b64decode(str(event.body["public_key"])))
        elif event.type == "key.revoked":
            self.revoked.setdefault(keyid, index)
