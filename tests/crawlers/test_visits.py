"""From what was seen to what the record says: every outcome and status, and sizes that a record can hold."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import trimming
from crawlers.connection import Connection, Fault
from crawlers.exchange import Exchange
from crawlers.session import Looking
from crawlers.sight import MAX_INTERACTIONS, Seen
from crawlers.text import INSTEAD, clean, scalar
from crawlers.tls import Certificate
from crawlers.visits import outcome_of, status_of, visit_of
from custody.artifact import Artifact, Lock
from custody.digest import Digest
from custody.model import Candidate, Hop, HopKind, Json, Missing, Origin, Outcome, Role, Snapshot, Status, Via, Visit
from custody.record import MAX_BYTES, Record
from tests.crawlers.looking import looking_at, new_id, sealed

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://shop.example/item"
WHOLE = (Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY, Role.WARC)
CALM = "A long look at a bracelet. " * 12


def shown(**more: Any) -> Seen:
    seen = Seen(
        final_url=URL,
        title="Bracelet",
        http_status=200,
        media_type="text/html",
        dom=f"<html><body><p>{CALM}</p></body></html>",
        text=CALM,
        reached=True,
        times={"requested_at": AT},
    )
    return replace(seen, **more)


def failed(trouble: str, detail: str = "", **more: Any) -> Seen:
    return replace(Seen(trouble=trouble, detail=detail, times={"requested_at": AT}), **more)


def connection(host: str = "shop.example", *, error: Fault | None = None, by: str = "dns", n: int = 0) -> Connection:
    return Connection(
        host=host,
        port=443,
        kind="tunnel",
        asked_at=AT,
        addresses=("93.184.215.14",),
        resolved_by=cast("Any", by),
        address=None if error else "93.184.215.14",
        connected_at=None if error else AT + timedelta(milliseconds=n),
        error=error,
    )


def certificate(host: str = "shop.example") -> Certificate:
    return Certificate(
        host=host, chain_der=(), browser_says="secure", trusted_by_spki=False, valid=True, reason="",
        protocol="TLS 1.3", cipher="AES_128_GCM",
    )  # fmt: skip


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    return looking_at(URL, tmp_path)


def kept(looking: Looking, roles: Sequence[Role] = WHOLE, prefix: str = "") -> list[Snapshot]:
    return [looking.keep(role, f"{prefix}{role}.bin", "application/octet-stream", b"x") for role in roles]


def visit(seen: Seen, looking: Looking, **more: Any) -> Visit:
    arguments: dict[str, Any] = {
        "run": new_id(),
        "scope": "scope",
        "connections": [connection()],
        "interventions": (),
        "candidates": (),
        "environment": {"software": "counterproof"},
        "closed_at": AT,
    }
    return visit_of(seen, looking, **{**arguments, **more})


def an_artifact(name: str) -> Artifact:
    digest = Digest.of(name.encode())
    return Artifact(
        role="screenshot",
        name=name,
        media_type="image/png",
        bytes=1 << 30,
        digest=digest,
        version_id="v" * 40,
        lock=Lock(mode="COMPLIANCE", retain_until=AT),
        made_at=AT,
    )


# Outcomes


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        ("timeout", Outcome.TIMEOUT),
        ("busy", Outcome.TIMEOUT),
        ("redirect_loop", Outcome.ERROR),
        ("too_large", Outcome.ERROR),
        ("left_the_web", Outcome.ERROR),
        ("download", Outcome.NOT_A_PAGE),
        ("no_content", Outcome.NOT_A_PAGE),
        ("browser_died", Outcome.ERROR),
        ("interrupted", Outcome.ERROR),
        ("refused_by_policy", Outcome.REFUSED_BY_POLICY),
    ],
)
def test_our_own_words_for_trouble(looking: Looking, trouble: str, outcome: Outcome) -> None:
    seen = failed(trouble, "this is why")
    assert outcome_of(seen, looking, []) == (outcome, "this is why")
    assert outcome_of(replace(seen, reached=True), looking, []) == (outcome, "this is why")


@pytest.mark.parametrize(
    ("trouble", "outcome", "words"),
    [
        ("net::ERR_NAME_NOT_RESOLVED", Outcome.DNS_ERROR, "does not resolve"),
        ("net::ERR_TIMED_OUT", Outcome.TIMEOUT, "did not answer"),
        ("net::ERR_CONNECTION_TIMED_OUT", Outcome.TIMEOUT, "did not answer"),
        ("net::ERR_EMPTY_RESPONSE", Outcome.ERROR, "without an answer"),
        ("net::ERR_INVALID_AUTH_CREDENTIALS", Outcome.LOGIN_WALL, "a name and a password"),
        ("net::ERR_SSL_PROTOCOL_ERROR", Outcome.TLS_ERROR, "over TLS (net::ERR_SSL_PROTOCOL_ERROR)"),
        ("net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", Outcome.TLS_ERROR, "over TLS"),
        ("net::ERR_CERT_AUTHORITY_INVALID", Outcome.TLS_ERROR, "over TLS"),
        ("net::ERR_BAD_SSL_CLIENT_AUTH_CERT", Outcome.TLS_ERROR, "over TLS"),
        ("net::ERR_INVALID_RESPONSE", Outcome.ERROR, "net::ERR_INVALID_RESPONSE"),
        ("error", Outcome.ERROR, "error"),
    ],
)
def test_chromiums_words_for_trouble(looking: Looking, trouble: str, outcome: Outcome, words: str) -> None:
    found, reason = outcome_of(failed(trouble), looking, [connection()])
    assert found is outcome
    assert words in reason


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("dns", Outcome.DNS_ERROR),
        ("refused", Outcome.ERROR),
        ("timeout", Outcome.TIMEOUT),
        ("unreachable", Outcome.ERROR),
        ("reset", Outcome.ERROR),
        ("policy", Outcome.REFUSED_BY_POLICY),
    ],
)
def test_the_egress_knows_better_than_the_browser(looking: Looking, fault: Fault, outcome: Outcome) -> None:
    seen = failed("net::ERR_TUNNEL_CONNECTION_FAILED")
    found, reason = outcome_of(seen, looking, [connection("cdn.example"), connection(error=fault)])
    assert found is outcome
    assert reason.startswith("shop.example: ")


def test_the_failure_is_that_of_the_host_where_the_chain_ended(looking: Looking) -> None:
    hop = Hop(n=1, from_url=URL, to_url="https://Gone.example./x", kind=HopKind.HTTP, status=302, at=AT)
    seen = failed("net::ERR_TUNNEL_CONNECTION_FAILED", hops=(hop,))
    connections = [connection("gone.example", error="dns"), connection("ads.example", error="refused")]
    assert outcome_of(seen, looking, connections) == (Outcome.DNS_ERROR, "gone.example: the host name does not resolve")


@pytest.mark.parametrize(
    ("media_type", "status", "outcome"),
    [
        ("text/html", 200, Outcome.OK),
        ("application/xhtml+xml", 200, Outcome.OK),
        ("text/plain", 200, Outcome.OK),
        ("", 200, Outcome.OK),
        ("application/json", 200, Outcome.OK),
        ("image/png", 200, Outcome.NOT_A_PAGE),
        ("video/mp4", 206, Outcome.NOT_A_PAGE),
        ("application/xml", 200, Outcome.NOT_A_PAGE),
        ("image/png", 404, Outcome.HTTP_ERROR),
        ("text/html", 404, Outcome.HTTP_ERROR),
        ("text/html", 503, Outcome.HTTP_ERROR),
    ],
)
def test_what_is_shown(looking: Looking, media_type: str, status: int, outcome: Outcome) -> None:
    found, reason = outcome_of(shown(media_type=media_type, http_status=status), looking, [])
    assert found is outcome
    assert reason


def test_a_wall_is_told_with_the_words_that_say_so(looking: Looking) -> None:
    words = "This account is private"
    seen = shown(text=words, dom=f"<html><body><h1>{words}</h1></body></html>")
    outcome, reason = outcome_of(seen, looking, [])
    assert outcome is Outcome.PRIVATE
    assert words in reason


def test_no_page_and_no_trouble_is_an_error_all_the_same(looking: Looking) -> None:
    made = visit(Seen(), looking)
    assert (made.outcome, made.status) == (Outcome.ERROR, Status.FAILED)
    assert made.outcome_reason == "the browser showed no page, and did not say why"


# Status, and what is missing


def test_all_roles_and_no_trouble_is_complete(looking: Looking) -> None:
    assert status_of(shown(), Outcome.OK, kept(looking)) == (Status.COMPLETE, ())


@pytest.mark.parametrize("outcome", [Outcome.LOGIN_WALL, Outcome.HTTP_ERROR, Outcome.REMOVED, Outcome.NOT_A_PAGE])
def test_a_wall_or_an_error_page_is_complete_evidence_of_itself(looking: Looking, outcome: Outcome) -> None:
    assert status_of(shown(), outcome, kept(looking))[0] is Status.COMPLETE


@pytest.mark.parametrize("lacking", WHOLE)
def test_each_role_that_lacks_is_named_and_makes_it_partial(looking: Looking, lacking: Role) -> None:
    have = kept(looking, [role for role in WHOLE if role is not lacking])
    status, missing = status_of(shown(), Outcome.OK, have)
    assert status is Status.PARTIAL
    assert missing == (Missing(role=lacking, reason="the visit ended before it was taken"),)


def test_the_reason_that_was_given_stands_alone(looking: Looking) -> None:
    seen = shown(missing=[Missing(role=Role.BODY, reason="the answer did not end")])
    have = kept(looking, [role for role in WHOLE if role is not Role.BODY])
    assert status_of(seen, Outcome.OK, have) == (Status.PARTIAL, tuple(seen.missing))


def test_something_missing_of_a_role_that_is_there_is_partial(looking: Looking) -> None:
    seen = shown(missing=[Missing(role=Role.SCREENSHOT, reason="its first 131072 px are kept")])
    assert status_of(seen, Outcome.OK, kept(looking)) == (Status.PARTIAL, tuple(seen.missing))


def test_what_was_kept_of_pages_in_between_is_not_the_page(looking: Looking) -> None:
    have = kept(looking, [Role.VIEWPORT, Role.DOM], prefix="hop-1-")
    status, missing = status_of(failed("browser_died"), Outcome.ERROR, have)
    assert status is Status.FAILED
    assert {each.role for each in missing} == set(WHOLE)


def test_trouble_with_everything_kept_is_partial(looking: Looking) -> None:
    status, missing = status_of(shown(trouble="timeout"), Outcome.TIMEOUT, kept(looking))
    assert (status, missing) == (Status.PARTIAL, ())


def test_a_file_is_partial_and_says_why_there_are_no_pictures(looking: Looking) -> None:
    seen = failed("download", http_status=200, final_url=URL)
    status, missing = status_of(seen, Outcome.NOT_A_PAGE, kept(looking, [Role.HEADERS, Role.BODY]))
    assert status is Status.PARTIAL
    assert {each.role: each.reason for each in missing} == dict.fromkeys(
        (Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.WARC), "there was no page to show"
    )


def test_nothing_reached_is_failed(looking: Looking) -> None:
    status, missing = status_of(failed("net::ERR_TIMED_OUT"), Outcome.TIMEOUT, kept(looking, [Role.HEADERS]))
    assert status is Status.FAILED
    assert {each.reason for each in missing} == {"no page was reached"}
    assert len(missing) == len(WHOLE) - 1


@pytest.mark.parametrize(
    ("trouble", "reached", "roles"),
    itertools.product(
        [None, "timeout", "busy", "redirect_loop", "download", "no_content", "browser_died", "interrupted",
         "net::ERR_SSL_PROTOCOL_ERROR", "net::ERR_TUNNEL_CONNECTION_FAILED", "error", "left_the_web", "too_large"],
        [True, False],
        [(), (Role.HEADERS,), (Role.VIEWPORT,), (Role.HEADERS, Role.BODY), WHOLE],
    ),
)  # fmt: skip
def test_whatever_comes_together_makes_a_record(
    tmp_path: Path, trouble: str | None, reached: bool, roles: tuple[Role, ...]
) -> None:
    looking = looking_at(URL, tmp_path)
    kept(looking, roles)
    seen = shown(trouble=trouble, detail="why") if reached else failed(trouble or "error", "why", http_status=200)
    made = visit(seen, looking)
    assert sealed(made)
    assert (made.status is Status.COMPLETE) is (trouble is None and reached and roles == WHOLE)
    assert (made.status is Status.FAILED) is not (reached or made.outcome is Outcome.NOT_A_PAGE)
    assert {each.role for each in made.missing} | set(roles) >= set(WHOLE)
    assert made.outcome_reason


# Origin


def test_a_public_page_is_public(looking: Looking) -> None:
    kept(looking)
    made = visit(shown(certificates=(certificate(),)), looking)
    assert made.origin is Origin.PUBLIC


def test_nothing_of_the_site_is_never_public(looking: Looking) -> None:
    hop = Hop(n=1, from_url=URL, to_url="https://gone.example/", kind=HopKind.HTTP, status=302, at=AT)
    seen = failed("net::ERR_TUNNEL_CONNECTION_FAILED", hops=(hop,), certificates=(certificate(),))
    made = visit(seen, looking)
    assert (made.status, made.origin) == (Status.FAILED, Origin.UNVERIFIED)
    assert made.origin_reasons == ("nothing of the site was shown",)


def test_ours_stays_ours_when_nothing_was_reached(looking: Looking) -> None:
    made = visit(failed("timeout"), looking, interventions=("--resolve",))
    assert made.origin is Origin.NOT_PUBLIC
    assert visit(shown(), looking, connections=[connection(by="resolve")]).origin is Origin.NOT_PUBLIC


# Text of strangers


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_clean_text_has_whole_characters_and_no_commands(text: str) -> None:
    cleaned = clean(text, limit=10_000)
    cleaned.encode()
    assert not any(ord(each) < 32 and each not in "\t\n\r" for each in cleaned)
    assert not any(127 <= ord(each) < 160 for each in cleaned)
    assert clean(cleaned, limit=10_000) == cleaned


@given(st.text(), st.integers(1, 60))
def test_a_cut_text_says_how_much_is_gone(text: str, limit: int) -> None:
    whole, cut = clean(text, limit=10_000), clean(text, limit=limit)
    if len(whole.encode()) <= limit:
        assert cut == whole
        return
    front, _, said = cut.rpartition("… (")
    assert whole.startswith(front)
    assert len(front.encode()) <= limit
    assert said == f"{len(text) - len(front)} more characters)"


def test_halves_that_meet_become_one() -> None:
    assert scalar("\ud83d\ude00") == "\U0001f600"
    assert scalar("a\ud83db\ude00c") == f"a{INSTEAD}b{INSTEAD}c"
    assert clean("\x1b[31mred\x1b[0m\x00\x9b", limit=100) == f"{INSTEAD}[31mred{INSTEAD}[0m{INSTEAD}{INSTEAD}"


def nasty(text: str, times: int = 1) -> str:
    return f"{text}\ud800\x00\x1b]0;evil\x07" * times


def test_everything_that_a_stranger_wrote_is_cleaned(tmp_path: Path) -> None:
    via = Via(href=nasty("https://a.example/"), text=nasty("text"), where="text")
    looking = looking_at(nasty(URL), tmp_path, via=via)
    looking.robots = {"error": nasty("robots"), "deep": [{nasty("name"): nasty("value")}]}
    hop = Hop(n=1, from_url=nasty(URL), to_url=nasty(URL), kind=HopKind.SCRIPT, status=0, at=AT)
    seen = shown(
        final_url=nasty(URL),
        title=nasty("title"),
        hops=(hop,),
        http_status=0,
        missing=[Missing(role=Role.BODY, reason=nasty("reason"))],
        certificates=(replace(certificate(), host=nasty("host"), reason=nasty("reason")),),
        settings={"user_agent": nasty("agent")},
    )
    seen.note("click", AT, text=nasty("text"))
    candidate = Candidate(via=via, follow=True, reason="bio")
    with pytest.raises(UnicodeEncodeError):
        nasty("attack").encode()
    connections = [replace(connection(), detail=nasty("detail"))]
    made = visit(
        seen, looking, candidates=[candidate], connections=connections, environment={"system": nasty("system")}
    )
    record = sealed(made).decode()
    assert not set(record) & {chr(each) for each in (*range(32), *range(127, 160)) if chr(each) not in "\t\n\r"}
    assert "\\u00" not in record
    assert Record.parse(record.encode()).title == f"title{INSTEAD * 3}]0;evil{INSTEAD}"
    assert made.http_status is None
    assert made.hops[0].status is None


# Sizes


def test_a_title_of_a_megabyte(looking: Looking) -> None:
    made = visit(shown(title="x" * (1 << 20)), looking)
    assert made.title == f"{'x' * trimming.TITLE}… ({(1 << 20) - trimming.TITLE} more characters)"


def test_five_thousand_hosts(looking: Looking) -> None:
    connections = [connection(f"host-{n}.{'x' * 150}.example", n=n) for n in range(5_000)]
    connections[4_999] = connection("late.example", error="refused")
    network = cast("dict[str, Any]", visit(shown(), looking, connections=connections).circumstances["network"])
    listed = network["connections"]
    assert 500 < len(listed) < 5_000
    assert network["connections_total"] == 5_000
    assert listed[0]["host"] == "late.example", "a failure explains what is not there"
    few = cast("dict[str, Json]", visit(shown(), looking, connections=connections[:10]).circumstances["network"])
    assert "connections_total" not in few


def test_ten_thousand_links(looking: Looking) -> None:
    links = [
        Candidate(
            via=Via(href=f"https://h{n}.example/{'p' * 400}", text="t" * 200, where="page"), follow=n < 20, reason="r"
        )
        for n in range(10_000)
    ]
    made = visit(shown(), looking, candidates=links)
    assert made.candidates == tuple(links[: len(made.candidates)])
    assert 20 < len(made.candidates) < 10_000
    assert cast("dict[str, Json]", made.circumstances["session"])["candidates_total"] == 10_000
    few = visit(shown(), looking, candidates=links[:50])
    assert "candidates_total" not in cast("dict[str, Json]", few.circumstances["session"])


def test_interactions_by_the_thousand(looking: Looking) -> None:
    seen = shown()
    for n in range(3_000):
        seen.note("new_window_shut", AT, url=f"https://a.example/{n}")
    session = cast("dict[str, Any]", visit(seen, looking).circumstances["session"])
    assert len(session["interactions"]) == MAX_INTERACTIONS
    assert session["interactions_total"] == 3_000


def test_the_largest_of_everything_fits_a_record(tmp_path: Path) -> None:
    long = 'é"\\' * 1_000_000
    via = Via(href=long, text=long, where="text")
    looking = looking_at(f"https://a.example/{long}", tmp_path, via=via)
    looking.robots = {"reason": long, "url": long}
    hops = tuple(Hop(n=n, from_url=long, to_url=long, kind=HopKind.HTTP, status=302, at=AT) for n in range(1, 101))
    target: dict[str, Json] = {"tag": long[:80], "name": long[:80]}
    inputs: list[Mapping[str, Json]] = [{"kind": "click", "at": "a", "target": target}] * 1_000
    files = [f"page-{n}-screenshot-{tile}.png" for n in range(6) for tile in range(8)]
    pages: list[Mapping[str, Json]] = [
        {"n": n, "url": long, "at": "a", "files": files, "title": long} for n in range(200)
    ]
    seen = shown(
        attended={
            "script": {"name": "s"},
            "inputs": inputs,
            "inputs_more": {"key": 7},
            "pages": pages,
            "pages_total": 900,
        },
        quarantine={"reason": "password_input", "since": "2026-11-03T12:00:00.000Z", "withheld": {"cookie": 7}},
        title=long,
        final_url=f"https://a.example/{long}",
        hops=hops,
        exchanges=tuple(
            Exchange.of(
                "1",
                {"url": f"https://a.example/{long}", "status": 302, "protocol": long, "headers": {"Date": long}},
                expects_extra=False,
                is_redirect=True,
                at=AT,
            )
            for _ in range(21)
        ),
        trouble="timeout",
        detail=long,
        missing=[Missing(role=role, reason=long) for role in WHOLE],
        certificates=tuple(replace(certificate(f"h{n}.example"), reason=long, cipher=long) for n in range(21)),
        settings={"user_agent": long, "languages": long},
    )
    for n in range(2 * MAX_INTERACTIONS):
        seen.note("dialog_dismissed", AT, message=long, n=n)
    connections = [replace(connection(f"h{n}.example", n=n), detail=long) for n in range(5_000)]
    seen.media = {"said": [long] * 3, "arguments": [long], "connections": [each.to_json() for each in connections]}
    seen.consent = {"result": "done", "recognised": ["rule"] * 20, "led_to": long}
    candidates = [Candidate(via=via, follow=n < 20, reason=long) for n in range(12_000)]
    made = visit(
        seen,
        looking,
        connections=connections,
        candidates=candidates,
        environment={"software": long, "flags": [long] * 20},
        interventions=("--resolve",),
        surface="attended",
    )
    artifacts = tuple(an_artifact(f"shot-{n}-screenshot.png") for n in range(600))
    record = Record.of(made, artifacts=artifacts, nonce="0" * 32).format()
    assert MAX_BYTES // 2 < len(record) < MAX_BYTES
    parsed = Record.parse(record)
    assert sum(each.follow for each in parsed.candidates) == 20
    assert "more characters)" in parsed.hops[19].to_url
    session = cast("dict[str, Any]", parsed.circumstances["session"])
    assert session["hops_total"] == 100 > len(parsed.hops)
    assert session["inputs_total"] == 1_007 > len(session["inputs"]) > 100
    assert session["pages_total"] == 900
    assert len(session["pages"]) >= 2
    assert session["media"]["connections_total"] == 5_000


def test_a_link_too_many_is_no_failure(looking: Looking) -> None:
    links = [Candidate(via=Via(href=f"/{n}", text="", where="page"), follow=False, reason="r") for n in range(12_000)]
    made = visit(shown(), looking, candidates=links)
    assert len(made.candidates) == 10_000
    assert cast("dict[str, Json]", made.circumstances["session"])["candidates_total"] == 12_000
    assert sealed(made)
