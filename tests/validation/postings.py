"""Family ``links``: pages on which a reader can tell the author's own links from all the others.

What is judged is which links are taken for the author's (followed, in a capture that follows), and no more of them.
"""

import html
import json
from functools import partial

from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.languages import paragraph, written
from tests.validation.truth import Page

_NAMES = ("ines.marlow", "tobi_k", "le.petit.coffret", "hanako88", "dario.sews", "nurbanu.style", "wren_and_oak")
_SHOPS = ("www.velvetcrate.example", "tinybazaar.example", "www.orchidlane.example", "kaufwelt.example")
_BY, _BY_USERS, _PAID, _ME = (
    'rel="author"',
    'rel="nofollow ugc" target="_blank"',
    'rel="sponsored nofollow"',
    'rel="me nofollow"',
)
_SHORT = ("go.lnq.example", "shrt.example", "t.hopsy.example")


def _shop(making: Making) -> str:
    number = making.random.randrange(10**6, 10**9)
    return f"https://{making.random.choice(_SHOPS)}/item/{number}"


def _code(making: Making) -> str:
    return "".join(making.random.choice("abcdefghkmnpqrstuvwxyz23456789") for _ in range(6))


def _short(making: Making) -> str:
    return f"https://{making.random.choice(_SHORT)}/{_code(making)}"


def _author(making: Making) -> str:
    return f"https://{making.social}/{making.random.choice(_NAMES)}"


def _a(href: str, text: str, more: str = "") -> str:
    return f'<a href="{html.escape(href)}"{" " + more if more else ""}>{html.escape(text)}</a>'


def _divs(hrefs: list[str], text: str) -> str:
    return "".join(f"<div>{_a(each, text)}</div>" for each in hrefs)


def _entry(author: str, inner: str) -> str:
    """One post: who wrote it, and what."""
    return f"<main><article><header>{_a(author, _name(author), _BY)}</header><p>{inner}</p></article></main>"


def _name(author: str) -> str:
    return author.rpartition("/")[2]


def _around(making: Making, draft: Draft) -> None:
    """What every page of the network has above: none of it is the author's."""
    draft.put(
        f"<header><nav><ul><li>{_a(f'https://{making.social}/', 'Home')}</li>"
        f"<li>{_a(f'https://{making.social}/explore', 'Explore')}</li>"
        f"<li>{_a('https://help.murmuro.example/', 'Help')}</li></ul></nav></header>",
        "Home", "Explore", "Help",
    )  # fmt: skip


def _below(draft: Draft) -> None:
    draft.put(
        f"<footer><div>{_a('https://corp.murmuro.example/terms', 'Terms')}</div>"
        f"<div>{_a('https://apps.apple.com/app/id1', 'Get the app')}</div>"
        f"<div>{_a('https://corp.murmuro.example/imprint', 'About Murmuro')}</div></footer>",
        "Terms", "Get the app", "About Murmuro",
    )  # fmt: skip


def _ld(draft: Draft, value: object) -> None:
    draft.head.append(f'<script type="application/ld+json">{json.dumps(value, ensure_ascii=False)}</script>')


def _posting(making: Making, draft: Draft, author: str, text: str) -> None:
    _ld(draft, {
        "@context": "https://schema.org", "@type": "SocialMediaPosting", "articleBody": text, "url": making.url,
        "author": {"@type": "Person", "name": _name(author), "url": author},
        "datePublished": "2026-08-11T09:12:00+02:00",
    })  # fmt: skip
    draft.head.append(f'<link rel="canonical" href="{making.url}"><meta property="og:type" content="article">')


def _comments(making: Making, draft: Draft, *, linked: bool) -> None:
    """Other people's words, with other people's links."""
    pieces, lines = [], []
    for name in making.random.sample(_NAMES, 3):
        said = written(making.language("english"), making.random)
        link = f" {_a(_shop(making), 'found it here')}" if linked else ""
        pieces.append(f"<li><b>{name}x</b><p>{html.escape(said)}{link}</p></li>")
        lines += [f"{name}x", said + (" found it here" if linked else "")]
    draft.put(
        f'<section aria-label="Comments"><h2>Comments</h2><ul>{"".join(pieces)}</ul></section>', "Comments", *lines
    )


