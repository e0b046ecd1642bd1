"""A list of watches in a file: read whole or not at all, every fault by its line, written as it is read."""

import pytest

from archive.errors import UsageError
from archive.watching import watches, watchlist
from archive.watching.database import Database
from archive.watching.watch import Asked
from tests.archive.watching.databases import AT, new_id

LIST = b"""
[defaults]
case = "bracelets"
every = "6h"

[[watch]]
url = "https://glimpse.example/mirabelle"
kind = "profile"
cron = "0 7-22 * * *"
zone = "Europe/Paris"
max_new = 5

[[watch]]
url = "https://shop.example/item/1"
kind = "listing"
priority = 8
"""


def address(text: str) -> tuple[str, str]:
    if not text.startswith("https://"):
        raise UsageError(f"{text!r} is no address")
    return text, text.lower()


def parse(data: bytes) -> tuple[Asked, ...]:
    return watchlist.parse(data, name="list.toml", address=address)


def test_a_watch_takes_from_the_defaults_what_it_does_not_say() -> None:
    profile, listing = parse(LIST)
    assert (profile.case, profile.timing.cron, profile.timing.every, profile.options) == (
        "bracelets",
        "0 7-22 * * *",
        None,
        {"max_new": 5},
    )
    assert (listing.priority, listing.timing.describe(), listing.source) == (8, "every 6h", "list.toml")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ((b'cron = "0 7-22 * * *"', b'cron = "99 * * * *"'), 9, "no cron expression"),
        ((b'kind = "listing"', b'kind = "shop"'), 15, "kind is profile"),
        ((b"priority = 8", b"priority = 80"), 16, "priority is 0 to 9"),
        ((b"priority = 8", b'prority = "8"'), 16, "no 'prority'"),
        ((b'url = "https://shop.example/item/1"', b'url = "shop"'), 14, "no address"),
        ((b'url = "https://shop.example/item/1"', b""), 13, "needs 'url'"),
        ((b"max_new = 5", b"max_new = true"), 11, "max_new is a whole number"),
        ((b"https://shop.example/item/1", b"https://GLIMPSE.example/mirabelle"), 13, "watched for case 'bracelets'"),
    ],
)
def test_a_fault_is_named_with_its_line(change: tuple[bytes, bytes], line: int, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(LIST.replace(*change))
    (told,) = [each for each in str(refused.value).splitlines() if each.startswith("list.toml")]
    assert told.startswith(f"list.toml:{line}: ")
    assert says in told


def test_all_faults_are_told_at_once_and_nothing_is_applied() -> None:
    with pytest.raises(UsageError) as refused:
        parse(LIST.replace(b'"profile"', b'"nobody"').replace(b"priority = 8", b"priority = 80"))
    assert str(refused.value).startswith("nothing was applied")
    assert str(refused.value).count("list.toml:") == 2


def test_what_is_no_toml_is_told_with_the_place() -> None:
    with pytest.raises(UsageError, match="line 2"):
        parse(b"\n[[watch]\n")


def test_a_watch_header_inside_a_text_does_not_shift_the_lines() -> None:
    odd = LIST.replace(b'"bracelets"', b'"""\n[[watch]]\n"""')
    with pytest.raises(UsageError) as refused:
        parse(odd.replace(b"priority = 8", b"priority = 80"))
    assert "watch 2" in str(refused.value)  # no line can be trusted, so none is given


@pytest.mark.s3
def test_what_is_written_is_read_back_as_the_same_watches(database: Database) -> None:
    with database.transaction() as connection:
        for each in parse(LIST):
            watches.put(connection, each, new_id=new_id(), now=AT)
        known = watches.every(connection)
    plan = watchlist.compare(known, parse(watchlist.format_list(known).encode()))
    assert (plan.new, plan.changed, plan.gone, len(plan.same)) == ((), (), (), 2)


@pytest.mark.s3
def test_a_plan_says_what_is_new_changed_the_same_and_not_in_the_list(database: Database) -> None:
    with database.transaction() as connection:
        for each in parse(LIST):
            watches.put(connection, each, new_id=new_id(), now=AT)
        known = watches.every(connection)
    other = LIST.replace(b"priority = 8", b"priority = 9").replace(
        b"glimpse.example/mirabelle", b"glimpse.example/hana"
    )
    plan = watchlist.compare(known, parse(other))
    assert [each.url for each in plan.new] == ["https://glimpse.example/hana"]
    assert [watch.url for watch, _ in plan.changed] == ["https://shop.example/item/1"]
    assert [each.url for each in plan.gone] == ["https://glimpse.example/mirabelle"]
