"""Any other page of one person's links: a hub service's, or a page that is little more than outward buttons."""

import re
from typing import ClassVar
from urllib.parse import urlsplit

from crawlers.address import host_of, registrable_domain
from crawlers.hosts import HUBS, SOCIAL
from crawlers.hubs import fill_hub
from crawlers.outlinks import anchors
from crawlers.platform import Draft, Platform, judged
from crawlers.saved import Saved

_FEWEST, _FEWEST_HOSTS = 4, 3
_SHARE = 0.7
"""Of all links, those that lead out."""
_MOST_TEXT = 1_500
_MOST_LINKS = 400
# Services whose pages tell themselves by a class, an attribute or a script's name, where no address is given.
_MARKS = (
    "//a[@data-cy='biosite-link']|//*[@id='taplink']|//*[contains(@class,'lnkbio') or contains(@class,'lnk-bio')]"
    "|//meta[@name='generator'][contains(@content,'Carrd') or contains(@content,'LinkStack')]"
    "|//a[contains(@class,'lnk__link') or contains(@class,'campsite-link') or contains(@class,'littlelink')]"
    "|//*[contains(@class,'linkstack') or contains(@class,'button-hover') and self::a]"
)
_SERVICES = re.compile(
    r"\s*[|·•—–-]\s*(?:campsite(?:\.bio)?|taplink|solo(?:\.to)?|lnk\.bio|stan(?: store)?|komi|milkshake|carrd|"
    r"bio\.?site|link in bio|linkin\.bio|allmylinks|hoo\.be|flowpage|linkfly|lit\.link|litt\.ly|link\.me|later)\s*$",
    re.IGNORECASE,
)


class Hub(Platform):
    """After every service that has a file, before blogs and what is left."""

    name = "hub"
    hosts: ClassVar[frozenset[str]] = HUBS
    rank = -55

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return False
        return super().knows(page) or page.first(_MARKS) is not None or _is_made_of_buttons(page)

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None or judged(page) is not None:
            return
        own = {registrable_domain(host_of(url)) for url in page.own_urls} | {
            host_of(url).removeprefix("www.") for url in page.own_urls
        }
        fill_hub(
            page,
            draft,
            house=own,
            names=("//h1", "//*[contains(@class,'profile-name') or contains(@class,'profile-title')]"),
            bios=(
                "//*[contains(@class,'profile-bio') or contains(@class,'bio-text') or contains(@class,'description')]",
            ),
            data=page.script("__NEXT_DATA__") or page.assigned("__data", "__INITIAL_STATE__"),
        )
        name = draft.fields.get("author")
        if isinstance(name, str):
            draft.fields["author"] = _SERVICES.sub("", name) or name


def _is_made_of_buttons(page: Saved) -> bool:
    if (
        page.root.find(".//article") is not None
        or page.things("product")
        or page.first("//input[@type='password']") is not None
    ):
        return False
    if not page.own_urls or any(urlsplit(url).path.strip("/").count("/") for url in page.own_urls):
        return False  # a person's page of links lies at the top of a site
    found = [url for url, _ in anchors(page)]
    if not _FEWEST <= len(found) <= _MOST_LINKS or len(page.shown_text) > _MOST_TEXT:
        return False
    all_links = len(page.all("//body//a[@href]"))
    own = {registrable_domain(host_of(url)) for url in page.own_urls}
    out = {url for url in found if url.startswith("http") and registrable_domain(host_of(url)) not in own}
    hosts = {registrable_domain(host_of(url)) for url in out}
    social = hosts & SOCIAL
    return (
        len(out) >= _FEWEST
        and len(hosts) >= _FEWEST_HOSTS
        and len(out) >= _SHARE * all_links
        and bool(social)
        and bool(own)
    )
