"""What the archive is told: read once, typed, frozen. Option before environment before settings before default."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from archive.authorities import preset
from archive.errors import UsageError

HOME = "COUNTERPROOF_HOME"
STORE_URL = "COUNTERPROOF_STORE_URL"
RETENTION_DAYS = "COUNTERPROOF_RETENTION_DAYS"
LOOK_RETENTION_DAYS = "COUNTERPROOF_LOOK_RETENTION_DAYS"
WALL_RETENTION_DAYS = "COUNTERPROOF_WALL_RETENTION_DAYS"
LOCK_MODE = "COUNTERPROOF_LOCK_MODE"
KEY_SPECS = {role: f"COUNTERPROOF_{role.upper()}_KEY" for role in ("root", "log", "worker", "person")}
AUTHORITIES = "COUNTERPROOF_AUTHORITIES"
AUTHORITY_ROOTS = "COUNTERPROOF_AUTHORITY_ROOTS"
INBOX_WAIT = "COUNTERPROOF_INBOX_WAIT"
TRAFFIC_MIB = "COUNTERPROOF_TRAFFIC_MIB"
TRAFFIC_BODY_MIB = "COUNTERPROOF_TRAFFIC_BODY_MIB"
EGRESS_ADDRESS_URL = "COUNTERPROOF_EGRESS_ADDRESS_URL"
DSN = "COUNTERPROOF_DSN"

PROJECT = "SCRAPY_PROJECT"
_MODULES = {"default": "settings.base", "production": "settings.production", "testing": "settings.testing"}

GOVERNANCE = "GOVERNANCE"
COMPLIANCE = "COMPLIANCE"
NO_AUTHORITY = "none"

_DEFAULT_RETENTION_DAYS = 365
_DEFAULT_INBOX_WAIT_S = 30
_MAX_INBOX_WAIT_S = 3600
_DEFAULT_TRAFFIC_MIB = 256
_DEFAULT_TRAFFIC_BODY_MIB = 64
_MAX_MIB = 1 << 20
_MAX_RETENTION_DAYS = 36_500  # a hundred years: more is a slip of the finger that COMPLIANCE would never forgive


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveConfig:
    """Where evidence is kept, for how long, and who tells its time. Credentials are not here: boto3 finds its own."""

    home: Path
    """Keys, trust file, spool, cache: ``docs/cli.md``, "The home"."""
    store_url: str | None = None
    """``s3://bucket/prefix?endpoint=…`` or ``file:DIR``. None: the embedded store, below the home."""
    retention_days: int = _DEFAULT_RETENTION_DAYS
    look_retention_days: int | None = None
    """Of looks that found nothing new, where their case is not kept longer; None: as everything."""
    wall_retention_days: int | None = None
    """Of scheduled captures that showed a wall, a refusal or an error, where their case is not kept longer."""
    lock_mode: str = GOVERNANCE
    key_specs: Mapping[str, str] = field(default_factory=dict)
    """By role, where a key is that the home does not hold as a file: ``docs/keys.md``."""
    authorities: tuple[str, ...] | None = None
    """URLs of RFC 3161 authorities, or short names (``archive.authorities``).

    None: nobody has said; empty: somebody said ``none``.
    """
    authority_roots: Path | None = None
    """PEM file with the roots that those authorities' tokens must chain to."""
    inbox_wait_s: float = _DEFAULT_INBOX_WAIT_S
    """Without the log key: how long a command waits for its events to be taken out of the inbox."""
    traffic_mib: int = _DEFAULT_TRAFFIC_MIB
    """Of the bodies that one visit fetches, so much is kept."""
    traffic_body_mib: int = _DEFAULT_TRAFFIC_BODY_MIB
    """Of one body."""
    egress_address_url: str | None = None
    """Of a service that answers with the address that it was asked from, as text. None: that address is unknown."""
    dsn: str | None = field(default=None, repr=False)
    """Of the PostgreSQL that watches and jobs are kept in; may hold a password. None: the home's own."""

    @property
    def prefix(self) -> str:
        """Below which all keys of an S3 store lie, without slashes at its ends; empty for every other store."""
        if self.store_url is None or not self.store_url.startswith("s3:"):
            return ""
        return urlsplit(self.store_url).path.strip("/")

    def retain_until(self, now: datetime) -> datetime:
        """The end of a lock that is taken now: the first midnight (UTC) by which all of the days have passed.

        All that is sealed in one day shares an end. So equal bytes, which lie there once, are not locked anew each time
        they are seen, and two who seal them at once ask for the same.
        """
        end = now + timedelta(days=self.retention_days)
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if midnight == end else midnight + timedelta(days=1)

    @classmethod
    def load(
        cls,
        environment: Mapping[str, str],
        *,
        settings: Mapping[str, object] | None = None,
        home: Path | None = None,
        store_url: str | None = None,
        retention_days: int | None = None,
        lock_mode: str | None = None,
        authorities: Sequence[str] | None = None,
        authority_roots: Path | None = None,
        dsn: str | None = None,
    ) -> Self:
        """Options are the keyword arguments; environment and settings use the names at the top of this module.

        ``settings``: by default those of the module that the environment chooses (``settings_module``).
        """
        layers = (environment, chosen_settings(environment) if settings is None else settings)
        given_home = home or _path(_first(layers, HOME))
        return cls(
            home=(given_home or _data_directory(environment) / "counterproof").expanduser().absolute(),
            store_url=_store_url(store_url or _first(layers, STORE_URL)),
            retention_days=_days(_first(layers, RETENTION_DAYS) if retention_days is None else str(retention_days)),
            look_retention_days=_class_days(_first(layers, LOOK_RETENTION_DAYS), LOOK_RETENTION_DAYS),
            wall_retention_days=_class_days(_first(layers, WALL_RETENTION_DAYS), WALL_RETENTION_DAYS),
            lock_mode=_lock_mode(lock_mode or _first(layers, LOCK_MODE)),
            key_specs={role: spec for role, name in KEY_SPECS.items() if (spec := _first(layers, name))},
            authorities=_authorities(authorities or None, _first(layers, AUTHORITIES)),
            authority_roots=authority_roots or _path(_first(layers, AUTHORITY_ROOTS)),
            inbox_wait_s=_seconds(_first(layers, INBOX_WAIT)),
            traffic_mib=_mib(_first(layers, TRAFFIC_MIB), TRAFFIC_MIB, _DEFAULT_TRAFFIC_MIB),
            traffic_body_mib=_mib(_first(layers, TRAFFIC_BODY_MIB), TRAFFIC_BODY_MIB, _DEFAULT_TRAFFIC_BODY_MIB),
            egress_address_url=_web(_first(layers, EGRESS_ADDRESS_URL), EGRESS_ADDRESS_URL),
            dsn=_dsn(dsn or _first(layers, DSN)),
        )


