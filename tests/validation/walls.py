"""Family ``outcomes``: what sites show in place of a page, worded as they word it, and pages that only sound like it.

Written from what sites say, not from what the program looks for: where the program does not know a wording, the table
says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from custody.model import HopKind, Outcome
from tests.site.host import Answer, Door, Ending
from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.languages import LANGUAGES
from tests.validation.truth import Page, Step

Write = Callable[[Making, Draft], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wall:
    outcome: Outcome
    title: str
    write: Write
    status: int = 200
    language: str = "english"
    sent_to: str | None = None
    """The path that the browser is redirected to, where it is."""
    nav: bool = True
    """Whether the site's own frame is around it."""
    headers: tuple[tuple[str, str], ...] = ()


def _fields(draft: Draft, *names: str) -> None:
    inputs = "".join(
        f'<div><input name="{each}" type="{"password" if each == "password" else "text"}" placeholder="{each}"></div>'
        for each in names
    )
    draft.put(f"<form method=post action=/submit>{inputs}<div><button>Go</button></div></form>", "Go")


def _says(*blocks: str) -> Write:
    """A heading, paragraphs, and buttons in [brackets]."""

    def write(_: Making, draft: Draft) -> None:
        for n, block in enumerate(blocks):
            if block.startswith("["):
                draft.button(block.strip("[]"))
            else:
                draft.say(block, "h1" if n == 0 else "p")

    return write


def _form(blocks: tuple[str, ...], *fields: str) -> Write:
    def write(making: Making, draft: Draft) -> None:
        _says(*blocks)(making, draft)
        _fields(draft, *fields)

    return write


def _dialog(*blocks: str) -> Write:
    def write(making: Making, draft: Draft) -> None:
        draft.put(
            '<div role="dialog" aria-modal="true" style="position:fixed;inset:10% 10%;background:#fff;border:1px solid">'
        )
        _says(*blocks)(making, draft)
        draft.put("</div>")

    return write


def _prose_and(paragraphs: int, *blocks: str) -> Write:
    def write(making: Making, draft: Draft) -> None:
        making.prose(draft, paragraphs=paragraphs, sentences=4)
        _says(*blocks)(making, draft)

    return write


def _widget(markup: str, *blocks: str) -> Write:
    def write(making: Making, draft: Draft) -> None:
        _says(*blocks)(making, draft)
        draft.put(markup)

    return write


