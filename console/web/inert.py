"""A captured document made inert: its words, order and looks, and nothing that runs, loads or leads anywhere.

What comes out is written anew, tag by tag from a list, every text and value escaped: whatever the input was made to
mean to a browser, the output holds nothing else. The policy of its answer forbids the same a second time. Pure, and in
time that grows with the input.
"""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape

MAX_CHARACTERS = 5_000_000
POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
"""No script, no form, no request, an origin of its own: even if something got through."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn"
    " div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i ins kbd label legend li"
    " main mark menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td"
    " tfoot th thead time tr tt u ul var wbr button input select option optgroup textarea meter progress"
)
_VOID = frozenset({"br", "col", "hr", "input", "wbr"})
_CONTROLS = frozenset({"button", "input", "select", "textarea", "option", "optgroup", "fieldset"})
_RAW = frozenset({"script", "style", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
"""Between these tags a browser sees text; of ``style`` we keep it, of the others nothing."""
_ATTRIBUTES = _words(
    "align alt bgcolor border cellpadding cellspacing class color cols colspan dir height id lang nowrap open"
    " placeholder role rows rowspan size span start style title type valign value width"
)
_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9:-]*)")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>`]+)))?""")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_IMPORT = re.compile(r"@import[^;]*;?|(?:-moz-binding|behavior|expression)[^;}]*", re.IGNORECASE)
_URL = re.compile(
    r"""url\(\s*(["']?)(?!data:(?:image/(?:png|jpeg|gif|webp)|font/|application/font))[^)]*\)""", re.IGNORECASE
)
_UNSAFE = re.compile("[^a-z0-9-]")
_HEAD = (
    '<!doctype html><html><head><meta charset="utf-8"><title>A captured document, without its scripts</title>'
    "<style>body{{margin:8px}}img{{max-width:100%}}"
    ".cp-picture{{border:1px dashed #888;color:#555;padding:2px 6px;font:12px sans-serif}}"
    "[disabled]{{pointer-events:none}}</style></head><body>"
)


Picture = Callable[[str], str | None]
"""``data:`` for an address in the document; None: its bytes are not at hand."""


def inert(document: str, picture: Picture = lambda _: None) -> str:
    """The whole page. What is beyond ``MAX_CHARACTERS`` is left out, which its end says."""
    cut = document[:MAX_CHARACTERS]
    rest = "" if len(document) <= MAX_CHARACTERS else "<p>(the rest is not shown here: save the file)</p>"
    return f"{_HEAD.format()}{''.join(_pieces(cut, picture))}{rest}</body></html>"


def _pieces(text: str, picture: Picture) -> Iterator[str]:
    at = 0
    while at < len(text):
        opens = text.find("<", at)
        if opens < 0:
            yield _said(text[at:])
            return
        if opens > at:
            yield _said(text[at:opens])
        after = opens + 1
        if text.startswith("!--", after):
            at = _past(text, "-->", after)
        elif text[after : after + 1] in {"!", "?"}:
            at = _past(text, ">", after)
        elif (name := _NAME.match(text, after)) is None:
            yield "&lt;"
            at = after
        else:
            tag, closes = name[1].lower(), text[after] == "/"
            attributes, at = _attributes(text, name.end())
            if tag in _RAW and not closes:
                end = _end_of(tag)(text, at)
                if tag == "style":
                    yield f"<style>{_style(text[at : end[0]])}</style>"
                at = end[1]
            else:
                yield (
                    _shown(attributes, picture)
                    if tag == "img" and not closes
                    else _written(tag, attributes, closes=closes)
                )


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Of a tag, and where it ends."""
    found: dict[str, str] = {}
    while at < len(text) and text[at] != ">":
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            at += 1
            continue
        value = next((each for each in match.groups()[1:] if each is not None), "")
        found.setdefault(match[1].lower(), unescape(value))
        at = match.end()
    return found, at + 1


def _written(tag: str, attributes: dict[str, str], *, closes: bool) -> str:
    if tag not in _TAGS:
        return ""
    if closes:
        return "" if tag in _VOID else f"</{tag}>"
    kept = {name: value for name, value in attributes.items() if name in _ATTRIBUTES or name.startswith("aria-")}
    if "style" in kept:
        kept["style"] = _style(kept["style"])
    if tag == "a" and "href" in attributes:
        kept["title"] = attributes["href"]
    if tag in _CONTROLS:
        kept["disabled"] = ""
    if kept.get("type", "").lower() in {"image", "submit", "file"}:
        kept["type"] = "button"
    told = "".join(f' {safe}="{escape(value)}"' for name, value in kept.items() if (safe := _UNSAFE.sub("", name)))
    return f"<{tag}{told}>"


def _shown(attributes: dict[str, str], picture: Picture) -> str:
    """A picture that is here, or a box that says what is not."""
    source = attributes.get("src", "").strip()
    alt = escape(attributes.get("alt", ""))
    here = source if _PICTURE.fullmatch(source) else picture(source) if source else None
    if here is not None and _PICTURE.fullmatch(here):
        size = "".join(
            f' {name}="{attributes[name]}"' for name in ("width", "height") if attributes.get(name, "").isdigit()
        )
        return f'<img src="{escape(here)}" alt="{alt}"{size}>'
    why = "its bytes are not in this capture" if source else "the page had not loaded it"
    return f'<span class="cp-picture">[picture{": " if alt else ""}{alt} ({why})]</span>'


def _style(css: str) -> str:
    """Without what loads something, and without escapes, which spell ``url`` otherwise (CSS Syntax §4.3.7)."""
    return _URL.sub("none", _IMPORT.sub("", css.replace("\\", ""))).replace("<", "")


def _end_of(tag: str) -> Callable[[str, int], tuple[int, int]]:
    """Finds where the text of such an element ends, and where what follows it begins."""
    pattern = re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE)

    def find(text: str, at: int) -> tuple[int, int]:
        match = pattern.search(text, at)
        return (len(text), len(text)) if match is None else (match.start(), _past(text, ">", match.end()))

    return find


def _past(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _said(text: str) -> str:
    return escape(unescape(text), quote=False)
