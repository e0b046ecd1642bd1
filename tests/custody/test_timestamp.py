import hashlib
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import VerifierBuilder, decode_timestamp_response
from rfc3161_client._rust import parse_timestamp_request

from custody import cms, timestamp
from custody.checkpoint import Checkpoint
from custody.errors import TimestampError
from custody.keys import Ed25519Signer
from custody.timestamp import Token, judge, query, read
from custody.trust import Authority
from tests.authority import POLICY, LocalAuthority, Mood, openssl, reply

CHECKPOINT = Checkpoint("evidence.example.org/log", 303, bytes(range(32))).sign(Ed25519Signer(b"k" * 32))
NONCE = 0x8877665544332211
QUERY = query(CHECKPOINT, NONCE)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2090, 1, 1, tzinfo=UTC)


class Bench:
    """An honest authority, and the means to make tokens that no honest one gives out."""

    def __init__(self, directory: Path) -> None:
        self.local = LocalAuthority(directory)
        self.directory = directory
        self.response = self.local.answer(QUERY)
        self.authority = Authority(id="local", url="http://127.0.0.1:1/", roots_pem=self.local.roots_pem)
        self.signer = x509.load_pem_x509_certificate((directory / "signer.pem").read_bytes())
        # Valid for a lifetime, so that times long ago can be stamped under it.
        self.key = rsa.generate_private_key(65_537, 2048)
        self.root = certificate(self.key, "Old root", self.key, "Old root", ca=True)
        self.old = Authority(id="old", url="http://127.0.0.1:1/", roots_pem=pem(self.root))

    def says(self, query: bytes = QUERY) -> bytes:
        """The TSTInfo of an honest token that names no authority, so that anyone can sign it."""
        config = (self.directory / "openssl.cnf").read_text()
        (self.directory / "nameless.cnf").write_text(config.replace("tsa_name = yes", "tsa_name = no"))
        (self.directory / "says.tsr").write_bytes(reply(self.directory, query, config="nameless.cnf"))
        openssl(self.directory, "ts", "-reply", "-in", "says.tsr", "-token_out", "-out", "says.p7")
        return openssl(
            self.directory, "cms", "-verify", "-noverify", "-inform", "DER", "-in", "says.p7", "-binary"
        )  # fmt: skip

    def forge(
        self, key: Key, signer: x509.Certificate, *options: str, info: bytes | None = None, cades: bool = True
    ) -> bytes:
        """A response whose token is signed by anyone, through ``openssl cms``, which does not ask what a key is for."""
        (self.directory / "forger.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (self.directory / "forger.pem").write_text(pem(signer))
        (self.directory / "info.der").write_bytes(self.says() if info is None else info)
        token = openssl(
            self.directory, "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER", "-md", "sha256",
            "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", "info.der", "-signer", "forger.pem",
            "-inkey", "forger.key", *(["-cades"] if cades else []), *options,
        )  # fmt: skip
        granted = cms.encode(cms.SEQUENCE, cms.encode(cms.INTEGER, b"\x00"))
        return cms.encode(cms.SEQUENCE, granted, token)

    def openssl_accepts(self, response: bytes, authority: Authority, *, at: datetime | None = None) -> bool:
        (self.directory / "asked.tsq").write_bytes(QUERY)
        (self.directory / "judged.tsr").write_bytes(response)
        (self.directory / "roots.pem").write_text(authority.roots_pem)
        when = () if at is None else ("-attime", str(int(at.timestamp())))
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-queryfile", "asked.tsq", "-in", "judged.tsr", "-CAfile", "roots.pem", *when],
            cwd=self.directory, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0


def with_attribute(response: bytes, key: rsa.RSAPrivateKey, kind: str, value: bytes) -> bytes:
    """The response with one signed attribute changed, and signed again: what only the authority itself can do."""
    before = cms.Envelope.parse(response).attributes[kind]
    assert response.count(before) == 1
    status, token = cms.parse(response).children()
    kind_of_token, content = token.children()
    signed_data = content.children()[0].children()
    fields = signed_data[-1].children()[0].children()
    attributes = []
    for each in fields[3].children():
        name, values = each.children()
        changed = values.raw if values.children()[0].raw != before else cms.encode(cms.SET, value)
        attributes.append(cms.encode(cms.SEQUENCE, name.raw, changed))
    # RFC 5652 §5.4: signed as a SET, carried as [0]
    signature = key.sign(cms.encode(cms.SET, *sorted(attributes)), padding.PKCS1v15(), hashes.SHA256())
    again = cms.encode(
        cms.SEQUENCE,
        *(each.raw for each in fields[:3]),
        cms.encode(cms.CONTEXT_0, *sorted(attributes)),
        fields[4].raw,
        cms.encode(cms.OCTET_STRING, signature),
    )
    others = (each.raw for each in signed_data[:-1])
    wrapped = cms.encode(cms.CONTEXT_0, cms.encode(cms.SEQUENCE, *others, cms.encode(cms.SET, again)))
    return cms.encode(cms.SEQUENCE, status.raw, cms.encode(cms.SEQUENCE, kind_of_token.raw, wrapped))


def signing_certificate(digest: bytes, algorithm: bytes = b"") -> bytes:
    """SigningCertificateV2 (RFC 5035 §3) that names one certificate."""
    identifier = cms.encode(cms.SEQUENCE, cms.encode(cms.OBJECT_IDENTIFIER, algorithm)) if algorithm else b""
    named = cms.encode(cms.SEQUENCE, identifier, cms.encode(cms.OCTET_STRING, digest))
    return cms.encode(cms.SEQUENCE, cms.encode(cms.SEQUENCE, named))


def certificate(
    key: Key, name: str, issuer_key: Key, issuer: str, *, ca: bool = False, since: datetime = LONG_AGO,
    until: datetime = FAR_AHEAD, usage: list[x509.ObjectIdentifier] | None = None, critical: bool = True,
    serial: int | None = None, also: x509.Name | None = None,
) -> x509.Certificate:  # fmt: skip
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
    builder = builder.public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
    builder = builder.not_valid_before(since).not_valid_after(until)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        usage = [ExtendedKeyUsageOID.TIME_STAMPING] if usage is None else usage
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=critical)
    if also is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DirectoryName(also)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(signed: x509.Certificate) -> str:
    return signed.public_bytes(Encoding.PEM).decode()


