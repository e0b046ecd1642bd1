"""What a golden archive need not have: it is kept in the repository, and small."""

import shutil
from pathlib import Path

from custody import keyspace


def weed(archive: Path, size: int) -> None:
    """Partial tiles of smaller trees may be gone (C2SP tlog-tiles); they would be most of what is kept here."""
    for each in archive.glob("v1/log/*/tile/*/*.p/*"):
        if each.name != str(size):
            each.unlink()
    for each in archive.rglob(".*"):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    shutil.rmtree(archive / keyspace.INBOX, ignore_errors=True)
    shutil.rmtree(archive / "v1/probe", ignore_errors=True)
