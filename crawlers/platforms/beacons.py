"""Beacons: buttons as shown; what the page was rendered from where nothing was."""

import re
from typing import ClassVar

from crawlers.hubs import buttons_in, fill_hub, put_buttons
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved

_HOUSE = ("beacons.ai", "beacons.page", "beaconsai.com", "beacons.link")


class Beacons(Platform):
    """``beacons.ai/NAME``, ``beacons.page/NAME``."""

    name = "beacons"
    hosts: ClassVar[frozenset[str]] = frozenset(("beacons.ai", "beacons.page"))
    ready = "h1, a[href]"

    def knows(self, page: Saved) -> bool:
        return super().knows(page) or page.meta("og:site_name").lower() in ("beacons", "beacons.ai")

    def canonical(self, url: str) -> str | None:
        found = re.match(r"https?://(?:www\.)?beacons\.(?:ai|page)/@?([\w.-]+)/?(?:[?#]|$)", url)
        return found[1].lower() if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            put_buttons(draft, buttons_in(page.json, _HOUSE), "json of the page's data")
            return
        fill_hub(
            page,
            draft,
            house=_HOUSE,
            service="Beacons",
            names=("//h1", "//*[contains(@class,'ProfileName') or contains(@class,'profile-name')]"),
            bios=(
                "//*[contains(@class,'ProfileBio') or contains(@class,'profile-bio')]",
                "//h1/following-sibling::h2[1]",
            ),
            data=page.script("__NEXT_DATA__"),
        )
