"""``counterproof mirror``: the archive as files that anybody can carry away and check."""

from pathlib import Path

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.disk import make_directory
from archive.errors import UsageError
from archive.mirror import mirror as copy
from archive.reader import open_reader
from console.exits import Exit
from console.screen import out, print_json, say


def mirror(config: ArchiveConfig, directory: Path, *, as_json: bool) -> Exit:
    """5 when an object could not be copied because its bytes are not what its key says."""
    inside = directory.expanduser().resolve()
    home = config.home.resolve()
    if inside == home or home.is_relative_to(inside) or inside.is_relative_to(home):
        raise UsageError(f"{directory} holds, or lies in, the home with its private keys: name a directory elsewhere")
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file: name a directory")
    with open_reader(config) as reader:
        make_directory(directory)
        report = copy(reader.store, DirectoryStore(directory), progress=say)
    if as_json:
        print_json(report.to_json())
    else:
        out.print(
            f"{directory}: {report.copied} objects copied, {report.equal} were there already, {report.bytes} bytes",
            markup=False,
        )
        for problem in report.problems:
            out.print(problem, markup=False)
        out.print(f"check it with: counterproof verify --store file:{directory}", markup=False)
    return Exit.LOST if report.problems else Exit.OK
