"""Who looked at what, where that is to be recorded: nothing is shown that is not, and nothing is recorded twice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.errors import KeyFileError, Refused
from archive.memory import MemoryStore
from archive.scribe import Scribe
from console.web.accesses import Accesses, Logbook
from custody import keyspace
from custody.event import Envelope, Event
from custody.keys import Ed25519Signer
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid
from tests.console.web.test_access import every_route


class Desk:
    """What is appended stays at hand; it can be out of order."""

    def __init__(self) -> None:
        self.at = datetime(2026, 7, 8, tzinfo=UTC)
        self.store = MemoryStore()
        self.filed: list[Envelope] = []
        self.trouble: str | None = None

    def clock(self) -> datetime:
        return self.at

    @contextmanager
    def open(self) -> Iterator[tuple[Scribe, Logbook]]:
        if self.trouble is not None:
            raise KeyFileError(self.trouble)
        signer = Ed25519Signer(b"\x07" * 32)
        yield Scribe(self.store, signer, clock=self.clock, retain_until=self.clock), self

    def append(self, envelopes: list[Envelope]) -> None:
        self.filed += envelopes

    def told(self) -> list[tuple[Event, list[Any]]]:
        events = [Event.parse(each.payload) for each in self.filed]
        blobs = [self.store.read(keyspace.blob(each.subjects[0].digest)) for each in events]
        return [
            (event, [json.loads(line) for line in blob.splitlines()]) for event, blob in zip(events, blobs, strict=True)
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def accesses(tmp_path: Path, desk: Desk) -> Iterator[Accesses]:
    made = Accesses(tmp_path / "state" / "accesses.jsonl", desk.open, desk.clock)
    yield made
    desk.trouble = None
    made.close()


def test_looks_and_files_become_one_event_without_a_name_in_it(accesses: Accesses, desk: Desk) -> None:
    accesses.look("ada", "capture-1")
    accesses.take("ada", "capture-1", "dom.html")
    assert accesses.file() == 2
    assert accesses.file() == 0
    ((event, (head, *lines)),) = desk.told()
    assert event.type == "evidence.accessed"
    assert event.body == {"looked": 1, "took": 1}
    assert head["accesses"] == 2
    assert [(each["by"], each["how"], each["capture"]) for each in lines] == [
        ("ada", "looked", "capture-1"),
        ("ada", "took", "capture-1"),
    ]
    assert lines[1]["name"] == "dom.html"
    assert b"ada" not in desk.filed[0].payload


def test_a_page_that_is_loaded_again_is_one_look(accesses: Accesses, desk: Desk) -> None:
    for _ in range(3):
        accesses.look("ada", "capture-1")
    accesses.look("bob", "capture-1")
    desk.at += timedelta(minutes=5)
    accesses.look("ada", "capture-1")
    assert accesses.file() == 3


def test_what_a_process_left_is_filed_by_the_next(tmp_path: Path, desk: Desk) -> None:
    journal = tmp_path / "accesses.jsonl"
    journal.write_text('{"at": "2026-07-08T00:00:00.000Z", "by": "ada", "how": "looked", "capture": "c"}\n{"at": "2026')
    Accesses(journal, desk.open, desk.clock).close()
    ((event, _),) = desk.told()
    assert event.body == {"looked": 1, "took": 0}
    assert journal.read_bytes() == b""


def test_where_it_cannot_be_filed_nothing_more_is_shown(laid: Laid, tmp_path: Path, desk: Desk) -> None:
    accesses = Accesses(tmp_path / "accesses.jsonl", desk.open, desk.clock)
    with served(laid) as console:
        console.app.state.archive.accesses = accesses
        post = laid.builder.captures[0].id
        with console.client() as client:
            assert client.get(f"/captures/{post}").status_code == 200
            desk.trouble = "the key is gone"
            with pytest.raises(KeyFileError):
                accesses.file()
            for path in (f"/captures/{laid.builder.captures[1].id}", f"/captures/{post}/files/dom.html?download=true"):
                answer = client.get(path)
                assert answer.status_code == 409
                assert "the key is gone" in answer.text
            desk.trouble = None
            assert accesses.file() == 1, "what was noted before is not lost"
            assert client.get(f"/captures/{laid.builder.captures[1].id}").status_code == 200
    accesses.close()


def test_it_does_not_begin_where_nothing_could_be_filed(tmp_path: Path, desk: Desk) -> None:
    journal = tmp_path / "accesses.jsonl"
    journal.write_text('{"at": "2026-07-08T00:00:00.000Z", "by": "ada", "how": "looked", "capture": "c"}\n')
    desk.trouble = "the key is gone"
    with pytest.raises(KeyFileError):
        Accesses(journal, desk.open, desk.clock)


def test_every_way_to_a_capture_is_a_look(laid: Laid, tmp_path: Path, desk: Desk) -> None:
    accesses = Accesses(tmp_path / "accesses.jsonl", desk.open, desk.clock)
    ways = [
        path.replace("{capture_id}", laid.builder.captures[0].id).replace("{name}", "dom.html")
        for method, path in sorted(every_route())
        if method == "GET" and "{capture_id}" in path and path.removeprefix("/api/v1") not in NO_LOOK
    ]
    assert len(ways) >= 8
    ways += [f"{each}?download=true" for each in ways if "/files/" in each]
    with served(laid) as console:
        console.app.state.archive.accesses = accesses
        seen = [_noted(console, accesses, desk, each) for each in ways]
    accesses.close()
    assert all(seen), dict(zip(ways, seen, strict=True))


NO_LOOK = {
    "/captures/{capture_id}/verdict",  # whether it holds, and nothing of what is in it
    "/captures/{capture_id}/events",  # what the log says
    "/captures/{capture_id}/time",  # the same, with its title, as every list has it
    "/captures/{capture_id}/promotions",  # what its case's page quotes
    "/captures/{capture_id}/replay",  # a package is taken where there is one, and there is none here
}


def _noted(console: Console, accesses: Accesses, desk: Desk, path: str) -> int:
    desk.at += timedelta(hours=1)
    with console.client() as client:
        assert client.get(path).status_code == 200, path
    return accesses.file()


def test_a_refusal_is_one_sentence(accesses: Accesses, desk: Desk) -> None:
    accesses.look("ada", "c")
    desk.trouble = "no disk"
    with pytest.raises(KeyFileError):
        accesses.file()
    with pytest.raises(Refused, match="no disk"):
        accesses.take("ada", "c", "x")
