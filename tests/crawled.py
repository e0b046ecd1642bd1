"""``scrapy crawl watch`` on the make-believe network: `python -m tests.crawled CASE`, with TOLD in the environment."""

import json
import os
import sys
from dataclasses import replace

from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

from archive.config import ArchiveConfig
from crawlers.commands.crawl import code_of
from crawlers.duty import Setup
from crawlers.resolving import Resolve
from crawlers.spiders.watch import WatchSpider

TOLD = "TESTS_CRAWLED"


class Inside(WatchSpider):
    """The spider, told how the make-believe hosts are reached, as no option of Scrapy's command tells it."""

    def setup(self, config: ArchiveConfig) -> Setup:
        told = json.loads(os.environ[TOLD])
        resolve = tuple(Resolve.parse(each) for each in told["resolve"])
        return replace(
            super().setup(config), resolve=resolve, trust_spki=tuple(told["trust_spki"]), look_again_s=0, control=False
        )


def main(case: str) -> int:
    process = CrawlerProcess(get_project_settings())
    crawler = process.create_crawler(Inside)
    process.crawl(crawler, case=case)
    process.start()
    return code_of(crawler.spider)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
