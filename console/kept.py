"""What captures kept, for verbs that read it again: their records and blobs, checked on the way."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from archive.catalog import Catalog
from archive.config import ArchiveConfig
from archive.errors import StoreError, UsageError
from archive.holdings import document_of, read_at
from archive.reader import Reader, open_catalog, open_reader
from console.browsing import entry_named
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record

__all__ = ["Kept", "document_of", "files_among", "firsthand", "open_kept", "read_at"]

_CHUNK_BYTES = 1 << 20
_MAX_READING = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An archive that is open for reading."""

    reader: Reader
    catalog: Catalog

    def record(self, text: str) -> Record:
        """Of the capture that is named by its id, or how it begins or ends. Raises UsageError where it has none."""
        entry = entry_named(self.catalog, text)
        if entry.record_sha256 is None or entry.disposed_at is not None:
            raise UsageError(f"capture {entry.capture_id} has nothing to read: it has no record, or was disposed of")
        return Record.parse(self.blob(Digest(entry.record_sha256), MAX_RECORD_BYTES))

    def blob(self, digest: Digest, most: int) -> bytes:
        """At most one byte more than ``most``: then it is not all of it, and not checked."""
        with self.reader.store.open(keyspace.blob(digest)) as stream:
            data = stream.read(most + 1)
        if len(data) <= most and Digest.of(data) != digest:
            raise _changed(digest)
        return data

    def check(self, digest: Digest) -> None:
        """Raises ``StoreError`` where the blob is not what was recorded, or is gone."""
        with self.reader.store.open(keyspace.blob(digest)) as stream:
            if Digest.of_stream(stream)[0] != digest:
                raise _changed(digest)

    @contextmanager
    def file(self, digest: Digest) -> Iterator[BinaryIO]:
        """The whole blob on the local disk, checked before anybody reads it; gone when the context ends."""
        with tempfile.TemporaryFile(prefix="counterproof-") as file:
            with self.reader.store.open(keyspace.blob(digest)) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    file.write(chunk)
            file.seek(0)
            if Digest.of_stream(file)[0] != digest:
                raise _changed(digest)
            file.seek(0)
            yield file


@contextmanager
def open_kept(config: ArchiveConfig) -> Iterator[Kept]:
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        yield Kept(reader=reader, catalog=catalog)


def firsthand(kept: Kept, record: Record) -> Mapping[str, Any] | None:
    """The reading that was made in the visit, with what made it; None where there is none that can be read."""
    made = next((each for each in record.artifacts if each.role == Role.READING), None)
    if made is None or made.bytes > _MAX_READING:
        return None
    try:
        value: Any = json.loads(kept.blob(made.digest, _MAX_READING))
    except (ValueError, RecursionError):
        return None  # of another form: today's readers read the page itself
    return value if isinstance(value, dict) else None


def files_among(asked: Sequence[str]) -> list[Path | None]:
    """The file that each names, None for a capture's id. Raises UsageError for a path at which there is no file."""
    files = [Path(each) if Path(each).is_file() else None for each in asked]
    for text, file in zip(asked, files, strict=True):
        if file is None and ("/" in text or "." in text):
            raise UsageError(f"there is no file {text}")
    return files


def _changed(digest: Digest) -> StoreError:
    return StoreError(f"{digest} is not what was recorded: run `counterproof verify`")
