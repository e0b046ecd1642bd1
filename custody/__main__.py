"""`python -m custody verify DIR`: checks a copy of an archive with this folder and three libraries, and no network."""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from custody.bundle.package import open_package
from custody.bundle.verify import verify as verify_export
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.digest import Digest
from custody.errors import CustodyError, FormatError, TrustError
from custody.files import THREADS, Folder
from custody.model import Json
from custody.trust import Trust
from custody.verdict import Verdict
from custody.verify import verify
from custody.wording import shown, tell

HOLDS, DOES_NOT_HOLD, USAGE, COULD_NOT_CHECK = 0, 1, 2, 6  # as of `counterproof verify`

_MAX_FILE_BYTES = 16 * 1024 * 1024

_ABOUT = """\
Verifies a copy of an archive, or an export of one: every byte, the tree, the signatures, the times. Nothing is
written, nobody is asked.

DIR is the folder that holds v1/, as `counterproof mirror` writes it; BAG the folder or zip of `counterproof export`.
FILE, the trust file, names the keys and authorities that you believe. Take it from whom you trust, by another way
than the evidence: whoever can change both can make up both. Without it evidence can only be consistent with itself,
and the verdict says so."""
_EXITS = "exit codes: 0 it holds, 1 it does not, 2 wrong usage, 6 it could not be checked"


class Refused(CustodyError):
    """What was named cannot be used."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        trust = None if asked.trust is None else _trust(asked.trust)
        kept = {str(path): _kept(path, trust) for path in asked.checkpoint}
        checkpoints = tuple(kept.values())
        digest = None if asked.trust_digest is None else _digest(asked.trust_digest, asked)
        if asked.export:
            verdict = _export(asked.export, trust, checkpoints, digest)
        else:
            verdict = _copy(asked.dir, trust, checkpoints)
    except Refused as error:
        return _refuse(error, as_json=asked.json)
    what: dict[str, Json] = {"export": str(asked.export)}
    if asked.export is None:
        what = {"store": f"file:{asked.dir.absolute()}", "case": None}
    if asked.json:
        _write(json.dumps({**verdict.to_json(), **what}, ensure_ascii=False, indent=2))
    else:
        for line in tell(verdict, str(asked.export or asked.dir), kept):
            _write(str(line))
    if verdict.holds:
        return HOLDS
    return COULD_NOT_CHECK if verdict.word == "could not check" else DOES_NOT_HOLD


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m custody", description="Checks evidence that Counterproof kept.")
    verbs = parser.add_subparsers(required=True, metavar="verify")
    verb = verbs.add_parser(
        "verify",
        help="verify a copy of an archive, or an export",
        description=_ABOUT,
        epilog=_EXITS,
        formatter_class=layout,
    )
    where = verb.add_mutually_exclusive_group(required=True)
    where.add_argument("dir", type=Path, metavar="DIR", nargs="?", help="the folder that holds v1/")
    where.add_argument("--export", type=Path, metavar="BAG", help="an export, as it was handed over: folder or zip")
    verb.add_argument("--trust", type=Path, metavar="FILE", help="keys and authorities to believe")
    verb.add_argument("--trust-digest", metavar="SHA256", help="of an export: the trust file's digest will do")
    verb.add_argument(
        "--checkpoint", type=Path, metavar="FILE", action="append", default=[],
        help="a checkpoint kept from an earlier day: the log must be the same one, grown",
    )  # fmt: skip
    verb.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _copy(folder: Path, trust: Trust | None, kept: Sequence[Checkpoint]) -> Verdict:
    if not folder.is_dir():
        raise Refused(f"there is no directory {folder}: name the one that holds the archive's v1/", COULD_NOT_CHECK)
    with closing(Folder(folder)) as source, ThreadPoolExecutor(THREADS, "verify") as threads:
        return verify(
            source,
            trust,
            at=datetime.now(UTC),
            kept=kept,
            map=threads.map,
            absent=source.absent,
            unreachable=source.unreachable,
        )


def _export(path: Path, trust: Trust | None, kept: Sequence[Checkpoint], digest: Digest | None) -> Verdict:
    try:
        package = open_package(path)
    except CustodyError as error:
        raise Refused(str(error)) from error
    with closing(package), ThreadPoolExecutor(THREADS, "verify") as threads:
        return verify_export(package, trust, at=datetime.now(UTC), trust_digest=digest, kept=kept, map=threads.map)


def _digest(text: str, asked: argparse.Namespace) -> Digest:
    if asked.export is None or asked.trust is not None:
        raise Refused("--trust-digest is for --export, and in place of --trust")
    try:
        return Digest(text.removeprefix("sha256:").lower())
    except FormatError as error:
        raise Refused(f"--trust-digest: {error}") from error


def _trust(path: Path) -> Trust:
    try:
        return Trust.parse(_read(path))
    except TrustError as error:
        raise Refused(f"{path}: {error}") from error


def _kept(path: Path, trust: Trust | None) -> Checkpoint:
    """A checkpoint that the reader has from earlier. One that the log's key did not sign says nothing of the log."""
    if trust is None:
        raise Refused("--checkpoint needs the key that signed it: add --trust FILE")
    data = _read(path)
    try:
        return open_checkpoint(data, trust.log)
    except CustodyError as error:
        raise Refused(
            f"{path} is not a checkpoint that the log {trust.log.name} signed ({error}): name the one you kept"
        ) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}): name another file") from error
    if len(data) > _MAX_FILE_BYTES:
        raise Refused(f"{path} is longer than any file of its kind")
    return data


def _refuse(error: Refused, *, as_json: bool) -> int:
    if as_json:
        said = {"schema": 1, "error": str(error), "kind": type(error).__name__, "exit_code": error.code}
        _write(json.dumps(said, ensure_ascii=False, indent=2))
    sys.stderr.write(f"custody: {shown(str(error))}\n")
    return error.code


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
