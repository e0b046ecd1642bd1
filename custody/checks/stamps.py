"""Check 9, time: every token is judged, every anchor names one; which leaves are older than a trusted time."""

import re
from bisect import bisect_right
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from custody import keyspace, timestamp
from custody.checks.checkpoint import Signed
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.errors import TimestampError
from custody.event import Anchor, Event
from custody.instant import format_utc
from custody.model import Json
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.source import Absent, TooLong
from custody.timestamp import Token
from custody.trust import Authority
from custody.verdict import depends

CHECK = 9

_MAX_QUERY_BYTES = 4096
_SLACK = timedelta(seconds=2)  # tokens often carry whole seconds, and clocks are set to about as much


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """A stored token that answers its query about its checkpoint."""

    size: int
    authority: str
    token: Token
    trusted: bool
    """Its signature leads to the roots in the trust file; else there are no roots to hold it against."""


@dataclass(frozen=True, slots=True)
class _Look:
    digest: Digest | None
    """Of the stored answer."""
    found: Stamp | TimestampError | None
    """None: it was not judged."""


class Stamps:
    def __init__(self, inquiry: Inquiry, signed: Signed) -> None:
        self._inquiry = inquiry
        self._findings = inquiry.findings
        self._signed = signed
        self._files: dict[tuple[int, str], Digest] = {}
        self._stamps: dict[tuple[int, str], Stamp] = {}
        self._refused: dict[tuple[int, str], TimestampError] = {}
        self._uncheckpointed: list[tuple[int, str]] = []
        self._logged: dict[tuple[int, str], tuple[int, Event]] = {}
        self._at_size: dict[int, list[tuple[int, str]]] = {}
        self._unmatched: list[tuple[int, Anchor]] = []
        self._covers: list[tuple[int, datetime]] = []
        self.covered = 0
        """Leaves below this index are older than the time that as many authorities as the trust file asks state."""
        self._ends: list[tuple[int, str]] = []

    def collect(self) -> None:
        """Before the walk, so that tokens of a log that grows meanwhile are not asked for leaves it does not reach."""
        for key, look in self._inquiry.mapped(self._look, self._list()):
            self._keep(key, look)
        trusted = sorted(
            (each for each in self._stamps.values() if each.trusted), key=lambda each: each.size, reverse=True
        )
        earliest = None
        for each in trusted:
            latest = each.token.gen_time + each.token.accuracy
            earliest = latest if earliest is None else min(earliest, latest)
            self._covers.append((each.size, earliest))
        self._covers.reverse()
        sizes = sorted(
            (max(each.size for each in trusted if each.authority == name) for name in {e.authority for e in trusted}),
            reverse=True,
        )
        quorum = self._inquiry.trust.quorum
        self.covered = sizes[quorum - 1] if len(sizes) >= quorum else 0

    def see(self, entry: Entry) -> None:
        event = entry.event
        if event is None or entry.leaf is None:
            return
        if event.type == "log.timestamped":
            key = (int(str(event.body["size"])), str(event.body["authority"]))
            self._logged.setdefault(key, (entry.index, event))
        if event.type in ENDS:
            self._ends.append((entry.index, event.chain))
        if event.anchor is not None:
            self._see_anchor(entry.index, event, event.anchor)
        at = bisect_right(self._covers, entry.index, key=lambda each: each[0])
        if at < len(self._covers) and event.occurred_at - _SLACK > self._covers[at][1]:
            self._findings.note(
                CHECK,
                "TIME_AFTER_SEAL",
                f"leaf {entry.index} says it happened at {format_utc(event.occurred_at)}, and was stamped by "
                f"{format_utc(self._covers[at][1])}: its maker's clock was fast",
                index=entry.index,
            )

    def finish(self, sizes: Container[int]) -> None:
        """``sizes``: those at which commits end."""
        for key in self._uncheckpointed:
            if key[0] not in sizes:
                self._fail("TS_CHECKPOINT", "there is no checkpoint that it could be of", key)
        for key, error in self._refused.items():
            if key in self._logged:
                self._fail(error.code, str(error), key)
            else:
                # The answer is kept as it came, and the log never built on it.
                self._note(error.code, f"{error}; the log does not claim it", key)
        for key, (index, event) in self._logged.items():
            self._check_logged(key, index, event)
        logged = {(size, event.subjects[0].digest) for (size, _), (_, event) in self._logged.items()}
        for index, anchor in self._unmatched:
            if (anchor.size, anchor.token_sha256) not in logged:
                self._findings.fail(
                    CHECK,
                    "ANCHOR_FOREIGN",
                    f"leaf {index} is anchored in a token that this log never had",
                    index=index,
                    size=anchor.size,
                )
        covered = f", {self.covered} leaves under trusted time" if self._files else ": no trusted time"
        self._findings.detail(CHECK, f"{len(self._files) or 'no'} tokens{covered}")

    def facts(self, chains: Container[str] | None) -> dict[str, Json]:
        """For the captures in these chains; None: all."""
        ends = [index for index, chain in self._ends if chains is None or chain in chains]
        covered = sum(index < self.covered for index in ends)
        word = "trusted" if self.covered and covered == len(ends) else "unverified" if self._files else "none"
        return {
            "time": word,
            "tokens": len(self._files),
            "leaves_covered": self.covered,
            "captures_covered": covered,
            "captures_ended": len(ends),
        }

    def _list(self) -> list[tuple[int, str]]:
        prefix = f"{self._inquiry.prefix}timestamps/"
        pattern = re.compile(re.escape(prefix) + r"([0-9]{20})/([a-z0-9][a-z0-9.-]{0,63})\.(tsq|tsr)")
        found = []
        for key in self._inquiry.reader.keys(prefix):
            if not (match := pattern.fullmatch(key)):
                self._findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that a log has", key=key[:300])
            elif match[3] == "tsr":  # a query alone: the authority never answered
                found.append((int(match[1]), match[2]))
        return found

    def _look(self, key: tuple[int, str]) -> tuple[tuple[int, str], _Look]:
        """In whatever thread the caller's map uses."""
        (size, name), log, reader = key, self._inquiry.log, self._inquiry.reader
        try:
            response = reader.read(keyspace.token(log, size, name), timestamp.MAX_RESPONSE_BYTES)
        except (Absent, TooLong) as error:
            return key, _Look(None, TimestampError(str(error), code="TS_PARSE"))
        digest = Digest.of(response)
        if size in self._signed.altered or size not in self._signed.listed:
            return key, _Look(digest, None)
        authority = self._inquiry.trust.authority(name)
        try:
            data = reader.read(keyspace.checkpoint_at(log, size), MAX_NOTE_BYTES)
            query = reader.read(keyspace.query(log, size, name), _MAX_QUERY_BYTES)
            if authority is not None and authority.roots_pem:
                token, trusted = timestamp.judge(query, response, data, authority), True
            else:
                unknown = Authority(id=name, url="http://unknown.invalid/", roots_pem="")
                token, trusted = timestamp.read(query, response, data, authority or unknown), False
        except (Absent, TooLong) as error:
            return key, _Look(digest, TimestampError(f"its query cannot be had: {error}", code="TS_QUERY"))
        except TimestampError as error:
            return key, _Look(digest, error)
        return key, _Look(digest, Stamp(size=size, authority=name, token=token, trusted=trusted))

    def _keep(self, key: tuple[int, str], look: _Look) -> None:
        if look.digest is not None:
            self._files[key] = look.digest
            self._at_size.setdefault(key[0], []).append(key)
        if isinstance(look.found, TimestampError):
            self._refused[key] = look.found
        elif isinstance(look.found, Stamp):
            self._stamps[key] = look.found
            if not look.found.trusted:
                self._note("TS_UNVERIFIED", "the trust file has no roots to hold it against", key)
        elif key[0] in self._signed.altered:
            self._findings.detail(CHECK, f"token of {key[1]} at {key[0]} not judged ({depends((2,))})")
        else:
            self._uncheckpointed.append(key)

    def _see_anchor(self, index: int, event: Event, anchor: Anchor) -> None:
        found = [key for key in self._at_size.get(anchor.size, ()) if self._files[key] == anchor.token_sha256]
        if not found:
            self._unmatched.append((index, anchor))
            return
        stamp = self._stamps.get(found[0])
        if stamp is None or not stamp.trusted:
            return
        not_before = stamp.token.gen_time - stamp.token.accuracy
        if event.occurred_at + _SLACK < not_before:
            self._findings.note(
                CHECK,
                "TIME_BEFORE_ANCHOR",
                f"leaf {index} says it happened at {format_utc(event.occurred_at)}, and knew a token of "
                f"{format_utc(not_before)}: its maker's clock was slow",
                index=index,
            )

    def _check_logged(self, key: tuple[int, str], index: int, event: Event) -> None:
        stored, stamp = self._files.get(key), self._stamps.get(key)
        if stored is None:
            if key not in self._refused:
                self._fail("TS_MISSING", f"leaf {index} tells of a token that is not there", key, index=index)
        elif key not in self._refused and stored != event.subjects[0].digest:
            self._fail("TS_DIGEST", f"it is not the token that leaf {index} tells of", key, index=index)
        elif stamp is not None:
            said = (event.body["gen_time"], event.body["serial"])
            if said != (format_utc(stamp.token.gen_time), str(stamp.token.serial)):
                self._fail("TS_MISMATCH", f"leaf {index} gives it another time or serial number", key, index=index)

    def _fail(self, code: str, message: str, key: tuple[int, str], **more: Json) -> None:
        message = f"token of {key[1]} at {key[0]} leaves: {message}"
        self._findings.fail(CHECK, code, message, size=key[0], authority=key[1], **more)

    def _note(self, code: str, message: str, key: tuple[int, str]) -> None:
        message = f"token of {key[1]} at {key[0]} leaves: {message}"
        self._findings.note(CHECK, code, message, size=key[0], authority=key[1])
