"""Whom to ask is the user's choice; what is known of public authorities is held against what can be checked here."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509

from archive import authorities, trial
from archive.authorities import PRESETS, Preset
from archive.errors import SetupMissing, UsageError
from archive.home import Home
from custody.trust import Authority, Trust
from tests.authority import LocalAuthority, Mood, make_root

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BUNDLED = [each for each in PRESETS if not each.roots_from]
GIVEN = [each for each in PRESETS if each.roots_from]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home", clock=lambda: AT)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("authority")
    LocalAuthority(directory)
    return directory


def stored(home: Home) -> Trust:
    return Trust.parse(home.trust_file.read_bytes())


@pytest.mark.parametrize("known", BUNDLED, ids=lambda each: each.name)
def test_a_bundled_root_is_the_one_that_is_named(known: Preset) -> None:
    root = x509.load_pem_x509_certificate(authorities.bundled_roots(known).encode())
    assert root.subject.rfc4514_string() == known.root_subject
    assert authorities.fingerprint(root) == known.root_sha256
    assert root.subject == root.issuer


@pytest.mark.parametrize("known", GIVEN, ids=lambda each: each.name)
def test_a_root_in_no_bundle_has_to_be_given_and_it_is_said_where_it_is(known: Preset, home: Home) -> None:
    assert known.root_sha256 is None or known.root_sha256 not in certifi.contents()
    with pytest.raises(UsageError, match="--roots PEM") as refused:
        authorities.add(home, known.name)
    assert known.roots_from in str(refused.value)
    assert stored(home).authorities == ()


def test_a_root_that_left_the_bundle_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certifi, "contents", lambda: "")
    with pytest.raises(SetupMissing, match="not in certifi's bundle"):
        authorities.bundled_roots(BUNDLED[0])


def test_the_fingerprint_decides_and_not_the_name(monkeypatch: pytest.MonkeyPatch, made: Path) -> None:
    monkeypatch.setattr(certifi, "contents", (made / "root.pem").read_text)
    with pytest.raises(SetupMissing):
        authorities.bundled_roots(BUNDLED[0])


def test_names_and_urls_are_distinct() -> None:
    assert len({each.name for each in PRESETS} | {each.url for each in PRESETS}) == 2 * len(PRESETS)
    assert authorities.spacing_s("http://timestamp.sectigo.com") == 15
    assert authorities.spacing_s("https://time.example/") == 0


def test_nothing_is_asked_without_a_word(home: Home) -> None:
    assert stored(home).authorities == ()


def test_a_preset_brings_its_root_along(home: Home) -> None:
    added = authorities.add(home, "digicert")
    (believed,) = stored(home).authorities
    assert (believed.id, believed.url) == (added, "http://timestamp.digicert.com")
    assert len(believed.roots()) == 1
    assert authorities.find(home.trust, "digicert") == believed == authorities.find(home.trust, believed.url)
    authorities.add(home, "digicert")
    assert stored(home).authorities == (believed,)


def test_another_root_for_a_name_is_refused_and_for_a_url_is_the_users_word(home: Home, made: Path) -> None:
    other = (made / "root.pem").read_text()
    for name in ("freetsa", "digicert"):
        with pytest.raises(UsageError, match="expected the root of"):
            authorities.add(home, name, roots_pem=other)
    authorities.add(home, "https://freetsa.org/tsr", roots_pem=other)
    assert stored(home).authorities[0].roots_pem == other


@pytest.mark.parametrize("pem", ["this is no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_roots_that_are_none_are_refused(home: Home, pem: str) -> None:
    with pytest.raises(UsageError):
        authorities.add(home, "https://time.example/", roots_pem=pem)
    assert stored(home).authorities == ()


def test_an_id_comes_from_the_url_and_roots_stay(home: Home, made: Path) -> None:
    url, roots = "http://Time.Example:8080/tsa", (made / "root.pem").read_text()
    added = authorities.add(home, url, roots_pem=roots)
    assert added.startswith("time.example-")
    assert authorities.add(home, url) == added
    other = authorities.add(home, "https://other.example/")
    assert [(each.id, each.roots_pem) for each in stored(home).authorities] == [(added, roots), (other, "")]
    with pytest.raises(UsageError, match="cannot be used"):
        authorities.add(home, "http://time.example/a b")


def test_pins_are_kept_and_checked(home: Home) -> None:
    spelled = ":".join(["AB"] * 32)
    authorities.add(home, "digicert", pins=[spelled])
    assert stored(home).authorities[0].pins == ("ab" * 32,)
    authorities.add(home, "digicert")
    assert stored(home).authorities[0].pins == ("ab" * 32,)
    with pytest.raises(UsageError, match="a pin is the SHA-256"):
        authorities.add(home, "digicert", pins=["nonsense"])


def test_a_quorum_has_to_be_met_by_those_that_there_are(home: Home) -> None:
    with pytest.raises(UsageError, match="2 of 0"):
        authorities.set_quorum(home, 2)
    for name in ("digicert", "sectigo", "certum"):
        authorities.add(home, name)
    authorities.set_quorum(home, 2)
    assert stored(home).quorum == 2
    authorities.remove(home, "sectigo")
    with pytest.raises(UsageError, match="quorum 1"):
        authorities.remove(home, "certum")
    authorities.set_quorum(home, 1)
    authorities.remove(home, "certum")
    authorities.remove(home, "digicert")
    assert stored(home).authorities == ()
    with pytest.raises(UsageError, match="no authority of this home"):
        authorities.remove(home, "digicert")


def test_two_that_change_the_trust_file_at_once_lose_nothing(home: Home, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "home", clock=lambda: AT)
    authorities.add(home, "digicert")
    authorities.add(other, "certum")
    assert [each.url for each in stored(home).authorities] == [
        "http://timestamp.digicert.com",
        "http://time.certum.pl",
    ]


def test_certificates_that_end_soon_are_spoken_of(made: Path) -> None:
    make_root(made, "short", days=30)
    now = datetime.now(UTC)
    short = Authority(id="short", url="http://x.example/", roots_pem=(made / "short.pem").read_text())
    (said,) = authorities.ending(short, now)
    assert "ends on" in said
    (said,) = authorities.ending(short, now + timedelta(days=40))
    assert "ended on" in said
    long = Authority(id="long", url="http://x.example/", roots_pem=(made / "root.pem").read_text())
    assert authorities.ending(long, now) == []
    assert authorities.ending(long, now, now + timedelta(days=91)) == []
    (said,) = authorities.ending(long, now, now + timedelta(days=89))
    assert "signer" in said


@pytest.mark.parametrize(
    ("mood", "answered", "reason"),
    [
        (Mood.HONEST, True, ""),
        (Mood.DOWN, False, "could not be asked"),
        (Mood.ERROR, False, "HTTP 503"),
        (Mood.GARBAGE, True, "TS_PARSE"),
        (Mood.WRONG_IMPRINT, True, "TS_IMPRINT"),
        (Mood.WRONG_NONCE, True, "TS_NONCE"),
        (Mood.REJECTION, True, "TS_STATUS"),
    ],
)
def test_a_trial_says_what_it_found(made: Path, mood: Mood, *, answered: bool, reason: str) -> None:
    with LocalAuthority(made, mood=mood) as served:
        believed = Authority(id="local", url=served.url, roots_pem=served.roots_pem)
        found = trial.try_authority(believed, clock=lambda: datetime.now(UTC), random=lambda n: b"\7" * n, within_s=10)
    assert found.answered == answered
    assert found.holds == (mood is Mood.HONEST)
    assert reason in found.reason
    if mood is Mood.HONEST:
        assert found.signer is not None
        assert found.issuers == ("CN=Test root,O=Nobody",)
        assert found.clock_ahead is not None
        assert abs(found.clock_ahead) < timedelta(seconds=60)


def test_a_trial_without_roots_names_those_that_would_be_needed(made: Path) -> None:
    with LocalAuthority(made) as served:
        believed = Authority(id="local", url=served.url, roots_pem="")
        found = trial.try_authority(believed, clock=lambda: datetime.now(UTC), random=lambda n: b"\7" * n, within_s=10)
    assert not found.holds
    assert found.reason.startswith("TS_TRUST")
    assert found.issuers == ("CN=Test root,O=Nobody",)
