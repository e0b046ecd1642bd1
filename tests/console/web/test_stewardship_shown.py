"""What was done with evidence later, and captures without an end: told on their pages, and no fault of theirs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from custody import keyspace
from custody.model import Role
from tests.authority import LocalAuthority
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid, lay, opened
from tests.custody import stewarding


@dataclass(frozen=True, kw_only=True)
class Kept:
    console: Console
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Iterator[Kept]:
    shelf = opened([authority])
    run, scope = shelf.open_run(), shelf.open_case("kept")
    own = {Role.DOM: b"<p>gone", Role.HEADERS: b"[{}]"}
    gone = shelf.page(run, scope=scope, files=own)
    held, open_ = shelf.page(run, scope=scope), shelf.start(run, scope=scope)
    secret = shelf.page(
        run, scope=scope, circumstances={"quarantine": {"reason": "password", "since": "2026-03-04T05:06:07.000Z"}}
    )
    assert held.ended is not None
    shelf.commit(stewarding.held(shelf, held.unit), stewarding.corrected(shelf, held.id, held.ended))
    blobs = stewarding.blobs_of(gone)
    shelf.commit(stewarding.disposed(shelf, gone.unit, blobs))
    shelf.stamp()
    laid: Laid = lay(shelf, tmp_path_factory.mktemp("kept"))
    for each in blobs:
        laid.path(keyspace.blob(each)).unlink()
    with served(laid) as console:
        yield Kept(console=console, ids={"gone": gone.id, "held": held.id, "open": open_.id, "secret": secret.id})


@pytest.mark.parametrize(
    ("name", "verdict", "says"),
    [
        ("gone", "holds", "disposed of"),
        ("held", "holds", "held      since"),
        ("open", "could not check", "has not ended yet"),
        ("secret", "holds", "quarantined"),
    ],
)
def test_each_is_told_and_judged(kept: Kept, name: str, verdict: str, says: str) -> None:
    with kept.console.client() as client:
        page = client.get(f"/captures/{kept.ids[name]}")
        assert page.status_code == 200
        assert says in page.text
        badge = client.get(f"/captures/{kept.ids[name]}/verdict").text
        assert f"<strong>{verdict}</strong>" in badge


def test_a_correction_stands_beside_what_it_corrects(kept: Kept) -> None:
    with kept.console.client() as client:
        assert "&#39;Like&#39;" in client.get(f"/captures/{kept.ids['held']}").text


def test_of_what_was_disposed_of_nothing_is_given_out(kept: Kept) -> None:
    with kept.console.client() as client:
        for path in ("files/dom.html", "record", "document", "document/frame"):
            assert client.get(f"/captures/{kept.ids['gone']}/{path}").status_code == 404
        events = client.get(f"/api/v1/captures/{kept.ids['gone']}/events").json()["events"]
        assert [each["type"] for each in events][-1] == "evidence.disposed"
        assert client.get(f"/api/v1/captures/{kept.ids['gone']}").json()["record"] is None
