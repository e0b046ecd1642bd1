"""Which store is meant: a URL, the environment, or the embedded one.

::

    s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]
    file:DIR
    memory:                      for tests: gone with the process

boto3 takes half a second to load, so it is loaded where a bucket is opened and nowhere else: `verify` on a directory
does without.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from archive.directory import DirectoryStore
from archive.errors import StoreDenied, UsageError
from archive.memory import MemoryStore
from archive.payload import checked_key
from archive.store import ObjectStore

STORE_URL = "COUNTERPROOF_STORE_URL"
DEFAULT_PATIENCE_S = 30.0

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@contextmanager
def open_store(
    url: str | None,
    *,
    env: Mapping[str, str],
    directory: Path | None = None,
    lock_mode: str = "GOVERNANCE",
    patience_s: float = DEFAULT_PATIENCE_S,
) -> Iterator[ObjectStore]:
    """``directory``: where the embedded store lives, for when neither ``url`` nor the environment names another.

    ``env`` gives COUNTERPROOF_STORE_URL and the usual AWS variables. ``patience_s`` is how long one request is repeated
    before the store counts as down.
    """
    url = url or env.get(STORE_URL) or None
    if url is None:
        if directory is None:
            raise UsageError(f"no store is named: set {STORE_URL} to s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR")
        from archive.embedded import embedded_store  # noqa: PLC0415  # see the module's docstring

        with embedded_store(directory, lock_mode=lock_mode, patience_s=patience_s) as store:
            yield store
        return
    with _named(url, env, lock_mode, patience_s) as store:
        yield store


def _named(url: str, env: Mapping[str, str], lock_mode: str, patience_s: float) -> AbstractContextManager[ObjectStore]:
    """Refusals never quote the URL: people put secrets into them."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(
            "the store's URL cannot be read: write s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR"
        ) from error
    match parts.scheme:
        case "s3":
            return _bucket(parts, env, lock_mode, patience_s)
        case "file":
            return nullcontext(DirectoryStore(_path(url.removeprefix("file:"))))
        case "memory":
            return nullcontext(MemoryStore())
        case _:
            raise UsageError("a store's URL is s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR")


def _path(text: str) -> Path:
    """The rest of the line is the path, as it stands: ``file:my archive`` and ``file:///srv/archive`` (RFC 8089)."""
    if text.startswith("//") and not text.startswith("///"):
        raise UsageError("a file store lies on this machine: write file:DIR, or file:///DIR")
    if not text.strip("/"):
        raise UsageError("a file store needs a directory: write file:DIR")
    return Path(text.removeprefix("//")).expanduser()


def _bucket(
    parts: SplitResult, env: Mapping[str, str], lock_mode: str, patience_s: float
) -> AbstractContextManager[ObjectStore]:
    from archive.s3 import Credentials, S3Store  # noqa: PLC0415  # see the module's docstring

    if "@" in parts.netloc:
        raise UsageError("no credentials in a store's URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if not _BUCKET.fullmatch(parts.netloc):
        raise UsageError(
            "a bucket's name is 3 to 63 lower-case letters, digits, '-' and '.': write s3://BUCKET[/PREFIX]"
        )
    prefix = parts.path.strip("/")
    if prefix:
        checked_key(prefix)
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise UsageError("after the '?' of a store's URL come endpoint=URL and region=NAME, joined by '&'") from error
    options = dict(pairs)
    if len(options) != len(pairs) or set(options) - {"endpoint", "region"} or parts.fragment:
        raise UsageError("after the '?' of a store's URL come endpoint=URL and region=NAME, once each, joined by '&'")
    endpoint = options.get("endpoint") or env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None
    region = options.get("region") or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None
    if region is not None and not _REGION.fullmatch(region):
        raise UsageError("a region's name is lower-case letters, digits and '-', such as eu-central-1")
    access_key, secret_key = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
    if bool(access_key) != bool(secret_key):
        raise StoreDenied("half of the credentials is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both")
    credentials = None
    if access_key and secret_key:
        token = env.get("AWS_SESSION_TOKEN") or None
        credentials = Credentials(access_key=access_key, secret_key=secret_key, session_token=token)
    return closing(
        S3Store(
            bucket=parts.netloc,
            prefix=prefix,
            endpoint=None if endpoint is None else _endpoint(endpoint),
            region=region,
            credentials=credentials,
            env=env,
            lock_mode=lock_mode,
            patience_s=patience_s,
        )
    )


def _endpoint(url: str) -> str:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, a broken IPv6 address
        whole = False
    if not whole or parts.username is not None or parts.query or parts.fragment:
        raise UsageError("an endpoint is http://HOST[:PORT] or https://HOST[:PORT], without credentials")
    return url
