"""Every object key of the archive, as functions; spelled nowhere else. A verifier needs them as much as a writer.

Below the store's own prefix (docs/manifest.md, "Where it lives")::

    v1/blobs/sha256/ab/<64 hex>                              every artifact, record and detail, by its own digest
    v1/inbox/<yyyy>/<mm>/<dd>/<event_id>.json                events of workers that hold no log key
    v1/quarantine/<64 hex>                                   what lay in the inbox and was refused, by its digest
    v1/log/<slug>/commit/<20-digit n>                        the only ordering authority; n counts from 1
    v1/log/<slug>/tile/<L>/<N>[.p/<W>]                       C2SP tlog-tiles
    v1/log/<slug>/tile/entries/<N>[.p/<W>]                   C2SP entry bundles
    v1/log/<slug>/checkpoints/<20-digit size>                signed notes, one for each commit
    v1/log/<slug>/timestamps/<20-digit size>/<authority>.tsq query and .tsr raw answer
    v1/log/<slug>/keys/<keyid>.pem | .vkey
    v1/log/<slug>/snapshots/<20-digit n>                     cache: chain heads and seen ids at a commit
    v1/log/<slug>/index/<20-digit n>                         cache: which packs hold the catalogue's rows at a commit
    v1/log/<slug>/index/packs/<64 hex>                       cache: such rows, by the digest of their bytes
    v1/log/<slug>/checkpoint                                 cache, the one mutable key: the newest checkpoint
    v1/probe/<random hex>                                    short-lived objects of the store probe
"""

import re
from datetime import datetime

from custody.digest import Digest
from custody.errors import FormatError

ROOT = "v1/"
BLOBS = "v1/blobs/sha256/"
INBOX = "v1/inbox/"
LOGS = "v1/log/"
PROBES = "v1/probe/"
QUARANTINE = "v1/quarantine/"

_INDEX = re.compile(rf"{LOGS}[^/]+/index/(\d{{20}}|packs/[0-9a-f]{{64}})")
_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)*")


def slug(log: str) -> str:
    """The log's name as one path segment: ``/`` becomes ``_``, which no name holds, so that two names never meet."""
    if len(log) > 200 or not _LOG_NAME.fullmatch(log):
        raise FormatError(f"a log's name is lower-case letters, digits, '.', '-' and '/', got {log[:80]!r}")
    return log.replace("/", "_")


def blob(digest: Digest) -> str:
    return f"{BLOBS}{digest.hex[:2]}/{digest.hex}"


def inbox(event_id: str, at: datetime) -> str:
    """By the day on which it was put there, so that an old event is found without listing every day."""
    return f"{INBOX}{at:%Y/%m/%d}/{event_id}.json"


def quarantine(digest: Digest) -> str:
    return f"{QUARANTINE}{digest.hex}"


def log_prefix(log: str) -> str:
    return f"{LOGS}{slug(log)}/"


def commit(log: str, n: int) -> str:
    return f"{log_prefix(log)}commit/{n:020d}"


def checkpoint_at(log: str, size: int) -> str:
    return f"{log_prefix(log)}checkpoints/{size:020d}"


def checkpoint(log: str) -> str:
    return f"{log_prefix(log)}checkpoint"


def query(log: str, size: int, authority: str) -> str:
    return f"{log_prefix(log)}timestamps/{size:020d}/{authority}.tsq"


def token(log: str, size: int, authority: str) -> str:
    return f"{log_prefix(log)}timestamps/{size:020d}/{authority}.tsr"


def key_pem(log: str, keyid: str) -> str:
    return f"{log_prefix(log)}keys/{keyid}.pem"


def key_vkey(log: str, keyid: str) -> str:
    return f"{log_prefix(log)}keys/{keyid}.vkey"


def snapshot(log: str, n: int) -> str:
    return f"{log_prefix(log)}snapshots/{n:020d}"


def index_prefix(log: str) -> str:
    return f"{log_prefix(log)}index/"


def index(log: str, n: int) -> str:
    return f"{index_prefix(log)}{n:020d}"


def index_pack(log: str, digest: Digest) -> str:
    return f"{index_prefix(log)}packs/{digest.hex}"


def is_index(key: str) -> bool:
    """Whether it is one of the two above, of any log: a cache, which may be removed and made again."""
    return _INDEX.fullmatch(key) is not None


def tile(log: str, level: int, index: int, width: int = 256) -> str:
    """C2SP tlog-tiles: ``tile/<L>/<N>[.p/<W>]``; a full tile has width 256."""
    return f"{log_prefix(log)}tile/{level}/{_tile_index(index)}{_partial(width)}"


def entries(log: str, index: int, width: int = 256) -> str:
    return f"{log_prefix(log)}tile/entries/{_tile_index(index)}{_partial(width)}"


def _tile_index(index: int) -> str:
    """C2SP tlog-tiles: zero-padded groups of three digits, all but the last with an ``x``: 1234067 -> x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


def _partial(width: int) -> str:
    return "" if width == 256 else f".p/{width}"
