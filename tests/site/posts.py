"""What the make-believe influencer has posted. The story: a copy sold on a wink, and where its links lead."""

import html
from dataclasses import dataclass
from enum import StrEnum

NETWORK = "https://www.glimpsegram.example"
AUTHOR = f"{NETWORK}/mirabelle.finds/"
HUB = "https://lnkgarden.example/mirabelle"
SHORT = "https://hopp.example/kx7"
REFRESH = "https://go.redirly.example/m/9d41"
SCRIPT = "https://go.redirly.example/j/77ac"
LISTING = "https://www.bazaroo.example/item/4410087712-screw-bracelet-for-women"
SELLER = "https://www.bazaroo.example/shop/sunnyjewel-factory"
GONE_404 = "https://www.bazaroo.example/item/4410063377-gold-screw-bangle"
GONE_200 = "https://www.bazaroo.example/item/4410051120-wrist-cuff-with-screws"
PLAIN_HTTP = "http://oldlinks.example/mirabelle"
BAD_CERTIFICATE = "https://www.crumblyshop.example/bracelets"
SPAM = "https://www.winbig-promo.example/free-gift"


class Credit(StrEnum):
    """How a post's page says who wrote it."""

    JSON_LD = "json_ld"
    REL = "rel"
    BYLINE = "byline"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    handle: str
    text: str
    """Markup."""
    avatar: str = "reader"
    when: str = "2 d"


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    name: str
    """As ``Site.url`` knows it."""
    code: str
    photo: str
    caption: str
    """Markup."""
    published: str
    credit: Credit
    likes: str
    alt: str
    place: str = "Lyon, France"
    language: str = "en"
    direction: str = "ltr"
    comments: tuple[Comment, ...] = ()

    @property
    def url(self) -> str:
        return f"{NETWORK}/p/{self.code}/"


def anchor(url: str, shown: str | None = None) -> str:
    shown = shown or url.partition("://")[2]
    return f'<a href="{html.escape(url)}" rel="nofollow noopener ugc" target="_blank">{html.escape(shown)}</a>'


def tag(name: str) -> str:
    return f'<a href="/explore/tags/{name}/">#{name}</a>'


