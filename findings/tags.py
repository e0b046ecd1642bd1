"""What an address says of whom it serves: affiliate tags, invite codes, ids of items and sellers, by programme."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_VALUE = 200
_MAX_FIELDS = 500
_DEEP = 3
"""Addresses inside of addresses that are read."""


class Fact(StrEnum):
    """What a part of an address is."""

    AFFILIATE = "affiliate"
    """Whom the shop or a network pays for what is bought behind the link."""
    INVITE = "invite"
    """Whose invitation, or whose discount, it is."""
    CLICK = "click"
    """Made anew for each click: it says which network passed the visitor on, and joins no two links."""
    SELLER = "seller"
    ITEM = "item"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Tag:
    """One fact of an address."""

    fact: Fact
    programme: str
    """Name of the shop or network; its host where it runs a programme of its own."""
    name: str
    """Of the parameter, in lower case; ``path`` where it stands in the path."""
    value: str

    @property
    def joins(self) -> bool:
        """Whether two links that carry it were made for one account."""
        return self.fact in (Fact.AFFILIATE, Fact.INVITE)


@dataclass(frozen=True, slots=True)
class _Programme:
    name: str
    hosts: re.Pattern[str]
    parameters: dict[str, Fact]
    paths: tuple[tuple[Fact, re.Pattern[str]], ...] = ()


def _programme(name: str, hosts: str, *paths: tuple[Fact, str], **facts: str) -> _Programme:
    named = {each: Fact(fact) for fact, names in facts.items() for each in names.split()}
    return _Programme(name, re.compile(hosts), named, tuple((fact, re.compile(path)) for fact, path in paths))


# Parameters as the programmes' help for publishers and sellers names them, and as links in posts carry them.
_PROGRAMMES = (
    _programme(
        "amazon", r"(?:.+\.)?amazon\.[a-z.]{2,6}",
        (Fact.ITEM, r"/(?:dp|gp/product|gp/aw/d|exec/obidos/asin)/([A-Z0-9]{10})(?=[/?#]|$)"),
        affiliate="tag ascsubtag", click="linkid", seller="smid seller m",
    ),
    _programme("aliexpress", r"(?:.+\.)?aliexpress\.(?:com|us|ru)", (Fact.ITEM, r"/(?:item|i)/(\d{6,20})\.html"),
               affiliate="aff_short_key aff_platform", click="aff_trace_key aff_fcid", item="productid"),
    _programme("alibaba", r"(?:.+\.)?alibaba\.com", (Fact.ITEM, r"/product-detail/[^/]*_(\d{6,20})\.html")),
    _programme("ebay", r"(?:.+\.)?ebay\.[a-z.]{2,6}", (Fact.ITEM, r"/itm/(?:[^/]+/)?(\d{9,14})(?=[/?#]|$)"),
               affiliate="campid customid", seller="_ssn"),
    _programme("etsy", r"(?:.+\.)?etsy\.com", (Fact.ITEM, r"/listing/(\d{5,14})(?=[/?#]|$)"),
               (Fact.SELLER, r"/shop/([A-Za-z0-9]{3,40})(?=[/?#]|$)")),
    _programme("walmart", r"(?:.+\.)?walmart\.com", (Fact.ITEM, r"/ip/(?:[^/]+/)?(\d{5,14})(?=[/?#]|$)"),
               affiliate="wmlspartner"),
    _programme("temu", r"(?:.+\.)?temu\.com", (Fact.ITEM, r"-g-(\d{9,20})\.html"), item="goods_id"),
    _programme("dhgate", r"(?:.+\.)?dhgate\.com", (Fact.ITEM, r"/product/[^/]+/(\d{6,14})\.html")),
    _programme("taobao", r"(?:.+\.)?(?:taobao|tmall)\.(?:com|hk)", item="id", seller="user_number_id shop_id"),
    _programme("1688", r"(?:.+\.)?1688\.com", (Fact.ITEM, r"/offer/(\d{6,16})\.html")),
    _programme("weidian", r"(?:.+\.)?weidian\.com", item="itemid", seller="userid"),
    _programme("awin", r"(?:www\.)?(?:awin1|zenaps)\.com", affiliate="awinaffid id clickref", seller="awinmid"),
    _programme("rakuten", r"click\.linksynergy\.com", affiliate="id u1", seller="mid"),
    _programme("shareasale", r"(?:www\.)?shareasale\.com", affiliate="u afftrack", seller="m"),
    _programme("skimlinks", r"go\.(?:skimresources|redirectingat)\.com", affiliate="id xcust"),
    _programme("sovrn", r"redirect\.viglink\.com", affiliate="key cuid"),
    _programme("impact", r"(?:.+\.)?(?:pxf\.io|sjv\.io|7eer\.net|evyy\.net|ojrq\.net)",
               (Fact.AFFILIATE, r"/c/(\d{4,12})/\d+/\d+"), affiliate="subid1 sharedid"),
    _programme("cj", r"(?:www\.)?(?:anrdoezrs|dpbolvw|jdoqocy|kqzyfj|tkqlhce)\.(?:net|com)",
               (Fact.AFFILIATE, r"/(?:click-|links/)(\d{6,10})(?=[-/])"), affiliate="sid"),
    _programme("partnerize", r"(?:.+\.)?prf\.hn", affiliate="camref pubref"),
    _programme("admitad", r"ad\.admitad\.com|alitems\.(?:com|site)", affiliate="subid"),
)  # fmt: skip
_CLICKS = {
    "irclickid": "impact", "awc": "awin", "cjevent": "cj", "sscid": "shareasale", "admitad_uid": "admitad",
}  # fmt: skip
"""Left behind on the shop's own address by the network that the visitor came through."""
_LEFT = {"ranmid": ("rakuten", Fact.SELLER), "raneaid": ("rakuten", Fact.AFFILIATE)}
_AFFILIATE = re.compile(r"aff(?:iliate)?(?:_?(?:id|code|tag|key))?|publisher_?id|partner_?(?:id|code)", re.IGNORECASE)
_INVITE = re.compile(
    r"invit(?:e|er|ation)_?(?:id|code)?|refer(?:r(?:al|er))?_?(?:id|code)|ref_?code|refer|rcode|member_?id"
    r"|(?:promo|coupon|discount|voucher)(?:_?code)?",
    re.IGNORECASE,
)
"""What shops, and agents that buy in Chinese shops, call it by themselves. ``ref`` alone names a button as often."""
_DISCOUNT = re.compile(r"^/discount/([^/?#]{2,40})")
"""Shopify: a link that sets a discount code."""


