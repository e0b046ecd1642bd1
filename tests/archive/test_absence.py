"""When the looks at a thing come to "gone", and each reason for which they do not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archive.absence import AGAIN, CONTROL, Absence, Recorded, absences, is_absent, sentence
from custody.model import Outcome, Via

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FIRST = "first"


def look(name: str, seconds: int, outcome: Outcome, status: int | None = 200, where: str | None = None) -> Recorded:
    via = None if where is None else Via(href="https://x.example/", text="", where=where)
    return Recorded(
        capture_id=name,
        parent=None if where is None else FIRST,
        via=via,
        looked_at=NOON + timedelta(seconds=seconds),
        outcome=outcome,
        http_status=status,
    )


GONE = look(FIRST, 0, Outcome.HTTP_ERROR, 404)
STILL_GONE = look("second", 25, Outcome.HTTP_ERROR, 404, AGAIN)
SHOWN = look("control", 2, Outcome.OK, 200, CONTROL)


def concluded(*looks: Recorded) -> Absence:
    return absences(looks)[FIRST]


def test_two_looks_and_a_control_that_was_shown() -> None:
    found = concluded(GONE, SHOWN, STILL_GONE)
    assert found == Absence(
        gone=True, looks=2, apart_s=25, control="shown", why="the same host showed its control page"
    )
    assert sentence(found).startswith("gone: not there in 2 looks, 25 s apart; control: shown")


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ((GONE,), "it was looked at once"),
        ((GONE, SHOWN), "it was looked at once"),
        ((GONE, STILL_GONE), "no page of the same host was named as a control"),
        ((GONE, STILL_GONE, look("c", 2, Outcome.LOGIN_WALL, 200, CONTROL)), "was not shown either"),
        ((GONE, STILL_GONE, look("c", 2, Outcome.HTTP_ERROR, 404, CONTROL)), "was not shown either"),
        ((GONE, SHOWN, look("second", 9, Outcome.REMOVED, 200, AGAIN)), "less than 10 s apart"),
        ((GONE, SHOWN, look("second", 25, Outcome.OK, 200, AGAIN)), "a later look showed something else: ok"),
        ((GONE, SHOWN, look("second", 25, Outcome.RATE_LIMITED, 429, AGAIN)), "something else: rate_limited"),
        ((GONE, SHOWN, STILL_GONE, look("third", 60, Outcome.OK, 200, AGAIN)), "something else: ok"),
        ((GONE, SHOWN, look("link", 60, Outcome.HTTP_ERROR, 404, "page")), "it was looked at once"),
    ],
)
def test_nothing_is_concluded_otherwise_and_it_says_why(looks: tuple[Recorded, ...], why: str) -> None:
    found = concluded(*looks)
    assert not found.gone
    assert why in found.why
    assert "gone" not in sentence(found)


def test_the_looks_of_another_are_not_its_own() -> None:
    other = Recorded(
        capture_id="x", parent="another", via=STILL_GONE.via, looked_at=NOON + timedelta(seconds=60),
        outcome=Outcome.REMOVED, http_status=200,
    )  # fmt: skip
    assert concluded(GONE, SHOWN, other).looks == 1


@pytest.mark.parametrize(
    ("outcome", "status", "absent"),
    [
        (Outcome.REMOVED, 200, True),
        (Outcome.UNAVAILABLE, 200, True),
        (Outcome.HTTP_ERROR, 404, True),
        (Outcome.HTTP_ERROR, 410, True),
        (Outcome.HTTP_ERROR, 403, False),
        (Outcome.HTTP_ERROR, 503, False),
        (Outcome.PRIVATE, 200, False),
        (Outcome.LOGIN_WALL, 404, False),
        (Outcome.DNS_ERROR, None, False),
        (Outcome.OK, 404, False),
    ],
)
def test_what_shows_that_a_thing_is_not_there(outcome: Outcome, status: Any, *, absent: bool) -> None:
    assert is_absent(outcome, status) is absent
    assert (FIRST in absences([look(FIRST, 0, outcome, status)])) is absent
