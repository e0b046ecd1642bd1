"""Access: who is let in, what each may see, and that everything else answers as if it were not there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from typer.testing import CliRunner, Result

from archive.accounts import EVERYWHERE, Accounts, Right
from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.screen import now
from console.verbs.users import app
from console.web import pages
from console.web.guard import OPEN
from console.web.jobs import Job, Wanted
from console.web.provider import Client
from console.web.serving import Serve, serve
from console.web.sessions import IDLE, TRIES, WINDOW, Attempts, Sessions
from tests.authority import LocalAuthority
from tests.console.web.conftest import two_cases
from tests.console.web.opened import Console, crawlers, served
from tests.console.web.shelf import Laid, lay, promoted

WORD = "a long enough word"
SECRETS = ("A page of the second case", "A page without a token after it", "A listing of the second case", "second")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Laid:
    """The second case has all that there can be of one: a promotion and a candidate too."""
    shelf = two_cases(authority)
    scope = [each.chain for commit in shelf.commits for each in commit if each.chain.startswith("scope:")][-1]
    promoted(shelf, shelf.open_run(), scope.removeprefix("scope:"), title="A listing of the second case")
    return lay(shelf, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def office(shared: Laid) -> Iterator[Console]:
    """Served to others: ada reviews the first case, bob sees all, carl has no right."""
    with served(shared, is_local=False) as made:
        accounts: Accounts = made.app.state.accounts
        for name in ("ada", "bob", "carl"):
            accounts.add(name, WORD)
        accounts.grant("ada", scope_of(made, "first"), Right.REVIEWER)
        accounts.grant("bob", EVERYWHERE, Right.VIEWER)
        yield made


def scope_of(console: Console, name: str) -> str:
    rows = console.app.state.archive.catalog.listed(None)
    return str(next(each.scope for each in rows if each.name == name))


@contextmanager
def signed_in(console: Console, name: str) -> Iterator[httpx.Client]:
    with console.stranger() as client:
        answer = client.post("/sign-in", data={"name": name, "password": WORD})
        assert answer.status_code == 303, answer.text
        yield client


def paths_of(console: Console, case: str) -> list[str]:
    """Every path that shows something of a case, from the application's own list of routes."""
    archive = console.app.state.archive
    scope = scope_of(console, case)
    entries = archive.catalog.of_case(scope)
    record = console.app.state.archive.catalog.artifacts(entries[0].capture_id)
    values = {"scope": scope, "capture_id": entries[0].capture_id, "name": record[0].name,
              "digest": record[0].digest.hex, "unit": entries[0].unit, **ids_of(console, case)}  # fmt: skip
    found = []
    for route in routes(console):
        names = [part[1:-1].partition(":")[0] for part in route.split("/") if part.startswith("{")]
        if names and all(name in values for name in names):
            path = route
            for name in names:
                path = path.replace(f"{{{name}}}", values[name])
            found.append(path)
    return found


def ids_of(console: Console, case: str) -> dict[str, str]:
    """Of a promotion and of a candidate, where the case has any; they are there, whoever asks."""
    scope = scope_of(console, case)
    with console.client() as client:
        told = client.get(f"/api/v1/cases/{scope}/promotions").json()["promotions"]
        leads = client.get(f"/api/v1/cases/{scope}/candidates").json()["candidates"]
    none = [{"id": "0" * 32}]
    return {"promotion": (told or none)[0]["id"], "candidate": (leads or none)[0]["id"]}


def routes(console: Console) -> list[str]:
    prefixed = [("", router) for router in pages.ROUTERS] + [("/api/v1", router) for router in pages.APIS]
    found = {
        f"{prefix}{each.path}" for prefix, router in prefixed for each in router.routes if isinstance(each, APIRoute)
    }
    posted = {path for path, told in console.app.openapi()["paths"].items() if "get" not in told}
    assert console.app.openapi()["paths"].keys() == {each for each in found if each.startswith("/api/v1/")}, "all of it"
    return sorted(found - posted - {"/sign-out"})


def test_nobody_gets_in_without_a_session(office: Console) -> None:
    with office.stranger() as client:
        for path in ["/", *paths_of(office, "first"), "/nothing-like-it"]:
            answer = client.get(path)
            if path.startswith("/api/"):
                assert answer.status_code == 401
            else:
                assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path


def test_only_the_door_itself_is_open() -> None:
    assert OPEN == ("/enter", "/sign-in", "/sign-in/", "/static/", "/health")


