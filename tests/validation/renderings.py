"""Family ``rendering``: the ways in which a page comes to show what it shows."""

import json
from functools import partial

from tests.site.host import Answer, Ending
from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.languages import paragraph
from tests.validation.marks import FORMS, cells, grid
from tests.validation.truth import Page

_WRITE = "for (const text of texts) { const p = document.createElement('p'); p.textContent = text; root.append(p); }"


def _base(making: Making) -> Draft:
    draft = making.draft("Rendered")
    making.prose(draft, paragraphs=2)
    return draft


def _form(form: str, making: Making) -> Page:
    draft = _base(making)
    draft.show_some(making.random, making.place(), form)
    return making.publish(draft)


def _words(making: Making, sentences: int = 2) -> str:
    return paragraph(making.language(), making.random, sentences)


def _built(making: Making) -> Page:
    """Everything by script, at once: a single-page application's first page."""
    draft = making.draft("Application")
    texts = [_words(making) for _ in range(4)]
    draft.show_some(making.random, making.place(), "canvas")
    draft.put(
        f'<div id="root"></div><script>{{const root = document.getElementById("root"), texts = {_js(texts)}; {_WRITE}}}'
        "</script>",
        *texts,
    )
    return making.publish(draft)


def _fetched(delay_s: float, making: Making) -> Page:
    draft = making.draft("Fetched")
    draft.show_some(making.random, making.place(), "png")
    texts = [_words(making) for _ in range(4)]
    url = making.place().file("data.json", json.dumps(texts).encode(), "application/json", delay_s=delay_s)
    draft.put(
        f'<div id="root"></div><script>fetch("{url}").then(each => each.json())'
        f'.then(texts => {{ const root = document.getElementById("root"); {_WRITE} }})</script>',
        *texts,
    )
    return making.publish(draft)


def _timed(wait_ms: int, making: Making) -> Page:
    """By a clock alone, with nothing on its way that would tell of it."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    words = _words(making)
    draft.put(
        f'<p id="later"></p><script>setTimeout(() => {{ document.getElementById("later").textContent ='
        f" {_js(words)}; }}, {wait_ms})</script>",
        words,
    )
    return making.publish(draft)


def _tall(height: int, form: str, making: Making) -> Page:
    """Grids and words at known places all the way down."""
    draft = making.draft("Tall")
    place = making.place()
    draft.show_some(making.random, place, "png")
    for top in range(1500, height - 200, max(1500, height // 6)):
        draft.show(form, grid(making.random, top=top, left=12), place)
        words = _words(making, 1)
        draft.put(f'<p style="position:absolute;top:{top + 60}px;left:12px;right:12px;margin:0">{words}</p>', words)
    draft.put(f'<div style="height:{height}px"></div>')
    return making.publish(draft)


def _on_scroll(making: Making) -> Page:
    """Words and pictures that are made when their place comes into view."""
    draft = making.draft("On scrolling")
    place = making.place()
    draft.show_some(making.random, place, "png")
    making.prose(draft, paragraphs=1)
    draft.put('<div style="height:2600px"></div>')
    made = grid(making.random, top=2200)
    words = _words(making)
    draft.put(
        f'<div id="spot" style="position:absolute;top:2190px;left:0;width:100%;height:90px"></div>'
        f'<template id="what">{FORMS["png"](made, place)}<p style="position:absolute;top:2300px">{words}</p></template>'
        "<script>new IntersectionObserver((seen, eye) => { if (!seen[0].isIntersecting) return; eye.disconnect();"
        "document.body.append(document.getElementById('what').content); })"
        ".observe(document.getElementById('spot'))</script>",
        words,
    )
    draft.marks += made.marks("on-scroll")
    return making.publish(draft)


def _growing(making: Making) -> Page:
    """Three more pieces, each when the end of the page is reached, and then no more."""
    draft = making.draft("Growing")
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, paragraphs=1)
    texts = [_words(making) for _ in range(3)]
    draft.put(
        f"<div style='height:1400px'></div><div id=feed></div><div id=end style='height:40px'></div><script>"
        f"const texts = {_js(texts)}; new IntersectionObserver(seen => {{"
        "if (!seen[0].isIntersecting || !texts.length) return;"
        "const p = document.createElement('p'); p.style.height = '1200px'; p.textContent = texts.shift();"
        "document.getElementById('feed').append(p); }).observe(document.getElementById('end'))</script>",
        *texts,
    )
    return making.publish(draft)


def _frame(making: Making, texts: list[str], *, own: bool, name: str = "inner") -> str:
    html = "".join(f"<p>{each}</p>" for each in texts)
    page = f"<!doctype html><meta charset=utf-8><title>inner</title><body style='font:16px sans-serif'>{html}"
    return making.place().file(name, page.encode(), "text/html; charset=utf-8", own=own)


def _covering(own: bool, making: Making) -> Page:
    """A frame that fills the window: what is in it is the page."""
    draft = making.draft("Covering", band=False)
    texts = [_words(making) for _ in range(4)]
    url = _frame(making, texts, own=own)
    draft.put(f'<iframe src="{url}" style="position:fixed;inset:0;width:100%;height:100%;border:0"></iframe>', *texts)
    return making.publish(draft)


def _beside(own: bool, making: Making) -> Page:
    """A frame among other things, as an embedded post is."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    texts = [_words(making)]
    draft.put(f'<iframe src="{_frame(making, texts, own=own)}" width="380" height="260"></iframe>', *texts)
    making.prose(draft, paragraphs=1)
    return making.publish(draft)