def settings_module(environment: Mapping[str, str]) -> str:
    """Which module of ``scrapy.cfg`` the command and ``scrapy`` both start from: ``SCRAPY_PROJECT`` picks it."""
    project = environment.get(PROJECT, "").strip() or "default"
    if project not in _MODULES:
        raise UsageError(f"{PROJECT} is one of {', '.join(_MODULES)}, got {project[:40]!r}")
    return _MODULES[project]


def chosen_settings(environment: Mapping[str, str]) -> Mapping[str, object]:
    """Our own names in that module. Raises ``UsageError`` where a deployment leaves open what it has to say."""
    try:
        module = import_module(settings_module(environment))
    except ValueError as error:  # settings.production says what the environment has to name
        raise UsageError(str(error)) from error
    return {name: value for name, value in vars(module).items() if name.startswith("COUNTERPROOF_")}


def _first(layers: Sequence[Mapping[str, object]], name: str) -> str | None:
    """An empty value counts as absent, as with most programs that read the environment."""
    values = (str(layer[name]).strip() for layer in layers if layer.get(name) is not None)
    return next((value for value in values if value), None)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _data_directory(environment: Mapping[str, str]) -> Path:
    """XDG Base Directory Specification: an unset, empty or relative XDG_DATA_HOME means ~/.local/share."""
    given = Path(environment.get("XDG_DATA_HOME", ""))
    if given.is_absolute():
        return given
    return Path(environment.get("HOME") or "~").expanduser() / ".local" / "share"


