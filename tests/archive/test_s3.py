"""The S3 store on a real server, behind a proxy that loses, alters, delays and refuses: no claim survives a lie."""

import socket
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from archive.embedded import BUCKET, Running
from archive.errors import Collision, NotStored, StoreDenied, StoreDown, StoreError
from archive.s3 import Credentials, S3Store
from archive.store import Lock, Stored
from custody import keyspace
from custody.digest import Digest
from tests.archive.conftest import MakeS3
from tests.archive.faulty import (
    Accept,
    AlterAnswer,
    AlterUpload,
    BreakOff,
    Cut,
    Delay,
    Fault,
    FaultyProxy,
    LoseAnswer,
    Refuse,
    SetHeader,
)

pytestmark = pytest.mark.s3

CHECKSUM = "x-amz-checksum-sha256"
LOCKED_UNTIL = "x-amz-object-lock-retain-until-date"


def put(store: S3Store, key: str, data: bytes, *, until: datetime | None = None) -> Stored:
    return store.create(key, data, digest=Digest.of(data), retain_until=until)


def soon(**more: float) -> datetime:
    return datetime.now(UTC) + timedelta(**{"minutes": 2, **more})


def boto(seaweed: Running, **settings: Any) -> Any:
    """Somebody else's client, to do what ours never does."""
    return boto3.client(
        "s3",
        endpoint_url=seaweed.endpoint,
        aws_access_key_id=seaweed.credentials.access_key,
        aws_secret_access_key=seaweed.credentials.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
        **settings,
    )


def full_key(store: S3Store, key: str) -> str:
    return f"{store.name.removeprefix(f's3://{BUCKET}/')}/{key}"


# Locks


def test_an_object_is_locked_as_asked_and_the_lock_is_read_back(make_s3: MakeS3) -> None:
    until = soon(microseconds=1)
    stored = put(make_s3(), "v1/a", b"evidence", until=until)
    assert stored.version_id
    assert stored.lock is not None
    assert stored.lock.mode == "GOVERNANCE"
    assert timedelta(0) <= stored.lock.retain_until - until < timedelta(seconds=1), "whole seconds, never shorter"


def test_reusing_a_blob_lengthens_its_lock_and_never_shortens_it(make_s3: MakeS3) -> None:
    store = make_s3()
    first = put(store, "v1/a", b"evidence", until=soon())
    longer = put(store, "v1/a", b"evidence", until=soon(minutes=5))
    shorter = put(store, "v1/a", b"evidence", until=soon(minutes=3))
    assert first.lock is not None
    assert longer.lock is not None
    assert longer.lock.retain_until > first.lock.retain_until + timedelta(minutes=2)
    assert (longer.created, longer.version_id) == (False, first.version_id)
    assert shorter.lock == longer.lock == store.head("v1/a").lock


