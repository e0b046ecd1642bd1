"""A real browser at the program's own page, through a hole that no other visit has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.spool import VisitSpool
from crawlers.control.look import MAX_KEPT, ControlLook
from crawlers.control.page import ControlPage
from crawlers.control.site import ControlSite
from crawlers.keeping import Keeping
from tests.crawlers.looking import Looked, Looker, looker, now
from tests.site.server import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with Site() as site, looker(site, tmp_path_factory.mktemp("control")) as made:
        yield made


def controlled(eye: Looker, folder: Path, *, shown: ControlPage, expected: ControlPage) -> tuple[ControlLook, Looked]:
    """A look at one page, judged by what another must show."""
    site = ControlSite(shown)

    async def look() -> Looked:
        await site.start()
        try:
            return await eye.look_at(expected.entry, holes=(site.hole,))
        finally:
            site.stop()

    looked: Looked = eye.run(look())
    keeping = Keeping(name="control-start", url=expected.entry, spool=VisitSpool(folder, clock=now))
    keeping.kept += looked.looking.kept
    control = ControlLook(when="start", page=expected, site=site, keeping=keeping, began_at=now(), density=1.0)
    control.judge(looked.seen, now())
    return control, looked


def test_what_the_browser_shows_of_it_is_what_it_must(eye: Looker, tmp_path: Path) -> None:
    page = ControlPage("0123456789abcdef" * 2)
    control, looked = controlled(eye, tmp_path, shown=page, expected=page)
    result: dict[str, Any] = control.result
    assert result["differences"] == []
    assert result["result"] == "passed"
    kept = {each["role"]: each for each in result["kept"]}
    assert kept.keys() >= {"viewport", "screenshot", "dom", "text", "body", "headers", "warc"}
    assert kept["viewport"]["sha256"] == looked.kept("viewport.png").digest.hex
    assert all(len(each["base64"]) * 3 // 4 <= MAX_KEPT for each in kept.values())


def test_a_page_that_shows_something_else_does_not_pass(eye: Looker, tmp_path: Path) -> None:
    """The control can fail: a page of another nonce stands for a browser that shows what it should not."""
    asked, other = ControlPage("0" * 32), ControlPage("1" * 32)
    control, _ = controlled(eye, tmp_path, shown=other, expected=asked)
    result: dict[str, Any] = control.result
    assert result["result"] == "failed"
    said = " ".join(result["differences"])
    for what in ("final address", "title", "text", "links", "body", "viewport", "screenshot", "traffic"):
        assert f"{what}: " in said


def test_the_hole_is_open_to_that_visit_alone(eye: Looker) -> None:
    page = ControlPage("2" * 32)
    site = ControlSite(page)

    async def both() -> tuple[Looked, Looked]:
        await site.start()
        try:
            return await eye.look_at(page.entry, holes=(site.hole,)), await eye.look_at(page.entry)
        finally:
            site.stop()

    let_in, other = eye.run(both())
    assert let_in.seen.final_url == page.address
    assert not other.seen.reached
    assert other.connections[0].error == "dns"
    assert other.connections[0].connected_at is None


def test_what_is_not_looked_at_has_neither_passed_nor_failed(tmp_path: Path) -> None:
    page = ControlPage("3" * 32)
    keeping = Keeping(name="control-end", url=page.entry, spool=VisitSpool(tmp_path, clock=now))
    control = ControlLook(when="end", page=page, site=ControlSite(page), keeping=keeping, began_at=now(), density=1.0)
    control.give_up("no browser", now())
    assert (control.result["result"], control.result["why"]) == ("not_made", "no browser")