def test_each_foreign_object_is_not_there(office: Console) -> None:
    """Asked for one by one: what is somebody else's and what there is not get the same answer."""
    paths = paths_of(office, "second")
    assert len(paths) >= 6
    with signed_in(office, "ada") as client:
        for path in paths_of(office, "first"):
            if "/promotions/" not in path:
                assert client.get(path).status_code in {200, 303}, path
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert not any(each in answer.text for each in SECRETS), path
        missing = client.get("/captures/00000000-0000-7000-8000-000000000000").text
        foreign = client.get(next(each for each in paths if each.count("/") == 2 and "captures" in each)).text
        assert words(missing) == words(foreign)


NOTHING_OF_A_CASE = {
    "/api",
    "/api/openapi.json",
    "/log/checkpoint",
    "/log/checkpoints/{size}",
    "/log/tokens/{size}/{name}",
}
"""What is the log's own, or the program's: whoever may see anything may see these."""
LISTS = {
    "/": [""],
    "/capture-now": ["", "?case={scope}"],
    "/search": ["?kind=post", "?origin=public", "?q=page", "?case={scope}", "?q={capture_id}", "?q={url}"],
    "/whereis": ["?sha256={digest}", "?sha256={record}"],
    "/timeline": ["?target={capture_id}", "?target={url}"],
    "/timeline/watched": ["?target={capture_id}", "?target={url}"],
    "/compare": ["?before={capture_id}&after={capture_id}", "?before={own}&after={capture_id}"],
    "/log": ["", "?before={index}"],
    "/cases": [""],
}
"""What is asked with a question behind it; the same below ``/api/v1``. Foreign things are not among the answers."""
POSTS: dict[str, dict[str, object]] = {
    "/capture-now": {"urls": "https://site.example/", "case": "second"},
    "/cases/{scope}/review": {"lead": "{candidate}", "word": "confirmed"},
    "/captures/{capture_id}/witness": {"name": "Eve", "case": "{scope}", "word": "fair"},
    "/api/v1/cases/{scope}/candidates/{candidate}/reviews": {"word": "confirmed"},
    "/api/v1/jobs": {"urls": ["https://site.example/"], "case_id": "{scope}"},
}
"""What changes something, asked for in a foreign case."""
LEAD_ON = {"/whereis"}
"""Posts that show nothing of a case by themselves: they lead to a page that is asked for above."""


def every_route() -> set[tuple[str, str]]:
    prefixed = [("", router) for router in pages.ROUTERS] + [("/api/v1", router) for router in pages.APIS]
    return {
        (method, f"{prefix}{each.path}")
        for prefix, router in prefixed
        for each in router.routes
        if isinstance(each, APIRoute)
        for method in each.methods or ()
    }


def test_every_route_there_is_keeps_what_is_foreign_to_itself(office: Console) -> None:
    """From the application's own list: who adds a route says here how something foreign is asked for by it."""
    archive = office.app.state.archive
    scope = scope_of(office, "second")
    entry, own = archive.catalog.of_case(scope)[0], archive.catalog.of_case(scope_of(office, "first"))[0]
    kept = archive.catalog.artifacts(entry.capture_id)[0]
    wanted = Wanted(urls=("https://site.example/",), case="second", by="bob")
    job = office.app.state.jobs._jobs["of-bob"] = Job(id="of-bob", wanted=wanted, asked_at=now(), state="ended")
    values = {
        "scope": scope, "capture_id": entry.capture_id, "name": kept.name,
        "digest": kept.digest.hex, "sha256": kept.digest.hex, "record": entry.record_sha256,
        "index": entry.started_index, **ids_of(office, "second"),
        "url": entry.requested_url, "own": own.capture_id, "job_id": job.id,
    }  # fmt: skip
    assert "0" * 32 not in values.values(), "the second case has a promotion and a candidate"
    forgotten = []
    with signed_in(office, "ada") as client:
        word = office.csrf(client)
        for method, route in sorted(every_route()):
            bare = route.removeprefix("/api/v1")
            if route in NOTHING_OF_A_CASE or (method == "POST" and route in LEAD_ON):
                continue
            if method == "POST":
                if route not in POSTS:
                    forgotten.append((method, route))
                    continue
                is_json = route.startswith("/api/")
                body = {
                    name: value.format(**values) if isinstance(value, str) else value
                    for name, value in POSTS[route].items()
                }
                answer = client.post(
                    route.format(**values),
                    headers={"X-CSRF-Token": word},
                    json=body if is_json else None,
                    data=None if is_json else body,
                )
                assert answer.status_code in {403, 404}, (route, answer.text)
                assert not any(each in answer.text for each in SECRETS[:-1]), route
            elif "{" in route:
                try:
                    path = route.format(**values)
                except KeyError:
                    forgotten.append((method, route))
                    continue
                answer = client.get(path)
                if "whereis" in route:
                    assert answer.json()["found"] == [], route
                else:
                    assert answer.status_code == 404, (path, answer.status_code)
                    assert not any(each in answer.text for each in SECRETS), path
            elif bare in LISTS:
                for question in LISTS[bare]:
                    answer = client.get(route + question.format(**values))
                    assert answer.status_code in {200, 403, 404, 422}, (route, question)
                    found = words(answer.text) if answer.text.startswith(("<", "\n")) else answer.text
                    for typed in (str(each) for each in values.values() if f"{each}" in question.format(**values)):
                        found = found.replace(typed, "")  # what was typed stands in the box again
                    told = [each for each in (*SECRETS, entry.capture_id, scope) if each in found]
                    assert told == [], (route, question)
            else:
                forgotten.append((method, route))
    assert forgotten == [], "say above how something foreign is asked for by these"


