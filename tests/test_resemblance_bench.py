"""What docs/resemblance.md is measured with: intervals are the published ones, each change changes a picture."""

import pytest
from PIL import ImageChops

from bench.resemblance import CHANGES, share, wilson
from tests.findings.painting import KINDS, paint


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_newcombe_1998(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=5e-5)


def test_a_share_says_its_interval() -> None:
    assert share(10, 10) == "100.0 % (72.2 to 100.0)"
    assert share(0, 0) == "- % (0.0 to 100.0)"


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_leaves_another_picture(what: str) -> None:
    before = paint("scene", 1)
    after = CHANGES[what](before)
    assert before == paint("scene", 1)
    assert after.size != before.size or ImageChops.difference(before, after).getbbox() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_paints_its_picture_and_no_other(kind: str) -> None:
    assert paint(kind, 3) == paint(kind, 3)
    assert paint(kind, 3) != paint(kind, 4)
