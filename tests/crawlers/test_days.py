"""Days written in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.days import day_in


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on May 29, 2021", "2021-05-29"),
        ("February 20, 2014", "2014-02-20"),
        ("6:59 PM - 1 Aug 2013", "2013-08-01"),
        ("Martes, 21 de octubre de 2014", "2014-10-21"),
        ("13 may. 2019", "2019-05-13"),
        ("29. Mai 2021", "2021-05-29"),
        ("1er janvier 2020", "2020-01-01"),
        ("3 de março de 2022", "2022-03-03"),
        ("24 dicembre 2020", "2020-12-24"),
        ("5 августа 2023 г.", "2023-08-05"),
        ("14 września 2021", "2021-09-14"),
        ("10 Kasım 2022", "2022-11-10"),
        ("2021年5月29日", "2021-05-29"),
        ("2021년 5월 29일", "2021-05-29"),
        ("Published on 2021-05-29", "2021-05-29"),
    ],
)
def test_a_whole_date_is_read(text: str, day: str) -> None:
    assert day_in(text) == day


@pytest.mark.parametrize(
    "text",
    ["2 Jun at 18:00", "08/02/2018", "yesterday", "May 2021", "31 February 2020", "0 May 2020", "", "29 Smarch 2021"],
)
def test_what_is_no_whole_date_is_none(text: str) -> None:
    assert day_in(text) is None


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    day_in(text)
