"""Each figure on a page, and the byte that it rests on: forged there, it is refused or said to be wrong, and nowhere
shown beneath a badge that holds."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from archive.index.database import Database
from archive.index.rows import COLUMNS
from custody import keyspace, tiles
from custody.artifact import Lock
from custody.model import Candidate, Hop, HopKind, Missing, Role, Via
from custody.record import Record
from tests.authority import LocalAuthority
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid, lay, opened, promoted, reading
from tests.custody.archive_builder import UNTIL, Captured


@dataclass(frozen=True, slots=True)
class Figure:
    """What a page shows, where it stands, and the bytes there before and after."""

    shown: str
    file: str
    was: str
    forged: str
    forged_shown: str
    page: str = "/captures/{capture}"


FIGURES: Mapping[str, Figure] = {
    "status": Figure("HTTP 200", "record", '"http_status":200', '"http_status":404', "HTTP 404"),
    "outcome": Figure("shown: ok", "record", '"outcome":"ok"', '"outcome":"private"', "shown: private"),
    "reason": Figure("for reason 71", "record", "for reason 71", "for reason 72", "for reason 72"),
    "origin": Figure("by setting 81", "record", "by setting 81", "by setting 82", "by setting 82"),
    "address": Figure("p/figures", "record", "p/figures", "p/figurez", "p/figurez"),
    "title": Figure("Figures 31", "record", "Figures 31", "Figures 32", "Figures 32"),
    "time": Figure("closed at 2026-03-04 05", "record", "2026-03-04T05", "2026-03-04T04", "closed at 2026-03-04 04"),
    "status of a hop": Figure("http 307", "record", '"status":307', '"status":308', "http 308"),
    "address of a hop": Figure("hop.example/41", "record", "hop.example/41", "hop.example/42", "hop.example/42"),
    "link": Figure("way.example/51", "record", "way.example/51", "way.example/52", "way.example/52"),
    "size": Figure("2,468 B", "record", '"bytes":2468', '"bytes":2469', "2,469 B"),
    "lock": Figure("2027-03-04 00:00", "record", "2027-03-04T00:00", "2028-03-04T00:00", "2028-03-04 00:00"),
    "missing": Figure("not there 61", "record", "not there 61", "not there 62", "not there 62"),
    "tls": Figure("TLS 1.31", "record", "TLS 1.31", "TLS 1.32", "TLS 1.32"),
    "circumstance": Figure("192.0.2.91", "record", "192.0.2.91", "192.0.2.92", "192.0.2.92"),
    "links considered": Figure(
        "1 followed, 1 not", "record", '"follow":false', '"follow":true', "2 followed, 0 not"
    ),
    "digest": Figure("", "record", '"sha256":"{digest}', '"sha256":"{other}', "{other}"),
    "price": Figure("$12.90", "reading", "$12.90", "$19.90", "$19.90"),
    "number read": Figure("1234 sold", "reading", "1234", "9234", "9234 sold"),
    "day": Figure("May 3, 2026", "reading", "May 3", "May 4", "May 4, 2026"),
    "place in the page": Figure("css p", "reading", "css p", "css q", "css q"),
    "status of an answer": Figure("206 Partial", "headers", "206", "207", "207 Partial"),
    "header": Figure("etag-21", "headers", "etag-21", "etag-22", "etag-22"),
    "words": Figure("only 11 left", "text", "only 11", "only 12", "only 12 left"),
    "words compared": Figure(
        "only 11 left", "text", "only 11", "only 12", "only 12 left", "/compare?before={capture}&after={other}"
    ),
    "price of a promotion": Figure(
        "$12.90", "listing's reading", "$12.90", "$19.90", "$19.90", "/cases/{scope}/promotions/{promotion}"
    ),
    "seller of a promotion": Figure(
        "SunnyJewel", "listing's reading", "SunnyJ", "RainyJ", "RainyJewel", "/cases/{scope}/promotions/{promotion}"
    ),
    "passage of a promotion": Figure(
        "ada.finds", "post's reading", "ada.finds", "bob.finds", "bob.finds", "/cases/{scope}/promotions/{promotion}"
    ),
}  # fmt: skip


def figured(record: Record) -> Record:
    """Each figure is one that stands nowhere else on the page."""
    at = record.times["requested_at"]
    via = Via(href="https://way.example/51", text="a way", where="page")
    first, *others = record.artifacts
    return replace(
        record,
        requested_url="https://www.glimpse.example/p/1",
        final_url="https://www.glimpse.example/p/figures",
        title="Figures 31",
        outcome_reason="for reason 71",
        origin_reasons=("by setting 81",),
        via=via,
        hops=(
            Hop(n=1, from_url="https://www.glimpse.example/p/1", to_url="https://hop.example/41", kind=HopKind.HTTP,
                status=307, at=at),
        ),
        artifacts=(replace(first, lock=Lock(mode="GOVERNANCE", retain_until=UNTIL)), *others),
        missing=(Missing(role=Role.MEDIA, reason="not there 61"),),
        candidates=(Candidate(via=via, follow=True, reason="followed"),
                    Candidate(via=via, follow=False, reason="same_site")),
        circumstances={
            **record.circumstances,
            "network": {"tls": [{"host": "glimpse.example", "protocol": "TLS 1.31"}], "egress": "192.0.2.91"},
        },
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Shown:
    console: Console
    laid: Laid
    scope: str
    promotion: str
    figured: Captured
    post: Captured
    listing: Captured

    @property
    def paths(self) -> Mapping[str, Path]:
        """By what is forged, where it lies."""
        assert self.figured.record is not None
        assert self.figured.record_digest is not None
        own = {each.role: each.key for each in self.figured.record.artifacts}
        keys = {
            "record": keyspace.blob(self.figured.record_digest), "reading": own[Role.READING],
            "headers": own[Role.HEADERS], "text": own[Role.TEXT],
            "post's reading": key_of(self.post, Role.READING), "listing's reading": key_of(self.listing, Role.READING),
        }  # fmt: skip
        return {name: self.laid.path(key) for name, key in keys.items()}

    def page(self, client: httpx.Client, path: str) -> tuple[int, str]:
        """What a reader sees of it."""
        values = {"capture": self.figured.id, "other": self.post.id, "scope": self.scope, "promotion": self.promotion}
        answer = client.get(path.format(**values))
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        return answer.status_code, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())

    def badge(self, client: httpx.Client, capture: str) -> str:
        return client.get(f"/captures/{capture}/verdict").text.partition("<strong>")[2].partition("</strong>")[0]


def key_of(capture: Captured, role: Role) -> str:
    assert capture.record is not None
    return next(each.key for each in capture.record.artifacts if each.role == role)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Iterator[Shown]:
    shelf = opened([authority])
    run, scope = shelf.open_run(), shelf.open_case("figures")
    told = reading(
        "listing", title="Figures", price_shown="$12.90", sold_shown="1234 sold", published_shown="May 3, 2026"
    )
    files = {
        Role.READING: told, Role.TEXT: b"a ring, only 11 left", Role.DOM: b"<p>" + b"d" * 2465,
        Role.HEADERS: json.dumps([{
            "url": "https://x.example/", "status": 206, "status_text": "Partial", "headers": [["etag", "etag-21"]],
        }]).encode(),
    }  # fmt: skip
    one = shelf.page(run, scope=scope, files=files, change=figured)
    post, listing = promoted(shelf, run, scope)
    shelf.stamp()
    laid = lay(shelf, tmp_path_factory.mktemp("figures"))
    with served(laid) as console, console.client() as client:
        found = client.get(f"/api/v1/cases/{scope}/promotions").json()["promotions"]
        yield Shown(
            console=console, laid=laid, scope=scope, promotion=found[0]["id"], figured=one, post=post, listing=listing
        )


def shows(page: str, text: str) -> bool:
    """A digest may be broken anywhere."""
    return text in page or text in page.replace(" ", "")


@contextmanager
def forged(path: Path, was: bytes, by: bytes) -> Iterator[None]:
    data = path.read_bytes()
    assert was in data, "there is something to forge"
    path.write_bytes(data.replace(was, by))
    try:
        yield
    finally:
        path.write_bytes(data)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_shown_as_it_was_recorded_or_not_at_all(shown: Shown, name: str) -> None:
    figure = FIGURES[name]
    digest = Path(key_of(shown.figured, Role.TEXT)).name
    texts = {"digest": digest, "other": digest[::-1]}
    was, by, expected, never = (
        each.format(**texts) if "{digest}" in each or "{other}" in each else each
        for each in (figure.was, figure.forged, figure.shown or digest, figure.forged_shown)
    )
    of = {"post's reading": shown.post, "listing's reading": shown.listing}.get(figure.file, shown.figured)
    with shown.console.client() as client:
        status, page = shown.page(client, figure.page)
        assert (status, shown.badge(client, of.id)) == (200, "holds")
        assert shows(page, expected)
        assert not shows(page, never)
        with forged(shown.paths[figure.file], was.encode(), by.encode()):
            _, page = shown.page(client, figure.page)
            assert not shows(page, expected), "it does not stand on what was recorded any more"
            assert not shows(page, never)
            assert "is not what was recorded" in page
            assert shown.badge(client, of.id) == "does not hold"
        status, page = shown.page(client, figure.page)
        assert (status, shows(page, expected), shown.badge(client, of.id)) == (200, True, "holds")


def test_an_event_that_is_forged_in_the_log_is_not_held_for_true(shown: Shown) -> None:
    """Pages of the log list what lies there; the badge of the capture that the leaf is of says what it is worth."""
    index, size = end_of(shown)
    path = shown.laid.path(keyspace.entries(shown.laid.builder.log, 0, size))
    leaves = tiles.decode_bundle(path.read_bytes(), size)
    payload = json.loads(leaves[index])["event"]["payload"]
    other = base64.b64decode(payload).replace(b'"status":"complete"', b'"status":"partial!"')
    assert base64.b64encode(other).decode() != payload
    leaves[index] = leaves[index].replace(payload.encode(), base64.b64encode(other))
    data = path.read_bytes()
    with shown.console.client() as client:
        path.write_bytes(tiles.encode_bundle(leaves))
        try:
            assert "partial!" in client.get(f"/log/leaves/{index}").text, "the figure goes with the byte"
            assert shown.badge(client, shown.figured.id) == "does not hold"
            assert client.get(f"/log/leaves/{index}/proof").status_code == 500, "no proof is given out for it"
        finally:
            path.write_bytes(data)
        assert shown.badge(client, shown.figured.id) == "holds"


def end_of(shown: Shown) -> tuple[int, int]:
    archive = shown.console.app.state.archive
    entry = archive.catalog.entry(shown.figured.id)
    lines = archive.reader.store.read(keyspace.checkpoint(archive.reader.log.log)).split(b"\n")
    return int(entry.index), int(lines[1])


def test_the_bracket_of_a_time_goes_with_its_token(shown: Shown) -> None:
    (token,) = shown.laid.path(keyspace.log_prefix(shown.laid.builder.log)).rglob("*.tsr")
    key = str(token.relative_to(shown.laid.store))
    with shown.console.client() as client:
        assert "time-stamp authorities have signed it" in shown.page(client, "/captures/{capture}/time")[1]
        shown.laid.flip(key)
        try:
            page = shown.page(client, "/captures/{capture}/time")[1]
            assert "NO TRUSTED TIME" in page
            assert "have signed it" not in page
        finally:
            shown.laid.flip(key)


ROWS: Mapping[str, object] = {
    "unit": "00000000-0000-7000-8000-000000000000",
    "parent": "00000000-0000-7000-8000-000000000000",
    "started_at": "2020-01-01T00:00:00.000Z",
    "ended_at": "2020-01-01T00:00:00.000Z",
    "started_index": 1,
    "end_index": 5,
    "status": "partial",
    "outcome": "removed",
    "origin": "public",
    "http_status": 410,
    "requested_url": "https://forged.example/",
    "final_url": "https://forged.example/",
    "title": "A forged title",
    "quarantine": "a forged reason",
    "surface": "forged",
    "shown": "forged",
    "platform": "forged",
    "disposed_at": "2026-03-04T06:00:00.000Z",
}
"""What the catalogue may say of a capture. It is no evidence, and others may be able to write to it."""


@pytest.mark.parametrize("column", [*ROWS, "record", "anchor"])
def test_a_badge_does_not_hold_where_the_catalogue_says_otherwise(shown: Shown, column: str) -> None:
    """Whichever it is of the columns that a page is laid out by."""
    assert shown.post.record_digest is not None
    pairs: Mapping[str, Mapping[str, object]] = {
        "record": {"record_sha256": shown.post.record_digest.hex},
        "anchor": {"anchor_size": 7, "anchor_sha256": "0" * 64},
    }
    forged_row = pairs.get(column) or {column: ROWS[column]}
    database = shown.console.app.state.archive.catalog.database
    with database.transaction() as transaction:
        names = ", ".join(forged_row)
        (before,) = transaction.rows(f"SELECT {names} FROM captures WHERE capture_id = ?", (shown.figured.id,))  # noqa: S608  # ours
    assert list(before) != list(forged_row.values())
    with shown.console.client() as client:
        assert shown.badge(client, shown.figured.id) == "holds"
        try:
            put(database, forged_row, shown.figured.id)
            assert shown.badge(client, shown.figured.id) == "does not hold"
        finally:
            put(database, dict(zip(forged_row, before, strict=True)), shown.figured.id)
        assert shown.badge(client, shown.figured.id) == "holds"


def test_every_column_that_a_page_shows_is_among_these() -> None:
    told = {each.strip() for each in COLUMNS.split(",")}
    assert told - {*ROWS, "record_sha256", "anchor_size", "anchor_sha256"} == {"capture_id", "trouble"}


def put(database: Database, row: Mapping[str, object], capture: str) -> None:
    assigned = ", ".join(f"{each} = ?" for each in row)
    with database.transaction() as transaction:
        transaction.run(f"UPDATE captures SET {assigned} WHERE capture_id = ?", (*row.values(), capture))  # noqa: S608  # ours


def test_what_the_catalogue_says_otherwise_is_mended_by_making_it_again(tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("mended")
    one = shelf.page(run, scope=scope, title="As it was recorded")
    with served(lay(shelf, tmp_path)) as console, console.client() as client:
        catalog = console.app.state.archive.catalog
        put(catalog.database, {"title": "A forged title"}, one.id)
        assert "A forged title" in client.get(f"/cases/{scope}").text, "a list is what the catalogue says"
        assert "<h1><bdi>As it was recorded" in client.get(f"/captures/{one.id}").text, (
            "its page says what its record says"
        )
        catalog.forget()
        console.app.state.archive.freshen(now=True)
        page = client.get(f"/cases/{scope}").text
        assert "As it was recorded" in page
        assert "A forged title" not in page
