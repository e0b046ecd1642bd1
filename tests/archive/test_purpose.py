"""Whether looks may go on for a case: only a review that is overdue stops them, by the case's own calendar."""

from datetime import UTC, date, datetime

import pytest

from archive.brief import Brief
from archive.purpose import may_look

DAY = date(2027, 1, 31)


def test_a_case_that_says_nothing_is_looked_at_and_that_is_said() -> None:
    found = may_look(None, datetime(2027, 1, 1, tzinfo=UTC))
    assert found.allowed
    assert found.lacks == ("purpose", "legal_basis", "review_by")
    described = may_look(Brief(purpose="find copies"), datetime(2027, 1, 1, tzinfo=UTC))
    assert described.allowed
    assert described.lacks == ("legal_basis", "review_by")


@pytest.mark.parametrize(
    ("timezone", "at", "allowed"),
    [
        ("UTC", datetime(2027, 1, 31, 23, 59, tzinfo=UTC), True),
        ("UTC", datetime(2027, 2, 1, 0, 0, tzinfo=UTC), False),
        ("Pacific/Auckland", datetime(2027, 1, 31, 11, 30, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2027, 2, 1, 7, 0, tzinfo=UTC), True),
        ("Nowhere/Atlantis", datetime(2027, 2, 1, 0, 0, tzinfo=UTC), False),
    ],
)
def test_it_stops_when_the_day_has_gone_by_where_the_case_is(timezone: str, at: datetime, *, allowed: bool) -> None:
    found = may_look(Brief(review_by=DAY, timezone=timezone), at)
    assert found.allowed is allowed
    assert found.overdue_since == (None if allowed else DAY)
    assert "2027-01-31" in found.why