def _post(links: int, short: bool, commented: bool, language: str, making: Making) -> Page:
    """A post whose text holds links, with comments that hold others."""
    spoken = making.language(language)
    draft = making.draft("Post", spoken)
    draft.show_some(making.random, making.place(), "png")
    author = _author(making)
    targets = [_short(making) if short else _shop(making) for _ in range(links)]
    text = paragraph(spoken, making.random, 2)
    _posting(making, draft, author, text)
    _around(making, draft)
    anchors = "".join(f"<br>{_a(each, each.partition('://')[2], _BY_USERS)}" for each in targets)
    draft.put(
        _entry(author, f"{html.escape(text)}{anchors}"),
        _name(author), text, *(each.partition("://")[2] for each in targets),
    )  # fmt: skip
    if commented:
        _comments(making, draft, linked=True)
    _below(draft)
    return making.publish(draft, follow=[author, *targets])


def _wrapped(making: Making) -> Page:
    """Every way out of the network goes through its own leaving page."""
    draft = making.draft("Post")
    draft.show_some(making.random, making.place(), "png")
    author, target = _author(making), _shop(making)
    way = f"https://out.{making.social}/leave?u={target.replace(':', '%3A').replace('/', '%2F')}&t={_code(making)}"
    text = paragraph(making.language("english"), making.random, 2)
    _posting(making, draft, author, text)
    _around(making, draft)
    draft.put(
        _entry(author, f"{html.escape(text)} {_a(way, 'shop it')}"),
        _name(author), f"{text} shop it",
    )  # fmt: skip
    _below(draft)
    return making.publish(draft, follow=[author, way])


def _in_words(making: Making) -> Page:
    """An address that is written, and no link."""
    draft = making.draft("Post")
    draft.show_some(making.random, making.place(), "png")
    author, target = _author(making), f"{making.random.choice(_SHOPS)}/{_code(making)}"
    text = f"{written(making.language('english'), making.random)} It is on {target} until Sunday."
    _posting(making, draft, author, text)
    draft.put(
        _entry(author, html.escape(text)),
        _name(author),
        text,
    )
    return making.publish(draft, follow=[author, f"https://{target}"])


def _none(making: Making) -> Page:
    """A post without a link, among many that are not its author's."""
    draft = making.draft("Post")
    draft.show_some(making.random, making.place(), "png")
    author = _author(making)
    text = paragraph(making.language("english"), making.random, 3)
    _posting(making, draft, author, text)
    _around(making, draft)
    draft.put(
        _entry(author, html.escape(text)),
        _name(author),
        text,
    )
    others = [f"https://{making.social}/p/{_code(making)}" for _ in range(4)]
    draft.put(f"<aside><h2>More like this</h2>{_divs(others, 'Look')}</aside>", "More like this", *["Look"] * 4)
    _comments(making, draft, linked=True)
    _below(draft)
    return making.publish(draft, follow=[author])


def _article(making: Making) -> Page:
    """A blog's article with paid links in its text, others beside it."""
    draft = making.draft("Five bangles, one winner")
    draft.show_some(making.random, making.place(making.shop), "png")
    targets = [f"https://www.rakubay.example/dp/{_code(making)}?tag=wren-21" for _ in range(3)]
    about = f"https://{making.shop}/about"
    _ld(draft, {"@context": "https://schema.org", "@type": "BlogPosting", "headline": draft.title,
                "author": {"@type": "Person", "name": "Wren Oakley", "url": about}})  # fmt: skip
    draft.put(
        f"<nav><div>{_a(f'https://{making.shop}/bags', 'Bags')}</div>"
        f"<div>{_a('https://www.photohub.example/wren', 'Photos')}</div></nav>",
        "Bags",
        "Photos",
    )
    draft.put("<main><article>")
    draft.say(draft.title, "h1")
    draft.put(f"<p>By {_a(about, 'Wren Oakley', _BY)}</p>", "By Wren Oakley")
    for target in targets:
        text = paragraph(making.language("english"), making.random, 3)
        draft.put(f"<p>{html.escape(text)} {_a(target, 'See the price', _PAID)}</p>", f"{text} See the price")
    draft.put("</article></main>")
    draft.put(
        f"<aside><h3>Friends</h3><div>{_a('https://knitlog.example/', 'Knitlog')}</div></aside>", "Friends", "Knitlog"
    )
    draft.put(
        f"<footer><div>{_a('https://www.hostfarm.example/', 'Hosted by Hostfarm')}</div></footer>", "Hosted by Hostfarm"
    )
    return making.publish(draft, url=f"https://{making.shop}/journal/{making.name}", follow=[about, *targets])


