"""Prices and stock as shops write them, in many countries' ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.money import Price, code_of, data_price, number_of, of_units, price_of
from crawlers.stock import NAMES, availability_of

PRICES = (
    ("1.234,56 €", None, ("1234.56", None, "EUR")),
    ("$1,234.56", "USD", ("1234.56", None, "USD")),
    ("$1,234", "CAD", ("1234", None, "CAD")),
    ("$12.99", None, ("12.99", None, None)),
    ("$12.99", "SEK", ("12.99", None, None)),
    ("1 234,56 zł", None, ("1234.56", None, "PLN")),
    ("₹1,23,456.00", None, ("123456.00", None, "INR")),
    ("R$ 1.299,90", None, ("1299.90", None, "BRL")),
    ("￥ 1,980", "JPY", ("1980", None, "JPY")),
    ("199 kr", "SEK", ("199", None, "SEK")),
    ("KWD 12.345", None, ("12.345", None, "KWD")),
    ("€ 97,39 - 128,72", None, ("97.39", "128.72", "EUR")),
    ("$12.99 – $19.99", "USD", ("12.99", "19.99", "USD")),
    ("5499.00-6799.00", "CNY", ("5499.00", "6799.00", None)),
    ("US$ 36.97+", None, ("36.97", None, "USD")),
    ("٤٩٫٩٩ ر.س", None, ("49.99", None, "SAR")),
    ("EUR 5,663.94", None, ("5663.94", None, "EUR")),
    ("CHF 1'234.50", None, ("1234.50", None, "CHF")),
    ("2 for $10.00", "USD", ("10.00", None, "USD")),
    ("-20% $16.00", "USD", ("16.00", None, "USD")),
    ("-20 % 16,00 €", None, ("16.00", None, "EUR")),
    ("12 x R$ 10,00", None, ("10.00", None, "BRL")),
    ("20%", None, None),
    ("$19⁹⁹", "USD", ("19.99", None, "USD")),
    ("1.299⁰⁰ €", None, ("1299.00", None, "EUR")),
    ("$.99", "USD", ("0.99", None, "USD")),
    ("Rs.99", "INR", ("99", None, "INR")),
    ("S/.99.90", None, ("99.90", None, "PEN")),
    ("AU $25.00", "USD", ("25.00", None, "AUD")),
    ("C $1,025.00", "USD", ("1025.00", None, "CAD")),
    ("US $12.50 to US $15.00", "USD", ("12.50", "15.00", "USD")),
    ("Rs. 1,299", "PKR", ("1299", None, "PKR")),
    ("Rs. 1,299", None, ("1299", None, "INR")),
    ("KSh 1,299", "KES", ("1299", None, "KES")),
    ("12,90 eur", None, ("12.90", None, "EUR")),
    ("$15.99 ($0.67 / Ounce)", "USD", ("15.99", None, "USD")),
    ("1 pièce 12,50 €", None, ("12.50", None, "EUR")),
    ("no price", None, None),
    (None, None, None),
    (True, None, None),
)


@pytest.mark.parametrize(("text", "usual", "wanted"), PRICES)
def test_a_price_as_shown(text: object, usual: str | None, wanted: tuple[str, str | None, str | None] | None) -> None:
    found = price_of(text, usual=usual)
    assert (None if found is None else (found.amount, found.highest, found.currency)) == wanted


def test_a_price_in_data_has_a_decimal_point() -> None:
    assert data_price("1.299") == Price(amount="1.299")
    assert price_of("1.299") == Price(amount="1299")
    assert data_price("$5.99", usual="USD") == Price(amount="5.99", currency="USD")


def test_units_counts_and_codes() -> None:
    assert (of_units(1999, 2), of_units("500", 0), of_units("x", 2), of_units(None, 2)) == ("19.99", "500", None, None)
    assert [number_of(each) for each in ("1.2K", "10K+ sold", "(2,345)", "1,2 тыс.", "5 meters")] == [
        None,
        None,
        2345,
        None,
        5,
    ]
    counts = (number_of("2.842 Sterne"), number_of("2 480 avis"), number_of("21,200 ratings"), number_of("none"))
    assert counts == (2842, 2480, 21200, None)
    assert (code_of(" usd "), code_of("RMB"), code_of("€"), code_of("nothing")) == ("USD", "CNY", "EUR", None)


STOCK = (
    ("nicht mehr lieferbar", "OutOfStock"),
    ("N'est plus en stock", "OutOfStock"),
    ("Il ne reste plus que 2 exemplaire(s) en stock.", "InStock"),
    ("niet meer leverbaar", "OutOfStock"),
    ("Finns inte i lager", "OutOfStock"),
    ("Ingen på lager", "OutOfStock"),
    ("Nu este in stoc", "OutOfStock"),
    ("nie ma w magazynie", "OutOfStock"),
    ("Momentálně nedostupné", "OutOfStock"),
    ("Stokta bulunmuyor", "OutOfStock"),
    ("Không còn hàng", "OutOfStock"),
    ("ไม่มีสินค้า", "OutOfStock"),
    ("재고 없음", "OutOfStock"),
    ("在庫なし", "OutOfStock"),
    ("Available on backorder", "BackOrder"),
    ("Varastossa", "InStock"),
    ("https://schema.org/InStock", "InStock"),
    ("http://schema.org/SoldOut/", "SoldOut"),
    ("in_stock", "InStock"),
    ("out of stock", "OutOfStock"),
    ("Currently unavailable. We don't know when", "OutOfStock"),
    ("Available from these sellers.", "InStock"),
    ("Derzeit nicht verfügbar.", "OutOfStock"),
    ("Auf Lager.", "InStock"),
    ("Actuellement indisponible.", "OutOfStock"),
    ("Disponibilità: solo 1", "InStock"),
    ("No disponible.", "OutOfStock"),
    ("Não disponível.", "OutOfStock"),
    ("現在在庫切れです。", "OutOfStock"),
    ("在庫あり。", "InStock"),
    ("有货", "InStock"),
    ("", None),
    ("Ships in a box", None),
    (False, "OutOfStock"),
    (["OutOfStock", "InStock"], "InStock"),
)


@pytest.mark.parametrize(("said", "wanted"), STOCK)
def test_what_is_said_of_the_stock(said: object, wanted: str | None) -> None:
    assert availability_of(said) == wanted


@given(st.text())
def test_any_text_is_read_without_a_word(text: str) -> None:
    found = price_of(text, usual="USD")
    assert found is None or float(found.amount) >= 0
    assert availability_of(text) in {None, *NAMES.values()}
    number_of(text)
