"""Words by which authors say that they are paid, and platforms' marks of it: kept as they stand. No verdict."""

import re
from collections.abc import Iterable

from crawlers.platform import Draft

MAX_FOUND = 20

# Hashtags, whole: platforms' and advertising authorities' own examples, by language.
_TAGS = (
    "ad", "ads", "advert", "advertisement", "sponsored", "sponsoredpost", "paidpartnership", "paidad",
    "gifted", "affiliate",
    "affiliatelink", "affiliatelinks", "ambassador", "brandambassador", "prgift", "prsample", "partner", "collab",
    "werbung", "anzeige", "bezahltewerbung", "unbezahltewerbung", "publicidad", "publi", "colaboracionpagada",
    "adv",
    "pubblicità", "pubblicita", "sponsorizzato", "suppliedby", "publicité", "publicite", "collaborationcommerciale",
    "sponsorisé", "publipost", "parceriapaga", "publicidade", "patrocinado", "colaboraciónpagada", "advertentie",
    "samenwerking",
    "betaaldepartnerschap", "betaaldesamenwerking", "spon",
    "reklam", "işbirliği", "isbirligi", "reklama", "współpracareklamowa", "реклама", "إعلان", "pr", "広告", "提供",
    "광고",
    "협찬", "유료광고", "广告", "廣告", "合作", "推广", "annons", "reklame", "betaltpartnerskap", "iklan", "endorse",
    "โฆษณา", "quảngcáo",
)  # fmt: skip
_SENTENCES = (
    r"as an amazon associate[^.\n]{0,80}",
    r"(?:contains?|may contain|includes?|using|are|is an?|through)[^.\n]{0,30} affiliate links?",
    r"affiliate (?:disclosure|disclaimer|link disclosure)", r"paid partnership(?: with [^\n.]{1,60})?",
    r"\bpaid promotion\b", r"\bcommissions? earned\b", r"\baffiliate links?\b",
    r"(?<!not )(?<!n't )(?<!never )sponsored (?:post|content|by [^\n.]{1,60})",
    r"this post (?:is|was) sponsored[^.\n]{0,60}",
    r"(?:enthält|beinhaltet)[^.\n]{0,30}(?:werbung|affiliate[- ]?links?)", r"bezahlte (?:werbung|partnerschaft)",
    r"als amazon-partner verdiene ich[^.\n]{0,60}", r"patrocinado por [^\n.]{1,60}",
    r"(?:en )?colaboraci[oó]n pagada(?: con [^\n.]{1,60})?", r"partnership a pagamento",
    r"in collaborazione con [^\n.]{1,60}",
    r"collaboration commerciale", r"partenariat rémunéré", r"parceria paga", r"betaalde samenwerking",
    r"współpraca reklamowa", r"liens? affiliés?", r"enlaces? (?:de )?afiliados?", r"link(?:s)? de afiliado?s?",
    r"アフィリエイト", r"유료\s?광고", r"партн[её]рск\w+ ссылк\w+",
)  # fmt: skip
_TAG = re.compile(rf"#(?:{'|'.join(map(re.escape, sorted(_TAGS, key=len, reverse=True)))})(?!\w)", re.IGNORECASE)
_SENTENCE = re.compile(rf"(?<!\w)(?:{'|'.join(_SENTENCES)})", re.IGNORECASE)


def disclosures_in(text: str) -> list[str]:
    """Each once, in the order in which the text has them, as it has them."""
    hits = sorted((*_TAG.finditer(text), *_SENTENCE.finditer(text)), key=lambda hit: hit.start())
    return list(dict.fromkeys(" ".join(hit[0].split()) for hit in hits))[:MAX_FOUND]


def said_in(text: str, *, by: str = "author") -> list[dict[str, str]]:
    """The same, as the field has it. ``by``: ``author``; ``page`` where it may be anybody's who wrote on the page."""
    return [{"by": by, "text": each} for each in disclosures_in(text)]


def put_disclosures(draft: Draft, labels: Iterable[tuple[str, bool | None]], where: str) -> None:
    """``disclosures``: the platform's own marks (name and whether it is set; None: it does not say), then the author's.

    Empty where a mark is there and not set, and the caption has no such words; absent where nothing tells.
    """
    marks = [(name, value) for name, value in labels if value is not None]
    found = [{"by": "platform", "text": name} for name, value in marks if value]
    caption = draft.fields.get("caption")
    if isinstance(caption, str):
        found += said_in(caption)
    if found or marks:
        draft.put("disclosures", found, where)
