"""Links that carry their destination in their own address: which do, where in it, and what it says."""

import re
from functools import lru_cache
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from crawlers.address import host_of, registrable_domain

MAX_UNWRAPPINGS = 10

_DESTINATIONS = frozenset(
    ("u", "url", "uri", "to", "q", "target", "dest", "destination", "link", "href", "goto", "go", "out", "redirect",
     "r", "location", "site", "external", "exit")
)  # fmt: skip
_COMES_BACK = re.compile(
    r"log-?in|sign-?(?:in|up)|auth|register|session|share|intent|embed|consent|translate", re.IGNORECASE
)

# Where the destination stands in the address: host, path, names of the parameter ("" is the whole query).
# The platforms': as seen in their pages. The networks': as their help for deep links says.
WRAPPERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("l.instagram.com", r"/", ("u",)),
    ("l.threads.com", r"/", ("u",)),
    ("l.threads.net", r"/", ("u",)),
    ("l.facebook.com", r"/l\.php", ("u",)),
    ("lm.facebook.com", r"/l\.php", ("u",)),
    ("l.messenger.com", r"/l\.php", ("u",)),
    ("l.wl.co", r"/l", ("u",)),
    ("facebook.com", r"/(?:l|lsr)\.php|/flx/warn/?", ("u",)),
    ("youtube.com", r"/redirect", ("q", "url")),
    ("tiktok.com", r"/link/v2/?", ("target",)),
    ("google.com", r"/url", ("q", "url")),
    ("out.reddit.com", r"/.*", ("url",)),
    ("linkedin.com", r"/(?:redir/redirect|safety/go)/?", ("url",)),
    ("x.com", r"/i/redirect", ("url",)),
    ("twitter.com", r"/i/redirect", ("url",)),
    ("t.umblr.com", r"/redirect", ("z",)),
    ("pinterest.com", r"/offsite/?", ("url",)),
    ("steamcommunity.com", r"/linkfilter/?", ("u", "url")),
    ("vk.com", r"/away(?:\.php)?", ("to",)),
    ("link.zhihu.com", r"/", ("target",)),
    ("weibo.cn", r"/sinaurl", ("u", "toasturl")),
    ("href.li", r"/", ("",)),
    ("slack-redir.net", r"/link", ("url",)),
    ("safelinks.protection.outlook.com", r"/.*", ("url",)),
    ("click.linksynergy.com", r"/.*", ("murl", "RD_PARM1")),
    ("awin1.com", r"/(?:cread|awclick|pclick)\.php", ("ued", "p")),
    ("zenaps.com", r"/rclick\.php", ("ued", "p")),
    ("go.skimresources.com", r"/.*", ("url",)),
    ("go.redirectingat.com", r"/.*", ("url",)),
    ("redirect.viglink.com", r"/.*", ("u", "out")),
    ("shareasale.com", r"/r\.cfm", ("urllink",)),
    ("ad.admitad.com", r"/.*", ("ulp",)),
    ("alitems.com", r"/.*", ("ulp",)),
    ("clk.tradedoubler.com", r"/.*", ("url", "_td_deeplink")),
    ("track.webgains.com", r"/.*", ("wgtarget",)),
    ("rover.ebay.com", r"/.*", ("mpre",)),
    ("s.click.aliexpress.com", r"/deep_link\.htm", ("dl_target_url",)),
    ("avantlink.com", r"/click\.php", ("url",)),
    ("anrdoezrs.net", r"/.*", ("url",)),
    ("dpbolvw.net", r"/.*", ("url",)),
    ("jdoqocy.com", r"/.*", ("url",)),
    ("kqzyfj.com", r"/.*", ("url",)),
    ("tkqlhce.com", r"/.*", ("url",)),
)  # fmt: skip


@lru_cache(maxsize=8192)
def unwrap(url: str) -> str | None:
    """Where a wrapped link says it leads, through all wrappers; None when it is no wrapper or says nothing usable.

    For judging and comparing only: what is followed and kept is the wrapped link, and it may lead elsewhere.
    """
    target = None
    for _ in range(MAX_UNWRAPPINGS):
        inner = _unwrap_once(target or url)
        if inner is None:
            break
        target = inner
    return target


def is_wrapper(url: str) -> bool:
    """By host and path, whatever it carries."""
    host = host_of(url)
    return bool(host) and destination_parameters(host, urlsplit(url).path) is not None


def carried_destination(url: str) -> str | None:
    """The foreign address in the query of a link whose host we do not know for a wrapper: `/leaving?to=https://…`.

    Return addresses of log-in and share links are none: they lead back to the site, or are on such a path.
    """
    parts = urlsplit(url if host_of(url) else "")
    if _COMES_BACK.search(parts.path):
        return None
    carried = [
        value
        for name, value in parse_qsl(parts.query)
        if name.lower() in _DESTINATIONS and re.match(r"https?://[^/]", value) and host_of(value)
    ]
    if len(carried) != 1 or registrable_domain(host_of(carried[0])) == registrable_domain(host_of(url)):
        return None
    return carried[0]


@lru_cache(maxsize=4096)
def destination_parameters(host: str, path: str) -> tuple[str, ...] | None:
    """Where a wrapper at this host and path keeps its destination; None when it is no wrapper."""
    for wrapper, pattern, names in WRAPPERS:
        if (host == wrapper or host.endswith("." + wrapper)) and re.fullmatch(pattern, path or "/"):
            return names
    return None


def _unwrap_once(url: str) -> str | None:
    host = host_of(url)
    parts = urlsplit(url if host else "")
    names = destination_parameters(host, parts.path)
    if names is None:
        return None
    values = parse_qs(parts.query)
    for name in names:
        target = unquote(parts.query) if name == "" else values.get(name, [""])[0]
        if target.startswith("//"):
            target = "https:" + target
        elif "://" not in target[:12] and "." in target.partition("/")[0]:
            target = "https://" + target  # some platforms drop the scheme of what people typed
        if target.startswith(("http://", "https://")) and host_of(target):
            return target
    return None
