"""Facebook: posts, photos, films and profiles, from pages since 2014 (desk, phone, plugin), oEmbed and Graph API."""

import re
from urllib.parse import quote, urlsplit

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft, Platform
from crawlers.posting import has_icon_of, in_text, oembed, put_links, segments, text_at
from crawlers.saved import Saved, dig
from crawlers.social.facebook_addresses import account_in, post_in
from crawlers.social.facebook_answers import fill_from_graph, fill_from_oembed, graph_of
from crawlers.social.facebook_markup import fill_from_markup, hidden_trees
from crawlers.social.facebook_stories import fill_from_stories, fill_from_things, stories_in
from crawlers.surfaces import Official, embed
from custody.model import Outcome

# "5,411,563 likes · 25,177 talking about this. What the page says of itself"; the same marks in other languages.
_COUNTED = re.compile(r"\s?[^\d.·]{0,30}\d[\d.,\u00a0\u202f ]{0,20}[^.·\d]{2,60}(?P<end>[·.])")
_VIEWS = re.compile(r"^[\d.,]{1,12}\s?[KMB]? views? · [^|]{1,60}\|(?P<caption>.*)\|(?P<author>[^|]+)$", re.DOTALL)

# The route that a page of today starts with; each of them lists the others' names, too.
_ERROR_ROUTE = re.compile(r'"rootView":\s?\{"allResources":\s?\[\s?\{"__dr":"CometErrorRoot\.')
_POSTS = "https://developers.facebook.com/docs/plugins/embedded-posts"
_FILMS = "https://developers.facebook.com/docs/plugins/embedded-video-player"
_PAGES = "https://developers.facebook.com/docs/plugins/page-plugin"
_LOGIN = "//form[contains(@action,'/login/')]//input[@name='pass']"


class Facebook(Platform):
    """The post that the address names, wherever the layout keeps it; comments and neighbours are left out."""

    name = "facebook"
    hosts = frozenset({"facebook.com", "fb.com", "fb.watch"})
    ready = "[data-testid='post_message'], div[role='main'] [data-ad-preview='message'], .story_body_container"

    def knows(self, page: Saved) -> bool:
        if page.json is None:
            if super().knows(page) or page.meta("og:site_name").startswith("Facebook"):
                return True
            if page.root.get("id") == "facebook":  # of the whole page: others have buttons with that id
                return True
            names = ("MChromeHeader", "mobile_login_bar", "login_popup_cta_form", "m_story_permalink_view")
            return any(page.by_id(name) is not None for name in names) or has_icon_of(page, "static.xx.fbcdn.net")
        if oembed(page, "facebook") is not None or graph_of(page.json) is not None:
            return True
        if text_at(page.json, "error", "type") in {"OAuthException", "GraphMethodException"} and dig(
            page.json, "error", "fbtrace_id"
        ):
            return True
        return next(stories_in(page.json), None) is not None

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        if "fb.watch" in (urlsplit(url).hostname or "") or segments(url)[:1] == ["share"]:
            return f"facebook:share_unresolved:{segments(url)[-1]}" if segments(url) else None
        post = post_in(url)
        if post:
            return f"facebook:post:{post}"
        handle, account = account_in(url)
        return f"facebook:profile:{handle.lower()}" if handle else f"facebook:account:{account}" if account else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The plugin of a post, film or page. Meta's oEmbed may not be kept: not here."""
        if not self.knows_url(url) or segments(url)[:1] in (["plugins"], ["share"]):
            return ()
        plugins = "https://www.facebook.com/plugins"
        if post_in(url) is not None:
            film = any(each in {"videos", "watch", "video.php", "reel"} for each in segments(url))
            name, documented = ("video.php", _FILMS) if film else ("post.php", _POSTS)
            return (embed(f"{plugins}/{name}?href={quote(url, safe='')}", documented),)
        handle, account = account_in(url)
        if handle is None and account is None:
            return ()
        place = quote(f"https://www.facebook.com/{handle or account}", safe="")
        return (embed(f"{plugins}/page.php?href={place}&tabs=timeline", _PAGES),)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            code = dig(page.json, "error", "code")
            limited = code in (4, 17, 32, 613)
            return (Outcome.RATE_LIMITED if limited else Outcome.UNAVAILABLE) if dig(page.json, "error") else None
        if any(self.knows_url(url) and segments(url)[:1] in (["login"], ["login.php"]) for url in page.own_urls):
            return Outcome.LOGIN_WALL
        if any("/checkpoint/" in url and self.knows_url(url) for url in page.own_urls):
            return Outcome.CAPTCHA
        if page.by_id("login_form") is not None or page.first(_LOGIN) is not None:
            return Outcome.LOGIN_WALL
        if page.first("//body[contains(@class,'unsupportedBrowser')]") is not None:
            return Outcome.UNAVAILABLE
        if _ERROR_ROUTE.search(page.text):
            return Outcome.RATE_LIMITED
        return None

    def fill(self, page: Saved, draft: Draft) -> None:
        answer = oembed(page, "facebook")
        if answer is not None:
            fill_from_oembed(draft, answer)
            return
        graph = graph_of(page.json)
        if graph is not None:
            fill_from_graph(draft, graph)
            return
        player = "" if page.json is not None else page.meta("twitter:player")  # a film's page may name it only there
        own = [url for url in (*page.own_urls, player) if self.knows_url(url)]
        if any(segments(url)[:1] in (["login"], ["login.php"], ["checkpoint"], ["consent"]) for url in own):
            return
        post = next((found for url in own if (found := post_in(url)) and found.isdigit()), None)
        post = post or next((found for url in own if (found := post_in(url))), None)
        if page.json is None:
            if not own:
                # Some pages for phones name no address; the bar of reactions has the post's id.
                ids = set(re.findall(r'id="ufi_([0-9]{5,20})"', page.text))
                post = ids.pop() if len(ids) == 1 else None
            fill_from_markup(draft, [page.root, *hidden_trees(page)], post)
        if page.json is None:
            fill_from_things(draft, page, post=post)
        if draft.kind is Kind.OTHER or "caption" not in draft.fields:
            fill_from_stories(draft, page, post=post)
        if page.json is None:
            _from_meta(draft, page, own=own, post=post)


