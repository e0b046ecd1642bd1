"""Makes a golden archive of what watching and case work leave behind: `python -m tests.golden_watching FOLDER`.

A list that was taken in, a look that found nothing new and one that found a change, two observers, a parcel that was
received, a witness, exhibits, a draft certificate, a redacted picture, and who looked. What is there is left alone.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.errors import NotStored, StoreError
from archive.vault import Vault
from console.web.accesses import Accesses
from custody.trust import Trust
from custody.verify import Verdict, verify
from tests.archive.deployment import now
from tests.archive.weeding import weed
from tests.authority import LocalAuthority
from tests.command import Ran
from tests.golden_looks import CASE, run_small
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site

NETWORK, SHOP = "www.golden.example", "www.shop.example"
POST, LISTING = f"https://{NETWORK}/p/1", f"https://{SHOP}/item/77"
_HEAD = "<!doctype html><meta charset=utf-8><style>* { font: 12px monospace }</style>"


@dataclass
class Town:
    """A post that is edited once, and what it leads to."""

    words: str = "my Love bracelet, an #ad"
    site: Site = field(default_factory=Site)

    def __post_init__(self) -> None:
        self.site.hosts[NETWORK] = Host(name=NETWORK, routes={"/p/1": self.post})
        self.site.hosts[SHOP] = Host(name=SHOP, routes={"/item/77": self.listing})

    def post(self, _: Request) -> Answer:
        body = f"<article><h1>A post</h1><p>{self.words} <a href='{LISTING}'>here</a></p></article>"
        return page(f"{_HEAD}<title>A post</title><meta property=og:type content=article>{body}")

    def listing(self, _: Request) -> Answer:
        offer = {"@type": "Offer", "price": "12.90", "priceCurrency": "EUR", "seller": {"name": "Sunny"}}
        told = json.dumps({"@context": "https://schema.org", "@type": "Product", "name": "Bracelet", "offers": offer})
        script = f"<script type='application/ld+json'>{told}</script>"
        return page(f"{_HEAD}<title>Bracelet</title>{script}<h1>Bracelet</h1><p>12.90 EUR, by Sunny</p>")


@dataclass
class Desk:
    """A home, its store, and the command."""

    folder: Path
    common: list[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def config(self) -> ArchiveConfig:
        return ArchiveConfig.load({}, settings={}, home=self.home, store_url=f"file:{self.store}")

    def say(self, *arguments: str, code: int = 0, looks: bool = False) -> Ran:
        where = ("--json", "--home", str(self.home), "--store", f"file:{self.store}", *(self.common if looks else ()))
        told = run_small(["", *arguments, *where], screen="")
        if told.code != code:
            raise SystemExit(f"{arguments[0]} ended with {told.code}: {told.err}{told.out}")
        return told

    def verdict(self) -> Verdict:
        return verify(
            DirectoryStore(self.store),
            Trust.parse((self.home / "trust.json").read_bytes()),
            at=datetime.now(UTC),
            absent=(NotStored,),
            unreachable=(StoreError,),
        )


@contextmanager
def desk(town: Town) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as name, town.site, LocalAuthority(Path(name) / "authority") as authority:
        roots = Path(name) / "roots.pem"
        roots.write_text(authority.roots_pem)
        common = ["--authority", authority.url, "--authority-roots", str(roots), "--no-control", "--look-again", "0"]
        for each in town.site.resolve:
            common += ["--resolve", each]
        for each in town.site.trust_spki:
            common += ["--trust-spki", each]
        yield Desk(Path(name), common)


def live(town: Town, at: Desk) -> None:
    (at.folder / "vendor.csv").write_text(f"url\n{POST}\n", encoding="utf-8")
    at.say("intake", str(at.folder / "vendor.csv"), "--case", CASE, looks=True)
    at.say("look", POST, "--case", CASE, "--no-follow", looks=True)
    town.words = "my Love bracelet, such a find"
    changed = at.say("look", POST, "--case", CASE, "--no-follow", looks=True)
    (capture,) = (each["id"] for each in changed.captures)
    at.say("capture", LISTING, "--case", CASE, "--no-follow", "--observers", "2", looks=True)
    (at.folder / "parcel.jpg").write_bytes(b"\xff\xd8\xff a parcel")
    at.say("receive", str(at.folder / "parcel.jpg"), "--case", CASE, "--from", "R. Roe", "--how", "by hand")
    at.say("witness", capture, "--name", "Jane Roe", "--fair-and-accurate", "--case", CASE)
    at.say("case", "edit", CASE, "--term", "Love bracelet", "--timezone", "Europe/Paris")
    at.say("findings", CASE, "--no-pictures")
    at.say("exhibits", "freeze", "--case", CASE)
    papers = ("--specimen", "--no-pdf", "-o", str(at.folder / "papers"))
    at.say("certificates", "--case", CASE, *papers)
    at.say("redact", capture, "--box", "0,0,40,20", "-o", str(at.folder / "redacted"), "--no-pdf")
    _look_at(at, capture)
    at.say("seal")


def _look_at(at: Desk, capture: str) -> None:
    """As the console does, where it was told to say who looks."""

    @contextmanager
    def opened() -> Iterator[tuple[object, object]]:
        with Vault.open(at.config, clock=now) as vault:
            yield vault.scribe, vault.sequencer

    accesses = Accesses(at.folder / "accesses" / "accesses.jsonl", opened, now)  # type: ignore[arg-type]
    accesses.look("ada", capture)
    accesses.take("ada", capture, "dom.html")
    accesses.close()


def make(folder: Path) -> None:
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what was released verifies for ever, and is not made again")
    town = Town()
    with desk(town) as at:
        live(town, at)
        verdict = at.verdict()
        if not verdict.holds:
            raise SystemExit(f"what was made does not hold: {verdict.failures}")
        folder.mkdir(parents=True)
        shutil.copytree(at.store, folder / "archive")
        shutil.copy(at.home / "trust.json", folder / "trust.json")
    weed(folder / "archive", verdict.size)
    expected = {
        "version": version("counterproof"),
        "made_at": datetime.now(UTC).date().isoformat(),
        "size": verdict.size,
        "events": verdict.facts["events"],
        "notes": sorted({each.code for each in verdict.findings}),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
