"""Hosts that we know by name: whose links lead on, whose lead nowhere. Tables of our own, a reason for each group."""

import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from crawlers.address import host_of, registrable_domain
from crawlers.wrappers import destination_parameters


class Kind(StrEnum):
    """What a link's address says of it, before anybody has looked."""

    WRAPPER = "wrapper"
    """Passes visitors on, with the destination in its own address; affiliate networks are among them."""
    SHORTENER = "shortener"
    """Passes visitors on to a destination that only it knows."""
    HUB = "hub"
    """A page of one person's links."""
    SHARE = "share"
    APP_STORE = "app_store"
    LEGAL = "legal"
    HOUSEHOLD = "household"
    """A platform's own pages about itself: help, jobs, developers, its cookie banner."""
    MARKET = "market"
    SOCIAL = "social"
    OTHER = "other"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Shorteners that anybody may use, and those of shops and platforms: as captions and the services' own help pages write
# them. t.me is not one (it answers with a page), nor is a hub such as lnk.bio.
SHORTENERS = _words(
    """
    bit.ly bitly.com j.mp tinyurl.com t.co t.ly goo.gl ow.ly is.gd v.gd buff.ly rb.gy cutt.ly shorturl.at short.gy
    s.id rebrand.ly bl.ink tiny.cc tiny.one soo.gd clck.ru vk.cc u.to qr.ae lnkd.in dlvr.it ift.tt trib.al fb.me
    wp.me po.st snip.ly smarturl.it geni.us qrco.de qr.net me-qr.com dub.sh urlz.fr shrtco.de gg.gg
    surl.li ouo.io adf.ly x.gd reurl.cc lihi.cc lihi1.com ppt.cc 0rz.tw t.cn url.cn dwz.cn suo.im
    han.gl vo.la bit.do amzn.to amzn.eu amzn.asia amzn.com a.co ebay.to ebay.us etsy.me walmrt.us
    shope.ee s.lazada.co.th s.lazada.com.my s.lazada.com.ph s.lazada.co.id s.lazada.sg s.lazada.vn
    temu.to onelink.shein.com a.aliexpress.com s.click.aliexpress.com e.tb.cn m.tb.cn
    tb.cn s.click.taobao.com u.jd.com 3.cn xhslink.com v.douyin.com vm.tiktok.com vt.tiktok.com pin.it redd.it
    spoti.fi apple.co youtu.be
    """
)

# Click-through hosts of affiliate networks and creator shops: the commission is why the link exists, so it is followed.
# From the networks' public deep-link help and from posts; those whose destination is in the query are in WRAPPERS too.
AFFILIATES = _words(
    """
    rstyle.me shopstyle.it shop-links.co shopmy.us shopmy.link liketk.it liketoknow.it ltk.app go.magik.ly magik.ly
    howl.me howl.link lasso.to glnk.io fave.co levanta.io collabs.shop mavely.app.link mavelylife.com go.shopmy.us
    shareasale.com shareasale-analytics.com avantlink.com prf.hn tidd.ly awin1.com zenaps.com click.linksynergy.com
    anrdoezrs.net dpbolvw.net jdoqocy.com kqzyfj.com tkqlhce.com emjcd.com qksrv.net pxf.io sjv.io 7eer.net evyy.net
    ojrq.net pjtra.com pjatr.com pntra.com pntrac.com pntrs.com gopjn.com go.skimresources.com
    redirect.viglink.com sovrn.co ad.admitad.com alitems.com alitems.site tracking.admitad.com clk.tradedoubler.com
    track.webgains.com rover.ebay.com partner-ads.com track.flexlinkspro.com narrativ.io
    bam-x.com go.redirectingat.com amazon-adsystem.com hypb.st app.link onelink.me adj.st bttn.io s.shopee.co.id
    """
)

# One person's page of links. The services' own names, as they print them on the pages.
HUBS = _words(
    """
    linktr.ee beacons.ai beacons.page bio.link bio.site linkin.bio campsite.bio taplink.cc taplink.at taplink.ws
    solo.to carrd.co komi.io koji.to withkoji.com msha.ke milkshake.app lnk.bio allmylinks.com shor.by flow.page
    flowcode.com linkpop.com stan.store hoo.be linkfly.to lynk.id tap.bio litt.ly lit.link link.me linkbio.co
    instabio.cc link.inpock.co.kr inpock.co.kr contactin.bio linkr.bio heylink.me many.link bento.me about.me
    linkby.me lnk.to ffm.bio biolinky.co linkme.bio likeshop.me dash.bio snipfeed.co pillar.io
    linklist.bio jemi.so hihello.me znaplink.com linkmix.co url.bio manylink.co portaly.cc
    linktree.com later.link linkinprofile.com sleek.bio wonderlink.de l.ead.me
    potofu.me profcard.info
    """
)

