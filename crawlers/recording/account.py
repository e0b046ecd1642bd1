"""What is not there of a visit's traffic, why, and whether the capture is less whole for it (rule: docs/cli.md)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crawlers.recording.sockets import TOO_LARGE, WITHHELD, Talk
from crawlers.recording.turn import AHEAD, Turn, header, is_plain, stated_length
from custody.model import Json

BODY_FORM = "decoded"
"""Transfer and content codings removed; what the browser says that was sent stays in ``X-Orig-…``."""
ABORTED = "net::ERR_ABORTED"
_PARTS = frozenset({"Document", "Image", "Script", "Stylesheet", "Font", "Manifest", "TextTrack"})
"""What a page is made of: it ends by itself, and a page that lacks it is not whole."""
_LOSSES = frozenset({"not_handed_out", "text_only", "too_large", "over_limit"})
"""Lost by us, whatever it was of."""
_EMPTY = frozenset({204, 205, 304})  # RFC 9110 §15: these have no body


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """One thing that is missing, of one turn or of all."""

    turn: Turn | None = field(repr=False)
    kind: str = ""
    """Of its turn, as DevTools names it, or of what it is about instead."""
    reason: str
    detail: str = ""
    counts: bool
    """The capture is partial for it."""


def lack_of(turn: Turn) -> Lack | None:
    """The worst that is to be said of a turn; None where it is all there."""
    reason, detail = _reason(turn)
    if not reason:
        return None
    counts = reason in _LOSSES or (reason == "still_running" and turn.kind in _PARTS)
    return Lack(turn=turn, kind=turn.kind, reason=reason, detail=detail, counts=counts)


def _reason(turn: Turn) -> tuple[str, str]:
    if turn.from_cache:
        return "", ""
    if turn.talk is not None:
        return _of_talk(turn, turn.talk)
    if turn.body.cut:
        return "too_large", f"its first {turn.body.bytes} bytes are kept"
    if turn.is_redirect:
        return ("", "") if header(turn.headers, "content-length") == "0" else ("redirect_body", "")
    if turn.status is not None and (turn.method == "HEAD" or turn.status in _EMPTY):
        return "", ""
    if turn.failed is not None and not turn.whole:
        return _why_failed(turn)
    if turn.status is None:
        return "still_running", "no answer had come"
    if turn.recoded:
        return "text_only", "its text is kept, in UTF-8"
    if not turn.whole and not turn.finished:
        if turn.is_download:
            return "download", "a file: kept as the body artifact, if at all"
        return "still_running", f"its first {turn.body.bytes} bytes are kept"
    if not turn.whole and turn.kind == AHEAD:
        return "asked_ahead", "for a page that may be gone to; the browser hands its body to nobody"
    if not turn.whole:
        return "not_handed_out", f"of {turn.came} bytes {turn.body.bytes} are kept"
    if turn.for_worker and turn.body.bytes == 0 and stated_length(turn) != 0:
        return "passed_on", "the service worker handed it on unread: see what it made"
    if is_plain(turn) and 0 <= turn.body.bytes < (stated_length(turn) or 0):
        return "not_read", f"its first {turn.body.bytes} bytes were read, and are kept"
    if "request-body" in turn.withheld:
        return "withheld", "what was sent is not kept: a secret had been typed by then"
    if turn.posts and not turn.posted:
        return "request_body", "the browser did not hand out what was sent"
    return "", ""


def _of_talk(turn: Turn, talk: Talk) -> tuple[str, str]:
    """Of a web socket, which has no end of its own: that it is open still is nothing that is missing."""
    lost, withheld = talk.lost, talk.withheld
    if lost:
        return TOO_LARGE, f"{lost} of {talk.told} messages are not kept" + (
            f", {withheld} withheld" if withheld else ""
        )
    if withheld:
        return WITHHELD, f"{withheld} messages that the page sent are not kept: a secret had been typed by then"
    if turn.status is None:
        return ("no_answer", turn.failed or "") if turn.is_over else ("still_running", "no answer had come")
    return "", ""


def _why_failed(turn: Turn) -> tuple[str, str]:
    if turn.is_download:
        return "download", "a file: kept as the body artifact, if at all"
    if turn.blocked:
        return "blocked_by_browser", turn.blocked
    if turn.canceled or turn.failed == ABORTED:
        return "cancelled_by_page", f"its first {turn.body.bytes} bytes are kept"
    if turn.status is None:
        return "no_answer", turn.failed or ""
    return "broke_off", turn.failed or ""


def section(turns: Iterable[Turn], lacks: Iterable[Lack], *, trouble: str | None) -> Mapping[str, Json]:
    """The record's ``traffic``: counts, and no address."""
    every = [turn for turn in turns if not turn.from_cache]
    listed = list(lacks)
    reasons = Counter((each.reason, each.kind) for each in listed)
    return {
        "exchanges": sum(turn.status is not None and not turn.by_worker for turn in every),
        "unanswered": sum(turn.status is None for turn in every),
        "by_service_worker": sum(turn.by_worker for turn in every),
        "body_form": BODY_FORM,
        "body_bytes": sum(turn.body.bytes for turn in every),
        "socket_messages": sum(turn.talk.kept for turn in every if turn.talk is not None),
        "missing": [
            {"reason": reason, "kind": kind.lower(), "times": times}
            for (reason, kind), times in sorted(reasons.items())
        ],
        "trouble": trouble,
    }


def words(lacks: Iterable[Lack]) -> str:
    """For people: what makes the capture partial."""
    reasons = Counter((each.reason, each.kind.lower()) for each in lacks if each.counts)
    return ", ".join(f"{times} {kind or 'other'}: {reason}" for (reason, kind), times in sorted(reasons.items()))