def _from_meta(draft: Draft, page: Saved, *, own: list[str], post: str | None) -> None:
    title, said = page.meta("og:title")[:5000], page.meta("og:description")[:20_000]
    heading = " ".join("".join(page.all("//head/title//text()")).split())
    accounts = [account_in(url) for url in own]
    handle = next((found for found, _ in accounts if found), None)
    account = next((found for _, found in accounts if found), None)
    app = re.search(r"fb://(?:page|profile|group)/\??(?:id=)?([0-9]{5,20})", page.meta("al:android:url", "al:ios:url"))
    named = re.match(r"(?P<name>.{1,100}?)[.,] [\d.,\u00a0\u202f]+ ", page.meta("description"))
    if not title and post is None and named and heading.startswith(named["name"]):
        title, said = named["name"], page.meta("description")[:20_000]  # as a page for phones has it
    if not title and post is not None and handle is not None:
        # A page for browsers since 2023 says to nobody whose post it is, but what was written.
        written = page.meta("description")[:20_000]
        if written:
            draft.kind = Kind.POST
            draft.put("post_id", post, "link canonical")
            draft.put("handle", handle, "link canonical")
            draft.put("caption", written, "meta description")
            put_links(draft, in_text(written, "caption", cut=written.endswith(("...", "…"))), "meta description")
            put_disclosures(draft, [], "meta description")
        return
    if not title or (post is None and handle is None and account is None):
        return
    if post is not None:
        watched = _VIEWS.match(title)
        draft.kind = Kind.POST
        draft.put("post_id", post, "meta og:url")
        if watched:
            draft.put("author", watched["author"].strip(), "meta og:title")
            draft.put("caption", watched["caption"], "meta og:title")
        elif heading.startswith((f"{title} - ", f"{title} – ")) or f" - {title} |" in heading or heading == title:
            draft.put("author", title, "meta og:title")
        # Where nothing was written, the description is the platform's sentence: "Name added a new photo."
        platform_says = re.fullmatch(rf"{re.escape(title)} [^.\n]{{3,40}}\.", said) is not None
        if platform_says:
            said = ""
        draft.put("caption", said, "meta og:description")
        if said and "outbound_links" not in draft.fields:
            cut = said.endswith(("...", "…"))
            put_links(draft, in_text(said, "caption", cut=cut), "meta og:description")
        put_disclosures(draft, [], "meta og:description")
    else:
        if any(segments(url)[:1] in (["groups"], ["events"], ["marketplace"], ["hashtag"]) for url in own):
            return
        draft.kind = Kind.PROFILE
        draft.put("author", title, "meta og:title")
        bio = said.removeprefix(f"{title}. ").removeprefix(f"{title}, ")
        draft.put("bio", _after_counts(bio), "meta og:description")
        likes = re.match(r"([\d.,\u00a0\u202f]+) likes", bio)
        put_count(draft, "likes", likes[1] if likes else None, "meta og:description")
        draft.put("account_id", app[1] if app else None, "meta al:android:url")
    draft.put("handle", handle, "meta og:url")
    draft.put("account_id", account, "meta og:url")


def _after_counts(text: str) -> str:
    """What a page says of itself, behind its counts; empty where it does not begin with any."""
    found = _COUNTED.match(text)
    while found is not None and found["end"] == "·":
        found = _COUNTED.match(text, found.end())
    return "" if found is None else text[found.end() :]
