"""A browser as the product starts it, in a process of its own: says what it is on a line, then waits to be ended.

``python -m tests.crawlers.launched FOLDER MARK``: MARK is a word by which its processes can be found.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from playwright.async_api import async_playwright

from crawlers.launching import find_browser, plan


async def main(folder: Path, mark: str) -> None:
    for each in ("keys", "cache"):
        (folder / each).mkdir(exist_ok=True)
    (folder / "keys" / "log.key").write_bytes(b"secret")
    launch = plan(
        find_browser(os.environ, checkout=Path("/nonexistent")),
        keys=folder / "keys",
        cache=folder / "cache",
        env=os.environ,
        egress_url="http://127.0.0.1:9",
        trust_spki=(mark,),
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch.options)
        page = await browser.new_page()
        await page.goto("data:text/html,<p>here")
        told = {
            "sandbox": launch.sandbox,
            "isolation": launch.isolation.kind,
            "reason": launch.isolation.reason,
            "version": browser.version,
            "uid": os.geteuid(),
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
