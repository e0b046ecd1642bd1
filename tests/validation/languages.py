"""Sentences as people post them, in many scripts; numbers and codes are drawn, so that no two pages say the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    tag: str
    sentences: tuple[str, ...]
    """``{n}`` is a number, ``{code}`` four letters and digits."""
    direction: str = "ltr"


LANGUAGES: Mapping[str, Language] = {
    "english": Language(tag="en", sentences=(
        "Third week with the bracelet and the clasp still shuts with the same small click.",
        "I weighed it on the kitchen scale: {n} grams, and the finish has not faded at all.",
        "Code {code} takes a bit off at checkout, I get a little from it too.",
        "Somebody asked whether the stones are glued, so here is a close picture of the setting.",
        "My sister borrowed the bag for a wedding in Leeds and came back wanting one.",
        "Box number {n} came with a dust cover and a card that smelled of oranges.",
    )),
    "german": Language(tag="de", sentences=(
        "Die Kette ist seit {n} Tagen jeden Tag dabei, auch beim Schwimmen.",
        "Größe fällt klein aus, ich würde eine Nummer größer nehmen – süß ist sie trotzdem.",
        "Mit {code} gibt es etwas Nachlass, ich bekomme dafür eine kleine Provision.",
        "Der Verschluss schließt leise, das Etui riecht nach Veilchen.",
        "Meine Mutter hält sie für echt, und ich habe ihr nicht widersprochen.",
    )),
    "french": Language(tag="fr", sentences=(
        "Le fermoir tient bien, même après {n} semaines à l’atelier.",
        "Avec {code} vous payez un peu moins ; moi, je touche une petite part.",
        "Où l’ai-je trouvé ? Chez une dame qui coud ses étuis elle-même, à Besançon.",
        "La boîte sentait la lavande, et le ruban était noué à la main.",
    )),
    "spanish": Language(tag="es", sentences=(
        "¿Os acordáis del bolso de hace {n} meses? Pues sigue como el primer día.",
        "El cierre suena bajito y la correa no se ha dado de sí.",
        "Usad {code} si os apetece; a mí me cae una comisión pequeñita.",
        "Mi prima se lo llevó a Cádiz y volvió pidiendo otro.",
    )),
    "polish": Language(tag="pl", sentences=(
        "Bransoletka przyszła po {n} dniach, w pudełku z kokardą.",
        "Zapięcie trzyma mocno, a złoto nie zżółkło ani trochę.",
        "Z kodem {code} będzie taniej, a ja dostanę drobną prowizję.",
        "Źdźbło trawy na zdjęciu zostało specjalnie, dla skali.",
    )),
    "turkish": Language(tag="tr", sentences=(
        "Bilekliği {n} gündür takıyorum, rengi hiç solmadı.",
        "Işıkta çok güzel parlıyor, İzmir’de herkes nereden aldığımı sordu.",
        "{code} yazarsanız biraz ucuzluyor, bana da küçük bir pay düşüyor.",
    )),
    "vietnamese": Language(tag="vi", sentences=(
        "Chiếc vòng này mình đeo {n} ngày rồi mà màu vẫn đẹp như mới.",
        "Nhập {code} để rẻ hơn một chút, mình cũng được hoa hồng nho nhỏ.",
        "Hộp quà thơm mùi sả, dây buộc bằng tay rất khéo.",
    )),
    "russian": Language(tag="ru", sentences=(
        "Ношу браслет уже {n} дней, и застёжка щёлкает как новая.",
        "По слову {code} выходит чуть дешевле, мне капает маленький процент.",
        "Подруга из Твери приняла его за настоящий и очень удивилась цене.",
        "Коробочка пахла мандаринами, внутри лежала записка от руки.",
    )),
    "greek": Language(tag="el", sentences=(
        "Το βραχιόλι το φοράω {n} μέρες και δεν έχει χάσει τη λάμψη του.",
        "Με το {code} βγαίνει λίγο φθηνότερο, κι εγώ παίρνω κάτι μικρό.",
        "Το κουτί μύριζε γιασεμί και η κορδέλα ήταν δεμένη στο χέρι.",
    )),
    "arabic": Language(tag="ar", direction="rtl", sentences=(
        "ألبس السوار منذ {n} يومًا ولونه كما هو.",
        "مع الرمز {code} يصبح السعر أقل قليلًا، ولي نسبة بسيطة.",
        "أختي ظنّت أنه أصلي وسألتني عن المتجر.",
        "العلبة مربوطة بشريط من حرير ورائحتها ورد.",
    )),
    "hebrew": Language(tag="he", direction="rtl", sentences=(
        "הצמיד על היד שלי כבר {n} ימים והצבע לא השתנה.",
        "עם {code} זה יוצא קצת יותר זול, ואני מקבלת אחוז קטן.",
        "הקופסה הגיעה קשורה בסרט ועם פתק בכתב יד.",
    )),
    "hindi": Language(tag="hi", sentences=(
        "यह कंगन मैंने {n} दिन से पहना है और चमक वैसी ही है।",
        "{code} लिखने पर दाम थोड़ा कम हो जाता है, मुझे भी छोटा हिस्सा मिलता है।",
        "डिब्बे से चंदन की ख़ुशबू आ रही थी।",
    )),
    "thai": Language(tag="th", sentences=(
        "ใส่กำไลวงนี้มา {n} วันแล้ว สียังสวยเหมือนเดิม",
        "ใช้ {code} แล้วถูกลงนิดหน่อย เราได้ค่าขนมด้วยค่ะ",
        "กล่องผูกโบมาสวยมาก หอมกลิ่นตะไคร้",
    )),
    "chinese": Language(tag="zh-Hans", sentences=(
        "这只手镯我戴了{n}天,颜色一点没变。",
        "下单写{code}会便宜一些,我也有一点小佣金。",
        "盒子有一股桂花香,丝带是手打的结。",
        "我妈以为是专柜买的,我没说破。",
    )),
    "traditional": Language(tag="zh-Hant", sentences=(
        "這條項鍊我戴了{n}天,洗澡也沒拿下來。",
        "結帳時打{code}會便宜一點,我也能分到一些。",
        "盒子裡有一張手寫的卡片,聞起來像茉莉。",
    )),
    "japanese": Language(tag="ja", sentences=(
        "このバングル、つけて{n}日目ですが色はそのままです。",
        "{code}と書くと少し安くなります。わたしにも少し入ります。",
        "箱を開けたら金木犀の香りがしました。",
        "母は本物だと思っているみたいです。",
    )),
    "korean": Language(tag="ko", sentences=(
        "이 팔찌 찬 지 {n}일째인데 색이 그대로예요.",
        "{code} 쓰면 조금 싸지고 저도 조금 받아요.",
        "상자에서 유자 향이 났고 리본은 손으로 묶은 거래요.",
    )),
    "emoji": Language(tag="en", sentences=(
        "day {n} 💛✨ still gold 🚿🧴 no joke 👩🏽‍🔧🔩",
        "family pack 👨‍👩‍👧‍👦 came with {n} ribbons 🎀🎀 and a flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿 sticker 🇯🇵",
        "use {code} ☕️ and I get a coffee out of it ❤️‍🔥",
        "1️⃣ pick the size 2️⃣ pick the ribbon 3️⃣ wait 📦🐌",
    )),
    "combining": Language(tag="fr", sentences=(
        "Cafe\u0301 cre\u0300me, bracelet dore\u0301 et {n} minutes de soleil.",
        "Z\u0335a\u0321l\u0348g\u0348o\u034d says {code}, and so do I.",
        "A\u030angstro\u0308m and \u00c5ngstr\u00f6m look alike and are not the same, {n}.",
        "Vie\u0323\u0302t Nam, nai\u0308ve, pin\u0303ata: all in one caption.",
    )),
    "mixed": Language(tag="en", sentences=(
        "Label says שלום {n} and then العربية, and the rest in English.",
        "価格 {n} 円 → about a lunch, code {code}, см. фото 3.",
        "Price ١٢٣٤ dirham in the shop window, {n} online.",
    )),
}  # fmt: skip


def written(language: Language, random: Random) -> str:
    code = "".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(4))
    return random.choice(language.sentences).format(n=random.randrange(12, 990), code=code)


def paragraph(language: Language, random: Random, sentences: int) -> str:
    joint = "" if language.tag in ("zh-Hans", "zh-Hant", "ja") else " "
    return joint.join(written(language, random) for _ in range(sentences))
