"""What is said of a promotion: patterns as in the two lawsuits, and innocent ones that look like them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from custody.model import Json, Outcome, Status
from findings.matter import Matter, Reference, Term
from findings.observation import About, Observation
from findings.observing import Observer
from findings.promotion import Promotion
from findings.saying import MAX_TEXT
from findings.voices import words_behind
from tests.findings.casework import NOON, SameWords, Unit, picture

CARTIER = Matter(
    terms=(Term(text="Cartier", forms=("卡地亚",)), Term(text="Love bracelet"), Term(text="Gucci")),
    references=(Reference(term="Cartier", amount=Decimal(6900), currency="USD"),),
    version=2,
    sha256="ab" * 32,
    described_at=NOON,
)


def promotion_of(
    caption: str,
    *,
    post: Mapping[str, Json] | None = None,
    address: str = "",
    more: Mapping[str, Json] | None = None,
    **listing: Json,
) -> Promotion:
    unit = Unit()
    first = unit.post(caption, more=post)
    visible = str(listing.pop("visible", ""))
    listing.setdefault("title", "screw bracelet for women")
    href = address or "https://shop.example/item/4410-screw-bracelet"
    unit.listing(first, href, where="text", visible=visible, more={**listing, **(more or {})})
    (promotion,) = unit.trace().promotions
    return promotion


def observed(promotion: Promotion, matter: Matter = CARTIER) -> dict[About, list[Observation]]:
    found: dict[About, list[Observation]] = {}
    for each in Observer(matter, SameWords()).observe(promotion):
        found.setdefault(each.about, []).append(each)
    return found


# --- as in the lawsuits -----------------------------------------------------------------------------------------------


def test_a_post_names_cartier_and_the_listing_a_screw_bracelet_for_women() -> None:
    found = observed(promotion_of("my Cartier Love bracelet 💛", visible="Screw bracelet. Ships in 9 days. $21.99"))
    absent = found[About.TERM_ABSENT]
    assert [each.facts["term"] for each in absent] == ["Cartier", "Love bracelet"]
    assert absent[0].rests_on[0].passage.raw == "Cartier"
    assert [(each.words, each.characters) for each in absent[0].searched] == [
        ("title", 24),
        ("address", 14),
        ("visible text", 39),
    ]
    assert "was not found" in absent[0].sentence
    assert not absent[0].is_weak


def test_order_this_get_this_is_kept_with_its_words() -> None:
    found = observed(promotion_of("Order this, get this! 🤫 G*cci belt, hidden link below", title="black belt"))
    assert found[About.SWAP][0].rests_on[0].passage.raw.lower() == "order this, get this"
    assert found[About.HIDDEN_LINK][0].rests_on[0].passage.raw == "hidden link"
    (disguised,) = found[About.TERM_DISGUISED]
    assert disguised.facts["term"] == "Gucci"
    assert "“G*cci”, which may be read as Gucci" in disguised.sentence
    assert [each.facts["term"] for each in found[About.TERM_ABSENT]] == ["Gucci"]


def test_a_form_in_another_script_is_of_the_term() -> None:
    (absent,) = observed(promotion_of("卡地亚同款"))[About.TERM_ABSENT]
    assert absent.facts["term"] == "Cartier"


def test_the_address_names_what_the_title_does_not() -> None:
    promotion = promotion_of("bag!", address="https://shop.example/p/gucci-marmont-bag", title="leather shoulder bag")
    (named,) = observed(promotion)[About.ADDRESS]
    assert named.facts["term"] == "Gucci"
    assert not named.is_weak
    swapped = promotion_of("bag!", address="https://shop.example/p/kitchen-sponge-holder", title="leather shoulder bag")
    (weak,) = observed(swapped)[About.ADDRESS]
    assert weak.is_weak
    assert "no word is in both" in weak.sentence


def test_a_price_far_below_what_the_case_states() -> None:
    found = observed(promotion_of("my Cartier band", price="21.99", currency="USD", price_shown="$21.99"))
    (cheap,) = found[About.PRICE]
    assert "0.3 % of the 6900 USD that the case states for Cartier" in cheap.sentence
    assert About.PRICE not in observed(promotion_of("my Cartier band", price="21.99", currency="EUR")), "not converted"
    assert About.PRICE not in observed(promotion_of("my Cartier band", price="5900", currency="USD"))
    assert About.PRICE not in observed(promotion_of("my band", price="21.99", currency="USD"))


def test_one_picture_in_post_and_listing() -> None:
    unit = Unit()
    post = unit.post("look")
    unit.change(post, pictures=(picture("same", "https://cdn.example/post.jpg"),))
    unit.listing(
        post, "https://shop.example/1", where="text", title="bracelet", pictures=(picture("same", "https://s/2.jpg"),)
    )
    (promotion,) = unit.trace(SameWords()).promotions
    (same,) = observed(promotion)[About.SAME_PICTURE]
    assert same.pictures[0].one.url == "https://cdn.example/post.jpg"
    assert "0 of 256 bits (called alike up to 31)" in same.sentence


def test_a_time_that_contradicts_the_id_is_told() -> None:
    made: Json = {"from": "2026-02-01T09:59:58.000Z", "to": "2026-02-01T10:05:00.000Z", "basis": "id"}
    unit = Unit()
    post = unit.post("look", published="2026-01-01T10:00:00Z", published_from_id=made)
    note = "published_from_id: the page says 2026-01-01, which is before its id was made"
    unit.change(post, reading=replace(post.reading, notes=(note,)))
    unit.listing(post, "https://shop.example/1", where="text", title="bracelet")
    (promotion,) = unit.trace().promotions
    (time,) = observed(promotion)[About.TIME]
    assert "before its id was made" in time.sentence


def test_disclosures_are_kept_as_they_stand() -> None:
    (told,) = observed(promotion_of("so pretty #ad", post={"disclosures": ["#ad"]}))[About.DISCLOSURE]
    assert told.sentence == "The post carries “#ad”."


# --- innocent look-alikes ---------------------------------------------------------------------------------------------


def misleading(promotion: Promotion, matter: Matter = CARTIER) -> list[str]:
    harmless = {About.DISCLOSURE}
    return [
        each.sentence for about, some in observed(promotion, matter).items() if about not in harmless for each in some
    ]


def test_an_authorised_seller() -> None:
    named: dict[str, Json] = {"title": "Cartier Love bracelet, pre-owned", "seller": "The Real Vault"}
    vault = "https://vault.example/love-bracelet"
    assert not misleading(promotion_of("my Cartier Love bracelet, link here", address=vault, more=named))
    matter = Matter(terms=CARTIER.terms, authorised=frozenset({"vault.example"}))
    terse = "Bracelet 18 k yellow gold"
    quiet = promotion_of("my Cartier bracelet", title=terse, address="https://www.vault.example/bracelet")
    assert not misleading(quiet, matter)


def test_a_review_that_compares_brands_and_links_to_the_one_it_names() -> None:
    caption = "Is the Cartier Love bracelet worth it? I compared it with the Mejuri one, which I link here"
    assert not misleading(promotion_of(caption, title="Screw bracelet, gold vermeil", brand="Mejuri"))


def test_a_fan_post_without_a_link() -> None:
    unit = Unit()
    unit.profile(unit.post("one day, Cartier, one day 😍 #gucci"))
    found = unit.trace()
    assert not found.promotions
    assert not found.leads


def test_a_word_that_only_holds_the_term_is_no_term() -> None:
    matter = Matter(terms=(Term(text="Dior"),))
    assert not misleading(promotion_of("a diorama of my street", title="screw houses"), matter)


def test_a_term_that_stands_elsewhere_on_the_listings_page_is_said_to_stand_there() -> None:
    found = observed(promotion_of("my Cartier band", visible="Screw bracelet … People also viewed: Cartier ring box"))
    assert About.TERM_ABSENT not in found
    (elsewhere,) = found[About.TERM_ELSEWHERE]
    assert elsewhere.is_weak
    assert elsewhere.rests_on[-1].words == "visible text"


def test_nothing_is_said_to_be_absent_from_a_listing_that_nobody_saw() -> None:
    unit = Unit()
    post = unit.post("my Cartier band")
    unit.listing(post, "https://shop.example/1", where="text", outcome=Outcome.CAPTCHA)
    (promotion,) = unit.trace().promotions
    assert About.TERM_ABSENT not in observed(promotion)


def test_without_a_description_a_case_asks_for_no_terms() -> None:
    assert not misleading(promotion_of("my Cartier band"), Matter())


def test_observations_say_under_which_version_they_were_made() -> None:
    assert CARTIER.under(NOON.replace(hour=1)) == {
        "version": 2,
        "sha256": "ab" * 32,
        "described_at": "2026-03-01T12:00:00.000Z",
        "later_than_capture": True,
    }
    assert CARTIER.under(NOON.replace(hour=20))["later_than_capture"] is False


def test_a_picture_that_the_case_has_given() -> None:
    unit = Unit()
    post = unit.post("look", media=["https://cdn.example/photo-of-the-post.jpg"])
    unit.change(post, pictures=(picture("love", "https://cdn.example/photo-of-the-post.jpg?size=1"),))
    unit.listing(post, "https://shop.example/1", where="text", title="bracelet")
    (promotion,) = unit.trace().promotions
    matter = Matter(pictures=(picture("love", "boutique.png"),))
    (referred,) = observed(promotion, matter)[About.REFERENCE_PICTURE]
    assert "A picture of the post looks like the case's picture boutique.png" in referred.sentence
    assert About.REFERENCE_PICTURE not in observed(promotion, Matter(pictures=(picture("other", "boutique.png"),)))


def test_a_tag_beside_no_disclosure_is_told_and_beside_one_it_is_not() -> None:
    tagged = "https://www.amazon.com/dp/B0ABCDEFGH?tag=ana-20"
    (told,) = observed(promotion_of("so pretty", address=tagged))[About.NO_DISCLOSURE]
    assert told.is_weak
    assert told.searched[0].words == "caption"
    assert "amazon tag=ana-20" in told.sentence
    assert About.NO_DISCLOSURE not in observed(
        promotion_of("so pretty #ad", address=tagged, post={"disclosures": ["#ad"]})
    )
    assert About.NO_DISCLOSURE not in observed(promotion_of("so pretty"))


def test_what_may_be_read_as_the_term_is_quoted_as_it_stands() -> None:
    (absent,) = observed(promotion_of("my new G*cci belt", title="black belt"))[About.TERM_ABSENT]
    assert absent.sentence.startswith("“G*cci”, which may be read as Gucci, stands in the post.")


def test_a_part_of_another_name_is_not_the_term_and_a_denied_one_is_weak() -> None:
    assert About.TERM_ABSENT not in observed(promotion_of("Henri Cartier-Bresson print, so good", title="poster"))
    (denied,) = observed(promotion_of("This is NOT Gucci, it is mine", title="black belt"))[About.TERM_ABSENT]
    assert denied.is_weak


def test_a_listing_that_names_one_of_the_brands_that_a_post_compares_is_no_contradiction() -> None:
    assert not misleading(promotion_of("Cartier band against the Gucci band", title="Gucci screw band, silver"))


def test_a_brands_price_is_weak_and_a_products_is_not() -> None:
    brand = observed(promotion_of("my Cartier band", price="21.99", currency="USD"))[About.PRICE]
    assert [each.is_weak for each in brand] == [True]
    matter = Matter(
        terms=(Term(text="Love bracelet", is_product=True),),
        references=(Reference(term="Love bracelet", amount=Decimal(6900), currency="USD"),),
    )
    product = observed(promotion_of("my Love bracelet", price="21.99", currency="USD"), matter)[About.PRICE]
    assert [each.is_weak for each in product] == [False]


def test_a_term_that_stands_only_in_the_source_is_not_absent() -> None:
    promotion = promotion_of("my Gucci belt", title="black belt")
    hidden = words_behind('<img alt="Gucci"><div style="display:none">Brand: <b>Gucci</b></div><script>"Dior"</script>')
    assert hidden.split() == ["Gucci", "Brand:", "Gucci"]
    seen = replace(promotion, end=replace(promotion.end, behind=hidden))
    found = observed(seen)
    assert About.TERM_ABSENT not in found
    assert found[About.TERM_ELSEWHERE][0].rests_on[-1].words == "page source"


def test_nothing_is_said_to_be_absent_from_a_listing_that_is_not_whole() -> None:
    whole = promotion_of("my Cartier band")
    assert About.TERM_ABSENT in observed(whole)
    partial = replace(whole, end=replace(whole.end, status=Status.PARTIAL))
    assert About.TERM_ABSENT not in observed(partial)


def test_a_search_says_how_much_of_a_text_it_has_looked_through() -> None:
    long = promotion_of("my Cartier band", visible="x " * MAX_TEXT)
    (absent,) = observed(long)[About.TERM_ABSENT]
    seen = absent.searched[-1]
    assert (seen.words, seen.characters, seen.of) == ("visible text", MAX_TEXT, 2 * MAX_TEXT)
    assert absent.is_weak
    assert "In a part of the listing's texts" in absent.sentence
    short = promotion_of("my Cartier band", visible="screw bracelet")
    cut = replace(short, end=replace(short.end, is_cut=True))
    assert [each.is_weak for each in observed(cut)[About.TERM_ABSENT]] == [True]


def test_of_several_texts_of_one_name_each_is_read() -> None:
    stickers: list[Json] = ["so good", "Gucci"]
    (absent,) = observed(promotion_of("look", post={"sticker_texts": stickers}, title="black belt"))[About.TERM_ABSENT]
    assert absent.rests_on[0].words == "sticker_texts"
