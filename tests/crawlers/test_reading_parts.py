"""Counts and disclosures, as pages write them."""

import pytest

from crawlers.counts import count
from crawlers.disclosures import disclosures_in
from crawlers.saved import Saved


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
    assert disclosures_in("Links below (affiliate links) – paid promotion #patrocinado #合作") == [
        "affiliate links", "paid promotion", "#patrocinado", "#合作",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["<p>a</p><script>mark=“seven”</script>", "<p>é</p><script>mark=“seven”</script>"])
def test_what_stands_behind_a_mark_is_the_same_from_bytes_and_from_text(text: str) -> None:
    from_bytes, from_text = Saved.of(text.encode()), Saved(text=text)
    assert from_bytes.utf8 is not None
    assert from_bytes.behind("mark", 6) == from_text.behind("mark", 6) == "mark=“"
    assert from_bytes.behind("none", 6) == from_text.behind("none", 6) == ""
