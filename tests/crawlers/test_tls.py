"""The second opinion on certificates, with chains made here."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Store

from crawlers import tls

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def authority() -> tuple[x509.Certificate, Key]:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(_name("Root"))
        .issuer_name(_name("Root"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(AT - timedelta(days=100))
        .not_valid_after(AT + timedelta(days=100))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made, key


def leaf(issuer: x509.Certificate, issuer_key: Key, host: str, *, ended: bool = False) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    last = AT - timedelta(days=1) if ended else AT + timedelta(days=50)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(AT - timedelta(days=50))
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_a_chain_to_our_root_that_names_the_host_holds() -> None:
    root, key = authority()
    good = leaf(root, key, "shop.example")
    assert tls.judge_chain([der(good)], "shop.example", at=AT, roots=Store([root]))[0]


def test_wrong_host_ended_time_other_root_and_no_chain_do_not_hold() -> None:
    root, key = authority()
    other, _ = authority()
    good = leaf(root, key, "shop.example")
    roots = Store([root])
    assert tls.judge_chain([der(good)], "shop.example", at=AT, roots=roots)[0]  # what follows fails for its own reason
    assert not tls.judge_chain([der(good)], "other.example", at=AT, roots=roots)[0]
    assert not tls.judge_chain([der(leaf(root, key, "shop.example", ended=True))], "shop.example", at=AT, roots=roots)[
        0
    ]
    assert not tls.judge_chain([der(good)], "shop.example", at=AT, roots=Store([other]))[0]
    assert not tls.judge_chain([], "shop.example", at=AT, roots=roots)[0]
    assert not tls.judge_chain([b"not a certificate"], "shop.example", at=AT, roots=roots)[0]


def test_public_roots_do_not_hold_a_root_of_ours() -> None:
    root, key = authority()
    holds, reason = tls.judge_chain(
        [der(leaf(root, key, "shop.example"))], "shop.example", at=AT, roots=tls.public_roots()
    )
    assert not holds
    assert reason


def test_the_spki_hash_is_the_one_openssl_computes(tmp_path: Path) -> None:
    root, key = authority()
    made = leaf(root, key, "shop.example")
    (tmp_path / "leaf.pem").write_bytes(tls.pem([der(made)]))
    script = (
        "openssl x509 -in leaf.pem -pubkey -noout | openssl pkey -pubin -outform der "
        "| openssl dgst -sha256 -binary | openssl base64"
    )
    said = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert tls.spki_sha256(der(made)) == said.stdout.strip()


def test_the_record_describes_what_can_be_read_and_says_what_cannot() -> None:
    root, key = authority()
    made = leaf(root, key, "shop.example")
    for chain, field in (((der(made),), "spki_sha256"), ((b"junk",), "unreadable")):
        described = tls.Certificate(
            host="shop.example", chain_der=chain, browser_says="secure", trusted_by_spki=False, valid=False,
            reason="", protocol="", cipher="",
        ).to_json()  # fmt: skip
        assert field in described


@pytest.mark.parametrize("count", [1, 3])
def test_pem_is_read_back_by_others(count: int) -> None:
    root, key = authority()
    chain = [der(leaf(root, key, f"h{n}.example")) for n in range(count)]
    assert [der(each) for each in x509.load_pem_x509_certificates(tls.pem(chain))] == chain


def said(chain: tuple[bytes, ...], browser: str, *, trust: tuple[str, ...] = ()) -> tls.Certificate:
    security = {
        "protocol": "TLS 1.3",
        "cipher": "AES_128_GCM",
        "subjectName": "shop.example",
        "issuer": "Root",
        "validFrom": 1_767_225_600,
        "validTo": 1_798_761_600.5,
    }
    return tls.judge(
        host="shop.example", chain_der=chain, browser_says=browser, security=security, trust_spki=trust, at=AT
    )


def test_a_chain_that_only_the_browser_likes_does_not_hold() -> None:
    root, key = authority()
    judged = said((der(leaf(root, key, "shop.example")),), "secure")
    assert (judged.valid, judged.trusted_by_spki) == (False, False)


def test_what_the_browser_calls_insecure_does_not_hold_and_both_say_why() -> None:
    root, key = authority()
    judged = said((der(leaf(root, key, "shop.example")),), "insecure")
    assert not judged.valid
    assert judged.reason.startswith("the browser calls the connection insecure; ")


def test_a_key_that_a_person_named_is_told_and_is_no_better_for_it() -> None:
    root, key = authority()
    made = der(leaf(root, key, "shop.example"))
    judged = said((made,), "secure", trust=(tls.spki_sha256(made),))
    assert (judged.trusted_by_spki, judged.valid) == (True, False)


def test_a_host_that_only_redirected_is_told_in_the_browsers_words() -> None:
    judged = said((), "secure")
    assert judged.valid
    assert judged.reason == "the browser calls the connection secure; its chain was not kept"
    assert judged.to_json()["told_by_browser"] == {
        "subject": "shop.example",
        "issuer": "Root",
        "not_before": "2026-01-01T00:00:00.000Z",
        "not_after": "2027-01-01T00:00:00.500Z",
    }
    assert not said((), "insecure").valid
    assert not said((), "unknown").valid


def test_bytes_that_are_no_certificate_are_kept_and_said() -> None:
    judged = said((b"not a certificate",), "secure", trust=("x",))
    assert (judged.valid, judged.trusted_by_spki) == (False, False)
    assert "unreadable" in judged.to_json()
