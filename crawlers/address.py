"""Addresses: what a person may ask for, when two are the same page, and whose site they belong to."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna
import tldextract
from w3lib.url import canonicalize_url

from archive.errors import UsageError

MAX_URL_CHARACTERS = 16_384
SCHEMES = ("http", "https")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")  # RFC 3986 §3.1
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")  # RFC 1123 §2.1, and the underscore that DNS allows
_BARE = re.compile(r"(?:[^\s/?#@:]+\.[^\s/?#@:.]{2,}|[^\s/?#@:]+(?=:[0-9]))(?::[0-9]+)?(?:[/?#].*)?")
_SHOWN = 120

# Added by the platform that shares a link, never by the shop that pays for it: `tag`, `ref`, `aff_id` and their like
# stay in the key, since two links that differ in them earn for two people.
_TRACKING = re.compile(
    r"utm_[a-z_]+|fbclid|gclid|gbraid|wbraid|dclid|msclkid|yclid|twclid|ttclid|li_fat_id|igshid|igsh|mibextid"
    r"|mc_cid|mc_eid|_ga|_gl|__cft__.*|__tn__"
)

# No list is fetched and no cache written, ever: an evidence machine makes no request that is not in the record.
_EXTRACT = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def parse_target(text: str) -> str:
    """The URL that a person asked for, with nothing changed but the space around it.

    Raises UsageError with a sentence that says what is wrong and what to write.
    """
    url = text.strip()
    shown = url if len(url) <= _SHOWN else url[:_SHOWN] + "…"
    if not url:
        raise UsageError("No URL was given. Write one such as https://example.com/post/1.")
    if len(url) > MAX_URL_CHARACTERS:
        raise UsageError(f"{shown} is {len(url)} characters long; the longest URL taken is {MAX_URL_CHARACTERS}.")
    if re.search(r"[\x00-\x20\x7f-\x9f\u2028\u2029]", url):
        raise UsageError(f"{shown!r} has a space or a control character in it. Write it as %20, or quote the URL.")
    scheme = _SCHEME.match(url)
    if scheme is None or (scheme[1].lower() not in SCHEMES and _BARE.fullmatch(url)):
        hint = f" Did you mean https://{url} ?" if _BARE.fullmatch(url) else " A URL starts with https:// or http://."
        raise UsageError(f"{shown} is not a URL.{hint}")
    if scheme[1].lower() not in SCHEMES:
        raise UsageError(f"{shown} has the scheme {scheme[1]}:, and only http: and https: pages can be captured.")
    if not url[scheme.end() :].startswith("//"):
        raise UsageError(f"{shown} is not a URL: after {scheme[1]}: come two slashes and a host name.")
    if "\\" in re.split(r"[?#]", url, maxsplit=1)[0]:
        # A browser reads \ as / (WHATWG URL, "special" schemes), other programs do not: they would see two hosts.
        raise UsageError(f"{shown} has a backslash in it, which programs read in different ways. Write / or %5C.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{shown} is not a URL: {error}.") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        # Not shown again: what stands before the @ may be a password.
        raise UsageError(
            "The URL has a user name or password before its host. Credentials would end up in the evidence: "
            f"leave them out ({parts.scheme}://{parts.netloc.rpartition('@')[2]}/…)."
        )
    if not parts.hostname:
        raise UsageError(f"{shown} names no host.")
    if port == 0:
        raise UsageError(f"{shown} has port 0, which nothing can listen on.")
    host_key(parts.hostname, shown=shown)
    return url


def host_key(host: str, *, shown: str | None = None) -> str:
    """A host name as DNS asks for it: lower case, A-labels, no final dot; an IP address in its shortest form."""
    shown = shown or host
    name = host.strip("[]").lower()
    if _is_address(name):
        return str(ipaddress.ip_address(name))
    if ":" in name:
        raise UsageError(f"{shown} has a host in brackets that is no IPv6 address.")
    name = name.removesuffix(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")  # UTS 46 non-transitional, as browsers do
        except UnicodeError as error:
            raise UsageError(f"{shown} has a host name that cannot be looked up: {error}.") from error
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise UsageError(f"{shown} has a host name that cannot exist.")
    return name


@lru_cache(maxsize=8192)
def dedupe_key(url: str) -> str:
    """Equal for two spellings of one page. For comparing only: the URL that is visited is never cleaned."""
    try:
        parts = urlsplit(url)
        host, port = host_key(parts.hostname or ""), parts.port
    except (ValueError, UsageError):
        return url
    default = {"http": 80, "https": 443}.get(parts.scheme)
    shown_host = f"[{host}]" if ":" in host else host
    netloc = shown_host if port in (None, default) else f"{shown_host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if not _TRACKING.fullmatch(pair.split("=", 1)[0].lower()))
    # `#/item/7` and `#!item/7` are pages of their own in sites that route by fragment; `#comments` is a place in one.
    keep_fragment = parts.fragment.startswith(("/", "!"))
    bare = SplitResult(parts.scheme, netloc, parts.path or "/", query, parts.fragment if keep_fragment else "")
    return str(canonicalize_url(bare.geturl(), keep_fragments=keep_fragment))


@lru_cache(maxsize=8192)
def host_of(url: str) -> str:
    """The host of an absolute URL as `host_key` writes it; empty where there is none."""
    try:
        return host_key(urlsplit(url).hostname or "")
    except (ValueError, UsageError):
        return ""


@lru_cache(maxsize=8192)
def registrable_domain(host: str) -> str:
    """`shop.example.co.uk` -> `example.co.uk`; `a.myshopify.com` stays whole; an IP address is itself."""
    known = _EXTRACT.extract_str(host)
    if known.top_domain_under_public_suffix:
        return known.top_domain_under_public_suffix
    if known.suffix or _is_address(host):
        return host  # a suffix by itself, such as `blogspot.com`
    # publicsuffix.org, algorithm: "If no rules match, the prevailing rule is `*`."
    return ".".join(host.split(".")[-2:])


@lru_cache(maxsize=8192)
def has_public_suffix(host: str) -> bool:
    """Whether a name ends in a suffix under which the public registers names, and is more than that suffix."""
    return bool(_EXTRACT.extract_str(host).top_domain_under_public_suffix)


def same_site(one: str, other: str) -> bool:
    """Whether two URLs belong to one registrable domain."""
    return registrable_domain(host_of(one)) == registrable_domain(host_of(other))


def _is_address(host: str) -> bool:
    if ":" not in host and not host[-1:].isdigit():
        return False  # most names, and far quicker than asking
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