def test_a_blob_that_was_stored_before_is_only_looked_at_again(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    store, data = make_s3(endpoint=proxy.endpoint), b"robots.txt of a hundred pages"
    key = keyspace.blob(Digest.of(data))
    first = put(store, key, data, until=soon())
    before = len(proxy.seen)
    again = put(store, key, data, until=soon(seconds=-60))
    assert [each.method for each in proxy.seen[before:]] == ["HEAD"]
    assert (again.created, again.version_id, again.sha256, again.lock) == (
        False, first.version_id, Digest.of(data), first.lock
    )  # fmt: skip
    longer = put(store, key, data, until=soon(minutes=5))
    assert longer.lock is not None
    assert first.lock is not None
    assert longer.lock.retain_until > first.lock.retain_until


def test_a_blob_that_is_gone_or_another_is_never_taken_for_the_one_that_was_stored(
    make_s3: MakeS3, seaweed: Running
) -> None:
    store, gone, other = make_s3(), b"it goes", b"it is overwritten"
    keys = {data: keyspace.blob(Digest.of(data)) for data in (gone, other)}
    for data, key in keys.items():
        put(store, key, data)
    client = boto(seaweed)
    client.delete_object(Bucket=BUCKET, Key=full_key(store, keys[gone]))
    client.put_object(Bucket=BUCKET, Key=full_key(store, keys[other]), Body=b"something else")
    assert put(store, keys[gone], gone).created
    assert store.read(keys[gone]) == gone
    with pytest.raises(Collision):
        put(store, keys[other], other)


def test_reusing_a_blob_that_has_no_lock_gives_it_one(make_s3: MakeS3) -> None:
    store = make_s3()
    assert put(store, "v1/a", b"evidence").lock is None
    until = soon().replace(microsecond=0)
    assert put(store, "v1/a", b"evidence", until=until).lock == Lock(mode="GOVERNANCE", retain_until=until)


def test_two_who_lengthen_one_lock_at_once_leave_the_longer_of_the_two(make_s3: MakeS3) -> None:
    """Equal bytes are sealed by several at once, each with a term of its own: a store may let the shorter one win."""
    first = make_s3()
    key = "v1/a"
    put(first, key, b"evidence", until=soon())
    prefix = first.name.removeprefix(f"s3://{BUCKET}/")
    for round_ in range(20):
        ends = [soon(minutes=3 + round_, seconds=each) for each in range(8)]
        with ThreadPoolExecutor(8) as pool:
            kept = list(pool.map(lambda until: put(make_s3(prefix=prefix), key, b"evidence", until=until), ends))
        lock = first.head(key).lock
        assert lock is not None
        assert lock.retain_until >= max(ends).replace(microsecond=0)
        for each, end in zip(kept, ends, strict=True):
            assert each.lock is not None
            assert each.lock.retain_until >= end.replace(microsecond=0), "and nobody was told of a lock that is shorter"


def test_a_compliance_lock_stays_one_when_a_governance_store_lengthens_it(make_s3: MakeS3) -> None:
    put(make_s3(lock_mode="COMPLIANCE"), "v1/a", b"evidence", until=soon(minutes=1))
    until = soon().replace(microsecond=0)
    lengthened = put(make_s3(), "v1/a", b"evidence", until=until)
    assert lengthened.lock == Lock(mode="COMPLIANCE", retain_until=until)


# Listings


def test_versions_and_delete_markers_are_listed(make_s3: MakeS3, seaweed: Running) -> None:
    store = make_s3()
    first = put(store, "v1/a", b"evidence")
    boto(seaweed).delete_object(Bucket=BUCKET, Key=full_key(store, "v1/a"))
    with pytest.raises(NotStored):
        store.read("v1/a")
    again = put(store, "v1/a", b"something else")
    assert again.created, "If-None-Match looks at the current version alone"
    listed = list(store.versions("v1/"))
    assert [each.key for each in listed] == ["v1/a"] * 3
    assert [each.is_delete_marker for each in sorted(listed, key=lambda each: each.is_delete_marker)] == [False] * 2 + [
        True
    ]
    assert {each.version_id for each in listed if not each.is_delete_marker} == {first.version_id, again.version_id}
    assert [each.version_id for each in listed if each.is_latest] == [again.version_id]


def test_no_version_is_left_out_where_the_server_leaves_some_out(make_s3: MakeS3, seaweed: Running) -> None:
    store = make_s3(page=3)
    keys = [
        f"v1/log/{log}/tile/0/{n:03d}{partial}" for log in ("a", "a-b") for n in range(4) for partial in ("", ".p/7")
    ]
    for key in keys:
        put(store, key, key.encode())
    pages = (
        boto(seaweed)
        .get_paginator("list_object_versions")
        .paginate(Bucket=BUCKET, Prefix=full_key(store, "v1/"), PaginationConfig={"PageSize": 3})
    )
    raw = [each["Key"] for page in pages for each in page.get("Versions", ())]
    assert 0 < len(raw) < len(keys), "the server's fault is there"
    listed = [each.key for each in store.versions("v1/")]
    assert sorted(listed) == sorted(keys)
    assert list(store.keys("v1/")) == sorted(keys)


# Answers that get lost, and stores that are busy


def test_a_lost_answer_is_asked_for_again_and_the_object_is_made_once(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("PUT", LoseAnswer())
    store = make_s3(endpoint=proxy.endpoint)
    until = soon().replace(microsecond=0)
    stored = put(store, "v1/a", b"evidence", until=until)
    assert proxy.statuses("PUT") == [200, 412], "the first was carried out, the second found it"
    assert (stored.sha256, stored.lock) == (Digest.of(b"evidence"), Lock(mode="GOVERNANCE", retain_until=until))
    assert len(list(store.versions(""))) == 1


def test_a_lost_answer_hides_no_collision(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    put(make_s3(), "v1/log/x/commit/1", b"another writer's")
    proxy.on("PUT", LoseAnswer(), times=2)
    with pytest.raises(Collision):
        put(make_s3(endpoint=proxy.endpoint), "v1/log/x/commit/1", b"ours")
    assert proxy.statuses("PUT") == [412, 412, 412]


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("PUT", Cut()),
        ("PUT", Refuse(503, "SlowDown")),
        ("PUT", Refuse(500, "InternalError")),
        ("PUT", Refuse(409, "ConditionalRequestConflict")),
        ("PUT", Refuse(429)),
        ("HEAD", Cut()),
        ("HEAD", Refuse(503, "SlowDown")),
        ("GET", Cut()),
        ("GET", Refuse(503, "SlowDown")),
    ],
)
def test_a_store_that_is_busy_for_a_while_is_waited_for(
    make_s3: MakeS3, proxy: FaultyProxy, method: str, fault: Fault
) -> None:
    proxy.on(method, fault, times=3)
    store = make_s3(endpoint=proxy.endpoint)
    assert put(store, "v1/a", b"evidence").created
    assert store.read("v1/a") == b"evidence"
    assert proxy.statuses(method)[:4] == [None, None, None, 200]


def test_bytes_that_were_damaged_on_their_way_are_sent_again(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("PUT", AlterUpload(lambda upload: upload.replace(b"evidence", b"Evidence")))
    store = make_s3(endpoint=proxy.endpoint)
    assert put(store, "v1/a", b"evidence").created
    assert proxy.statuses("PUT") == [400, 200], "the server has checked what it got"
    assert store.read("v1/a") == b"evidence"


def test_a_file_is_sent_again_from_its_beginning(make_s3: MakeS3, proxy: FaultyProxy, tmp_path: Path) -> None:
    path, data = tmp_path / "page.warc", bytes(range(256)) * 8192
    path.write_bytes(data)
    proxy.on("PUT", Refuse(503, "SlowDown"))
    proxy.on("PUT", LoseAnswer())
    store = make_s3(endpoint=proxy.endpoint)
    assert store.create("v1/a", path, digest=Digest.of(data), retain_until=None).bytes == len(data)
    assert proxy.statuses("PUT") == [None, 200, 412]


def test_a_download_that_breaks_off_goes_on_where_it_broke(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    data = bytes(range(256)) * 4096
    put(make_s3(), "v1/a", data)
    for position in (0, 1, 100_000):
        proxy.on("GET", BreakOff(position))
    assert make_s3(endpoint=proxy.endpoint).read("v1/a") == data
    assert proxy.statuses("GET") == [200, 206, 206, 206]


# Answers that lie: nothing is claimed


ELSE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # SHA-256 of nothing


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (SetHeader(CHECKSUM, ELSE), r"keeps sha256:e3b0c442\w+ under v1/a, sent was"),
        (SetHeader(CHECKSUM, None), "keeps no SHA-256 of v1/a"),
        (SetHeader(CHECKSUM, ELSE + "-3"), "keeps no SHA-256 of v1/a"),
        (SetHeader(CHECKSUM, "not base64"), "keeps no SHA-256 of v1/a"),
        (SetHeader("x-amz-checksum-type", "COMPOSITE"), "keeps no SHA-256 of v1/a"),
        (SetHeader("Content-Length", "7"), "keeps 7 bytes of v1/a, sent were 8"),
        (SetHeader("x-amz-version-id", "another"), "shows version another"),
        (SetHeader("x-amz-object-lock-mode", None), "does not lock v1/a as asked"),
        (SetHeader(LOCKED_UNTIL, "2026-01-01T00:00:00Z"), "does not lock v1/a as asked"),
        (Refuse(404, "NoSuchKey"), "took v1/a and does not have it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_read_back_is_not_claimed(make_s3: MakeS3, proxy: FaultyProxy, fault: Fault, says: str) -> None:
    proxy.on("HEAD", fault, times=None)
    with pytest.raises(StoreError, match=says) as caught:
        put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence", until=soon())
    assert type(caught.value) is StoreError
    assert proxy.statuses("PUT") == [200], "the store itself did nothing wrong"


def test_a_full_object_checksum_is_believed_when_the_store_names_its_type(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("HEAD", SetHeader("x-amz-checksum-type", "FULL_OBJECT"), times=None)
    assert put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence").sha256 == Digest.of(b"evidence")


def test_a_yes_that_nobody_meant_is_found_out(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("PUT", Accept(headers=(("x-amz-version-id", "made-up"),)))
    with pytest.raises(StoreError):
        put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence")
    assert list(make_s3().keys("")) == []


def test_equal_bytes_that_do_not_read_back_are_not_reused(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    put(make_s3(), "v1/a", b"evidence")
    proxy.on("GET", AlterAnswer(lambda _: b"Evidence"), times=None)
    with pytest.raises(Collision, match="nothing was overwritten"):
        put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence")


def test_a_lock_that_was_not_lengthened_is_not_claimed(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    put(make_s3(), "v1/a", b"evidence", until=soon())
    proxy.on("PUT", Accept(), within="retention", times=None)
    with pytest.raises(StoreError, match="does not lock v1/a as asked"):
        put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence", until=soon(minutes=5))


def test_taken_and_not_there_ends(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("PUT", Refuse(412, "PreconditionFailed"), times=None)
    with pytest.raises(StoreError, match="is taken, and that nothing is there"):
        put(make_s3(endpoint=proxy.endpoint), "v1/a", b"evidence")


# Stores that are down


def within(seconds: float, ask: Callable[[], object], error: type[StoreError], says: str) -> None:
    begun = time.monotonic()
    with pytest.raises(error, match=says) as caught:
        ask()
    assert time.monotonic() - begun < seconds
    assert type(caught.value) is error


@pytest.mark.parametrize("fault", [Cut(), Delay(3.0), Refuse(503, "SlowDown"), AlterAnswer(lambda _: b"<garbage")])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_store_that_does_not_answer_is_down_in_bounded_time(
    make_s3: MakeS3, proxy: FaultyProxy, fault: Fault, method: str
) -> None:
    if isinstance(fault, AlterAnswer) and method == "PUT":
        proxy.on("PUT", LoseAnswer(), times=None)  # a PUT's answer has no body to garble
    put(make_s3(), "v1/there", b"evidence")
    proxy.on(method, fault, times=None)
    store = make_s3(endpoint=proxy.endpoint, patience_s=0.5, timeout_s=0.5)
    ask = (lambda: put(store, "v1/a", b"x")) if method == "PUT" else (lambda: list(store.keys("")))
    within(5.0, ask, StoreDown, "again")


def test_a_store_that_is_not_there_is_down_in_bounded_time(make_s3: MakeS3) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        store = make_s3(endpoint=f"http://127.0.0.1:{reserved.getsockname()[1]}", patience_s=0.5)
        within(5.0, lambda: put(store, "v1/a", b"x"), StoreDown, "does not answer.*see that it runs")


def test_a_download_that_always_breaks_off_ends(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    put(make_s3(), "v1/a", bytes(100_000))
    proxy.on("GET", BreakOff(0), times=None)
    store = make_s3(endpoint=proxy.endpoint, patience_s=0.5)
    within(5.0, lambda: store.read("v1/a"), StoreDown, "breaks off 100000 bytes before its end")


def test_damage_on_every_way_is_no_success_and_no_silence(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    proxy.on("PUT", AlterUpload(lambda upload: upload[:-1] + b"?"), times=None)
    store = make_s3(endpoint=proxy.endpoint, patience_s=0.5)
    within(5.0, lambda: put(store, "v1/a", b"evidence"), StoreError, "damaged on their way")
    assert list(make_s3().keys("")) == []


def test_what_stands_in_the_way_is_said_before_anything_is_sent(make_s3: MakeS3, proxy: FaultyProxy) -> None:
    def full(size: int | None) -> None:
        raise StoreError(f"no room for {size}")

    with pytest.raises(StoreError, match="no room for 8"):
        put(make_s3(endpoint=proxy.endpoint, obstacle=full), "v1/a", b"evidence")
    assert proxy.seen == []


# Stores that refuse us


@pytest.mark.parametrize("wrong", ["access", "secret"])
def test_wrong_credentials_are_denied_and_shown_nowhere(make_s3: MakeS3, seaweed: Running, wrong: str) -> None:
    access_key = "AKIAWRONGWRONGWRONG0" if wrong == "access" else seaweed.credentials.access_key
    credentials = Credentials(access_key=access_key, secret_key="wrong-secret-key")
    store = make_s3(credentials=credentials)
    for ask in (lambda: put(store, "v1/a", b"x"), lambda: store.head("v1/a"), lambda: list(store.keys(""))):
        with pytest.raises(StoreDenied, match=r"said 403.*look at AWS_ACCESS_KEY_ID") as caught:
            ask()
        shown = "".join(traceback.format_exception(caught.value)) + repr(store) + repr(credentials)
        assert "wrong-secret-key" not in shown
        assert access_key not in shown


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Refuse(403, "RequestTimeTooSkewed"), StoreDenied, "set this computer's clock right"),
        (Refuse(400, "ExpiredToken"), StoreDenied, "look at AWS_ACCESS_KEY_ID"),
        (Refuse(400, "AuthorizationHeaderMalformed"), StoreError, "region"),
        (Refuse(501, "NotImplemented"), StoreError, "counterproof doctor"),
        (Refuse(400, "no such key: AKIAQUOTED"), StoreError, "said 400; "),
    ],
    ids=["clock", "token", "region", "501", "quoting"],
)
def test_a_refusal_says_what_to_do(
    make_s3: MakeS3, proxy: FaultyProxy, fault: Fault, error: type[StoreError], says: str
) -> None:
    proxy.on("PUT", fault, times=None)
    within(5.0, lambda: put(make_s3(endpoint=proxy.endpoint), "v1/a", b"x"), error, says)


def test_a_missing_bucket_is_named_and_not_made(make_s3: MakeS3) -> None:
    store = make_s3(bucket="nobody-made-this")
    with pytest.raises(StoreError, match="no such bucket; make it, with Object Lock on"):
        put(store, "v1/a", b"x")


def test_no_credentials_at_all_is_said_at_once(make_s3: MakeS3, tmp_path: Path) -> None:
    """Without asking a cloud's metadata service: that would hang here, where there is no network."""
    env = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    store = make_s3(credentials=None, env=env)
    within(3.0, lambda: put(store, "v1/a", b"x"), StoreDenied, "no credentials for s3://")


def test_credentials_may_come_from_the_usual_file(make_s3: MakeS3, seaweed: Running, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        f"[elsewhere]\naws_access_key_id = {seaweed.credentials.access_key}\n"
        f"aws_secret_access_key = {seaweed.credentials.secret_key}\n"
    )
    env = {"AWS_PROFILE": "elsewhere", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    assert put(make_s3(credentials=None, env=env), "v1/a", b"x").created


def test_what_the_machine_has_set_up_for_others_does_not_matter(
    make_s3: MakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default\nbroken")
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "7",
    }.items():
        monkeypatch.setenv(name, value)
    assert put(make_s3(), "v1/a", b"x").created
