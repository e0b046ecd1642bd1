"""``scrapy crawl``, which by itself ends with exit 0 whatever was lost."""

import argparse
from typing import Any

from scrapy import Spider
from scrapy.commands import crawl
from scrapy.crawler import Crawler

from archive.errors import SetupMissing, UsageError

USAGE, LOST, STORE, SETUP = 2, 5, 6, 7
"""As ``counterproof`` leaves with them: docs/cli.md, "Exit codes"."""


class Command(crawl.Command):
    """Leaves with 5 when evidence did not reach the log, with 6 when store, disk or key gave out."""

    crawler: Crawler | None = None

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        self.crawler = super()._create_crawler(spidercls)
        return self.crawler

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        super().run(args, opts)
        self.exitcode = self.exitcode or code_of(None if self.crawler is None else self.crawler.spider)


def code_of(spider: Any) -> int:
    """0 also for a page that could not be had: that is an outcome, and recorded. Other spiders have no codes."""
    failure, result = getattr(spider, "failure", None), getattr(spider, "result", None)
    if failure is not None:
        return USAGE if isinstance(failure, UsageError) else SETUP if isinstance(failure, SetupMissing) else STORE
    if result is None:
        return 0
    return LOST if result.lost else STORE if result.trouble else 0
