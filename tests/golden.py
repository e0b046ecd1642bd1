"""Makes a golden archive: `python -m tests.golden tests/fixtures/golden/0.2`. One that is there is left alone."""

import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.authority import LocalAuthority
from tests.command import run, through
from tests.site.server import Site

PAGES = ("shortener", "removed_listing_404", "unresolved")


def make(folder: Path) -> None:
    """A capture with two hops, a removed listing and a host that does not resolve, under a local authority's time."""
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what was released verifies for ever, and is not made again")
    with tempfile.TemporaryDirectory() as name, Site() as site, LocalAuthority(Path(name) / "authority") as authority:
        home = Path(name) / "home"
        roots = Path(name) / "roots.pem"
        roots.write_text(authority.roots_pem)
        told = run(
            "capture", *(site.url(each) for each in PAGES), "--case", "golden", "--no-follow", "--json",
            "--authority", authority.url, "--authority-roots", str(roots),
            *through(site.resolve, site.trust_spki), home=home,
        )  # fmt: skip
        if told.code != 4 or told.document["time"] != "trusted":
            raise SystemExit(f"the capture did not come out as it must: {told.err}")
        folder.mkdir(parents=True)
        if run("mirror", str(folder / "archive"), home=home).code != 0:
            raise SystemExit("the archive could not be copied")
        shutil.copy(home / "trust.json", folder / "trust.json")
    captures = [
        {name: each[name] for name in ("id", "requested_url", "status", "outcome", "record_sha256", "state")}
        for each in told.captures
    ]
    expected = {
        "version": version("counterproof"),
        "made_at": datetime.now(UTC).date().isoformat(),
        "captures": captures,
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