def fingerprint(signed: x509.Certificate) -> str:
    return signed.fingerprint(hashes.SHA256()).hex()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("authority"))


def refused(code: str, response: bytes, authority: Authority, *, asked: bytes = QUERY, data: bytes = CHECKPOINT) -> str:
    with pytest.raises(TimestampError) as refusal:
        judge(asked, response, data, authority)
    assert refusal.value.code == code
    return str(refusal.value)


# Asking


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_another_parser_reads_the_query_as_meant(data: bytes, nonce: int) -> None:
    asked = parse_timestamp_request(query(data, nonce))
    assert (asked.version, asked.nonce, asked.cert_req, asked.policy) == (1, nonce, True, None)
    assert asked.message_imprint.hash_algorithm.dotted_string == "2.16.840.1.101.3.4.2.1"
    assert asked.message_imprint.message == hashlib.sha256(data).digest()
    assert asked.as_bytes() == query(data, nonce)


def test_openssl_reads_the_query_as_meant(tmp_path: Path) -> None:
    (tmp_path / "query.tsq").write_bytes(QUERY)
    text = openssl(tmp_path, "ts", "-query", "-in", "query.tsq", "-text").decode()
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0x8877665544332211" in text
    assert "Certificate required: yes" in text


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_has_64_bits(nonce: int) -> None:
    with pytest.raises(TimestampError, match="64 bits"):
        query(CHECKPOINT, nonce)


# Good tokens


def test_a_good_token_is_what_openssl_also_accepts(bench: Bench) -> None:
    token = judge(QUERY, bench.response, CHECKPOINT, bench.authority)
    assert abs(token.gen_time - datetime.now(UTC)) < timedelta(minutes=5)
    assert token.gen_time.utcoffset() == timedelta(0)
    assert (token.policy, token.authority, token.accuracy) == (POLICY, "local", timedelta(seconds=1))
    assert token == read(QUERY, bench.response, CHECKPOINT, bench.authority)
    assert bench.openssl_accepts(bench.response, bench.authority)
    assert str(token.serial) in {str(n) for n in range(1, 100)}


def test_a_pinned_signer_is_accepted(bench: Bench) -> None:
    pinned = Authority(
        id="local", url="http://127.0.0.1:1/", roots_pem=bench.local.roots_pem,
        pins=("0" * 64, fingerprint(bench.signer)),
    )  # fmt: skip
    assert judge(QUERY, bench.response, CHECKPOINT, pinned).serial


def test_the_right_root_may_be_one_of_several(bench: Bench) -> None:
    both = Authority(id="both", url="http://127.0.0.1:1/", roots_pem=pem(bench.root) + bench.local.roots_pem)
    assert judge(QUERY, bench.response, CHECKPOINT, both).authority == "both"