def words(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def test_lists_hold_nothing_foreign(office: Console) -> None:
    with signed_in(office, "ada") as client:
        page = client.get("/").text
        assert "first" in page
        assert not any(each in page for each in SECRETS)
    with signed_in(office, "bob") as client:
        assert all(each in client.get("/").text for each in ("first", "second"))
    with signed_in(office, "carl") as client:
        page = client.get("/").text
        assert "none that you may see" in page


def test_a_right_that_is_taken_away_is_gone_with_the_next_request(office: Console) -> None:
    accounts: Accounts = office.app.state.accounts
    scope = scope_of(office, "second")
    accounts.grant("carl", scope, Right.VIEWER)
    with signed_in(office, "carl") as client:
        assert client.get(f"/cases/{scope}").status_code == 200
        accounts.grant("carl", scope, None)
        assert client.get(f"/cases/{scope}").status_code == 404


def test_a_removed_user_is_signed_out(office: Console) -> None:
    accounts: Accounts = office.app.state.accounts
    accounts.add("dora", WORD)
    with signed_in(office, "dora") as client:
        assert client.get("/").status_code == 200
        accounts.remove("dora")
        assert client.get("/").status_code == 303


def test_a_token_is_bound_to_its_cases_and_its_right(office: Console) -> None:
    accounts: Accounts = office.app.state.accounts
    until = now() + timedelta(days=1)
    first, second = scope_of(office, "first"), scope_of(office, "second")
    _, secret = accounts.issue("bob", most=Right.VIEWER, scopes=(second,), expires=until)
    with office.stranger() as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.get(f"/cases/{second}").status_code == 200
        assert client.get(f"/cases/{first}").status_code == 404
        client.headers["Authorization"] = f"Bearer {secret}x"
        assert client.get(f"/cases/{second}").status_code == 303


def test_a_token_ends_when_it_was_said_and_when_it_is_taken_back(office: Console) -> None:
    accounts: Accounts = office.app.state.accounts
    (one, other) = (
        accounts.issue("bob", most=Right.VIEWER, scopes=(), expires=now() + timedelta(days=days)) for days in (1, -1)
    )
    with office.stranger() as client:
        for (token, secret), status in ((one, 200), (other, 401)):
            client.headers["Authorization"] = f"Bearer {secret}"
            assert client.get("/api/v1/cases").status_code == status
            accounts.take_back(token.id)
            assert client.get("/api/v1/cases").status_code == 401


def test_signing_in_is_slowed_down(shared: Laid) -> None:
    with served(shared, is_local=False) as console, console.stranger() as client:
        for _ in range(TRIES):
            assert client.post("/sign-in", data={"name": "ada", "password": "wrong word here"}).status_code == 401
        answer = client.post("/sign-in", data={"name": "ada", "password": WORD})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


def test_attempts_are_forgotten_in_time() -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    attempts = Attempts(lambda: at[0])
    for _ in range(TRIES):
        assert attempts.wait_s("name ada") == 0
        attempts.fail("name ada", "address 1")
    assert attempts.wait_s("name ada") > 0
    assert attempts.wait_s("name bob", "address 1") > 0
    assert attempts.wait_s("name bob", "address 2") == 0
    at[0] += WINDOW
    assert attempts.wait_s("name ada", "address 1") == 0


def test_a_session_that_nobody_uses_ends() -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    sessions = Sessions(lambda: at[0])
    secret = sessions.enter(sessions.invite("me"))
    at[0] += IDLE
    assert sessions.find(secret) is not None
    at[0] += IDLE + timedelta(seconds=1)
    assert sessions.find(secret) is None


def test_a_link_lets_in_once(console: Console) -> None:
    token = console.sessions.invite("me")
    with console.stranger() as first, console.stranger() as second:
        assert first.get("/enter", params={"token": token}).status_code == 303
        again = second.get("/enter", params={"token": token})
        assert again.status_code == 403
        assert "lets one browser in, once" in again.text
        assert second.get("/").status_code == 303


def test_the_cookie_is_out_of_reach(console: Console) -> None:
    with console.stranger() as client:
        told = client.get("/enter", params={"token": console.sessions.invite("me")}).headers["set-cookie"]
    assert "HttpOnly" in told
    assert "SameSite=strict" in told
    assert "Domain" not in told


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1", "localhost:1", ""])
def test_another_name_is_refused(console: Console, host: str) -> None:
    """A site may have its own name lead to 127.0.0.1 (DNS rebinding): then its pages ask with that name."""
    with console.client() as client:
        assert client.get("/", headers={"Host": host}).status_code in {400, 421}


def test_a_form_wants_its_word(console: Console) -> None:
    with console.client() as client:
        assert client.post("/sign-out").status_code == 403
        assert client.post("/sign-out", data={"csrf": "wrong"}).status_code == 403
        assert client.get("/").status_code == 200
        assert client.post("/sign-out", data={"csrf": console.csrf(client)}).status_code == 303
        assert client.get("/").status_code == 303


def test_a_form_of_another_site_is_refused_whatever_it_brings(console: Console) -> None:
    with console.client() as client:
        word = console.csrf(client)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert client.post("/sign-out", data={"csrf": word}, headers=headers).status_code == 403


def test_every_answer_forbids_what_is_not_ours(console: Console, laid: Laid) -> None:
    with console.client() as client:
        for path in ("/", "/nothing", "/static/console.css", f"/captures/{laid.builder.captures[0].id}"):
            answer = client.get(path)
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Serve(host="0.0.0.0"), "over TLS alone"),
        (Serve(host="0.0.0.0", proxy="10.0.0.1"), "by which name"),
        (Serve(host="0.0.0.0", proxy="x.example", names=["x.example"]), "IP address"),
        (Serve(host="0.0.0.0", proxy="10.0.0.1", names=["x.example"]), "nobody could sign in"),
        (Serve(host="0.0.0.0", certificate=Path("nothing.pem")), "go together"),
        (Serve(host="0.0.0.0", certificate=Path("no.pem"), key=Path("no.key"), names=["x"]), "there is no file"),
        (Serve(names=["x.example"]), "add --host"),
        (Serve(oidc=Client(issuer="https://login.example", id="x")), "add --host"),
    ],
)
def test_others_are_not_let_in_by_oversight(tmp_path: Path, asked: Serve, says: str) -> None:
    config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(tmp_path)}, settings={})
    with pytest.raises(UsageError, match=says):
        serve(config, asked, run=crawlers, clock=now, tell=pytest.fail)