def _srcdoc(making: Making) -> Page:
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    words = "Terms apply while stocks last, size three only."
    draft.put(f'<iframe srcdoc="<p>{words}</p>" width="380" height="120"></iframe>', words)
    return making.publish(draft)


def _frameset(making: Making) -> Page:
    left, right = [_words(making)], [_words(making), _words(making)]
    first = _frame(making, left, own=True, name="left")
    second = _frame(making, right, own=True, name="right")
    draft = making.draft("Frames")
    draft.saw(*left, *right)
    html = (
        f"<!doctype html><html><head><meta charset=utf-8><title>{draft.title}</title></head>"
        f'<frameset cols="40%,60%"><frame src="{first}"><frame src="{second}"></frameset></html>'
    )
    return making.publish(draft, html=html)


def _shadow(mode: str, making: Making) -> Page:
    draft = _base(making)
    draft.show_some(making.random, making.place(), f"shadow-{mode}")
    words = _words(making)
    draft.put(
        f"<shop-card></shop-card><script>document.querySelector('shop-card').attachShadow({{mode: '{mode}'}})"
        f".innerHTML = {_js(f'<div>{words}</div>')}</script>",
        words,
    )
    return making.publish(draft)


def _declarative(making: Making) -> Page:
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    words, slotted = _words(making), _words(making)
    draft.put(
        f'<article><template shadowrootmode="open"><div>{words}</div><slot></slot></template>'
        f"<p>{slotted}</p></article>",
        words,
        slotted,
    )
    return making.publish(draft)


def _by_width(making: Making) -> Page:
    """Something else on a phone."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    wide, narrow = _words(making), _words(making)
    draft.head.append("<style>.narrow { display: none } @media (max-width: 600px) { .narrow { display: block }"
                      " .wide { display: none } }</style>")  # fmt: skip
    before = list(draft.lines)
    draft.say(wide, attributes='class="wide"')
    draft.say(narrow, attributes='class="narrow"', shown="")
    return making.publish(draft, phone_lines=(*before, " ".join(narrow.split())))


def _by_touch(making: Making) -> Page:
    """The same, decided by a script that asks for a touch screen."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    mouse, touch = _words(making), _words(making)
    before = list(draft.lines)
    draft.put(
        f'<p id="which"></p><script>document.getElementById("which").textContent = navigator.maxTouchPoints > 0 ?'
        f" {_js(touch)} : {_js(mouse)}</script>",
        mouse,
    )
    return making.publish(draft, phone_lines=(*before, " ".join(touch.split())))


def _desktop_only(making: Making) -> Page:
    """A page that knows nothing of phones: they lay it out as wide as a desktop's."""
    draft = making.draft("Wide", viewport=False)
    draft.show_some(making.random, making.place(), "png")
    draft.show("png", grid(making.random, left=640, top=24), making.place())
    making.prose(draft)
    return making.publish(draft)


