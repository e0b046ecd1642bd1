"""Addresses written as words: `link in bio: linktr.ee/someone` without a link under it."""

import re
from collections.abc import Iterator

from archive.errors import UsageError
from crawlers.address import has_public_suffix, host_of, parse_target
from crawlers.hosts import Kind, classify

# With a scheme: up to a space or a bracket. Without one: a name that begins where no word, handle or mail address goes
# on, and that is all ASCII, since captions in Chinese or Japanese put no space around it.
_WRITTEN = re.compile(
    r"(?P<full>https?://[^\s<>\"'`“”«»、。，；：！？（）【】「」｜|]+)"
    r"|(?<![A-Za-z0-9@._/\\-])(?P<bare>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?P<suffix>[A-Za-z]{2,24})"
    r"(?P<port>:[0-9]{2,5})?(?P<path>[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?)(?![A-Za-z0-9@-])",
    re.IGNORECASE,
)
_ENDS = ".,;:!?'\"…*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_RESERVED = ("example", "test")  # RFC 2606: no public suffixes, yet what is written with them is meant as an address
# Behind a letter or digit of the URL, an emoji or a script that puts no space between words is the sentence going on.
_PROSE = re.compile(r"(?<=[A-Za-z0-9])[\u0250-\U0010ffff]|[\u2190-\u2bff\U0001f000-\U0001faff]")

# What a bare name must be, when no path follows, to be an address and no file name, abbreviation or handle.
_ADDRESS_WITHOUT_PATH = (Kind.HUB, Kind.SHORTENER)


def written_urls(text: str, *, cut: bool = False) -> Iterator[tuple[str, str]]:
    """The URLs in a text and how each was written. A bare name gets `https://`, as a browser's address bar gives it.

    ``cut``: the text is a summary, and an address at three dots is only the beginning of one.
    """
    for match in _WRITTEN.finditer(text):
        if cut and re.match(r"\s?(?:\.\.|…)", text[match.end() - len(_dots(match[0])) :]):
            continue
        written = _trimmed(match["full"] or match["bare"])
        url = written if match["full"] else f"https://{written}"
        if match["full"]:
            url = _until_prose(url)
            written = url
        try:
            parse_target(url)
        except UsageError:
            continue
        if match["bare"] and not _meant(url, match["bare"], match["suffix"], has_path=bool(match["path"])):
            continue
        yield url, written


def _meant(url: str, written: str, suffix: str, *, has_path: bool) -> bool:
    host = host_of(url)
    if not (has_public_suffix(host) or suffix.lower() in _RESERVED or classify(url) is Kind.HUB):
        return False
    if not (suffix.islower() or suffix.isupper()):
        return False  # "the end.So is this": a sentence, not Somalia
    if has_path or written.lower().startswith("www."):
        return True
    return classify(url) in _ADDRESS_WITHOUT_PATH


def _dots(text: str) -> str:
    return text[len(text.rstrip(".…")) :]


def _trimmed(text: str) -> str:
    """Without the punctuation of the sentence around it; a closing bracket stays if it was opened inside."""
    open_left = {close: text.count(close) - text.count(opening) for close, opening in _BRACKETS.items()}
    end = len(text)
    while end:
        last = text[end - 1]
        if last in _BRACKETS and open_left[last] > 0:
            open_left[last] -= 1
        elif last not in _ENDS:
            break
        end -= 1
    return text[:end]


def _until_prose(url: str) -> str:
    """A full URL ends where, after its host, a script without spaces goes on (`https://a.example/x这里`)."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not host.isascii():
        return url  # a name in a script of its own: who can tell where it ends
    prose = _PROSE.search(path)
    return _trimmed(f"{scheme}://{host}{slash}{path[: prose.start()] if prose else path}")