@lru_cache(maxsize=8192)
def tags_of(url: str) -> tuple[Tag, ...]:
    """Sorted, each once. Of an address that carries another, both are read. Never raises."""
    return tuple(sorted({*_found(url, _DEEP)}))


def _found(url: str, deep: int) -> Iterator[Tag]:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().removeprefix("www.")
        pairs = parse_qsl(parts.query, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return
    programme = next((each for each in _PROGRAMMES if each.hosts.fullmatch(host)), None)
    for name, value in pairs:
        low = name.lower()
        if re.match(r"https?://", value):
            if deep:
                yield from _found(value, deep - 1)
        elif value.strip() and len(value) <= MAX_VALUE:
            yield from _of_parameter(low, value, host, programme)
    for fact, pattern in programme.paths if programme else ((Fact.INVITE, _DISCOUNT),):
        if (match := pattern.search(parts.path)) is not None:
            yield Tag(fact=fact, programme=programme.name if programme else host, name="path", value=unquote(match[1]))


def _of_parameter(name: str, value: str, host: str, programme: _Programme | None) -> Iterator[Tag]:
    if programme is not None and name in programme.parameters:
        yield Tag(fact=programme.parameters[name], programme=programme.name, name=name, value=value)
    elif name in _CLICKS:
        yield Tag(fact=Fact.CLICK, programme=_CLICKS[name], name=name, value=value)
    elif name in _LEFT:
        yield Tag(fact=_LEFT[name][1], programme=_LEFT[name][0], name=name, value=value)
    elif _AFFILIATE.fullmatch(name):
        yield Tag(fact=Fact.AFFILIATE, programme=host, name=name, value=value)
    elif _INVITE.fullmatch(name):
        yield Tag(fact=Fact.INVITE, programme=host, name=name, value=value)
