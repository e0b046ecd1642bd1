"""When a page was seen first and last, by looks that showed it, found it gone, or found nothing new."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from console.papers.casefile import CaseFile, Look
from console.papers.seen import seen_of
from custody.model import Outcome
from tests.console.papers.office import Office

DAY = timedelta(days=1)
FIRST = datetime(2026, 2, 1, 9, tzinfo=UTC)
URL = "https://shop.example/item/77"


def looked(file: CaseFile, base: Look, *ends: Outcome | None) -> CaseFile:
    """The same page looked at again each day; None: a look that found nothing new since the one before it."""
    looks: dict[str, Look] = {}
    deeds: list[Any] = []
    for n, outcome in enumerate(ends):
        name = f"look-{n}"
        entry = replace(base.entry, capture_id=name, started_at=FIRST + n * DAY)
        assert base.record is not None
        if outcome is None:
            body = {"capture": name, "compared_with": f"look-{n - 1}"}
            event = SimpleNamespace(type="look.unchanged", body=body)
            deeds.append(SimpleNamespace(capture=name, logged=SimpleNamespace(event=event)))
            looks[name] = replace(base, entry=replace(entry, status="unchanged"), record=None)
        else:
            status = 200 if outcome is Outcome.OK else 404
            record = replace(base.record, outcome=outcome, http_status=status, circumstances={})
            looks[name] = replace(base, entry=entry, record=record)
    return CaseFile(**{
        **{name: getattr(file, name) for name in CaseFile.__dataclass_fields__},
        "looks": looks, "deeds": tuple(deeds), "zone": None,
    })  # fmt: skip


def words(office: Office, *ends: Outcome | None) -> tuple[str, str]:
    with office.casefile() as file:
        found = seen_of(looked(file, file.looks[office.listing], *ends))
        (seen,) = found.values()
        assert list(found) == [URL]
        return seen.words(None), seen.span(None)


def test_a_page_that_went_away_was_seen_last_before_that(office: Office) -> None:
    said, span = words(office, Outcome.OK, Outcome.OK, None, Outcome.REMOVED)
    assert said == (
        "4 looks of this case asked for this address, the first 2026-02-01 09:00:00 UTC, the last 2026-02-04 09:00:00 "
        "UTC; 1 found nothing new. First seen 2026-02-01 09:00:00 UTC, last seen 2026-02-03 09:00:00 UTC"
    )
    assert span == "2026-02-01 09:00:00 UTC to 2026-02-03 09:00:00 UTC"


def test_a_page_that_came_later_was_not_seen_before(office: Office) -> None:
    _, span = words(office, Outcome.REMOVED, Outcome.OK)
    assert span == "2026-02-02 09:00:00 UTC"


def test_a_page_that_no_look_showed_was_never_seen(office: Office) -> None:
    said, span = words(office, Outcome.REMOVED)
    assert said == "1 look of this case asked for this address. None showed the page"
    assert span == "never seen"
