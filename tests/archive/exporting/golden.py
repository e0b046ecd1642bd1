"""Makes a golden export: `python -m tests.archive.exporting.golden DIR`. One that is there is left alone."""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.archive.exporting.office import Office, judged, shared_item
from tests.authority import LocalAuthority


def make(folder: Path) -> None:
    """A case that shares an item with another, stamped when it was captured, and again when it was handed over."""
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what was released verifies for ever, and is not made again")
    with tempfile.TemporaryDirectory() as name, LocalAuthority(Path(name) / "authority") as authority:
        folder.mkdir(parents=True)
        office = Office(folder, shared_item([authority]), [authority], state=Path(name) / "state")
        kept = office.checkpoint()
        (folder / "kept-checkpoint").write_bytes(office.ledger.checkpoint()[1])
        made = office.export(since=(kept,))
        (folder / "trust.json").write_bytes(office.trust.format())
        if not judged(folder / "bag", office.trust, kept=(kept,)).holds:
            raise SystemExit("the export does not hold")
    expected = {
        "version": version("counterproof"),
        "captures": [each.id for each in office.made.captures if each.unit in office.items(office.cases[0])],
        "entries": made.entries,
        "blobs": made.blobs,
        "size": made.size,
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
