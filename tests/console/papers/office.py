"""A case with a promotion, made without a browser: real pages, real readers, real log, a real time-stamp authority."""

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from typer.testing import CliRunner

from archive.acquisition import Acquisition
from archive.config import ArchiveConfig
from archive.vault import Vault
from console.cli import app
from console.papers.casefile import CaseFile, open_casefile
from custody import keyspace
from custody.digest import Digest
from custody.model import Candidate, Json, Origin, Outcome, Role, Snapshot, Status, Via, Visit
from pipelines.recording import record
from pipelines.stages import Artifact, Stored
from tests.archive.deployment import now
from tests.authority import LocalAuthority
from tests.command import Ran

CASE = "love"
POST = "https://ana.example/p/1"
LISTING = "https://shop.example/item/77"
CAPTION = (
    "My Love bracelet </script><b>never</b> leaves my wrist \u202egnirts\u202c, link: https://shop.example/item/77"
)
FOREIGN = "卡地亚手镯，和正品一样"
BOX = (40, 120, 300, 40)
INK = (12, 200, 34)
"""A colour that is in the picture's box alone."""


def picture(words: str) -> bytes:
    made = Image.new("RGB", (640, 900), (240, 240, 250))
    pen = ImageDraw.Draw(made)
    pen.text((20, 20), words, fill="black")
    x, y, width, height = BOX
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill=INK)
    pen.text((x + 4, y + 10), "bystander_77 says hello", fill="black")
    file = io.BytesIO()
    made.save(file, "PNG")
    return file.getvalue()


def post_html(caption: str = CAPTION) -> str:
    said = {
        "@context": "https://schema.org", "@type": "SocialMediaPosting", "headline": "Ana",
        "author": {"@type": "Person", "name": "Ana"}, "datePublished": "2026-02-01T10:00:00Z", "articleBody": caption,
        "url": POST,
    }  # fmt: skip
    data = json.dumps(said, ensure_ascii=False).replace("</", "<\\/")
    return (
        f'<!doctype html><html lang="en"><head><title>Ana</title><meta property="og:type" content="article">'
        f'<script type="application/ld+json">{data}</script></head><body><article><h1>Ana</h1>'
        f'<p>My Love bracelet never leaves my wrist, link: <a href="{LISTING}">{LISTING}</a></p></article></body>'
    )


def listing_html() -> str:
    said = {
        "@context": "https://schema.org", "@type": "Product", "name": "=Screw bracelet", "sku": "77", "url": LISTING,
        "offers": {"@type": "Offer", "price": "12.90", "priceCurrency": "EUR", "seller": {"name": "@Sunny Factory"}},
    }  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><title>Screw bracelet</title><meta property="og:type" content="product">'
        f'<script type="application/ld+json">{json.dumps(said)}</script></head><body><h1>Screw bracelet</h1>'
        f'<span class="price">12.90 EUR</span><button>Add to cart</button></body></html>'
    )


ENVIRONMENT: dict[str, Json] = {
    "software": "counterproof", "version": "0.1.0", "code_sha256": "ab" * 32, "build": "unreleased",
    "user_agent": "Test/1",
    "browser_version": "156.0", "languages": "en-US", "timezone": "UTC", "egress": {"address": "203.0.113.7"},
    "control": {"start": "passed"},
}  # fmt: skip
CONTROLS: dict[str, Json] = {
    "start": {"result": "passed", "differences": []}, "end": {"result": "passed", "differences": []},
}  # fmt: skip


