"""One real S3 server for the whole test session, and stores on it that do not see each other."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.embedded import BUCKET, Running, serving
from archive.s3 import S3Store
from tests.archive.faulty import FaultyProxy

MakeS3 = Callable[..., S3Store]


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The embedded store's own server. Whoever imports this fixture elsewhere shares it: the directory is the same."""
    with serving(tmp_path_factory.getbasetemp() / "seaweed") as running:
        with closing(S3Store(bucket=BUCKET, endpoint=running.endpoint, credentials=running.credentials)) as store:
            store.make_bucket()
        yield running


@pytest.fixture
def make_s3(seaweed: Running) -> Iterator[MakeS3]:
    """Make stores on the real server: below one prefix that no other test has, with settings that end soon."""
    prefix = f"test/{secrets.token_hex(8)}"
    made: list[S3Store] = []

    def make(**settings: Any) -> S3Store:
        given = {
            "bucket": BUCKET,
            "prefix": prefix,
            "endpoint": seaweed.endpoint,
            "credentials": seaweed.credentials,
            "patience_s": 20.0,
            **settings,
        }
        store = S3Store(**given)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def proxy(seaweed: Running) -> Iterator[FaultyProxy]:
    with FaultyProxy(seaweed.endpoint) as running:
        yield running


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return utc_now


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "archive"
