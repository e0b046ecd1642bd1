"""Instagram: posts, reels and profiles, from its pages since 2015, its embed, and its answers to programs."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.dates import day_in
from crawlers.disclosures import put_disclosures
from crawlers.moments import id_to_shortcode, moment_of
from crawlers.platform import Draft, Platform
from crawlers.posting import (
    blocks,
    flag,
    fragment,
    has_icon_of,
    in_text,
    oembed,
    put_links,
    put_moment,
    put_time,
    segments,
    text_at,
)
from crawlers.saved import Saved, dig, search
from crawlers.social.instagram_embed import code_in, embed_of, fill_from_embed, fill_from_profile_embed, handle_in
from crawlers.social.instagram_items import fill_from_business, fill_from_value, is_gated, is_media, is_user, values_of
from crawlers.surfaces import Credential, Official, api, embed
from custody.model import Outcome

# "Name (@name) • Instagram photo"; the same in every language.
_NAMED = re.compile(r"^\s*(?P<author>.*?)\s*\((?:@|&#064;)(?P<handle>[\w.]+)\)", re.DOTALL)
# "255k Likes, 549 Comments - Name (@name) on Instagram: “caption”".
# Since 2022: "298K likes, 553 comments - name on May 29, 2021: "caption"".
_OPENING, _CLOSING = '"“„«「', '"”“»」'
_MAX_HEAD = 400
"""Characters of a description in which counts, name and date stand; every repetition in these patterns is bounded."""
_OLD_WORDS = re.compile(
    rf" [-–—] (?P<author>[^:]{{1,100}}?) \(@(?P<handle>[\w.]{{1,40}})\)[^:：]{{0,60}}[:：]\s?[{_OPENING}]", re.DOTALL
)
_NEW_WORDS = re.compile(
    rf"(?:^| [-–—] )(?P<handle>[\w.]{{1,40}})\s(?P<day>(?:(?!\s[-–—]\s)[^:：]){{4,60}}?)\s?[:：]\s?[{_OPENING}]",
    re.DOTALL,
)
# The same of a post without words.
_BARE = re.compile(r" [-–—] (?P<handle>[\w.]{1,40})\s(?P<day>[^:：\"“]{4,60})$")
_TITLES = re.compile(
    r"(?P<author>.{1,120}?)\s(?:on|en|auf|sur|su|no|na|op|på|di|w|v|pe|στο|в|em|trên)\sInstagram\s?[:：]\s?"
    rf"[{_OPENING}]",
    re.DOTALL,
)
# Until 2016: "Instagram photo by Name • Jun 19, 2016 at 4:04am UTC", "See this Instagram photo by @name • 105 likes".
_OF_2016 = re.compile(r"Instagram (?:photo|video|post) by (?P<author>[^•]{1,100}) • (?P<day>[^•]{6,60})$")
_SEEN_2016 = re.compile(r"See this Instagram (?:photo|video|post) by @(?P<handle>[\w.]{1,40})(?: |$)")
# The route that a page of today starts with; each of them lists the others' names, too.
_ERROR_ROUTE = re.compile(r'"rootView":\s?\{"allResources":\s?\[\s?\{"__dr":"PolarisErrorRoot\.')
_MAX_META = 10_000
# Says of embeds of posts and profiles that everybody may have their code.
_EMBEDS = "https://developers.facebook.com/docs/instagram-platform/oembed"
_BUSINESS = (
    "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login/business-discovery"
)
_TOKEN = Credential(
    variable="COUNTERPROOF_INSTAGRAM_TOKEN",
    header="Authorization",
    prefix="Bearer ",
    account="COUNTERPROOF_INSTAGRAM_ACCOUNT",
)
_ASKED = "id,ig_id,username,name,biography,website,followers_count,media_count"
_COUNTS = re.compile(r"(?P<n>[\d.,]+\s?[KkMmBb]?)\s+(?P<what>Followers?|[Ll]ikes?)\b")


class Instagram(Platform):
    """A media item in any of its forms gives the same fields; meta elements serve where a page has nothing else."""

    name = "instagram"
    hosts = frozenset({"instagram.com", "instagr.am"})
    rank = -1  # after Threads, whose items look like its own
    ready = "main article, main header section, .Embed, meta[property='og:title']"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return _is_answer(page)
        if (
            super().knows(page)
            or page.meta("og:site_name") == "Instagram"
            or has_icon_of(page, "static.cdninstagram.com")
        ):
            return True
        text = page.text  # looked at first: a search of the tree takes longer
        return ("EmbedFrame" in text and embed_of(page) is not None) or (
            "_sharedData" in text and "/static/bundles/" in text
        )

    def canonical(self, url: str) -> str | None:
        parts = segments(url) if self.knows_url(url) else []
        code = code_in(parts)
        if code:
            return f"instagram:post:{code[:-28] if len(code) > 28 else code}"
        if parts[:1] == ["stories"] and len(parts) == 3 and parts[2].isdigit():
            return f"instagram:story:{parts[2]}"
        if parts[:1] == ["share"] and len(parts) > 1:
            return f"instagram:share_unresolved:{parts[-1]}"
        handle = handle_in(parts)
        return f"instagram:profile:{handle.lower()}" if handle and len(parts) == 1 else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The embed of a post or profile; Business Discovery of a profile. Meta's oEmbed may not be kept: not here."""
        parts = segments(url) if self.knows_url(url) else []
        code = code_in(parts)
        if code is not None:  # of reels too: their own embed shows nothing
            return (embed(f"https://www.instagram.com/p/{code}/embed/captioned/", _EMBEDS),)
        handle = handle_in(parts)
        if handle is None or parts[1:] not in ([], ["embed"]):
            return ()
        asked = f"business_discovery.username({handle}){{{_ASKED}}}"
        graph = f"https://graph.facebook.com/v26.0/{{account}}?fields={quote(asked, safe='(),.')}"
        return embed(f"https://www.instagram.com/{handle}/embed/", _EMBEDS), api(graph, _BUSINESS, _TOKEN)

    def wall(self, page: Saved) -> Outcome | None:
        if page.first("//*[contains(concat(' ', @class, ' '), ' EmbedBrokenMedia ')]") is not None:
            return Outcome.UNAVAILABLE
        for url in page.own_urls:
            if self.knows_url(url) and segments(url)[:2] == ["accounts", "login"]:
                return Outcome.LOGIN_WALL
            if self.knows_url(url) and segments(url)[:1] == ["challenge"]:
                return Outcome.CAPTCHA
        if page.json is None:
            found = page.assigned("window._sharedData", "_sharedData")
            kinds = dig(found, "entry_data")
            if isinstance(kinds, Mapping):
                if "LoginAndSignupPage" in kinds:
                    return Outcome.LOGIN_WALL
                if "Challenge" in kinds:
                    return Outcome.CAPTCHA
                if "HttpErrorPage" in kinds:
                    return Outcome.UNAVAILABLE
            if any(next(search(v, is_gated), None) for _, v in blocks(page, "if_not_gated_logged_out")):
                return Outcome.LOGIN_WALL
            return Outcome.UNAVAILABLE if _ERROR_ROUTE.search(page.text) else None
        message = text_at(page.json, "message").lower()
        if message in {"checkpoint_required", "challenge_required"}:
            return Outcome.CAPTCHA
        if "wait a few minutes" in message or flag(dig(page.json, "spam")):
            return Outcome.RATE_LIMITED
        if flag(dig(page.json, "require_login")) or message == "login_required":
            return Outcome.LOGIN_WALL
        if dig(page.json, "status") == "fail" or message:
            return Outcome.UNAVAILABLE
        return None

    def fill(self, page: Saved, draft: Draft) -> None:
        own = [segments(url) for url in page.own_urls if self.knows_url(url)]
        if any(parts[:1] in (["accounts"], ["challenge"]) for parts in own):
            return
        answer = oembed(page, "instagram")
        if answer is not None:
            _oembed(draft, answer)
        business = dig(page.json, "business_discovery")
        if isinstance(business, Mapping):
            fill_from_business(draft, business)
        code = next((found for parts in own if (found := code_in(parts))), None)
        handle = next((found for parts in own if (found := handle_in(parts)) and not code), None)
        # A page of a place, a tag or a feed has many people's posts, and is none of them.
        several = bool(own) and code is None and handle is None
        for where, value in () if several else values_of(page):
            fill_from_value(draft, value, where, code=code, handle=handle)
            if draft.kind is not Kind.OTHER:
                break
        if handle is not None and any(parts[1:2] == ["embed"] for parts in own):
            if not self.is_walled(page):
                fill_from_profile_embed(draft, page, handle)
            return
        frame = embed_of(page)
        if frame is not None:
            fill_from_embed(draft, frame)
        if page.json is None:
            _from_things(draft, page, code=code)
            _from_meta(draft, page, code=code, handle=handle)
        story = next(
            (parts for parts in own if parts[:1] == ["stories"] and len(parts) > 2 and parts[2].isdigit()), None
        )
        if story and draft.kind is Kind.OTHER and (page.meta("og:title") or page.json is not None):
            draft.kind = Kind.POST  # what it showed is gone within a day; the address says whose it was
            draft.put("post_id", story[2], "link canonical")
            draft.put("handle", story[1], "link canonical")
        post = draft.fields.get("post_id")
        if draft.kind is Kind.POST and isinstance(post, str):
            put_moment(draft, moment_of("instagram", post), "post_id")


