"""When pages say that something was published: days in words and numbers, and instants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.dates import day_in, instant


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
        ("13 červen 2019", "2019-06-13"),
        ("13 červenec 2019", "2019-07-13"),
        ("13 styczeń 2019", "2019-01-13"),
        ("mar 21 oct 2014", "2014-10-21"),
        ("13 मई 2019", "2019-05-13"),
        ("13 फ़रवरी 2019", "2019-02-13"),
        ("13 มกราคม 2019", "2019-01-13"),
        ("13 أغسطس 2019", "2019-08-13"),
        ("13 Μαΐου 2019", "2019-05-13"),
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


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Thursday, May 26, 2016", "2016-05-26"),
        ("5 de abril de 2019", "2019-04-05"),
        ("24 мая 2021 г.", "2021-05-24"),
        ("26 Mayıs 2016 Perşembe", "2016-05-26"),
        ("2021年4月5日", "2021-04-05"),
        ("2021. 4. 5.", "2021-04-05"),
        ("12 août 2020", "2020-08-12"),
        ("Posted on Sept. 4, 2012 at 10:30", "2012-09-04"),
        ("10:30 May 5, 2019", "2019-05-05"),
        ("27/09/2013", "2013-09-27"),
        ("9.27.2013", "2013-09-27"),
        ("3.4.2019", None),
        ("2 hours ago · © 2019", None),
        ("Marie 5 2019", None),
        ("April 2019", None),
    ],
)
def test_a_day_in_words_or_numbers(text: str, day: str | None) -> None:
    assert day_in(text) == day


def test_what_settles_which_number_is_the_month() -> None:
    assert day_in("3.4.2019", american=True) == "2019-03-04"
    assert day_in("3.4.2019", american=False) == "2019-04-03"
    assert day_in("3.4.2019", near="https://a.example/2019/03/x.html", american=False) == "2019-03-04"


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1582415225, "2020-02-22T23:47:05Z"),
        (1582415225635, "2020-02-22T23:47:05Z"),
        ("Sun, 30 Dec 2012 15:35:39 +0000", "2012-12-30T15:35:39Z"),
        ("2017-07-04T06:00:10-04:00", "2017-07-04T10:00:10Z"),
        ("2017-07-04T06:00:10", "2017-07-04"),
        ("2017-07-04", "2017-07-04"),
        ("2020-13-45", None),
        ("PT10M", None),
        (True, None),
        (20, None),
    ],
)
def test_an_instant_is_no_more_than_what_is_given(value: object, time: str | None) -> None:
    assert instant(value) == time
