"""When a post's id was made: the time that some platforms write into their ids, as an interval of publication.

An id is made when the upload begins, so the post is not older than its id; how much younger it may be was measured
against posts whose time is known, and is a platform's habit, not its word.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from custody.instant import format_utc
from custody.model import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTCODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TID = "234567abcdefghijklmnopqrstuvwxyz"
PRIVATE_TAIL = 28
"""Characters that Instagram appends to the shortcode of a post that was shared in private."""
SLACK = timedelta(seconds=1)
"""Pages round their times down to the second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """``made``: the id's own time. ``until``: by when posts of the platform have been public, as far as was seen."""

    made: datetime
    until: datetime
    basis: str

    def to_json(self) -> dict[str, Json]:
        return {"from": format_utc(self.made), "to": format_utc(self.until), "basis": self.basis}

    def contradiction(self, published: datetime) -> str | None:
        """What to say of a time that the page gives beside the id's; None where the two agree."""
        if published < self.made - SLACK:
            return f"the page says {format_utc(published)}, which is before its id was made ({format_utc(self.made)})"
        if published > self.until + SLACK:
            return (
                f"the page says {format_utc(published)}, later than posts follow the making of their id "
                f"({format_utc(self.made)}): a draft, a scheduled post or a later edit would look so"
            )
        return None


def shortcode_to_id(code: str) -> int | None:
    """An Instagram or Threads shortcode as its media id; a private-share code without its tail. None: it is none."""
    code = code[:-PRIVATE_TAIL] if len(code) > PRIVATE_TAIL else code
    if not code or len(code) > 13 or any(each not in _SHORTCODE for each in code):
        return None
    value = 0
    for each in code:
        value = value * 64 + _SHORTCODE.index(each)
    return value


def id_to_shortcode(value: int) -> str:
    code = ""
    while value > 0:
        value, rest = divmod(value, 64)
        code = _SHORTCODE[rest] + code
    return code or "A"


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else None


def _millis(value: int | None) -> datetime | None:
    if value is None or not 0 <= value < 1 << 43:
        return None
    return _EPOCH + timedelta(milliseconds=value)


def _instagram(text: str) -> datetime | None:
    # "2317006284167526179_305701719": media and account.
    number = _number(text.partition("_")[0])
    if number is None or number < 1 << 32:  # shortcodes may be all digits, media ids are longer than those
        decoded = shortcode_to_id(text)
        number = decoded if decoded is not None else number
    if number is None or (number >> 23) < 7 * 86_400_000:
        return None  # ids of before August 2011 were counted, not timed
    return _millis((number >> 23) + 1_314_220_021_721)


def _tiktok(text: str) -> datetime | None:
    number = _number(text)
    if number is None or number < 1 << 52:
        return None
    # The ten bits below the seconds count milliseconds.
    return _millis((number >> 32) * 1000 + min((number >> 22) & 1023, 999))


def _x(text: str) -> datetime | None:
    number = _number(text)
    if number is None or number < 1 << 34:
        return None  # ids of before November 2010 were counted
    return _millis((number >> 22) + 1_288_834_974_657)


def _discord(text: str) -> datetime | None:
    number = _number(text)
    return None if number is None or number < 1 << 34 else _millis((number >> 22) + 1_420_070_400_000)


def _linkedin(text: str) -> datetime | None:
    number = _number(text.rpartition(":")[2])
    return None if number is None or number < 1 << 58 else _millis(number >> 22)


def _bluesky(text: str) -> datetime | None:
    # The record key of an at:// address or a bare one (atproto.com, TID: 13 characters, base32-sortable).
    key = text.rpartition("/")[2]
    if not re.fullmatch(r"[2-7a-j][2-7a-z]{12}", key):
        return None
    value = 0
    for each in key:
        value = value * 32 + _TID.index(each)
    return _EPOCH + timedelta(microseconds=(value >> 10) & ((1 << 53) - 1))


def _snapchat(text: str) -> datetime | None:
    if not re.fullmatch(r"W7_[A-Za-z0-9_-]{40,80}", text):
        return None
    return _millis(int.from_bytes(urlsafe_b64decode(text[-14:-6]), "big"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scheme:
    decode: Callable[[str], datetime | None]
    since: datetime
    """No post of the platform, or none with such an id, is older."""
    lag: timedelta
    """The longest that was seen between an id and its post, rounded up."""
    basis: str


def _since(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


_SCHEMES: Mapping[str, _Scheme] = MappingProxyType(
    {
        "instagram": _Scheme(
            decode=_instagram,
            since=_since(2011, 8),
            lag=timedelta(minutes=15),
            basis="media id: made when the upload began, not before it; seen up to 11 minutes before the post",
        ),
        "threads": _Scheme(
            decode=_instagram,
            since=_since(2023, 6),
            lag=timedelta(minutes=15),
            basis="media id: made when the upload began, not before it",
        ),
        "tiktok": _Scheme(
            decode=_tiktok,
            since=_since(2014, 8),
            lag=timedelta(minutes=1),
            basis="item id: made when the upload began, not before it; seen up to 49 seconds before the post",
        ),
        "x": _Scheme(
            decode=_x,
            since=_since(2010, 11),
            lag=timedelta(seconds=1),
            basis="snowflake id: made with the post",
        ),
        "discord": _Scheme(
            decode=_discord,
            since=_since(2015),
            lag=timedelta(seconds=1),
            basis="snowflake id: made with the message",
        ),
        "linkedin": _Scheme(
            decode=_linkedin,
            since=_since(2012),
            lag=timedelta(seconds=1),
            basis="activity id: made with the post (checked against one)",
        ),
        "bluesky": _Scheme(
            decode=_bluesky,
            since=_since(2022, 10),
            lag=timedelta(minutes=1),
            basis="record key: the author's program chose it by its own clock, and could choose any",
        ),
        "snapchat": _Scheme(
            decode=_snapchat,
            since=_since(2020, 11),
            lag=timedelta(minutes=1),
            basis="Spotlight id: undocumented, checked against two posts",
        ),
    }
)
PLATFORMS = frozenset(_SCHEMES)


def moment_of(platform: str, post_id: str) -> Moment | None:
    """The time in an id (a shortcode, a number in digits, a record key); None where it holds none that could be.

    Ids are text: a number that went through a floating-point one has lost the low bits that count.
    """
    scheme = _SCHEMES.get(platform)
    made = scheme.decode(post_id.strip()) if scheme else None
    if scheme is None or made is None or made < scheme.since:
        return None
    return Moment(made=made, until=made + scheme.lag, basis=scheme.basis)
