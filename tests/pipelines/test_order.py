"""The stages fit together: each takes what the one before it gives (mypy cannot tell: the order is data)."""

import typing
from importlib import import_module

from custody.model import Visit
from pipelines.stages import Hashed, Recorded, Stored
from settings import base


def _stages() -> list[type]:
    found = []
    for path in sorted(base.ITEM_PIPELINES, key=lambda each: base.ITEM_PIPELINES[each]):
        module, _, name = path.rpartition(".")
        found.append(getattr(import_module(module), name))
    return found


def test_each_stage_takes_what_the_one_before_gives() -> None:
    given: object = Visit
    for stage in _stages():
        hints = typing.get_type_hints(stage.process_item)  # type: ignore[attr-defined]
        assert hints["item"] is given, stage
        given = hints["return"]
    assert given is Recorded


def test_the_order_is_hash_archive_record_catalogue() -> None:
    assert [each.__name__ for each in _stages()] == ["Hashing", "Archiving", "Recording", "Cataloguing"]
    results = [typing.get_type_hints(each.process_item)["return"] for each in _stages()]  # type: ignore[attr-defined]
    assert results == [Hashed, Stored, Recorded, Recorded]