# Marketplaces and shop systems: where a promotion is likely to end, so they come first when not all can be followed.
MARKETS = _words(
    """
    aliexpress.com aliexpress.us alibaba.com 1688.com taobao.com tmall.com jd.com pinduoduo.com yangkeduo.com
    weidian.com dhgate.com temu.com shein.com wish.com lightinthebox.com banggood.com made-in-china.com joom.com
    etsy.com ltk.com shopltk.com shopmy.us depop.com vinted.com poshmark.com mercari.com grailed.com stockx.com
    goat.com vestiairecollective.com therealreal.com redbubble.com teepublic.com bonanza.com rakuten.com
    rakuten.co.jp walmart.com target.com bookshop.org shopstyle.com storenvy.com bigcartel.com gumroad.com
    shoptiktok.com myshopify.com shopee.com lazada.com tokopedia.com bukalapak.com qoo10.com coupang.com
    gmarket.co.kr 11st.co.kr flipkart.com meesho.com myntra.com trendyol.com hepsiburada.com n11.com noon.com
    jumia.com ozon.ru wildberries.ru allegro.pl olx.com mercadolibre.com mercadolivre.com.br cssbuy.com superbuy.com
    pandabuy.com sugargoo.com wegobuy.com allchinabuy.com cnfans.com hoobuy.com oopbuy.com kakobuy.com mulebuy.com
    acbuy.com yupoo.com
    """
)
# The same seller under every country's suffix.
_MARKET_NAMES = re.compile(
    r"(?:amazon|ebay|shopee|lazada|mercadolibre|olx|rakuten|shein|jumia)\.[a-z]{2,3}(?:\.[a-z]{2})?"
)

SOCIAL = _words(
    """
    instagram.com instagr.am threads.net threads.com facebook.com fb.com fb.watch messenger.com m.me tiktok.com
    youtube.com twitter.com x.com snapchat.com pinterest.com pinterest.co.uk pinterest.de pinterest.fr pinterest.es
    reddit.com tumblr.com twitch.tv discord.com discord.gg t.me telegram.me telegram.org whatsapp.com wa.me
    linkedin.com vk.com ok.ru weibo.com weibo.cn xiaohongshu.com douyin.com kuaishou.com bilibili.com zhihu.com
    line.me lin.ee kakao.com naver.com bsky.app mastodon.social medium.com substack.com patreon.com onlyfans.com
    ko-fi.com buymeacoffee.com spotify.com soundcloud.com music.apple.com clubhouse.com quora.com bloglovin.com
    vsco.co flickr.com vimeo.com
    """
)

# One platform's several names: a link between them stays where it is.
_ALIASES = {
    "youtu.be": "youtube.com", "instagr.am": "instagram.com", "fb.com": "facebook.com", "fb.watch": "facebook.com",
    "twitter.com": "x.com", "redd.it": "reddit.com", "pin.it": "pinterest.com",
    "threads.net": "threads.com", "telegram.me": "t.me",
}  # fmt: skip

APP_STORES = _words(
    """
    apps.apple.com itunes.apple.com appstore.com play.google.com appgallery.huawei.com galaxystore.samsung.com
    apps.microsoft.com f-droid.org apkpure.com chrome.google.com chromewebstore.google.com addons.mozilla.org
    testflight.apple.com
    """
)

# Widgets that offer the page to the reader's own circle.
_SHARE_HOSTS = _words(
    """
    addtoany.com addthis.com sharethis.com sharer.vk.com social-plugins.line.me service.weibo.com getpocket.com
    flipboard.com instapaper.com share.flipboard.com b.hatena.ne.jp story.kakao.com sharelink.to yummly.com mix.com
    printfriendly.com digg.com connect.ok.ru connect.mail.ru
    """
)
_SHARE_PATHS = re.compile(
    r"^/(?:sharer(?:\.php|/|$)|share(?:\.php|$|/?\?|/url)|dialog/(?:share|feed|send)|plugins/(?:share|like)"
    r"|intent/|shareArticle|sharing/|pin/create|home\?status=|submit(?:$|\?)|R/msg|R/share|msg/text|widgets/share"
    r"|urb/verify|save(?:$|\?)|compose/(?:post|tweet)|share-offsite|cws/share|post\?)"
)
_SHARE_PATH_HOSTS = (
    SOCIAL | _SHARE_HOSTS | _words("buffer.com news.ycombinator.com blogger.com evernote.com trello.com xing.com")
)