def _hub(count: int, kind: str, making: Making) -> Page:
    """Somebody's page of links, as link hubs make them."""
    name = making.random.choice(_NAMES)
    draft = making.draft(f"@{name}")
    draft.show_some(making.random, making.place("plink.example"), "png")
    draft.head.append('<meta property="og:type" content="profile">')
    draft.say(f"@{name}", "h1")
    draft.say("things I wear, sew and eat")
    targets = [making.random.choice((_shop, _short))(making) for _ in range(count)]
    for n, target in enumerate(targets, start=1):
        words = f"{n}. {making.random.choice(('the bangle', 'velvet box', 'my ring', 'discount of the week'))}"
        if kind == "links":
            draft.link(words, target, 'class="card" target="_blank" rel="noopener"')
        elif kind == "data":
            draft.button(words, f'data-href="{target}" onclick="location.href=this.dataset.href"')
        else:
            draft.button(words, f"onclick=\"window.open('{target}')\"")
    draft.put(
        f"<footer><div>{_a('https://plink.example/', 'Make your own plink')}</div>"
        f"<div>{_a('https://plink.example/report', 'Report')}</div></footer>",
        "Make your own plink", "Report",
    )  # fmt: skip
    return making.publish(draft, url=f"https://plink.example/{name}-{making.name}", follow=targets)


def _profile(making: Making) -> Page:
    """A profile whose biography has one link, above a grid of the author's posts."""
    name = making.random.choice(_NAMES)
    url = f"https://{making.social}/{name}-{making.name}"
    target = f"https://plink.example/{name}"
    draft = making.draft(f"{name} on Murmuro")
    draft.show_some(making.random, making.place(), "png")
    draft.head.append(f'<meta property="og:type" content="profile"><link rel="canonical" href="{url}">')
    _ld(draft, {"@context": "https://schema.org", "@type": "ProfilePage",
                "mainEntity": {"@type": "Person", "name": name, "url": url}})  # fmt: skip
    _around(making, draft)
    bio = written(making.language("english"), making.random)
    draft.put(
        f"<main><header><h1>{name}</h1><p>{html.escape(bio)}</p>"
        f"<div>{_a(target, target.partition('://')[2], _ME)}</div></header>",
        name, bio, target.partition("://")[2],
    )  # fmt: skip
    posts = [f"https://{making.social}/p/{_code(making)}" for _ in range(6)]
    draft.put(f"<section>{_divs(posts, 'Post')}</section></main>", *["Post"] * 6)
    _below(draft)
    return making.publish(draft, url=url, follow=[target])


def _listing(making: Making) -> Page:
    """Where a chain ends: a shop's page for one thing leads nowhere that is a promotion of it."""
    draft = making.draft("Screw bangle")
    draft.show_some(making.random, making.place(making.shop), "png")
    price = f"{making.random.randrange(9, 60)}.90"
    _ld(draft, {"@context": "https://schema.org", "@type": "Product", "name": draft.title,
                "offers": {"@type": "Offer", "price": price, "priceCurrency": "EUR"}})  # fmt: skip
    draft.say(draft.title, "h1")
    draft.say(f"€ {price}")
    draft.button("Add to basket")
    making.prose(draft, paragraphs=2)
    draft.put(f"<section><h2>Others bought</h2><div>{_a(f'https://{making.shop}/item/2', 'Velvet box')}</div>"
              f"<div>{_a('https://www.parcelpath.example/', 'Delivery by Parcelpath')}</div></section>",
              "Others bought", "Velvet box", "Delivery by Parcelpath")  # fmt: skip
    return making.publish(draft, url=f"https://{making.shop}/item/{making.name}", follow=[])


