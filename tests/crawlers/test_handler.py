"""Our download handler under Scrapy: one look a request, whatever happens to the browser in it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.command import environment
from tests.crawlers.looking import ROOT
from tests.site.server import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def crawl(
    site: Site,
    folder: Path,
    names: Sequence[str],
    *,
    kill: Sequence[int] = (),
    drop: Sequence[int] = (),
    **settings: Any,
) -> Any:
    wanted = {
        "urls": [site.url(name) for name in names],
        "resolve": site.resolve,
        "trust_spki": site.trust_spki,
        "settings": {"CONCURRENT_REQUESTS": 1, "PLAYWRIGHT_MAX_CONTEXTS": 1, **settings},
        "kill": list(kill),
        "drop": list(drop),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.crawlers.handled", str(folder)],
        cwd=ROOT,
        env=environment(),
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    assert "never retrieved" not in ran.stderr, ran.stderr
    return sorted(json.loads(ran.stdout), key=lambda each: each["number"])


@pytest.mark.slow
def test_what_scrapy_gets_is_that_a_look_was_had(site: Site, tmp_path: Path) -> None:
    begin = len(site.log)
    names = ("listing", "redirect_loop", "download", "refused", "removed_listing_404")
    told = crawl(site, tmp_path, names)
    assert [each["trouble"] for each in told][:3] == [None, "redirect_loop", "download"]
    assert told[3]["trouble"].startswith("net::ERR_")
    assert told[4]["url"] == site.url("removed_listing_404")
    assert all(each["flags"] == ["look"] for each in told)
    asked = [seen.path for seen in site.log[begin:]]
    assert asked.count("/catalogue.pdf") == 1, "Scrapy retries nothing"


@pytest.mark.slow
def test_after_each_death_there_is_a_new_browser_and_nobody_looks_twice(site: Site, tmp_path: Path) -> None:
    """With room for one context at a time: one that a dead browser kept would hold up all that follow."""
    begin = len(site.log)
    names = ("never_finishing", "listing", "never_finishing", "never_finishing", "hub")
    told = crawl(site, tmp_path, names, kill=(0, 2))
    assert [each["trouble"] for each in told] == ["browser_died", None, "browser_died", "timeout", None]
    assert [seen.path for seen in site.log[begin:]].count("/never") == 3


@pytest.mark.slow
def test_a_driver_that_dies_is_an_outcome_and_the_next_page_gets_a_new_one(site: Site, tmp_path: Path) -> None:
    told = crawl(site, tmp_path, ("never_finishing", "listing"), drop=(0,), PLAYWRIGHT_MAX_CONTEXTS=None)
    assert [each["trouble"] for each in told] == ["browser_died", None]


@pytest.mark.slow
def test_two_visits_lose_one_browser_together(site: Site, tmp_path: Path) -> None:
    names = ("never_finishing", "never_finishing", "listing", "hub")
    told = crawl(site, tmp_path, names, kill=(1,), CONCURRENT_REQUESTS=2, PLAYWRIGHT_MAX_CONTEXTS=2)
    assert [each["trouble"] for each in told] == ["browser_died", "browser_died", None, None]


def test_one_driver_and_one_browser_serve_both_schemes(site: Site, tmp_path: Path) -> None:
    told = crawl(site, tmp_path, ("listing", "plain_http"))
    assert [each["url"].partition(":")[0] for each in told] == ["https", "http"]
    assert [each["drivers"] for each in told] == [1, 1]
    assert told[0]["browsers"] == told[1]["browsers"], "no other was started for the second"
