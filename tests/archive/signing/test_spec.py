"""A key's name is read strictly, and never shows a secret."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.signing import FileSpec, parse
from archive.signing.spec import KmsSpec, TokenSpec

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


_SPECS = st.builds(
    TokenSpec,
    module=st.just(Path("/usr/lib/a b;c/p11.so")),
    token=st.none() | _TEXT,
    serial=st.none() | _TEXT,
    label=_TEXT,
    id=st.none() | st.binary(min_size=1, max_size=20),
    slot=st.none() | st.integers(0, 2**63),
    pin_source=st.none() | st.sampled_from(["file:/run/pin&1", "env:PIN"]),
)


@given(_SPECS)
def test_reads_what_it_writes(spec: TokenSpec) -> None:
    assert parse(spec.format()) == spec


def test_reads_the_example_of_the_rfc() -> None:
    """RFC 7512 section 3, with the attributes that we know."""
    uri = "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
    uri += "object=my-certificate;id=%69%95%3E%5C%F4%BD%EC%91?pin-source=file:/etc/token_pin&module-path=/lib/p11.so"
    assert parse(uri) == TokenSpec(
        module=Path("/lib/p11.so"),
        token="The Software PKCS#11 Softtoken",
        manufacturer="Snake Oil, Inc.",
        model="1.0",
        label="my-certificate",
        id=bytes.fromhex("69953e5cf4bdec91"),
        pin_source="file:/etc/token_pin",
    )


def test_reads_files_and_keys_in_kms(tmp_path: Path) -> None:
    assert parse(f"file:{tmp_path}/a.key") == FileSpec(tmp_path / "a.key")
    assert parse(f"file://{tmp_path}/a.key") == FileSpec(tmp_path / "a.key")
    assert parse("awskms:1234abcd-12ab-34cd-56ef-1234567890ab@eu-west-1") == KmsSpec(
        "1234abcd-12ab-34cd-56ef-1234567890ab", "eu-west-1"
    )
    arn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert parse(f"awskms:{arn}") == KmsSpec(arn, "us-east-2")
    assert parse("awskms:alias/counterproof-log") == KmsSpec("alias/counterproof-log", None)
    for text in (f"awskms:{arn}@us-east-2", "awskms:alias/a@us-east-1"):
        assert parse(parse(text).format()) == parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a key is"),
        ("root.key", "a key is"),
        ("file:", "a key is"),
        ("vault:a", "a key is"),
        ("file:/a\nb", "a key is"),
        ("pkcs11:object=a", "module-path"),
        ("pkcs11:token=t?module-path=/m.so", "object=LABEL or id"),
        ("pkcs11:object=a;object=b?module-path=/m.so", "once"),
        ("pkcs11:object=a;colour=red?module-path=/m.so", "not colour"),
        ("pkcs11:object=a;type=cert?module-path=/m.so", "private one"),
        ("pkcs11:object=a;slot-id=x?module-path=/m.so", "decimal"),
        ("pkcs11:object=%ff?module-path=/m.so", "UTF-8"),
        ("pkcs11:object=a?module-path=/m.so&pin-source=|cat%20pin", "pin-source"),
        ("awskms:a key", "AWS KMS"),
        ("awskms:arn:aws:kms:us-east-2:111122223333:key/1@us-east-1", "another"),
    ],
)
def test_refuses_what_it_does_not_know(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:object=a?module-path=/m.so&pin-value=s3cr3t",
        "pkcs11:object=a;pin-value=s3cr3t?module-path=/m.so",
        "pkcs11:object=a;s3cr3t",
        "pkcs11:object=a?s3cr3t=1",
        "pkcs11:object=a;object=s3cr3t?module-path=/m.so",
        "s3cr3t:a",
        "awskms:s3cr3t!",
    ],
)
def test_shows_no_pin_that_was_put_where_none_belongs(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert "s3cr3t" not in str(refused.value).replace("not s3cr3t", "")
