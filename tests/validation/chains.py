"""Family ``hops``: chains of redirects, refreshes, scripts and clicks, whose every step is known."""

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from custody.model import HopKind
from tests.site.host import Answer
from tests.validation.families import Family, Making
from tests.validation.truth import Page, Step

_HOSTS = ("go.lnq.example", "shrt.example", "t.hopsy.example", "trk.clickmill.example", "r.affiliato.example")
_THIN = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>{head}</head>"
    "<body>{body}</body></html>"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How one page leads to the next."""

    kind: HopKind
    status: int
    answer: Callable[[str], Answer]


def _page(title: str, *, head: str = "", body: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(body=_THIN.format(title=title, head=head, body=body).encode(), headers=headers)


def _http(status: int) -> Way:
    return Way(kind=HopKind.HTTP, status=status, answer=lambda to: Answer(status=status, headers=(("Location", to),)))


def _meta(seconds: int) -> Way:
    def answer(to: str) -> Answer:
        head = f'<meta http-equiv="refresh" content="{seconds}; url={html.escape(to)}">'
        return _page("On the way", head=head, body=f"<p>Off you go in {seconds} s</p>")

    return Way(kind=HopKind.REFRESH, status=200, answer=answer)


def _header(seconds: int) -> Way:
    return Way(
        kind=HopKind.REFRESH,
        status=200,
        answer=lambda to: _page("On the way", body="<p>Hang on.</p>", headers=(("Refresh", f"{seconds};url={to}"),)),
    )


def _script(code: str) -> Way:
    """``code`` with TO for the address."""
    return Way(
        kind=HopKind.SCRIPT,
        status=200,
        answer=lambda to: _page("…", body=f"<script>{code.replace('TO', repr(to))}</script>"),
    )


def _form() -> Way:
    def answer(to: str) -> Answer:
        base, _, query = to.partition("?")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{value}">'
            for name, _, value in (each.partition("=") for each in query.split("&"))
        )
        return _page(
            "…",
            body=f'<form id="f" action="{base}">{fields}</form><script>document.getElementById("f").submit()</script>',
        )

    return Way(kind=HopKind.SCRIPT, status=200, answer=answer)


_LEAVING = (
    ("Leaving Murmuro", "This link takes you to a place that we do not run.", "Continue"),
    ("External link", "You are about to leave our site for another one.", "Go to the site"),
    ("Weiterleitung", "Sie verlassen jetzt unsere Seite.", "Weiter zur Seite"),
    ("Vous quittez le site", "Ce lien mène à un site externe.", "Continuer"),
)


def _click(n: int) -> Way:
    title, words, label = _LEAVING[n % len(_LEAVING)]

    def answer(to: str) -> Answer:
        shown = html.escape(to)
        return _page(title, body=f'<h1>{title}</h1><p>{words}</p><p>{shown}</p><a href="{shown}">{label}</a>')

    return Way(kind=HopKind.CLICK, status=200, answer=answer)


WAYS = {
    **{f"http-{status}": _http(status) for status in (301, 302, 303, 307, 308)},
    "meta-0s": _meta(0),
    "meta-2s": _meta(2),
    "header-0s": _header(0),
    "header-1s": _header(1),
    "script-replace": _script("location.replace(TO)"),
    "script-href": _script("location.href = TO"),
    "script-timed": _script("setTimeout(function () { window.location = TO }, 700)"),
    "script-loaded": _script("addEventListener('load', function () { location.assign(TO) })"),
    "form": _form(),
    **{f"click-{n}": _click(n) for n in range(len(_LEAVING))},
}


def _chain(ways: tuple[str, ...], making: Making) -> Page:
    """Through hosts of its own to a listing, which shows what it shows."""
    end = f"https://{making.shop}/item/{making.name}?ref={making.random.randrange(10**5)}"
    stops = [
        f"https://{making.random.choice(_HOSTS)}/{making.name}/{n}?k={making.random.randrange(10**5)}"
        for n in range(len(ways))
    ]
    steps = []
    for at, to, name in zip(stops, [*stops[1:], end], ways, strict=True):
        way = WAYS[name]
        making.network.put(at, way.answer(to))
        steps.append(Step(kind=way.kind, status=way.status, to_url=to))
    draft = making.draft("Velvet box")
    draft.show_some(making.random, making.place(making.shop), "png")
    draft.say("Velvet box, size three", "h1")
    making.prose(draft)
    return making.publish(draft, url=end, asked=stops[0], hops=steps)


def _mixture(making: Making) -> Page:
    length = making.random.randrange(2, 7)
    quick = [each for each in WAYS if not each.startswith("click")]
    ways = [making.random.choice(quick) for _ in range(length)]
    if making.random.random() < 0.4:
        ways[making.random.randrange(length)] = making.random.choice(
            [each for each in WAYS if each.startswith("click")]
        )
    return _chain(tuple(ways), making)


def _upgraded(making: Making) -> Page:
    """From plain HTTP to the same address over TLS."""
    draft = making.draft("Velvet box")
    draft.show_some(making.random, making.place(making.shop), "png")
    making.prose(draft)
    end = f"https://{making.shop}/plain/{making.name}"
    step = Step(kind=HopKind.HTTP, status=301, to_url=end)
    return making.publish(draft, url=end, asked=end.replace("https:", "http:"), hops=[step])


def _pushed(making: Making) -> Page:
    """An address that a script changes without going anywhere: no hop."""
    draft = making.draft("Velvet box")
    draft.show_some(making.random, making.place(making.shop), "png")
    making.prose(draft)
    at = f"https://{making.shop}/spa/{making.name}"
    draft.body.append("<script>history.pushState({}, '', location.pathname + '/details')</script>")
    page = making.publish(draft, url=at)
    return making.page(url=at, title=page.title, lines=page.lines, marks=page.marks, final_url=f"{at}/details")


def _fragment(making: Making) -> Page:
    """A redirect that names a place on the page."""
    end = f"https://{making.shop}/item/{making.name}"
    at = f"https://{_HOSTS[0]}/{making.name}"
    making.network.put(at, WAYS["http-302"].answer(f"{end}#reviews"))
    draft = making.draft("Velvet box")
    making.prose(draft)
    draft.say("Reviews", "h2", 'id="reviews"')
    making.prose(draft, paragraphs=1)
    step = Step(kind=HopKind.HTTP, status=302, to_url=f"{end}#reviews")
    page = making.publish(draft, url=end, asked=at, hops=[step])
    return making.page(url=at, title=page.title, lines=page.lines, hops=page.hops, final_url=f"{end}#reviews")


def _in_frame(making: Making) -> Page:
    """A frame that redirects is no hop of the page."""
    inner = making.place().file("landed", b"<!doctype html><title>x</title>", "text/html", own=False)
    moved = making.network.lead(f"https://{_HOSTS[1]}/{making.name}", 302, inner)
    draft = making.draft("Velvet box")
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft)
    draft.body.append(f'<iframe src="{moved}" width="100" height="50"></iframe>')
    return making.publish(draft)


FAMILY: Family = {
    **{name: partial(_chain, (name,)) for name in WAYS},
    "two-redirects": partial(_chain, ("http-302", "http-301")),
    "five-redirects": partial(_chain, ("http-301", "http-302", "http-303", "http-307", "http-308")),
    "redirect-refresh-script": partial(_chain, ("http-302", "meta-0s", "script-replace")),
    "click-then-redirects": partial(_chain, ("click-0", "http-302", "http-301")),
    "script-then-click": partial(_chain, ("script-href", "click-1")),
    **{f"mixture-{n}": _mixture for n in range(1, 9)},
    "http-to-https": _upgraded,
    "pushed-address": _pushed,
    "fragment": _fragment,
    "frame-redirect": _in_frame,
}
