"""Times, counts and disclosures, as pages write them."""

import pytest

from crawlers.counts import count
from crawlers.dates import day_in, instant
from crawlers.disclosures import disclosures_in
from crawlers.saved import Saved


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


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("12 437 subscribers", 12_437), ("1,234", 1_234), ("1.234", 1_234), ("1.2K", None), ("12,4 тыс.", None),
        ("3.4万", None), ("2 Mio.", None), ("310", 310), ("-5", None), ("none", None),
    ],
)  # fmt: skip
def test_a_count_is_a_number_where_it_is_exact(text: str, exact: int | None) -> None:
    assert count(text) == exact


def test_disclosures_as_they_stand() -> None:
    text = "Love it! #Ad #adorable This post contains affiliate links. Werbung #anzeige"
    assert disclosures_in(text) == ["#Ad", "contains affiliate links", "#anzeige"]
    assert disclosures_in("I add #ads2 nothing") == []


@pytest.mark.parametrize("text", ["<p>a</p><script>mark=“seven”</script>", "<p>é</p><script>mark=“seven”</script>"])
def test_what_stands_behind_a_mark_is_the_same_from_bytes_and_from_text(text: str) -> None:
    from_bytes, from_text = Saved.of(text.encode()), Saved(text=text)
    assert from_bytes.utf8 is not None
    assert from_bytes.behind("mark", 6) == from_text.behind("mark", 6) == "mark=“"
    assert from_bytes.behind("none", 6) == from_text.behind("none", 6) == ""
