"""Bio.link: buttons as shown; what the page was rendered from where nothing was."""

import re
from typing import ClassVar

from crawlers.hubs import buttons_in, fill_hub, put_buttons, text_of_key
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, having, search

_HOUSE = ("bio.link",)


class Biolink(Platform):
    """``bio.link/NAME``."""

    name = "biolink"
    hosts: ClassVar[frozenset[str]] = frozenset(_HOUSE)
    ready = "h1, a.page-item, a[href]"

    def knows(self, page: Saved) -> bool:
        return super().knows(page) or page.meta("og:site_name").lower() in ("bio.link", "bio link")

    def canonical(self, url: str) -> str | None:
        found = re.match(r"https?://(?:www\.)?bio\.link/@?([\w.-]+)/?(?:[?#]|$)", url)
        return found[1].lower() if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        data = page.json if page.json is not None else page.script("__NEXT_DATA__")
        if page.json is not None:
            put_buttons(draft, buttons_in(data, _HOUSE), "json of the page's data")
        elif not fill_hub(
            page,
            draft,
            house=_HOUSE,
            service="Bio Link",
            names=("//h1", "//*[contains(@class,'page-title')]"),
            bios=("//*[contains(@class,'page-bio') or contains(@class,'page-text')]", "//h1/following-sibling::p[1]"),
            data=data,
        ):
            return
        for path, user in search(data, having("username", "bio")):
            draft.put("author", text_of_key(user, "name", "title", "username"), f"json {path}")
            draft.put("handle", user.get("username"), f"json {path}.username")
            draft.put("bio", user.get("bio"), f"json {path}.bio")
            break
