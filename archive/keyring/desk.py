"""The desk where keys are looked after: home, store and log, opened also where this home's worker is not known."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from archive.config import ArchiveConfig
from archive.drafts import DraftFile
from archive.errors import LogForeign, UsageError
from archive.home import Home
from archive.inbox import Inbox
from archive.keyring import changes
from archive.ledger import Ledger
from archive.probe import probe
from archive.reader import store_of
from archive.receipt import Receipt
from archive.sequencer import Sequencer
from archive.store import ObjectStore
from custody import keys
from custody.keys import Signer


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    config: ArchiveConfig
    home: Home
    store: ObjectStore
    ledger: Ledger
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    retain_until: Callable[[], datetime]

    def composer(self) -> changes.Composer:
        return changes.Composer(self.home.trust, clock=self.clock, random=self.random)

    def record(self, draft: DraftFile) -> tuple[Receipt, ...]:
        return changes.record(draft, self.ledger, self.store, retain_until=self.retain_until)

    def roots(self, others: Sequence[Signer] = ()) -> tuple[Signer, ...]:
        """The home's root key, if it holds one, and those that were named; each once. Raises ``UsageError``."""
        trust = self.home.trust
        held = self.home.signers.root
        found = {} if held is None else {held.public_key: held}
        for each in others:
            if each.public_key not in trust.root_keys:
                raise UsageError(
                    f"the key {keys.keyid(each.public_key)[:16]}… is none of the root keys of {trust.log.name}"
                )
            found.setdefault(each.public_key, each)
        return tuple(found.values())


def open_home(
    config: ArchiveConfig, *, clock: Callable[[], datetime], random: Callable[[int], bytes] = secrets.token_bytes
) -> Home:
    """One that is there. Looking after keys must not begin a new log by mistake."""
    if not (config.home / "trust.json").exists():
        raise UsageError(
            f"there is no home in {config.home} yet: `counterproof capture` makes one with a log of its own, `keys "
            "enrol` one for a log that is there, `keys ceremony` one whose root has several holders; or name another "
            "by --home"
        )
    return Home.open(config.home, clock=clock, random=random, key_specs=config.key_specs)


@contextmanager
def open_desk(
    config: ArchiveConfig, *, clock: Callable[[], datetime], random: Callable[[int], bytes] = secrets.token_bytes
) -> Iterator[Desk]:
    """Raises ``LogError`` when the log is not begun."""
    home = open_home(config, clock=clock, random=random)

    def retain_until() -> datetime:
        return config.retain_until(clock())

    with store_of(config) as store:
        ledger: Sequencer | Inbox
        if home.signers.log is None:
            ledger = Inbox(
                store,
                trust=home.trust,
                worker=keys.keyid(home.signers.worker.public_key),
                state_dir=home.state_dir(home.trust.log.name),
                retain_until=retain_until,
                wait_s=config.inbox_wait_s,
            )
        else:
            ledger = _sequencer(home, store, clock=clock, random=random, retain_until=retain_until)
        with closing(ledger):
            ledger.open(stranger=True)
            if ledger.position.n == 0:
                raise LogForeign(
                    f"{home.trust.log.name} is not begun in {store.name}: `counterproof capture` begins it, or "
                    "`counterproof keys submit` after a ceremony"
                )
            yield Desk(
                config=config,
                home=home,
                store=store,
                ledger=ledger,
                clock=clock,
                random=random,
                retain_until=retain_until,
            )


def begin_log(
    config: ArchiveConfig,
    draft: DraftFile,
    *,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Receipt, ...]:
    """The beginning that several holders have signed, where the log key is. Repeating it is no error."""
    home = open_home(config, clock=clock, random=random)

    def retain_until() -> datetime:
        return config.retain_until(clock())

    changes.refuse_unsigned(draft, home.trust)
    home.signers.need_log()
    with store_of(config) as store:
        probe(store, clock=clock, random=random)
        with closing(_sequencer(home, store, clock=clock, random=random, retain_until=retain_until)) as sequencer:
            sequencer.open(stranger=True)
            envelopes = [each.envelope() for each in draft.events]
            changes.store_blobs(draft, store, retain_until=retain_until)
            sequencer.begin(envelopes)
            changes.publish(draft, store, retain_until=retain_until)
            return sequencer.append(envelopes)  # they are in the log: this gives their receipts


def _sequencer(
    home: Home,
    store: ObjectStore,
    *,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    retain_until: Callable[[], datetime],
) -> Sequencer:
    return Sequencer(
        store,
        trust=home.trust,
        log_signer=home.signers.need_log(),
        worker=keys.keyid(home.signers.worker.public_key),
        state_dir=home.state_dir(home.trust.log.name),
        clock=clock,
        retain_until=retain_until,
        random=random,
    )
