"""``counterproof mirror``: the archive copied to where somebody else keeps it, as files or in a second bucket."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.disk import make_directory
from archive.errors import ArchiveError, KeyFileError, LogError, StoreDenied, StoreError, UsageError
from archive.mirror import Locking, MirrorReport
from archive.mirror import mirror as copy
from archive.opening import open_store
from archive.probe import probe
from archive.reader import open_reader
from archive.stewardship import replica
from archive.stewardship.opening import Opened, open_desk
from archive.store import Keeper, ObjectStore
from console.exits import Exit
from console.screen import now, out, print_json, say

_THREADS = 8
_OTHER = "COUNTERPROOF_MIRROR_"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass(frozen=True, slots=True)
class _Target:
    store: ObjectStore
    locking: Locking | None


def mirror(config: ArchiveConfig, target: str, *, record: bool | None, as_json: bool) -> Exit:
    """5 when an object could not be copied because its bytes are not what its key says."""
    started_at = now()
    with _source(config, record=record) as (store, opened), _target(config, target, store) as there:
        with ThreadPoolExecutor(_THREADS, "mirror") as threads:
            report = copy(store, there.store, progress=say, locking=there.locking, map=threads.map)
        index, said = None, None
        if opened is not None and report.objects:
            index, said = _recorded(opened, report, there.store.name, started_at, must=record is True)
    if as_json:
        print_json({**report.to_json(), "target": there.store.name, "index": index, "notice": said})
    else:
        _tell(report, there.store.name, index, said)
    return Exit.LOST if report.problems else Exit.OK


def _recorded(
    opened: Opened, report: MirrorReport, name: str, started_at: datetime, *, must: bool
) -> tuple[int | None, str | None]:
    try:
        return replica.record(opened.desk, report, target=name, started_at=started_at), None
    except ArchiveError as error:
        if must:
            raise
        return None, f"the copy is made, and not recorded: {error}"


def _tell(report: MirrorReport, name: str, index: int | None, said: str | None) -> None:
    out.print(
        f"{name}: {report.copied} objects copied, {report.equal} were there already, {report.bytes} bytes",
        markup=False,
    )
    if report.locked:
        out.print(f"{report.locked} of them are locked there as long as here", markup=False)
    for problem in report.problems:
        out.print(problem, markup=False)
    if index is not None:
        out.print(f"recorded in leaf {index}, which the next copy has", markup=False)
    if said is not None:
        say(said)
    out.print(f"check it with: counterproof verify --store '{_plain(name)}'", markup=False)


def _plain(name: str) -> str:
    return name if name.startswith("file:") else f"{name}?endpoint=…"


@contextmanager
def _source(config: ArchiveConfig, *, record: bool | None) -> Iterator[tuple[ObjectStore, Opened | None]]:
    """The archive, opened for writing where the copy is to be recorded in it.

    By default it is where this home can write. Not in a directory: that may be a copy itself, and a copy that is
    written to is a second log.
    """
    wanted = record is True
    if record is None:
        can = (config.home / "trust.json").is_file() and (config.home / "keys" / "worker.key").exists()
        a_copy = (config.store_url or "").startswith("file:")
        if can and a_copy:
            say("the copy is not recorded, since a directory may be a copy itself; --record if it is the archive")
        wanted = can and not a_copy
    with ExitStack() as stack:
        opened = None
        if wanted:
            try:
                opened = stack.enter_context(open_desk(config, clock=now, notify=say, by_person=False))
            except (KeyFileError, LogError, StoreDenied) as error:
                if record:
                    raise
                say(f"the copy is not recorded: {error}")
        if opened is not None:
            yield opened.vault.store, opened
        else:
            yield stack.enter_context(open_reader(config)).store, None


@contextmanager
def _target(config: ArchiveConfig, target: str, source: ObjectStore) -> Iterator[_Target]:
    if target.startswith("s3:"):
        with _bucket(config, target, source) as found:
            yield found
        return
    directory = Path(target.removeprefix("file:")).expanduser()
    _refuse_home(config, directory)
    if f"file:{directory.absolute()}" == source.name:
        raise UsageError(f"{directory} is the archive itself: name a directory elsewhere")
    make_directory(directory)
    yield _Target(DirectoryStore(directory), None)


def _refuse_home(config: ArchiveConfig, directory: Path) -> None:
    inside = directory.resolve()
    home = config.home.resolve()
    if inside == home or home.is_relative_to(inside) or inside.is_relative_to(home):
        raise UsageError(f"{directory} holds, or lies in, the home with its private keys: name a directory elsewhere")
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file: name a directory")


@contextmanager
def _bucket(config: ArchiveConfig, url: str, source: ObjectStore) -> Iterator[_Target]:
    """Probed as any store that is to keep evidence."""
    with open_store(url, env=credentials(os.environ), lock_mode=config.lock_mode) as store:
        same_service = _endpoint(url) == _endpoint(config.store_url or "")
        if same_service and _overlap(store.name, source.name):
            raise UsageError(f"{store.name} is the archive itself, or lies in it: name another bucket or prefix")
        if not isinstance(store, Keeper):
            raise StoreError(f"{store.name} cannot lock what is copied into it: name another")
        probe(store, clock=now)
        yield _Target(store, Locking(target=store, fresh=lambda: config.retain_until(now()), clock=now))


def _endpoint(url: str) -> str:
    return dict(parse_qsl(urlsplit(url).query)).get("endpoint", "").rstrip("/")


def _overlap(one: str, other: str) -> bool:
    first, second = f"{one}/", f"{other}/"
    return first.startswith(second) or second.startswith(first)


def credentials(env: Mapping[str, str]) -> dict[str, str]:
    """The usual AWS variables; COUNTERPROOF_MIRROR_AWS_… wins, for a bucket that another account keeps."""
    others = {name: env[f"{_OTHER}{name}"] for name in _CREDENTIALS if env.get(f"{_OTHER}{name}")}
    if not others:
        return dict(env)
    return {**{name: value for name, value in env.items() if name not in _CREDENTIALS}, **others}
