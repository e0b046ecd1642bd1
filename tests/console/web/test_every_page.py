"""Every page there is, from the application's own list of routes, in a real browser, at a desk and on a phone.

Nothing that axe-core finds, no error in the console, no way out, nothing wider than the window.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser

from console.screen import now
from console.web import pages
from console.web.jobs import Job, Wanted
from custody.model import Role
from tests.authority import LocalAuthority
from tests.console.web.opened import Console, served, window
from tests.console.web.shelf import Laid, lay, opened, promoted, reading

pytestmark = pytest.mark.browser
LOOKS = [
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}, id="desk-light"),
    pytest.param({"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}, id="phone-dark"),
]
PAGES: Mapping[str, tuple[str, ...]] = {
    "/": ("",),
    "/api": ("",),
    "/capture-now": ("", "?case={scope}"),
    "/captures/{capture_id}": ("",),
    "/captures/{capture_id}/document": ("",),
    "/captures/{capture_id}/promotions": ("",),
    "/captures/{capture_id}/replay": ("",),
    "/captures/{capture_id}/time": ("",),
    "/captures/{capture_id}/verdict": ("",),
    "/captures/{capture_id}/witness": ("",),
    "/cases/{scope}": ("", "?wait=true"),
    "/cases/{scope}/graph": ("",),
    "/cases/{scope}/promotions/{promotion}": ("",),
    "/cases/{scope}/review": ("", "?lead={candidate}"),
    "/compare": ("?before={capture_id}&after={other}", "?before={capture_id}&after={capture_id}"),
    "/jobs/{job_id}": ("",),
    "/log": ("", "?before=3"),
    "/log/leaves/{index}": ("",),
    "/search": ("", "?q=bracelet", "?q=nothing-of-this", "?kind=listing&since=2026-01-01"),
    "/timeline": ("", "?target=ada.finds", "?target={capture_id}", "?target=nobody"),
    "/timeline/watched": ("?target={capture_id}",),
    "/whereis": ("?sha256={digest}", "?sha256=%s" % ("0" * 64), "?sha256=no"),
}
"""By route, what is asked of it: a page for each state that it can be in."""
NO_PAGES = {
    "/api/openapi.json",
    "/captures/{capture_id}/document/frame",
    "/captures/{capture_id}/files/{name}",
    "/captures/{capture_id}/record",
    "/cases/{scope}/graph/drawn",
    "/cases/{scope}/promotions",
    "/cases/{scope}/review/decisions.csv",
    "/jobs/{job_id}/progress",
    "/log/checkpoint",
    "/log/checkpoints/{size}",
    "/log/leaves/{index}/leaf",
    "/log/leaves/{index}/proof",
    "/log/tokens/{size}/{name}",
}
"""Parts of pages, which are looked at in them, and files."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    console: Console
    values: Mapping[str, object]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Iterator[Shown]:
    """A promotion, a candidate, another look at the post, a job that has ended: whatever a page may be of."""
    shelf = opened([authority])
    run, scope = shelf.open_run(), shelf.open_case("every page")
    post, _ = promoted(shelf, run, scope)
    again = reading("post", author="ada", handle="ada.finds", caption="my find is sold out")
    other = shelf.page(run, scope=scope, files={Role.READING: again, Role.TEXT: b"sold out"}, title="The post again")
    shelf.stamp()
    laid: Laid = lay(shelf, tmp_path_factory.mktemp("every"))
    with served(laid) as console, console.client() as client:
        wanted = Wanted(urls=("https://site.example/",), case="every page", by="tester")
        console.app.state.jobs._jobs["one"] = Job(id="one", wanted=wanted, asked_at=now(), state="ended")
        (promotion,) = client.get(f"/api/v1/cases/{scope}/promotions").json()["promotions"]
        (candidate,) = client.get(f"/api/v1/cases/{scope}/candidates").json()["candidates"]
        assert post.record is not None
        values = {
            "scope": scope, "capture_id": post.id, "other": other.id, "promotion": promotion["id"], "index": 8,
            "candidate": candidate["id"], "job_id": "one", "digest": post.record.artifacts[0].digest.hex,
        }  # fmt: skip
        yield Shown(console=console, values=values)


def test_no_page_is_left_out() -> None:
    found = {
        each.path
        for router in pages.ROUTERS
        for each in router.routes
        if isinstance(each, APIRoute) and "GET" in (each.methods or ())
    }
    assert found == {*PAGES, *NO_PAGES}, "say above how each is looked at, or that it is no page"


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_fault_that_axe_finds_an_error_or_a_way_out(
    browser: Browser, shown: Shown, look: dict[str, object]
) -> None:
    with window(browser, shown.console, **look) as seen:
        for route, questions in PAGES.items():
            for each in questions:
                seen.go(f"{route}{each}".format(**shown.values))
                seen.check()
