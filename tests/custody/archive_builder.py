"""Small archives, written event by event out of the custody modules alone, and a store in memory to spoil them in.

Everything is deterministic but the tokens. ``commits`` holds the drafts: change one, ``build`` again, and the whole log
is re-made and re-signed around the change, as a dishonest operator would.
"""

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Self

from custody import canonical, event, keys, keyspace, merkle, timestamp
from custody.artifact import Artifact, Lock
from custody.checkpoint import Checkpoint
from custody.commit import Commit
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Anchor, Envelope, Event, Ref, Subject
from custody.ids import uuid7
from custody.instant import format_utc
from custody.keys import Ed25519Signer
from custody.leaf import Chain, Leaf
from custody.model import Hop, HopKind, Json, Origin, Outcome, Role, Status
from custody.note import VerifierKey
from custody.record import Record
from custody.tiles import Edge
from custody.trust import Authority, Trust
from tests.authority import LocalAuthority

LOG = "evidence.example/custody"
START = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
UNTIL = datetime(2027, 3, 4, tzinfo=UTC)
FILES: Mapping[Role, bytes] = {
    Role.SCREENSHOT: b"\x89PNG a full page" * 40,
    Role.VIEWPORT: b"\x89PNG what was seen first" * 20,
    Role.DOM: b"<!doctype html><title>Love bracelet</title>",
    Role.TEXT: "Link in bio \N{BLACK HEART SUIT}".encode(),
    Role.HEADERS: b"content-type: text/html",
    Role.BODY: b"<!doctype html>",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryVersion:
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryStored:
    bytes: int
    sha256: Digest | None
    version_id: str | None
    lock: Lock | None


@dataclass
class MemorySource:
    """What a verifier reads from. Anyone can put, replace and take away its objects: it is there to be attacked."""

    objects: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, Lock] | None = None
    """None: it keeps neither versions nor locks."""
    markers: dict[str, str] = field(default_factory=dict)
    versions_of: dict[str, list[str]] = field(default_factory=dict)

    def open(self, key: str) -> BinaryIO:
        if key in self.markers:
            raise KeyError(key)
        return io.BytesIO(self.objects[key])

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key not in self.markers)

    def head(self, key: str) -> MemoryStored:
        if key in self.markers:
            raise KeyError(key)
        data = self.objects[key]
        if self.locks is None:
            return MemoryStored(bytes=len(data), sha256=None, version_id=None, lock=None)
        version = self.versions_of.get(key, ["v1"])[-1]
        return MemoryStored(bytes=len(data), sha256=Digest.of(data), version_id=version, lock=self.locks.get(key))

    def versions(self, prefix: str) -> Iterator[MemoryVersion]:
        if self.locks is None:
            return
        for key in sorted(key for key in self.objects if key.startswith(prefix)):
            hidden = key in self.markers
            ids = self.versions_of.get(key, ["v1"])
            for at, version in enumerate(ids):
                latest = at == len(ids) - 1 and not hidden
                yield MemoryVersion(
                    key=key, version_id=version, is_latest=latest, is_delete_marker=version.startswith("m")
                )
            if hidden:
                yield MemoryVersion(key=key, version_id=self.markers[key], is_latest=True, is_delete_marker=True)

    def copy(self) -> Self:
        return replace(
            self,
            objects=dict(self.objects),
            locks=None if self.locks is None else dict(self.locks),
            markers=dict(self.markers),
            versions_of={key: list(ids) for key, ids in self.versions_of.items()},
        )

    def flip(self, key: str, at: int, bit: int = 0) -> Self:
        """A copy in which one bit is another."""
        data = bytearray(self.objects[key])
        data[at] ^= 1 << bit
        return self.with_object(key, bytes(data))

    def with_object(self, key: str, data: bytes) -> Self:
        other = self.copy()
        other.objects[key] = data
        return other

    def without(self, *keys_: str) -> Self:
        other = self.copy()
        for key in keys_:
            del other.objects[key]
        return other


LeafChange = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Draft:
    """A leaf to be. ``make`` is called when the log is built, for events that tell of what is built before them."""

    make: Callable[[], Envelope]
    chain: str
    change: LeafChange | None = None
    """Done to the leaf's JSON when it has its place, before it is hashed."""
    bytes: Callable[[bytes], bytes] | None = None
    """Done to the leaf's bytes."""
    dropped: bool = False
    """It takes its number in its chain, and is left out of the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Captured:
    id: str
    unit: str
    started: Draft
    ended: Draft | None
    record: Record | None
    record_digest: Digest | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Of an authority, kept: a log that is built again without a change to what was stamped gets the same."""

    query: bytes
    response: bytes
    token: timestamp.Token
    size: int


