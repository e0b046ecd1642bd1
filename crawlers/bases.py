"""What each page that is asked for was like when it was captured last: found in the archive, by address and profile."""

import threading
from collections.abc import Iterator, Mapping

from archive import holdings
from archive.catalog import Entry
from archive.derived import Derived
from archive.errors import NotStored
from archive.surface import Surface, surface_of
from archive.vault import Vault
from crawlers.address import dedupe_key
from crawlers.bounded import Bounded
from crawlers.earlier import page_of
from crawlers.light import Basis
from crawlers.links import link_key
from crawlers.pictures.printing import MAKER, Look, Printer
from crawlers.profile import Profile
from crawlers.program import code_sha256
from custody.digest import Digest
from custody.model import Role, Status
from custody.record import Record
from findings.page import Page

WINDOW = "viewport.png"
_LOOKED_THROUGH = 20
"""Earlier looks at an address, newest first, among which one is looked for that kept the page."""
_MAX_PICTURE = 64 << 20


class Bases:
    """Of one run. Used as a context: its reader and its printer are processes of their own."""

    def __init__(self, vault: Vault, *, scope: str, profile: Profile, below: int | None = None) -> None:
        """``below``: only what began before the leaf at this index is an earlier capture; None: all."""
        self._vault = vault
        self._scope = scope
        self._profile = profile
        self._below = below
        self._printer = Printer(Derived.open(vault.home.cache, "prints", MAKER))
        self._turn = threading.Lock()

    def close(self) -> None:
        self._printer.__exit__()

    def find(self, urls: tuple[str, ...]) -> dict[str, Basis]:
        """Blocking. By URL; one that was never captured so in this case is not there. Raises ``StoreError``."""
        found: dict[str, Basis] = {}
        with Bounded() as reads:
            code = code_sha256()
            for url in urls:
                for digest, record in self._records(url):
                    if not _is_as(record, self._profile):
                        continue
                    try:
                        page = page_of(self._vault.store, digest, reads=reads, code=code)
                        found[url] = self._basis(page, record)
                    except NotStored:
                        continue  # a part of it was disposed of: an older one may be whole
                    break
        return found

    def is_known(self, key: str) -> bool:
        """Whether the case has a capture of this address (its dedupe key)."""
        return bool(self._vault.catalog.recorded_at(key, self._scope, limit=1))

    def last_same(self, url: str, basis: Basis) -> Entry | None:
        """The newest look since the basis that found nothing new."""
        found = self._vault.catalog.find(basis.page.capture)
        index = found[0].started_index if len(found) == 1 else -1
        return self._vault.catalog.unchanged_since(dedupe_key(url), self._scope, index, below=self._below)

    def _records(self, url: str) -> Iterator[tuple[Digest, Record]]:
        key = dedupe_key(url)
        for each in self._vault.catalog.recorded_at(key, self._scope, limit=_LOOKED_THROUGH):
            if each.record_sha256 is None or each.status == Status.FAILED:
                continue
            if self._below is not None and each.started_index >= self._below:
                continue
            digest = Digest(each.record_sha256)
            try:
                record = holdings.record_of(self._vault.store, digest)
            except NotStored:
                continue
            if surface_of(record.circumstances) == Surface.PAGE:
                yield digest, record

    def _basis(self, page: Page, record: Record) -> Basis:
        window = next((each for each in record.artifacts if each.role == Role.VIEWPORT and each.name == WINDOW), None)
        printed: Look | None = None
        if window is not None and window.bytes <= _MAX_PICTURE:
            data = holdings.blob(self._vault.store, window.digest, _MAX_PICTURE)
            with self._turn:
                printed = self._printer.look(data, window.digest)
        return Basis(
            page=page,
            window=None if window is None else window.digest,
            printed=printed,
            key=link_key,
            printer=self._printer,
            turn=self._turn,
        )


def _is_as(record: Record, profile: Profile) -> bool:
    """Whether it was looked at as this profile would: another screen or language is shown another page."""
    environment = record.circumstances.get("environment")
    if not isinstance(environment, Mapping):
        return False
    languages = str(environment.get("languages", ""))
    return (
        environment.get("timezone") == profile.timezone
        and environment.get("device_scale") == f"{profile.density:g}"
        and languages.split(",", maxsplit=1)[0].lower() == profile.locale.lower()
    )
