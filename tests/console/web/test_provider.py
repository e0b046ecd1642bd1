"""Signing in at a provider of identities: a real one over HTTP, for a browser another site; and one that lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, expect

from archive.accounts import EVERYWHERE, Accounts, Right
from archive.errors import UsageError
from console.screen import now
from console.web.pages.entrance import BACK
from console.web.provider import Client, Provider
from tests.authority import LocalAuthority
from tests.console.web.conftest import two_cases
from tests.console.web.identities import CLIENT, SECRET, Claims, Identities, identifying
from tests.console.web.opened import Console, served
from tests.console.web.shelf import lay


@dataclass(frozen=True, kw_only=True)
class Office:
    console: Console
    provider: Identities

    @property
    def accounts(self) -> Accounts:
        found: Accounts = self.console.app.state.accounts
        return found

    def arrive(self, client: httpx.Client) -> httpx.Response:
        """All the way round, as a browser goes it."""
        answer = client.get("/sign-in/elsewhere")
        for _ in range(2):
            if answer.status_code != 303:
                break
            answer = client.get(answer.headers["location"])
        return answer


@pytest.fixture(scope="module")
def opened_office(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Iterator[Office]:
    laid = lay(two_cases(authority), tmp_path_factory.mktemp("identities"))
    with identifying() as identities:

        def provider(base: str) -> Provider:
            return Provider(
                Client(issuer=identities.issuer, id=CLIENT, secret=SECRET), back=f"{base}/{BACK}", clock=now
            )

        with served(laid, is_local=False, provider=provider) as console:
            accounts: Accounts = console.app.state.accounts
            accounts.add("ada", None)
            accounts.grant("ada", EVERYWHERE, Right.VIEWER)
            yield Office(console=console, provider=identities)


@pytest.fixture
def office(opened_office: Office) -> Office:
    """Nobody has signed in yet, and the provider says what is so."""
    own = opened_office.provider
    own.who = {"sub": "1", "email": "Ada@example.org", "email_verified": True}
    own.spoil, own.signs_with, own.algorithm = (lambda claims: claims), None, "RS256"
    opened_office.accounts.link("ada", "ada@example.org")
    return opened_office


def test_whom_the_provider_names_is_signed_in_with_the_rights_of_their_account(office: Office) -> None:
    with office.console.stranger() as client:
        assert "localhost" in client.get("/sign-in").text
        answer = office.arrive(client)
        assert answer.status_code == 200, answer.text
        assert [each for each in answer.headers.get_list("set-cookie") if "SameSite=strict" in each]
        page = client.get("/").text
        assert "first" in page
        assert "<span>ada</span>" in page
        assert client.get("/capture-now").status_code == 403, "a viewer, as here, and not what the provider thinks"
        assert not [each for each in client.cookies if each.endswith("-begun")], "what was begun is done"


@pytest.mark.browser
def test_a_browser_comes_back_from_another_site_and_is_in(browser: Browser, office: Office) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{office.console.base}/sign-in")
    page.get_by_role("link", name="Sign in at").click()
    expect(page.locator("h1")).to_have_text("Cases")
    assert page.url == f"{office.console.base}/"
    expect(page.locator(".who")).to_contain_text("ada")
    context.close()


Spoil = Callable[[Claims], Claims]
LIES: dict[str, Spoil] = {
    "for another console": lambda claims: {**claims, "aud": "another"},
    "for several, made for another": lambda claims: {**claims, "aud": [CLIENT, "another"], "azp": "another"},
    "by another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "of another sign-in": lambda claims: {**claims, "nonce": "x" * 43},
    "without a nonce": lambda claims: {name: each for name, each in claims.items() if name != "nonce"},
    "run out": lambda claims: {**claims, "exp": int(now().timestamp()) - 3600},
    "without an end": lambda claims: {name: each for name, each in claims.items() if name != "exp"},
    "of the future": lambda claims: {**claims, "iat": int(now().timestamp()) + 3600},
    "without a subject": lambda claims: {name: each for name, each in claims.items() if name != "sub"},
    "an address nobody has verified": lambda claims: {**claims, "email_verified": False},
    "an address that is said to be verified": lambda claims: {**claims, "email_verified": "true"},
    "no address": lambda claims: {**claims, "email": None},
    "somebody without an account": lambda claims: {**claims, "email": "eve@example.org"},
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_not_said_for_this_sign_in_lets_nobody_in(office: Office, name: str) -> None:
    office.provider.spoil = LIES[name]
    with office.console.stranger() as client:
        answer = office.arrive(client)
        assert answer.status_code == 401
        assert 'role="alert"' in answer.text
        assert client.get("/").status_code == 303


def test_what_another_key_signed_or_none_lets_nobody_in(office: Office) -> None:
    other = RSAKey.generate_key(2048, {"kid": "1"})
    with office.console.stranger() as client:
        office.provider.signs_with = other
        assert office.arrive(client).status_code == 401
        office.provider.signs_with, office.provider.algorithm = None, "RS512"
        assert office.arrive(client).status_code == 401, "not among those that are believed"
        office.provider.algorithm = "RS256"
        assert office.arrive(client).status_code == 200, "and by itself it holds"


def test_a_key_that_the_provider_changed_is_asked_for(office: Office) -> None:
    with office.console.stranger() as client:
        assert office.arrive(client).status_code == 200
    before, asked = office.provider.key, office.provider.asked.count("keys")
    office.provider.key = RSAKey.generate_key(2048, {"kid": "2"})
    try:
        for _ in range(2):
            with office.console.stranger() as client:
                assert office.arrive(client).status_code == 200
    finally:
        office.provider.key = before
    assert office.provider.asked.count("keys") == asked + 1, "once, and kept"


def test_a_name_that_is_given_to_another_person_does_not_let_them_in(office: Office) -> None:
    with office.console.stranger() as client:
        assert office.arrive(client).status_code == 200
    office.provider.who = {**office.provider.who, "sub": "2"}
    with office.console.stranger() as client:
        assert office.arrive(client).status_code == 401
        office.accounts.link("ada", "ada@example.org")  # whoever keeps the archive says that she is meant
        assert office.arrive(client).status_code == 200


def test_an_answer_counts_in_the_browser_that_asked_and_once(office: Office) -> None:
    with office.console.stranger() as client, office.console.stranger() as other:
        begun = client.get("/sign-in/elsewhere")
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        back = client.get(begun.headers["location"]).headers["location"]
        assert other.get(back).status_code == 401, "somebody else's browser that was led there has not begun it"
        other.get("/sign-in/elsewhere")
        assert other.get(back).status_code == 401, "nor did it begin this one"
        assert client.get(f"{back}&error=access_denied").status_code == 401
        client.get("/sign-in/elsewhere")
        forged = back.replace(asked["state"][0], "x" * 43)
        assert client.get(forged).status_code == 401
        answer = office.arrive(client)
        assert answer.status_code == 200
        client.cookies.clear()
        assert client.get(str(answer.url)).status_code == 401, "the same answer again is nobody's"


def test_a_provider_that_does_not_answer_is_said_to_be_so(office: Office) -> None:
    app = office.console.app
    before = app.state.provider
    client_of = Client(issuer="http://127.0.0.1:9", id=CLIENT)
    app.state.provider = Provider(client_of, back=f"{office.console.base}/{BACK}", clock=now)
    try:
        with office.console.stranger() as client:
            answer = client.get("/sign-in/elsewhere")
            assert answer.status_code == 502
            assert "cannot be reached" in answer.text
    finally:
        app.state.provider = before


@pytest.mark.parametrize(
    ("issuer", "id_"),
    [
        ("http://login.example", "x"), ("login.example", "x"), ("https://login.example/?a=1", "x"), ("https://", "x"),
        ("file:///etc/passwd", "x"), ("https://login.example", ""),
    ],
)  # fmt: skip
def test_an_issuer_is_asked_over_tls_alone(issuer: str, id_: str) -> None:
    with pytest.raises(UsageError, match="--oidc"):
        Client(issuer=issuer, id=id_)


def test_without_a_provider_there_is_no_such_way_in(tmp_path: Path, authority: LocalAuthority) -> None:
    with served(lay(two_cases(authority), tmp_path), is_local=False) as console, console.stranger() as client:
        assert "elsewhere" not in client.get("/sign-in").text
        assert client.get("/sign-in/elsewhere").status_code == 404
        assert client.get("/sign-in/back?code=x&state=y").status_code == 404
