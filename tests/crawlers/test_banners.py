"""Consent banners: refused where that was asked for, after the page was kept as found; the record says how it went."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.errors import SetupMissing
from crawlers import banners
from crawlers.autoconsent import bundle
from custody.model import Json, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Answer, Host, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://www.asks.example"
HEAD = """<!doctype html><meta charset=utf-8><title>A shop</title><style>body { margin: 0 }
.box { position: fixed; bottom: 0; left: 0; right: 0; padding: 40px; background: #c0ffee }</style>
<h1>A shop</h1><p>It has words enough to be a page.</p>"""
SAYS = "<p>We use cookies to make this site better.</p>"
TELL = "fetch('/told?it=' + it, {method: 'POST', keepalive: true})"

# A consent program as many sites load it: a banner by id, buttons by id, and a word in the page's own world.
BY_ID = f"""{HEAD}<div id=onetrust-consent-sdk><div id=onetrust-banner-sdk class=box>{SAYS}
<button id=onetrust-accept-btn-handler>Allow all</button>
<button id=onetrust-reject-all-handler>Reject all</button></div></div><script>
window.OnetrustActiveGroups = ',C0001,C0002,';
const done = it => {{ {TELL}; document.getElementById('onetrust-banner-sdk').remove(); }};
document.getElementById('onetrust-accept-btn-handler').onclick = () => done('accepted');
document.getElementById('onetrust-reject-all-handler').onclick = () => {{
  window.OnetrustActiveGroups = ',C0001,'; done('rejected'); }};</script>"""
# One that is asked by its object, and has no button that refuses.
BY_OBJECT = f"""{HEAD}<div id=CybotCookiebotDialog class=box>{SAYS}<button>Allow all</button></div><script>
const shown = document.getElementById('CybotCookiebotDialog');
window.Cookiebot = {{hasResponse: false, declined: false, dialog: {{visible: true}},
  withdraw() {{ this.declined = true; const it = 'withdrawn'; {TELL}; }},
  hide() {{ shown.remove(); }}}};</script>"""
# None that anybody knows: words and buttons.
BY_WORDS = f"""{HEAD}<div class=box id=own>{SAYS}
<button id=yes>Accept all</button><button id=no>Reject all</button></div>
<script>const done = it => {{ {TELL}; own.remove(); }}; yes.onclick = () => done('accepted');
no.onclick = () => done('rejected');</script>"""
NO_WAY_OUT = f"""{HEAD}<div class=box id=own>{SAYS}<button id=yes>Accept all</button></div>
<script>yes.onclick = () => {{ const it = 'accepted'; {TELL}; own.remove(); }};</script>"""
DEAF = f"""{HEAD}<div id=onetrust-consent-sdk><div id=onetrust-banner-sdk class=box>{SAYS}
<button id=onetrust-pc-btn-handler>Settings</button></div></div>"""
RELOADS = f"""{HEAD}<div class=box id=own>{SAYS}
<button id=yes>Accept all</button><button id=no>Reject all</button></div>
<script>if (document.cookie.includes('answered')) {{ own.remove();
  const link = document.createElement('a'); link.href = 'https://' + 'late.example/'; link.textContent = 'late';
  document.body.append(link); }}
no.onclick = () => {{ document.cookie = 'answered=no'; location.reload(); }};</script>"""
# What a page does that would rather not be refused: its own things under the names that a program might look for.
NAMED = f"""{HEAD}<form id=autoconsentReceiveMessage></form><form id=counterproofEnded></form>
<div class=box id=own>{SAYS}<button id=yes>Accept all</button><button id=no>Reject all</button></div><script>
window.seen = Object.keys(window).filter(each => /autoconsent|counterproof/i.test(each)).length;
HTMLElement.prototype.click = function () {{ window.pressedByOurs = 1; }};
no.onclick = () => {{ const it = 'rejected-' + (Object.keys(window).filter(each =>
  /autoconsent|counterproof/i.test(each)).length - window.seen) + '-' + (window.pressedByOurs || 0); {TELL};
  own.remove(); }};</script>"""
FRAMED = f"""{HEAD}<iframe class=box src=https://ads.banner.example/frame width=600 height=200></iframe>"""
FRAME = f"""<!doctype html><meta charset=utf-8><div id=piano-cookie_banner>{SAYS}
<button data-close-button>Refuse</button>
</div><script>document.querySelector('[data-close-button]').onclick = () => {{ const it = 'rejected'; {TELL};
document.getElementById('piano-cookie_banner').remove(); }}</script>"""

ROUTES: dict[str, Route] = {
    "/by-id": always(page(BY_ID)),
    "/by-object": always(page(BY_OBJECT)),
    "/by-words": always(page(BY_WORDS)),
    "/no-way-out": always(page(NO_WAY_OUT)),
    "/deaf": always(page(DEAF)),
    "/reloads": always(page(RELOADS)),
    "/named": always(page(NAMED)),
    "/framed": always(page(FRAMED)),
    "/frame": always(page(FRAME)),
    "/none": always(page(HEAD)),
    "/told": lambda _: Answer(status=204, media_type=None),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    for name in ("www.asks.example", "ads.banner.example"):
        made.hosts[name] = Host(name=name, routes=ROUTES)
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("eye")) as made:
        yield made


class Told:
    """What the pages told their site since this was made."""

    def __init__(self, site: Site) -> None:
        self.site, self.before = site, len(site.log)

    @property
    def words(self) -> list[str]:
        return [each.path.partition("=")[2] for each in self.site.log[self.before :] if each.path.startswith("/told")]


def session(found: Looked) -> dict[str, Any]:
    said = found.visit().circumstances["session"]
    assert isinstance(said, dict)
    return said


def handling(found: Looked) -> dict[str, Json]:
    said = session(found)["consent_handling"]
    assert isinstance(said, dict)
    return said


def assert_kept_as_found(found: Looked) -> None:
    """The first picture, words and document have the banner; each was taken before it was touched."""
    assert b"We use cookies" in found.data("text.txt")
    assert b"We use cookies" in found.data("dom.html")
    names = found.names
    assert max(names.index(each) for each in ("viewport.png", "text.txt", "dom.html")) < names.index(
        "consent-viewport.png"
    )
    assert found.kept("viewport.png").digest != found.kept("consent-viewport.png").digest
    assert found.seen.times["viewport_at"] <= found.seen.times["consent_viewport_at"]


def test_without_being_asked_a_banner_is_left_as_found(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/by-id")
    said = session(found)
    assert (said["consent"], said["scripts"]) == ("left as found", [])
    assert "consent_handling" not in said
    assert told.words == []
    assert [each for each in found.names if each.startswith("consent-")] == []


def test_a_known_program_is_refused_by_its_button(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/by-id", consent="reject")
    assert told.words == ["rejected"]
    assert_kept_as_found(found)
    said = handling(found)
    assert (said["result"], said["rule"], said["clicks"], said["self_test"]) == ("done", "Onetrust", 1, True)
    (click,) = found.noted("consent_click")
    assert (click["id"], click["text"], click["tag"]) == ("onetrust-reject-all-handler", "Reject all", "button")
    assert session(found)["consent"] == "done"
    assert b"We use cookies" not in found.data("consent-text.txt")
    assert b"We use cookies" not in found.data("consent-dom.html")
    assert found.visit().status is Status.COMPLETE
    after = {each["name"]: each["after"] for each in session(found)["pictures"]}
    assert after == {
        "viewport.png": [],
        "consent-viewport.png": ["consent_refused"],
        "screenshot.png": ["consent_refused"],
    }
    assert {each["sha256"] for each in session(found)["scripts"]} == set(bundle.DIGESTS.values())


@pytest.mark.slow
def test_a_known_program_is_asked_in_the_pages_own_world_and_that_is_said(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/by-object", consent="reject")
    assert told.words == ["withdrawn"]
    assert_kept_as_found(found)
    said = handling(found)
    assert (said["result"], said["rule"], said["clicks"], said["self_test"]) == ("done", "Cybotcookiebot", 0, True)
    assert int(str(said["evaluated_in_page"])) >= 4


@pytest.mark.slow
def test_a_banner_that_nobody_knows_is_refused_by_its_words(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/by-words", consent="reject")
    assert told.words == ["rejected"]
    assert_kept_as_found(found)
    assert (handling(found)["result"], handling(found)["rule"]) == ("done", "HEURISTIC-REJECT")


@pytest.mark.slow
def test_what_can_only_be_agreed_to_is_left(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/no-way-out", consent="reject")
    assert told.words == []
    assert (handling(found)["result"], handling(found)["rule"]) == ("none_found", None)
    assert [each for each in found.names if each.startswith("consent-")] == []


@pytest.mark.slow
def test_a_page_without_a_banner_is_as_it_would_have_been(eye: Looker) -> None:
    plain, found = eye.look(f"{HERE}/none"), eye.look(f"{HERE}/none", consent="reject")
    assert (handling(found)["result"], handling(found)["why"]) == ("none_found", "no rule knew one")
    assert session(found)["consent"] == "none_found"
    assert sorted(found.names) == sorted(plain.names)
    for name in ("viewport.png", "screenshot.png", "text.txt", "dom.html"):
        assert found.kept(name).digest == plain.kept(name).digest, name


@pytest.mark.slow
def test_a_rule_that_does_not_get_through_has_failed(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banners, "MAX_S", 3.0)
    found = eye.look(f"{HERE}/deaf", consent="reject")
    said = handling(found)
    assert (said["result"], said["rule"], said["recognised"]) == ("failed", "Onetrust", ["Onetrust"])
    assert session(found)["consent"] == "failed"
    assert b"We use cookies" in found.data("dom.html")
    assert found.visit().status is Status.COMPLETE


@pytest.mark.slow
def test_a_page_that_comes_anew_once_it_is_refused(eye: Looker) -> None:
    found = eye.look(f"{HERE}/reloads", consent="reject")
    assert_kept_as_found(found)
    said = handling(found)
    assert said["result"] in {"done", "unconfirmed"}
    assert said["led_to"] == f"{HERE}/reloads"
    assert found.kinds == ["click"]
    assert b"We use cookies" not in found.data("consent-text.txt")
    assert len(found.seen.documents(HERE)) == 2, "links that are there only afterwards are considered"
    assert found.seen.http_status == 200
    assert found.missing() == {}


@pytest.mark.slow
def test_a_page_cannot_stand_in_its_way_nor_see_it(site: Site, eye: Looker) -> None:
    told = Told(site)
    eye.look(f"{HERE}/named", consent="reject")
    assert told.words == ["rejected-0-0"]


@pytest.mark.slow
def test_a_banner_in_a_frame_of_another_site(site: Site, eye: Looker) -> None:
    told = Told(site)
    found = eye.look(f"{HERE}/framed", consent="reject")
    assert told.words == ["rejected"]
    assert (handling(found)["result"], handling(found)["rule"]) == ("done", "piano.io")
    assert found.kept("viewport.png").digest != found.kept("consent-viewport.png").digest


def test_files_that_are_not_as_released_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "bundle.py"
    monkeypatch.setattr(bundle, "__file__", str(other))
    bundle.script.cache_clear()
    with pytest.raises(SetupMissing, match="cannot be read"):
        bundle.script()
    (tmp_path / bundle.PROGRAM).write_text("alert(1)")
    with pytest.raises(SetupMissing, match="not the file of autoconsent"):
        bundle.script()
