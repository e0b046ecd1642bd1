"""The beginning of a log: its name, its keys, and later what its root says of whom to believe."""

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from archive.home import Home
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from archive.snapshots import EVERY
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.digest import Digest
from custody.event import Envelope, Subject
from custody.instant import format_utc
from custody.trust import Trust


def open_log(
    home: Home,
    store: ObjectStore,
    *,
    clock: Callable[[], datetime],
    retain_until: Callable[[], datetime],
    random: Callable[[int], bytes] = secrets.token_bytes,
    hook: Callable[[str], None] = lambda _: None,
    snapshot_every: int = EVERY,
) -> Sequencer:
    """The home's log in this store, begun if the store holds none. Raises ``LogForeign`` where it holds another's."""
    log = home.trust.log.name
    sequencer = Sequencer(
        store,
        trust=home.trust,
        log_signer=home.signers.need_log(),
        worker=keys.keyid(home.signers.worker.public_key),
        state_dir=home.state_dir(log),
        clock=clock,
        retain_until=retain_until,
        random=random,
        hook=hook,
        snapshot_every=snapshot_every,
    )
    sequencer.open()
    if sequencer.position.n == 0:
        root = Scribe(store, home.signers.need_root(), clock=clock, retain_until=retain_until, random=random)
        sequencer.begin(_opening(home, root))
    if home.signers.root is not None:
        root = Scribe(store, home.signers.root, clock=clock, retain_until=retain_until, random=random)
        _announce(home.trust, sequencer, root)
    return sequencer


def _opening(home: Home, root: Scribe) -> Sequence[Envelope]:
    trust = home.trust
    log = trust.log.name
    chain = f"log:{keyspace.slug(log)}"
    policy = root.detail(
        "policy.json",
        {
            "log": log,
            "vkey": trust.log.format(),
            "root": {"keys": [keys.keyid(key) for key in trust.root_keys], "threshold": trust.root_threshold},
            "people": {"threshold": trust.people_threshold},
        },
    )
    envelopes = [
        root.event("log.opened", chain=chain, subject=policy, body={"log": log, "vkey": trust.log.format()}),
    ]
    held = home.signers
    public_keys = {
        "root": held.need_root().public_key,
        "log": held.need_log().public_key,
        "worker": held.worker.public_key,
    }
    for role, public_key in public_keys.items():
        pem = keys.pem(public_key)
        keyid = keys.keyid(public_key)
        _publish(root, keyspace.key_pem(log, keyid), pem)
        envelopes.append(
            root.event(
                "key.introduced",
                chain=chain,
                subject=root.blob("key.pem", pem),
                body={
                    "keyid": keyid,
                    "role": role,
                    "public_key": base64.b64encode(public_key).decode(),
                    "valid_from": format_utc(home.made_at),
                },
            )
        )
    _publish(root, keyspace.key_vkey(log, keys.keyid(trust.log.public_key)), trust.log.format().encode() + b"\n")
    return envelopes


def _publish(root: Scribe, key: str, data: bytes) -> None:
    root.store.create(key, data, digest=Digest.of(data), retain_until=root.retain_until())


def _announce(trust: Trust, sequencer: Sequencer, root: Scribe) -> None:
    """The log says which time-stamp authorities are believed, whenever that has changed."""
    newest = next(sequencer.events("trust.changed", newest_first=True), None)
    if newest is None and not trust.authorities:
        return
    if newest is not None and newest.event.subjects[0].digest == trust.digest:
        return
    subject: Subject = root.blob("trust.json", trust.format())
    sequencer.append([
        root.event(
            "trust.changed",
            chain=f"log:{keyspace.slug(trust.log.name)}",
            subject=subject,
            body={"authorities": [each.id for each in trust.authorities]},
        )
    ])  # fmt: skip
