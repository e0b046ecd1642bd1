"""Pages that were cut off, lost tags or got some twice: what is read from them must be in them."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import unquote

from hypothesis import strategies as st

from archive.reading import Reading
from crawlers.markup import squeeze
from crawlers.registry import read
from crawlers.saved import Saved

_OURS = ("by", "number", "shown_as")
"""Keys whose values are words and counts of the format, not of the page."""
_TAG = re.compile(r"<[^<>]{1,400}>")


def page(text: str, *, url: str | None = None) -> Reading:
    return read(Saved.of(text.encode("utf-8", "surrogatepass"), url=url))


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> str:
    """A page that a bad line, a bad disk or a bad tool has handled."""
    tags = [match.span() for match in _TAG.finditer(text)]
    for _ in range(draw(st.integers(0, 3))):
        if not tags:
            break
        start, end = draw(st.sampled_from(tags))
        text = text[:start] + text[start:end] * draw(st.sampled_from((0, 2))) + text[end:]
        tags = [match.span() for match in _TAG.finditer(text)]
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def invented(reading: Reading, whole: Reading, source: str) -> list[str]:
    """Fields whose values are neither in the page nor what the whole page gave."""
    plain = unescape(source.encode().decode("unicode_escape", "replace") if source[:1] in "{[" else source)
    known = json.dumps(dict(whole.fields), ensure_ascii=False)
    said = {squeeze(plain), squeeze(_TAG.sub("", plain)), squeeze(unquote(plain)), squeeze(known)}
    digits = "".join(filter(str.isdigit, plain + known))

    def there(value: Any) -> bool:
        if isinstance(value, str):
            # Word by word: a tag that is lost may take what is in it out of the middle of a text.
            return all(any(squeeze(word) in each for each in said) for word in value.split())
        if isinstance(value, bool) or value is None:
            return True
        if isinstance(value, int):
            return str(value).rstrip("0") in digits
        if isinstance(value, dict):
            return all(there(each) for key, each in value.items() if key not in _OURS)
        return all(map(there, value))

    return [
        name
        for name, value in reading.fields.items()
        if value != whole.fields.get(name)
        and not there(value)
        and not (name == "published" and str(whole.fields.get(name, ""))[:10] == str(value)[:10])
    ]
