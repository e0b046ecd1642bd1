"""PDQ against what its authors' C++ made of the same brightness, and what a hash has to hold to by itself."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings import pdq

VECTORS = json.loads(Path(__file__).with_name("pdq.json").read_text(encoding="utf-8"))["vectors"]


def hills(seed: int, width: int, height: int, cells: int) -> bytes:
    """Hills on a grid of so many cells, whole numbers all the way, so that every machine makes the same bytes."""
    heights = Random(seed).randbytes((cells + 1) ** 2)
    made = bytearray()
    for y in range(height):
        row, down = divmod(y * cells * 256 // height, 256)
        for x in range(width):
            column, right = divmod(x * cells * 256 // width, 256)
            at = row * (cells + 1) + column
            upper = heights[at] * (256 - right) + heights[at + 1] * right
            lower = heights[at + cells + 1] * (256 - right) + heights[at + cells + 2] * right
            made.append((upper * (256 - down) + lower * down) >> 16)
    return bytes(made)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['width']}x{each['height']}-{each['cells']}")
def test_it_is_what_the_reference_makes(vector: dict[str, int | str]) -> None:
    seed, width, height, cells = (int(vector[name]) for name in ("seed", "width", "height", "cells"))
    made, mirror = pdq.both_of(hills(seed, width, height, cells), width, height)
    assert made == pdq.hash_of(hills(seed, width, height, cells), width, height)
    assert (f"{made.bits:064x}", made.quality) == (vector["hash"], vector["quality"])
    turned_over = int(str(vector["flipped"]), 16)  # the reference turns waves over, which moves the picture a little
    assert (mirror.bits ^ turned_over).bit_count() <= 40


def test_the_mirrored_hash_is_that_of_the_mirrored_picture() -> None:
    luma = hills(5, 300, 200, 9)
    mirror = b"".join(luma[at : at + 300][::-1] for at in range(0, len(luma), 300))
    assert pdq.both_of(luma, 300, 200)[::-1] == pdq.both_of(mirror, 300, 200)


@given(st.integers(0, 2**32), st.integers(5, 90), st.integers(5, 90))
def test_half_of_the_bits_are_set_whatever_the_picture(seed: int, width: int, height: int) -> None:
    made = pdq.hash_of(Random(seed).randbytes(width * height), width, height)
    assert made.bits.bit_count() == pdq.BITS // 2
    assert 0 <= made.quality <= 100


@given(st.integers(0, 2**32), st.integers(2, 5), st.integers(-20, 20))
def test_contrast_and_brightness_change_nothing_that_counts(seed: int, times: int, more: int) -> None:
    plain = bytes(20 + value % 40 for value in Random(seed).randbytes(4096))
    other = bytes(min(255, value * times // 2 + more) for value in plain)
    one, another = pdq.hash_of(plain, 64, 64), pdq.hash_of(other, 64, 64)
    assert (one.bits ^ another.bits).bit_count() <= 10


def test_one_even_colour_has_no_quality() -> None:
    assert pdq.hash_of(bytes([200]) * 10_000, 100, 100).quality == 0


def test_of_less_than_five_pixels_nothing_is_made() -> None:
    assert pdq.hash_of(Random(1).randbytes(4 * 90), 4, 90) == pdq.Hash(0, 0)


@pytest.mark.parametrize(("width", "height"), [(10, 11), (0, 0)])
def test_a_size_that_is_not_the_picture_s_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="are no"):
        pdq.hash_of(bytes(100) if width else b"1", width, height)
