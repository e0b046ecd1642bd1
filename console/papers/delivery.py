"""Papers on the disk: a folder that appears whole, or not at all; nothing is written over."""

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from archive import disk
from archive.errors import UsageError
from console.papers.passages import Translation, parse_translations

MAX_TABLE_BYTES = 16 << 20


@contextmanager
def folder(target: Path) -> Iterator[Path]:
    """To write into; it has the name that was asked for once the context ends well. Raises ``UsageError``."""
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already, and nothing is overwritten: name another")
    beside = target.with_name(f".{target.name}.new")
    with disk.trouble(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
    try:
        yield beside
        with disk.trouble(target):
            beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write(path: Path, data: bytes) -> None:
    with disk.trouble(path):
        path.write_bytes(data)


def translations(table: Path | None) -> Mapping[str, list[Translation]]:
    """Raises ``UsageError`` for what is no such table."""
    if table is None:
        return {}
    with disk.trouble(table), table.open("rb") as file:
        data = file.read(MAX_TABLE_BYTES + 1)
    if len(data) > MAX_TABLE_BYTES:
        raise UsageError(f"{table} has more than {MAX_TABLE_BYTES} bytes, and is no table of translations")
    try:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")  # as it stands: a cell may have lines
        return parse_translations(list(csv.DictReader(text)))
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{table} is no table of translations: {error}") from error
