"""Options before environment before settings before defaults, and clear words for what makes no sense."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.errors import UsageError


def test_says_nothing_where_nobody_has_said_anything() -> None:
    config = ArchiveConfig.load({"HOME": "/home/ada"})
    assert config == ArchiveConfig(home=Path("/home/ada/.local/share/counterproof"))
    assert config.store_url is None
    assert config.authorities is None
    assert (config.retention_days, config.lock_mode, config.prefix) == (365, "GOVERNANCE", "")


def test_an_option_goes_before_the_environment_and_that_before_the_settings() -> None:
    settings = {"COUNTERPROOF_RETENTION_DAYS": 10, "COUNTERPROOF_LOCK_MODE": "COMPLIANCE", "COUNTERPROOF_HOME": "/c"}
    environment = {"COUNTERPROOF_RETENTION_DAYS": "20", "COUNTERPROOF_HOME": "/b"}
    config = ArchiveConfig.load(environment, settings=settings, home=Path("/a"))
    assert (config.home, config.retention_days, config.lock_mode) == (Path("/a"), 20, "COMPLIANCE")
    assert ArchiveConfig.load(environment, settings=settings, retention_days=30).retention_days == 30


def test_an_empty_variable_counts_as_absent() -> None:
    config = ArchiveConfig.load({"HOME": "/h", "COUNTERPROOF_STORE_URL": " ", "COUNTERPROOF_HOME": ""})
    assert config.store_url is None
    assert config.home == Path("/h/.local/share/counterproof")


@pytest.mark.parametrize(("xdg", "home"), [("/data", "/data/counterproof"), ("data", "/h/.local/share/counterproof")])
def test_follows_the_xdg_specification(xdg: str, home: str) -> None:
    assert ArchiveConfig.load({"HOME": "/h", "XDG_DATA_HOME": xdg}).home == Path(home)


def test_reads_the_prefix_out_of_a_bucket_url_and_nowhere_else() -> None:
    url = "s3://bucket/matter/7/?endpoint=http://127.0.0.1:8333"
    assert ArchiveConfig.load({"COUNTERPROOF_STORE_URL": url}).prefix == "matter/7"
    assert ArchiveConfig.load({"COUNTERPROOF_STORE_URL": "file:/mnt/a"}).prefix == ""


def test_tells_apart_that_nobody_spoke_of_authorities_and_that_there_are_none() -> None:
    assert ArchiveConfig.load({}).authorities is None
    assert ArchiveConfig.load({"COUNTERPROOF_AUTHORITIES": "none"}).authorities == ()
    assert ArchiveConfig.load({"COUNTERPROOF_AUTHORITIES": "http://a/"}, authorities=["NONE"]).authorities == ()
    two = {"COUNTERPROOF_AUTHORITIES": "http://a.example/ts, https://b.example:8443,, http://a.example/ts"}
    assert ArchiveConfig.load(two).authorities == ("http://a.example/ts", "https://b.example:8443")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("COUNTERPROOF_STORE_URL", "http://bucket", "a store is s3://"),
        ("COUNTERPROOF_STORE_URL", "bucket", "a store is s3://"),
        ("COUNTERPROOF_RETENTION_DAYS", "0", "1 to 36500 days"),
        ("COUNTERPROOF_RETENTION_DAYS", "-1", "1 to 36500 days"),
        ("COUNTERPROOF_RETENTION_DAYS", "١", "1 to 36500 days"),
        ("COUNTERPROOF_RETENTION_DAYS", "9" * 5000, "1 to 36500 days"),
        ("COUNTERPROOF_LOCK_MODE", "ADVISORY", "GOVERNANCE or COMPLIANCE"),
        ("COUNTERPROOF_AUTHORITIES", "ftp://a.example", "http or https URL"),
        ("COUNTERPROOF_AUTHORITIES", "a.example", "http or https URL"),
        ("COUNTERPROOF_AUTHORITIES", "http://a.example:port", "http or https URL"),
        ("COUNTERPROOF_AUTHORITIES", "http://[::1", "http or https URL"),
        ("COUNTERPROOF_AUTHORITIES", "http://me:secret@a.example", "http or https URL"),
        ("COUNTERPROOF_AUTHORITIES", "none,http://a.example", "stands alone"),
    ],
)
def test_refuses_what_makes_no_sense(variable: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ArchiveConfig.load({variable: value})


@pytest.mark.parametrize(
    ("environment", "store"),
    [
        ({}, None),
        ({"SCRAPY_PROJECT": "default"}, None),
        ({"SCRAPY_PROJECT": "testing"}, "memory:"),
        ({"SCRAPY_PROJECT": "testing", "COUNTERPROOF_STORE_URL": "file:x"}, "file:x"),
    ],
)
def test_the_environment_wins_over_the_settings_module_that_it_chooses(
    environment: dict[str, str], store: str | None
) -> None:
    assert ArchiveConfig.load(environment).store_url == store
    assert ArchiveConfig.load(environment, store_url="file:y").store_url == "file:y"


def test_a_deployment_has_to_say_where_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERPROOF_STORE_URL", raising=False)
    monkeypatch.delenv("COUNTERPROOF_AUTHORITIES", raising=False)
    sys.modules.pop("settings.production", None)
    with pytest.raises(UsageError, match="COUNTERPROOF_STORE_URL"):
        ArchiveConfig.load({"SCRAPY_PROJECT": "production"})
    monkeypatch.setenv("COUNTERPROOF_STORE_URL", "s3://evidence")
    monkeypatch.setenv("COUNTERPROOF_AUTHORITIES", "digicert")
    loaded = ArchiveConfig.load({"SCRAPY_PROJECT": "production"})
    assert (loaded.store_url, loaded.authorities) == ("s3://evidence", ("digicert",))
    sys.modules.pop("settings.production", None)


def test_a_settings_module_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(UsageError, match="default, production, testing"):
        ArchiveConfig.load({"SCRAPY_PROJECT": "staging"})


def test_an_authority_may_be_named_by_its_short_name() -> None:
    assert ArchiveConfig.load({"COUNTERPROOF_AUTHORITIES": "digicert,http://a.example/"}).authorities == (
        "digicert",
        "http://a.example/",
    )


def test_all_that_is_locked_in_a_day_is_locked_to_one_midnight_never_too_early() -> None:
    config = ArchiveConfig(home=Path("/h"), retention_days=2)
    end = datetime(2026, 1, 4, tzinfo=UTC)
    assert config.retain_until(datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=UTC)) == end
    assert config.retain_until(datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)) == end
    assert config.retain_until(datetime(2026, 1, 2, tzinfo=UTC)) == end
