"""``counterproof verify``: the verdict as a table of numbered checks, and what was found."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from rich.text import Text

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.errors import ArchiveError, NotStored, StoreError, UsageError
from archive.opinion import ask_openssl
from archive.reader import open_reader
from archive.store import ObjectStore
from console.exits import Exit
from console.screen import now, out, print_json
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.errors import CustodyError
from custody.files import THREADS as FOLDER_THREADS
from custody.files import Folder
from custody.note import MAX_BYTES
from custody.source import Source
from custody.trust import Trust
from custody.verify import verify as judge
from custody.wording import Line, Tone, tell

STORE_THREADS = 16  # reads wait for the store more than for the processor
_STYLES = {Tone.PLAIN: "", Tone.GOOD: "bold green", Tone.WARNING: "yellow", Tone.BAD: "bold red"}


def code_of(error: ArchiveError | CustodyError) -> Exit:
    """Whatever keeps us from checking is "could not check"; a wrong option stays a wrong option."""
    return Exit.USAGE if isinstance(error, UsageError) else Exit.STORE


def verify(
    config: ArchiveConfig,
    *,
    trust_file: Path | None,
    case: str | None,
    as_json: bool,
    checkpoints: Sequence[Path] = (),
) -> Exit:
    """0 only if every check holds; 6 when something could not be looked at."""
    with (
        open_reader(config, trust_file=trust_file) as reader,
        _source(reader.store) as (source, count),
        ThreadPoolExecutor(count, "verify") as threads,
    ):
        kept = {path: kept_checkpoint(path, reader.trust) for path in checkpoints}
        # Where the log itself is not there, the verdict says so; a case that is not found would hide the reason.
        scope = None if case is None or not reader.holds_log else reader.cases.resolve(case)
        verdict = judge(
            source,
            reader.trust,
            at=now(),
            scope=scope,
            kept=tuple(kept.values()),
            second_opinion=ask_openssl,
            map=threads.map,
            absent=(NotStored, *Folder.absent),
            unreachable=(StoreError, *Folder.unreachable),
        )
        name = reader.store.name
    if as_json:
        print_json({**verdict.to_json(), "store": name, "case": case})
    else:
        what = f"case {case} in {name}" if case else name
        for line in tell(verdict, what, {str(path): each for path, each in kept.items()}):
            _show(line)
    if verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


@contextmanager
def _source(store: ObjectStore) -> Iterator[tuple[Source, int]]:
    """And by how many threads. A copy on disk is read as the verifier reads it that installs alone: faster, too."""
    if isinstance(store, DirectoryStore):
        with closing(Folder(store.root)) as folder:
            yield folder, FOLDER_THREADS
    else:
        yield store, STORE_THREADS


def kept_checkpoint(path: Path, trust: Trust | None) -> Checkpoint:
    """A checkpoint that the reader has from earlier. One that the log's key did not sign says nothing of the log."""
    if trust is None:
        raise UsageError("a checkpoint needs the key that signed it: add --trust FILE")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): name a file with a checkpoint") from error
    try:
        return open_checkpoint(data, trust.log)
    except CustodyError as error:
        raise UsageError(
            f"{path} is not a checkpoint that the log {trust.log.name} signed ({error}): name the one you kept, "
            "and the trust file that goes with it"
        ) from error


def _show(line: Line) -> None:
    style = _STYLES[line.tone]
    if line.mark:
        out.print(Text.assemble((line.mark, style), line.text))
    else:
        out.print(Text(line.text, style=style))
