"""For whoever only reads: a store, what is believed of it, and the catalogue that follows its log."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive import disk
from archive.briefs import Briefs
from archive.cases import Cases
from archive.catalog import Catalog
from archive.config import ArchiveConfig
from archive.errors import KeyFileError, NoArchive, StoreError, UsageError
from archive.log import LogReader
from archive.opening import open_store
from archive.packs import Packs
from archive.store import ObjectStore
from custody import keyspace
from custody.errors import TrustError
from custody.trust import Trust


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Nothing here writes to the store or needs a key."""

    store: ObjectStore
    trust: Trust | None
    """None: nobody has said what to believe; the log's name is taken from the store then."""
    log: LogReader

    @property
    def holds_log(self) -> bool:
        """Whether the log that is meant is there; a trust file of another home names another."""
        return any(True for _ in self.store.keys(keyspace.log_prefix(self.log.log)))

    @property
    def cases(self) -> Cases:
        return Cases(self.log, self.store)

    @property
    def briefs(self) -> Briefs:
        return Briefs(self.log, self.store)


def store_of(config: ArchiveConfig) -> AbstractContextManager[ObjectStore]:
    """The store that is meant; credentials come from the process's environment, where boto3's users keep them."""
    return open_store(config.store_url, env=os.environ, directory=config.home / "store", lock_mode=config.lock_mode)


@contextmanager
def open_reader(config: ArchiveConfig, *, trust_file: Path | None = None) -> Iterator[Reader]:
    """The store as it lies there. Raises ``NoArchive`` when there is nothing to read yet."""
    trust = _trust(trust_file or config.home / "trust.json", required=trust_file is not None)
    if config.store_url is None and not (config.home / "store").is_dir():
        raise NoArchive(
            f"there is no archive in {config.home} yet: `counterproof capture` makes one; "
            "or name another by --home or --store"
        )
    if config.store_url is not None and config.store_url.startswith("file:"):
        folder = Path(config.store_url.removeprefix("file:").removeprefix("//")).expanduser()
        if not folder.is_dir():
            raise StoreError(f"there is no directory {folder}: name the one that holds the archive's v1/")
    with store_of(config) as store:
        yield Reader(store=store, trust=trust, log=LogReader(store, _log_name(store, trust)))


@contextmanager
def open_catalog(
    config: ArchiveConfig, reader: Reader, *, packed: bool = True, anew: bool = False
) -> Iterator[Catalog]:
    """The home's catalogue, brought up to date; of another store, one in a file of its own.

    ``packed``: where it is empty, it may begin with the rows that lie in the store. ``anew``: it is emptied first.
    """
    name = "catalog.sqlite" if config.store_url is None else f"catalog-{keyspace.slug(reader.log.log)}.sqlite"
    disk.make_directory(config.home)
    if config.dsn is not None:
        catalog = Catalog.open_shared(config.dsn, reader.log.log)
    else:
        catalog = Catalog.open(config.home / name)
    try:
        if anew:
            catalog.forget()
        catalog.advance(reader.store, reader.log, packs_of(reader) if packed else None)
        yield catalog
    finally:
        catalog.close()


def packs_of(reader: Reader) -> Packs | None:
    """None where nobody has said whose signature to believe."""
    return None if reader.trust is None else Packs(reader.log, vkey=reader.trust.log)


def _trust(path: Path, *, required: bool) -> Trust | None:
    if not path.is_file():
        if required:
            raise UsageError(f"there is no trust file {path}: name the one that you were given")
        return None
    with disk.trouble(path):
        data = path.read_bytes()
    try:
        return Trust.parse(data)
    except TrustError as error:
        if required:
            raise UsageError(f"{path} is not a trust file that can be believed: {error}") from error
        raise KeyFileError(f"{path} cannot be believed ({error}): put it back from your backup") from error


def _log_name(store: ObjectStore, trust: Trust | None) -> str:
    """The one that the trust file names, if the store holds it; else the store's own, as its checkpoint says."""
    if trust is not None:
        return trust.log.name
    for key in store.keys(keyspace.LOGS):
        if key.endswith("/checkpoint"):
            name = store.read(key).split(b"\n", 1)[0].decode("utf-8", "replace")
            if keyspace.checkpoint(name) == key:
                return name
    raise NoArchive(f"{store.name} holds no log: nothing was captured into it")
