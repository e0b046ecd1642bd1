"""How boto3 is set up: no surprises from the machine, and no repeats of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from os import devnull
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp

from archive.errors import KeyDeviceError
from archive.s3.trouble import FOREIGN, judged

_DEFAULT_REGION = "us-east-1"
_CONNECTIONS = 32
_KMS_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Shown nowhere, not even by ``repr``."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def connect(
    name: str,
    *,
    endpoint: str | None,
    region: str | None,
    credentials: Credentials | None,
    env: Mapping[str, str],
    timeout_s: float,
) -> Any:
    """A client for threads to share. Nothing is sent yet."""
    try:
        return _session(credentials, env).client(
            "s3",
            endpoint_url=endpoint,
            region_name=region or _DEFAULT_REGION,
            config=_config(urlsplit(endpoint or "").hostname, timeout_s),
        )
    except (*FOREIGN, ValueError) as error:
        raise judged(error, "open the store", name).error from error


def connect_kms(*, region: str, env: Mapping[str, str]) -> Any:
    """A client for keys in AWS KMS, under the same rules as for a store. Nothing is sent yet."""
    config = Config(
        connect_timeout=_KMS_TIMEOUT_S,
        read_timeout=_KMS_TIMEOUT_S,
        retries={"total_max_attempts": 3, "mode": "standard"},  # signing twice is as good as once
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs are behind
    )
    try:
        return _session(None, env).client("kms", region_name=region, config=config)
    except (*FOREIGN, ValueError) as error:
        raise KeyDeviceError(
            f"AWS KMS cannot be asked ({type(error).__name__}): look at the region and at the AWS settings"
        ) from error


def _session(credentials: Credentials | None, env: Mapping[str, str]) -> boto3.Session:
    """Reads the environment that it is given, and never asks a cloud's metadata service who we are.

    On a laptop that question hangs, and in a data centre it may be answered with somebody else's credentials.
    AWS_EC2_METADATA_DISABLED=false, said aloud, permits it.
    """
    own = credentials is not None
    session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None if own else env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE"), None),
            "config_file": (None, None, devnull if own else env.get("AWS_CONFIG_FILE", "~/.aws/config"), None),
            "credentials_file": (
                None,
                None,
                devnull if own else env.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
                None,
            ),
            "ca_bundle": ("ca_bundle", None, env.get("AWS_CA_BUNDLE") or None, None),
        }
    )
    session.register_component("data_loader", _models())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    if credentials is not None:
        session.set_credentials(credentials.access_key, credentials.secret_key, credentials.session_token)
    elif env.get("AWS_EC2_METADATA_DISABLED", "true").lower() != "false":
        session.get_component("credential_provider").remove("iam-role")
    return boto3.Session(botocore_session=session)


@cache
def _models() -> Loader:
    """The description of S3, which takes long to read: once for all clients."""
    return create_loader()


def _moment(text: Any) -> datetime:
    """The two forms that S3 writes, which botocore would guess anew each time; whatever else, as botocore does."""
    try:
        found = parsedate_to_datetime(text) if text[3:4] == "," else datetime.fromisoformat(text)
    except (TypeError, ValueError, IndexError):
        found = None
    return found if found is not None and found.tzinfo is not None else parse_timestamp(text)


def _config(host: str | None, timeout_s: float) -> Config:
    return Config(
        signature_version="s3v4",
        connect_timeout=min(timeout_s, 10.0),
        read_timeout=timeout_s,
        retries={"total_max_attempts": 1, "mode": "standard"},  # archive.s3.objects repeats, and knows what
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        parameter_validation=False,  # of our own calls, each time anew
        request_checksum_calculation="when_required",  # we send SHA-256 ourselves; older services choke on CRC64
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs are behind
        s3={"addressing_style": "path" if host else "auto"},
        proxies={} if _is_loopback(host) else None,  # a company's proxy cannot reach our own machine
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
