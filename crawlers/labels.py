"""What shops call a product's facts in many languages, and the rows of label and value that hold them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from crawlers.saved import Saved, line_of

MAX_ROWS = 400
MAX_VALUE = 120
"""Characters of a value that is a name; longer ones are prose."""

BRAND = frozenset(
    """
    brand|brand name|marke|markenname|marque|nom de la marque|marca|nome marca|nome del marchio|marchio|
    nombre de la marca|nome da marca|merk|merknaam|märke|
    varumärke|varumärkesnamn|mærke|merke|marka|marka adı|nazwa marki|
    ブランド|ブランド名|品牌|品牌名称|牌子|브랜드|бренд|марка|торговая марка|značka|márka|العلامة التجارية|الماركة|
    kaubamärk|bränd|zīmols|prekės ženklas|blagovna znamka|znamka|robna marka|brend|tuotemerkki|varemærke|varemerke|
    μάρκα|торгова марка|марка товару|marcă|thương hiệu sản phẩm|
    اسم العلامة التجارية|ब्रांड|thương hiệu|ยี่ห้อ|merek|brand, seller, or collection name|שם מותג|מותג
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
MAKER = frozenset(
    """
    manufacturer|hersteller|fabricant|produttore|fabricante|fabrikant|tillverkare|producent|üretici|メーカー|制造商|厂家|
    tootja|ražotājs|gamintojas|proizvajalec|proizvođač|výrobca|valmistaja|κατασκευαστής|производител|виробник|producător|
    제조사|производитель|výrobce|gyártó|الشركة المصنعة|निर्माता|produsen
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
FIRST_AVAILABLE = frozenset(
    """
    date first available|date first available at amazon.com|date first listed on amazon|
    im angebot von amazon.de seit|im angebot von amazon seit|date de mise en ligne sur amazon.fr|
    disponible sur amazon.fr depuis|disponible sur amazon.ca depuis|disponible sur amazon.com.be depuis|
    disponibile su amazon.it a partire dal|producto en amazon.es desde|producto en amazon.com.mx desde|
    fecha de disponibilidad en amazon|disponível para compra desde|datum eerste beschikbaarheid|
    verkrijgbaar sinds|op amazon.nl sinds|data pierwszej dostępności|dostępność produktu od|första tillgänglighetsdatum|
    tillgänglig på amazon.se sedan|satışa sunulduğu ilk tarih|amazon.co.jp での取り扱い開始日|取り扱い開始日|
    亚马逊上架时间|上架时间|تاريخ توفر أول منتج|
    """.replace("\n", "")
    .replace("    ", "")
    .strip("| ")
    .split("|")
)
RANK = frozenset(
    """
    best sellers rank|amazon best sellers rank|amazon bestsellers rank|amazon.com sales rank|bestsellers rank|
    amazon bestseller-rang|bestseller-rang|classement des meilleures ventes d'amazon|
    moyenne des ventes|posizione nella classifica bestseller di amazon|bestseller di amazon|
    clasificación en los más vendidos de amazon|ranking dos mais vendidos|plaats in bestsellerlijst|
    rangordning för bästsäljare|ranking najlepiej sprzedających się produktów|en çok satanlar sıralaması|
    amazon 売れ筋ランキング|売れ筋ランキング|亚马逊热销商品排名|تصنيف الأفضل مبيعاً
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
SOLD_BY = frozenset(
    """
    sold by|seller|verkauft von|verkäufer|vendu par|vendeur|venduto da|venditore|vendido por|vendedor|verkocht door|
    verkoper|såld av|säljs av|säljare|sprzedawane przez|sprzedawca|satıcı|
    販売元|出品者|卖家|由以下卖家销售|البائع|يباع من
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
SHIPS_FROM = frozenset(
    """
    ships from|dispatches from|dispatched from|shipper / seller|versand durch|versandt von|expédié par|expédié de|
    spedizione|spedito da|enviado por|envío desde|envia desde|enviado de|verzonden door|verzonden door/vanaf|
    levereras från|skickas från|wysyłka z|wysyłane przez|gönderen|出荷元|发货方|تشحن من|يشحن من
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
LEGAL_NAME = frozenset(
    """
    business name|geschäftsname|firmenname|nom commercial|nom de l'entreprise|raison sociale|nome dell'azienda|
    nome commerciale|ragione sociale|nombre de la empresa|nombre comercial|razón social|nome da empresa|razão social|
    bedrijfsnaam|handelsnaam|företagsnamn|nazwa firmy|ticari unvan|i̇şletme adı|işletme adı|販売業者|公司名称|企业名称|
    商号|اسم النشاط التجاري|اسم العمل
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)
LEGAL_ADDRESS = frozenset(
    """
    business address|geschäftsadresse|unternehmensadresse|adresse commerciale|adresse de l'entreprise|
    indirizzo aziendale|indirizzo commerciale|sede legale|dirección comercial|dirección de la empresa|
    endereço comercial|endereço da empresa|bedrijfsadres|zakelijk adres|företagsadress|adres firmy|
    adres prowadzenia działalności|adres siedziby|i̇ş adresi|iş adresi|
    住所|营业地址|公司地址|عنوان النشاط التجاري|عنوان العمل
    """.replace("\n", "")
    .replace("    ", "")
    .strip()
    .split("|")
)


def label(text: str) -> str:
    """As labels are compared: lower case, without what ends them and marks of direction."""
    plain = unicodedata.normalize("NFKC", text).replace("\u200e", "").replace("\u200f", "")
    return re.sub(r"[\s:：*]+$", "", " ".join(plain.split()).lower())


def rows(elements: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Label and value's element of table rows (``th|td``, ``td``), list items (``b|span``, rest) and ``dt|dd``."""
    for element in elements:
        children = [each for each in element if isinstance(each.tag, str)]
        if element.tag == "dt":
            value = element.getnext()
            if value is not None and value.tag == "dd":
                yield label(line_of(element)), value
        elif element.tag == "tr" and len(children) >= 2:
            yield from ((label(line_of(a)), b) for a, b in zip(children[::2], children[1::2], strict=False))
        elif len(children) >= 2:
            yield label(line_of(children[0])), children[1]


def value_of(page: Saved, names: frozenset[str], *, within: str = "//body") -> str:
    """What a row so labelled says: a short value right behind its label, outside lists to choose from."""
    found = page.all(
        f"({within}//*[self::th or self::dt or self::td or self::b or self::strong or self::span or self::div"
        f" or self::p or self::label][not(*) or count(*)=1][string-length(normalize-space(.)) > 1]"
        f"[string-length(normalize-space(.)) < 40])[position() <= 6000]"
    )
    for each in found:
        text = each.text if each.text and each.text.strip() else line_of(each) if len(each) else ""
        if not text or label(text) not in names:
            continue
        value = each.getnext()
        if value is None and each.getparent() is not None and each.tag in ("b", "strong", "span"):
            tail = " ".join((each.tail or "").split()).strip(":： ")
            if tail:
                return tail if len(tail) <= MAX_VALUE else ""
            value = each.getparent().getnext() if len(each.getparent()) == 1 else None
        elif value is not None and (each.tail or "").strip(" \t\r\n:："):
            tail = " ".join((each.tail or "").split()).strip(":： ")
            return tail if len(tail) <= MAX_VALUE else ""
        if value is None or value.tag in ("ul", "ol", "select", "input", "button", "form"):
            continue
        if value.xpath("boolean(.//ul|.//select|.//input)"):
            continue
        said = line_of(value).strip(":： ")
        if said and len(said) <= MAX_VALUE:
            return said
    return ""
