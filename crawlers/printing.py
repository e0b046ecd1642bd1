"""Papers of ours printed as PDF by the browser: tagged, with an outline, their text to be searched."""

import asyncio
import html
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from archive.errors import SetupMissing
from crawlers import browser
from crawlers.launching import find_browser
from crawlers.program import CHECKOUT

TIMEOUT_S = 300.0
"""For one paper; a thousand pages with pictures take a minute."""
_MARGIN = "font: 7.5pt sans-serif; width: 100%; margin: 0 14mm; display: flex; justify-content: space-between;"


def print_pdf(papers: Mapping[Path, bytes], *, left: str, right: str, environment: Mapping[str, str]) -> None:
    """Blocking. Writes each paper (a whole HTML document) to the path that it is to have as PDF.

    ``left`` and ``right`` stand at the head of each page (its title where ``right`` is empty), and the page's number at
    its foot. Raises ``SetupMissing``
    where the browser is not there or does not print.
    """
    executable = find_browser(environment, checkout=CHECKOUT)
    browser.check_driver()
    beside = html.escape(right) or '<span class="title"></span>'
    top = f'<div style="{_MARGIN}"><b>{html.escape(left)}</b><span>{beside}</span></div>'
    bottom = (
        f'<div style="{_MARGIN}"><span class="title"></span>'
        '<span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
    )
    with tempfile.TemporaryDirectory(prefix="counterproof-paper-") as folder:
        sources = {}
        for n, (target, data) in enumerate(papers.items()):
            source = Path(folder) / f"{n}.html"
            source.write_bytes(data)
            sources[source] = target
        trouble = asyncio.run(
            browser.print_pages(
                executable, sources, sandbox=os.geteuid() != 0, top=top, bottom=bottom, timeout_s=TIMEOUT_S
            )
        )
    if trouble:
        raise SetupMissing(f"the browser did not print ({trouble}): run `counterproof doctor`, or leave the PDF out")