def test_users_by_the_command(shared: Laid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights name cases as people do; what is listed holds no secret."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "trust.json").write_bytes((shared.home / "trust.json").read_bytes())
    monkeypatch.setenv("COUNTERPROOF_HOME", str(home))
    monkeypatch.setenv("COUNTERPROOF_STORE_URL", f"file:{shared.store}")

    def users(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments], input=typed)

    assert users("add", "ada").exit_code == 2, "there is no terminal to ask on"
    assert users("add", "ada", "--password-stdin", typed=f"{WORD}\n").exit_code == 0
    assert users("add", "ada", "--password-stdin", typed=f"{WORD}\n").exit_code == 2
    assert users("add", "program", "--no-password").exit_code == 0
    assert users("remove", "program").exit_code == 0
    assert users("add", "bob", "--no-password").exit_code == 0
    assert users("link", "ada", "ada@example.org").exit_code == 0
    assert users("link", "bob", "ADA@example.org").exit_code == 2, "one address, one account"
    assert users("link", "carl", "carl@example.org").exit_code == 2
    assert users("remove", "bob").exit_code == 0
    assert users("grant", "ada", "reviewer", "--case", "first").exit_code == 0
    assert users("grant", "ada", "king", "--case", "first").exit_code == 2
    assert users("grant", "ada", "viewer").exit_code == 2
    assert users("grant", "ada", "viewer", "--case", "third").exit_code == 2
    token = json.loads(users("token", "ada", "--case", "first", "--json").stdout)
    listed = users("list", "--json").stdout
    (user,) = json.loads(listed)["users"]
    assert user["rights"] == {"first": "reviewer"}
    assert user["identity"] == "ada@example.org"
    assert user["tokens"][0]["cases"] == ["first"]
    assert token["token"] not in listed
    assert WORD not in listed
    assert users("take-back", token["id"]).exit_code == 0
    assert users("remove", "ada").exit_code == 0
    assert json.loads(users("list", "--json").stdout)["users"] == []