def _is_answer(page: Saved) -> bool:
    if oembed(page, "instagram") is not None or isinstance(dig(page.json, "business_discovery"), Mapping):
        return True
    for _, node in search(page.json, lambda n: is_media(n) or is_user(n)):
        return "text_post_app_info" not in node
    message = text_at(page.json, "message")
    refused = (
        message in {"checkpoint_required", "challenge_required", "login_required"} or "wait a few minutes" in message
    )
    return isinstance(page.json, Mapping) and (refused or ("require_login" in page.json and bool(message)))


def _oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    draft.kind = Kind.POST
    tree = fragment(text_at(answer, "html"))
    links = [] if tree is None else [*tree.xpath("//*/@data-instgrm-permalink"), *tree.xpath("//a/@href")]
    code = next((found for each in links if (found := code_in(segments(each)))), None)
    draft.put("post_id", code, "json .html data-instgrm-permalink")
    media = text_at(answer, "media_id").partition("_")[0]
    if media.isdigit():
        draft.put("media_id", media, "json .media_id")
        draft.put("post_id", id_to_shortcode(int(media)), "json .media_id")
    draft.put("handle", text_at(answer, "author_name"), "json .author_name")
    draft.put("account_id", text_at(answer, "author_id"), "json .author_id")
    posted = "" if tree is None else " ".join(" ".join(tree.xpath("//p//text()")).split())
    named = re.search(r"(?P<author>[^()]+?) \(@(?P<handle>[\w.]+)\)", posted)
    if named:
        by = re.split(r"(?:shared by|compartida por|partagée par|geteilt von|condiviso da)\s+", named["author"])[-1]
        draft.put("author", by, "json .html p", shown=True)
        draft.put("handle", named["handle"], "json .html p", shown=True)
    if tree is not None:
        put_time(draft, next(iter(tree.xpath("//time/@datetime")), None), "json .html time")
    caption = text_at(answer, "title")
    if caption:
        draft.put("caption", caption, "json .title")
        put_links(draft, in_text(caption, "caption"), "json .title")
        put_disclosures(draft, [], "json .title")


