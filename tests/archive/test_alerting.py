"""Alerts reach whom they are for: signed, at once or as a digest, again where nobody took them; no evidence."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive.alerting import FILE, SIGNATURE, Messenger, NotDelivered, Target, targets
from archive.errors import ArchiveError, KeyFileError, UsageError
from archive.watching import alerts, looks
from archive.watching.alerts import Kind
from archive.watching.database import Database
from archive.watching.looks import Ended
from archive.watching.standing import standing
from tests.archive.watching import databases
from tests.archive.watching.databases import AT, watched
from tests.hook import hook

SECRET = "a secret of some length"


@pytest.fixture(scope="module")
def conninfo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.server(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.fixture
def database(conninfo: str) -> Iterator[Database]:
    with databases.fresh(conninfo) as found:
        yield found


def messenger(database: Database, *told: Target, troubles: list[ArchiveError] | None = None) -> Messenger:
    kept: list[ArchiveError] = [] if troubles is None else troubles
    return Messenger(database=database, targets=told, clock=lambda: AT, trouble=lambda _, error: kept.append(error))


def raised(database: Database, kind: Kind, subject: str) -> bool:
    with database.transaction() as connection:
        return alerts.raise_alert(connection, kind, subject, {"looks": 5}, now=AT)


@pytest.mark.s3
def test_a_webhook_is_told_once_and_can_check_who_speaks(database: Database) -> None:
    assert raised(database, Kind.HOST_WALLED, "shop.example")
    assert not raised(database, Kind.HOST_WALLED, "shop.example")  # it stands already
    with hook() as heard:
        one = messenger(database, Target(name="hook", webhook=heard.url, secret=SECRET))
        assert (one.deliver(), one.deliver()) == (1, 0)
    ((headers, body),) = heard.got
    at, signature = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
    assert signature == hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    (told,) = json.loads(body)["alerts"]
    assert (told["kind"], told["subject"], told["facts"]) == ("host_walled", "shop.example", {"looks": 5})


@pytest.mark.s3
def test_what_was_not_taken_is_told_again_and_holds_up_nobody_else(database: Database) -> None:
    raised(database, Kind.LATE, "looks")
    troubles: list[ArchiveError] = []
    with hook() as broken, hook() as well:
        broken.status = 302  # nobody is followed to elsewhere
        both = messenger(
            database,
            Target(name="broken", webhook=broken.url, secret=SECRET),
            Target(name="well", webhook=well.url, secret=SECRET),
            troubles=troubles,
        )
        assert both.deliver() == 1
        assert (len(broken.got), len(well.got)) == (1, 1)
        assert isinstance(troubles[0], NotDelivered)
        broken.status = 200
        assert both.deliver() == 0  # it rests a while
        later = Messenger(
            database=database, targets=both.targets, clock=lambda: AT + timedelta(minutes=6), trouble=both.trouble
        )
        assert later.deliver() == 1


@pytest.mark.s3
def test_a_digest_gathers_and_kinds_are_chosen(database: Database) -> None:
    with hook() as heard:
        daily = Target(name="d", webhook=heard.url, secret=SECRET, every=timedelta(days=1), kinds=(Kind.CHANGED,))
        raised(database, Kind.CHANGED, "look 1")
        raised(database, Kind.LATE, "looks")
        assert messenger(database, daily).deliver() == 1
        raised(database, Kind.CHANGED, "look 2")
        raised(database, Kind.CHANGED, "look 3")
        assert messenger(database, daily).deliver() == 0
        tomorrow = Messenger(
            database=database, targets=[daily], clock=lambda: AT + timedelta(days=1), trouble=lambda *_: None
        )
        assert tomorrow.deliver() == 2
    assert [len(json.loads(body)["alerts"]) for _, body in heard.got] == [1, 2]


@pytest.mark.s3
def test_a_platform_that_shows_only_walls_raises_an_alert_that_is_cleared_when_it_shows_a_page(
    database: Database,
) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        for n, outcome in enumerate([*["login_wall"] * 5, "ok"]):
            now = AT + timedelta(hours=n)
            looks.release(connection, database.queue, now=now)
            (look,) = looks.of_watch(connection, watch.id, limit=1)
            begun = looks.begin(connection, look["id"], worker="w", now=now)
            assert begun is not None
            looks.finish(connection, begun, Ended(outcome=outcome), now=now)
            found = standing(connection, database.queue, now=now)
            assert bool(found.failing) is (n == 4)
            alerts.watch_over(connection, found, now=now)
            kinds = {each.kind for each in alerts.standing_alerts(connection)}
            assert (Kind.HOST_WALLED in kinds) is (n == 4)
        told = " ".join(each.line() for each in alerts.unsent(connection, "x", Kind))
    assert "shop.example" in told
    assert "https://" not in told  # no address that was watched


@pytest.mark.s3
def test_a_platform_whose_readers_suddenly_find_nothing_raises_an_alert_that_is_cleared_when_they_do(
    database: Database,
) -> None:
    looked: list[tuple[Ended, bool]] = [
        *[(Ended(outcome="ok", found=9), False)] * 3,
        *[(Ended(outcome="ok", found=0), False)] * 2,
        (Ended(outcome="ok", changed=False), False),  # it is as it was, and so is what was found in it
        (Ended(outcome="login_wall"), False),  # nothing to be read says nothing of readers
        (Ended(outcome="ok", found=0), False),
        (Ended(outcome="ok", found=0), True),
        (Ended(outcome="ok", changed=False), True),
        (Ended(outcome="ok", found=7), False),
    ]
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        for n, (ended, blind) in enumerate(looked):
            now = AT + timedelta(hours=n)
            looks.release(connection, database.queue, now=now)
            (look,) = looks.of_watch(connection, watch.id, limit=1)
            begun = looks.begin(connection, look["id"], worker="w", now=now)
            assert begun is not None
            looks.finish(connection, begun, ended, now=now)
            found = standing(connection, database.queue, now=now)
            assert [(each.host, each.why) for each in found.failing] == ([("shop.example", "blind")] if blind else [])
            assert found.healthy is False or not blind
            alerts.watch_over(connection, found, now=now)
            assert (Kind.HOST_BLIND in {each.kind for each in alerts.standing_alerts(connection)}) is blind
        told = alerts.unsent(connection, "x", [Kind.HOST_BLIND])
    assert [(each.subject, each.facts) for each in told] == [("shop.example", {"looks": 5})]


@pytest.mark.s3
def test_pages_in_which_nobody_ever_found_anything_are_no_alert(database: Database) -> None:
    with database.transaction() as connection:
        watch = watched(connection, every="1h")
        for n in range(6):
            now = AT + timedelta(hours=n)
            looks.release(connection, database.queue, now=now)
            (look,) = looks.of_watch(connection, watch.id, limit=1)
            begun = looks.begin(connection, look["id"], worker="w", now=now)
            assert begun is not None
            looks.finish(connection, begun, Ended(outcome="ok", found=0), now=now)
        assert standing(connection, database.queue, now=now).failing == ()


@pytest.mark.s3
def test_apprise_carries_it(database: Database) -> None:
    """By Apprise's own JSON service, to a server of ours."""
    raised(database, Kind.KEPT_FAILURE, "look 1")
    with hook() as heard:
        url = heard.url.replace("http://", "json://")
        assert messenger(database, Target(name="chat", url=url)).deliver() == 1
    ((_, body),) = heard.got
    assert "kept_failure: look 1" in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[target]]\nname = 'a'\nwebhook = 'http://hooks.example/'\nsecret = 'sixteen letters!!'", "https://"),
        ("[[target]]\nname = 'a'\nwebhook = 'https://hooks.example/'\nsecret = 'short'", "16 characters"),
        ("[[target]]\nname = 'a'\nurl = 'nosuch://x'", "does not know such a url"),
        ("[[target]]\nname = 'a'", "a url or a webhook"),
        ("[[target]]\nname = 'a'\nurl = 'json://x'\nkinds = ['all']", "'kinds' are of"),
        ("[[target]]\nname = 'a'\nurl = 'json://x'\nevery = 'often'", "every is a number"),
        ("[[targets]]\nname = 'a'", "nothing else"),
        ("not toml", "no TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(UsageError, match=says):
        targets(tmp_path)


def test_a_file_that_others_can_read_is_refused_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    assert targets(tmp_path) == ()
    path = tmp_path / FILE
    path.write_text(f"[[target]]\nname = 'a'\nwebhook = 'https://hooks.example/T0K3N'\nsecret = '{SECRET}'")
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        targets(tmp_path)
    path.chmod(0o600)
    (found,) = targets(tmp_path)
    assert SECRET not in repr(found)
    assert "T0K3N" not in repr(found)
