"""X (Twitter): posts and profiles, from its pages since 2012, its embeds, oEmbed, syndication and both APIs."""

import re

from archive.reading import Kind
from crawlers.disclosures import put_disclosures
from crawlers.moments import moment_of
from crawlers.platform import Draft, Platform, judged
from crawlers.posting import has_icon_of, oembed, put_links, put_moment, segments
from crawlers.saved import Saved, dig, search
from crawlers.social.x_answers import (
    CODES,
    errors_in,
    fill_from_oembed,
    fill_from_value,
    is_second_api,
    post_in,
    unavailable_in,
    user_in,
)
from crawlers.social.x_links import place_of
from crawlers.social.x_pages import fill_from_article, fill_from_old_page, fill_from_profile, fill_from_state
from crawlers.surfaces import Official
from crawlers.surfaces import oembed as asked
from custody.model import Outcome

_REASONS = (
    (re.compile(r"nsfw|age.?restrict|adult content|sensitive", re.IGNORECASE), Outcome.AGE_GATE),
    (re.compile(r"protected|limits who can view|not authorized", re.IGNORECASE), Outcome.PRIVATE),
    (re.compile(r"delet", re.IGNORECASE), Outcome.REMOVED),
    (re.compile(r"withheld", re.IGNORECASE), Outcome.GEO_BLOCK),
)
_TITLES = re.compile(r"^(?P<author>.+?)(?: \(@(?P<handle>\w{1,20})\))? (?:on|en|auf|sur|в|no|su|op|på) (?:X|Twitter)\b")

_OEMBED = "https://docs.x.com/x-for-websites/oembed-api"
_EMPTY = "//*[@data-testid='emptyState' or @data-testid='error-detail']"
_FAILED = "Something went wrong. Try reloading."


class X(Platform):
    """A post in any of the forms of the platform's data; the page's own elements and meta elements else."""

    name = "x"
    hosts = frozenset({"x.com", "twitter.com"})
    ready = "article [data-testid='tweetText'], [data-testid='UserName'], .permalink-tweet, .ProfileHeaderCard"

    def knows(self, page: Saved) -> bool:
        if page.json is None:
            named = page.meta("og:site_name") in {"X (formerly Twitter)", "Twitter"}
            return super().knows(page) or named or has_icon_of(page, "abs.twimg.com")
        if oembed(page, "twitter", "x") is not None or errors_in(page.json) or unavailable_in(page.json):
            return True
        return next(
            search(page.json, lambda node: post_in(node) is not None or user_in(node) is not None), None
        ) is not None or is_second_api(page.json)

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        handle, post = place_of(url)
        if post:
            return f"x:post:{post}"
        return f"x:profile:{handle.lower()}" if handle else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The oEmbed of a post."""
        handle, post = place_of(url) if self.knows_url(url) else (None, None)
        if post is None:
            return ()
        address = f"https://x.com/{handle or 'i'}/status/{post}"
        return (asked("https://publish.x.com/oembed?omit_script=true&url=", address, _OEMBED),)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            unavailable = unavailable_in(page.json)
            others = search(page.json, lambda node: post_in(node) is not None or user_in(node) is not None)
            if unavailable and next(others, None) is None:  # in a list, one that is gone is no wall
                return next((found for words, found in _REASONS if words.search(unavailable)), Outcome.UNAVAILABLE)
            for code, message in errors_in(page.json):
                return next((found for words, found in _REASONS if words.search(message)), None) or CODES.get(
                    code, Outcome.UNAVAILABLE
                )
            return None
        if any(self.knows_url(url) and segments(url)[:2] in (["i", "flow"], ["login"]) for url in page.own_urls):
            return Outcome.LOGIN_WALL
        return _notice(page)

    def fill(self, page: Saved, draft: Draft) -> None:
        own = [place_of(url) for url in page.own_urls if self.knows_url(url)]
        post = next((found for _, found in own if found), None)
        handle = next((found for found, _ in own if found), None)
        answer = oembed(page, "twitter", "x")
        if answer is not None:
            fill_from_oembed(draft, answer)
        elif page.json is not None:
            fill_from_value(draft, page.json, "json", post=post)
        else:
            entities = dig(page.assigned("window.__INITIAL_STATE__"), "entities") if post or handle else None
            fill_from_state(draft, entities, post=post, handle=handle)
            if draft.kind is Kind.OTHER and post is None:
                fill_from_profile(draft, page, handle=handle)
            if draft.kind is Kind.OTHER and (post is not None or handle is None):
                fill_from_article(draft, page, post=post)
                fill_from_old_page(draft, page, post=post)
            _from_meta(draft, page, post=post, handle=handle)
        found = draft.fields.get("post_id")
        if isinstance(found, str):
            put_moment(draft, moment_of("x", found), "post_id")


def _from_meta(draft: Draft, page: Saved, *, post: str | None, handle: str | None) -> None:
    title, said = page.meta("og:title")[:2000], page.meta("og:description")[:20_000]
    named = _TITLES.match(title)
    if post is None:
        if (
            draft.kind is Kind.OTHER
            and named
            and named["handle"]
            and handle
            and named["handle"].lower() == handle.lower()
        ):
            draft.kind = Kind.PROFILE
            draft.put("author", named["author"], "meta og:title")
            draft.put("handle", named["handle"], "meta og:title")
            draft.put("bio", said, "meta og:description")
            short = re.findall(r"https?://t\.co/\w+", said)
            if short:  # the account's own link is not here, so that no link is seen tells nothing
                put_links(draft, [(each, "bio") for each in short], "meta og:description")
        return
    if draft.kind is Kind.OTHER and not (named and said) and _notice(page) is not None:
        return  # something stands in its place
    draft.kind = Kind.POST
    draft.put("post_id", post, "link canonical")
    if named:
        draft.put("author", named["author"], "meta og:title")
        draft.put("handle", named["handle"], "meta og:title")
    if named and said and "caption" not in draft.fields:
        caption = re.sub(r"^“(.*)”$", r"\1", said, flags=re.DOTALL)
        draft.put("caption", caption, "meta og:description")
        short = re.findall(r"https?://t\.co/\w+", caption)
        put_links(draft, [(each, "caption") for each in short], "meta og:description")
        put_disclosures(draft, [], "meta og:description")
    draft.put("handle", handle, "link canonical")


def _notice(page: Saved) -> Outcome | None:
    """What is said where a post or an account would be; by the platform's elements where its words are not known."""
    found = judged(page)
    if found is None and (page.first(_EMPTY) is not None or _FAILED in page.shown_text):
        found = Outcome.UNAVAILABLE
    return found
