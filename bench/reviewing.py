"""How many decisions an hour the review queue lets somebody make: by keys alone, until the next is shown whole.

``BENCH_REVIEW_HOME``: a home whose one case has candidates, such as ``make demo`` leaves (``.state/demo/home``); a copy
of it is used. Else a made-up case of ``BENCH_REVIEW_LINKS`` (60) links whose targets have pictures of their windows.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from archive.config import ArchiveConfig
from bench.measuring import tell
from custody.model import Candidate, Role, Via
from tests.console.web.opened import Console, chromium, served, serving, window
from tests.console.web.shelf import Laid, lay, opened, png
from tests.console.web.test_reviewing import post_with

LINKS = int(os.environ.get("BENCH_REVIEW_LINKS", "60"))
HOME = os.environ.get("BENCH_REVIEW_HOME")
_SHOWN = """() => document.querySelector('h1').textContent.includes(' decided')
    && [...document.images].every((each) => each.complete && each.naturalWidth > 0)"""
_KEYS = "ynu"


def made(folder: Path) -> Laid:
    """A post with so many links; each of them was followed, and its page has a picture of noise, which packs badly."""
    chance = random.Random(7)  # noqa: S311  # no secret
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("finds")
    vias = [Via(href=f"https://shop.example/item/{n}", text=f"find {n}", where="page") for n in range(LINKS)]
    candidates = tuple(Candidate(via=each, follow=True, reason="page") for each in vias)
    picture = png(1280, 1000)
    post = shelf.page(
        run,
        scope=scope,
        files={Role.READING: post_with(LINKS), Role.SCREENSHOT: picture},
        candidates=candidates,
        title="A post",
    )
    for via in vias:
        colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
        shelf.page(
            run,
            unit=post.unit,
            via=via,
            title=via.text,
            requested_url=via.href,
            files={Role.SCREENSHOT: png(1280, 1000, colour)},
        )
    return lay(shelf, folder)


@contextmanager
def console_over(home: Path | None) -> Iterator[Console]:
    with tempfile.TemporaryDirectory() as name:
        if home is None:
            with served(made(Path(name))) as console:
                yield console
            return
        copy = Path(name) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.lock", "reviews.sqlite"))
        with serving(ArchiveConfig.load({"COUNTERPROOF_HOME": str(copy)}, settings={})) as console:
            yield console


def decide_all(page: Page) -> list[float]:
    """Milliseconds from each key until the next candidate is there, with its pictures."""
    took = []
    page.wait_for_function(_SHOWN)
    while page.locator("[data-review]").count():
        begun = time.perf_counter()
        with page.expect_navigation(wait_until="domcontentloaded"):
            page.keyboard.press(_KEYS[len(took) % len(_KEYS)])
        page.wait_for_function(_SHOWN)
        took.append((time.perf_counter() - begun) * 1000)
    return took


def main() -> None:
    home = None if HOME is None else Path(HOME)
    with console_over(home) as console, chromium() as browser:
        case = next(iter(console.app.state.archive.catalog.listed(None)))
        with window(browser, console) as seen:
            seen.go(f"/cases/{case.scope}/review")
            took = sorted(decide_all(seen.page))
    if not took:
        raise SystemExit("there are no candidates")
    middle = took[len(took) // 2]
    print(f"   {len(took)} decisions, one key each")
    tell("from a decision until the next candidate is shown whole: median", middle, "ms")
    tell("   the slowest", took[-1], "ms", at_most=2000)
    tell("decisions an hour, for one who needs ten seconds to look", 3_600_000 / (10_000 + middle), "", at_least=300)


if __name__ == "__main__":
    main()
