"""Accounts: passwords, rights and tokens, in one file that is its owner's alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.accounts import EVERYWHERE, NAME, Accounts, Right
from archive.errors import KeyFileError, UsageError

WORD = "a long enough word"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 5, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    made = Accounts(tmp_path, clock)
    made.add("ada", WORD)
    return made


def test_a_password_is_checked_and_not_kept(accounts: Accounts) -> None:
    assert accounts.check("ada", WORD) is not None
    assert accounts.check("ada", WORD + "x") is None
    assert accounts.check("bob", WORD) is None
    data = accounts.path.read_text()
    assert WORD not in data
    assert "$argon2id$" in data
    assert accounts.path.stat().st_mode & 0o077 == 0


def test_a_file_that_others_can_read_is_refused(accounts: Accounts, tmp_path: Path, clock: Clock) -> None:
    accounts.path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Accounts(tmp_path, clock).all()


def test_a_file_that_is_damaged_lets_nobody_in(accounts: Accounts) -> None:
    accounts.path.write_text("{}")
    with pytest.raises(KeyFileError, match="cannot be read"):
        accounts.check("ada", WORD)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 101, "\u202eada", "-x"])
def test_names_are_plain(accounts: Accounts, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        accounts.add(name, WORD)


def test_a_short_password_is_refused(accounts: Accounts) -> None:
    with pytest.raises(UsageError, match="12 to"):
        accounts.add("bob", "short")


def test_what_another_process_changes_counts_at_once(accounts: Accounts, tmp_path: Path, clock: Clock) -> None:
    other = Accounts(tmp_path, clock)
    other.grant("ada", "case-1", Right.REVIEWER)
    found = accounts.find("ada")
    assert found is not None
    assert found.rights == {"case-1": Right.REVIEWER}
    other.grant("ada", "case-1", None)
    found = accounts.find("ada")
    assert found is not None
    assert found.rights == {}
    other.remove("ada")
    assert accounts.find("ada") is None


def test_a_token_works_until_it_expires_or_is_taken_back(accounts: Accounts, clock: Clock) -> None:
    until = clock.at + timedelta(days=1)
    token, secret = accounts.issue("ada", most=Right.VIEWER, scopes=(), expires=until)
    assert secret not in accounts.path.read_text()
    assert accounts.by_token(secret) is not None
    assert accounts.by_token(secret[:-1]) is None
    clock.at = until
    assert accounts.by_token(secret) is None
    clock.at -= timedelta(seconds=1)
    assert accounts.by_token(secret) is not None
    accounts.take_back(token.id)
    assert accounts.by_token(secret) is None


def test_tokens_go_with_their_account(accounts: Accounts, clock: Clock) -> None:
    _, secret = accounts.issue("ada", most=Right.VIEWER, scopes=(), expires=clock.at + timedelta(days=1))
    accounts.remove("ada")
    assert accounts.by_token(secret) is None
    accounts.add("ada", WORD)
    assert accounts.by_token(secret) is None


def test_an_account_without_a_password_cannot_sign_in_by_one(accounts: Accounts) -> None:
    accounts.add("eve", None)
    assert accounts.check("eve", "") is None
    assert accounts.check("eve", WORD) is None


def test_whom_a_provider_names_is_let_in_and_stays_who_they_were(accounts: Accounts) -> None:
    accounts.add("eve", None)
    assert accounts.arrive("ada@example.org", "issuer#1") is None
    accounts.link("ada", "Ada@example.org")
    with pytest.raises(UsageError, match="already"):
        accounts.link("eve", "ada@EXAMPLE.org")
    found = accounts.arrive("ada@example.org", "issuer#1")
    assert found is not None
    assert found.name == "ada"
    assert accounts.arrive("ada@example.org", "issuer#2") is None
    assert accounts.arrive("ADA@example.org", "issuer#1") is not None
    accounts.link("ada", None)
    assert accounts.arrive("ada@example.org", "issuer#1") is None


def test_the_file_says_which_schema_it_has(accounts: Accounts) -> None:
    accounts.grant("ada", EVERYWHERE, Right.CUSTODIAN)
    value = json.loads((accounts.path.parent / NAME).read_text())
    assert value["schema"] == 1
    assert value["users"]["ada"]["rights"] == {"*": "custodian"}
