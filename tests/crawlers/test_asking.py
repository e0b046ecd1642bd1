"""Answers for programs over a real egress: what is kept, what is not asked, and where a token does not go."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from crawlers import asking
from crawlers.connection import Connection
from crawlers.egress import Egress, Resolve
from crawlers.official import ask
from crawlers.session import Looking, Session
from crawlers.sight import Seen
from crawlers.surfaces import Credential, Official, Tokens, api, oembed
from crawlers.visits import visit_of
from custody.model import Outcome, Role, Visit
from tests.crawlers.looking import looking_at, new_id, now, sealed
from tests.site.host import Answer, Door, Ending, Host, Request, always, redirect
from tests.site.server import Site

TOKEN = "a-token/that+nobody=sees"
KEY = Credential(variable="COUNTERPROOF_WALLS_KEY", header="Authorization", prefix="Bearer ")
DOCS = "https://api.walls.example/docs"


def _told(value: object, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(value).encode(), media_type="application/json")


def _echo(asked: Request) -> Answer:
    return _told({"got": asked.headers.get("authorization"), "agent": asked.headers.get("user-agent")})


ROUTES = {
    "/fine": always(_told({"version": "1.0", "type": "rich", "title": "A post"})),
    "/echo": _echo,
    "/on": always(redirect(302, "https://other.walls.example/echo")),
    "/round": always(redirect(302, "https://api.walls.example/round")),
    "/nowhere": always(redirect(302, "https://[walls.example:99999/")),
    "/letters": always(redirect(302, "https://api.walls.example/f\u00efne?\u00fc=1")),
    "/plain": always(redirect(302, "http://api.walls.example/fine")),
    "/long": always(Answer(body=b"x" * 5_000, media_type="application/json")),
    "/cut": always(Answer(body=b'{"a": 1', media_type="application/json", ending=Ending.CUT)),
    "/drip": always(Answer(body=b"{}", media_type="application/json", ending=Ending.DRIP)),
    "/empty": always(Answer(ending=Ending.EMPTY)),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    hosts = [
        Host(name="api.walls.example", routes=ROUTES),
        Host(name="other.walls.example", routes=ROUTES),
        Host(name="bad.walls.example", door=Door.BAD_CERTIFICATE, routes=ROUTES),
        Host(name="shut.walls.example", door=Door.REFUSED),
    ]
    made.hosts |= {each.name: each for each in hosts}
    with made as opened:
        yield opened


class Asked:
    """What one question came to."""

    def __init__(self, seen: Seen, looking: Looking, connections: tuple[Connection, ...]) -> None:
        self.seen = seen
        self.looking = looking
        self.connections = connections

    @property
    def visit(self) -> Visit:
        made = visit_of(
            self.seen, self.looking, run=new_id(), scope="scope", connections=self.connections, interventions=(),
            candidates=(), environment={}, closed_at=now(),
        )  # fmt: skip
        assert sealed(made)
        return made

    def data(self, name: str) -> bytes:
        return next(each for each in self.looking.kept if each.name == name).path.read_bytes()


def asked(
    site: Site, folder: Path, official: Official, *, trust: bool = True, timeout_s: float = 10, **env: str
) -> Asked:
    looking = looking_at(official.url, folder, official=official)

    async def question() -> tuple[Seen, tuple[Connection, ...]]:
        egress = Egress(tuple(Resolve.parse(each) for each in site.resolve), clock=now)
        await egress.start()
        session = SimpleNamespace(
            egress=egress,
            clock=now,
            cut=asyncio.Event(),
            tokens=Tokens(env),
            job=SimpleNamespace(trust_spki=tuple(site.trust_spki) if trust else (), timeout_s=timeout_s),
        )
        try:
            seen = await ask(cast("Session", session), looking, official)
            return seen, egress.report(looking.name)
        finally:
            await egress.stop()

    return Asked(*_turned(asyncio.run(question()), looking))


def _turned(got: tuple[Seen, tuple[Connection, ...]], looking: Looking) -> tuple[Seen, Looking, tuple[Connection, ...]]:
    return got[0], looking, got[1]


def plain(path: str, host: str = "api.walls.example") -> Official:
    return oembed(f"https://{host}{path}?url=", "https://walls.example/p/1", DOCS)


def keyed(path: str) -> Official:
    return api(f"https://api.walls.example{path}?id=1", DOCS, KEY)


def _section(visit: Visit) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", visit.circumstances["surface"])


def test_an_answer_is_kept_whole_with_its_head_and_certificate(site: Site, tmp_path: Path) -> None:
    found = asked(site, tmp_path, plain("/fine"))
    visit = found.visit
    assert (visit.status, visit.outcome, visit.http_status, visit.missing) == ("complete", "ok", 200, ())
    assert json.loads(found.data("body.json"))["title"] == "A post"
    (exchange,) = json.loads(found.data("headers.json"))
    assert (exchange["status"], exchange["url"]) == (200, found.looking.url)
    assert {each.role for each in visit.snapshots} == {Role.BODY, Role.HEADERS, Role.TLS_CERT}
    assert _section(visit)["asked"] == {"method": "GET", "credential": None, "blotted": 0}
    assert cast("Any", visit.circumstances["network"])["answers"][0]["address"] == "127.0.0.1"


def test_it_is_asked_under_our_name(site: Site, tmp_path: Path) -> None:
    found = asked(site, tmp_path, plain("/echo"))
    assert json.loads(found.data("body.json")) == {"got": None, "agent": "Counterproof (oembed)"}


def test_a_token_reaches_the_site_and_nothing_that_is_kept(site: Site, tmp_path: Path) -> None:
    found = asked(site, tmp_path, keyed("/echo"), COUNTERPROOF_WALLS_KEY=TOKEN)
    visit = found.visit
    assert json.loads(found.data("blotted.json"))["got"] == f"Bearer {'*' * len(TOKEN)}"
    assert (visit.status, _section(visit)["asked"]["blotted"]) == ("partial", 1)
    assert ["Authorization", "withheld"] in json.loads(found.data("headers.json"))[0]["request_headers"]
    assert TOKEN.encode() not in b"".join(each.path.read_bytes() for each in visit.snapshots) + sealed(visit)
    assert TOKEN not in repr(found.seen)


def test_who_has_no_token_is_sent_on(site: Site, tmp_path: Path) -> None:
    found = asked(site, tmp_path, plain("/on"))
    assert [each.to_url for each in found.visit.hops] == ["https://other.walls.example/echo"]
    assert found.seen.final_url == "https://other.walls.example/echo"


def test_it_is_sent_on_to_an_address_with_any_letters(site: Site, tmp_path: Path) -> None:
    visit = asked(site, tmp_path, plain("/letters")).visit
    assert (visit.http_status, len(visit.hops)) == (404, 1)


def test_a_token_is_not_sent_on(site: Site, tmp_path: Path) -> None:
    before = len(site.seen("other.walls.example"))
    found = asked(site, tmp_path, keyed("/on"), COUNTERPROOF_WALLS_KEY=TOKEN)
    assert (found.visit.http_status, found.visit.hops) == (302, ())
    assert len(site.seen("other.walls.example")) == before


@pytest.mark.parametrize("official", [plain("/fine", "bad.walls.example"), plain("/fine")], ids=["bad", "unknown"])
def test_a_host_whose_certificate_does_not_hold_is_asked_nothing(
    site: Site, tmp_path: Path, official: Official
) -> None:
    before = len(site.log)
    trust = "bad." in official.url
    visit = asked(site, tmp_path, official, trust=trust).visit
    assert (visit.status, visit.outcome) == ("failed", "tls_error")
    assert len(site.log) == before


@pytest.mark.parametrize(
    ("official", "outcome"),
    [
        (plain("/fine", "shut.walls.example"), Outcome.ERROR),
        (plain("/round"), Outcome.ERROR),
        (plain("/plain"), Outcome.ERROR),
        (plain("/nowhere"), Outcome.ERROR),
        (plain("/cut"), Outcome.ERROR),
        (plain("/empty"), Outcome.ERROR),
    ],
    ids=["shut", "round", "plain", "nowhere", "cut", "empty"],
)
def test_what_goes_wrong_is_an_outcome(site: Site, tmp_path: Path, official: Official, outcome: Outcome) -> None:
    visit = asked(site, tmp_path, official).visit
    assert (visit.status, visit.outcome) == ("failed", outcome)
    assert visit.final_url is None


def test_an_answer_that_does_not_end_is_not_waited_for(site: Site, tmp_path: Path) -> None:
    visit = asked(site, tmp_path, plain("/drip"), timeout_s=1).visit
    assert (visit.status, visit.outcome) == ("failed", "timeout")


def test_an_answer_that_is_too_long_is_not_kept(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_BYTES", 1_000)
    found = asked(site, tmp_path, plain("/long"))
    assert found.visit.outcome == "error"
    assert [each.role for each in found.looking.kept if each.role is Role.BODY] == []
