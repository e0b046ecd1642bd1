"""An export of a case with a look that found nothing new: it is handed over whole, and both verifiers know its end."""

import base64
import json
from dataclasses import replace
from pathlib import Path

from custody import canonical
from custody.digest import Digest
from custody.event import Event
from custody.model import Outcome
from tests.archive.exporting.conftest import handed_over
from tests.archive.exporting.office import Office, scopes_of, shared_item
from tests.archive.exporting.test_readable import rows
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


def test_what_a_case_saw_change_is_handed_over_with_it_and_not_with_a_single_item(tmp_path: Path) -> None:
    made = shared_item()
    ours, theirs = scopes_of(made)[:2]
    first, second = made.captures[:2]
    unchanged(made, first, scope=ours)
    observed(made, first, second, "price_changed", "title_changed", scope=ours)
    observed(made, first, second, "seller_changed", scope=theirs)
    good = handed_over(tmp_path, Office(tmp_path, made))
    assert agree(good.bag, good) == set()
    done = run(good.bag, good.trust)
    assert done.returncode == 0, done.stdout + done.stderr
    told = rows(good.bag / "data/tables/changes.csv")
    assert [(each["kind"], each["before_capture"], each["after_capture"]) for each in told] == [
        ("price_changed", first.id, second.id),
        ("title_changed", first.id, second.id),
    ]
    entry, detail = good.bag / f"data/custody/entry-{told[0]['entry']}.json", good.bag / told[0]["path"]
    assert b"price_changed" in base64.b64decode(json.loads(entry.read_bytes())["event"]["payload"])
    assert Digest.of(detail.read_bytes()).hex.encode() in base64.b64decode(
        json.loads(entry.read_bytes())["event"]["payload"]
    )
    assert told[0]["before_at"] < told[0]["after_at"]
    assert not any(b"seller_changed" in each.read_bytes() for each in good.bag.rglob("*") if each.is_file())
    office = Office(tmp_path / "again", made)
    office.export("one", case=None, items=(first.unit,))
    named = [each for each in (tmp_path / "again/one").rglob("*") if each.is_file()]
    assert named
    assert not [each for each in named if b"price_changed" in each.read_bytes() or ours.encode() in each.read_bytes()]


def test_of_each_page_the_first_and_the_last_look_are_told(tmp_path: Path) -> None:
    made = shared_item()
    first = made.captures[0]
    look, _ = unchanged(made, first, scope=scopes_of(made)[0])
    good = handed_over(tmp_path, Office(tmp_path, made))
    told = {each["first_capture"]: each for each in rows(good.bag / "data/tables/seen.csv")}
    mine = told[look.id]  # an item of its own, as its page was looked at by itself
    assert (mine["looks"], mine["unchanged"]) == ("1", "1")
    shared = told[first.id]
    assert int(shared["looks"]) == 2
    assert shared["last_capture"] not in {first.id, ""}
    assert shared["first_look"] == shared["first_seen"] < shared["last_seen"] == shared["last_look"]


def test_a_look_that_found_the_page_gone_has_not_seen_it(tmp_path: Path) -> None:
    made = shared_item()
    first = made.captures[0]
    run = made.open_run()
    gone = made.capture(run, unit=first.unit, change=lambda record: replace(record, outcome=Outcome.REMOVED))
    made.close_run(run, 1)
    office = Office(tmp_path, made)
    office.export("bag")
    (told,) = (each for each in rows(tmp_path / "bag/data/tables/seen.csv") if each["first_capture"] == first.id)
    assert told["last_capture"] == gone.id
    assert told["first_look"] == told["first_seen"]
    assert told["first_seen"] < told["last_seen"] < told["last_look"]


def test_a_change_that_was_altered_on_the_way_is_named_by_both_verifiers(tmp_path: Path) -> None:
    made = shared_item()
    observed(made, made.captures[0], made.captures[1], "price_changed", scope=scopes_of(made)[0])
    good = handed_over(tmp_path, Office(tmp_path, made))
    (told,) = rows(good.bag / "data/tables/changes.csv")
    file = good.bag / told["path"]
    file.write_bytes(file.read_bytes().replace(b"price_changed", b"title_changed"))
    assert "BLOB_DIGEST" in agree(good.bag, good)
