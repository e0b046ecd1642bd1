"""The hosts of the make-believe network: a social network, a link hub, shorteners, a marketplace, and walls."""

import html
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template

from tests.site import posts
from tests.site.host import Answer, Door, Host, Request, Route, always, page, redirect
from tests.site.posts import POSTS, Comment, Credit, Post

CONTENT = Path(__file__).parent / "content"
_LOGIN = "/accounts/login/"
_CSP = (
    "default-src 'self'; img-src https://cdn.glimpsestatic.example data:; "
    "style-src https://cdn.glimpsestatic.example 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
_SOCIAL_HEADERS = (
    ("Content-Security-Policy", _CSP),
    ("X-Frame-Options", "DENY"),
    ("Cache-Control", "private, no-store"),
    ("Set-Cookie", "gid=a81f5e; Path=/; Secure; SameSite=Lax"),
)

URLS: dict[str, str] = {
    **{post.name: post.url for post in POSTS},
    "profile": posts.AUTHOR,
    "private": f"{posts.NETWORK}/quiet.orchid/",
    "removed_post": f"{posts.NETWORK}/p/CxRemoved00/",
    "login_wall": f"{posts.NETWORK}/p/CxMembers11/",
    "hub": posts.HUB,
    "hub_many": "https://lnkgarden.example/mirabelle/everything",
    "hub_sensitive": "https://lnkgarden.example/afterdark",
    "hub_leaving": "https://lnkgarden.example/out?to=https%3A%2F%2Fwww.bazaroo.example%2Fshop%2Fsunnyjewel-factory",
    "shortener": posts.SHORT,
    "refresh": posts.REFRESH,
    "script": posts.SCRIPT,
    "leaving": "https://l.glimpsegram.example/?u=https%3A%2F%2Fwww.bazaroo.example%2Fitem%2F"
    "4410087712-screw-bracelet-for-women&e=AT0xf3",
    "listing": posts.LISTING,
    "seller": posts.SELLER,
    "removed_listing_404": posts.GONE_404,
    "removed_listing_200": posts.GONE_200,
    "server_error": "https://www.bazaroo.example/item/4410099999-twist-ring",
    "empty": "https://www.bazaroo.example/blank",
    "robot_check": "https://www.bazaroo.example/item/4410012345-love-ring-set",
    "rate_limited": "https://www.bazaroo.example/item/4410012346-love-ring-set",
    "consent": "https://www.bazaroo.example/item/4410012347-love-ring-set",
    "geo_block": "https://www.bazaroo.example/item/4410012348-love-ring-set",
    "plain_http": posts.PLAIN_HTTP,
    "bad_certificate": posts.BAD_CERTIFICATE,
    "spam": posts.SPAM,
}


@cache
def template(name: str) -> Template:
    return Template((CONTENT / "templates" / f"{name}.html").read_text(encoding="utf-8"))


def hosts() -> tuple[Host, ...]:
    media = CONTENT / "cdn.glimpsestatic.example"
    return (
        Host(
            name="www.glimpsegram.example",
            folder=CONTENT / "www.glimpsegram.example",
            routes=_social(),
            headers=_SOCIAL_HEADERS,
        ),
        Host(name="glimpsegram.example", routes={"*": lambda asked: redirect(301, posts.NETWORK + asked.path)}),
        Host(name="l.glimpsegram.example", routes={"/": _leaving}),
        Host(name="cdn.glimpsestatic.example", folder=media),
        Host(
            name="about.glimpsecorp.example",
            routes={"*": always(page(_plain("Glimpse Corp", "Our terms, at length.")))},
        ),
        Host(name="lnkgarden.example", folder=CONTENT / "lnkgarden.example", routes={"/out": _hub_leaving}),
        Host(
            name="hopp.example",
            routes={
                "/robots.txt": _robots("User-agent: Counterproof\nDisallow: /\n\nUser-agent: *\nDisallow:\n"),
                "/kx7": always(redirect(302, "https://trk.affilane.example/c?p=88121&s=mirabelle&d=4410087712")),
            },
        ),
        Host(name="trk.affilane.example", routes={"/c": always(redirect(301, posts.LISTING))}),
        Host(
            name="go.redirly.example",
            folder=CONTENT / "go.redirly.example",
            routes={"/robots.txt": always(page("upstream went away\n", status=500))},
        ),
        Host(name="www.bazaroo.example", folder=CONTENT / "www.bazaroo.example", routes=_market()),
        Host(name="img.bazaroomedia.example", folder=media / "photo"),
        Host(name="chirrup.example", routes={"*": always(page(_plain("Chirrup", "Log in to chirp this.")))}),
        Host(
            name="www.winbig-promo.example", routes={"*": always(page(_plain("You won!", "Claim your gift card now.")))}
        ),
        Host(name="oldlinks.example", door=Door.HTTP, folder=CONTENT / "oldlinks.example"),
        Host(name="www.crumblyshop.example", door=Door.BAD_CERTIFICATE, folder=CONTENT / "www.crumblyshop.example"),
    )


def _social() -> dict[str, Route]:
    routes: dict[str, Route] = {f"/p/{post.code}/": always(page(post_page(post))) for post in POSTS}
    removed = "The link may be broken, or the page may have been removed."
    private = template("profile-head").substitute() + template("private").substitute()
    routes |= {
        "/robots.txt": _robots("User-agent: *\nAllow: /\nDisallow: /accounts/\nCrawl-delay: 1\n"),
        "/": always(redirect(302, _LOGIN)),
        "/mirabelle.finds/": always(page(_profile())),
        "/mirabelle.finds": always(redirect(301, "/mirabelle.finds/")),
        "/quiet.orchid/": always(page(_frame("Q. Orchid (@quiet.orchid) · Glimpsegram", private))),
        "/p/CxMembers11/": lambda asked: redirect(302, f"{_LOGIN}?next={asked.path}"),
        _LOGIN: always(page(_frame("Log in · Glimpsegram", template("login").substitute()))),
        "*": always(page(_notice("Sorry, this page isn't available.", removed), status=404)),
    }
    return routes


def _market() -> dict[str, Route]:
    item = "/item/44100"
    broken = _plain("Bazaroo", "Something went wrong on our side. Error 500, try again later.")
    return {
        "/robots.txt": _robots("User-agent: *\nDisallow: /\n"),
        "/item/4410063377-gold-screw-bangle": _file("www.bazaroo.example/gone-404.html", status=404),
        f"{item}99999-twist-ring": always(page(broken, status=500)),
        "/blank": always(page("")),
        f"{item}12345-love-ring-set": _file("www.bazaroo.example/robot-check.html"),
        f"{item}12346-love-ring-set": _file(
            "www.bazaroo.example/slow-down.html", status=429, headers=(("Retry-After", "3600"),)
        ),
        f"{item}12347-love-ring-set": _file("www.bazaroo.example/consent.html"),
        f"{item}12348-love-ring-set": _file("www.bazaroo.example/not-here.html", status=451),
    }


def post_page(post: Post) -> str:
    described = _text(post.caption)
    head = [
        f'<link rel="canonical" href="{post.url}">',
        '<meta property="og:type" content="article">',
        f'<meta property="og:title" content="Mirabelle Vance on Glimpsegram: {html.escape(described[:80])}">',
        f'<meta property="og:image" content="https://cdn.glimpsestatic.example/photo/{post.photo}.png">',
    ]
    if post.credit is Credit.JSON_LD:
        head.append(f'<script type="application/ld+json">{json.dumps(_json_ld(post), ensure_ascii=False)}</script>')
    rel = ' rel="author"' if post.credit is Credit.REL else ""
    others = [other for other in POSTS if other is not post][:6]
    body = template("post").substitute(
        dir=post.direction,
        photo=post.photo,
        alt=html.escape(post.alt),
        credit=f'<a href="/mirabelle.finds/"{rel}><strong>mirabelle.finds</strong></a>'
        if post.credit is not Credit.BYLINE
        else "<strong>mirabelle.finds</strong>",
        place=html.escape(post.place),
        byline='<p class="byline">By <a href="/mirabelle.finds/">Mirabelle Vance</a></p>'
        if post.credit is Credit.BYLINE
        else "",
        caption_lang=f' lang="{post.language}"',
        caption=post.caption,
        comments="".join(map(_comment, post.comments)),
        likes=post.likes,
        code=post.code,
        published=post.published,
        shown_date=f"{datetime.fromisoformat(post.published):%B %-d, %Y}",
        more="".join(map(_thumbnail, others)),
    )
    return _frame(f"Mirabelle Vance on Glimpsegram: “{html.escape(described[:50])}…”", body, head="\n".join(head))


def _json_ld(post: Post) -> dict[str, object]:
    author = {
        "@type": "Person",
        "name": "Mirabelle Vance",
        "alternateName": "@mirabelle.finds",
        "url": posts.AUTHOR,
        "identifier": {"@type": "PropertyValue", "propertyID": "username", "value": "mirabelle.finds"},
    }
    return {
        "@context": "https://schema.org",
        "@type": "SocialMediaPosting",
        "author": author,
        "articleBody": _text(post.caption),
        "datePublished": post.published,
        "commentCount": str(len(post.comments)),
        "mainEntityOfPage": {"@type": "ItemPage", "@id": post.url},
        "image": [f"https://cdn.glimpsestatic.example/photo/{post.photo}.png"],
    }


def _comment(comment: Comment) -> str:
    return template("comment").substitute(
        handle=comment.handle, avatar=comment.avatar, text=comment.text, when=comment.when
    )


def _thumbnail(post: Post) -> str:
    photo = f"https://cdn.glimpsestatic.example/photo/{post.photo}.png"
    return f'<a href="/p/{post.code}/"><img src="{photo}" alt="{html.escape(post.alt)}"></a>'


def _profile() -> str:
    body = template("profile").substitute(count=len(POSTS), grid="".join(map(_thumbnail, POSTS)))
    return _frame("Mirabelle Vance (@mirabelle.finds) · Glimpsegram", body, head=template("profile-head").substitute())


def _frame(title: str, body: str, *, head: str = "") -> str:
    return template("frame").substitute(title=title, head=head, body=body, lang="en")


def _notice(heading: str, text: str) -> str:
    return _frame("Page not found · Glimpsegram", template("notice").substitute(heading=heading, text=text))


def _leaving(asked: Request) -> Answer:
    return page(template("leaving").substitute(target=html.escape(asked.query.get("u", posts.NETWORK))))


def _hub_leaving(asked: Request) -> Answer:
    """The other kind: a button and a script, no link at all."""
    target = asked.query.get("to", "https://lnkgarden.example/")
    return page(template("hub-leaving").substitute(shown=html.escape(target), target=json.dumps(target)))


def _robots(text: str) -> Route:
    return always(Answer(body=text.encode(), media_type="text/plain; charset=utf-8"))


def _file(path: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Route:
    return always(page((CONTENT / path).read_text(encoding="utf-8"), status=status, headers=headers))


def _plain(title: str, text: str) -> str:
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{text}</p></html>\n"
    )


def _text(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))
