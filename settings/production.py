"""settings.base, and a refusal to start while a deployment leaves its store or its time to chance."""

import os

from settings.base import *  # noqa: F403  # Scrapy reads the names of one module

_MUST_BE_SET = {
    "COUNTERPROOF_STORE_URL": "an S3 store with Object Lock, e.g. s3://evidence?endpoint=https://s3.example",
    "COUNTERPROOF_AUTHORITIES": "the RFC 3161 authorities that say when, comma-separated URLs; or `none`, knowingly",
}

_missing = [f"{name} ({what})" for name, what in _MUST_BE_SET.items() if not os.environ.get(name, "").strip()]
if _missing:
    raise ValueError(f"settings.production needs the environment to name: {'; '.join(_missing)}")

COUNTERPROOF_STORE_URL = os.environ["COUNTERPROOF_STORE_URL"].strip()
COUNTERPROOF_AUTHORITIES = os.environ["COUNTERPROOF_AUTHORITIES"].strip()
if not COUNTERPROOF_STORE_URL.startswith("s3:"):
    raise ValueError(f"settings.production keeps evidence in an s3:// store, got {COUNTERPROOF_STORE_URL[:80]!r}")

# Counts and warnings of every crawl, for whoever watches the machine.
LOG_LEVEL = "INFO"
