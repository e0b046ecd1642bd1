"""``scrapy savepage URL NAME``: one look at a page, kept as a fixture for the tests of a platform's reader."""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from archive.config import ArchiveConfig
from archive.errors import ArchiveError
from archive.result import Captured
from archive.vault import Vault
from crawlers.address import parse_target
from crawlers.program import CHECKOUT
from crawlers.registry import platform_for
from crawlers.resolving import Resolve
from crawlers.saved import Saved
from crawlers.session import Job
from crawlers.sessions import now
from custody import keyspace
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json

FIXTURES = CHECKOUT / "tests" / "fixtures" / "platforms"
FAILED = 4


class Command(ScrapyCommand):
    """Keeps nothing as evidence: home, store and log are thrown away."""

    requires_project = True
    requires_crawler_process = False
    default_settings = {"LOG_ENABLED": False}  # noqa: RUF012  # as Scrapy's own commands say it

    def syntax(self) -> str:
        return "[--resolve HOST:PORT:ADDRESS[:PORT2]] [--trust-spki SHA256] URL NAME"

    def short_desc(self) -> str:
        return "Look at a page once and keep it as a fixture for a platform's reader"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--resolve", action="append", default=[], help="as of `counterproof capture`")
        parser.add_argument("--trust-spki", action="append", default=[], help="as of `counterproof capture`")
        parser.add_argument("--into", type=Path, default=FIXTURES, help="folder of fixtures")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawlers import run  # noqa: PLC0415  # it loads what installs a reactor

        if len(args) != 2 or not args[1].replace("-", "").replace("_", "").isalnum():
            raise UsageError("a URL, and a name of letters, digits and - for the fixture")
        try:
            url = parse_target(args[0])
            job = Job(
                urls=(url,),
                case="savepage",
                follow=False,
                look_again_s=0,
                control=False,
                resolve=tuple(Resolve.parse(each) for each in opts.resolve),
                trust_spki=tuple(opts.trust_spki),
            )
            with tempfile.TemporaryDirectory(prefix="counterproof-") as home:
                config = ArchiveConfig.load({}, home=Path(home), store_url="memory:", authorities=("none",))
                with Vault.open(config, clock=now) as vault:
                    result = run.run(
                        job, vault=vault, environment=os.environ, progress=_silent, on_interrupt=lambda _: None
                    )
                    page, captured = _document(result.captures, vault), result.captures[0]
        except ArchiveError as error:
            print(error)  # noqa: T201  # a command speaks to whoever typed it
            self.exitcode = FAILED
            return
        if page is None:
            print(f"{url}: no page could be had ({captured.outcome_reason})")  # noqa: T201
            self.exitcode = FAILED
            return
        final = captured.final_url or url
        folder = opts.into / platform_for(Saved.of(page, url=final)).name / args[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "page.html").write_bytes(page)
        about = {"url": final, "saved_at": format_utc(captured.looked_at), "outcome": captured.outcome.value}
        (folder / "page.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        print(f"{folder}: kept. See what is read: counterproof read {folder / 'page.html'} --url '{final}'")  # noqa: T201


def _document(captures: Sequence[Captured], vault: Vault) -> bytes | None:
    """The document as the browser had it."""
    kept = {each.name: each for capture in captures for each in capture.artifacts}
    return vault.store.read(keyspace.blob(Digest(kept["dom.html"].sha256))) if "dom.html" in kept else None


def _silent(step: str, facts: Mapping[str, Json]) -> None:
    """The command says one line when it is done."""
