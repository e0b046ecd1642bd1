"""Makes a golden archive of what is done with evidence later: `python -m tests.golden_events FOLDER`.

Two authorities of which both have to stamp, two people of whom both have to sign, a worker key that was changed, and
every event that a command can write. One that is there is left alone.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from archive.reader import open_reader
from archive.vault import Vault
from custody import keyspace
from custody.model import Origin
from custody.verify import verify
from tests.archive.deployment import now
from tests.archive.runs import captured
from tests.archive.weeding import weed
from tests.authority import LocalAuthority
from tests.console.test_keys import Place, holder

CASE = "golden"


class Life:
    """A log from its opening to its last stamp, by commands, on four machines."""

    def __init__(self, place: Place, authorities: Sequence[LocalAuthority]) -> None:
        self.place = place
        self.authorities = authorities
        self.units: list[str] = []

    def live(self) -> None:
        self._begin()
        self._capture()
        kept, gone, wrong = self.units
        self._by_jane("hold", "--unit", kept, "--matter", "12 Cv. 3456")
        self._by_two("release", "--unit", kept, "--why", "settled")
        self._by_two("dispose", "--unit", gone, "--why", "nobody needs it", "--yes")
        self._by_jane("correct", wrong, "--field", "title", "--is", "B", "--why", "misread")
        self._by_jane("case", "edit", CASE, "--title", "Love v. Screw")
        self._office("retain", "--case", CASE, "--days", "900", "--why", "the court asked")
        self._office("fixity", "--record")
        inbox = self.place.folder / "store" / keyspace.INBOX / "2026/03/04"
        inbox.mkdir(parents=True)
        (inbox / "x.json").write_bytes(b'{"no": "event"}')
        self._office("sequence", "--once")
        self._office("export", "--case", CASE, "-o", str(self.place.folder / "bag"), code=3)  # some is disposed of
        self._office("mirror", str(self.place.folder / "mirror"), "--record")
        self._office("keys", "rotate", "worker", "--key", holder(self.place, 1))
        self._office("seal")

    def _begin(self) -> None:
        made = ("--make", "1", "--threshold", "1", "--people", "2", "--into", str(self.place.folder / "holders"))
        self._office("keys", "ceremony", *made)
        self._office("keys", "submit", str(self.place.home("office") / "opening.json"))
        for n, each in enumerate(self.authorities):
            roots = self.place.folder / f"roots{n}.pem"
            roots.write_text(each.roots_pem)
            self._office("authorities", "add", each.url, "--roots", str(roots))
        self._office("authorities", "quorum", "2")
        self._office("keys", "announce", "--key", holder(self.place, 1))
        for name in ("jane", "john"):
            self.place.enrol(name, "--role", "person")
        self._office("keys", "introduce", *map(str, self.place.requests()), "--key", holder(self.place, 1))

    def _capture(self) -> None:
        with Vault.open(self.place.config("office"), clock=now) as vault:
            acquisition = vault.begin(CASE, {}, None)
            for _ in range(3):
                captured(acquisition, origin=Origin.NOT_PUBLIC)
            self.units = [each.capture_id for each in acquisition.captured]
            vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())

    def _office(self, *arguments: str, code: int = 0) -> None:
        self.place.say(*arguments, home="office", code=code)

    def _by_jane(self, *arguments: str) -> None:
        self.place.say(*arguments, home="jane", code=3)
        self._office("sequence", "--once")

    def _by_two(self, *arguments: str) -> None:
        draft = self.place.folder / f"{arguments[0]}.json"
        self.place.say(*arguments, "--out", draft, home="jane")
        self.place.say("keys", "cosign", draft, "--yes", home="john")
        self._office("keys", "submit", str(draft))
        self._office(*arguments)


def make(folder: Path) -> None:
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what was released verifies for ever, and is not made again")
    with (
        tempfile.TemporaryDirectory() as name,
        LocalAuthority(Path(name) / "one") as one,
        LocalAuthority(Path(name) / "two") as two,
    ):
        place = Place(Path(name))
        life = Life(place, (one, two))
        life.live()
        with open_reader(place.config("office")) as reader:
            verdict = verify(reader.store, reader.trust, at=now(), absent=(Exception,))
        if not verdict.holds:
            raise SystemExit(f"what was made does not hold: {verdict.failures}")
        folder.mkdir(parents=True)
        shutil.copytree(place.folder / "store", folder / "archive")
        shutil.copy(place.home("office") / "trust.json", folder / "trust.json")
    weed(folder / "archive", verdict.size)
    kept, gone, wrong = life.units
    expected = {
        "version": version("counterproof"),
        "made_at": datetime.now(UTC).date().isoformat(),
        "size": verdict.size,
        "units": {"kept": kept, "gone": gone, "wrong": wrong},
        "events": verdict.facts["events"],
        "notes": sorted({each.code for each in verdict.findings}),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