def _store_url(url: str | None) -> str | None:
    if url is not None and url.partition(":")[0] not in {"s3", "file", "memory"}:
        raise UsageError(
            f"a store is s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR, got {url[:80]!r}; set {STORE_URL}"
        )
    return url


def _days(text: str | None) -> int:
    if text is None:
        return _DEFAULT_RETENTION_DAYS
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MAX_RETENTION_DAYS):
        raise UsageError(f"retention is 1 to {_MAX_RETENTION_DAYS} days, got {text[:20]!r}; set {RETENTION_DAYS}")
    return int(text)


def _class_days(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MAX_RETENTION_DAYS):
        raise UsageError(f"retention is 1 to {_MAX_RETENTION_DAYS} days, got {text[:20]!r}; set {name}")
    return int(text)


def _mib(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MAX_MIB):
        raise UsageError(f"traffic is limited to 1 to {_MAX_MIB} MiB, got {text[:20]!r}; set {name}")
    return int(text)


def _web(text: str | None, name: str) -> str | None:
    if text is not None and urlsplit(text).scheme not in {"http", "https"}:
        raise UsageError(f"{name} is an http:// or https:// address, got {text[:80]!r}")
    return text


def _dsn(text: str | None) -> str | None:
    """As PostgreSQL's own programs read it; what is wrong with it is said without showing it."""
    if text is not None and not text.startswith(("postgresql://", "postgres://")) and "=" not in text:
        raise UsageError(f"{DSN} is postgresql://USER@HOST/NAME, or host=… dbname=…; see docs/operating.md")
    return text


def _seconds(text: str | None) -> float:
    if text is None:
        return _DEFAULT_INBOX_WAIT_S
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= _MAX_INBOX_WAIT_S):
        raise UsageError(f"an inbox is waited for 0 to {_MAX_INBOX_WAIT_S} s, got {text[:20]!r}; set {INBOX_WAIT}")
    return int(text)


def _lock_mode(text: str | None) -> str:
    mode = (text or GOVERNANCE).upper()
    if mode not in {GOVERNANCE, COMPLIANCE}:
        raise UsageError(f"a lock is {GOVERNANCE} or {COMPLIANCE}, got {mode[:20]!r}; set {LOCK_MODE}")
    return mode


def _authorities(options: Sequence[str] | None, text: str | None) -> tuple[str, ...] | None:
    if options is None and text is None:
        return None
    urls = tuple(dict.fromkeys(_urls(options if options is not None else (text or "").split(","))))
    if NO_AUTHORITY not in urls:
        return urls
    if len(urls) > 1:
        raise UsageError(f"'{NO_AUTHORITY}' stands alone: name time-stamp authorities, or say that there are none")
    return ()


def _urls(texts: Sequence[str]) -> Iterator[str]:
    for text in filter(None, (each.strip() for each in texts)):
        if text.lower() == NO_AUTHORITY:
            yield NO_AUTHORITY
            continue
        if preset(text) is not None:
            yield text
            continue
        try:
            parts = urlsplit(text)
            named = (
                parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
            )
            whole = named and parts.username is None  # the URL is printed, and kept in the trust file
        except ValueError:  # a port that is no number, a broken IPv6 address
            whole = False
        if not whole:
            raise UsageError(
                f"a time-stamp authority is an http or https URL, a name of `counterproof authorities presets`, or "
                f"'{NO_AUTHORITY}', got {text[:80]!r}"
            )
        yield text
