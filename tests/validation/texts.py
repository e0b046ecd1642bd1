"""Family ``text``: what is written on a page, in many scripts, and in the many ways that a page can hold words."""

import html
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.site.host import Answer
from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.languages import LANGUAGES, paragraph, written
from tests.validation.truth import Page, flat


def _script(name: str, making: Making) -> Page:
    language = LANGUAGES[name]
    draft = making.draft(written(language, making.random), language)
    draft.show_some(making.random, making.place())
    draft.say(written(language, making.random), "h1")
    making.prose(draft, language, paragraphs=making.random.randrange(2, 7))
    return making.publish(draft)


def _with(write: Callable[[Making, Draft], object], making: Making) -> Page:
    draft = making.draft("As it is written")
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, paragraphs=2)
    write(making, draft)
    making.prose(draft, paragraphs=1)
    return making.publish(draft)


def _words(making: Making) -> str:
    return paragraph(LANGUAGES["english"], making.random, 1)


def _hidden(making: Making, draft: Draft) -> None:
    for style in ("display:none", "visibility:hidden"):
        draft.say(_words(making), attributes=f'style="{style}"', shown="")
    draft.put(f"<template><p>{_words(making)}</p></template><!-- {_words(making)} -->")
    draft.put(f"<noscript><p>{_words(making)}</p></noscript>")
    draft.put(f'<script type="application/json">{{"text": "{_words(making)}"}}</script>')
    draft.put(f"<details><summary>More about it</summary><p>{_words(making)}</p></details>", "More about it")


def _open_details(making: Making, draft: Draft) -> None:
    words = _words(making)
    draft.put(f"<details open><summary>Shipping</summary><p>{words}</p></details>", "Shipping", words)


def _case(making: Making, draft: Draft) -> None:
    words = _words(making)
    draft.say(words, attributes='style="text-transform:uppercase"', shown=words.upper())


def _table(making: Making, draft: Draft) -> None:
    rows = [
        [_words(making), str(making.random.randrange(1000)), f"{making.random.randrange(99)},00 €"] for _ in range(4)
    ]
    cells = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    draft.put(f"<table>{cells}</table>", *(" ".join(row) for row in rows))


def _list(making: Making, draft: Draft) -> None:
    items = [_words(making) for _ in range(5)]
    draft.put(f"<ol>{''.join(f'<li>{html.escape(each)}</li>' for each in items)}</ol>", *items)


def _breaks(making: Making, draft: Draft) -> None:
    lines = [_words(making) for _ in range(4)]
    draft.put(f"<p>{'<br>'.join(map(html.escape, lines))}</p>", *lines)


def _pre(making: Making, draft: Draft) -> None:
    lines = [f"  {_words(making)}", f"\t{making.random.random()}", "x  =   1"]
    draft.put(f"<pre>{html.escape(chr(10).join(lines))}</pre>", *lines)


def _inline(making: Making, draft: Draft) -> None:
    first, second, third = (_words(making) for _ in range(3))
    draft.put(f"<p><b>{first}</b> <i>{second}</i>&nbsp;<span>{third}</span></p>", f"{first} {second} {third}")


def _entities(_: Making, draft: Draft) -> None:
    draft.put("<p>&lt;b&gt; Salt &amp; Pepper &#8364;&#x20;19 &mdash; &quot;one&quot;&hellip; &frac12;</p>",
              '<b> Salt & Pepper € 19 — "one"… ½')  # fmt: skip


def _spaces(making: Making, draft: Draft) -> None:
    words = _words(making).split()
    draft.put(f"<p>{'   '.join(words[:4])}\n\n\t{' &nbsp; '.join(words[4:])}</p>", " ".join(words))


def _long(making: Making, draft: Draft) -> None:
    for _ in range(60):
        draft.say(paragraph(making.language(), making.random, 4))


def _css(making: Making, draft: Draft) -> None:
    """Words that a style sheet writes: a reader sees them, the document does not hold them."""
    words = f"Save {making.random.randrange(10, 70)} percent today"
    draft.head.append(f'<style>.badge::before {{ content: "{words}" }}</style>')
    draft.put('<div class="badge"></div>', words)


