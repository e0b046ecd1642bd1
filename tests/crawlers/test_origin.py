"""Where a page came from: public only when nothing of ours and nothing weak stood in between."""

from datetime import UTC, datetime

from crawlers.connection import Connection
from crawlers.origin import MAX_REASONS, judge_origin
from crawlers.tls import Certificate
from custody.model import Origin

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def connection(
    host: str = "shop.example", *, by: str = "dns", address: str = "93.184.215.14", plain: bool = False
) -> Connection:
    return Connection(
        host=host,
        port=80 if plain else 443,
        kind="plain" if plain else "tunnel",
        asked_at=AT,
        addresses=(address,),
        resolved_by=by,  # type: ignore[arg-type]
        address=address,
        connected_port=443,
        connected_at=AT,
    )


def certificate(*, valid: bool = True, spki: bool = False) -> Certificate:
    return Certificate(
        host="shop.example",
        chain_der=(),
        browser_says="secure" if valid else "insecure",
        trusted_by_spki=spki,
        valid=valid,
        reason="" if valid else "self-signed",
        protocol="TLS 1.3",
        cipher="AES_128_GCM",
    )


URL = "https://shop.example/item"


def test_public_dns_public_address_and_public_roots_are_public() -> None:
    origin, _ = judge_origin([URL], [connection()], [certificate()], interventions=())
    assert origin is Origin.PUBLIC


def test_plain_http_on_any_hop_is_unverified() -> None:
    connections = [connection("sho.example", plain=True), connection()]
    origin, reasons = judge_origin(["http://sho.example/x", URL], connections, [certificate()], interventions=())
    assert origin is Origin.UNVERIFIED
    assert "sho.example" in reasons[0]


def test_an_address_that_the_browser_made_https_before_it_asked_is_no_plain_http() -> None:
    origin, _ = judge_origin(["http://shop.example/item", URL], [connection()], [certificate()], interventions=())
    assert origin is Origin.PUBLIC


def test_an_answer_without_a_connection_or_without_a_certificate_is_vouched_for_by_nobody() -> None:
    other = "https://other.example/"
    origin, reasons = judge_origin([other, URL], [connection()], [certificate()], interventions=())
    assert origin is Origin.UNVERIFIED
    assert reasons == (
        "other.example: no connection of this visit led there",
        "other.example: no certificate was seen",
    )


def test_a_bad_certificate_is_unverified_and_named() -> None:
    origin, reasons = judge_origin([URL], [connection()], [certificate(valid=False)], interventions=())
    assert origin is Origin.UNVERIFIED
    assert reasons == ("shop.example: self-signed",)


def test_anything_of_ours_makes_it_not_public() -> None:
    for connections, certificates, interventions in (
        ([connection(by="resolve")], [certificate()], ()),
        ([connection(by="hosts")], [certificate()], ()),
        ([connection(address="127.0.0.1")], [certificate()], ()),
        ([connection(address="10.1.2.3")], [certificate()], ()),
        ([connection()], [certificate(spki=True)], ()),
        ([connection()], [certificate()], ("--resolve",)),
        ([connection()], [certificate()], ("--trust-spki",)),
    ):
        origin, reasons = judge_origin([URL], connections, certificates, interventions=interventions)
        assert origin is Origin.NOT_PUBLIC, (connections, interventions)
        assert reasons


def test_one_local_address_among_many_is_enough() -> None:
    connections = [connection(f"cdn{n}.example") for n in range(20)] + [
        connection("img.example", address="192.168.1.2")
    ]
    origin, reasons = judge_origin([URL], connections, [certificate()], interventions=())
    assert origin is Origin.NOT_PUBLIC
    assert reasons == ("img.example: 192.168.1.2 is not a public address",)


def test_no_answer_is_never_public() -> None:
    origin, _ = judge_origin([], [], [], interventions=())
    assert origin is Origin.UNVERIFIED


def test_reasons_stay_short_and_say_how_many_more() -> None:
    connections = [connection(f"h{n}.example", by="resolve") for n in range(100)]
    _, reasons = judge_origin([URL], connections, [], interventions=())
    assert len(reasons) == MAX_REASONS + 1
    assert reasons[-1] == f"and {100 - MAX_REASONS} more of the same kinds"