@pytest.mark.parametrize(
    ("setting", "accuracy"),
    [
        ("accuracy = secs:60", timedelta(seconds=60)),
        ("accuracy = millisecs:500, microsecs:100", timedelta(milliseconds=500, microseconds=100)),
        ("", timedelta(0)),
    ],
)
def test_accuracy_is_read(bench: Bench, setting: str, accuracy: timedelta) -> None:
    config = (bench.directory / "openssl.cnf").read_text()
    assert "accuracy = secs:1\n" in config
    (bench.directory / "accuracy.cnf").write_text(config.replace("accuracy = secs:1\n", setting + "\n"))
    response = reply(bench.directory, QUERY, config="accuracy.cnf")
    assert judge(QUERY, response, CHECKPOINT, bench.authority).accuracy == accuracy


def test_serial_numbers_may_have_160_bits(bench: Bench, tmp_path: Path) -> None:
    for name in ("signer.pem", "signer.key"):
        (tmp_path / name).write_bytes((bench.directory / name).read_bytes())
    (tmp_path / "openssl.cnf").write_bytes((bench.directory / "openssl.cnf").read_bytes())
    (tmp_path / "serial").write_text("7F" + "AB" * 19 + "\n")
    token = judge(QUERY, reply(tmp_path, QUERY), CHECKPOINT, bench.authority)
    assert token.serial == int("7F" + "AB" * 19, 16) + 1


def test_a_token_signed_over_sha_1_certificate_ids_is_accepted(bench: Bench) -> None:
    # RFC 3161 had SHA-1 here; RFC 5816 made it a choice. Some authorities never changed.
    config = (bench.directory / "openssl.cnf").read_text()
    assert "ess_cert_id_alg = sha256" in config
    (bench.directory / "sha1.cnf").write_text(config.replace("ess_cert_id_alg = sha256", "ess_cert_id_alg = sha1"))
    response = reply(bench.directory, QUERY, config="sha1.cnf")
    assert judge(QUERY, response, CHECKPOINT, bench.authority).serial
    assert bench.openssl_accepts(response, bench.authority)


def test_a_chain_in_any_order_is_accepted(bench: Bench) -> None:
    # OpenSSL and many authorities send a SET that is not sorted; rfc3161-client alone does not read it.
    config = (bench.directory / "openssl.cnf").read_text()
    (bench.directory / "chain.cnf").write_text(config + "certs = ./root.pem\n")
    response = reply(bench.directory, QUERY, config="chain.cnf")
    certificates = [bench.signer, x509.load_pem_x509_certificate(bench.local.roots_pem.encode())]
    first, second = sorted(each.public_bytes(Encoding.DER) for each in certificates)
    for both in (first + second, second + first):
        ordered = response.replace(first + second, both).replace(second + first, both)
        assert both in ordered
        assert judge(QUERY, ordered, CHECKPOINT, bench.authority).serial
        assert bench.openssl_accepts(ordered, bench.authority)
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(response.replace(first + second, second + first))


