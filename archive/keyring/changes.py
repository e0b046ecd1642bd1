"""Events that change who is believed: composed, signed by as many root keys as the trust file asks, then recorded."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from archive import drafts
from archive.drafts import DraftFile, Proposed
from archive.errors import KeyFileError
from archive.keyring.standing import people_of
from archive.ledger import Ledger
from archive.log import LoggedEvent
from archive.memory import MemoryStore
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.digest import Digest
from custody.event import Event, Subject
from custody.instant import format_utc
from custody.keys import Ed25519Signer, Signer
from custody.model import Json
from custody.note import VerifierKey
from custody.trust import Trust


class Composer:
    """Writes events of the log's own chain, unsigned, and keeps the blobs that they rest on. Nothing is stored yet."""

    def __init__(self, trust: Trust, *, clock: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
        self.trust = trust
        self._clock = clock
        self._store = MemoryStore()
        # It composes and never signs: its key is made for nothing and forgotten.
        self._scribe = Scribe(self._store, Ed25519Signer.generate(), clock=clock, retain_until=clock, random=random)
        self._events: list[Event] = []

    def open_log(self) -> None:
        trust = self.trust
        subject = self._scribe.detail(
            "policy.json",
            {
                "log": trust.log.name,
                "vkey": trust.log.format(),
                "root": {"keys": [keys.keyid(key) for key in trust.root_keys], "threshold": trust.root_threshold},
                "people": {"threshold": trust.people_threshold},
            },
        )
        self._add("log.opened", subject, {"log": trust.log.name, "vkey": trust.log.format()})

    def introduce(self, role: str, public_key: bytes, valid_from: datetime | None = None) -> None:
        subject = self._scribe.blob("key.pem", keys.pem(public_key))
        body: dict[str, Json] = {
            "keyid": keys.keyid(public_key),
            "role": role,
            "public_key": base64.b64encode(public_key).decode(),
            "valid_from": format_utc(valid_from or self._clock()),
        }
        self._add("key.introduced", subject, body)

    def revoke(self, keyid: str, *, reason: str, since: datetime, why: str) -> None:
        subject = self._scribe.detail("revocation.json", {"keyid": keyid, "why": why})
        body: dict[str, Json] = {"keyid": keyid, "reason": reason, "since": format_utc(since)}
        self._add("key.revoked", subject, body)

    def announce_trust(self) -> None:
        subject = self._scribe.blob("trust.json", self.trust.format())
        body: dict[str, Json] = {"authorities": [each.id for each in self.trust.authorities]}
        self._add("trust.changed", subject, body)

    def draft(self, signers: Sequence[Signer] = ()) -> DraftFile:
        draft = DraftFile(
            log=self.trust.log.name,
            events=tuple(Proposed.of(each) for each in self._events),
            blobs={Digest.of(data): data for data in map(self._store.read, self._store.keys(keyspace.BLOBS))},
        )
        for signer in signers:
            draft = draft.signed_by(signer)
        return draft

    def _add(self, type_: str, subject: Subject, body: Mapping[str, Json]) -> None:
        chain = f"log:{keyspace.slug(self.trust.log.name)}"
        self._events.append(self._scribe.compose(type_, chain=chain, subject=subject, body=body))


def missing(draft: DraftFile, trust: Trust, *, people: Mapping[str, bytes] | None = None) -> int:
    """How many signatures the event lacks that lacks most."""
    return max(drafts.needs_more(each, trust, people=people) for each in draft.events)


def record(
    draft: DraftFile, ledger: Ledger, store: ObjectStore, *, retain_until: Callable[[], datetime]
) -> tuple[Receipt, ...]:
    """Into the log, once all of them have their signatures. Raises ``KeyFileError`` when not."""
    people = people_of(ledger) if any(each.event.kind and each.event.kind.by != "root" for each in draft.events) else {}
    refuse_unsigned(draft, ledger.trust, people=people)
    store_blobs(draft, store, retain_until=retain_until)
    receipts = ledger.append([each.envelope() for each in draft.events])
    publish(draft, store, retain_until=retain_until)
    return receipts


def refuse_unsigned(draft: DraftFile, trust: Trust, *, people: Mapping[str, bytes] | None = None) -> None:
    if draft.log != trust.log.name:
        raise KeyFileError(
            f"this draft is for the log {draft.log}, and this home is of {trust.log.name}: submit it there"
        )
    if lacking := missing(draft, trust, people=people):
        who = (
            "root keys" if all(each.event.kind and each.event.kind.by == "root" for each in draft.events) else "people"
        )
        raise KeyFileError(
            f"{lacking} more {'signature' if lacking == 1 else 'signatures'} of {who} needed: have the draft signed "
            "with `counterproof keys cosign`, then submit it"
        )


def is_announced(trust: Trust, told: Iterator[LoggedEvent]) -> bool:
    """Whether the log's last word on the trust file is this one. ``told``: its ``trust.changed``, newest first."""
    newest = next(told, None)
    if newest is None:
        return not trust.authorities
    return newest.event.subjects[0].digest == trust.digest


def opening(
    trust: Trust,
    *,
    workers: Sequence[bytes],
    made_at: datetime,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    signers: Sequence[Signer] = (),
) -> DraftFile:
    """How a log begins: it is opened, and its keys are introduced."""
    composer = Composer(trust, clock=clock, random=random)
    composer.open_log()
    for key in trust.root_keys:
        composer.introduce("root", key, made_at)
    composer.introduce("log", trust.log.public_key, made_at)
    for key in workers:
        composer.introduce("worker", key, made_at)
    return composer.draft(signers)


def store_blobs(draft: DraftFile, store: ObjectStore, *, retain_until: Callable[[], datetime]) -> None:
    for digest, data in draft.blobs.items():
        store.create(keyspace.blob(digest), data, digest=digest, retain_until=retain_until())


def publish(draft: DraftFile, store: ObjectStore, *, retain_until: Callable[[], datetime]) -> None:
    """Copies of public keys for other tools; nothing rests on them."""
    for each in draft.events:
        if each.event.type == "key.introduced":
            pem = draft.blobs[each.event.subjects[0].digest]
            key = keyspace.key_pem(draft.log, str(each.event.body["keyid"]))
            store.create(key, pem, digest=Digest.of(pem), retain_until=retain_until())
        elif each.event.type == "log.opened":
            vkey = VerifierKey.parse(str(each.event.body["vkey"]))
            data = vkey.format().encode() + b"\n"
            key = keyspace.key_vkey(draft.log, keys.keyid(vkey.public_key))
            store.create(key, data, digest=Digest.of(data), retain_until=retain_until())
