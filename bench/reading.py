"""Reading saved pages of Amazon: pages a second and core in one warm process, against lxml's parsing alone.

``BENCH_PAGES=DIR`` takes the pages (``*.html``, ``*.html.gz``) of a folder instead of those made here. Processor time
counts, of the command's process and of the one that reads; the wall says how busy the machine is.
"""

import gzip
import html
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from bench.measuring import Took, race, tell
from crawlers.bounded import Bounded
from crawlers.registry import read
from crawlers.saved import Saved

LEAST = 50.0
"""Pages a second and core, all in."""
PAGES = 13
ROUNDS = 5
COMMANDS = 3
REPEATED = 8
"""How often each page is given to the command, so that what it takes to start counts little, and can be taken off."""
BYTES = 1_400_000
WORDS = ("gold", "bracelet", "screw", "women", "gift", "steel", "colour", "size", "ring", "band", "für", "größe", "été")


def made(number: int) -> bytes:
    """A listing as large as the site's own, with about as many elements, and as much of it scripts and styles."""
    chance = random.Random(number)  # noqa: S311  # the same pages each time

    def words(most: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(most))

    def an_asin() -> str:
        return f"B0{chance.randrange(10**8):08d}"

    def card(n: int) -> str:
        state = html.escape(json.dumps({f"k{m}": [an_asin(), words(9)] for m in range(4)}))
        link = f"/dp/{an_asin()}/ref=pd_sbs_{n}?pd_rd_w={words(16).replace(' ', '-')}"
        return (
            f'<li class="a-carousel-card" role="listitem"><div class="faceout" data-a-state="{state}"><a href="{link}">'
            f'<img alt="{words(6)}" src="https://m.media-amazon.com/images/I/{n}.jpg"><span>{words(9)}</span></a>'
            f'<span class="a-price"><span class="a-offscreen">${n}.99</span><span class="a-price-whole">{n}</span>'
            "</span></div></li>"
        )

    def script(n: int) -> str:
        state = {f"key{m}": {"asin": an_asin(), "label": words(8), "on": True} for m in range(60)}
        return (
            f"<script>P.when('A','ready').register('w{n}',function(A){{var d={json.dumps(state)};A.go(d)}});</script>"
        )

    asin = f"B0C{number:07d}"
    parts = [
        f'<!doctype html><html lang="en-us"><head><meta charset="utf-8"><title>Amazon.com: {words(8)} …</title>',
        f'<link rel="canonical" href="https://www.amazon.com/a/dp/{asin}"><script>ue_sn="www.amazon.com";</script>',
        f"<style>{'.a-box{margin:0 auto}' * 26_000}</style></head><body><div id=dp>",
        f'<span id="productTitle">{words(12)}</span><a id="bylineInfo" href="/stores/x">Brand: Acme {number}</a>',
        '<div id="corePriceDisplay_desktop_feature_div"><span class="a-price priceToPay"><span class="a-offscreen">',
        '$19.99</span></span></div><div id="availability"><span>In Stock</span></div>',
        f'<input type="hidden" id="ASIN" value="{asin}">',
        f'<a id="sellerProfileTriggerId" href="/gp/help/seller/at-a-glance.html?seller=A{number:013d}">Acme</a>',
        '<div id="averageCustomerReviews"><span id="acrPopover" title="4.6 out of 5 stars"></span></div>',
        '<table id="productDetails_detailBullets_sections1"><tr><th>Best Sellers Rank</th><td>#7 in Rings</td></tr>',
        "</table>",
    ]
    length, n = sum(map(len, parts)), 0
    while length < BYTES:
        part = f"<div class=celwidget><ul>{''.join(card(n + m) for m in range(6))}</ul></div>" + script(n)
        parts.append(part)
        length += len(part)
        n += 1
    return "".join([*parts, "</div></body></html>"]).encode()


def saved(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.iterdir()):
        if path.name.endswith((".html", ".html.gz")):
            data = path.read_bytes()
            yield gzip.decompress(data) if path.name.endswith(".gz") else data


def command(files: list[Path], home: Path) -> Took:
    """The whole of it, its reader's process too."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "console", "read", *map(str, files), "--json", "--home", str(home)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(time.perf_counter() - begun, cpu)


def race_of_commands(files: list[Path], home: Path) -> tuple[Took, Took]:
    """Each page once, and each so often; the best of the rounds."""
    few = [command(files, home) for _ in range(COMMANDS)]
    many = [command(files * (1 + REPEATED), home) for _ in range(COMMANDS)]
    return min(few, key=lambda took: took.cpu_s), min(many, key=lambda took: took.cpu_s)


def main() -> None:
    named = os.environ.get("BENCH_PAGES")
    pages = list(saved(Path(named))) if named else [made(number) for number in range(PAGES)]
    if not pages:
        sys.exit(f"there are no pages *.html or *.html.gz in {named}")
    print(f"   {len(pages)} pages, {sum(map(len, pages)) / len(pages) / 1e6:.2f} MB each")

    def bare() -> None:
        for page in pages:
            etree.fromstring(page, etree.HTMLParser(encoding="utf-8", huge_tree=True))

    def readers() -> None:
        for page in pages:
            read(Saved.of(page))

    readers()
    alone, ours = race(ROUNDS, bare, readers)
    tell("lxml alone", len(pages) / alone.cpu_s, "pages/s")
    tell("readers, in this process", len(pages) / ours.cpu_s, "pages/s", at_least=LEAST)
    tell("readers against lxml alone", ours.cpu_s / alone.cpu_s, "times", at_most=2.0)

    with Bounded() as reader:
        shown = reader.read(pages[0])
    print(f"   a page gives {len(shown.fields)} fields: {', '.join(shown.fields)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{n}.html" for n in range(len(pages))]
        for file, page in zip(files, pages, strict=True):
            file.write_bytes(page)
        # What it takes to start is in both.
        few, many = race_of_commands(files, folder / "home")
    count = len(pages) * REPEATED
    tell("counterproof read, limits included, warm", count / (many.cpu_s - few.cpu_s), "pages/s", at_least=LEAST)
    tell("  by the wall", count / (many.wall_s - few.wall_s), "pages/s")
    tell("  starting, and the first pages", few.cpu_s, "s of processor time")


if __name__ == "__main__":
    main()
