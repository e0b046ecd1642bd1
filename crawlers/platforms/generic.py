"""Any page that no other file knows: its title, or what stands in its place."""

from archive.reading import Kind
from crawlers.articles import titles_of_page
from crawlers.failures import failure
from crawlers.platform import Draft, Platform, judged
from crawlers.saved import Saved
from custody.model import Outcome


class Generic(Platform):
    """Knows every page, after all others."""

    name = "generic"
    rank = -100

    def knows(self, page: Saved) -> bool:
        return True

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None or judged(page) is not None or failure(page) is not None:
            return  # a wall has a title too, and it is not that of what was asked for
        draft.kind = Kind.OTHER
        for title, where in titles_of_page(page):
            draft.put("title", title, where)
        draft.put("language", page.root.get("lang"), "css html[lang]")

    def wall(self, page: Saved) -> Outcome | None:
        return judged(page) or failure(page)