O = Outcome  # noqa: E741 - forty lines of a table
WALLS: dict[str, Wall] = {
    # Asked to log in
    "login-form": Wall(outcome=O.LOGIN_WALL, title="Murmuro • Log in", sent_to="/login", write=_form(
        ("Log in to Murmuro", "New here? Create an account in a minute."), "email", "password")),
    "login-continue": Wall(outcome=O.LOGIN_WALL, title="Murmuro", write=_form(
        ("You need an account for this", "Sign in to keep looking at Ines’s photos."), "phone", "password")),
    "login-dialog": Wall(outcome=O.LOGIN_WALL, title="Ines on Murmuro", write=_dialog(
        "See more from Ines", "Log in or sign up to see photos and videos from friends.", "[Log in]", "[Sign up]")),
    "login-members": Wall(outcome=O.LOGIN_WALL, title="Members", write=_form(
        ("This thread is for members", "Please sign in with your member number."), "member", "password")),
    "login-german": Wall(outcome=O.LOGIN_WALL, title="Anmelden – Murmuro", sent_to="/accounts/login", language="german",
        write=_form(("Willkommen zurück", "Melde dich an, um Beiträge von Ines zu sehen."), "name", "password")),
    "login-japanese": Wall(outcome=O.LOGIN_WALL, title="ログイン • Murmuro", language="japanese", sent_to="/accounts/login",
        write=_form(("ログイン", "続きを見るにはログインしてください。"), "name", "password")),
    "login-basic": Wall(outcome=O.LOGIN_WALL, title="Authorization required", status=401, nav=False, write=_form(
        ("Authorization required", "Enter the password you were given."), "password")),
    # Private
    "private-account": Wall(outcome=O.PRIVATE, title="le.petit.coffret • Murmuro", write=_says(
        "le.petit.coffret", "214 posts, 3,100 followers", "This Account is Private",
        "Follow this account to see their photos and videos.", "[Follow]")),
    "private-friends": Wall(outcome=O.PRIVATE, title="Murmuro", write=_says(
        "Content shared with a small group", "The owner only lets friends see this post.")),
    "private-spanish": Wall(outcome=O.PRIVATE, title="nurbanu • Murmuro", language="spanish", write=_says(
        "nurbanu.style", "Esta cuenta es privada", "Síguela para ver sus fotos y vídeos.", "[Seguir]")),
    "private-protected": Wall(outcome=O.PRIVATE, title="@hanako88", write=_says(
        "@hanako88", "These posts are protected", "Only confirmed followers have access to @hanako88’s posts.", "[Follow]")),
    # Removed
    "removed-author": Wall(outcome=O.REMOVED, title="Post • Murmuro", write=_says(
        "Gone", "Ines took this post down on 4 March.", "[Back to Murmuro]")),
    "removed-owner": Wall(outcome=O.REMOVED, title="Murmuro", status=404, write=_says(
        "This post was deleted by its author.", "[Home]")),
    "removed-rules": Wall(outcome=O.REMOVED, title="Murmuro", status=410, write=_says(
        "We removed this post because it broke our rules on counterfeit goods.")),
    "removed-seller": Wall(outcome=O.REMOVED, title="Bazaar", write=_says(
        "This listing was removed by the seller", "Have a look at similar things instead.")),
    "removed-french": Wall(outcome=O.REMOVED, title="Murmuro", language="french", write=_says(
        "Publication supprimée", "Cette publication a été supprimée par son auteur.")),
    # Not available, and the page does not say why
    "unavailable-sorry": Wall(outcome=O.UNAVAILABLE, title="Murmuro", write=_says(
        "Sorry, this page isn't available.", "The link you followed may be broken, or the page may have been removed.")),
    "unavailable-video": Wall(outcome=O.UNAVAILABLE, title="Clips", write=_says("Video unavailable", "[More clips]")),
    "unavailable-suspended": Wall(outcome=O.UNAVAILABLE, title="Murmuro", write=_says(
        "Account suspended", "We suspend accounts that do not follow our rules.")),
    "unavailable-listing": Wall(outcome=O.UNAVAILABLE, title="Bazaar", write=_says(
        "This item is no longer for sale", "It may have sold out or been taken off the shelf.")),
    "unavailable-german": Wall(outcome=O.UNAVAILABLE, title="Murmuro", language="german", write=_says(
        "Dieser Inhalt ist derzeit nicht verfügbar", "Vielleicht hat der Besitzer ihn nur für wenige freigegeben.")),
    "unavailable-chinese": Wall(outcome=O.UNAVAILABLE, title="小集", language="chinese", write=_says("你访问的页面不见了", "笔记可能已被删除或暂时无法浏览。")),
    "unavailable-korean": Wall(outcome=O.UNAVAILABLE, title="Murmuro", language="korean", write=_says(
        "죄송합니다. 페이지를 사용할 수 없습니다.", "클릭한 링크가 잘못되었거나 페이지가 삭제되었습니다.")),
    # Age
    "age-warning": Wall(outcome=O.AGE_GATE, title="Murmuro", write=_dialog(
        "Sensitive content", "This photo may contain content some people find upsetting.", "[See photo]")),
    "age-confirm": Wall(outcome=O.AGE_GATE, title="Cellar", write=_says(
        "Are you of legal drinking age?", "[Yes, let me in]", "[No, I am younger]")),
    "age-birth": Wall(outcome=O.AGE_GATE, title="Plink", write=_form(
        ("When were you born?", "This link is for grown-ups. Tell us your date of birth to go on."), "day", "month", "year")),
    "age-french": Wall(outcome=O.AGE_GATE, title="Cave", language="french", write=_says(
        "Avez-vous plus de 18 ans ?", "[Oui, j’ai plus de 18 ans]", "[Non]")),
    # Region
    "geo-country": Wall(outcome=O.GEO_BLOCK, title="Bazaar", write=_says(
        "We are not in your country yet", "This shop can not be reached from where you are.")),
    "geo-gdpr": Wall(outcome=O.GEO_BLOCK, title="451: Unavailable due to legal reasons", status=451, nav=False, write=_says(
        "451", "We recognize you are attempting to access this website from a country belonging to the European Economic "
        "Area (EEA) and therefore access cannot be granted at this time.")),
    "geo-video": Wall(outcome=O.GEO_BLOCK, title="Clips", write=_says(
        "Not in your region", "The uploader has not made this video available in your region.")),
    "geo-german": Wall(outcome=O.GEO_BLOCK, title="Kaufwelt", language="german", write=_says(
        "Leider kein Zugang", "Dieser Inhalt kann in Ihrem Land nicht angezeigt werden.")),
    # Consent
    "consent-wall": Wall(outcome=O.CONSENT, title="Before you continue", nav=False, write=_says(
        "Before you continue to Clips", "We use cookies and data to deliver and maintain our services, track outages and "
        "measure audience engagement.", "[Reject all]", "[Accept all]", "[More options]")),
    "consent-german": Wall(outcome=O.CONSENT, title="Datenschutz", nav=False, language="german", write=_says(
        "Ihre Privatsphäre ist uns wichtig", "Wir und unsere 842 Partner speichern Informationen auf Ihrem Gerät und greifen "
        "darauf zu.", "[Alle akzeptieren]", "[Einstellungen]")),
    "consent-pay": Wall(outcome=O.CONSENT, title="Weiter mit Werbung oder Abo", nav=False, language="german", write=_says(
        "Weiter mit Werbung oder mit Pur-Abo", "Besuchen Sie uns wie gewohnt mit Werbung und Tracking, indem Sie der Nutzung "
        "aller Cookies zustimmen.", "[Zustimmen und weiter]", "[Jetzt abonnieren]")),
    # Robot checks
    "captcha-press": Wall(outcome=O.CAPTCHA, title="Bazaar", nav=False, status=403, write=_says(
        "Before we go on", "Press and hold the button to show us that a person sits there.", "[Press & Hold]")),
    "captcha-letters": Wall(outcome=O.CAPTCHA, title="Bazaar", nav=False, write=_form(
        ("Type the letters in the picture", "Our systems want to be sure that you are not a machine."), "letters")),
    "captcha-widget": Wall(outcome=O.CAPTCHA, title="One more step", nav=False, write=_widget(
        '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>',
        "One more step", "Please complete the check below to get to tinybazaar.")),
    "captcha-waiting": Wall(outcome=O.CAPTCHA, title="Just a moment...", status=503, nav=False, write=_says(
        "tinybazaar.example", "Checking if the site connection is secure", "tinybazaar.example needs to review the security "
        "of your connection before proceeding.")),
    "captcha-chinese": Wall(outcome=O.CAPTCHA, title="验证", nav=False, language="chinese", write=_says("请完成安全验证", "请按住滑块,拖动到最右边")),
    # Too much asked
    "rate-429": Wall(outcome=O.RATE_LIMITED, title="Too many requests", status=429, nav=False, write=_says(
        "Easy there", "Your network has sent us more than we can handle. Come back in ten minutes.")),
    "rate-plain": Wall(outcome=O.RATE_LIMITED, title="Murmuro", write=_says(
        "Please wait a few minutes before you try again.")),
    "rate-spanish": Wall(outcome=O.RATE_LIMITED, title="Bazaar", status=429, language="spanish", nav=False, write=_says(
        "Demasiadas solicitudes", "Vuelve a intentarlo dentro de un rato.")),
    # Only in an app
    "app-open": Wall(outcome=O.APP_ONLY, title="Murmuro", nav=False, write=_says(
        "Open the Murmuro app to see this story", "[Open app]", "[Get the app]")),
    # Errors by status
    "error-404": Wall(outcome=O.HTTP_ERROR, title="404", status=404, write=_says(
        "Nothing at this address", "Check the spelling, or start from our home page.")),
    "error-404-plain": Wall(outcome=O.HTTP_ERROR, title="404 Not Found", status=404, nav=False, write=_says("Not Found", "nginx")),
    "error-500": Wall(outcome=O.HTTP_ERROR, title="Oh dear", status=500, nav=False, write=_says(
        "Oh dear", "Our hamsters fell off the wheel. We have been told.")),
    "error-502": Wall(outcome=O.HTTP_ERROR, title="502 Bad Gateway", status=502, nav=False, write=_says("502 Bad Gateway")),
    "error-503": Wall(outcome=O.HTTP_ERROR, title="Down for maintenance", status=503, nav=False, write=_says(
        "Down for maintenance", "Back at six in the morning.")),
    "error-403": Wall(outcome=O.HTTP_ERROR, title="403 Forbidden", status=403, nav=False, write=_says("403 Forbidden")),
    # Pages that only sound like walls
    "ok-privacy-article": Wall(outcome=O.OK, title="How to make your account private", write=_prose_and(
        5, "How to make an account private", "Open the settings, choose privacy and switch it on.", "Only your followers see it then.")),
    "ok-cookie-bar": Wall(outcome=O.OK, title="Velvet box", write=_prose_and(
        4, "We use cookies to remember your basket.", "[Accept]", "[Reject]")),
    "ok-out-of-stock": Wall(outcome=O.OK, title="Screw bangle", write=_says(
        "Screw bangle, size three", "€ 19.90", "Gold colour on steel, with two screws and a small screwdriver in the box. "
        "The clasp opens with a quarter turn. Rated 4.6 by 311 buyers.", "Currently unavailable in size four.", "[Tell me when it is back]")),
    "ok-removed-mention": Wall(outcome=O.OK, title="Ines on Murmuro", write=_says(
        "Ines", "My last post was removed by mistake, so here it is again: the bangle, the box and the tiny screwdriver, "
        "photographed on my aunt’s balcony in the morning sun. I still wear it every day, and no, it has not turned green.")),
    "ok-login-link": Wall(outcome=O.OK, title="Ines on Murmuro", write=_prose_and(2, "Ines", "Log in to leave a comment.", "[Log in]")),
    "ok-adults": Wall(outcome=O.OK, title="Ring sizes", write=_says(
        "Ring sizes for adults", "Sizes 16 to 21 are kept in stock; you must be measured with a warm hand, since fingers grow "
        "and shrink over the day. We post on Mondays.")),
    "ok-captcha-blog": Wall(outcome=O.OK, title="On captchas", write=_prose_and(
        4, "Why I dislike captchas", "“I am not a robot” is the most dishonest button on the web, and I press it daily.")),
    "ok-country": Wall(outcome=O.OK, title="Delivery", write=_says(
        "Where we deliver", "We do not ship to your country? Write to us. Parcels to Norway, Iceland and the Azores take nine "
        "days and need no papers; to everywhere else in Europe it is four.")),
    "ok-short-poem": Wall(outcome=O.OK, title="Rain", nav=False, write=_says("Rain", "It fell.", "We stayed.")),
    "ok-app-banner": Wall(outcome=O.OK, title="Ines on Murmuro", write=_prose_and(4, "Murmuro is nicer in the app", "[Open]")),
}  # fmt: skip


