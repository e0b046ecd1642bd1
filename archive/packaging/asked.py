"""What was asked by anything but ``GET``, spelled into an address, as replay programs look such answers up.

They turn a request into a ``GET`` whose query says method and body, and each spells the body its own way:
pywb into the key that it looks up, wabac (ReplayWeb.page) out of the index's ``requestBody``.
https://iipc.github.io/warc-specifications/guidelines/cdx-non-get-requests/
"""

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import quote_plus, unquote_plus, urlencode

MAX_QUERY = 4_096
"""Characters of a body's spelling: both programs cut it there."""
UNSHOWN = frozenset({"HEAD", "OPTIONS"})
"""Methods of which no answer is replayed."""
_WITH_BODY = frozenset({"POST", "PUT"})
_FORM, _JSON, _TEXT = "application/x-www-form-urlencoded", "application/json", "text/plain"
_KEPT_BY_JS = "*"  # URLSearchParams; it writes ~ as %7E, which Python keeps
_PLAIN = (1e-6, 1e21)
"""Numbers in between are written without an exponent."""
_FIELD = re.compile(r'name="([^"]+)"\r\n\r\n([^\r\n\u2028\u2029]*)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request."""

    method: str
    media_type: str = ""
    """With its parameters."""
    body: bytes = field(default=b"", repr=False)

    def address(self, url: str) -> str:
        """As pywb looks it up."""
        query = _for_pywb(self.media_type, self.body)[:MAX_QUERY] if self.method in _WITH_BODY and self.body else ""
        said = f"{'&' if '?' in url else '?'}__wb_method={self.method}"
        return url + said + (f"&{query}" if query else "")

    def request_body(self) -> str:
        """As wabac finds it in an index."""
        return _for_wabac(self.media_type, self.body)[:MAX_QUERY]


def _for_pywb(media_type: str, body: bytes) -> str:
    if media_type.startswith(_FORM):
        try:
            return unquote_plus(body.decode())
        except UnicodeDecodeError:
            return _binary(body)
    if media_type.startswith("multipart/"):
        fields = _fields(media_type, body)
        return _binary(body) if fields is None else urlencode(fields)
    if media_type.startswith((_JSON, _TEXT)):
        try:
            return urlencode(_named(json.loads(body), lambda name, value: _pythons(value) if name else None))
        except (ValueError, OverflowError, RecursionError):
            return "" if media_type.startswith(_JSON) else _binary(body)
    return _binary(body)


def _for_wabac(media_type: str, body: bytes) -> str:
    kind = media_type.partition(";")[0]
    if kind == _FORM:
        return body.decode("utf-8", "replace")
    if kind in {_JSON, _TEXT}:
        try:
            document = json.loads(body, parse_constant=_no_constant)
            named = _named(document, lambda _, value: _javascripts(value) or None)
        except (ValueError, RecursionError):
            return ""
        return _search_params(named)
    if kind == "multipart/form-data":
        boundary = (media_type.split("boundary=")[1:2] or ["undefined"])[0]
        parts = re.split(f"-*{re.escape(boundary)}-*", body.decode("utf-8", "replace"), flags=re.IGNORECASE)
        found = (_FIELD.search(each.strip()) for each in parts)
        return _search_params({each[1]: each[2] for each in found if each})
    return _binary(body)


def _binary(body: bytes) -> str:
    return f"__wb_post_data={base64.b64encode(body).decode()}"


def _named(value: Any, spell: Callable[[str, Any], str | None]) -> dict[str, str]:
    """Every value in a document of JSON under the name nearest to it, the second of a name as ``name.2_``.

    ``spell``: of a name and a value; None where neither counts.
    """
    found: dict[str, str] = {}
    times: dict[str, int] = {}

    def take(value: Any, name: str) -> None:
        if isinstance(value, dict):
            for each, inner in value.items():
                take(inner, each)
        elif isinstance(value, list):
            for inner in value:
                take(inner, name)
        elif (spelled := spell(name, value)) is not None:
            times[name] = times.get(name, 0) + 1
            found[name if times[name] == 1 else f"{name}.{times[name]}_"] = spelled

    take(value, "")
    return found


def _pythons(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if math.modf(value)[0] == 0 else str(value)
    return _word(value)


def _javascripts(value: Any) -> str:
    """``Number.prototype.toString`` and the like."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _word(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.copysign(math.inf, value)
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number and not _PLAIN[0] <= abs(number) < _PLAIN[1]:
        return re.sub(r"e([+-])0+", r"e\1", repr(number))
    plain = format(Decimal(repr(number)), "f").removesuffix(".0")
    return "0" if plain == "-0" else plain


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")  # of JavaScript's; Python takes NaN and Infinity


def _word(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _search_params(named: Mapping[str, str]) -> str:
    """As ``URLSearchParams`` writes them."""
    return "&".join("=".join(_js_quoted(each) for each in pair) for pair in named.items())


def _js_quoted(text: str) -> str:
    return quote_plus(text, safe=_KEPT_BY_JS, errors="replace").replace("~", "%7E")


def _fields(media_type: str, body: bytes) -> list[tuple[str, bytes]] | None:
    """Of a form with several parts; None where it is none."""
    head = re.sub(r"[\r\n]", " ", media_type).encode("utf-8", "replace")
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + head + b"\r\n\r\n" + body)
    if not form.is_multipart():
        return None
    return list(_parts(form))


def _parts(form: Message) -> Iterator[tuple[str, bytes]]:
    for each in form.get_payload():
        if isinstance(each, Message):
            data = each.get_payload(decode=True)
            yield str(each.get_param("name", "", "content-disposition")), data if isinstance(data, bytes) else b""
