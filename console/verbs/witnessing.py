"""``counterproof witness``: a person states what they saw on the live page, beside what a capture kept."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, print_json, say, sentences
from console.verbs.stewardship import capture_named, tell, time_of

if TYPE_CHECKING:
    from archive.stewardship.opening import Opened
    from archive.stewardship.witnessing import Statement, Witnessed
    from custody.keys import Signer
    from custody.record import Record


def witness(
    capture_id: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture's id, or how it begins or ends.")],
    *,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Who looks; kept in a blob, never in the log.")],
    case: Annotated[
        str | None, typer.Option("--case", metavar="NAME", help="In which case; needed where it is in several.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="SPEC|home",
            help="A key of the witness's own, introduced as a person's; home: this home's. [none: and it says so]",
        ),
    ] = None,
    fair: Annotated[
        bool, typer.Option("--fair-and-accurate", help="The answer, where nobody is asked: they agree.")
    ] = False,
    differs: Annotated[
        list[str] | None,
        typer.Option("--differs", metavar="TEXT", help="The answer, where nobody is asked: what differs. Repeatable."),
    ] = None,
    browser: Annotated[
        str | None, typer.Option("--browser", metavar="TEXT", help="Which browser they looked with, in their words.")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """A named person looks at the live page in a browser of their own, and at the capture, and says whether they agree.

    The page opens in the default browser where there is one; else its address is printed, for any machine. Nothing of
    that look is recorded but what the person states: fair and accurate, or the differences, with the times. It is an
    event of its own, signed by a key of theirs where --key names one; where not, the record says that no key of the
    witness signed, and the operator's key only vouches that it was said here.

      counterproof witness 9f3c --name "Jane Roe" --key file:jane.pem

    Exit codes: 0 it was stated that they agree, 3 that they differ.
    """
    from archive.stewardship import witnessing as acts
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        if fair and differs:
            raise UsageError("--fair-and-accurate or --differs: not both")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=False) as opened:
            survey = opened.desk.survey()
            capture = capture_named(survey, capture_id)
            record = acts.subject_of(opened.desk, survey, capture)
            scope = acts.scope_of(survey, capture, None if case is None else opened.scope(case))
            signer = None if key is None else _signer(opened, key)
            statement = _stated(opened, record, name, fair=fair, differs=tuple(differs or ()), browser=browser)
            scribe = opened.vault.scribe_for(scope)
            said = acts.witness(opened.desk, scribe, survey, record, statement, scope=scope, signer=signer)
            document = {**_document(said), **time_of(opened)}
        code = Exit.OK if said.statement == acts.FAIR else Exit.PARTIAL
        if as_json:
            print_json({**document, "exit_code": int(code)})
        else:
            _tell(said)
    raise typer.Exit(code)


def _signer(opened: "Opened", text: str) -> "Signer":
    """Of the witness. Raises ``KeyFileError`` for one that the log does not know as a person's."""
    from archive import signing
    from archive.stewardship.witnessing import need_person
    from custody import keys

    signers = opened.vault.home.signers
    signer: Signer = signers.need_person() if text == "home" else signing.open_signer(signing.parse(text))
    known = [
        str(each.event.body["keyid"])
        for each in opened.vault.sequencer.events("key.introduced")
        if each.event.body["role"] == "person"
    ]
    need_person([*known, *map(keys.keyid, opened.vault.home.trust.root_keys)], signer)
    return signer


def _stated(
    opened: "Opened", record: "Record", name: str, *, fair: bool, differs: tuple[str, ...], browser: str | None
) -> "Statement":
    from archive.stewardship.witnessing import Statement
    from console import witnessing

    if not fair and not differs and not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask at: say --fair-and-accurate, or --differs TEXT, once the person has looked"
        )
    opened_at = now()
    if fair or differs:
        return Statement(
            name=name, differences=differs, opened_at=opened_at, stated_at=opened_at, browser=browser, way="options"
        )
    with tempfile.TemporaryDirectory(prefix="witness-", dir=opened.vault.home.cache) as folder:
        witnessing.show(record.requested_url, _picture(opened, record, Path(folder)))
        said = witnessing.ask()
    return Statement(
        name=name,
        differences=said.differences,
        opened_at=opened_at,
        stated_at=now(),
        browser=browser or said.browser,
        way="terminal",
    )


def _picture(opened: "Opened", record: "Record", folder: Path) -> Path | None:
    """The picture that was kept, checked against its digest."""
    from archive import disk
    from archive.errors import StoreError
    from custody import keyspace
    from custody.digest import Digest
    from custody.model import Role

    wanted = [each for each in record.artifacts if each.role in {Role.SCREENSHOT.value, Role.VIEWPORT.value}]
    if not wanted:
        return None
    kept = min(wanted, key=lambda each: each.role != Role.SCREENSHOT.value)
    path = folder / kept.name
    with disk.trouble(path), opened.vault.store.open(keyspace.blob(kept.digest)) as source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
    with path.open("rb") as file:
        if Digest.of_stream(file)[0] != kept.digest:
            raise StoreError(f"{kept.name} is not what was recorded: run `counterproof verify`")
    return path


def _document(said: "Witnessed") -> dict[str, Any]:
    return {
        "schema": 1,
        "capture": said.capture,
        "statement": said.statement,
        "words": said.words,
        "keyid": said.keyid,
        "index": said.index,
    }


def _tell(said: "Witnessed") -> None:
    tell([said.words], style="bold")
    signed = "signed by the witness's own key" if said.keyid else "NOT signed by a key of the witness: they named none"
    tell([f"recorded in leaf {said.index}; {signed}"])