def test_an_intermediate_is_taken_from_the_token(bench: Bench) -> None:
    middle_key, key = (rsa.generate_private_key(65_537, 2048) for _ in range(2))
    middle = certificate(middle_key, "Middle", bench.key, "Old root", ca=True)
    signer = certificate(key, "Signer", middle_key, "Middle")
    (bench.directory / "middle.pem").write_text(pem(middle))
    whole = bench.forge(key, signer, "-certfile", "middle.pem")
    assert judge(QUERY, whole, CHECKPOINT, bench.old).serial
    assert bench.openssl_accepts(whole, bench.old)
    without = bench.forge(key, signer)
    refused("TS_TRUST", without, bench.old)
    assert not bench.openssl_accepts(without, bench.old)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_an_ecdsa_signer_is_accepted(bench: Bench, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    response = bench.forge(key, certificate(key, "Signer", bench.key, "Old root"))
    assert judge(QUERY, response, CHECKPOINT, bench.old).serial
    assert bench.openssl_accepts(response, bench.old)


def test_certificates_are_judged_at_the_tokens_own_time(bench: Bench) -> None:
    stamped = datetime(2016, 2, 29, 12, 0, 0, tzinfo=UTC)
    info = bench.says()
    now = decode_timestamp_response(bench.local.answer(QUERY)).tst_info.gen_time.strftime("%Y%m%d").encode()
    assert info.count(now) == 1
    at = info.index(now)
    info = info[:at] + b"20160229120000Z" + info[at + 15 :]
    key = rsa.generate_private_key(65_537, 2048)
    expired = certificate(
        key, "Signer", bench.key, "Old root", since=stamped - timedelta(days=1), until=stamped + timedelta(days=1)
    )
    response = bench.forge(key, expired, info=info)
    assert judge(QUERY, response, CHECKPOINT, bench.old).gen_time == stamped
    assert bench.openssl_accepts(response, bench.old, at=stamped)
    assert not bench.openssl_accepts(response, bench.old)

    too_old = certificate(
        key, "Signer", bench.key, "Old root", since=stamped - timedelta(days=3), until=stamped - timedelta(days=1)
    )
    response = bench.forge(key, too_old, info=info)
    assert "certificate has expired" in refused("TS_TRUST", response, bench.old)
    assert not bench.openssl_accepts(response, bench.old, at=stamped)


# Bad tokens: rows 45 to 51 of the tamper table, and more


def test_45_a_token_of_another_checkpoint(bench: Bench) -> None:
    other = bench.local.answer(query(b"another checkpoint", NONCE))
    assert judge(query(b"another checkpoint", NONCE), other, b"another checkpoint", bench.authority).serial
    refused("TS_IMPRINT", other, bench.authority)
    assert not bench.openssl_accepts(other, bench.authority)


def test_45_the_checkpoint_itself_changed(bench: Bench) -> None:
    assert "query is about other bytes" in refused("TS_IMPRINT", bench.response, bench.authority, data=b"changed")
    again = query(b"changed", NONCE)  # and the stored query with it
    assert "token is about" in refused("TS_IMPRINT", bench.response, bench.authority, asked=again, data=b"changed")


def test_45_an_authority_that_stamps_something_else(bench: Bench) -> None:
    response = bench.local.answer(QUERY, Mood.WRONG_IMPRINT)
    refused("TS_IMPRINT", response, bench.authority)
    assert not bench.openssl_accepts(response, bench.authority)


def test_46_a_flipped_byte_in_the_signature(bench: Bench) -> None:
    response = bench.response[:-8] + bytes([bench.response[-8] ^ 1]) + bench.response[-7:]
    assert read(QUERY, response, CHECKPOINT, bench.authority).serial
    refused("TS_SIG", response, bench.authority)
    assert not bench.openssl_accepts(response, bench.authority)


def test_47_an_authority_outside_the_trust_file(bench: Bench) -> None:
    elsewhere = Authority(id="other", url="http://127.0.0.1:1/", roots_pem=pem(bench.root))
    for pins in ((), (fingerprint(bench.signer),)):
        pinned = Authority(id="other", url="http://127.0.0.1:1/", roots_pem=elsewhere.roots_pem, pins=pins)
        assert "local issuer" in refused("TS_TRUST", bench.response, pinned)
    assert not bench.openssl_accepts(bench.response, elsewhere)


def test_47_an_authority_whose_roots_are_not_known(bench: Bench) -> None:
    unknown = Authority(id="later", url="http://127.0.0.1:1/", roots_pem="")
    assert "not in the trust file" in refused("TS_TRUST", bench.response, unknown)
    assert read(QUERY, bench.response, CHECKPOINT, unknown).authority == "later"


def test_48_another_signer_of_the_same_root(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    one, other = (certificate(key, f"Signer {n}", bench.key, "Old root") for n in (1, 2))
    pinned = Authority(id="old", url="http://127.0.0.1:1/", roots_pem=pem(bench.root), pins=(fingerprint(one),))
    assert judge(QUERY, bench.forge(key, one), CHECKPOINT, pinned).serial
    response = bench.forge(key, other)
    refused("TS_PIN", response, pinned)
    assert bench.openssl_accepts(response, bench.old), "openssl knows no pins"


def test_48_a_pinned_certificate_laid_beside_another_signer(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    one, other = (certificate(key, f"Signer {n}", bench.key, "Old root") for n in (1, 2))
    pinned = Authority(id="old", url="http://127.0.0.1:1/", roots_pem=pem(bench.root), pins=(fingerprint(one),))
    (bench.directory / "beside.pem").write_text(pem(one))
    response = bench.forge(key, other, "-certfile", "beside.pem")
    assert one.public_bytes(Encoding.DER) in response
    refused("TS_PIN", response, pinned)


def test_48_a_token_without_its_signers_certificate(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    signer = certificate(key, "Signer", bench.key, "Old root")
    response = bench.forge(key, signer, "-nocerts")
    refused("TS_SIG", response, bench.old)
    pinned = Authority(id="old", url="http://127.0.0.1:1/", roots_pem=pem(bench.root), pins=(fingerprint(signer),))
    refused("TS_PIN", response, pinned)
    assert not bench.openssl_accepts(response, bench.old)


@pytest.mark.parametrize(
    ("usage", "critical"),
    [
        ([], True),
        ([ExtendedKeyUsageOID.TIME_STAMPING], False),
        ([ExtendedKeyUsageOID.CODE_SIGNING], True),
        ([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING], True),
    ],
)
def test_49_a_certificate_that_is_not_for_time_stamping_alone(
    bench: Bench, usage: list[x509.ObjectIdentifier], critical: bool
) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    signer = certificate(key, "Signer", bench.key, "Old root", usage=usage, critical=critical)
    response = bench.forge(key, signer)
    refused("TS_EKU", response, bench.old)
    assert not bench.openssl_accepts(response, bench.old)


def test_50_a_token_that_answers_another_query(bench: Bench) -> None:
    response = bench.local.answer(QUERY, Mood.WRONG_NONCE)
    refused("TS_NONCE", response, bench.authority)
    assert not bench.openssl_accepts(response, bench.authority)


def test_50_a_token_without_a_nonce(bench: Bench) -> None:
    (bench.directory / "data").write_bytes(CHECKPOINT)
    openssl(bench.directory, "ts", "-query", "-data", "data", "-sha256", "-cert", "-no_nonce", "-out", "bare.tsq")
    response = bench.local.answer((bench.directory / "bare.tsq").read_bytes())
    refused("TS_NONCE", response, bench.authority)
    assert not bench.openssl_accepts(response, bench.authority)


def test_51_only_what_was_granted_counts(bench: Bench) -> None:
    modified = bench.local.answer(QUERY, Mood.MODIFIED)
    assert "status 1" in refused("TS_STATUS", modified, bench.authority)
    rejection = bench.local.answer(QUERY, Mood.REJECTION)
    assert "status 2" in refused("TS_STATUS", rejection, bench.authority)
    assert not bench.openssl_accepts(rejection, bench.authority)


def test_a_certificate_put_in_the_place_of_the_one_that_signed(bench: Bench) -> None:
    # The same key, issuer and serial number, so the signature holds: only the signed attribute tells (RFC 5816).
    key = rsa.generate_private_key(65_537, 2048)
    real, placed = (
        certificate(key, "Signer", bench.key, "Old root", serial=4711, until=FAR_AHEAD - timedelta(days=days))
        for days in (0, 365)
    )
    honest = bench.forge(key, real)
    assert judge(QUERY, honest, CHECKPOINT, bench.old).serial
    taken, put = (each.public_bytes(Encoding.DER) for each in (real, placed))
    assert len(taken) == len(put)
    response = honest.replace(taken, put)
    assert response != honest
    alone = VerifierBuilder(roots=[bench.root]).nonce(NONCE).build()
    assert alone.verify_message(decode_timestamp_response(response), CHECKPOINT), "rfc3161-client does not look"
    assert "another certificate" in refused("TS_SIG", response, bench.old)
    assert not bench.openssl_accepts(response, bench.old)


def test_the_certificate_that_a_token_names_must_be_the_one_it_carries(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    signer = certificate(key, "Signer", bench.key, "Old root")
    response = bench.forge(key, signer)
    sha256, sha384, md5 = (
        bytes.fromhex(each) for each in ("608648016503040201", "608648016503040202", "2a864886f70d0205")
    )
    kind = "1.2.840.113549.1.9.16.2.47"
    for good in (
        signing_certificate(signer.fingerprint(hashes.SHA256())),
        signing_certificate(signer.fingerprint(hashes.SHA256()), sha256),
        signing_certificate(signer.fingerprint(hashes.SHA384()), sha384),
    ):
        changed = with_attribute(response, key, kind, good)
        assert judge(QUERY, changed, CHECKPOINT, bench.old).serial
        assert bench.openssl_accepts(changed, bench.old)
    for bad, code in (
        (signing_certificate(bench.signer.fingerprint(hashes.SHA256())), "TS_SIG"),
        (signing_certificate(signer.fingerprint(hashes.SHA256()), sha384), "TS_SIG"),
        (signing_certificate(signer.fingerprint(hashes.MD5()), md5), "TS_SIG"),  # noqa: S303
        (cms.encode(cms.SEQUENCE), "TS_PARSE"),
        (cms.encode(cms.OCTET_STRING, b"certificate"), "TS_PARSE"),
    ):
        changed = with_attribute(response, key, kind, bad)
        refused(code, changed, bench.old)
    assert not bench.openssl_accepts(changed, bench.old)


def test_a_token_in_another_authoritys_name(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    (bench.directory / "named.tsr").write_bytes(bench.response)
    openssl(bench.directory, "ts", "-reply", "-in", "named.tsr", "-token_out", "-out", "named.p7")
    info = openssl(
        bench.directory, "cms", "-verify", "-noverify", "-inform", "DER", "-in", "named.p7", "-binary"
    )  # fmt: skip
    assert bench.signer.subject.public_bytes() in info
    also_named = certificate(key, "Signer", bench.key, "Old root", also=bench.signer.subject)
    response = bench.forge(key, also_named, info=info)
    assert judge(QUERY, response, CHECKPOINT, bench.old).serial
    assert bench.openssl_accepts(response, bench.old)
    response = bench.forge(key, certificate(key, "Signer", bench.key, "Old root"), info=info)
    assert "another authority" in refused("TS_SIG", response, bench.old)
    assert not bench.openssl_accepts(response, bench.old)


def test_a_token_that_names_no_certificate(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    response = bench.forge(key, certificate(key, "Signer", bench.key, "Old root"), cades=False)
    refused("TS_SIG", response, bench.old)
    assert not bench.openssl_accepts(response, bench.old)


def test_a_weak_digest_is_refused(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    response = bench.forge(key, certificate(key, "Signer", bench.key, "Old root"), "-md", "sha1")
    assert "SHA-2" in refused("TS_SIG", response, bench.old)


def test_a_token_of_two_signers_is_refused(bench: Bench) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    (bench.directory / "second.pem").write_text(pem(certificate(key, "Second", bench.key, "Old root")))
    (bench.directory / "second.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    response = bench.forge(
        key, certificate(key, "First", bench.key, "Old root"), "-signer", "second.pem", "-inkey", "second.key"
    )
    assert "one signer, got 2" in refused("TS_PARSE", response, bench.old)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"this is not DER",
        lambda response: response + b"\x00",
        lambda response: b"\x30\x80" + response[4:] + b"\x00\x00",
        lambda response: response * 200,
        lambda _: b"\x30\x03\x02\x01\x00",
        lambda _: b"\x30\x05\x30\x03\x02\x01\x00",
        lambda _: b"<html>busy</html>",
    ],
)
def test_what_is_no_answer_is_said_to_be_none(bench: Bench, change: Callable[[bytes], bytes]) -> None:
    assert refused("TS_PARSE", change(bench.response), bench.authority)


@pytest.mark.parametrize(
    "asked", [b"", b"no", QUERY + b"\x00", QUERY[:-3], QUERY.replace(b"\x01\x01\xff", b"\x01\x01\x00")]
)
def test_a_query_that_is_not_ours_is_refused(bench: Bench, asked: bytes) -> None:
    assert "query" in refused("TS_PARSE", bench.response, bench.authority, asked=asked)


def test_every_cut_is_refused(bench: Bench) -> None:
    for end in range(0, len(bench.response), 7):
        refused("TS_PARSE", bench.response[:end], bench.authority)


def test_every_byte_of_a_token_matters(bench: Bench) -> None:
    for at in range(len(bench.response)):
        with pytest.raises(TimestampError):
            judge(QUERY, flipped(bench.response, at, at % 8), CHECKPOINT, bench.authority)


@pytest.mark.slow
@pytest.mark.parametrize("bit", range(8))
def test_every_bit_of_a_token_matters(bench: Bench, bit: int) -> None:
    for at in range(len(bench.response)):
        with pytest.raises(TimestampError):
            judge(QUERY, flipped(bench.response, at, bit), CHECKPOINT, bench.authority)


def test_every_bit_of_a_query_matters(bench: Bench) -> None:
    for at in range(len(QUERY)):
        for bit in range(8):
            with pytest.raises(TimestampError):
                judge(flipped(QUERY, at, bit), bench.response, CHECKPOINT, bench.authority)


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def test_a_token_is_a_value() -> None:
    token = Token(gen_time=LONG_AGO, serial=1, policy=POLICY, authority="local")
    assert token == Token(gen_time=LONG_AGO, serial=1, policy=POLICY, authority="local", accuracy=timedelta(0))
    assert timestamp.MAX_RESPONSE_BYTES > 100_000
