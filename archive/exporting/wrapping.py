"""The wrapping of an export: what it says in plain words, BagIt's lists of its files, and the zip."""

import os
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from archive import disk
from archive.exporting.blobs import write
from custody.bundle import layout
from custody.bundle.lists import format_list
from custody.digest import Digest


def seal_bag(bag: Path, *, identifier: str, at: datetime, known: Mapping[str, Digest]) -> None:
    """RFC 8493: the declaration, what is said of the bag, and the digests of all of it.

    ``known``: of files that were hashed as they were written; whoever checks the bag reads them again.
    """
    payload = {path: known.get(path) or _digest(bag / path) for path in _files(bag) if path.startswith(layout.PAYLOAD)}
    octets = sum((bag / path).stat().st_size for path in payload)
    info = (
        f"Bag-Software-Agent: Counterproof {version('counterproof')}\n"
        f"Bagging-Date: {at.date().isoformat()}\n"
        f"External-Identifier: {identifier}\n"
        f"Payload-Oxum: {octets}.{len(payload)}\n"
    )
    write(bag / layout.BAGIT, layout.DECLARATION)
    write(bag / layout.BAG_INFO, info.encode())
    write(bag / layout.MANIFEST, format_list(payload))
    tags = {path: _digest(bag / path) for path in _files(bag) if not path.startswith(layout.PAYLOAD)}
    write(bag / layout.TAG_MANIFEST, format_list(tags))


def pack(bag: Path, target: Path, at: datetime) -> None:
    """One folder in the zip (RFC 8493 §4.1), in the order of the names."""
    moment = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)
    with disk.trouble(target), zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(bag):
            member = zipfile.ZipInfo(f"{bag.name}/{path}", moment)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            with (bag / path).open("rb") as source, archive.open(member, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed, 1 << 20)


def _files(bag: Path) -> Iterator[str]:
    found = [Path(folder, name).relative_to(bag).as_posix() for folder, _, names in os.walk(bag) for name in names]
    return iter(sorted(found))


def _digest(path: Path) -> Digest:
    with disk.trouble(path), path.open("rb") as stream:
        return Digest.of_stream(stream)[0]
