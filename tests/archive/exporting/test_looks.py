"""An export of a case with a look that found nothing new: it is handed over whole, and both verifiers know its end."""

from pathlib import Path

from custody import canonical
from custody.event import Event
from tests.archive.exporting.conftest import handed_over
from tests.archive.exporting.office import Office, scopes_of, shared_item
from tests.archive.exporting.test_script import agree, run
from tests.custody.test_looks import observed, unchanged


def test_a_look_that_found_nothing_new_is_handed_over(tmp_path: Path) -> None:
    made = shared_item()
    ours = scopes_of(made)[0]
    look, _ = unchanged(made, made.captures[0], scope=ours)
    observed(made, made.captures[0], made.captures[1], "price_changed")
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == set()
    done = run(good.bag, good.trust)
    assert done.returncode == 0, done.stdout + done.stderr
    told = canonical.loads((good.bag / "data/tables/population.json").read_bytes())
    assert isinstance(told, dict)
    assert (told["unchanged"], told["abandoned"], told["open"]) == (1, 0, 0)
    assert f"{look.id}" in (good.bag / "data/tables/captures.csv").read_text()
    assert not any(b"change.observed" in each.read_bytes() for each in (good.bag / "data/custody").iterdir())


def test_both_verifiers_see_that_such_a_look_ends_twice(tmp_path: Path) -> None:
    made = shared_item()
    _, draft = unchanged(made, made.captures[0], scope=scopes_of(made)[0])
    first = Event.parse(draft.make().payload)
    again = made.event(first.type, first.chain, first.subjects[0], first.body, run=first.run, refs=first.refs)
    made.commit(made.draft(again))
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == {"STATE_ORDER"}
