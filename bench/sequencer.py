"""What the log takes on: events admitted (signature, schema), put into a durable commit, read back with proofs."""

import tempfile
from pathlib import Path

from archive.directory import DirectoryStore
from archive.draft import Draft, identified
from archive.genesis import open_log
from archive.home import Home
from bench.fresh_machine import events, now, until
from bench.measuring import race, tell, timed
from custody import keys
from custody.commit import Commit
from custody.digest import Digest
from custody.event import check_signature

COUNT = 2_000
ROUNDS = 8


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        home, store = Home.open(Path(name) / "home", clock=now), DirectoryStore(Path(name) / "store")
        sequencer = open_log(home, store, clock=now, retain_until=until)
        envelopes = [envelope for envelope, _ in events(home.signers.worker, 0, COUNT)]
        key = home.signers.worker.public_key
        follower, at = sequencer._follower, now()

        def verified() -> None:
            for envelope in envelopes:
                check_signature(envelope, key)

        def admitted() -> None:
            draft = Draft(sequencer._heads, sequencer.trust, after=follower.position)
            for each in identified(envelopes):
                draft.payload_of(each.id)
                draft.judge(each.envelope, each.statement)

        judged = [
            (each.envelope, Draft(sequencer._heads, sequencer.trust, after=follower.position).judge(each.envelope))
            for each in identified(envelopes)
        ]
        written = 0

        def committed() -> None:
            nonlocal written
            written += 1
            draft = Draft(sequencer._heads, sequencer.trust, after=follower.position)
            for envelope, event in judged:
                draft.place(envelope, event, at)
            data = Commit(
                n=2, prev=follower.position.commit_sha256, old=follower.position.size, new=draft.index,
                root=follower.edge.grow(draft.leaves).root, key=keys.keyid(sequencer.trust.log.public_key), by="0" * 64,
                nonce="0" * 32, leaves=tuple(draft.leaves), events=draft.event_ids(),
            ).format()  # fmt: skip
            store.create(f"v1/bench/{written}", data, digest=Digest.of(data), retain_until=None)

        signature, admission, commit = race(ROUNDS, verified, admitted, committed)
        whole = timed(lambda: sequencer.append(envelopes))
        tell("signatures alone", COUNT / signature.cpu_s, "a second of processor time")
        tell("events admitted", COUNT / admission.cpu_s, "a second of processor time", at_least=4_000)
        tell("of which signatures take", signature.cpu_s / admission.cpu_s, "")
        tell(
            "admitted events made durable in a commit",
            COUNT / commit.cpu_s,
            "a second of processor time",
            at_least=20_000,
        )
        tell("the same by the wall clock", COUNT / commit.wall_s, "a second")
        tell("all in all, tiles, proofs and memory included", COUNT / whole.cpu_s, "a second of processor time")
        sequencer.close()


if __name__ == "__main__":
    main()
