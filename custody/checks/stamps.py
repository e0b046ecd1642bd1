"""Check 9, time: every token is judged, every anchor names one; each leaf is bracketed between two tokens."""

import re
from collections.abc import Container
from dataclasses import dataclass

from custody import keyspace, timestamp
from custody.bracket import Bracket, Brackets, Stamp
from custody.checks.checkpoint import Signed
from custody.checks.clocks import Clocks
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.checks.punctuality import Punctuality
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.errors import TimestampError
from custody.event import Anchor, Event
from custody.instant import format_utc
from custody.model import Json
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.source import Absent, TooLong
from custody.timestamp import Unreadable
from custody.trust import Authority
from custody.verdict import depends

CHECK = 9

_MAX_QUERY_BYTES = 4096

_Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Look:
    digest: Digest | None
    """Of the stored answer."""
    found: Stamp | TimestampError | None
    """None: it was not judged."""


class Stamps:
    def __init__(self, inquiry: Inquiry, signed: Signed, brackets: dict[int, Bracket] | None = None) -> None:
        """``brackets``, where they are wanted, is filled with those of all leaves of items."""
        self._inquiry = inquiry
        self._findings = inquiry.findings
        self._signed = signed
        self._files: dict[_Key, Digest] = {}
        self._stamps: dict[_Key, Stamp] = {}
        self._refused: dict[_Key, TimestampError] = {}
        self._uncheckpointed: list[_Key] = []
        self._logged: dict[_Key, tuple[int, Event]] = {}
        self._known: dict[_Key, int] = {}
        """Index of the first leaf that shows that the token was there before it."""
        self._at_size: dict[int, list[_Key]] = {}
        self._unmatched: list[tuple[int, Anchor]] = []
        self._brackets = Brackets((), inquiry.trust.quorum)
        self._wanted = brackets
        self._ends: list[tuple[int, str]] = []
        self._clocks = Clocks(inquiry)
        self._contradicted: set[Stamp] = set()
        self._punctuality = Punctuality(inquiry, signed)

    @property
    def covered(self) -> int:
        """Leaves below this index are older than the time that as many authorities as the trust file asks state."""
        return self._brackets.covered

    def collect(self) -> None:
        """Before the walk, so that tokens of a log that grows meanwhile are not asked for leaves it does not reach."""
        for key, look in self._inquiry.mapped(self._look, self._list()):
            self._keep(key, look)
        self._brackets = Brackets(self._stamps.values(), self._inquiry.trust.quorum)

    def see(self, entry: Entry) -> None:
        event = entry.event
        if event is None or entry.leaf is None:
            return
        if event.type == "log.timestamped":
            key = (int(str(event.body["size"])), str(event.body["authority"]))
            self._logged.setdefault(key, (entry.index, event))
            if self._files.get(key) == event.subjects[0].digest:
                self._known.setdefault(key, entry.index)
        if event.type in ENDS or event.type == "evidence.received":
            self._ends.append((entry.index, event.chain))
            self._punctuality.see_end(entry.index, entry.leaf.logged_at)
        anchored = None if event.anchor is None else self._find_anchor(entry.index, event.anchor)
        self._compare(entry.index, event, anchored)

    def finish(self, sizes: Container[int]) -> None:
        """``sizes``: those at which commits end."""
        for key in self._uncheckpointed:
            if key[0] not in sizes:
                self._fail("TS_CHECKPOINT", "there is no checkpoint that it could be of", key)
        for key, error in self._refused.items():
            self._report_refused(key, error)
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
        self._check_order()
        self._clocks.finish(contradicted=bool(self._contradicted))
        # A token that is refused, gone or not judged, although the log tells of it, has been named for that.
        there = self._logged.keys() | (self._files.keys() - self._refused.keys())
        self._punctuality.finish(there)
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
            "second_opinions": sum(each.second_opinion for each in self._stamps.values()),
            "leaves_covered": self.covered,
            "captures_covered": covered,
            "captures_ended": len(ends),
        }

    def _list(self) -> list[_Key]:
        prefix = f"{self._inquiry.prefix}timestamps/"
        pattern = re.compile(re.escape(prefix) + r"([0-9]{20})/([a-z0-9][a-z0-9.-]{0,63})\.(tsq|tsr)")
        found = []
        for key in self._inquiry.reader.keys(prefix):
            if not (match := pattern.fullmatch(key)):
                self._findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that a log has", key=key[:300])
            elif match[3] == "tsr":  # a query alone: the authority never answered
                found.append((int(match[1]), match[2]))
        return found

    def _look(self, key: _Key) -> tuple[_Key, _Look]:
        """In whatever thread the caller's map uses."""
        (size, name), log, reader = key, self._inquiry.log, self._inquiry.reader
        try:
            response = reader.read(keyspace.token(log, size, name), timestamp.MAX_RESPONSE_BYTES)
        except (Absent, TooLong) as error:
            return key, _Look(None, TimestampError(str(error), code="TS_PARSE"))
        digest = Digest.of(response)
        if size in self._signed.altered or size not in self._signed.listed:
            return key, _Look(digest, None)
        try:
            data = reader.read(keyspace.checkpoint_at(log, size), MAX_NOTE_BYTES)
            query = reader.read(keyspace.query(log, size, name), _MAX_QUERY_BYTES)
        except (Absent, TooLong) as error:
            return key, _Look(digest, TimestampError(f"its query cannot be had: {error}", code="TS_QUERY"))
        return key, _Look(digest, self._judge(key, query, response, data))

    def _judge(self, key: _Key, query: bytes, response: bytes, data: bytes) -> Stamp | TimestampError:
        size, name = key
        authority = self._inquiry.trust.authority(name)
        try:
            if authority is None or not authority.roots_pem:
                unknown = Authority(id=name, url="http://unknown.invalid/", roots_pem="")
                token = timestamp.read(query, response, data, authority or unknown)
                return Stamp(size=size, authority=name, token=token, trusted=False)
            token = timestamp.judge(query, response, data, authority)
            return Stamp(size=size, authority=name, token=token, trusted=True)
        except Unreadable as error:
            ask = self._inquiry.second_opinion
            opinion = ask(query, response, data, authority) if ask and authority and authority.roots_pem else None
            if opinion is None:
                return error
            return Stamp(size=size, authority=name, token=opinion, trusted=True, second_opinion=True)
        except TimestampError as error:
            return error

    def _keep(self, key: _Key, look: _Look) -> None:
        if look.digest is not None:
            self._files[key] = look.digest
            self._at_size.setdefault(key[0], []).append(key)
        if isinstance(look.found, TimestampError):
            self._refused[key] = look.found
        elif isinstance(look.found, Stamp):
            self._stamps[key] = look.found
            if not look.found.trusted:
                self._note("TS_UNVERIFIED", "the trust file has no roots to hold it against", key)
            if look.found.second_opinion:
                self._note(
                    "TS_SECOND_OPINION", "this verifier cannot read it; another program did, and says it holds", key
                )
        elif key[0] in self._signed.altered:
            self._findings.detail(CHECK, f"token of {key[1]} at {key[0]} not judged ({depends((2,))})")
        else:
            self._uncheckpointed.append(key)

    def _find_anchor(self, index: int, anchor: Anchor) -> Stamp | None:
        """The trusted token that the event names, if it is one."""
        found = [key for key in self._at_size.get(anchor.size, ()) if self._files[key] == anchor.token_sha256]
        if not found:
            self._unmatched.append((index, anchor))
            return None
        self._known.setdefault(found[0], index)
        stamp = self._stamps.get(found[0])
        return stamp if stamp is not None and stamp.trusted else None

    def _compare(self, index: int, event: Event, anchored: Stamp | None) -> None:
        """The event's own time against its bracket."""
        not_before = None if anchored is None else anchored.earliest
        stamped = self._brackets.stamped_by(index)
        self._clocks.see(index, event.occurred_at, not_before, stamped)
        if event.chain.startswith("item:"):
            self._clocks.see_width(index, not_before, stamped)
            if self._wanted is not None:
                self._wanted[index] = Bracket(not_before=not_before, not_after=self._brackets.not_after(index))

    def _report_refused(self, key: _Key, error: TimestampError) -> None:
        if key not in self._logged:
            # The answer is kept as it came, and the log never built on it.
            self._note(error.code, f"{error}; the log does not claim it", key)
        elif isinstance(error, Unreadable) and self._files[key] == self._logged[key][1].subjects[0].digest:
            # It is what it was when it came: another program may read what this one does not.
            self._note("TS_UNVERIFIED", f"this verifier cannot read it: {error}", key)
        else:
            self._fail(error.code, str(error), key)

    def _check_order(self) -> None:
        """A tree that holds a token, or an anchor in it, cannot have been stamped before that token was made.

        A later token over a smaller tree alone is no contradiction: two processes stamp at once, and the slower one has
        the smaller tree.
        """
        known = sorted((index, key) for key, index in self._known.items() if key in self._stamps)
        latest: Stamp | None = None
        at = 0
        for each in sorted((e for e in self._stamps.values() if e.trusted), key=lambda e: e.size):
            while at < len(known) and known[at][0] < each.size:
                other = self._stamps[known[at][1]]
                if other.trusted and (latest is None or other.earliest > latest.earliest):
                    latest = other
                at += 1
            if latest is not None and latest.earliest > each.latest and latest not in self._contradicted:
                self._contradicted.add(latest)
                self._fail(
                    "TS_ORDER",
                    f"it is of {format_utc(each.token.gen_time)}, over a tree that holds the token of "
                    f"{latest.authority} at {latest.size} leaves, of {format_utc(latest.token.gen_time)}",
                    (each.size, each.authority),
                    before=latest.size,
                )

    def _check_logged(self, key: _Key, index: int, event: Event) -> None:
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

    def _fail(self, code: str, message: str, key: _Key, **more: Json) -> None:
        message = f"token of {key[1]} at {key[0]} leaves: {message}"
        self._findings.fail(CHECK, code, message, size=key[0], authority=key[1], **more)

    def _note(self, code: str, message: str, key: _Key) -> None:
        message = f"token of {key[1]} at {key[0]} leaves: {message}"
        self._findings.note(CHECK, code, message, size=key[0], authority=key[1])
