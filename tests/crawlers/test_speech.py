"""The author's own words on a page, and where they say that the link is."""

import pytest

from crawlers.saved import Saved
from crawlers.speech import pointing_in, speech_in

POST = """<html><head><meta property="og:description" content="12 likes, ana: the belt is number 3, link in bio"></head>
<body><nav><a href="/">home</a> number 9</nav><main><article><h1>Ana</h1><p>So <b>pretty</b> today.</p><p>Tap!</p>
</article><section class="comments"><h2>Comments</h2><p>link in bio, number 8</p></section></main>
<footer>number 7, link in bio</footer></body></html>"""


def test_speech_is_the_posts_own_part() -> None:
    assert speech_in(Saved.of(POST.encode(), url="https://social.example/p/1")).splitlines() == [
        "Ana",
        "So pretty today.",
        "Tap!",
    ]


def test_pointing_is_of_the_author_and_of_nobody_else() -> None:
    pointing = pointing_in("https://social.example/p/1", POST)
    assert [code for code, _ in pointing.codes] == ["3"]
    assert pointing.sends_to_profile is not None


def test_nothing_is_said_on_a_page_without_words() -> None:
    assert pointing_in("https://social.example/p/1", "").codes == ()
    assert speech_in(Saved.of(b"", url="https://social.example/p/1")) == ""


@pytest.mark.parametrize(
    "comments",
    [
        '<section id="comments"><h3>Comments</h3><div class="reply"><p>Cartier dupe, number 4</p></div></section>',
        '<div role="feed" aria-label="Comments"><div>Comments</div><p>Cartier dupe, number 4</p></div>',
        "<div><p>View all 12 comments</p></div><div><p>Cartier dupe, number 4</p></div>",
        "<p>Kommentare (3)</p><p>Cartier dupe, number 4</p>",
    ],
)
def test_a_commenters_words_are_not_the_authors(comments: str) -> None:
    page = f"<html><body><main><div class=card><p>My bangle here, so light</p></div>{comments}</main></body></html>"
    assert "Cartier" not in speech_in(Saved.of(page.encode(), url="https://social.example/p/1"))
