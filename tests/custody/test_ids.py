import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.errors import FormatError
from custody.ids import is_uuid7, made_at, uuid7

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
RANDOM = st.binary(min_size=10, max_size=10)


def test_is_the_example_of_rfc_9562() -> None:
    # RFC 9562 §A.6: 2022-02-22T19:22:22Z, rand_a 0xCC3, rand_b 0b01 and 0x8C4DC0C0C07398F
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    random = bytes.fromhex("0cc3" + "18c4dc0c0c07398f")
    assert uuid7(at, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(INSTANTS, RANDOM)
def test_python_reads_it_as_version_7(at: datetime, random: bytes) -> None:
    text = uuid7(at, random)
    parsed = uuid.UUID(text)
    assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)
    assert is_uuid7(text)
    assert made_at(text) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(RANDOM, st.integers(0, 79))
def test_all_random_bits_but_six_count(random: bytes, bit: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    flipped = bytearray(random)
    flipped[bit // 8] ^= 0x80 >> bit % 8
    same = uuid7(at, random) == uuid7(at, bytes(flipped))
    assert same == (bit in {0, 1, 2, 3, 16, 17})


@given(INSTANTS, INSTANTS, RANDOM, RANDOM)
def test_sort_by_time(one: datetime, other: datetime, r1: bytes, r2: bytes) -> None:
    if one + timedelta(milliseconds=1) <= other:
        assert uuid7(one, r1) < uuid7(other, r2)


@pytest.mark.parametrize("count", [0, 9, 11])
def test_wants_ten_random_bytes(count: int) -> None:
    with pytest.raises(FormatError, match=f"expected 10 random bytes, got {count}"):
        uuid7(datetime(2026, 1, 1, tzinfo=UTC), bytes(count))


def test_wants_a_time_that_it_can_hold() -> None:
    with pytest.raises(FormatError, match="time zone"):
        uuid7(datetime(2026, 1, 1), bytes(10))  # noqa: DTZ001
    with pytest.raises(FormatError, match="after 1970"):
        uuid7(datetime(1969, 12, 31, tzinfo=UTC), bytes(10))


@pytest.mark.parametrize(
    "text",
    [
        "", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
    ],
)  # fmt: skip
def test_takes_one_spelling(text: str) -> None:
    assert not is_uuid7(text)
    with pytest.raises(FormatError, match="expected a UUIDv7"):
        made_at(text)