def _from_things(draft: Draft, page: Saved, *, code: str | None) -> None:
    for where, thing in page.things("imageobject", "videoobject", "socialmediaposting"):
        address = text_at(thing, "mainEntityOfPage", "@id") or text_at(thing, "mainEntityofPage", "@id")
        address = address or text_at(thing, "mainEntityOfPage") or text_at(thing, "url")
        if code is None or (code_in(segments(address)) or code) != code:
            continue
        author = thing.get("author")
        author = author[0] if isinstance(author, list) and author else author
        handle = text_at(author, "alternateName") or text_at(author, "identifier", "value")
        draft.kind = Kind.POST
        draft.put("post_id", code, f"{where} mainEntityofPage")
        draft.put("handle", handle.lstrip("@"), f"{where} author")
        draft.put("author", text_at(author, "name"), f"{where} author.name")
        caption = text_at(thing, "articleBody") or text_at(thing, "caption")
        draft.put("caption", caption, f"{where} caption")
        if caption:
            put_links(draft, in_text(caption, "caption"), f"{where} caption")
        put_time(draft, thing.get("dateCreated") or thing.get("uploadDate"), f"{where} uploadDate")
        return


def _from_meta(draft: Draft, page: Saved, *, code: str | None, handle: str | None) -> None:
    title, said = page.meta("og:title")[:_MAX_META], page.meta("og:description", "description")[:_MAX_META]
    if not title and not said:
        return  # a shell, or what stands in place of a post that is not there: nothing tells the two apart
    named = _NAMED.match(page.meta("twitter:title")) or (None if code else _NAMED.match(title))
    words = _OLD_WORDS.search(said[:_MAX_HEAD]) or _NEW_WORDS.search(said[:_MAX_HEAD])
    heading, bare = _TITLES.match(title), _BARE.search(said) if len(said) <= _MAX_HEAD else None
    dated = _OF_2016.match(title)
    if code is not None and (named or words or heading or bare or dated):
        draft.kind = Kind.POST
        draft.put("post_id", code, "meta og:url")
        media = parse_qs(urlsplit(page.meta("al:ios:url")).query).get("id", [""])[0]
        draft.put("media_id", media, "meta al:ios:url")
        if named:
            draft.put("author", named["author"], "meta twitter:title")
            draft.put("handle", named["handle"], "meta twitter:title")
        if words:
            draft.put("author", words.groupdict().get("author"), "meta og:description")
            draft.put("handle", words["handle"], "meta og:description")
            draft.put("published", day_in(words.groupdict().get("day") or ""), "meta og:description")
        elif bare:
            draft.put("handle", bare["handle"], "meta og:description")
            draft.put("published", day_in(bare["day"]), "meta og:description")
        if dated:
            by = _SEEN_2016.match(said)
            draft.put("author", dated["author"], "meta og:title")
            draft.put("handle", by["handle"] if by else None, "meta og:description")
            draft.put("published", day_in(dated["day"]), "meta og:title")
        if heading:
            draft.put("author", heading["author"], "meta og:title")
        caption = (heading and _quoted(title, heading)) or (words and _quoted(said, words)) or ""
        draft.put("caption", caption, "meta og:title")
        if caption:
            cut = caption.endswith(("…", "..."))
            put_links(draft, in_text(caption, "caption", cut=cut), "meta og:title")
        put_disclosures(draft, [], "meta og:title")
    elif handle is not None and named and named["handle"].lower() == handle.lower():
        draft.kind = Kind.PROFILE
        draft.put("author", named["author"], "meta og:title")
        draft.put("handle", named["handle"], "meta og:title")
        described = page.meta("description")[:_MAX_META]
        words = _OLD_WORDS.search(described[:_MAX_HEAD])
        draft.put("bio", _quoted(described, words) if words else None, "meta description")
    else:
        return
    for match in _COUNTS.finditer(said.partition(" - ")[0]):  # what follows is the author's
        name = "likes" if match["what"].lower().startswith("like") else "followers"
        put_count(draft, name, match["n"], "meta og:description")


def _quoted(text: str, head: re.Match[str]) -> str:
    """What was written: from the opening mark, with which a head ends, to the last closing one; empty without one."""
    rest = text[head.end() :].rstrip()
    if rest.endswith(".") and rest[:-1].rstrip().endswith(tuple(_CLOSING)):
        rest = rest[:-1].rstrip()
    return rest[:-1] if rest.endswith(tuple(_CLOSING)) else ""
