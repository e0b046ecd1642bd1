"""Pages in other hands work unchanged: the crawler has learnt no site by heart."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

ROOTS = ("blog_post", "spa_hub", "table_page")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


@pytest.fixture(scope="module")
def told(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(
        "capture", *(site.url(name) for name in ROOTS), "--case", "others", "--json", "--progress", "none",
        *through(site.resolve, site.trust_spki), home=tmp_path_factory.mktemp("others") / "home",
    )  # fmt: skip


def _unit(told: Ran, url: str) -> list[Any]:
    root = told.capture_of(url)
    return [each for each in told.captures if each["unit"] == root["id"] and each is not root]


def test_all_is_recorded_and_complete(told: Ran) -> None:
    assert told.code == 0, (told.err, [each["missing"] for each in told.captures])


@pytest.mark.parametrize(
    ("root", "ends"),
    [
        ("blog_post", ("blog_listing", "blog_listing_2")),
        ("spa_hub", ("spa_listing", "spa_listing_2")),
        ("table_page", ("table_listing",)),
    ],
)
def test_its_promoted_links_lead_to_the_listings(told: Ran, site: Site, root: str, ends: tuple[str, ...]) -> None:
    reached = {str(each["final_url"]).partition("?")[0] for each in _unit(told, site.url(root))}
    for end in ends:
        assert site.url(end).partition("?")[0] in reached


def test_strangers_and_furniture_are_not_followed(told: Ran) -> None:
    """Every capture that was followed came from the author's words, an author's page or a hub."""
    for capture in told.captures:
        if capture["parent"] is not None:
            assert capture["via"]["where"] in {"text", "author", "profile", "page"}
            assert "comment" not in capture["via"]["href"]
