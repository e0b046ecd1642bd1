"""Every fixture below ``tests/fixtures/platforms`` that says what has to be read of it."""

import json
from pathlib import Path

import pytest

from crawlers.registry import every, platform_for, read
from crawlers.saved import Saved

FIXTURES = Path(__file__).parents[1] / "fixtures" / "platforms"


@pytest.mark.parametrize("with_url", [True, False])
@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*/*/reading.json")), ids=lambda path: str(path.parent.name))
def test_a_fixture_reads_as_it_says(fixture: Path, *, with_url: bool) -> None:
    about = json.loads((fixture.parent / "page.json").read_bytes())
    page = Saved.of((fixture.parent / "page.html").read_bytes(), url=about["url"] if with_url else None)
    said = json.loads(fixture.read_bytes())
    for beside in ("input", "kept", "link_tags"):  # of the command, and not of the page
        said.pop(beside, None)
    assert read(page).to_json() == said


def test_each_platform_has_a_name_and_there_is_always_one_that_reads() -> None:
    names = [each.name for each in every()]
    assert len(names) == len(set(names))
    assert names[-1] == "generic"
    assert platform_for(Saved.of(b"")).name == "generic"
    assert platform_for(Saved.of(b"", url="https://nobody.invalid/")).name == "generic"
