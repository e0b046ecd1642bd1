"""``counterproof users``: who may sign in to the console, with which rights, and tokens for programs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from archive.accounts import EVERYWHERE, MIN_PASSWORD, Accounts, Right
from archive.config import ArchiveConfig
from archive.errors import UsageError
from archive.reader import open_catalog, open_reader
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.instant import format_utc

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Who may sign in to the console where it is served to others (`browse --host`), and in which cases.\n\n"
        "Rights, each with those before it: viewer (looks, fetches files), reviewer (decides on candidates), "
        "investigator (has pages captured), custodian.\n\n"
        "  counterproof users add ada\n\n  counterproof users grant ada reviewer --case acme"
    ),
)
_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
_StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin, one line.")]
_CaseOption = Annotated[str | None, typer.Option("--case", metavar="CASE", help="In this case.")]
_EverywhereOption = Annotated[bool, typer.Option("--all-cases", help="In all cases, those to come among them.")]
_MAX_DAYS = 366


@app.command()
def add(
    name: _NameArgument,
    *,
    password_stdin: _StdinOption = False,
    no_password: Annotated[
        bool,
        typer.Option(
            "--no-password", help="For a program, which acts by tokens, or for who signs in elsewhere (link)."
        ),
    ] = False,
    home: HomeOption = None,
) -> None:
    """Add a user, who has no rights yet. The password is asked for; only its Argon2id hash is kept."""
    with _accounts(home) as accounts:
        if accounts.find(name) is not None:
            raise UsageError(f"there is a user {name!r} already: counterproof users password {name}")
        if no_password and password_stdin:
            raise UsageError("--no-password or --password-stdin, not both")
        accounts.add(name, None if no_password else _password(from_stdin=password_stdin))
        say(f"added {name}; now: counterproof users grant {name} viewer --case CASE")


@app.command()
def password(name: _NameArgument, *, password_stdin: _StdinOption = False, home: HomeOption = None) -> None:
    """Set a user's password anew."""
    with _accounts(home) as accounts:
        accounts.set_password(name, _password(from_stdin=password_stdin))
        say(f"set; {name} signs in with it from now on")


@app.command()
def link(
    name: _NameArgument,
    identity: Annotated[
        str, typer.Argument(metavar="IDENTITY|none", help="As the provider names them: their e-mail address.")
    ],
    *,
    home: HomeOption = None,
) -> None:
    """Let somebody sign in for NAME at the provider of `browse --oidc`; `none` takes it away.

    Who signs in first is meant from then on: the same address given to another person does not let them in. To change
    that, link anew.
    """
    with _accounts(home) as accounts:
        accounts.link(name, None if identity == "none" else identity)
        say(f"nobody signs in elsewhere for {name}" if identity == "none" else f"{identity} signs in for {name}")


@app.command()
def remove(name: _NameArgument, *, home: HomeOption = None) -> None:
    """Remove a user with all rights and tokens; sessions end at once."""
    with _accounts(home) as accounts:
        accounts.remove(name)
        say(f"removed {name}")


