"""Robot checks: structures that stand on a page only where a check stands in place of the page."""

import re
from urllib.parse import urlsplit

from crawlers.layout import Layout
from crawlers.notices import MEDIUM, STRONG, WEAK

_PATH = re.compile(r"/(challenge|captcha|robot|sorry/index|_____tmd_____/punish|[a-z]*_verification\.html|__rd_verify)")
_WIDGET_HOST = re.compile(
    r"(^|\.)(hcaptcha\.com|challenges\.cloudflare\.com|arkoselabs\.com|funcaptcha\.com|geetest\.com|recaptcha\.net|"
    r"mtcaptcha\.com|friendlycaptcha\.(com|eu)|smartcaptcha\.yandexcloud\.net|captcha\.qq\.com|captcha-delivery\.com)$"
)
_WIDGETS = (
    "//*[@data-sitekey or contains(concat(' ',@class,' '),' g-recaptcha ') or contains(@class,'h-captcha')"
    " or contains(@class,'cf-turnstile')]"
)
_IN_PLACE = (
    ("//form[contains(@action,'validateCaptcha')]", "a form that validates a captcha"),
    ("//form[@id='challenge-form' or contains(@action,'__cf_chl')]", "a challenge form"),
    ("//*[@id='cf-challenge-running' or @id='challenge-running' or @id='challenge-stage']", "a running challenge"),
    ("//*[contains(@class,'cf-browser-verification')]", "a browser verification"),
    ("//*[@id='px-captcha' or @id='sec-cpt-if' or @id='sec-if-cpt-container']", "a captcha container"),
    ("//*[@id='baxia-punish']", "a captcha container"),
    ("//*[@id='cs' and //*[@id='wci']]", "a challenge of the site's firewall"),
    ("//iframe[contains(@src,'captcha-delivery.com') or contains(@src,'/punish?')]", "a challenge in a frame"),
    ("//iframe[contains(@src,'_Incapsula_Resource')]", "a challenge in a frame"),
    ("//script[@id='anubis_challenge']", "a proof-of-work challenge"),
    ("//head/title[.='Sina Visitor System']", "a check that makes a visitor of the browser"),
    ("//form[contains(@action,'captcha') or contains(@action,'/sorry/')]", "a form that sends a captcha"),
)


def challenge(layout: Layout) -> str | None:
    """What checks for robots on a thin page; None where nothing does.

    A check beside fields that a person fills in guards that form, not the page.
    """
    prose = layout.prose
    if prose <= STRONG:
        found = next((name for xpath, name in _IN_PLACE if layout.root.xpath(xpath)), None)
        if found is not None:
            return found
    typed = [each for each in layout.inputs() if "captcha" not in f"{each.get('name')} {each.get('id')}".lower()]
    return _widget(layout) if prose <= MEDIUM and not typed else None


def sent_to(url: str, requested_url: str, layout: Layout) -> str | None:
    """The path of a check that the browser was sent to, where next to nothing is said there."""
    moved = _PATH.search(urlsplit(url).path)
    if moved is None or _PATH.search(urlsplit(requested_url).path) or layout.prose > WEAK:
        return None
    return moved[0]


def _widget(layout: Layout) -> str | None:
    for frame in layout.root.xpath("//iframe[@src]"):
        try:
            parts = urlsplit(frame.get("src"))
        except ValueError:
            continue  # "https://[": no address of anybody's
        host = parts.hostname or ""
        google = host in ("www.google.com", "www.recaptcha.net") and parts.path.startswith("/recaptcha/")
        if (google or _WIDGET_HOST.search(host)) and "size=invisible" not in parts.query:
            return f"a frame of {host}"
    fields = layout.elements(_WIDGETS)
    return "a captcha field" if any(each.get("data-size") != "invisible" for each in fields) else None
