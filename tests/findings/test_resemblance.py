"""The same picture is known again, packed, cut or mirrored; others are not; what tells nothing matches nothing."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from crawlers.pictures.printing import printed
from findings.resemblance import (
    MIN_SIDE,
    PARTS,
    THRESHOLD,
    TRIMMED,
    WHOLE,
    Likeness,
    Print,
    compare,
    distance,
    matches,
)
from tests.findings.painting import bordered, cropped, mirrored, paint, turned, watermarked

PHOTOGRAPHS = [("scene", 3), ("portrait", 1), ("goods", 4), ("bag on white", 2), ("poster", 0)]

HASHES = st.integers(0, 2**256 - 1)
PRINTS = st.builds(
    Print,
    bits=HASHES,
    mirrored=HASHES,
    quality=st.integers(0, 100),
    width=st.integers(1, 10**9 - 1),
    height=st.integers(1, 10**9 - 1),
    parts=st.dictionaries(st.sampled_from(PARTS), HASHES).map(
        lambda parts: tuple((name, parts[name]) for name in PARTS if name in parts)
    ),
)


@cache
def original(kind: str, number: int) -> Print:
    return printed(paint(kind, number))


def packed(picture: Image.Image, form: str = "JPEG", quality: int = 60) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, form, quality=quality)
    return Image.open(file).convert("RGB")


def sized(picture: Image.Image, times: float) -> Image.Image:
    return picture.resize((round(picture.width * times), round(picture.height * times)), Image.Resampling.LANCZOS)


def in_a_square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((x, y, x + side, y + side)).resize((320, 320))


def likeness(picture: Image.Image, to: tuple[str, int]) -> Likeness | None:
    return compare(original(*to), printed(picture))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize(
    "change",
    [
        packed,
        lambda picture: packed(picture, quality=40),
        lambda picture: packed(picture, "WEBP"),
        lambda picture: packed(picture, "AVIF"),
        lambda picture: sized(picture, 0.5),
        lambda picture: packed(sized(picture, 0.3)),
        lambda picture: packed(sized(picture, 0.17)),
        lambda picture: sized(picture, 1.7),
        lambda picture: ImageEnhance.Contrast(picture).enhance(1.2),
        lambda picture: ImageEnhance.Color(picture).enhance(0.4),
        watermarked,
    ],
)
def test_packed_anew_it_is_known_again_as_a_whole(
    name: tuple[str, int], change: Callable[[Image.Image], Image.Image]
) -> None:
    found = likeness(change(paint(*name)), name)
    assert found is not None
    assert (found.ours, found.theirs, found.is_mirrored, found.threshold) == (WHOLE, WHOLE, False, THRESHOLD)
    assert found.distance <= THRESHOLD


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_mirrored_it_is_known_again_and_said_to_be_mirrored(name: tuple[str, int]) -> None:
    found = likeness(packed(mirrored(paint(*name))), name)
    assert found is not None
    assert found.is_mirrored
    assert not found.is_of_a_part


@pytest.mark.parametrize("share", [0.05, 0.1, 0.17, 0.2])
@pytest.mark.parametrize("name", PHOTOGRAPHS[:4])
def test_cut_on_all_sides_it_is_known_again_from_a_part(name: tuple[str, int], share: float) -> None:
    found = likeness(packed(cropped(paint(*name), share), quality=80), name)
    assert found is not None
    assert found.ours.startswith("inner_")
    assert abs(int(found.ours.removeprefix("inner_")) - 100 * (1 - share)) <= 3
    assert found.theirs == WHOLE


@pytest.mark.parametrize("name", PHOTOGRAPHS[:3])
@pytest.mark.parametrize("colour", ["white", "black", "#e8d9c0"])
def test_in_an_even_frame_it_is_known_again(name: tuple[str, int], colour: str) -> None:
    found = likeness(packed(bordered(paint(*name), 0.15, colour)), name)
    assert found is not None
    assert (found.ours, found.theirs) == (WHOLE, TRIMMED)


def test_as_a_list_of_links_shows_it_it_is_known_again() -> None:
    tall = ("portrait", 2)
    assert paint(*tall).width != paint(*tall).height
    found = likeness(packed(in_a_square(paint(*tall))), tall)
    assert found is not None
    assert (found.ours, found.theirs) == ("square", WHOLE)


def test_mirrored_and_cut_at_once() -> None:
    found = likeness(packed(mirrored(cropped(paint("scene", 3), 0.09))), ("scene", 3))
    assert found is not None
    assert found.is_mirrored


def test_different_pictures_are_not_taken_for_one() -> None:
    kinds = ("scene", "portrait", "goods", "bag on white", "shoe on white", "words")
    names = [(kind, number) for kind in kinds for number in range(10, 14)]
    assert [pair for pair in combinations(names, 2) if compare(original(*pair[0]), original(*pair[1]))] == []


def test_turned_by_five_degrees_it_is_not_known_again() -> None:
    """What docs/resemblance.md says is not found: whoever finds it changes that page too."""
    assert likeness(turned(paint("scene", 3), 5), ("scene", 3)) is None


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (600, 600), "white"),
        Image.new("RGB", (600, 600), "black"),
        paint("gradient", 1),
        paint("gradient", 2),
        sized(paint("scene", 3), 0.05),
        paint("scene", 3).resize((MIN_SIDE - 1, 700)),
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (4_000, 1)),
    ],
    ids=["white", "black", "slope", "another slope", "icon", "strip", "pixel", "line"],
)
def test_what_tells_nothing_matches_nothing_not_even_itself(picture: Image.Image) -> None:
    made = printed(picture)
    assert not made.is_telling
    assert compare(made, made) is None
    assert compare(made, original("scene", 3)) is None


def test_all_pairs_the_nearest_first() -> None:
    post = {"a": original("scene", 3), "b": original("portrait", 1)}
    listing = {1: printed(packed(cropped(paint("portrait", 1), 0.1))), 2: original("goods", 4), 3: original("scene", 3)}
    assert [(ours, theirs) for ours, theirs, _ in matches(post, listing)] == [("a", 3), ("b", 1)]
    assert matches(post, {}) == ()


@pytest.mark.parametrize(("bits", "is_found"), [(0, True), (THRESHOLD, True), (THRESHOLD + 1, False), (128, False)])
def test_the_threshold_is_what_it_says(bits: int, *, is_found: bool) -> None:
    one = Print(bits=0, mirrored=2**256 - 1, quality=50, width=MIN_SIDE, height=MIN_SIDE)
    other = replace(one, bits=2**bits - 1, mirrored=(2**128 - 1) << 64)
    assert distance(one, other) == bits
    assert (compare(one, other) is not None) is is_found
    assert compare(replace(one, quality=49), other) is None
    assert compare(one, replace(other, height=MIN_SIDE - 1)) is None


@given(PRINTS)
def test_a_print_is_read_back_from_its_text(made: Print) -> None:
    assert Print.parse(str(made)) == made


@given(PRINTS, PRINTS)
def test_it_is_the_same_whichever_is_whose(one: Print, other: Print) -> None:
    there, back = compare(one, other), compare(other, one)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert (there.distance, there.is_mirrored) == (back.distance, back.is_mirrored)


@given(PRINTS)
def test_a_telling_picture_is_its_own_likeness(made: Print) -> None:
    found = compare(made, made)
    if made.is_telling:
        assert found == Likeness(distance=0, is_mirrored=False)
    else:
        assert distance(made, made) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pdq1",
        "pdq1:" + "0" * 64 + ":50",
        "pdq1:" + "0" * 64 + ":101:" + "0" * 64 + ":1x1",
        "pdq1:" + "0" * 64 + ":050:" + "0" * 64 + ":1x1",
        "pdq1:" + "0" * 64 + ":50:" + "0" * 64 + ":0x1",
        "pdq1:" + "G" * 64 + ":50:" + "0" * 64 + ":1x1",
        "pdq1:" + "0" * 64 + ":50:" + "0" * 64 + ":1x1:corner=" + "0" * 64,
        "pdq1:" + "0" * 64 + ":50:" + "0" * 64 + ":1x1" + (":square=" + "0" * 64) * 2,
        "pdq1:" + "0" * 64 + ":50:" + "0" * 64 + ":1x1" + ":trimmed=" + "0" * 64 + ":square=" + "0" * 64,
        "pdq1:" + "0" * 64 + ":50:" + "0" * 64 + ":1x1\n",
    ],
)
def test_another_text_is_no_print(text: str) -> None:
    with pytest.raises(ValueError, match="no print"):
        Print.parse(text)