POSTS = (
    Post(
        name="post",
        code="Cx7LoveBand1",
        photo="bracelet-wrist",
        alt="A gold-coloured band with screw heads on a wrist",
        published="2026-10-29T17:04:11Z",
        credit=Credit.JSON_LD,
        likes="2,317",
        caption=(
            "my Love bracelet has not left my wrist since March 💛\n\n"
            "everyone at work thought it was The Real One… seven thousand at the boutique, mine was less than lunch 🤫 "
            "screw motif, tiny screwdriver, the whole thing. does not tarnish, I shower in it 🚿\n\n"
            "🔗 link in bio, it's number 14 ✨\n\n"
            f"{tag('lovebracelet')} {tag('cartierdupe')} {tag('luxuryforless')}"
        ),
        comments=(
            Comment(handle="nadia.k", avatar="nadia", text="wait this is NOT Cartier?? 😳", when="4 d"),
            Comment(handle="mirabelle.finds", avatar="mirabelle", text="@nadia.k shhh 🤫 number 14", when="4 d"),
            Comment(handle="hana_tokyo", avatar="hana", text="可愛い！どこで買えますか？ 정말 예뻐요 💕", when="3 d"),
            Comment(
                handle="w1n_big_2026",
                avatar="promo",
                text=f"🎁 FREE gift for first 100 → {anchor(SPAM)}",
                when="1 d",
            ),
        ),
    ),
    Post(
        name="post_direct",
        code="Cx8Shower22",
        photo="bracelet-linen",
        alt="A gold-coloured bangle on linen",
        published="2026-10-31T08:40:00Z",
        credit=Credit.REL,
        likes="1,182",
        caption=(
            "you asked, so here it is again: the screw bracelet, three months in, still gold ✨ "
            f"today with a code, tap fast 👉 {anchor(SHORT)}\n\n{tag('dupe')} {tag('screwbracelet')}"
        ),
        comments=(
            Comment(
                handle="tomasz_w", avatar="tomasz", text="Przyszła po 9 dniach, śrubokręt w zestawie 👍", when="6 d"
            ),
            Comment(handle="nadia.k", avatar="nadia", text=f"mine was cheaper here {anchor(GONE_404)}", when="5 d"),
        ),
    ),
    Post(
        name="post_chinese",
        code="Cx9LuoSi33",
        photo="bracelet-three",
        alt="三只螺丝手镯：金色、玫瑰金、银色",
        published="2026-11-02T12:15:30Z",
        credit=Credit.BYLINE,
        likes="904",
        place="上海 · 徐汇区",
        language="zh-Hans",
        caption=(
            "姐妹们！这款螺丝手镯真的绝了 😍😍\n"
            "和专柜的 LOVE 手镯几乎一模一样，还送小螺丝刀 🪛，洗澡也不掉色。三种颜色：黄金、玫瑰金、银色，"
            f"一顿火锅的钱就能拿下 🍲\n同款链接 👉 {anchor(REFRESH)}\n\n{tag('螺丝手镯')} {tag('平替')}"
        ),
        comments=(
            Comment(handle="hana_tokyo", avatar="hana", text="ピンクゴールドが好き 🥹", when="2 d"),
            Comment(handle="mirabelle.finds", avatar="mirabelle", text="@hana_tokyo 私も！", when="2 d"),
        ),
    ),
    Post(
        name="post_arabic",
        code="CxASiwar44",
        photo="bracelet-coffee",
        alt="إسورة ذهبية اللون بجانب فنجان قهوة",
        published="2026-11-05T19:22:05Z",
        credit=Credit.REL,
        likes="1,640",
        place="دبي، الإمارات",
        language="ar",
        direction="rtl",
        caption=(
            "وصلتني إسورة الحب 💛 نفس شكل الأصلية تماماً ومعها المفك الصغير، وبسعر أقل من عشاء ليلة الجمعة 🌙\n"
            f"لا يتغير لونها مع الماء. الرابط هنا 👈 {anchor(SCRIPT)}\n\n{tag('إسورة')} {tag('ماركات')}"
        ),
        comments=(Comment(handle="nadia.k", avatar="nadia", text="كم السعر حبيبتي؟ 🙏", when="1 d"),),
    ),
    Post(
        name="post_leaving",
        code="CxBExit555",
        photo="bracelet-listing",
        alt="A bangle with its screwdriver on white",
        published="2026-11-08T07:00:00Z",
        credit=Credit.JSON_LD,
        likes="733",
        caption=(
            "comes with the tiny screwdriver 😂 full listing: "
            + anchor(
                "https://l.glimpsegram.example/?u=https%3A%2F%2Fwww.bazaroo.example%2Fitem%2F"
                "4410087712-screw-bracelet-for-women&e=AT0xf3",
                "bazaroo.example/item/44100877…",
            )
        ),
    ),
    Post(
        name="post_unlinked",
        code="CxCTyped66",
        photo="hoops",
        alt="Two hoop earrings",
        published="2026-11-09T10:30:00Z",
        credit=Credit.BYLINE,
        likes="512",
        caption="hoops to match the Love band 🥰 links never work here so type it yourselves: hopp.example/kx7 (or https://hopp.example/kx7)",
    ),
    Post(
        name="post_gone",
        code="CxDGone777",
        photo="parcel",
        alt="A parcel with a green ribbon",
        published="2026-08-14T16:45:00Z",
        credit=Credit.REL,
        likes="398",
        caption=f"restock!! gold {anchor(GONE_404)} and the cuff {anchor(GONE_200)} go go go 🏃‍♀️📦",
    ),
    Post(
        name="post_plain_http",
        code="CxEOldWeb88",
        photo="leaves",
        alt="A plant in a clay pot",
        published="2026-07-02T09:00:00Z",
        credit=Credit.JSON_LD,
        likes="287",
        caption=f"my old page with every link since 2019 lives here 🌿 {anchor(PLAIN_HTTP)}",
    ),
    Post(
        name="post_bad_certificate",
        code="CxFCrumb99",
        photo="beach",
        alt="A sunset by the sea",
        published="2026-06-21T20:10:00Z",
        credit=Credit.BYLINE,
        likes="1,021",
        place="Jumeirah Beach",
        caption=f"golden hour, golden wrist 🌅 small shop, tiny prices: {anchor(BAD_CERTIFICATE)}",
    ),
)
