"""The beginning of a log: its name, its keys, and later what its root says of whom to believe."""

import secrets
from collections.abc import Callable
from datetime import datetime

from archive.errors import KeyFileError
from archive.home import OPENING, Home
from archive.keyring import changes
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from archive.snapshots import EVERY
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.event import Subject
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
        _begin(home, sequencer, store, clock=clock, retain_until=retain_until, random=random)
    if home.signers.root is not None and home.trust.root_threshold == 1:
        root = Scribe(store, home.signers.root, clock=clock, retain_until=retain_until, random=random)
        _announce(home.trust, sequencer, root)
    return sequencer


def _begin(
    home: Home,
    sequencer: Sequencer,
    store: ObjectStore,
    *,
    clock: Callable[[], datetime],
    retain_until: Callable[[], datetime],
    random: Callable[[int], bytes],
) -> None:
    trust = home.trust
    if trust.root_threshold > 1:
        raise KeyFileError(
            f"{trust.log.name} is not begun yet, and {trust.root_threshold} holders of root keys have to sign that: "
            f"have {home.path / OPENING} signed with `counterproof keys cosign`, then run `counterproof keys submit`"
        )
    draft = changes.opening(
        trust,
        workers=[home.signers.worker.public_key],
        made_at=home.made_at,
        clock=clock,
        random=random,
        signers=[home.signers.need_root()],
    )
    changes.refuse_unsigned(draft, trust)
    changes.store_blobs(draft, store, retain_until=retain_until)
    sequencer.begin([each.envelope() for each in draft.events])
    changes.publish(draft, store, retain_until=retain_until)


def _announce(trust: Trust, sequencer: Sequencer, root: Scribe) -> None:
    """The log says which time-stamp authorities are believed, whenever that has changed."""
    if changes.is_announced(trust, sequencer.events("trust.changed", newest_first=True)):
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
