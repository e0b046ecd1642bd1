"""Any page: what it declares of itself, for pages of no platform that has a file here."""

from archive.reading import Kind
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved


class Generic(Platform):
    """Knows every page, after all others."""

    name = "generic"
    rank = -100

    def knows(self, page: Saved) -> bool:
        return True

    def fill(self, page: Saved, draft: Draft) -> None:
        draft.kind = Kind.OTHER
        draft.put("title", page.meta("og:title"), "meta og:title")
