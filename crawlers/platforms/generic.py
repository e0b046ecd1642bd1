"""Any page that no other file knows: its title, or what stands in its place."""

from archive.reading import Kind
from crawlers.address import host_of, registrable_domain
from crawlers.articles import TYPES, titles_of_page
from crawlers.failures import failure
from crawlers.outlinks import outward
from crawlers.platform import Draft, Platform, judged
from crawlers.saved import Saved
from crawlers.shelves import LEAST, goods_on
from crawlers.speech import SPEECH, speech_in
from custody.model import Outcome

_SOFT = frozenset(
    (Outcome.AGE_GATE, Outcome.CONSENT, Outcome.LOGIN_WALL, Outcome.APP_ONLY, Outcome.UNAVAILABLE, Outcome.REMOVED,
     Outcome.PRIVATE)
)  # fmt: skip
"""Told by words that pages with content have too."""
_WORKS_OG = ("video", "music", "article", "product", "book", "podcast", "food", "recipe")
_WORKS = (
    "videoobject",
    "audioobject",
    "podcastepisode",
    "product",
    "recipe",
    "book",
    "movie",
    "musicrecording",
    "event",
)


class Generic(Platform):
    """Knows every page, after all others."""

    name = "generic"
    rank = -100

    def knows(self, page: Saved) -> bool:
        return True

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None or self.wall(page) is not None:
            return  # a wall has a title too, and it is not that of what was asked for
        draft.kind = Kind.STOREFRONT if goods_on(page) >= LEAST else Kind.OTHER
        for title, where in titles_of_page(page):
            draft.put("title", title, where)
        draft.put("language", page.root.get("lang"), "css html[lang]")
        draft.put("text", speech_in(page), SPEECH, shown=True)
        if draft.kind is Kind.OTHER:
            site = registrable_domain(host_of(page.url or next(iter(page.own_urls), "")))
            found = outward(page, (site,) if site else ())
            buttons = [{"number": n, **each} for n, each in enumerate(found, 1)]
            draft.put("links", buttons or None, "css a[href], out of the site", shown=True)

    def wall(self, page: Saved) -> Outcome | None:
        found = judged(page)
        if found in _SOFT and _declares_content(page):
            return None
        return found or failure(page)


def _declares_content(page: Saved) -> bool:
    """Whether the page says to machines that it is a work: what stands on it beside that is no wall."""
    kind = page.meta("og:type").lower()
    return kind.startswith(_WORKS_OG) or bool(page.things(*TYPES, *_WORKS))
