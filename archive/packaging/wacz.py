"""A WACZ 1.1.1, written from the front: the same members give the same bytes. https://specs.webrecorder.net/wacz/1.1.1/

All members are stored, none deflated: WARCs are packed already, a replay reads them in place, and no version of zlib
gets a say in the bytes.
"""

import hashlib
import json
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from archive import disk
from archive.payload import CHUNK_BYTES
from custody.digest import Digest
from custody.model import Json

FORMAT = "wacz-1.1.1"
MEDIA_TYPE = "application/wacz+zip"
_VERSION = "1.1.1"
INDEX = "indexes/index.cdx"
"""CDXJ; by this ending pywb finds it as well as ReplayWeb.page."""
PAGES = "pages/pages.jsonl"
DESCRIPTION = "datapackage.json"
DESCRIPTION_DIGEST = "datapackage-digest.json"
_UNIX = 3


def archived(capture: str) -> str:
    """Where a capture's WARC lies."""
    return f"archive/{capture}.warc.gz"


@dataclass(frozen=True, slots=True)
class Member:
    path: str
    digest: Digest
    bytes: int

    def to_json(self) -> dict[str, Json]:
        name = self.path.rpartition("/")[2]
        return {"name": name, "path": self.path, "hash": f"sha256:{self.digest.hex}", "bytes": self.bytes}


@dataclass(slots=True)
class Wacz:
    """Members are put into it in the order of their paths."""

    path: Path
    at: datetime
    """Of all members: the newest capture's end."""
    members: list[Member] = field(default_factory=list)
    _zip: Any = None

    def __enter__(self) -> Self:
        with disk.trouble(self.path):
            self._zip = zipfile.ZipFile(self.path, "x", zipfile.ZIP_STORED)
        return self

    def __exit__(self, *_: object) -> None:
        with disk.trouble(self.path):
            self._zip.close()

    def put(self, path: str, stream: BinaryIO, length: int) -> Member:
        """Raises ``DiskError``. ``length`` is known beforehand, so that the form of a large file is certain."""
        if self.members and self.members[-1].path >= path:
            raise AssertionError(f"{path} comes before {self.members[-1].path}")
        info = zipfile.ZipInfo(path, self._moment())
        info.create_system, info.external_attr, info.file_size = _UNIX, (stat.S_IFREG | 0o644) << 16, length
        hasher = hashlib.sha256()
        with disk.trouble(self.path), self._zip.open(info, "w") as member:
            while chunk := stream.read(CHUNK_BYTES):
                hasher.update(chunk)
                member.write(chunk)
        self.members.append(Member(path, Digest(hasher.hexdigest()), length))
        return self.members[-1]

    def _moment(self) -> tuple[int, int, int, int, int, int]:
        at = self.at.astimezone(UTC)
        return max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second


def describe(members: list[Member], facts: Mapping[str, Json]) -> bytes:
    """``datapackage.json``."""
    told = {
        "profile": "data-package",
        "wacz_version": _VERSION,
        **facts,
        "resources": [each.to_json() for each in members],
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def describe_digest(description: bytes) -> bytes:
    """``datapackage-digest.json``. Not signed: the log covers the file, and says when."""
    return (json.dumps({"path": DESCRIPTION, "hash": str(Digest.of(description))}, indent=1) + "\n").encode()


def list_digest(members: list[Member]) -> Digest:
    """Of one line a member, as ``sha256sum`` writes them."""
    lines = [f"{each.digest.hex}  {each.path}\n" for each in sorted(members, key=lambda each: each.path)]
    return Digest.of("".join(lines).encode())
