"""Where a post says its link is, in each language, and which button that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.pointing import Button, By, codes_on, pointing_of, points


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("link in bio, it's number 14 ✨", "14"),
        ("LINK IN BIO 👉 #14", "14"),
        ("Link is in my bio: check bio, No. 14", "14"),
        ("link in bio 1️⃣4️⃣", "14"),
        ("link in bio ⑭", "14"),
        ("item 14 on my ltk", "14"),
        ("Lien dans ma bio, n°14", "14"),
        ("Link in meiner Bio, Nr. 14", "14"),
        ("Link en mi bio, número 14", "14"),
        ("Link na bio, nº 14", "14"),
        ("Link nella mia bio, numero 14", "14"),
        ("Link in mijn bio, nummer 14", "14"),
        ("Link w moim bio, numer 14", "14"),
        ("Link biyografide, numara 14", "14"),
        ("Ссылка в шапке профиля, № 14", "14"),
        ("الرابط في البايو رقم ١٤", "14"),
        ("链接在主页，14号", "14"),
        ("リンクはプロフィール、番号14", "14"),
        ("링크는 프로필에, 14번", "14"),
        ("code LV-23, check my bio", "LV23"),
        ("link in bio under LV23", "LV23"),
    ],
)
def test_a_number_or_code_is_read_where_the_post_sends_its_readers(text: str, code: str) -> None:
    pointing = pointing_of(text)
    assert pointing.sends_to_profile is not None
    assert [each for each, _ in pointing.codes] == [code]
    passage = pointing.codes[0][1]
    assert text[passage.start : passage.end] == passage.raw


@pytest.mark.parametrize(
    "text",
    [
        "my number 1 tip for summer",
        "she is #1 for me",
        "no 14 year old needs this",
        "we did 14 takes of this 😅",
        "14k gold, 18 cm",
        "save 14% with me",
        "call me at 14:30",
    ],
)
def test_numbers_of_other_things_point_nowhere(text: str) -> None:
    pointing = pointing_of(text)
    assert pointing.codes == ()
    assert pointing.sends_to_profile is None


@pytest.mark.parametrize(
    ("label", "codes"),
    [
        ("14 · the bracelet", {"14"}),
        ("14. bracelet", {"14"}),
        ("14) bracelet", {"14"}),
        ("#14 bracelet", {"14"}),
        ("No. 14 – bracelet", {"14"}),
        ("【14】手镯", {"14"}),
        ("14号 手镯", {"14"}),
        ("⑭ bracelet", {"14"}),
        ("1️⃣4️⃣ bracelet", {"14"}),
        ("Bracelet (B7)", {"B7"}),
        ("LV23 bag", {"LV23"}),
        ("14k gold bracelet", set()),
        ("14 karat gold", set()),
        ("Summer 2026 edit", set()),
        ("bracelet", set()),
    ],
)
def test_the_number_on_a_button(label: str, codes: set[str]) -> None:
    assert codes_on([Button(href="a", label=label)]) == [codes]


def test_a_number_in_front_counts_where_most_buttons_have_one_of_their_own() -> None:
    listed = [Button(href=str(n), label=f"{n} gold bangle") for n in range(1, 5)]
    assert codes_on(listed) == [{"1"}, {"2"}, {"3"}, {"4"}]
    assert codes_on([Button(href="a", label="14 karat"), Button(href="b", label="18 karat")]) == [set(), set()]


def test_the_only_way_out_is_meant_and_accounts_elsewhere_are_no_way_out() -> None:
    buttons = [Button(href="https://shop.example/"), Button(href="https://tube.example/", is_aside=True)]
    (pointer,) = points(pointing_of("link in bio"), buttons)
    assert pointer.by is By.ONLY_LINK
    assert points(pointing_of("good morning"), buttons) == ()
    assert points(pointing_of("link in bio"), [*buttons, Button(href="https://other.example/")]) == ()


@given(st.text(max_size=200))
def test_passages_are_of_the_text(text: str) -> None:
    pointing = pointing_of(text, is_sent=True)
    for _, passage in pointing.codes:
        assert text[passage.start : passage.end] == passage.raw


@pytest.mark.parametrize(
    "text",
    [
        "My number 1 tip for Dior lovers: moisturise. Everything I use is in the link in my bio",
        "My number 4 tip: sleep more 😴 link in bio",
        "Chanel N°5 or Dior? Vote below, and then see all of my other posts of this week via the link in bio",
        "Room number 3 is my favourite. Link in bio",
        "#14 of my 30 day challenge, link in bio",
        "no. 1 fan club 💛 link in bio",
        "We are the no. 1 Gucci fan club, link in bio",
        "Nummer 1 der Charts! Link im Profil",
        "Call me on number 5 extension 12! link in bio",
    ],
)
def test_a_number_of_something_else_points_nowhere_though_the_post_speaks_of_its_bio(text: str) -> None:
    pointing = pointing_of(text)
    assert pointing.sends_to_profile is not None
    assert pointing.codes == ()


@pytest.mark.parametrize(
    "text",
    ["number 4 in my bio", "it's #4 in my bio", "Linktree number 4", "Link biyografide, 4 numara", "第4个，链接在主页",
     "الرابط في البايو، الرقم ٤", "auf Platz 4 in meiner Bio", "number 4 on mylinks.page/ana",
     "link in bio, no. 4 gold bracelet", "link in bio #4 for the belt"],
)  # fmt: skip
def test_more_ways_to_say_it(text: str) -> None:
    assert [code for code, _ in pointing_of(text, is_sent="mylinks" in text).codes] == ["4"]