def _by_script(making: Making) -> Page:
    """A post that a script writes: its document has nothing but the script."""
    draft = making.draft("Post")
    draft.show_some(making.random, making.place(), "canvas")
    author, target = _author(making), _shop(making)
    text = paragraph(making.language("english"), making.random, 2)
    _posting(making, draft, author, text)
    markup = _entry(author, f"{html.escape(text)} {_a(target, 'this one')}")
    said = json.dumps(markup).replace("</", "<\\/")
    draft.put(
        f"<div id=app></div><script>document.getElementById('app').innerHTML = {said}</script>",
        _name(author),
        f"{text} this one",
    )
    return making.publish(draft, follow=[author, target])


def _embedded(making: Making) -> Page:
    """A hub in a frame of another site, that fills the window."""
    name = making.random.choice(_NAMES)
    targets = [_shop(making) for _ in range(4)]
    texts = [f"{n}. {written(making.language('english'), making.random)[:24]}" for n in range(1, 5)]
    inner = "".join(f"<p>{_a(href, text)}</p>" for href, text in zip(targets, texts, strict=True))
    page = f"<!doctype html><meta charset=utf-8><title>links</title><h1>{name}</h1>{inner}"
    frame = making.place().file("hub", page.encode(), "text/html; charset=utf-8", own=False)
    draft = making.draft(f"@{name}", band=False)
    draft.put(
        f'<iframe src="{frame}" style="position:fixed;inset:0;width:100%;height:100%;border:0"></iframe>', name, *texts
    )
    return making.publish(draft, url=f"https://plink.example/{name}-{making.name}", follow=targets)


def _shadowed(making: Making) -> Page:
    """A hub whose cards are web components."""
    name = making.random.choice(_NAMES)
    targets = [_shop(making) for _ in range(4)]
    draft = making.draft(f"@{name}")
    draft.show_some(making.random, making.place("plink.example"), "png")
    draft.say(name, "h1")
    for n, target in enumerate(targets, start=1):
        draft.put(
            f'<link-card><template shadowrootmode="open"><div>{_a(target, f"No. {n}")}</div></template></link-card>',
            f"No. {n}",
        )
    return making.publish(draft, url=f"https://plink.example/{name}-{making.name}", follow=targets)


FAMILY: Family = {
    "post-one-link": partial(_post, 1, False, False, "english"),
    "post-three-links": partial(_post, 3, False, False, "english"),
    "post-short-link": partial(_post, 1, True, False, "english"),
    "post-commented": partial(_post, 1, False, True, "english"),
    "post-short-commented": partial(_post, 2, True, True, "english"),
    "post-arabic": partial(_post, 1, False, True, "arabic"),
    "post-japanese": partial(_post, 2, True, True, "japanese"),
    "post-russian": partial(_post, 1, True, False, "russian"),
    "post-german": partial(_post, 2, False, True, "german"),
    "post-emoji": partial(_post, 1, False, True, "emoji"),
    "post-hebrew": partial(_post, 1, True, True, "hebrew"),
    "post-wrapped": _wrapped,
    "post-in-words": _in_words,
    "post-without": _none,
    "post-by-script": _by_script,
    "article": _article,
    "hub-3": partial(_hub, 3, "links"),
    "hub-12": partial(_hub, 12, "links"),
    "hub-data": partial(_hub, 5, "data"),
    "hub-script": partial(_hub, 5, "script"),
    "hub-framed": _embedded,
    "hub-components": _shadowed,
    "profile": _profile,
    "listing": _listing,
}
