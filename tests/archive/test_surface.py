"""What a record says of its surface, and what one that says nothing is taken for."""

import pytest

from archive.surface import Shown, Surface, platform_of, shown_by, shown_of, surface_of
from custody.model import Outcome


def test_a_record_that_does_not_say_is_of_a_page() -> None:
    assert surface_of({}) == surface_of({"session": {"surface": "automatic"}}) == Surface.PAGE
    assert surface_of({"session": {"surface": "attended"}}) == Surface.ATTENDED


def test_the_section_is_believed_before_the_session() -> None:
    assert surface_of({"surface": {"name": "embed"}, "session": {"surface": "automatic"}}) == Surface.EMBED
    assert surface_of({"surface": {"name": "hologram"}}) == "hologram"
    assert surface_of({"surface": ["embed"], "session": None}) == Surface.PAGE


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_shows_something(outcome: Outcome) -> None:
    assert shown_by(outcome, None) in Shown
    assert (shown_by(outcome, None) is Shown.CONTENT) == (outcome in {Outcome.OK, Outcome.NOT_A_PAGE})


@pytest.mark.parametrize(
    ("status", "shown"),
    [(401, "refused"), (403, "refused"), (429, "refused"), (404, "absent"), (410, "absent"), (500, "failed")],
)
def test_an_error_is_told_by_its_status(status: int, shown: str) -> None:
    assert shown_by(Outcome.HTTP_ERROR, status) == shown


def test_what_the_record_says_was_shown_wins_over_its_outcome() -> None:
    assert shown_of({"surface": {"name": "page", "shown": "shell"}}, Outcome.OK, 200) == "shell"
    assert shown_of({}, Outcome.OK, 200) == "content"


def test_the_platform_is_there_where_the_record_says_it() -> None:
    assert platform_of({"surface": {"name": "api", "platform": "instagram"}}) == "instagram"
    assert platform_of({}) is None
