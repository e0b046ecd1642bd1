"""The catalogue beside a run: how often it reads on."""

import pytest

from archive.cataloguing import Cataloguing
from archive.errors import StoreDown


class Catalog:
    def __init__(self) -> None:
        self.times = 0
        self.fails = False

    def advance(self) -> None:
        if self.fails:
            raise StoreDown("gone")
        self.times += 1


def test_reads_on_every_now_and_then_and_at_the_end() -> None:
    catalog, now = Catalog(), [100.0]
    cataloguing = Cataloguing(catalog.advance, lambda: now[0], every_s=10)
    for _ in range(5):
        cataloguing.tell()
    assert catalog.times == 0
    now[0] += 10
    cataloguing.tell()
    assert catalog.times == 1
    cataloguing.tell()
    assert catalog.times == 1
    cataloguing.catch_up()
    assert catalog.times == 2


def test_where_there_is_nothing_new_nothing_is_asked() -> None:
    catalog = Catalog()
    Cataloguing(catalog.advance, lambda: 0.0).catch_up()
    assert catalog.times == 0


def test_what_could_not_be_read_is_read_the_next_time() -> None:
    catalog, now = Catalog(), [0.0]
    cataloguing = Cataloguing(catalog.advance, lambda: now[0], every_s=10)
    cataloguing.tell()
    catalog.fails = True
    with pytest.raises(StoreDown):
        cataloguing.catch_up()
    catalog.fails = False
    cataloguing.catch_up()
    assert catalog.times == 1
