"""What somebody does to an export that is in his hands, with nothing but files and sha256sum's arithmetic."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

Change = Callable[[Path], None]


def copied(bag: Path, target: Path) -> Path:
    shutil.copytree(bag, target)
    return target


def artifact_in(bag: Path, sha256: str) -> Path:
    """Where a good export has a blob, under whatever name."""
    lines = (bag / "data/custody/contents.txt").read_text().splitlines()
    lines += (bag / "manifest-sha256.txt").read_text().splitlines()
    return bag / next(line[66:] for line in lines if line.startswith(f"{sha256}  data/artifacts/"))


def flip(path: Path, at: int = 10, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(bytes(data))


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data, "the attack is not there"
    path.write_bytes(data.replace(old, new, 1))


def remove_entry(bag: Path, index: int) -> None:
    (bag / f"data/custody/entry-{index}.json").unlink()
    (bag / f"data/custody/entry-{index}.tlog-proof").unlink()


def repair(bag: Path) -> None:
    """All that a liar needs to please any BagIt tool: the lists made again over whatever lies there now."""
    for name, inside in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        files = sorted(each.relative_to(bag).as_posix() for each in bag.rglob("*") if each.is_file())
        listed = [each for each in files if each.startswith("data/") is inside and each != "tagmanifest-sha256.txt"]
        lines = [f"{hashlib.sha256((bag / each).read_bytes()).hexdigest()}  {each}\n" for each in listed]
        (bag / name).write_text("".join(lines))
    payload = [each for each in (bag / "data").rglob("*") if each.is_file()]
    info = (bag / "bag-info.txt").read_text().splitlines()
    oxum = f"Payload-Oxum: {sum(each.stat().st_size for each in payload)}.{len(payload)}"
    (bag / "bag-info.txt").write_text("\n".join([each for each in info if "Oxum" not in each] + [oxum]) + "\n")
    tags = [each for each in sorted(bag.iterdir()) if each.is_file() and each.name != "tagmanifest-sha256.txt"]
    (bag / "tagmanifest-sha256.txt").write_text(
        "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in tags)
    )