def _wall(wall: Wall, making: Making) -> Page:
    language = LANGUAGES[wall.language]
    draft = Draft(title=wall.title, language=language.tag, direction=language.direction)
    draft.show_some(making.random, making.place(), "png")
    if wall.nav:
        draft.put(
            '<nav><ul><li><a href="/">Murmuro</a></li><li><a href="/explore">Explore</a></li></ul></nav>',
            "Murmuro",
            "Explore",
        )
    wall.write(making, draft)
    if wall.nav:
        draft.put("<footer><div>© Murmuro Ltd.</div></footer>", "© Murmuro Ltd.")
    if wall.sent_to is None:
        return making.publish(draft, outcome=wall.outcome, status=wall.status, headers=wall.headers)
    asked = making.url
    end = f"https://{making.social}{wall.sent_to}/{making.name}"
    making.network.lead(asked, 302, end)
    step = Step(kind=HopKind.HTTP, status=302, to_url=end)
    return making.publish(draft, url=end, asked=asked, outcome=wall.outcome, status=wall.status, hops=[step])


def _at_door(door: Door, outcome: Outcome, making: Making) -> Page:
    host = f"{making.name}.doors.example"
    making.network.door(host, door)
    return making.page(url=f"https://{host}/item", outcome=outcome, lines=())


