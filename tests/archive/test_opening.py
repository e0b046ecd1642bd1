"""Which store a URL and an environment mean, and that neither's secrets are quoted."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from archive.embedded import BUCKET, Running
from archive.errors import StoreDenied, StoreError, UsageError
from archive.opening import open_store
from custody.digest import Digest

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAOPENSESAME", "AWS_SECRET_ACCESS_KEY": "open-sesame"}


def name_of(url: str | None, env: Mapping[str, str] = KEYS, directory: Path | None = None) -> str:
    with open_store(url, env=env, directory=directory) as store:
        return store.name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/some/prefix/", "s3://bucket/some/prefix"),
        ("s3://bucket/p?endpoint=http://127.0.0.1:8333", "s3://bucket/p"),
        ("s3://bucket?endpoint=https%3A%2F%2Fs3.example.org&region=eu-central-1", "s3://bucket"),
        ("file:/srv/archive", "file:/srv/archive"),
        ("file:///srv/archive", "file:/srv/archive"),
        ("file:/srv/an archive?", "file:/srv/an archive?"),
        ("memory:", "memory:"),
    ],
)
def test_a_url_means_a_store(url: str, name: str) -> None:
    assert name_of(url) == name
    assert name_of(None, {**KEYS, "COUNTERPROOF_STORE_URL": url}) == name


def test_a_relative_directory_is_below_the_present_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_of("file:copy") == f"file:{tmp_path}/copy"


def test_an_option_goes_before_the_environment() -> None:
    assert name_of("memory:", {"COUNTERPROOF_STORE_URL": "file:/srv/archive"}) == "memory:"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no store is named"),
        ("bucket", r"a store's URL is s3://BUCKET"),
        ("ftp://open-sesame@host/", r"a store's URL is s3://BUCKET"),
        ("s3://AKIAOPENSESAME:open-sesame@bucket/", "no credentials in a store's URL"),
        ("s3://", "a bucket's name is"),
        ("s3://Bucket", "a bucket's name is"),
        ("s3://bucket?secret=open-sesame", r"come endpoint=URL and region=NAME, once each"),
        ("s3://bucket?endpoint=http://a&endpoint=http://b", "once each"),
        ("s3://bucket?endpoint", "come endpoint=URL and region=NAME"),
        ("s3://bucket#open-sesame", "come endpoint=URL and region=NAME"),
        ("s3://bucket?endpoint=" + quote("https://me:open-sesame@host"), "an endpoint is http"),
        ("s3://bucket?endpoint=127.0.0.1:8333", "an endpoint is http"),
        ("s3://bucket?endpoint=http://host:99999", "an endpoint is http"),
        ("s3://bucket?region=" + quote("eu west"), "a region's name is"),
        ("s3://[bucket", "cannot be read"),
        ("file:", "needs a directory"),
        ("file:///", "needs a directory"),
        ("file://host/srv", "lies on this machine"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_quoted(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        name_of(url)
    assert "open-sesame" not in str(caught.value)


def test_a_prefix_is_as_plain_as_a_key() -> None:
    with pytest.raises(StoreError, match="no key of an archive"):
        name_of("s3://bucket/../other")


@pytest.mark.parametrize("missing", list(KEYS))
def test_half_of_the_credentials_are_none(missing: str) -> None:
    with pytest.raises(StoreDenied, match="half of the credentials is missing"):
        name_of("s3://bucket", {name: value for name, value in KEYS.items() if name != missing})


@pytest.mark.s3
@pytest.mark.parametrize("by", ["url", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_a_bucket_elsewhere_is_opened_by_url_and_the_usual_variables(seaweed: Running, by: str) -> None:
    env = {
        "AWS_ACCESS_KEY_ID": seaweed.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweed.credentials.secret_key,
        **({} if by == "url" else {by: seaweed.endpoint}),
    }
    query = f"?endpoint={seaweed.endpoint}" if by == "url" else ""
    with open_store(f"s3://{BUCKET}/test/opening-{by.lower()}{query}", env=env) as store:
        assert store.create("v1/a", b"x", digest=Digest.of(b"x"), retain_until=None).created
        assert list(store.keys("")) == ["v1/a"]


@pytest.mark.s3
def test_without_a_url_there_is_the_embedded_store(tmp_path: Path) -> None:
    assert name_of(None, {}, tmp_path / "store") == "embedded"


def test_without_anything_there_is_none() -> None:
    with pytest.raises(UsageError, match="no store is named: set COUNTERPROOF_STORE_URL"):
        name_of(None, {})
