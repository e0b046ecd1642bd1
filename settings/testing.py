"""What the tests run under: a store in memory that is gone afterwards, no authority, short locks."""

from settings.base import *  # noqa: F403  # Scrapy reads the names of one module

COUNTERPROOF_STORE_URL = "memory:"
COUNTERPROOF_AUTHORITIES = "none"
COUNTERPROOF_RETENTION_DAYS = 1