# A path that is about the law or the site itself, whichever site it is on: the whole first segment, or the last one
# below a folder for such pages. `/collections/privacy` sells screens.
_LEGAL_SEGMENTS = _words(
    """
    privacy privacy-policy privacypolicy privacy-notice privacy-center privacy_policy policies policy terms
    terms-of-service terms-of-use terms-and-conditions termsofuse tos eula legal legal-notice cookie cookies
    cookie-policy cookiepolicy cookie-preferences gdpr ccpa dmca copyright imprint impressum datenschutz
    datenschutzerklaerung agb nutzungsbedingungen mentions-legales cgu cgv confidentialite
    politique-de-confidentialite aviso-legal privacidad politica-de-privacidad terminos condiciones privacidade
    termos termini note-legali informativa-privacy privacyverklaring voorwaarden polityka-prywatnosci regulamin
    gizlilik kvkk do-not-sell accessibility community-guidelines community-standards
    """
)
_LEGAL_FOLDERS = _words("pages page policies policy legal help about company info site support footer intl s")
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?")
_LEGAL_HOSTS = _words(
    """
    iubenda.com termly.io cookiebot.com onetrust.com trustarc.com usercentrics.eu quantcast.com didomi.io
    aboutads.info optout.aboutads.info youronlinechoices.com youronlinechoices.eu networkadvertising.org
    allaboutcookies.org
    """
)
_HOUSEHOLD_FIRST = re.compile(
    r"(?:about|help|support|policies|legal|privacy|careers?|jobs|developers?|status|press|newsroom|investors?|ir|ads"
    r"|business|accounts?|login|auth|consent|transparency|safety|creators?|partners?|hc)\."
)
_HOUSEHOLDERS = (
    SOCIAL
    | HUBS
    | _words("google.com meta.com bytedance.com pinterestcareers.com snap.com x.ai meta.ai byteoversea.com")
)


def classify(url: str) -> Kind:
    """The kind of an absolute URL; the destination of a wrapper is not looked at."""
    parts = urlsplit(url)
    return _classify(host_of(url), parts.path, parts.query)


@lru_cache(maxsize=4096)
def _classify(host: str, path: str, query: str) -> Kind:
    if _is_share(host, path, query):
        return Kind.SHARE
    if destination_parameters(host, path) is not None:
        return Kind.WRAPPER
    if _listed(host, APP_STORES) and not path.startswith("/store/books"):
        return Kind.APP_STORE
    if _listed(host, AFFILIATES):
        return Kind.WRAPPER
    if host.removeprefix("www.") in SHORTENERS:
        return Kind.SHORTENER
    if _listed(host, _LEGAL_HOSTS) or _is_legal(path):
        return Kind.LEGAL
    if (_HOUSEHOLD_FIRST.match(host) and registrable_domain(host) in _HOUSEHOLDERS) or _is_workshop(host, path):
        return Kind.HOUSEHOLD
    if _listed(host, HUBS):
        return Kind.HUB
    if _listed(host, MARKETS) or _MARKET_NAMES.fullmatch(registrable_domain(host)):
        return Kind.MARKET
    return Kind.SOCIAL if _listed(host, SOCIAL) else Kind.OTHER


def platform_of(host: str) -> str:
    """The registrable domain, with a platform's short names folded into it."""
    domain = registrable_domain(host)
    return _ALIASES.get(domain, domain)


def _listed(host: str, table: frozenset[str]) -> bool:
    """The host itself or any of its parents is in the table."""
    labels = host.split(".")
    return any(".".join(labels[n:]) in table for n in range(len(labels) - 1))


def _is_share(host: str, path: str, query: str) -> bool:
    if _listed(host, _SHARE_HOSTS):
        return True
    if not _listed(host, _SHARE_PATH_HOSTS):
        return False
    if host in ("wa.me", "api.whatsapp.com", "web.whatsapp.com"):
        # With a number it is somebody's shop counter, without one it is "send this to a friend".
        return "text=" in query and "phone=" not in query and path.strip("/") in ("", "send")
    return bool(_SHARE_PATHS.match(path + ("?" + query if query else "")))


def _is_workshop(host: str, path: str) -> bool:
    """Where a page's owner edits it: blog systems put such links on the page, and hide them from visitors."""
    return (host.endswith("blogger.com") and not path.startswith("/profile")) or path.startswith(
        ("/wp-admin", "/wp-login")
    )


def _is_legal(path: str) -> bool:
    segments = [re.sub(r"\.\w{2,5}$", "", segment) for segment in path.lower().split("/") if segment]
    if segments and _LANGUAGE.fullmatch(segments[0]):
        segments = segments[1:]
    if not segments:
        return False
    return segments[0] in _LEGAL_SEGMENTS or (segments[0] in _LEGAL_FOLDERS and segments[-1] in _LEGAL_SEGMENTS)
