"""YouTube's pages without their data: microdata, and the layouts of before 2017."""

import re

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.dates import day_in
from crawlers.platform import Draft
from crawlers.posting import anchors, put_links, put_time
from crawlers.saved import Saved, line_of, text_of
from crawlers.social.youtube_addresses import channel_in, video_in

_BASE = "https://www.youtube.com/"


def fill_from_markup(draft: Draft, page: Saved, video: str) -> None:
    """Microdata in the head or beside the player, and the page of before 2017."""
    own = next((found for url in page.own_urls if (found := video_in(url))), "")
    if not (video or own) or (video and own and video != own):
        return

    def prop(name: str, attribute: str = "content") -> str:
        return str(next(iter(page.all(f"//*[@itemprop='{name}']/@{attribute}")), ""))

    title = page.meta("og:title") or prop("name")
    if not draft.fields and not title:
        return  # the frame of a page in which no video is
    draft.kind = Kind.POST
    draft.put("post_id", own or video, "link canonical")
    draft.put("title", title, "meta og:title")
    author = page.first("//*[@itemprop='author']//*[@itemprop='name']/@content")
    draft.put("author", author, "css [itemprop=author] [itemprop=name]")
    old = page.first("//*[contains(@class,'yt-user-info') or @id='watch7-user-header']//a[normalize-space()]")
    draft.put("author", line_of(old), "css .yt-user-info a, #watch7-user-header a", shown=True)
    profiles = [
        *page.all("//*[@itemprop='author']//*[@itemprop='url']/@href"),
        *([old.get("href")] if old is not None else []),
    ]
    draft.put(
        "handle",
        next((found for url in profiles if (found := channel_in(str(url))[1])), None),
        "css [itemprop=author]",
    )
    channel = prop("channelId") or next((found for url in profiles if (found := channel_in(str(url))[0])), "")
    draft.put("account_id", channel, "meta itemprop channelId")
    draft.put("channel_id", channel, "meta itemprop channelId")
    put_time(draft, prop("datePublished") or prop("uploadDate"), "meta itemprop datePublished")
    dated = line_of(page.by_id("eow-date")) or line_of(page.first("//*[contains(@class,'watch-time-text')]"))
    draft.put("published", day_in(dated), "css #eow-date", shown=True)
    draft.put("published_shown", dated, "css #eow-date", shown=True)
    if "caption" not in draft.fields and not video:
        said = page.by_id("eow-description")
        if said is not None:
            draft.put("caption", text_of(said), "css #eow-description", shown=True)
            put_links(draft, anchors(said, "caption", base=_BASE), "css #eow-description", shown=True)
        draft.put("caption", page.meta("og:description"), "meta og:description")  # its beginning
    put_count(draft, "views", prop("interactionCount") or None, "meta itemprop interactionCount")


def fill_from_old_channel(draft: Draft, page: Saved) -> None:
    """A channel's page of before 2017, or one of which only the head is left."""
    title = page.first("//*[contains(@class,'branded-page-header-title-link')]")
    found = [channel_in(url) for url in page.own_urls]
    channel = next((each for each, _ in found if each), None)
    handle = next((each for _, each in found if each), None)
    if title is None and not ((channel or handle) and page.meta("og:title")):
        return
    draft.kind = Kind.PROFILE
    draft.put("author", line_of(title), "css .branded-page-header-title-link", shown=True)
    draft.put("author", page.meta("og:title"), "meta og:title")
    draft.put("handle", handle, "link canonical")
    app = re.search(r"user/(UC[\w-]{22})$", page.meta("al:ios:url"))
    channel = channel or str(page.first("//*[@itemprop='channelId']/@content") or (app[1] if app else ""))
    draft.put("account_id", channel, "meta itemprop channelId")
    draft.put("channel_id", channel, "meta itemprop channelId")
    about = page.first("//*[contains(@class,'about-description')]")
    draft.put("bio", "" if about is None else text_of(about), "css .about-description", shown=True)
    draft.put("bio", page.meta("og:description"), "meta og:description")
    box = page.first("//*[contains(@class,'about-custom-links') or @id='header-links']")
    if box is not None:
        put_links(draft, anchors(box, "about", base=_BASE), "css #header-links", shown=True)