def _no_such_host(making: Making) -> Page:
    """RFC 6761: a name under ``invalid`` never resolves."""
    return making.page(url=f"https://{making.name}.never-there.invalid/", outcome=Outcome.DNS_ERROR)


def _bad_certificate(making: Making) -> Page:
    """The page is shown, and what is wrong with its certificate is in the record."""
    host = f"{making.name}.doors.example"
    making.network.door(host, Door.BAD_CERTIFICATE)
    draft = making.draft("Crumbly shop")
    making.prose(draft, paragraphs=3)
    return making.publish(draft, url=f"https://{host}/item")


def _file(media_type: str, headers: tuple[tuple[str, str], ...], data: bytes, making: Making) -> Page:
    making.network.put(making.url, Answer(body=data, media_type=media_type, headers=headers))
    shown = not headers
    return making.page(url=making.url, outcome=Outcome.NOT_A_PAGE, lines=None, final_url=making.url if shown else None)


def _nothing(making: Making) -> Page:
    making.network.put(making.url, Answer(status=204, media_type=None))
    return making.page(url=making.url, outcome=Outcome.NOT_A_PAGE)


def _hung_up(making: Making) -> Page:
    making.network.put(making.url, Answer(ending=Ending.EMPTY))
    return making.page(url=making.url, outcome=Outcome.ERROR)