@app.command()
def grant(
    name: _NameArgument,
    right: Annotated[str, typer.Argument(metavar="RIGHT|none", help="viewer, reviewer, investigator, custodian.")],
    *,
    case: _CaseOption = None,
    all_cases: _EverywhereOption = False,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Give a user a right in a case; `none` takes it away. It counts at once."""
    with _accounts(home) as accounts:
        given = None if right == "none" else Right.of(right)
        scope = _scope(home, store, case, all_cases=all_cases)
        accounts.grant(name, scope, given)
        where = "all cases" if scope == EVERYWHERE else f"case {case}"
        say(f"{name} has no right in {where}" if given is None else f"{name} is {given.word} in {where}")


@app.command()
def token(
    name: _NameArgument,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=_MAX_DAYS, help="It expires after so many.")] = 30,
    right: Annotated[str, typer.Option("--right", metavar="RIGHT", help="At most this, whatever NAME has.")] = "viewer",
    case: Annotated[
        list[str] | None, typer.Option("--case", metavar="CASE", help="Only in this case. Repeatable. [all of NAME's]")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a token for the API: `Authorization: Bearer TOKEN`. It is printed once."""
    with _accounts(home, as_json=as_json) as accounts:
        scopes = tuple(_scope(home, store, each, all_cases=False) for each in case or ())
        expires = now() + timedelta(days=days)
        made, secret = accounts.issue(name, most=Right.of(right), scopes=scopes, expires=expires)
        if as_json:
            print_json({"schema": 1, "id": made.id, "token": secret, "expires": format_utc(expires)})
            return
        out.print(Text(secret))
        say(f"token {made.id} of {name}, at most {made.most.word}, until {format_utc(expires)}; it is not shown again")


@app.command("take-back")
def take_back(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `users list` has it.")], *, home: HomeOption = None
) -> None:
    """Take a token back at once."""
    with _accounts(home) as accounts:
        accounts.take_back(token_id)
        say(f"taken back: {token_id}")


@app.command("list")
def list_(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List users, their rights and tokens. No secret is kept, so none is shown."""
    with _accounts(home, as_json=as_json) as accounts:
        names = _names(home, store)
        users: list[dict[str, Any]] = [
            {
                "name": each.name,
                "created": format_utc(each.created),
                "identity": each.identity,
                "rights": {names.get(scope, scope): right.word for scope, right in each.rights.items()},
                "tokens": [
                    {
                        "id": token.id,
                        "most": token.most.word,
                        "cases": [names.get(scope, scope) for scope in token.scopes],
                        "expires": format_utc(token.expires),
                        "expired": token.expires <= now(),
                    }
                    for token in accounts.tokens()
                    if token.name == each.name
                ],
            }
            for each in accounts.all()
        ]
        if as_json:
            print_json({"schema": 1, "users": users})
            return
        for user in users:
            rights = ", ".join(f"{right} in {case}" for case, right in user["rights"].items())
            elsewhere = f"  (signs in as {user['identity']})" if user["identity"] else ""
            out.print(Text(f"{user['name']:<24}  {rights or 'no rights yet'}{elsewhere}"))
            for each_token in user["tokens"]:
                where = f" in {', '.join(each_token['cases'])}" if each_token["cases"] else ""
                until = "EXPIRED " if each_token["expired"] else ""
                told = f"  token {each_token['id']}  at most {each_token['most']}{where}"
                out.print(Text(f"{told}  {until}{each_token['expires']}"))
        if not users:
            say("there is no user yet: counterproof users add NAME")


@contextmanager
def _accounts(home: Path | None, *, as_json: bool = False) -> Iterator[Accounts]:
    with sentences(as_json=as_json):
        yield Accounts(ArchiveConfig.load(os.environ, home=home).home, now)


def _scope(home: Path | None, store: str | None, case: str | None, *, all_cases: bool) -> str:
    if all_cases == (case is not None):
        raise UsageError("--case CASE or --all-cases, one of them")
    if case is None:
        return EVERYWHERE
    with open_reader(ArchiveConfig.load(os.environ, home=home, store_url=store)) as reader:
        return reader.cases.resolve(case)


def _names(home: Path | None, store: str | None) -> dict[str, str]:
    """Of cases, by their ids; without an archive there are none."""
    config = ArchiveConfig.load(os.environ, home=home, store_url=store)
    try:
        with open_reader(config) as reader, open_catalog(config, reader) as catalog:
            found = {each.scope: each.name for each in catalog.listed(None) if each.name is not None}
    except UsageError:
        found = {}
    return {**found, EVERYWHERE: "all cases"}


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password on: --password-stdin reads it from stdin")
    given: str = typer.prompt(
        f"Password ({MIN_PASSWORD} characters or more)", hide_input=True, confirmation_prompt=True, err=True
    )
    return given
