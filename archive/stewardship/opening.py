"""A desk in a home: the vault opened, its records read with many hands, and trusted time asked for at the end."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from archive.briefs import Briefs
from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from archive.result import Sealing as Time
from archive.scribe import Scribe
from archive.stewardship.desk import Desk, keeper_of
from archive.vault import Vault

THREADS = 8  # they wait for the store more than for the processor


@dataclass(frozen=True, slots=True)
class Opened:
    desk: Desk
    vault: Vault

    def scope(self, case: str) -> str:
        """Raises ``UsageError`` where there is no such case."""
        return self.vault.cases.resolve(case)

    def person_for(self, scope: str) -> Scribe:
        """Writes what a person decides, and keeps it for as long as the case. Raises ``KeyFileError``."""
        return self.vault.scribe_for(scope).signed_by(self.vault.home.signers.need_person())

    @property
    def briefs(self) -> Briefs:
        return Briefs(self.vault.sequencer, self.vault.store)

    def stamp(self) -> Time:
        """Trusted time over what was just put into the log; what stands in its way is told, and nothing fails by it."""
        try:
            return self.vault.timekeeper.finish(interrupted=False)
        except ArchiveError as error:
            return self.vault.timekeeper.so_far(str(error))


@contextmanager
def open_desk(
    config: ArchiveConfig,
    *,
    clock: Callable[[], datetime],
    notify: Callable[[str], None],
    by_person: bool,
    first: bool = False,
) -> Iterator[Opened]:
    """``by_person``: raise ``KeyFileError`` at once where this home cannot sign as one. ``first``: begin an archive."""
    if not first and not (config.home / "trust.json").is_file():
        raise UsageError(
            f"there is no archive in {config.home} yet: `counterproof capture` makes one; or name another by --home"
        )
    with (
        Vault.open(config, clock=clock, notify=notify) as vault,
        desk_in(vault, clock=clock, notify=notify, by_person=by_person) as opened,
    ):
        yield opened


@contextmanager
def desk_in(
    vault: Vault, *, clock: Callable[[], datetime], notify: Callable[[str], None], by_person: bool
) -> Iterator[Opened]:
    """In a vault that is open already, as after a run."""
    with ThreadPoolExecutor(THREADS, "steward") as threads:
        signers = vault.home.signers
        person = signers.need_person() if by_person else signers.person or signers.root
        desk = Desk(
            store=vault.store,
            reader=vault.sequencer.reader,
            map=threads.map,
            tell=notify,
            keeper=keeper_of(vault.store),
            log=vault.timekeeper if vault.sequencer.orders else vault.sequencer,
            worker=vault.scribe,
            person=None if person is None else vault.scribe_of(person),
            clock=clock,
            people_threshold=vault.home.trust.people_threshold,
        )
        yield Opened(desk, vault)
