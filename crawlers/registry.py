"""The platforms that there are: the files of ``crawlers.platforms``, and what other distributions add."""

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from importlib import metadata

from archive.errors import SetupMissing
from archive.reading import Kind, Reading
from crawlers import hosts, platforms
from crawlers.har import answer_in
from crawlers.hosts import classify
from crawlers.platform import Platform
from crawlers.reviews import Named, with_reviews
from crawlers.saved import Saved

_SHOP = "shop"
GROUP = "counterproof.platforms"
"""Entry points of other distributions, each naming a module with platforms in it or a platform's class."""


@cache
def every() -> tuple[Platform, ...]:
    """All of them, the highest rank first, then by name. Raises SetupMissing where another's cannot be loaded."""
    modules = [
        importlib.import_module(f"{platforms.__name__}.{each.name}")
        for each in pkgutil.iter_modules(platforms.__path__)
    ]
    found = [made for module in modules for made in _in_module(module)]
    for point in metadata.entry_points(group=GROUP):
        try:
            loaded = point.load()
        except Exception as error:
            raise SetupMissing(
                f"the platform {point.name} cannot be loaded ({type(error).__name__}: {error}): uninstall "
                f"{point.dist.name if point.dist else 'what brought it'}, or mend it"
            ) from error
        found += [loaded()] if isinstance(loaded, type) else _in_module(loaded)
    return tuple(sorted(found, key=lambda each: (-each.rank, each.name)))


def _in_module(module: object) -> list[Platform]:
    return [
        value()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Platform)
        and value.name
        and value.__module__ == module.__name__  # type: ignore[attr-defined]  # a module has one
    ]


def platform_for(page: Saved) -> Platform:
    """Whose page it is: by its address where one is given, else by what is in it; the generic reader where nobody's."""
    if page.url is not None:
        for each in every():
            if each.knows_url(page.url):
                return each
    return next(each for each in every() if _knows(each, page))


def platform_at(url: str) -> str | None:
    """The name of the platform whose address it is; None where it is nobody's."""
    return next((each.name for each in every() if each.knows_url(url)), None)


def _knows(platform: Platform, page: Saved) -> bool:
    """A platform that cannot say whose a page is does not know it."""
    try:
        return platform.knows(page)
    except Exception as error:  # noqa: BLE001  # a stranger's page, and perhaps a stranger's platform
        page.notes.append(f"{platform.name} could not say whether it is its page: {type(error).__name__}")
        return False


def _as_any_shop(page: Saved, platform: Platform) -> Reading | None:
    """What a market's page declares, where its own reader finds nothing: layouts change, declarations hardly do."""
    where = page.url or next(iter(page.own_urls), None)
    try:
        if page.json is not None or where is None or classify(where) is not hosts.Kind.MARKET:
            return None
    except ValueError:  # it is no address (`https://[`)
        return None
    shop = next((each for each in every() if each.name == _SHOP), None)
    if shop is None or shop is platform or not _knows(shop, page):
        return None
    reading = shop.read(page)
    if reading.kind is not Kind.LISTING or reading.wall is not None:
        return None
    note = f"the reader for {platform.name} does not know this layout: read as any shop's page"
    return replace(reading, platform=platform.name, notes=(*reading.notes, note))


def read(page: Saved, named: Named | None = None) -> Reading:
    """Never raises for what a page holds. Of a log of traffic (HAR), the main document is read.

    ``named``: reviews that name one of its terms are read too.
    """
    page = answer_in(page) or page
    platform = platform_for(page)
    reading = platform.read(page)
    if reading.kind is Kind.OTHER and reading.wall is None:
        reading = _as_any_shop(page, platform) or reading
    return reading if named is None else with_reviews(reading, page, named)