def _fields(making: Making, draft: Draft) -> None:
    """Words that stand in a form's fields, filled in by the page."""
    words = f"Gift card number {making.random.randrange(10**6)}"
    draft.put(f'<div><input value="{words}" size="40" readonly></div>', words)


def _transparent(making: Making, draft: Draft) -> None:
    """In the document and laid out, and not to be seen: opacity 0, and the colour of the background."""
    draft.say(_words(making), attributes='style="opacity:0"', shown="")
    draft.say(_words(making), attributes='style="color:#fff;background:#fff"', shown="")


def _outside(making: Making, draft: Draft) -> None:
    """Words for screen readers, cut to one pixel."""
    style = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
    draft.say(_words(making), "span", attributes=f'style="{style}"', shown="")


def _editable(making: Making, draft: Draft) -> None:
    words = _words(making)
    draft.put(f'<div contenteditable="true"><p>{words}</p></div>', words)


def _ruby(_: Making, draft: Draft) -> None:
    draft.put(
        '<p lang="ja"><ruby>腕輪<rp>(</rp><rt>うでわ</rt><rp>)</rp></ruby>を買いました</p>', "腕輪うでわを買いました"
    )


def _charset(charset: str, name: str, in_page: bool, making: Making) -> Page:
    """Not UTF-8: named by the server, or by the page alone."""
    language = LANGUAGES[name]
    draft = making.draft("Shop", language)
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, language, paragraphs=4)
    text = draft.html().replace('charset="utf-8"', f'charset="{charset}"' if in_page else "")
    page = making.publish(draft)
    answer = making.network.answer(page.url)
    assert answer is not None
    media_type = "text/html" if in_page else f"text/html; charset={charset}"
    making.network.replace(page.url, replace(answer, body=text.encode(charset), media_type=media_type))
    return page


def _plain(making: Making) -> Page:
    lines = [flat(_words(making)) for _ in range(5)]
    making.network.put(making.url, Answer(body="\n".join(lines).encode(), media_type="text/plain; charset=utf-8"))
    return making.page(url=making.url, final_url=making.url, title="", lines=tuple(lines))


def _xhtml(making: Making) -> Page:
    words = [_words(making) for _ in range(4)]
    body = "".join(f"<p>{html.escape(each)}</p>" for each in words)
    title = f"XHTML {making.name}"
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml" lang="en">'
        f"<head><title>{title}</title></head><body>{body}</body></html>"
    )
    making.network.put(making.url, Answer(body=text.encode(), media_type="application/xhtml+xml"))
    return making.page(url=making.url, final_url=making.url, title=title, lines=tuple(map(flat, words)))


FAMILY: Family = {
    **{name: partial(_script, name) for name in LANGUAGES},
    "hidden": partial(_with, _hidden),
    "details-open": partial(_with, _open_details),
    "upper-case-by-style": partial(_with, _case),
    "table": partial(_with, _table),
    "list": partial(_with, _list),
    "line-breaks": partial(_with, _breaks),
    "preformatted": partial(_with, _pre),
    "inline": partial(_with, _inline),
    "entities": partial(_with, _entities),
    "spaces": partial(_with, _spaces),
    "long": partial(_with, _long),
    "written-by-style": partial(_with, _css),
    "form-field": partial(_with, _fields),
    "transparent": partial(_with, _transparent),
    "cut-away": partial(_with, _outside),
    "editable": partial(_with, _editable),
    "ruby": partial(_with, _ruby),
    "windows-1251": partial(_charset, "windows-1251", "russian", False),
    "windows-1251-in-page": partial(_charset, "windows-1251", "russian", True),
    "shift-jis": partial(_charset, "shift_jis", "japanese", True),
    "gb18030": partial(_charset, "gb18030", "chinese", False),
    "euc-kr": partial(_charset, "euc-kr", "korean", True),
    "iso-8859-1": partial(_charset, "iso-8859-1", "spanish", False),
    "plain-text": _plain,
    "xhtml": _xhtml,
}
