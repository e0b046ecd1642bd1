import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from custody import cms
from custody.errors import FormatError

TREES = st.recursive(
    st.tuples(st.sampled_from([cms.INTEGER, cms.OCTET_STRING]), st.binary(max_size=400)),
    lambda inner: st.tuples(st.sampled_from([cms.SEQUENCE, cms.SET, cms.CONTEXT_0]), st.lists(inner, max_size=5)),
)


def encoded(tree: tuple[int, object]) -> bytes:
    tag, body = tree
    return cms.encode(tag, body) if isinstance(body, bytes) else cms.encode(tag, *map(encoded, body))  # type: ignore[call-overload]


def decoded(element: cms.Element) -> tuple[int, object]:
    if element.tag in {cms.INTEGER, cms.OCTET_STRING}:
        return element.tag, element.body
    return element.tag, [decoded(each) for each in element.children()]


@given(TREES)
def test_reads_what_it_writes(tree: tuple[int, object]) -> None:
    data = encoded(tree)
    assert decoded(cms.parse(data)) == tree
    assert cms.parse(data).raw == data


@given(TREES, st.data())
def test_every_cut_and_every_addition_is_refused(tree: tuple[int, object], data: st.DataObject) -> None:
    whole = encoded(tree)
    with pytest.raises(FormatError) as refusal:
        cms.parse(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert refusal.value.code == "TS_PARSE"
    with pytest.raises(FormatError, match="bytes too many"):
        cms.parse(whole + b"\x00")


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_have_one_spelling(length: int) -> None:
    element = cms.parse(cms.encode(cms.OCTET_STRING, bytes(length)))
    assert element.octets() == bytes(length)


@pytest.mark.parametrize(
    "data",
    [
        b"\x04\x81\x01a",  # X.690 §10.1: a length takes the fewest bytes
        b"\x04\x82\x00\x80" + bytes(128),
        b"\x30\x80\x00\x00",  # indefinite is BER, not DER
        b"\x04\x85\x00\x00\x00\x00\x01a",
        b"\x04\xff" + bytes(127),
        b"\x1f\x81\x01\x00",
        b"\x04",
        b"",
    ],
)
def test_ber_that_is_not_der_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a time-stamp token in DER"):
        cms.parse(data)


@pytest.mark.parametrize(
    ("hexed", "dotted"),
    [
        ("0609608648016503040201", "2.16.840.1.101.3.4.2.1"),
        ("06092a864886f70d010702", "1.2.840.113549.1.7.2"),
        ("0603883703", "2.999.3"),  # X.690 §8.19.5, its example
        ("06032b6570", "1.3.101.112"),
    ],
)
def test_object_identifiers_are_read_as_everyone_does(hexed: str, dotted: str) -> None:
    assert cms.parse(bytes.fromhex(hexed)).oid() == dotted
    assert x509.ObjectIdentifier(dotted).dotted_string == dotted


@pytest.mark.parametrize("hexed", ["0600", "060186", "0401ff"])
def test_what_is_no_object_identifier_is_refused(hexed: str) -> None:
    with pytest.raises(FormatError, match="object identifier"):
        cms.parse(bytes.fromhex(hexed)).oid()