def _circle(making: Making) -> Page:
    """Two addresses that redirect to each other: an error, after as many hops as are followed."""
    there = f"{making.url}/there"
    making.network.lead(making.url, 302, there)
    making.network.lead(there, 302, making.url)
    hops = [Step(kind=HopKind.HTTP, status=302, to_url=making.url if n % 2 else there) for n in range(20)]
    return making.page(url=making.url, outcome=Outcome.ERROR, hops=tuple(hops), lines=())


_NET: Family = {
    "dns": _no_such_host,
    "tls-garbage": partial(_at_door, Door.GARBAGE, Outcome.TLS_ERROR),
    "silent": partial(_at_door, Door.SILENT, Outcome.TIMEOUT),
    "refused": partial(_at_door, Door.REFUSED, Outcome.ERROR),
    "bad-certificate": _bad_certificate,
    "download": partial(_file, "application/zip", (("Content-Disposition", 'attachment; filename="a.zip"'),), b"PK\x05\x06" + bytes(18)),
    "picture": partial(_file, "image/gif", (), b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"),
    "no-content": _nothing,
    "hung-up": _hung_up,
    "circle": _circle,
}  # fmt: skip
FAMILY: Family = {**{name: partial(_wall, wall) for name, wall in WALLS.items()}, **_NET}