@dataclass
class Office:
    """A home, and what was captured into it."""

    home: Path
    store: Path
    post: str = ""
    listing: str = ""
    units: list[str] = field(default_factory=list)

    def copied(self, folder: Path) -> "Office":
        shutil.copytree(self.home, folder / "home")
        shutil.copytree(self.store, folder / "store")
        return replace(self, home=folder / "home", store=folder / "store")

    @property
    def config(self) -> ArchiveConfig:
        return ArchiveConfig.load(self.environment, home=self.home)

    @property
    def environment(self) -> dict[str, str]:
        return {"COUNTERPROOF_STORE_URL": f"file:{self.store}"}

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """The real command, in this process: dozens of them are run here, and each would start a Python of its own."""
        variables = {**self.environment, **(env or {})}
        ran = CliRunner().invoke(app, [*arguments, "--home", str(self.home)], env=variables)
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(code=ran.exit_code, out=ran.stdout, err=ran.stderr)

    def ok(self, *arguments: str, code: int = 0) -> Ran:
        ran = self.run(*arguments)
        assert ran.code == code, (arguments, ran.code, ran.err, ran.out[:2000])
        return ran

    @contextmanager
    def casefile(self) -> Iterator[CaseFile]:
        with open_casefile(self.config, CASE, at=now()) as file:
            yield file

    def blob(self, digest: Digest | str) -> Path:
        """In this copy, where a test may write to it: stores make their files read-only."""
        path = self.store / keyspace.blob(digest if isinstance(digest, Digest) else Digest(digest))
        path.chmod(0o600)
        return path

    def artifact(self, capture: str, name: str) -> Any:
        ran = self.ok("show", capture, "--json")
        return next(each for each in ran.document["record"]["artifacts"] if each["name"] == name)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How it is to be made."""

    origin: Origin = Origin.PUBLIC
    authority: LocalAuthority | None = None
    controls: Mapping[str, Json] | None = field(default_factory=lambda: CONTROLS)
    caption: str = CAPTION
    without: frozenset[Role] = frozenset()
    more_posts: int = 0


def make(folder: Path, plan: Plan) -> Office:
    office = Office(folder / "home", folder / "store")
    extra: dict[str, Any] = {}
    if plan.authority is not None:
        roots = folder / "roots.pem"
        roots.write_text(plan.authority.roots_pem)
        extra = {"authorities": [plan.authority.url], "authority_roots": roots}
    config = ArchiveConfig.load(office.environment, home=office.home, **extra)
    with Vault.open(config, clock=now) as vault:
        acquire(vault, office, plan)
    office.ok("case", "edit", CASE, "--term", "Love bracelet", "--timezone", "Europe/Paris")
    office.ok("findings", CASE, "--no-pictures")
    return office


def acquire(vault: Vault, office: Office, plan: Plan) -> None:
    facts: dict[str, Json] = {"software": "counterproof", "version": "0.1.0", "code_sha256": "ab" * 32, "host": "lab"}
    acquisition = vault.begin(CASE, facts, "J. Doe")
    for number in range(1 + plan.more_posts):
        unit, listing = acquisition.new_id(), acquisition.new_id()
        url = POST if not number else f"{POST}{number}"
        link = Via(href=LISTING, text=LISTING, where="text")
        html = post_html(plan.caption).replace(POST, url)
        reading = _reading(plan.caption)
        _captured(acquisition, plan, unit, unit, None, None, url, html, plan.caption, (link,), reading)
        _captured(
            acquisition, plan, listing, unit, unit, link, LISTING, listing_html(), "Screw bracelet 12.90", (), None
        )
        office.units.append(unit)
        if not number:
            office.post, office.listing = unit, listing
    vault.finish(
        acquisition, lost=(), unfinished=(), interrupted=False, notices=(), controls=plan.controls
    )  # fmt: skip


def _reading(caption: str) -> dict[str, Json]:
    x, y, width, height = BOX
    return {
        "schema": 1, "derived": True, "by": {"software": "counterproof", "version": "0.1.0", "code_sha256": "ab" * 32},
        "reading": {
            "platform": "blog", "kind": "post", "wall": None, "notes": [],
            "fields": {"author": "Ana", "text": caption, "language": "en"},
            "sources": {"author": "css h1", "text": "json-ld 0 .articleBody"},
            "seen": {"author": "shown", "text": "embedded"},
        },
        "boxes": {"text": [{"x": x, "y": y, "width": width, "height": height}]}, "without_box": {},
        "picture": {"files": [{"name": "screenshot.png", "top": 0, "height": 900}], "width": 640, "scale": "1"},
    }  # fmt: skip


def acquire_page(  # noqa: PLR0917  # what there is of a page
    acquisition: Acquisition, plan: Plan, unit: str, url: str, html: str, pixels: bytes
) -> None:
    """By itself, with a picture of its own."""
    _captured(acquisition, plan, unit, unit, None, None, url, html, "text", (), None, pixels)


def _captured(  # noqa: PLR0917  # one caller
    acquisition: Acquisition,
    plan: Plan,
    capture: str,
    unit: str,
    parent: str | None,
    via: Via | None,
    url: str,
    html: str,
    text: str,
    links: tuple[Via, ...],
    reading: dict[str, Json] | None,
    pixels: bytes | None = None,
) -> None:
    started = acquisition.start(
        capture_id=capture, unit=unit, url=url, parent=parent, timeout_s=10, facts={"depth": 1, "surface": "page"}
    )
    spool = acquisition.visit_spool(capture)
    pixels = pixels or picture(url)
    files: list[tuple[Role, str, str, bytes]] = [
        (Role.VIEWPORT, "viewport.png", "image/png", pixels),
        (Role.SCREENSHOT, "screenshot.png", "image/png", pixels),
        (Role.DOM, "dom.html", "text/html", html.encode("utf-8", "surrogatepass")),
        (Role.TEXT, "text.txt", "text/plain; charset=utf-8", text.encode("utf-8", "surrogatepass")),
        (Role.WARC, "traffic.warc.gz", "application/warc", b"traffic of " + capture.encode()),
    ]
    if reading is not None:
        files.append((Role.READING, "reading.json", "application/json", json.dumps(reading).encode()))
    written = [spool.write(*each) for each in files if each[0] not in plan.without]
    artifacts = tuple(Artifact(snapshot=each, stored=acquisition.store_file(each)) for each in written)
    _record(acquisition, plan, capture, unit, parent, via, url, links, started, written, artifacts)


def _record(  # noqa: PLR0917  # one caller
    acquisition: Acquisition,
    plan: Plan,
    capture: str,
    unit: str,
    parent: str | None,
    via: Via | None,
    url: str,
    links: tuple[Via, ...],
    started: Any,
    written: list[Snapshot],
    artifacts: tuple[Artifact, ...],
) -> None:
    at = now()
    visit = Visit(
        capture_id=capture, unit=unit, parent=parent, via=via, depth=1 if parent is None else 2, run=acquisition.run,
        scope=acquisition.scope, started=started, requested_url=url, final_url=url, title="Ana <i>", hops=(),
        http_status=200, status=Status.COMPLETE, outcome=Outcome.OK, outcome_reason="no notice or wall was seen",
        origin=plan.origin, origin_reasons=("as the test says",), snapshots=tuple(written), missing=(),
        candidates=tuple(Candidate(via=each, follow=True, reason="external") for each in links),
        times={"requested_at": at, "viewport_at": at, "closed_at": at},
        circumstances={
            "environment": ENVIRONMENT,
            "network": {"refusals": 0},
            "surface": {"name": "page", "shown": "content"},
            "session": {"surface": "automatic", "logged_in": False},
        },
        spool=acquisition.visit_spool(capture).path,
    )  # fmt: skip
    record(acquisition, Stored(visit=visit, artifacts=artifacts))
