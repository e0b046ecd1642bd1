"""Which links of a profile are its posts."""

import pytest

from crawlers.postings import is_post, posts_on
from tests.site import pages, posts

PROFILE = "https://social.example/ana.finds/"


@pytest.mark.parametrize(
    "href",
    [
        "https://social.example/p/Cx7LoveBand1/",
        "https://www.social.example/reel/Cx8Shower22/?x=1",
        "https://social.example/@ana/video/7301234567890123456",
        "https://social.example/ana/status/1800000000000000000",
        "https://social.example/watch?v=dQw4w9WgXcQ",
        "https://social.example/shorts/a-B_c1d2e3f",
        "https://social.example/r/finds/comments/1abc2d/a_title/",
    ],
)
def test_a_post(href: str) -> None:
    assert is_post(href, of=PROFILE)


@pytest.mark.parametrize(
    "href",
    [
        PROFILE,
        "https://social.example/explore/tags/dupe/",
        "https://social.example/video/popular",
        "https://social.example/p/",
        "https://other.example/p/Cx7LoveBand1/",
        "https://social.example/ana.finds/followers/",
        "javascript:void(0)",
    ],
)
def test_no_post(href: str) -> None:
    assert not is_post(href, of=PROFILE)


def test_the_posts_of_the_make_believe_profile_in_its_order() -> None:
    html = pages._profile()
    found = posts_on([(posts.AUTHOR, html)], limit=100)
    assert found
    assert set(found) <= {each.url for each in posts.POSTS}
    assert posts_on([(posts.AUTHOR, html)], limit=2) == found[:2]