@dataclass
class ArchiveBuilder:
    authorities: Sequence[LocalAuthority] = ()
    log: str = LOG
    locked: bool = True
    """Whether records tell of locks, and the store keeps them."""
    root: Ed25519Signer = field(default_factory=lambda: Ed25519Signer(b"\x01" * 32))
    second_root: Ed25519Signer | None = None
    log_key: Ed25519Signer = field(default_factory=lambda: Ed25519Signer(b"\x02" * 32))
    worker: Ed25519Signer = field(default_factory=lambda: Ed25519Signer(b"\x03" * 32))
    commits: list[list[Draft]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    captures: list[Captured] = field(default_factory=list)
    rearrange: Callable[[int, list[bytes]], list[bytes]] = lambda _, leaves: leaves
    """Called with a commit's number and leaves when they have their places."""
    sign_checkpoint: Callable[[Checkpoint], bytes] | None = None
    answered: Callable[[int, bytes], bytes] = lambda _, response: response
    """Called with a commit's number and an authority's answer to its checkpoint."""
    anchored: Anchor | None = None
    stamped: dict[int, list[int]] = field(default_factory=dict)
    """Commit number to the numbers of the authorities that stamp its checkpoint."""
    _ticks: int = 0
    _tokens: dict[tuple[int, int], Answer] = field(default_factory=dict)

    # What is believed

    @property
    def vkey(self) -> VerifierKey:
        return VerifierKey(self.log, self.log_key.public_key)

    @property
    def trust(self) -> Trust:
        roots = [self.root.public_key, *([self.second_root.public_key] if self.second_root else [])]
        return Trust(
            log=self.vkey,
            root_keys=tuple(roots),
            root_threshold=len(roots),
            authorities=tuple(
                Authority(id=name, url="http://127.0.0.1:1/", roots_pem=each.roots_pem)
                for name, each in zip(self.authority_ids, self.authorities, strict=True)
            ),
            quorum=max(1, len(self.authorities)),
        )

    @property
    def authority_ids(self) -> list[str]:
        return [f"tsa-{n}.example" for n in range(len(self.authorities))]

    # Events

    def now(self) -> datetime:
        self._ticks += 1
        return START + timedelta(milliseconds=250 * self._ticks)

    def jump(self, to: datetime) -> None:
        """Its clock goes on from there."""
        self._ticks = (to - START) // timedelta(milliseconds=250)

    def new_id(self) -> str:
        at = self.now()
        return uuid7(at, self._ticks.to_bytes(10, "big"))

    def nonce(self) -> str:
        self._ticks += 1
        return f"{self._ticks:032x}"

    def blob(self, name: str, data: bytes) -> Subject:
        digest = Digest.of(data)
        self.blobs[keyspace.blob(digest)] = data
        return Subject(name=name, digest=digest, bytes=len(data))

    def detail(self, name: str, value: Mapping[str, Json]) -> Subject:
        return self.blob(name, canonical.dumps({"schema": 1, "nonce": self.nonce(), **value}))

    def event(
        self,
        type_: str,
        chain: str,
        subject: Subject,
        body: Mapping[str, Json],
        *,
        run: str | None = None,
        refs: tuple[Ref, ...] = (),
        occurred_at: datetime | None = None,
    ) -> Event:
        return Event(
            type=type_,
            event_id=self.new_id(),
            salt=self.nonce(),
            occurred_at=occurred_at or self.now(),
            run=run,
            chain=chain,
            anchor=self.anchored,
            refs=refs,
            subjects=(subject,),
            body=body,
        )

    def draft(self, made: Event, *signers: Ed25519Signer) -> Draft:
        first, *others = signers or (self.worker,)
        envelope = event.sign(made, first)
        for each in others:
            envelope = event.cosign(envelope, each)
        return Draft(lambda: envelope, made.chain)

    def root_draft(self, made: Event) -> Draft:
        return self.draft(made, self.root, *([self.second_root] if self.second_root else []))

    def commit(self, *drafts: Draft) -> int:
        """The commit's number."""
        self.commits.append(list(drafts))
        return len(self.commits)

    # A life

    @property
    def log_chain(self) -> str:
        return f"log:{keyspace.slug(self.log)}"

    def introduce(self, role: str, signer: Ed25519Signer) -> Draft:
        return self.root_draft(
            self.event(
                "key.introduced",
                self.log_chain,
                self.blob("key.pem", keys.pem(signer.public_key)),
                {
                    "keyid": keys.keyid(signer.public_key),
                    "role": role,
                    "public_key": base64.b64encode(signer.public_key).decode(),
                    "valid_from": format_utc(START),
                },
            )
        )

    def revoke(self, signer: Ed25519Signer) -> Draft:
        return self.root_draft(
            self.event(
                "key.revoked",
                self.log_chain,
                self.detail("revocation.json", {"why": "its holder has left"}),
                {"keyid": keys.keyid(signer.public_key), "reason": "rotated", "since": format_utc(START)},
            )
        )

    def open_log(self) -> Self:
        self.commit(
            self.root_draft(
                self.event(
                    "log.opened",
                    self.log_chain,
                    self.detail("policy.json", {"threshold": 1}),
                    {"log": self.log, "vkey": self.vkey.format()},
                )
            ),
            self.introduce("root", self.root),
            self.introduce("log", self.log_key),
            self.introduce("worker", self.worker),
        )
        if self.authorities:
            self.commit(
                self.root_draft(
                    self.event(
                        "trust.changed",
                        self.log_chain,
                        self.blob("trust.json", self.trust.format()),
                        {"authorities": list(self.authority_ids)},
                    )
                )
            )
        self.commit(
            self.draft(
                self.event(
                    "storage.probed",
                    self.log_chain,
                    self.detail("probe.json", {"refused_second_put": True}),
                    {"passed": True, "bypass": "yes"},
                )
            )
        )
        return self

    def open_case(self, name: str = "Love v. Screw") -> str:
        scope = self.new_id()
        subject = self.detail("case.json", {"scope": scope, "name": name})
        self.commit(self.draft(self.event("case.opened", f"scope:{scope}", subject, {})))
        return scope

    def open_run(self) -> str:
        run = self.new_id()
        subject = self.detail("run.json", {"run": run})
        self.commit(self.draft(self.event("run.opened", f"run:{run}", subject, {"purpose": "case"}, run=run)))
        return run

    def close_run(self, run: str, captures: int) -> None:
        subject = self.detail("run-closed.json", {"run": run})
        counts = {"captures": captures, "complete": captures, "partial": 0, "failed": 0, "lost": 0}
        self.commit(self.draft(self.event("run.closed", f"run:{run}", subject, counts, run=run)))

    def start(
        self, run: str, *, unit: str | None = None, scope: str | None = None, look_id: str | None = None
    ) -> Captured:
        """``capture.started``, with ``item.assigned`` in the same commit when a case is given."""
        capture = self.new_id()
        unit = unit or capture
        job = self.detail("job.json", {"capture_id": capture, "url": "https://www.glimpse.example/p/1"})
        body: dict[str, Json] = {
            "capture": capture,
            "attempt": 1,
            "deadline": format_utc(self.now() + timedelta(minutes=5)),
            **({} if look_id is None else {"look_id": look_id}),
        }
        started = self.draft(self.event("capture.started", f"item:{unit}", job, body, run=run))
        drafts = [started]
        if scope is not None:
            member = self.detail("item.json", {"item": unit, "scope": scope})
            drafts.append(self.draft(self.event("item.assigned", f"scope:{scope}", member, {"item": unit}, run=run)))
        self.commit(*drafts)
        return Captured(id=capture, unit=unit, started=started, ended=None, record=None, record_digest=None)

    def capture(
        self,
        run: str,
        *,
        unit: str | None = None,
        scope: str | None = None,
        files: Mapping[Role, bytes] | None = None,
        change: Callable[[Record], Record] = lambda record: record,
    ) -> Captured:
        """No file but the text is the same in two captures. ``change`` is done to the record, not to its event."""
        begun = self.start(run, unit=unit, scope=scope)
        own = {role: data if role is Role.TEXT else data + begun.id.encode() for role, data in FILES.items()}
        record = self.record(run, begun, own if files is None else files)
        stored = change(record)
        subject = self.blob("record.json", stored.format())
        ended = self.draft(self.end(run, begun, record, subject))
        self.commit(ended)
        self.captures.append(replace(begun, ended=ended, record=stored, record_digest=subject.digest))
        return self.captures[-1]

    def record(self, run: str, begun: Captured, files: Mapping[Role, bytes]) -> Record:
        envelope = begun.started.make()
        at = self.now()
        return Record(
            nonce=self.nonce(),
            capture_id=begun.id,
            unit=begun.unit,
            parent=None if begun.id == begun.unit else begun.unit,
            via=None,
            depth=1 if begun.id == begun.unit else 2,
            run=run,
            job_sha256=Event.parse(envelope.payload).subjects[0].digest,
            started_sha256=envelope.payload_sha256,
            requested_url="https://www.glimpse.example/p/1",
            final_url="https://www.glimpse.example/p/1/",
            title="Love bracelet",
            hops=(
                Hop(
                    n=1,
                    from_url="https://www.glimpse.example/p/1",
                    to_url="https://www.glimpse.example/p/1/",
                    kind=HopKind.HTTP,
                    status=301,
                    at=at,
                ),
            ),
            times={"requested_at": at, "closed_at": at},
            circumstances={"network": {"egress": "192.0.2.1"}},
            origin=Origin.NOT_PUBLIC,
            origin_reasons=("resolve",),
            status=Status.COMPLETE,
            outcome=Outcome.OK,
            outcome_reason="",
            http_status=200,
            artifacts=tuple(self._artifact(role, data) for role, data in files.items()),
            missing=(),
            candidates=(),
        )

    def end(
        self, run: str, begun: Captured, record: Record, subject: Subject, type_: str = "capture.completed"
    ) -> Event:
        at = format_utc(self.now())
        body: dict[str, Json] = {
            "capture": begun.id,
            "status": record.status.value,
            "outcome": record.outcome.value,
            "http_status": record.http_status,
            "started_at": at,
            "ended_at": at,
        }
        ref = Ref(rel="started_by", payload_sha256=begun.started.make().payload_sha256)
        return self.event(type_, f"item:{begun.unit}", subject, body, run=run, refs=(ref,))

    def package(self, captured: Captured, data: bytes = b"PK", *, rests_on: Draft | None = None) -> int:
        """``package.made`` of a capture's item; the commit's number. ``rests_on``: another event than its end."""
        end = rests_on or captured.ended
        ref = Ref(rel="derived_from", payload_sha256=end.make().payload_sha256 if end else Digest.of(b"nothing"))
        body: dict[str, Json] = {"format": "wacz-1.1.1", "members": 1, "members_sha256": Digest.of(data).hex}
        subject = self.blob("package.wacz", data)
        return self.commit(self.draft(self.event("package.made", f"item:{captured.unit}", subject, body, refs=(ref,))))

    def derived(self, captured: Captured, data: bytes = b"PNG", *, rests_on: Draft | None = None) -> int:
        """``artifact.derived`` of a capture; the commit's number. ``rests_on``: another event than its end."""
        box: dict[str, Json] = {"x": 1, "y": 2, "width": 30, "height": 40}
        body: dict[str, Json] = {
            "purpose": "redaction", "capture": captured.id, "of_sha256": Digest.of(b"pixels").hex, "boxes": [box],
        }  # fmt: skip
        end = rests_on or captured.ended
        ref = Ref(rel="derived_from", payload_sha256=end.make().payload_sha256 if end else Digest.of(b"nothing"))
        subject = self.blob("redacted.png", data)
        chain = f"item:{captured.unit}"
        return self.commit(self.draft(self.event("artifact.derived", chain, subject, body, refs=(ref,))))

    def _artifact(self, role: Role, data: bytes) -> Artifact:
        subject = self.blob(role.value, data)
        return Artifact(
            role=role.value,
            name=f"{role.value}.bin",
            media_type="application/octet-stream",
            bytes=subject.bytes,
            digest=subject.digest,
            version_id="v1" if self.locked else None,
            lock=Lock(mode="GOVERNANCE", retain_until=UNTIL) if self.locked else None,
            made_at=self.now(),
        )

    def stamp(self, *, log_it: bool = True) -> int:
        """All authorities stamp the newest commit's checkpoint; a further commit tells of it."""
        n = len(self.commits)
        self.stamped[n] = list(range(len(self.authorities)))
        if log_it:
            self.commit(*(Draft(self._tells_of(n, which), self.log_chain) for which in self.stamped[n]))
        return n

    def _tells_of(self, n: int, which: int) -> Callable[[], Envelope]:
        made: dict[bytes, Envelope] = {}

        def make() -> Envelope:
            answer = self._tokens[n, which]
            response, token = answer.response, answer.token
            if response not in made:
                body: dict[str, Json] = {
                    "size": answer.size,
                    "authority": self.authority_ids[which],
                    "gen_time": format_utc(token.gen_time),
                    "serial": str(token.serial),
                }
                told = self.event("log.timestamped", self.log_chain, self.blob("token.tsr", response), body)
                made[response] = event.sign(told, self.worker)
            return made[response]

        return make

    # Bytes

    def build(self) -> MemorySource:
        objects: dict[str, bytes] = {}
        edge, prev = Edge(), None
        heads: dict[str, tuple[int, str]] = {}
        checkpoint = b""
        for n, drafts in enumerate(self.commits, 1):
            placed: list[bytes] = []
            for draft in drafts:
                data = self._place(draft, edge.size + len(placed), heads)
                if not draft.dropped:
                    placed.append(data)
            leaves = self.rearrange(n, placed)
            growth = edge.grow(leaves)
            commit = Commit(
                n=n,
                prev=prev,
                old=edge.size,
                new=growth.edge.size,
                root=growth.root,
                key=keys.keyid(self.log_key.public_key),
                by=keys.keyid(self.worker.public_key),
                nonce=f"{n:032x}",
                leaves=tuple(leaves),
                events=tuple(_event_id(each) for each in leaves),
            ).format()
            prev, edge = Digest.of(commit), growth.edge
            objects[keyspace.commit(self.log, n)] = commit
            for tile, data in growth.tiles:
                objects[keyspace.tile(self.log, tile.level, tile.index, tile.width)] = data
            for bundle, data in growth.bundles:
                objects[keyspace.entries(self.log, bundle.index, bundle.width)] = data
            said = Checkpoint(self.log, edge.size, growth.root)
            checkpoint = self.sign_checkpoint(said) if self.sign_checkpoint else said.sign(self.log_key)
            objects[keyspace.checkpoint_at(self.log, edge.size)] = checkpoint
            for which in self.stamped.get(n, ()):
                objects |= self._stamp(n, which, edge.size, checkpoint)
        objects[keyspace.checkpoint(self.log)] = checkpoint
        for signer in (self.root, self.log_key, self.worker):
            objects[keyspace.key_pem(self.log, keys.keyid(signer.public_key))] = keys.pem(signer.public_key)
        vkey = keyspace.key_vkey(self.log, keys.keyid(self.log_key.public_key))
        objects[vkey] = self.vkey.format().encode() + b"\n"
        objects |= self.blobs
        locks = {key: Lock(mode="GOVERNANCE", retain_until=UNTIL) for key in objects} if self.locked else None
        return MemorySource(objects, locks)

    def _place(self, draft: Draft, index: int, heads: dict[str, tuple[int, str]]) -> bytes:
        envelope = draft.make()
        seq, prev = heads.get(draft.chain, (-1, ""))
        leaf = Leaf(
            self.log, index, START + timedelta(seconds=index), (Chain(draft.chain, seq + 1, prev or None),), envelope
        )
        data = leaf.format()
        if draft.change is not None:
            data = canonical.dumps(draft.change(json.loads(data)))
        if draft.bytes is not None:
            data = draft.bytes(data)
        heads[draft.chain] = (seq + 1, merkle.leaf_hash(data).hex())
        return data

    def _stamp(self, n: int, which: int, size: int, checkpoint: bytes) -> dict[str, bytes]:
        authority, name = self.authorities[which], self.authority_ids[which]
        query = timestamp.query(checkpoint, 0x1234_5678_9ABC_DEF0 + n)
        if (n, which) not in self._tokens or self._tokens[n, which].query != query:
            honest = authority.answer(query)
            response = self.answered(n, honest)
            try:
                token = timestamp.judge(query, response, checkpoint, self.trust.authorities[which])
            except timestamp.Unreadable:
                token = timestamp.judge(query, honest, checkpoint, self.trust.authorities[which])
            self._tokens[n, which] = Answer(query, response, token, size)
        response = self._tokens[n, which].response
        return {keyspace.query(self.log, size, name): query, keyspace.token(self.log, size, name): response}


def _event_id(leaf: bytes) -> str:
    """As good as it can be had: a leaf may have been spoiled on purpose."""
    try:
        return event.event_id_of(base64.b64decode(json.loads(leaf)["event"]["payload"]))
    except (ValueError, KeyError, FormatError):
        return uuid7(START, b"\0" * 10)


def small(authorities: Sequence[LocalAuthority] = (), *, locked: bool = True) -> ArchiveBuilder:
    """One case with one unit of two captures, and one capture of another case."""
    builder = ArchiveBuilder(authorities, locked=locked).open_log()
    run = builder.open_run()
    scope = builder.open_case()
    post = builder.capture(run, scope=scope)
    builder.capture(run, unit=post.unit)
    if authorities:
        builder.stamp()
    builder.capture(run, scope=builder.open_case("Another"))
    builder.close_run(run, 3)
    return builder
