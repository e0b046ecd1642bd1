"""The scribe: writes events as this home signs them, and the blobs that they rest on."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Self

from archive.store import ObjectStore
from custody import canonical, event, keyspace
from custody.digest import Digest
from custody.event import Anchor, Envelope, Event, Ref, Subject
from custody.ids import RANDOM_BYTES, uuid7
from custody.keys import Signer
from custody.model import Json

NONCE_BYTES = 16  # the digest of what can be guessed is no secret without one


def _no_anchor() -> None:
    return None


class Scribe:
    """Time, randomness, key and store, held together. Blobs are stored and read back before an event names them."""

    def __init__(
        self,
        store: ObjectStore,
        signer: Signer,
        *,
        clock: Callable[[], datetime],
        retain_until: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
        anchor: Callable[[], Anchor | None] = _no_anchor,
    ) -> None:
        self.store = store
        self.clock = clock
        self.retain_until = retain_until
        self.random = random
        self._signer = signer
        self._anchor = anchor

    def signed_by(self, signer: Signer) -> Self:
        """The same in all but the key."""
        return type(self)(
            self.store,
            signer,
            clock=self.clock,
            retain_until=self.retain_until,
            random=self.random,
            anchor=self._anchor,
        )

    def keeping(self, retain_until: Callable[[], datetime]) -> Self:
        """The same in all but how long blobs are locked."""
        return type(self)(
            self.store,
            self._signer,
            clock=self.clock,
            retain_until=retain_until,
            random=self.random,
            anchor=self._anchor,
        )

    def new_id(self) -> str:
        return uuid7(self.clock(), self.random(RANDOM_BYTES))

    def blob(self, name: str, data: bytes) -> Subject:
        digest = Digest.of(data)
        self.store.create(keyspace.blob(digest), data, digest=digest, retain_until=self.retain_until())
        return Subject(name=name, digest=digest, bytes=len(data))

    def detail(self, name: str, value: Mapping[str, Json]) -> Subject:
        """A JSON blob with a nonce of its own."""
        return self.blob(name, canonical.dumps({"schema": 1, "nonce": self.random(NONCE_BYTES).hex(), **value}))

    def event(
        self,
        type_: str,
        *,
        chain: str,
        subject: Subject,
        body: Mapping[str, Json],
        run: str | None = None,
        refs: tuple[Ref, ...] = (),
        event_id: str | None = None,
    ) -> Envelope:
        """``event_id``: where it is not a new one, but worked out (``archive.lookid``)."""
        made = self.compose(type_, chain=chain, subject=subject, body=body, run=run, refs=refs, event_id=event_id)
        return event.sign(made, self._signer)

    def compose(
        self,
        type_: str,
        *,
        chain: str,
        subject: Subject,
        body: Mapping[str, Json],
        run: str | None = None,
        refs: tuple[Ref, ...] = (),
        event_id: str | None = None,
    ) -> Event:
        """An event that nobody has signed yet."""
        return Event(
            type=type_,
            event_id=event_id or self.new_id(),
            salt=self.random(NONCE_BYTES).hex(),
            occurred_at=self.clock(),
            run=run,
            chain=chain,
            anchor=self._anchor(),
            refs=refs,
            subjects=(subject,),
            body=body,
        )