def _sticky(making: Making) -> Page:
    draft = making.draft("Sticky")
    draft.show_some(making.random, making.place(), "png")
    draft.put('<header style="position:sticky;top:0;background:#eee">Bracelets and bags</header>', "Bracelets and bags")
    making.prose(draft, paragraphs=12)
    return making.publish(draft)


def _overlay(making: Making) -> Page:
    """A newsletter's box over a page that is otherwise all there."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, paragraphs=6, sentences=4)
    draft.put(
        '<div role="dialog" style="position:fixed;right:8px;bottom:8px;width:240px;background:#ffd">'
        "<p>Ten percent off your first order when you join our letter</p><div><button>Join</button></div></div>",
        "Ten percent off your first order when you join our letter",
        "Join",
    )
    return making.publish(draft)


def _served(ending: Ending, delay_s: float, making: Making) -> Page:
    """A page that comes in pieces, or only after a while."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, paragraphs=8)
    page = making.publish(draft)
    answer = Answer(body=draft.html().encode(), ending=ending, delay_s=delay_s)
    making.network.replace(page.url, answer)
    return page


def _policy(making: Making) -> Page:
    """A content security policy that lets no script run, inline or not."""
    draft = _base(making)
    draft.show_some(making.random, making.place(), "png")
    draft.put(
        "<p id='x'>As it was sent.</p><script>document.getElementById('x').textContent = 'changed'</script>",
        "As it was sent.",
    )
    return making.publish(draft, headers=(("Content-Security-Policy", "script-src 'none'; object-src 'none'"),))


def _several(making: Making) -> Page:
    """Four grids, each shown in its own way."""
    draft = making.draft("Several", band=True)
    place = making.place()
    forms = making.random.sample([each for each in FORMS if each != "slow"], 4)
    draft.show(forms[0], grid(making.random, left=12, top=24), place)
    draft.show(forms[1], grid(making.random, left=200, top=24), place)
    draft.put('<div style="height:500px"></div>')
    draft.show(forms[2], grid(making.random, left=12, top=300), place)
    draft.show(forms[3], grid(making.random, left=200, top=360), place)
    making.prose(draft)
    return making.publish(draft)


def _closed_boxes(making: Making) -> Page:
    """Boxes with a colour and nothing else, moved by a style."""
    draft = _base(making)
    made = grid(making.random, left=40, top=24)
    draft.body.append(
        f'<div style="position:absolute;left:0;top:0;width:{made.width}px;height:{made.height}px;'
        f'transform:translate({made.left}px,{made.top}px)">{cells(made)}</div>'
    )
    draft.marks += made.marks("moved")
    return making.publish(draft)


def _js(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


FAMILY: Family = {
    **{f"grid-{form}": partial(_form, form) for form in FORMS},
    "grid-moved": _closed_boxes,
    "grids": _several,
    "built-by-script": _built,
    "fetched": partial(_fetched, 0),
    "fetched-slowly": partial(_fetched, 1.5),
    "timed-300ms": partial(_timed, 300),
    "timed-2000ms": partial(_timed, 2000),
    "tall-4000": partial(_tall, 4000, "png"),
    "tall-9000-lazy": partial(_tall, 9000, "lazy"),
    "tall-19000": partial(_tall, 19000, "background"),
    "tall-30000": partial(_tall, 30000, "lazy"),
    "on-scroll": _on_scroll,
    "growing": _growing,
    "frame-covering": partial(_covering, True),
    "frame-covering-other-site": partial(_covering, False),
    "frame-beside": partial(_beside, True),
    "frame-beside-other-site": partial(_beside, False),
    "frame-srcdoc": _srcdoc,
    "frameset": _frameset,
    "shadow-open": partial(_shadow, "open"),
    "shadow-closed": partial(_shadow, "closed"),
    "shadow-declarative": _declarative,
    "by-width": _by_width,
    "by-touch": _by_touch,
    "desktop-only": _desktop_only,
    "sticky": _sticky,
    "overlay": _overlay,
    "chunked": partial(_served, Ending.CHUNKED, 0),
    "slow-answer": partial(_served, Ending.WHOLE, 1.5),
    "no-scripts": _policy,
}
